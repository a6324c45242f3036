// A recording's file: readable after every step, whole or absent, never half a header.
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codecs/wav.h"
#include "record/wav_file.h"
#include "scratch.h"

static char folder[SCRATCH_MAX];
static int folder_fd = -1;
static int16_t frames[8000][TD_WAV_FILE_CHANNELS];

static void setup(void)
{
	scratch_make(folder);
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 8000; i++)
		frames[i][0] = (int16_t)i;
}

static void teardown(void)
{
	close(folder_fd);
	scratch_remove(folder);
}

// Frames a player would find in the file.
static size_t frames_in(const char *name)
{
	static uint8_t bytes[200000];
	char reason[TD_WAV_REASON_MAX];
	struct td_wav wav;
	int fd = openat(folder_fd, name, O_RDONLY);
	ssize_t size;

	ck_assert_msg(fd >= 0, "%s is not there", name);
	size = read(fd, bytes, sizeof bytes);
	close(fd);
	ck_assert_int_ge(size, TD_WAV_HEADER_BYTES);
	ck_assert_int_eq(td_wav_parse(bytes, (size_t)size, &wav, reason), 0);
	return wav.frames;
}

START_TEST(valid_at_every_moment)
{
	struct td_wav_file file;

	ck_assert_int_eq(td_wav_file_open(&file, folder_fd, "2026/c1.wav"), 0);
	ck_assert_uint_eq(frames_in("2026/c1.wav.part"), 0);
	for (size_t n = 1; n <= 5; n++) {
		ck_assert_int_eq(td_wav_file_append(&file, frames, 4000), 0);
		ck_assert_uint_eq(frames_in("2026/c1.wav.part"), n * 4000);
	}
	ck_assert_int_ne(faccessat(folder_fd, "2026/c1.wav", F_OK, 0), 0);
	ck_assert_int_eq(td_wav_file_close(&file, true), 0);
	ck_assert_uint_eq(frames_in("2026/c1.wav"), 20000);
	ck_assert_int_ne(faccessat(folder_fd, "2026/c1.wav.part", F_OK, 0), 0);
}
END_TEST

START_TEST(names_that_would_escape_are_refused)
{
	static const struct {
		const char *name;
		bool ok;
	} rows[] = {
		{ "a.wav", true },    { "2026-01-01/c7.wav", true }, { "", false },
		{ ".wav", false },    { "../a.wav", false },         { "a/../b.wav", false },
		{ "/a.wav", false },  { "a//b.wav", false },         { "a.mp3", false },
		{ "a b.wav", false }, { "a\n.wav", false },          { ".hidden.wav", false },
		{ "a/.wav", false },
	};
	struct td_wav_file file;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		ck_assert_msg(td_wav_file_name_ok(rows[i].name) == rows[i].ok, "%s", rows[i].name);
		if (!rows[i].ok)
			ck_assert_int_eq(td_wav_file_open(&file, folder_fd, rows[i].name),
					 -TD_EINVALID);
	}
}
END_TEST

START_TEST(a_name_is_never_written_twice)
{
	struct td_wav_file one, two;

	ck_assert_int_eq(td_wav_file_open(&one, folder_fd, "a.wav"), 0);
	ck_assert_int_eq(td_wav_file_open(&two, folder_fd, "a.wav"), -TD_EEXISTS);
	ck_assert_int_eq(td_wav_file_close(&one, false), 0);
	ck_assert_int_eq(td_wav_file_open(&two, folder_fd, "a.wav"), -TD_EEXISTS);
}
END_TEST

// The file-size limit plays the full disk: the write that meets it fails as ENOSPC would.
START_TEST(a_refused_write_keeps_what_is_there)
{
	struct rlimit limit = { 40000, 40000 };
	struct td_wav_file file;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(td_wav_file_open(&file, folder_fd, "full.wav"), 0);
	ck_assert_int_eq(td_wav_file_append(&file, frames, 8000), 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_int_eq(td_wav_file_append(&file, frames, 8000), -TD_EIO);
	ck_assert_int_eq(td_wav_file_append(&file, frames, 1), -TD_EIO);
	ck_assert_uint_eq(file.frames, 8000);
	ck_assert_int_ne(file.error_number, 0);
	ck_assert_int_eq(td_wav_file_close(&file, true), -TD_EIO);
	ck_assert_uint_eq(frames_in("full.wav"), 8000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wav_file");
	TCase *tcase = tcase_create("wav_file");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, valid_at_every_moment);
	tcase_add_test(tcase, names_that_would_escape_are_refused);
	tcase_add_test(tcase, a_name_is_never_written_twice);
	tcase_add_test(tcase, a_refused_write_keeps_what_is_there);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

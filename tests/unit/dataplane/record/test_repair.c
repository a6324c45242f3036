// What a killed recorder leaves behind: cut at every kind of place, everything is playable again, and
// nothing is lost but what was not whole.
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codecs/wav.h"
#include "record/opus_track.h"
#include "record/reader.h"
#include "record/repair.h"
#include "record/sidecar.h"
#include "scratch.h"

static const uint8_t key[TD_VAULT_KEY_BYTES] = { 3 };
static char folder[SCRATCH_MAX];
static struct td_desk desk;

static void setup(void)
{
	scratch_make(folder);
	desk = (struct td_desk){ .disk = &td_disk_kernel,
				 .folder_fd = open(folder, O_RDONLY | O_DIRECTORY) };
}

static void teardown(void)
{
	close(desk.folder_fd);
	scratch_remove(folder);
}

static void put_file(const char *name, const void *bytes, size_t size)
{
	int fd = openat(desk.folder_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
}

static size_t get_file(const char *name, uint8_t *bytes, size_t room)
{
	int fd = openat(desk.folder_fd, name, O_RDONLY);
	ssize_t size;

	ck_assert_msg(fd >= 0, "%s", name);
	size = td_reader_at(fd, bytes, room, 0);
	close(fd);
	return (size_t)size;
}

static bool is_there(const char *name)
{
	return faccessat(desk.folder_fd, name, F_OK, 0) == 0;
}

static uint32_t repair_all(void)
{
	struct td_repair *repair;
	uint32_t count;

	ck_assert_int_eq(td_repair_create(desk.folder_fd, &repair), 0);
	while (td_repair_next(repair, &desk))
		;
	count = td_repair_count(repair);
	td_repair_destroy(repair);
	return count;
}

START_TEST(a_wav_cut_anywhere)
{
	static uint8_t bytes[TD_WAV_HEADER_BYTES + 4000], back[5000];
	char reason[TD_WAV_REASON_MAX];
	struct td_wav wav;

	td_wav_write_header(bytes, 16000, 2, 100); // older than what is behind it
	memset(bytes + TD_WAV_HEADER_BYTES, 5, 4000);
	for (size_t size = 0; size <= sizeof bytes; size += size < 90 ? 1 : 391) {
		put_file("a.wav.part", bytes, size);
		if (size < TD_WAV_HEADER_BYTES) {
			ck_assert_uint_eq(repair_all(), 0);
			ck_assert(is_there("a.wav.broken") && !is_there("a.wav.part"));
			unlinkat(desk.folder_fd, "a.wav.broken", 0);
			continue;
		}
		ck_assert_uint_eq(repair_all(), 1);
		ck_assert_int_eq(
			td_wav_parse(back, get_file("a.wav", back, sizeof back), &wav, reason), 0);
		ck_assert_uint_eq(wav.frames, (size - TD_WAV_HEADER_BYTES) / 4);
		ck_assert_uint_eq(wav.sample_hz, 16000);
		unlinkat(desk.folder_fd, "a.wav", 0);
	}
}
END_TEST

START_TEST(an_ogg_cut_anywhere)
{
	static uint8_t back[100000];
	static const uint8_t packet[40] = { 0x78 };
	struct td_opus_track track;
	size_t whole[40], pages = 0;

	td_opus_track_begin(&track, 5, "a.opus");
	for (int64_t n = 0; n < 20; n++) {
		whole[pages++] = track.out.used;
		ck_assert_int_eq(td_opus_track_put(&track, n * 960, packet, sizeof packet, 960), 0);
		td_opus_track_flush(&track);
	}
	for (size_t size = 0; size <= track.out.used; size += 7) {
		struct td_repair_found found = { .good = 0 };
		size_t good = 0, length;

		for (size_t i = 0; i < pages; i++)
			good = whole[i] <= size ? whole[i] : good;
		if (size == track.out.used)
			good = size;
		put_file("d.opus.part", track.out.data, size);
		if (good == 0) {
			ck_assert_uint_eq(repair_all(), 0);
			ck_assert(is_there("d.opus.broken"));
			unlinkat(desk.folder_fd, "d.opus.broken", 0);
			continue;
		}
		ck_assert_uint_eq(repair_all(), 1);
		length = get_file("d.opus", back, sizeof back);
		ck_assert_uint_eq(length, good);
		td_repair_scan_ogg(back, length, &found);
		ck_assert(found.last && found.good == length);
		unlinkat(desk.folder_fd, "d.opus", 0);
	}
	td_opus_track_fini(&track);
}
END_TEST

static size_t text_bytes;

static int count_text(void *user, const uint8_t *text, size_t size)
{
	(void)user, (void)text;
	text_bytes += size;
	return 0;
}

START_TEST(a_vault_cut_anywhere)
{
	static uint8_t bytes[10000], back[10000];
	struct td_vault vault;
	size_t size = TD_VAULT_HEADER_BYTES;

	ck_assert_int_eq(td_vault_create(&vault, key, bytes), 0);
	for (int i = 0; i < 10; i++)
		size += td_vault_seal(&vault, back, 500, false, bytes + size);
	td_vault_fini(&vault);
	desk.key = _i ? key : NULL;
	for (size_t cut = 100; cut <= size; cut += 311) {
		size_t chunks = cut < TD_VAULT_HEADER_BYTES ? 0
							    : (cut - TD_VAULT_HEADER_BYTES) /
								      (500 + TD_VAULT_EXTRA_BYTES);
		bool whole;
		int fd;

		put_file("a.wav.tde.part", bytes, cut);
		if (cut < TD_VAULT_HEADER_BYTES) {
			ck_assert_uint_eq(repair_all(), 0);
			unlinkat(desk.folder_fd, "a.wav.tde.broken", 0);
			continue;
		}
		ck_assert_uint_eq(repair_all(), 1);
		fd = openat(desk.folder_fd, "a.wav.tde", O_RDONLY);
		text_bytes = 0;
		ck_assert_int_eq(td_reader_text(fd, key, &whole, count_text, NULL), 0);
		close(fd);
		ck_assert(whole == (desk.key != NULL));
		ck_assert_uint_eq(text_bytes, chunks * 500);
		unlinkat(desk.folder_fd, "a.wav.tde", 0);
	}
}
END_TEST

// The sidecar gets the state, the true length and a chain that fits.
START_TEST(the_sidecar_is_renewed)
{
	static uint8_t bytes[TD_WAV_HEADER_BYTES + 32000];
	static const char text[] =
		"{\"recording\": \"t/a.wav\", \"state\": \"recording\", \"format\": \"wav\","
		" \"sample_hz\": 8000, \"channels\": 2, \"notes\": {\"call\": \"c1\"},"
		" \"files\": [{\"name\": \"t/a.wav\", \"bytes\": 80, \"sha256\": {}},"
		" {\"name\": \"../evil\"}]}";
	char path[SCRATCH_MAX + 20];
	json_t *sidecar, *files;

	mkdirat(desk.folder_fd, "t", 0700);
	td_wav_write_header(bytes, 8000, 2, 0);
	put_file("t/a.wav.part", bytes, sizeof bytes);
	put_file("t/a.wav.json.part", text, strlen(text));
	put_file("b.wav.json.part", "{\"torn", 6);
	ck_assert_uint_eq(repair_all(), 1);
	snprintf(path, sizeof path, "%s/t/a.wav.json", folder);
	sidecar = json_load_file(path, 0, NULL);
	ck_assert(json_is_object(sidecar));
	ck_assert_str_eq(json_string_value(json_object_get(sidecar, "state")), "repaired");
	ck_assert_int_eq(json_integer_value(json_object_get(sidecar, "duration_ms")), 1000);
	files = json_object_get(sidecar, "files");
	ck_assert_uint_eq(json_array_size(files), 1);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(files, 0), "bytes")),
			 sizeof bytes);
	json_decref(sidecar);
	ck_assert(is_there("b.wav.json.broken"));
	ck_assert(!is_there("t/a.wav.json.part") && !is_there("t/a.wav.part"));
}
END_TEST

// A file that had begun since the sidecar was written is in it as well, in the clear or not.
START_TEST(a_file_that_the_sidecar_did_not_know)
{
	static const char text[] = "{\"recording\": \"a.opus\", \"format\": \"opus\","
				   " \"files\": [{\"name\": \"a.1.opus\"}]}";
	const char *const third = _i ? "a.3.opus.tde" : "a.3.opus";
	uint8_t sealed[TD_VAULT_HEADER_BYTES + TD_VAULT_CHUNK_MAX];
	char path[SCRATCH_MAX + 20];
	struct td_opus_track track;
	struct td_vault vault;
	json_t *sidecar, *files;
	size_t size = TD_VAULT_HEADER_BYTES;

	desk.key = key;
	td_opus_track_begin(&track, 5, "a.opus");
	put_file("a.1.opus.part", track.out.data, track.out.used);
	put_file("a.opus.json.part", text, strlen(text));
	if (_i) {
		ck_assert_int_eq(td_vault_create(&vault, key, sealed), 0);
		size += td_vault_seal(&vault, track.out.data, track.out.used, false, sealed + size);
		td_vault_fini(&vault);
		put_file("a.3.opus.tde.part", sealed, size);
	} else {
		put_file("a.3.opus.part", track.out.data, track.out.used);
	}
	put_file("a.5.opus.part", "OggS", 4); // nothing can be made of it
	td_opus_track_fini(&track);
	ck_assert_uint_eq(repair_all(), 2);
	ck_assert(is_there(third) && is_there("a.5.opus.broken"));
	snprintf(path, sizeof path, "%s/a.opus.json", folder);
	sidecar = json_load_file(path, 0, NULL);
	files = json_object_get(sidecar, "files");
	ck_assert_uint_eq(json_array_size(files), 2);
	ck_assert(td_sidecar_lists(files, "a.1.opus") && td_sidecar_lists(files, third));
	ck_assert_uint_eq(json_array_size(json_object_get(
				  json_object_get(json_array_get(files, 1), "sha256"), "links")),
			  1);
	json_decref(sidecar);
}
END_TEST

START_TEST(what_is_written_or_there_is_left_alone)
{
	uint8_t header[TD_WAV_HEADER_BYTES];
	int fd;

	td_wav_write_header(header, 8000, 2, 0);
	put_file("open.wav.part", header, sizeof header);
	fd = openat(desk.folder_fd, "open.wav.part", O_RDONLY);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	put_file("done.wav.part", header, sizeof header);
	put_file("done.wav", "mine", 4);
	put_file("other.txt.part", "what", 4);
	(void)repair_all();
	ck_assert(is_there("open.wav.part") && is_there("done.wav.part"));
	ck_assert(is_there("other.txt.part"));
	ck_assert_uint_eq(get_file("done.wav", header, sizeof header), 4);
	close(fd);
	ck_assert_uint_eq(repair_all() > 0, 1);
	ck_assert(is_there("open.wav"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("repair");
	TCase *tcase = tcase_create("repair");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_wav_cut_anywhere);
	tcase_add_test(tcase, an_ogg_cut_anywhere);
	tcase_add_loop_test(tcase, a_vault_cut_anywhere, 0, 2);
	tcase_add_test(tcase, the_sidecar_is_renewed);
	tcase_add_loop_test(tcase, a_file_that_the_sidecar_did_not_know, 0, 2);
	tcase_add_test(tcase, what_is_written_or_there_is_left_alone);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

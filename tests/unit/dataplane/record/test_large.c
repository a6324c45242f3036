// A recording that outgrows 4 GiB: written as the disk thread writes it, read as EBU Tech 3306 has it
// and by sox. Its silence is holes, so that it takes no room and little time.
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codecs/wav.h"
#include "record/paper.h"
#include "scratch.h"

#define CHUNK     (64ull << 20)
#define BELOW     63u // chunks, and with the mark still a RIFF
#define BEYOND    2u
#define MARK      4096u
#define FRAME     4u // two channels
#define SKIPPED   77
#define FILE_ROOM (5ll << 30)
#define UNKNOWN   0xffffffffu // the size is in the ds64 chunk

static char folder[SCRATCH_MAX];
static struct td_desk desk;
static uint8_t *silence, mark[MARK];

// Silence becomes a hole; the last byte of it is where the file ends.
static ssize_t write_sparse(int fd, const void *bytes, size_t size, off_t at)
{
	if (bytes != silence)
		return pwrite(fd, bytes, size, at);
	return ftruncate(fd, at + (off_t)size) == 0 ? (ssize_t)size : -1;
}

static struct td_disk sparse;

static void setup(void)
{
	scratch_make(folder);
	sparse = td_disk_kernel;
	sparse.write_at = write_sparse;
	desk = (struct td_desk){ .disk = &sparse,
				 .folder_fd = open(folder, O_RDONLY | O_DIRECTORY) };
	silence = calloc(1, CHUNK);
	ck_assert_ptr_nonnull(silence);
	for (unsigned i = 0; i < MARK; i++)
		mark[i] = (uint8_t)(i * 7 + 1);
}

static void teardown(void)
{
	free(silence);
	close(desk.folder_fd);
	scratch_remove(folder);
}

static uint64_t number(const uint8_t *at, unsigned bytes)
{
	uint64_t value = 0;

	while (bytes-- > 0)
		value = value << 8 | at[bytes];
	return value;
}

struct read_wav {
	bool rf64;
	uint64_t data_at, data_bytes, sample_count; // sample_count: of RF64
};

static void read_at(int fd, uint8_t *bytes, size_t size, uint64_t at)
{
	ck_assert_int_eq(pread(fd, bytes, size, (off_t)at), (ssize_t)size);
}

// Strictly: ds64 is the first chunk of an RF64 and there is none in a RIFF; every chunk lies within
// the file; sizes are told once, in 32 bits or, as all ones, in the ds64; the RIFF ends with the file.
static struct read_wav read_strictly(int fd)
{
	struct read_wav wav = { .rf64 = false };
	uint64_t at = 12, riff_bytes, ds64_data = 0;
	uint8_t head[12], chunk[28];
	bool formed = false;
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	read_at(fd, head, sizeof head, 0);
	wav.rf64 = memcmp(head, "RF64", 4) == 0;
	ck_assert(wav.rf64 || memcmp(head, "RIFF", 4) == 0);
	ck_assert_mem_eq(head + 8, "WAVE", 4);
	riff_bytes = number(head + 4, 4);
	ck_assert(!wav.rf64 || riff_bytes == UNKNOWN);
	for (;;) {
		uint64_t size;

		read_at(fd, head, 8, at);
		size = number(head + 4, 4);
		ck_assert((at == 12 && wav.rf64) == (memcmp(head, "ds64", 4) == 0));
		if (memcmp(head, "data", 4) == 0) {
			ck_assert(!wav.rf64 || size == UNKNOWN);
			wav.data_at = at + 8;
			wav.data_bytes = wav.rf64 ? ds64_data : size;
			break;
		}
		ck_assert_uint_ge(size, 16);
		read_at(fd, chunk, size < sizeof chunk ? size : sizeof chunk, at + 8);
		if (memcmp(head, "ds64", 4) == 0) {
			ck_assert_uint_ge(size, 28);
			riff_bytes = number(chunk, 8);
			ds64_data = number(chunk + 8, 8);
			wav.sample_count = number(chunk + 16, 8);
			ck_assert_uint_eq(number(chunk + 24, 4), 0); // no table
		} else if (memcmp(head, "fmt ", 4) == 0) {
			formed = number(chunk, 2) == 1 && number(chunk + 2, 2) == 2 &&
				 number(chunk + 4, 4) == 8000 && number(chunk + 12, 2) == FRAME;
		}
		at += 8 + size + (size & 1);
	}
	ck_assert(formed);
	ck_assert_uint_eq(riff_bytes + 8, wav.data_at + wav.data_bytes);
	ck_assert_uint_eq((uint64_t)st.st_size, wav.data_at + wav.data_bytes);
	return wav;
}

static struct read_wav read_file(const char *name)
{
	int fd = openat(desk.folder_fd, name, O_RDONLY);
	struct read_wav wav;

	ck_assert_msg(fd >= 0, "%s", name);
	wav = read_strictly(fd);
	close(fd);
	return wav;
}

// How many frames sox finds in it, by its beginning (of a whole file it reads every byte to see what is
// behind the sound, for a minute). 0: there is no sox.
static unsigned long long ask_sox(void)
{
	char command[SCRATCH_MAX + 64];
	unsigned long long frames = 0;
	FILE *answer;

	snprintf(command, sizeof command, "head -c %u %s/big.wav | soxi -s - 2>/dev/null", MARK,
		 folder);
	answer = popen(command, "r"); // NOLINT(cert-env33-c): a name of our own
	ck_assert_ptr_nonnull(answer);
	if (fscanf(answer, "%llu", &frames) != 1)
		frames = 0;
	return pclose(answer) == 0 ? frames : 0;
}

static void write_silence(struct td_paper *paper, unsigned chunks)
{
	while (chunks-- > 0)
		td_paper_write(&desk, paper, 0, 8000, silence, CHUNK);
	ck_assert_int_eq(paper->error, 0);
}

START_TEST(past_four_gib)
{
	struct td_scribe_form form = {
		.name = "big.wav", .format = TD_RECORD_WAV, .channels = 2, .files = 1
	};
	struct td_paper *paper = td_paper_open(&desk, &form);
	struct td_scribe_news news = { .slot = 0 };
	uint64_t below = MARK + BELOW * CHUNK, beyond = below + BEYOND * CHUNK;
	struct read_wav wav;
	uint8_t found[MARK];
	unsigned long long by_sox;
	int fd;

	ck_assert_ptr_nonnull(paper);
	td_paper_write(&desk, paper, 0, 8000, mark, MARK);
	write_silence(paper, BELOW);
	wav = read_file("big.wav.part");
	ck_assert(!wav.rf64);
	ck_assert_uint_eq(wav.data_bytes, below);
	write_silence(paper, BEYOND); // while it is written it is right already
	wav = read_file("big.wav.part");
	ck_assert(wav.rf64);
	ck_assert_uint_eq(wav.data_bytes, beyond);
	td_paper_write(&desk, paper, 0, 8000, mark, MARK);
	td_paper_end(&desk, paper, NULL);
	td_paper_close(&desk, paper, NULL, &news);
	ck_assert_int_eq(news.error, 0);
	ck_assert_uint_eq(news.bytes, beyond + MARK);

	wav = read_file("big.wav");
	ck_assert(wav.rf64);
	ck_assert_uint_eq(wav.data_bytes, beyond + MARK);
	ck_assert_uint_eq(wav.sample_count, (beyond + MARK) / FRAME);
	fd = openat(desk.folder_fd, "big.wav", O_RDONLY);
	read_at(fd, found, MARK, wav.data_at);
	ck_assert_mem_eq(found, mark, MARK);
	read_at(fd, found, MARK, wav.data_at + beyond);
	ck_assert_mem_eq(found, mark, MARK);
	close(fd);
	by_sox = ask_sox();
	if (by_sox == 0)
		puts("sox is not here: not asked");
	else
		ck_assert_uint_eq(by_sox, (beyond + MARK) / FRAME);
}
END_TEST

static bool large_files_go(void)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	bool go = fd >= 0 && ftruncate(fd, FILE_ROOM) == 0;

	if (fd >= 0)
		close(fd);
	return go;
}

int main(void)
{
	Suite *suite = suite_create("large recording");
	TCase *tcase = tcase_create("large");
	SRunner *runner;
	int failed;

	if (!large_files_go()) {
		puts("skipped: /tmp takes no file of 5 GiB");
		return SKIPPED;
	}
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, past_four_gib);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

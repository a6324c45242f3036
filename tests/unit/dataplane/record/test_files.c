// Ogg pages, vaults, files on a disk that refuses, the order of packets, and what is said of the disk.
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/alarm.h"
#include "record/ogg.h"
#include "record/paper.h"
#include "record/part_file.h"
#include "record/reader.h"
#include "record/reorder.h"
#include "scratch.h"

static const uint8_t key[TD_VAULT_KEY_BYTES] = { 7, 1, 9 };
static char folder[SCRATCH_MAX];
static int folder_fd;

static void setup(void)
{
	scratch_make(folder);
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY);
}

static void teardown(void)
{
	close(folder_fd);
	scratch_remove(folder);
}

// An empty packet on a first page.
START_TEST(an_ogg_page_as_others_make_it)
{
	static const uint8_t known[] = { 'O', 'g', 'g', 'S', 0, 2, 0, 0, 0, 0, 0, 0, 0, 0,
					 1,   0,   0,   0,   0, 0, 0, 0, 0, 0, 0, 0, 1, 0 };
	struct td_ogg_writer ogg;
	uint8_t out[TD_OGG_PAGE_MAX];
	struct td_ogg_page page;
	size_t size;

	td_ogg_begin(&ogg, 1);
	ck_assert(td_ogg_put(&ogg, "", 0, 0));
	size = td_ogg_flush(&ogg, TD_OGG_FIRST, out);
	ck_assert_uint_eq(size, sizeof known);
	ck_assert_mem_eq(out, known, 22);
	ck_assert_int_eq(td_ogg_parse(out, size, &page), 0);
	for (size_t cut = 0; cut < size; cut++)
		ck_assert_int_eq(td_ogg_parse(out, cut, &page), -TD_ETRUNCATED);
	for (size_t at = 0; at < size; at++) {
		out[at] ^= 1;
		ck_assert_int_ne(td_ogg_parse(out, size, &page), 0);
		out[at] ^= 1;
	}
	td_ogg_set_flags(out, size, TD_OGG_FIRST | TD_OGG_LAST);
	ck_assert_int_eq(td_ogg_parse(out, size, &page), 0);
	ck_assert_uint_eq(page.flags, TD_OGG_FIRST | TD_OGG_LAST);
}
END_TEST

START_TEST(packets_of_every_length)
{
	static uint8_t packet[TD_OGG_BODY_MAX], out[TD_OGG_PAGE_MAX];
	static const size_t lengths[] = { 0, 1, 254, 255, 256, 510, 1440, TD_OGG_BODY_MAX };
	struct td_ogg_writer ogg;
	struct td_ogg_page page;

	td_ogg_begin(&ogg, 9);
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		size_t sum = 0;

		ck_assert(td_ogg_put(&ogg, packet, lengths[i], (int64_t)i << 33));
		ck_assert_int_eq(td_ogg_parse(out, td_ogg_flush(&ogg, 0, out), &page), 0);
		ck_assert_int_eq(page.granule, (int64_t)i << 33);
		ck_assert_uint_eq(page.sequence, i);
		for (unsigned lace = 0; lace < page.lace_count; lace++)
			sum += page.laces[lace];
		ck_assert_uint_eq(sum, lengths[i]);
		ck_assert_uint_lt(page.laces[page.lace_count - 1], 255);
	}
	for (unsigned i = 0; i < TD_OGG_LACES_MAX; i++)
		ck_assert(td_ogg_put(&ogg, packet, 1, 0));
	ck_assert(!td_ogg_put(&ogg, packet, 1, 0));
}
END_TEST

START_TEST(a_vault_opens_for_its_key_only)
{
	static uint8_t sealed[3][TD_VAULT_CHUNK_MAX], text[TD_VAULT_TEXT_MAX];
	uint8_t header[TD_VAULT_HEADER_BYTES], other[TD_VAULT_KEY_BYTES] = { 1 };
	struct td_vault vault, reader;
	struct td_vault_chunk chunk;
	size_t sizes[3];

	ck_assert_int_eq(td_vault_create(&vault, key, header), 0);
	for (int i = 0; i < 3; i++)
		sizes[i] = td_vault_seal(&vault, "what was said", 13, i == 2, sealed[i]);
	td_vault_fini(&vault);
	ck_assert_uint_eq(sizes[0], 13 + TD_VAULT_EXTRA_BYTES);
	ck_assert(memcmp(sealed[0] + 4, sealed[1] + 4, 13) != 0); // no nonce twice
	ck_assert_int_eq(td_vault_unlock(&reader, other, header), -TD_EDENIED);
	for (size_t at = 0; at < 92; at++) {
		header[at] ^= 1;
		ck_assert_int_ne(td_vault_unlock(&reader, key, header), 0);
		header[at] ^= 1;
	}
	ck_assert_int_eq(td_vault_unlock(&reader, key, header), 0);
	ck_assert_int_eq(td_vault_measure(sealed[1], sizes[1], &chunk), 0);
	ck_assert_int_eq(td_vault_open(&reader, sealed[1], &chunk, text),
			 -TD_EDENIED); // not its turn
	sealed[0][10] ^= 1;
	ck_assert_int_eq(td_vault_open(&reader, sealed[0], &chunk, text), -TD_EDENIED);
	sealed[0][10] ^= 1;
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(td_vault_measure(sealed[i], sizes[i] - 1, &chunk), -TD_ETRUNCATED);
		ck_assert_int_eq(td_vault_measure(sealed[i], sizes[i], &chunk), 0);
		ck_assert_int_eq(td_vault_open(&reader, sealed[i], &chunk, text), 0);
		ck_assert_mem_eq(text, "what was said", 13);
		ck_assert(chunk.last == (i == 2));
	}
	td_vault_fini(&reader);
}
END_TEST

START_TEST(key_files)
{
	static const struct {
		const char *text;
		mode_t mode;
		int result;
	} rows[] = {
		{ "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF\n", 0600, 0 },
		{ "0123456789abcdef0123456789abcdef", 0600, 0 },
		{ "0123456789abcdef0123456789abcdef", 0640, -TD_EDENIED },
		{ "0123456789abcdef0123456789abcde", 0600, -TD_EMALFORMED },
		{ "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFG", 0600,
		  -TD_EMALFORMED },
		{ "", 0600, -TD_EMALFORMED },
	};
	char path[SCRATCH_MAX + 8], reason[TD_VAULT_REASON_MAX];
	uint8_t found[TD_VAULT_KEY_BYTES];

	snprintf(path, sizeof path, "%s/key", folder);
	ck_assert_int_eq(td_vault_load_key(path, found, reason), -TD_EIO);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		FILE *file = fopen(path, "w");

		fputs(rows[i].text, file);
		fclose(file);
		chmod(path, rows[i].mode);
		reason[0] = '\0';
		ck_assert_int_eq(td_vault_load_key(path, found, reason), rows[i].result);
		ck_assert(rows[i].result == 0 || strstr(reason, path) != NULL);
	}
}
END_TEST

// A disk that refuses from the n-th call on.
static int calls_left, refusal;

static ssize_t write_or_not(int fd, const void *bytes, size_t size, off_t at)
{
	if (calls_left-- > 0)
		return pwrite(fd, bytes, size, at);
	errno = refusal;
	// A full disk takes a part first.
	return calls_left == -1 && refusal == ENOSPC ? pwrite(fd, bytes, size / 2, at) : -1;
}

static const struct td_disk bad_disk = { .write_at = write_or_not,
					 .cut = ftruncate,
					 .sync = fdatasync,
					 .sync_all = syncfs,
					 .rename = renameat };

// Whatever write it is that is refused: the file is whole up to there, and the error stays.
START_TEST(a_refused_write_keeps_what_is_there)
{
	static const int refusals[] = { EIO, ENOSPC, EROFS };
	static uint8_t text[1000];
	struct td_part_file file;
	struct stat st;

	for (int n = 0; n < 8; n++) {
		bool sealed = _i >= 3;
		uint64_t good = 0;
		char name[16];
		int error;

		refusal = refusals[_i % 3];
		calls_left = n;
		snprintf(name, sizeof name, "%d.wav", n);
		error = td_part_file_open(&file, &bad_disk, folder_fd, name, sealed ? key : NULL);
		if (error) {
			ck_assert(sealed && n == 0);
			ck_assert_int_eq(file.error_number, refusal);
			continue;
		}
		while (td_part_file_append(&file, text, sizeof text) == 0)
			good = file.size;
		ck_assert_int_eq(file.error, -TD_EIO);
		ck_assert_int_eq(file.error_number, refusal);
		ck_assert_int_eq(td_part_file_append(&file, text, 1), -TD_EIO);
		ck_assert_int_eq(td_part_file_close(&file), -TD_EIO);
		ck_assert_int_eq(fstatat(folder_fd, file.name, &st, 0), 0);
		ck_assert_uint_eq((uint64_t)st.st_size, good != 0 ? good
							: sealed  ? TD_VAULT_HEADER_BYTES
								  : 0);
	}
}
END_TEST

// A disk that says what of the sidecar is durable, and may refuse that.
static char durable[4096];
static bool sync_fails;

static int sync_and_look(int fd)
{
	struct stat mine, sidecar;
	int again;

	if (fstat(fd, &mine) != 0 || fstatat(folder_fd, "a.wav.json.part", &sidecar, 0) != 0 ||
	    mine.st_ino != sidecar.st_ino)
		return fdatasync(fd);
	again = openat(folder_fd, "a.wav.json.part", O_RDONLY);
	memset(durable, 0, sizeof durable);
	ck_assert_int_gt(read(again, durable, sizeof durable - 1), 0);
	close(again);
	errno = EIO;
	return sync_fails ? -1 : fdatasync(fd);
}

static const struct td_disk looked_at = { .write_at = pwrite,
					  .cut = ftruncate,
					  .sync = sync_and_look,
					  .sync_all = syncfs,
					  .rename = renameat };

static json_t *sidecar_of(const char *state)
{
	return json_pack("{s:s, s:[]}", "state", state, "files");
}

// A power cut leaves the sidecar that was synced: while it is recorded and before it has its name.
START_TEST(a_sidecar_is_durable_before_its_name)
{
	const struct td_desk desk = { .disk = &looked_at, .folder_fd = folder_fd };
	struct td_scribe_form form = {
		.name = "a.wav", .format = TD_RECORD_WAV, .channels = 2, .files = 1
	};
	struct td_paper *paper = td_paper_open(&desk, &form);
	struct td_scribe_news news = { .slot = 0 };
	json_t *found;
	int fd;

	ck_assert_ptr_nonnull(paper);
	td_paper_note(&desk, paper, sidecar_of("recording"));
	ck_assert(td_paper_dirty(paper));
	td_paper_sync(&desk, paper);
	ck_assert(!td_paper_dirty(paper));
	ck_assert_ptr_nonnull(strstr(durable, "recording"));
	td_paper_write(&desk, paper, 0, 8000, "abcd", 4);
	found = sidecar_of("complete");
	td_paper_end(&desk, paper, found);
	ck_assert(td_paper_dirty(paper));
	sync_fails = _i == 1;
	td_paper_sync(&desk, paper);
	ck_assert_ptr_nonnull(strstr(durable, "complete"));
	ck_assert_ptr_nonnull(strstr(durable, "a.wav"));
	td_paper_close(&desk, paper, found, &news);
	ck_assert_int_eq(news.error, _i == 1 ? -TD_EIO : 0);
	fd = openat(folder_fd, "a.wav.json", O_RDONLY);
	found = json_loadfd(fd, 0, NULL);
	close(fd);
	ck_assert_str_eq(json_string_value(json_object_get(found, "state")),
			 _i == 1 ? "failed" : "complete");
	json_decref(found);
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
		{ "/a.wav", false },  { "a//b.wav", false },         { "a b.wav", false },
		{ "a\n.wav", false }, { ".hidden.wav", false },      { "a/.wav", false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_msg(td_part_file_name_ok(rows[i].name) == rows[i].ok, "%s", rows[i].name);
}
END_TEST

START_TEST(a_name_is_never_written_twice)
{
	struct td_part_file one, two;

	ck_assert_int_eq(td_part_file_open(&one, &td_disk_kernel, folder_fd, "d/a.wav", NULL), 0);
	ck_assert_int_eq(td_part_file_open(&two, &td_disk_kernel, folder_fd, "d/a.wav", NULL),
			 -TD_EEXISTS);
	ck_assert_int_ne(faccessat(folder_fd, "d/a.wav", F_OK, 0), 0);
	ck_assert_int_eq(td_part_file_close(&one), 0);
	ck_assert_int_eq(faccessat(folder_fd, "d/a.wav", F_OK, 0), 0);
	ck_assert_int_eq(td_part_file_open(&two, &td_disk_kernel, folder_fd, "d/a.wav", NULL),
			 -TD_EEXISTS);
}
END_TEST

static char order[64];
static int late_count;

static void heard(void *user, const struct td_tap_record *record, bool late)
{
	size_t at = strlen(order);

	(void)user;
	late_count += late;
	order[at] = (char)('a' + record->sequence);
	order[at + 1] = '\0';
}

START_TEST(order_is_restored)
{
	static const struct {
		const char *came, *heard;
		int late;
		int64_t lost;
	} rows[] = {
		{ "abcdef", "abcdef", 0, 0 }, { "acbdef", "abcdef", 0, 0 },
		{ "adcbef", "abcdef", 0, 0 }, { "abdef", "abdef", 0, 1 },
		{ "abdefc", "abcdef", 0, 0 }, { "abdefghijkc", "abdefghijkc", 1, 0 },
		{ "ack", "ack", 0, 8 },       { "bac", "bac", 1, -1 },
		{ "abcdz", "abcdz", 0, 21 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct td_reorder reorder = { .started = false };

		order[0] = '\0';
		late_count = 0;
		for (const char *c = rows[i].came; *c; c++) {
			struct td_tap_record record = { .sequence = (uint16_t)(*c - 'a'),
							.arrival_ns = 1000 };

			td_reorder_put(&reorder, &record, heard, NULL);
		}
		td_reorder_expire(&reorder, 1000, heard, NULL); // not yet
		td_reorder_expire(&reorder, UINT64_MAX, heard, NULL);
		ck_assert_msg(strcmp(order, rows[i].heard) == 0, "%s: %s", rows[i].came, order);
		ck_assert_int_eq(late_count, rows[i].late);
		ck_assert_int_eq(reorder.lost, rows[i].lost);
		td_reorder_fini(&reorder);
	}
}
END_TEST

static struct td_event told[16];
static int told_count, refuse;

static int take_event(void *user, const struct td_event *event)
{
	(void)user;
	if (refuse-- > 0)
		return -TD_EFULL;
	told[told_count++] = *event;
	return 0;
}

START_TEST(alarms_begin_and_end_once)
{
	static const struct {
		uint64_t busy_ms;
		unsigned percent;
		int error;
		int told; // so far
	} rows[] = {
		{ 0, 50, 0, 0 },      { 999, 50, 0, 0 }, { 1000, 50, 0, 1 }, { 5000, 50, 0, 1 },
		{ 0, 50, 0, 2 },      { 0, 19, 0, 3 },   { 0, 20, 0, 3 },    { 0, 9, 0, 4 },
		{ 0, 4, 0, 5 },       { 0, 5, 0, 5 },    { 0, 60, 0, 6 },    { 0, 60, ENOSPC, 7 },
		{ 0, 60, ENOSPC, 7 }, { 0, 60, 0, 8 },
	};
	struct td_alarm alarm = { .slow = false };

	told_count = refuse = 0;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct td_scribe_health health = { .free_percent = rows[i].percent,
						   .error_number = rows[i].error };
		uint64_t now_ns = 100000 * 1000000ull;

		if (rows[i].busy_ms)
			health.busy_since_ns = now_ns - rows[i].busy_ms * 1000000;
		refuse = 1; // control's ring is full: it is said the next time
		td_alarm_look(&alarm, &health, now_ns, take_event, NULL);
		refuse = 0;
		td_alarm_look(&alarm, &health, now_ns, take_event, NULL);
		ck_assert_msg(told_count == rows[i].told, "row %zu: %d", i, told_count);
	}
	ck_assert_uint_eq(told[4].u.record_alarm.alarm, TD_RECORD_ALARM_FULL);
	ck_assert_uint_eq(told[4].u.record_alarm.value, 4);
	ck_assert_uint_eq(told[5].u.record_alarm.active, 0);
	ck_assert_uint_eq(told[6].u.record_alarm.value, ENOSPC);
}
END_TEST

START_TEST(what_is_still_so_is_said_again)
{
	struct td_alarm alarm = { .slow = false };
	struct td_scribe_health health = { .free_percent = 4, .error_number = EROFS };
	uint64_t now_ns = 100000 * 1000000ull;

	told_count = refuse = 0;
	td_alarm_look(&alarm, &health, now_ns, take_event, NULL);
	ck_assert_int_eq(told_count, 4);
	for (unsigned ms = 0; ms < 2000; ms += 5)
		td_alarm_look(&alarm, &health, now_ns + ms * 1000000ull, take_event, NULL);
	ck_assert_int_eq(told_count, 4);
	td_alarm_look(&alarm, &health, now_ns + 2000000000ull, take_event, NULL);
	ck_assert_int_eq(told_count, 6);
	ck_assert_uint_eq(told[4].u.record_alarm.active, TD_RECORD_ALARM_STILL);
	ck_assert_uint_eq(told[4].u.record_alarm.value, EROFS);
	ck_assert_uint_eq(told[5].u.record_alarm.value, 4);
	health = (struct td_scribe_health){ .free_percent = 50 };
	td_alarm_look(&alarm, &health, now_ns + 4000000000ull, take_event, NULL);
	ck_assert_int_eq(told_count, 8); // both are over, and nothing is said again
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("files");
	TCase *tcase = tcase_create("files");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, an_ogg_page_as_others_make_it);
	tcase_add_test(tcase, packets_of_every_length);
	tcase_add_test(tcase, a_vault_opens_for_its_key_only);
	tcase_add_test(tcase, key_files);
	tcase_add_loop_test(tcase, a_refused_write_keeps_what_is_there, 0, 6);
	tcase_add_loop_test(tcase, a_sidecar_is_durable_before_its_name, 0, 2);
	tcase_add_test(tcase, names_that_would_escape_are_refused);
	tcase_add_test(tcase, a_name_is_never_written_twice);
	tcase_add_test(tcase, order_is_restored);
	tcase_add_test(tcase, alarms_begin_and_end_once);
	tcase_add_test(tcase, what_is_still_so_is_said_again);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

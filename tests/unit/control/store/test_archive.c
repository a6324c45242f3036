// The index of recordings and the job that deletes: what goes, what stays, and what goes with it.
#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/archive.h"
#include "store/store.h"

#define DAY 86400000LL
#define NOW (1700000000000LL + 1000 * DAY)

static char folder[64], recordings[96], database[96];
static struct td_store *store;
static struct td_archive *archive;
static char error[TD_STORE_ERROR_MAX];
static const struct td_archive_rule rules[] = { { NULL, 30 }, { "acme", 90 }, { "ever", 0 } };

static void setup(void)
{
	snprintf(folder, sizeof folder, "/tmp/td-archive-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(database, sizeof database, "%s/tandem.db", folder);
	snprintf(recordings, sizeof recordings, "%s/recordings", folder);
	ck_assert_int_eq(mkdir(recordings, 0700), 0);
	ck_assert_msg(td_store_open(database, &store, error) == 0, "%s", error);
	ck_assert_int_eq(td_archive_create(database, recordings, rules, 3, &archive), 0);
}

static int remove_one(const char *path, const struct stat *what, int kind, struct FTW *where)
{
	(void)what;
	(void)kind;
	(void)where;
	return remove(path);
}

static void teardown(void)
{
	td_archive_destroy(archive);
	(void)td_store_close(store);
	ck_assert_int_eq(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void put_file(const char *name)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", recordings, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fputs("sound", file);
	fclose(file);
}

static bool is_there(const char *name)
{
	char path[256];

	snprintf(path, sizeof path, "%s/%s", recordings, name);
	return access(path, F_OK) == 0;
}

static void put(const char *name, const char *tenant, int64_t age_days, const char *state)
{
	struct td_cdr_recording row = { .started_utc_ms = NOW - age_days * DAY, .bytes = 5 };

	snprintf(row.file, sizeof row.file, "%s", name);
	snprintf(row.tenant, sizeof row.tenant, "%s", tenant);
	snprintf(row.state, sizeof row.state, "%s", state);
	ck_assert_int_eq(td_store_put_recording(store, &row), 0);
	ck_assert_int_eq(td_store_flush(store, 5000), 0);
}

struct seen {
	unsigned count;
	struct td_archive_row last;
};

static void see(void *user, const struct td_archive_row *row)
{
	struct seen *seen = user;

	seen->count++;
	seen->last = *row;
}

static uint64_t list(const char *tenant, struct seen *seen)
{
	const struct td_archive_query query = { .tenant = tenant, .limit = 100 };
	uint64_t total = 0;

	memset(seen, 0, sizeof *seen);
	ck_assert_msg(td_archive_list(archive, &query, see, seen, &total, error) == 0, "%s", error);
	return total;
}

START_TEST(a_row_is_written_twice)
{
	struct seen seen;

	put("a.wav", "acme", 1, "recording");
	ck_assert_uint_eq(list(NULL, &seen), 1);
	ck_assert_str_eq(seen.last.recording.state, "recording");
	put("a.wav", "acme", 1, "complete");
	ck_assert_uint_eq(list(NULL, &seen), 1);
	ck_assert_str_eq(seen.last.recording.state, "complete");
	put("b.wav", "other", 0, "complete");
	ck_assert_uint_eq(list(NULL, &seen), 2);
	ck_assert_str_eq(seen.last.recording.file, "a.wav"); // the newest first
	ck_assert_uint_eq(list("other", &seen), 1);
	ck_assert_str_eq(seen.last.recording.file, "b.wav");
	ck_assert_uint_eq(list("nobody", &seen), 0);
}
END_TEST

START_TEST(each_tenant_has_its_time)
{
	static const struct {
		const char *name, *tenant;
		int64_t age_days;
		bool stays;
	} rows[] = {
		{ "young.wav", "", 29, true },     { "old.wav", "", 31, false },
		{ "acme.wav", "acme", 31, true },  { "acme-old.wav", "acme", 91, false },
		{ "ever.wav", "ever", 900, true }, { "held.wav", "", 900, true },
		{ "open.wav", "", 0, true },       { "gone.wav", "", 31, false },
	};
	const size_t count = sizeof rows / sizeof rows[0];
	struct td_archive_swept swept;
	struct seen seen;

	for (size_t i = 0; i < count; i++) {
		char sidecar[64];

		put(rows[i].name, rows[i].tenant, rows[i].age_days, "complete");
		snprintf(sidecar, sizeof sidecar, "%s.json", rows[i].name);
		put_file(sidecar);
		if (strcmp(rows[i].name, "gone.wav") != 0) // somebody has deleted it
			put_file(rows[i].name);
	}
	ck_assert_int_eq(td_archive_hold(archive, "held.wav", true, error), 0);
	ck_assert_int_eq(td_archive_hold(archive, "nothing.wav", true, error), -TD_ENOT_FOUND);
	ck_assert_msg(td_archive_sweep(archive, NOW, &swept, error) == 0, "%s", error);
	ck_assert_uint_eq(swept.deleted, 3);
	ck_assert_uint_eq(swept.failed, 0);
	ck_assert_uint_eq(list(NULL, &seen), count - 3);
	for (size_t i = 0; i < count; i++) {
		char sidecar[64];

		snprintf(sidecar, sizeof sidecar, "%s.json", rows[i].name);
		ck_assert_msg(is_there(rows[i].name) == rows[i].stays, "%s", rows[i].name);
		ck_assert_msg(is_there(sidecar) == rows[i].stays, "%s", sidecar);
	}
	ck_assert_int_eq(td_archive_hold(archive, "held.wav", false, error), 0);
	ck_assert_int_eq(td_archive_sweep(archive, NOW, &swept, error), 0);
	ck_assert_uint_eq(swept.deleted, 1);
	ck_assert(!is_there("held.wav"));
}
END_TEST

static char listed[256];

static void add_name(void *user, const char *name)
{
	size_t len = strlen(listed);

	(void)user;
	snprintf(listed + len, sizeof listed - len, "%s%s", len ? " " : "", name);
}

// Of Opus as many as there are, whichever tracks they are of.
START_TEST(the_files_of_a_recording)
{
	static const struct {
		const char *name, *files;
	} rows[] = {
		{ "a.wav", "a.wav" },
		{ "b.wav", "b.wav.tde" },
		{ "c.wav", "c.wav.tde.part" },
		{ "d.opus", "d.1.opus d.2.opus d.3.opus" },
		{ "e.opus", "e.1.opus.part e.2.opus.part e.4.opus.part" },
		{ "f.opus", "f.1.opus.tde f.2.opus.tde f.8.opus.tde" },
		{ "gone.opus", "" },
		{ "/etc/hostname", "" },
		{ "../tandem.db", "" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[128], *rest = text;

		snprintf(text, sizeof text, "%s", rows[i].files);
		for (char *one = strtok_r(text, " ", &rest); one; one = strtok_r(NULL, " ", &rest))
			put_file(one);
	}
	put_file("a.wav.json");
	put_file("d.opus.json");
	put_file("d.4.opus.broken");
	put_file("d.9.opus");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		listed[0] = '\0';
		td_archive_files(archive, rows[i].name, add_name, NULL);
		ck_assert_str_eq(listed, rows[i].files);
	}
}
END_TEST

// An Opus recording goes as one, however many files it has and whatever became of them.
START_TEST(all_files_of_a_recording_go)
{
	static const char *const gone[] = {
		"a.1.opus",           "a.2.opus",
		"a.3.opus",           "a.8.opus",
		"a.opus.json",        "b.1.opus.tde",
		"b.2.opus.tde",       "b.4.opus.tde",
		"b.opus.json",        "c.1.opus.part",
		"c.3.opus.broken",    "c.4.opus.tde.part",
		"c.opus.json.part",   "c.2.opus.tde.broken",
		"c.opus.json.broken",
	};
	static const char *const kept[] = { "held.1.opus", "held.3.opus", "held.opus.json",
					    "aa.3.opus" };
	struct td_archive_swept swept;

	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
		put_file(gone[i]);
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		put_file(kept[i]);
	put("a.opus", "", 60, "complete");
	put("b.opus", "", 60, "complete");
	put("c.opus", "", 60, "partial");
	put("held.opus", "", 60, "complete");
	ck_assert_int_eq(td_archive_hold(archive, "held.opus", true, error), 0);
	ck_assert_int_eq(td_archive_sweep(archive, NOW, &swept, error), 0);
	ck_assert_uint_eq(swept.deleted, 3);
	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
		ck_assert_msg(!is_there(gone[i]), "%s", gone[i]);
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		ck_assert_msg(is_there(kept[i]), "%s", kept[i]);
}
END_TEST

// What cannot be deleted keeps its row, and is tried again; rows that name other places touch nothing.
START_TEST(what_cannot_be_deleted_stays_known)
{
	struct td_archive_swept swept;
	struct seen seen;
	char path[256];

	put("stuck.wav", "", 60, "complete");
	snprintf(path, sizeof path, "%s/stuck.wav", recordings);
	ck_assert_int_eq(mkdir(path, 0700), 0); // no file: unlink refuses it
	put("../tandem.db", "", 60, "complete");
	put("/etc/hostname", "", 60, "complete");
	ck_assert_int_eq(td_archive_sweep(archive, NOW, &swept, error), 0);
	ck_assert_uint_eq(swept.deleted, 0);
	ck_assert_uint_eq(swept.failed, 3);
	ck_assert_uint_eq(list(NULL, &seen), 3);
	ck_assert_int_eq(access(database, F_OK), 0);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(td_archive_sweep(archive, NOW, &swept, error), 0);
	ck_assert_uint_eq(swept.deleted, 1);
	ck_assert_uint_eq(list(NULL, &seen), 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("archive");
	TCase *tcase = tcase_create("archive");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_row_is_written_twice);
	tcase_add_test(tcase, each_tenant_has_its_time);
	tcase_add_test(tcase, the_files_of_a_recording);
	tcase_add_test(tcase, all_files_of_a_recording_go);
	tcase_add_test(tcase, what_cannot_be_deleted_stays_known);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

// The store against a real SQLite file: what is written, grouping, reopening, and trouble: a
// locked file, a full disk, a file of a newer version, a file that is no database.
#include <check.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/database.h"
#include "store/store.h"

#define FLUSH_MS 10000

static char folder[64], path[96], error[TD_STORE_ERROR_MAX];
static struct td_store *store;

static void setup(void)
{
	snprintf(folder, sizeof folder, "/tmp/td-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/tandem.db", folder);
	store = NULL;
}

static void teardown(void)
{
	static const char *const endings[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < 3; i++) {
		char name[128];

		snprintf(name, sizeof name, "%s%s", path, endings[i]);
		unlink(name);
	}
	rmdir(folder);
}

static void open_store(void)
{
	ck_assert_msg(td_store_open(path, &store, error) == 0, "%s", error);
}

static struct td_cdr_call full_call(void)
{
	return (struct td_cdr_call){
		.id = "c42",
		.caller = "+442071234567",
		.called = "100",
		.trunk = "carrier",
		.queue = "support",
		.agent = "1001",
		.cause = "caller-hangup",
		.ended_by = "caller",
		.recording = "2026/c42.wav",
		.recording_state = "complete",
		.setup_utc_ms = 1767323045678,
		.answer_utc_ms = 1767323045900,
		.connect_utc_ms = 1767323052001,
		.end_utc_ms = 1767323112001,
		.queue_wait_ms = 6323,
		.talk_ms = 60000,
		.offer_count = 2,
	};
}

static struct td_cdr_leg full_leg(void)
{
	return (struct td_cdr_leg){
		.id = "c42-l1",
		.role = "caller",
		.party = "+442071234567",
		.sip_call_id = "abc@10.77.0.10",
		.remote = "10.77.0.10:4000",
		.codec = "PCMU",
		.cause = "caller-hangup",
		.sip_status = 200,
		.has_media = true,
		.setup_utc_ms = 1767323045678,
		.answer_utc_ms = 1767323045900,
		.end_utc_ms = 1767323112001,
		.rx_packets = 3300,
		.tx_packets = 3301,
		.rx_lost = -2,
		.loss_permyriad = 25,
		.jitter_us = 125,
		.jitter_max_us = 900,
		.mos_x100 = 441,
	};
}

// The one row a query gives, its columns joined by '|', NULL as "-".
static const char *ask(const char *sql)
{
	static char answer[2048];
	sqlite3_stmt *statement;
	sqlite3 *db;
	size_t at = 0;

	ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK, "%s",
		      sqlite3_errmsg(db));
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	for (int i = 0; i < sqlite3_column_count(statement); i++) {
		const unsigned char *text = sqlite3_column_text(statement, i);

		at += (size_t)snprintf(answer + at, sizeof answer - at, "%s%s", i ? "|" : "",
				       text ? (const char *)text : "-");
	}
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return answer;
}

START_TEST(test_every_field_reaches_its_column)
{
	struct td_cdr_call call = full_call();
	struct td_cdr_leg legs[2] = { full_leg(),
				      { .id = "c42-l2", .role = "agent", .outbound = true } };

	open_store();
	ck_assert_int_eq(td_store_put_call(store, &call, legs, 2), 0);
	ck_assert_int_eq(td_store_flush(store, FLUSH_MS), 0);
	ck_assert_str_eq(ask("SELECT call_id, caller, called, trunk, queue, agent, cause, ended_by,"
			     " recording, recording_state, queue_wait_ms, talk_ms, offer_count"
			     " FROM call"),
			 "c42|+442071234567|100|carrier|support|1001|caller-hangup|caller|"
			 "2026/c42.wav|complete|6323|60000|2");
	ck_assert_str_eq(ask("SELECT setup_utc, setup_ms, answer_utc, connect_utc, end_utc, end_ms"
			     " FROM call"),
			 "2026-01-02T03:04:05.678Z|1767323045678|2026-01-02T03:04:05.900Z|"
			 "2026-01-02T03:04:12.001Z|2026-01-02T03:05:12.001Z|1767323112001");
	ck_assert_str_eq(
		ask("SELECT leg_id, role, party, sip_call_id, remote, codec, leg.cause,"
		    " outbound, sip_status, leg.setup_utc, ring_utc, ring_ms, leg.answer_ms,"
		    " leg.end_ms FROM leg JOIN call ON call.id = leg.call ORDER BY leg.id"),
		"c42-l1|caller|+442071234567|abc@10.77.0.10|10.77.0.10:4000|PCMU|"
		"caller-hangup|0|200|2026-01-02T03:04:05.678Z|-|-|1767323045900|1767323112001");
	ck_assert_str_eq(ask("SELECT rx_packets, tx_packets, rx_lost, loss_percent, jitter_us,"
			     " jitter_max_us, rtt_us, mos FROM leg ORDER BY id"),
			 "3300|3301|-2|0.25|125|900|-|4.41");
	// The second leg never had media and never was answered: nothing is known, so nothing is said.
	ck_assert_str_eq(
		ask("SELECT role, outbound, party, sip_status, answer_utc, rx_packets, rx_lost,"
		    " loss_percent, mos FROM leg ORDER BY id DESC"),
		"agent|1|-|-|-|-|-|-|-");
	ck_assert_uint_eq(td_store_close(store), 0);
}
END_TEST

START_TEST(test_records_are_grouped_into_transactions)
{
	struct td_cdr_call call = full_call();
	struct td_store_stats stats;

	open_store();
	for (int i = 0; i < 300; i++)
		ck_assert_int_eq(td_store_put_call(store, &call, NULL, 0), 0);
	ck_assert_int_eq(td_store_flush(store, FLUSH_MS), 0);
	td_store_stats(store, &stats);
	ck_assert_uint_eq(stats.accepted, 300);
	ck_assert_uint_eq(stats.written, 300);
	ck_assert_uint_eq(stats.queued, 0);
	ck_assert_uint_ge(stats.commits, 1);
	ck_assert_uint_le(stats.commits, 10);
	ck_assert_str_eq(ask("SELECT count(*) FROM call"), "300");
	td_store_close(store);
}
END_TEST

// Without a flush, a lone record waits for company only so long.
START_TEST(test_a_lone_record_is_written_soon)
{
	struct td_cdr_call call = full_call();
	struct td_store_stats stats;
	int waited_ms = 0;

	open_store();
	ck_assert_int_eq(td_store_put_call(store, &call, NULL, 0), 0);
	do {
		usleep(5000);
		waited_ms += 5;
		td_store_stats(store, &stats);
	} while (stats.written == 0 && waited_ms < FLUSH_MS);
	ck_assert_uint_eq(stats.written, 1);
	td_store_close(store);
}
END_TEST

START_TEST(test_close_writes_what_is_queued_and_reopen_appends)
{
	struct td_cdr_call call = full_call();

	for (int i = 1; i <= 3; i++) {
		char count[16];

		open_store();
		ck_assert_int_eq(td_store_put_call(store, &call, NULL, 0), 0);
		ck_assert_uint_eq(td_store_close(store), 0);
		snprintf(count, sizeof count, "%d|%d", i, TD_DATABASE_VERSION);
		ck_assert_str_eq(ask("SELECT count(*), (SELECT user_version FROM "
				     "pragma_user_version) FROM call"),
				 count);
	}
	ck_assert_uint_eq(td_store_close(NULL), 0);
}
END_TEST

START_TEST(test_bounds)
{
	struct td_cdr_call call = full_call();
	struct td_cdr_leg legs[TD_CDR_LEG_MAX + 1];

	memset(legs, 0, sizeof legs);
	open_store();
	ck_assert_int_eq(td_store_put_call(store, &call, legs, TD_CDR_LEG_MAX + 1), -TD_EINVALID);
	ck_assert_int_eq(td_store_put_call(store, &call, legs, TD_CDR_LEG_MAX), 0);
	ck_assert_int_eq(td_store_flush(store, FLUSH_MS), 0);
	ck_assert_str_eq(ask("SELECT count(*) FROM leg"), "32");
	td_store_close(store);
}
END_TEST

static sqlite3 *lock_database(void)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static void wait_for_failure(struct td_store_stats *stats)
{
	for (int i = 0; i < 2000; i++) {
		td_store_stats(store, stats);
		if (stats->failures > 0)
			return;
		usleep(5000);
	}
	ck_abort_msg("no failure was counted");
}

// Another program holds the write lock: records wait, the trouble is counted, nothing is lost;
// the queue is bounded, and when the lock is gone everything is written.
START_TEST(test_busy_database)
{
	struct td_cdr_call call = full_call();
	struct td_store_stats stats;
	unsigned accepted = 0;
	char count[16];
	sqlite3 *other;

	open_store();
	other = lock_database();
	while (td_store_put_call(store, &call, NULL, 0) == 0)
		accepted++;
	ck_assert_uint_eq(accepted, TD_STORE_QUEUE_MAX);
	ck_assert_int_eq(td_store_put_call(store, &call, NULL, 0), -TD_EFULL);
	ck_assert_int_eq(td_store_flush(store, 10), -TD_ETIMEOUT);
	wait_for_failure(&stats);
	ck_assert_uint_eq(stats.queued, TD_STORE_QUEUE_MAX);
	ck_assert_uint_eq(stats.written, 0);
	ck_assert_uint_eq(stats.refused, 2);
	ck_assert_msg(strstr(stats.error, "database is locked") != NULL, "%s", stats.error);
	sqlite3_close(other);
	ck_assert_int_eq(td_store_flush(store, 4 * FLUSH_MS), 0);
	td_store_stats(store, &stats);
	ck_assert_uint_eq(stats.written, TD_STORE_QUEUE_MAX);
	ck_assert_str_eq(stats.error, "");
	snprintf(count, sizeof count, "%d", TD_STORE_QUEUE_MAX);
	ck_assert_str_eq(ask("SELECT count(*) FROM call"), count);
	td_store_close(store);
}
END_TEST

// Files may not grow: what SQLite sees of a full disk, for a while.
START_TEST(test_full_disk)
{
	struct td_cdr_call call = full_call();
	struct td_store_stats stats;
	struct rlimit before, small;

	open_store();
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 4096;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(td_store_put_call(store, &call, NULL, 0), 0);
	wait_for_failure(&stats);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert_uint_eq(stats.queued, 50);
	ck_assert_str_ne(stats.error, "");
	ck_assert_int_eq(td_store_flush(store, FLUSH_MS), 0);
	ck_assert_str_eq(ask("SELECT count(*) FROM call"), "50");
	td_store_close(store);
}
END_TEST

// The disk stays away to the end: close tries once more, does not hang, and says what is lost.
START_TEST(test_close_gives_up_and_counts)
{
	struct td_cdr_call call = full_call();
	sqlite3 *other;

	open_store();
	other = lock_database();
	for (int i = 0; i < 7; i++)
		ck_assert_int_eq(td_store_put_call(store, &call, NULL, 0), 0);
	ck_assert_uint_eq(td_store_close(store), 7);
	sqlite3_close(other);
	ck_assert_str_eq(ask("SELECT count(*) FROM call"), "0");
}
END_TEST

static void run_sql(const char *sql)
{
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void set_version(int version)
{
	char sql[64];

	snprintf(sql, sizeof sql, "PRAGMA user_version=%d", version);
	run_sql(sql);
}

START_TEST(test_an_older_file_is_brought_up_to_date)
{
	static const char *const added[] = {
		"srtp",           "mos_min",    "rtt_max_us",  "delay_max_ms", "discarded",
		"bursts",         "burst_lost", "measured_ms", "talk_ms",      "clipped_ms",
		"double_talk_ms", "one_way_ms", "level_dbm0",  "noise_dbm0",   "remote_mos",
	};
	struct td_cdr_call call = full_call();
	struct td_cdr_leg leg = full_leg();

	snprintf(leg.srtp, sizeof leg.srtp, "AEAD_AES_128_GCM");
	leg.remote_mos_x100 = 410;
	open_store();
	ck_assert_int_eq(td_store_put_call(store, &call, &leg, 1), 0);
	ck_assert_uint_eq(td_store_close(store), 0);
	// As version 1 had it: its rows stay, what was added since is empty in them.
	for (size_t i = 0; i < sizeof added / sizeof added[0]; i++) {
		char sql[96];

		snprintf(sql, sizeof sql, "ALTER TABLE leg DROP COLUMN %s", added[i]);
		run_sql(sql);
	}
	run_sql("ALTER TABLE call DROP COLUMN recording_received;"
		"ALTER TABLE call DROP COLUMN recording_written; DROP TABLE recording");
	set_version(1);
	open_store();
	ck_assert_int_eq(td_store_put_call(store, &call, &leg, 1), 0);
	ck_assert_uint_eq(td_store_close(store), 0);
	ck_assert_str_eq(ask("SELECT group_concat(ifnull(srtp, 'none'), ' ') FROM leg"),
			 "none AEAD_AES_128_GCM");
	ck_assert_str_eq(ask("SELECT group_concat(ifnull(remote_mos, 'none'), ' ') FROM leg"),
			 "none 4.1");
}
END_TEST

START_TEST(test_open_refuses_what_it_cannot_use)
{
	char expected[TD_STORE_ERROR_MAX];
	FILE *file;

	ck_assert_int_eq(td_store_open("/nonexistent/t.db", &store, error), -TD_EIO);
	ck_assert_str_eq(error,
			 "/nonexistent/t.db: the database cannot be opened: create its folder "
			 "and let this user write there (unable to open database file)");
	run_sql("PRAGMA user_version=99");
	ck_assert_int_eq(td_store_open(path, &store, error), -TD_EVERSION);
	snprintf(expected, sizeof expected,
		 "%s: found schema version 99, expected at most %d: a newer Tandem made it", path,
		 TD_DATABASE_VERSION);
	ck_assert_str_eq(error, expected);
	run_sql("PRAGMA user_version=0; CREATE TABLE call(id)");
	ck_assert_int_eq(td_store_open(path, &store, error), -TD_EIO);
	ck_assert_msg(strstr(error, "the tables cannot be created") != NULL, "%s", error);
	run_sql("CREATE TABLE leg(id)");
	set_version(TD_DATABASE_VERSION);
	ck_assert_int_eq(td_store_open(path, &store, error), -TD_EIO);
	ck_assert_msg(strstr(error, "its tables are not Tandem's") != NULL, "%s", error);
	teardown();
	ck_assert_int_eq(mkdir(folder, 0700), 0);
	file = fopen(path, "w");
	fputs("this is a text file that is certainly no database at all\n", file);
	fclose(file);
	ck_assert_int_eq(td_store_open(path, &store, error), -TD_EIO);
	ck_assert_msg(strstr(error, "no database we can use (file is not a database)") != NULL,
		      "%s", error);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *tcase = tcase_create("store");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_every_field_reaches_its_column);
	tcase_add_test(tcase, test_records_are_grouped_into_transactions);
	tcase_add_test(tcase, test_a_lone_record_is_written_soon);
	tcase_add_test(tcase, test_close_writes_what_is_queued_and_reopen_appends);
	tcase_add_test(tcase, test_bounds);
	tcase_add_test(tcase, test_busy_database);
	tcase_add_test(tcase, test_full_disk);
	tcase_add_test(tcase, test_close_gives_up_and_counts);
	tcase_add_test(tcase, test_an_older_file_is_brought_up_to_date);
	tcase_add_test(tcase, test_open_refuses_what_it_cannot_use);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

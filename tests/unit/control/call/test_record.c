// The call detail records, as the database has them: real calls into the real store, read back
// with SQL.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/store.h"
#include "td_log.h"
#include "world.h"

static struct world w;
static char dir[64], path[96];

static void setup(void)
{
	char error[TD_STORE_ERROR_MAX];

	snprintf(dir, sizeof dir, "/tmp/td-record-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/cdr.sqlite", dir);
	ck_assert_int_eq(td_store_open(path, &world_store, error), 0);
	world_open(&w);
	world_register(&w);
}

static void teardown(void)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	char file[128];

	world_assert_empty(&w);
	world_close(&w);
	ck_assert_uint_eq(td_store_close(world_store), 0);
	world_store = NULL;
	for (int i = 0; i < 3; i++) {
		snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
		unlink(file);
	}
	ck_assert_int_eq(rmdir(dir), 0);
}

// The first column of the first row as text; "-" for NULL, "" for no row.
static const char *sql(const char *query)
{
	static char out[256];
	sqlite3_stmt *statement;
	sqlite3 *db;

	ck_assert_int_eq(td_store_flush(world_store, 5000), 0);
	ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_msg(sqlite3_prepare_v2(db, query, -1, &statement, NULL) == SQLITE_OK, "%s: %s",
		      query, sqlite3_errmsg(db));
	out[0] = '\0';
	if (sqlite3_step(statement) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(statement, 0);

		snprintf(out, sizeof out, "%s", text ? text : "-");
	}
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return out;
}

static void to_conversation(void)
{
	phone_call(&w.caller, "100");
	world_settle(&w);
	world_advance(&w, 2000);
	ck_assert(dp_player_end(&w.dp));
	world_settle(&w);
}

START_TEST(one_row_a_call_and_one_a_leg)
{
	to_conversation();
	ck_assert_int_eq(world_call(&w).state, TD_CALL_TALKING);
	world_advance(&w, 5000);
	w.dp.recorded = (struct td_event_recording){ .packets_received = { 250, 250 },
						     .packets_written = { 250, 250 } };
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_str_eq(sql("select count(*) from call"), "1");
	ck_assert_str_eq(sql("select count(*) from leg"), "2");
	ck_assert_str_eq(sql("select call_id from call"), "c1");
	ck_assert_str_eq(
		sql("select caller || '>' || called || '@' || queue || '/' || trunk from call"),
		"49301234>100@sales/carrier");
	ck_assert_str_eq(sql("select agent from call"), "1001");
	ck_assert_str_eq(sql("select cause from call"), "caller-hangup");
	ck_assert_str_eq(sql("select ended_by from call"), "caller");
	ck_assert_str_eq(sql("select queue_wait_ms from call"), "2000");
	ck_assert_str_eq(sql("select talk_ms from call"), "5000");
	ck_assert_str_eq(sql("select offer_count from call"), "1");
	ck_assert_str_eq(sql("select recording_state from call"), "complete");
	ck_assert_str_eq(sql("select recording like '2023%-c1.wav' from call"), "1");
	ck_assert_str_eq(sql("select party from leg where role = 'caller'"), "49301234");
	ck_assert_str_eq(sql("select party from leg where role = 'agent'"), "1001");
	ck_assert_str_eq(sql("select outbound from leg where role = 'agent'"), "1");
	ck_assert_str_eq(sql("select sip_status from leg where role = 'agent'"), "200");
	ck_assert_str_eq(sql("select sip_call_id from leg where role = 'caller'"),
			 w.caller.call_id);
	ck_assert_str_eq(sql("select sip_call_id from leg where role = 'agent'"), w.agent.call_id);
	ck_assert_str_eq(sql("select remote from leg where role = 'caller'"), "10.77.0.10:4000");
	ck_assert_str_eq(sql("select codec from leg where role = 'caller'"), "PCMU");
	ck_assert_str_eq(sql("select rx_packets from leg where role = 'caller'"), "990");
	ck_assert_str_eq(sql("select loss_percent from leg where role = 'caller'"), "1.0");
	ck_assert_str_eq(
		sql("select mos || '/' || mos_min || '/' || remote_mos || '/' || rtt_max_us"
		    " || '/' || delay_max_ms from leg where role = 'caller'"),
		"3.83/2.8/4.1/30000/90");
	ck_assert_str_eq(sql("select discarded || '/' || bursts || '/' || burst_lost || '/' ||"
			     " one_way_ms from leg where role = 'caller'"),
			 "3/2/7/1000");
	ck_assert_str_eq(
		sql("select measured_ms || '/' || talk_ms || '/' || double_talk_ms || '/' ||"
		    " level_dbm0 from leg where role = 'caller'"),
		"4800/2240/320/-19");
	ck_assert_str_eq(sql("select noise_dbm0 is null from leg where role = 'caller'"), "1");
}
END_TEST

START_TEST(packets_missing_in_the_file_make_it_partial)
{
	to_conversation();
	w.dp.recorded = (struct td_event_recording){ .packets_received = { 250, 250 },
						     .packets_written = { 250, 249 } };
	phone_hangup(&w.agent);
	world_settle(&w);
	ck_assert_str_eq(sql("select recording_state from call"), "partial");
	ck_assert_str_eq(sql("select cause from call"), "agent-hangup");
	ck_assert_str_eq(sql("select ended_by from call"), "agent");
}
END_TEST

static const struct {
	uint64_t bytes;
	const char *state;
} broken_disks[] = { { 0, "failed" }, { 2, "partial" } };

START_TEST(a_broken_disk_is_told_by_what_it_kept)
{
	to_conversation();
	w.dp.recorded_result = -TD_EIO;
	w.dp.recorded.bytes = broken_disks[_i].bytes;
	phone_hangup(&w.agent);
	world_settle(&w);
	ck_assert_str_eq(sql("select recording_state from call"), broken_disks[_i].state);
}
END_TEST

START_TEST(every_offer_has_its_row)
{
	w.agent.mode = PHONE_BUSY;
	to_conversation();
	ck_assert_str_eq(world_call(&w).agent, "1002");
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_str_eq(sql("select offer_count from call"), "2");
	ck_assert_str_eq(sql("select count(*) from leg"), "3");
	ck_assert_str_eq(sql("select cause from leg where party = '1001'"), "busy");
	ck_assert_str_eq(sql("select sip_status from leg where party = '1001'"), "486");
	ck_assert_str_eq(sql("select answer_utc from leg where party = '1001'"), "-");
}
END_TEST

START_TEST(abandoned_in_the_queue)
{
	phone_call(&w.caller, "200");
	world_settle(&w);
	world_advance(&w, 30000);
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_str_eq(sql("select cause from call"), "caller-abandoned");
	ck_assert_str_eq(sql("select queue_wait_ms from call"), "30000");
	ck_assert_str_eq(sql("select agent from call"), "-");
	ck_assert_str_eq(sql("select connect_utc from call"), "-");
	ck_assert_str_eq(sql("select recording from call"), "-");
	ck_assert_str_eq(sql("select count(*) from leg"), "1");
}
END_TEST

START_TEST(cancelled_before_we_answered)
{
	w.dp_manual = true;
	phone_call(&w.caller, "100");
	world_turn(&w);
	phone_hangup(&w.caller);
	w.dp_manual = false;
	world_settle(&w);
	ck_assert_uint_eq(w.caller.status, 487);
	ck_assert_str_eq(sql("select cause from call"), "caller-cancelled");
	ck_assert_str_eq(sql("select answer_utc from call"), "-");
	ck_assert_str_eq(sql("select sip_status from leg"), "487");
}
END_TEST

START_TEST(refused_calls_that_never_began_have_no_row)
{
	phone_call(&w.caller, "999");
	world_settle(&w);
	ck_assert_str_eq(sql("select count(*) from call"), "0");
}
END_TEST

START_TEST(dead_dataplane_leaves_a_partial_recording)
{
	to_conversation();
	dp_die(&w.dp);
	world_wait_for_link(&w);
	world_settle(&w);
	ck_assert_str_eq(sql("select cause from call"), "dataplane-down");
	ck_assert_str_eq(sql("select ended_by from call"), "system");
	ck_assert_str_eq(sql("select recording_state from call"), "partial");
	ck_assert_str_eq(sql("select rx_packets from leg where role = 'caller'"), "-");
}
END_TEST

START_TEST(calls_still_up_at_the_end_are_written)
{
	to_conversation();
	td_calls_shutdown(w.calls);
	// Nobody answers any more: the link goes, then the calls.
	world_close(&w);
	ck_assert_str_eq(sql("select count(*) from call"), "1");
	ck_assert_str_eq(sql("select cause from call"), "system-shutdown");
	ck_assert_str_eq(sql("select count(*) from leg"), "2");
	world_open(&w);
}
END_TEST

START_TEST(many_offers_keep_the_caller_and_the_latest)
{
	w.agent.mode = w.agent2.mode = PHONE_BUSY;
	to_conversation();
	for (int i = 0; i < 30; i++) {
		const char *id = i % 2 ? "1002" : "1001";

		phone_reset(&w.agent);
		phone_reset(&w.agent2);
		w.agent.mode = w.agent2.mode = PHONE_BUSY;
		ck_assert_int_eq(
			td_calls_agent_set_state(w.calls, id, TD_AGENT_WISH_AVAILABLE, NULL), 0);
		world_settle(&w);
	}
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_str_eq(sql("select offer_count from call"), "32");
	ck_assert_str_eq(sql("select count(*) from leg"), "16");
	ck_assert_str_eq(sql("select count(*) from leg where role = 'caller'"), "1");
}
END_TEST

START_TEST(the_suite_of_a_leg_and_the_name_of_a_refusal)
{
	w.config.trunks[0].srtp = TD_SRTP_POLICY_REQUIRE;
	phone_call(&w.caller, "100");
	world_settle(&w);
	ck_assert_uint_eq(w.caller.status, 488);
	ck_assert_str_eq(
		sql("SELECT call_id || ' ' || caller || ' ' || called || ' ' || trunk || ' ' "
		    "|| queue || ' ' || cause || ' ' || ended_by || ' ' || talk_ms FROM call"),
		"c1 49301234 100 carrier sales srtp-required system 0");
	ck_assert_str_eq(sql("SELECT leg_id || ' ' || role || ' ' || cause || ' ' || sip_status "
			     "FROM leg WHERE srtp IS NULL AND sip_call_id IS NOT NULL"),
			 "c1-l1 caller srtp-required 488");
	w.caller.transport = "RTP/SAVP";
	w.caller.attributes = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
			      "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n";
	to_conversation();
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_str_eq(sql("SELECT group_concat(role || ' ' || ifnull(srtp, 'plain')) FROM leg "
			     "WHERE leg_id LIKE 'c2-%'"),
			 "caller AES_CM_128_HMAC_SHA1_80,agent plain");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("record");
	Suite *suite = suite_create("call records");
	SRunner *runner = srunner_create(suite);
	int failed;

	td_log_set_level(TD_LOG_ERROR);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, one_row_a_call_and_one_a_leg);
	tcase_add_test(tc, packets_missing_in_the_file_make_it_partial);
	tcase_add_loop_test(tc, a_broken_disk_is_told_by_what_it_kept, 0,
			    sizeof broken_disks / sizeof broken_disks[0]);
	tcase_add_test(tc, every_offer_has_its_row);
	tcase_add_test(tc, abandoned_in_the_queue);
	tcase_add_test(tc, cancelled_before_we_answered);
	tcase_add_test(tc, refused_calls_that_never_began_have_no_row);
	tcase_add_test(tc, dead_dataplane_leaves_a_partial_recording);
	tcase_add_test(tc, calls_still_up_at_the_end_are_written);
	tcase_add_test(tc, many_offers_keep_the_caller_and_the_latest);
	tcase_add_test(tc, the_suite_of_a_leg_and_the_name_of_a_refusal);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

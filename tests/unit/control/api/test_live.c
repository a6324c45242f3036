// The API of a running control process over its real socket, and tandemctl against it.
#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "session.h"

// Asks until the member at `path` is `wanted`.
static json_t *ask_until(const char *method, const char *params, const char *path,
			 const char *wanted)
{
	for (int tries = 0; tries < 2000; tries++) {
		json_t *reply = session_ask(method, params);
		const json_t *value = live_at(reply, path);

		if (json_is_string(value) && strcmp(json_string_value(value), wanted) == 0)
			return reply;
		json_decref(reply);
		usleep(1000);
	}
	ck_abort_msg("%s: %s never became \"%s\"", method, path, wanted);
}

START_TEST(test_refusals_name_code_and_reason)
{
	static const struct {
		const char *method, *params;
		long code;
		const char *message;
	} rows[] = {
		{ "call.get", "{\"id\":\"c9\"}", -32004, "there is no call c9" },
		{ "call.hangup", "{\"id\":\"c9\"}", -32004, "there is no call c9" },
		{ "call.get", "{}", -32602, "id: missing; a call's id, such as c42" },
		{ "call.list", "{\"limit\":0}", -32602, "limit: found 0, expected 1 to 1000" },
		{ "call.list", "{\"limit\":1001}", -32602,
		  "limit: found 1001, expected 1 to 1000" },
		{ "call.list", "{\"offset\":-1}", -32602,
		  "offset: found -1, expected 0 to 2147483647" },
		{ "queue.get", "{\"name\":\"nobody\"}", -32004, "there is no queue nobody" },
		{ "agent.get", "{\"id\":\"1009\"}", -32004, "there is no agent 1009" },
		{ "agent.set_state", "{\"id\":\"1009\",\"state\":\"available\"}", -32004,
		  "there is no agent 1009" },
		{ "agent.set_state", "{\"id\":\"1001\",\"state\":\"happy\"}", -32602,
		  "state: found \"happy\", expected one of: logged-in logged-out available paused" },
		{ "agent.set_state", "{\"id\":\"1001\",\"state\":\"available\",\"reason\":\"x\"}",
		  -32602, "reason: only a pause has one" },
		{ "stream.get", "{\"id\":0}", -32602, "id: found 0, expected 1 to 4294967295" },
		{ "stream.get", "{\"id\":77}", -32004, "there is no stream 77" },
		{ "stream.get", "{\"id\":4294967295}", -32004, "there is no stream 4294967295" },
		{ "system.halt", NULL, -32601,
		  "system.halt: no such method; rpc.methods lists them" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		live_expect_error(session_ask(rows[i].method, rows[i].params), rows[i].code,
				  rows[i].message);
}
END_TEST

START_TEST(test_events_are_numbered_and_resumable)
{
	struct live_client listener = live_login(&live);
	json_t *reply = live_ask(&live, &listener, "events.subscribe", NULL), *event;

	ck_assert_int_eq(live_int(reply, "result.seq"), 0);
	json_decref(reply);
	json_decref(session_ask("agent.set_state",
				"{\"id\":\"1001\",\"state\":\"paused\",\"reason\":\"tea\"}"));
	event = live_receive(&live, &listener);
	ck_assert_str_eq(live_text(event, "params.kind"), "agent.state");
	ck_assert_int_eq(live_int(event, "params.seq"), 1);
	ck_assert_str_eq(live_text(event, "params.agent.state"), "paused");
	ck_assert_str_eq(live_text(event, "params.agent.reason"), "tea");
	json_decref(event);
	live_hang_up(&listener);
	// Away for two more; back, and nothing was missed.
	json_decref(session_ask("agent.set_state", "{\"id\":\"1001\",\"state\":\"available\"}"));
	json_decref(session_ask("agent.set_state", "{\"id\":\"1002\",\"state\":\"paused\"}"));
	listener = live_login(&live);
	json_decref(live_ask(&live, &listener, "events.subscribe", "{\"since\":1}"));
	for (long seq = 2; seq <= 3; seq++) {
		event = live_receive(&live, &listener);
		ck_assert_int_eq(live_int(event, "params.seq"), seq);
		json_decref(event);
	}
	json_decref(live_ask(&live, &listener, "events.unsubscribe", NULL));
	json_decref(session_ask("agent.set_state", "{\"id\":\"1002\",\"state\":\"available\"}"));
	reply = live_ask(&live, &listener, "system.status", NULL);
	ck_assert_int_eq(live_int(reply, "result.api.subscribers"), 0);
	json_decref(reply);
	live_hang_up(&listener);
}
END_TEST

// Further behind than events are kept: an explicit gap, then what there is.
START_TEST(test_gap)
{
	struct live_client listener = live_login(&live);
	json_t *event;

	json_decref(live_ask(&live, &listener, "events.subscribe", NULL));
	for (int i = 0; i < 1100; i++)
		json_decref(session_ask("agent.set_state",
					i % 2 ? "{\"id\":\"1001\",\"state\":\"available\"}"
					      : "{\"id\":\"1001\",\"state\":\"paused\"}"));
	live_hang_up(&listener);
	listener = live_login(&live);
	json_decref(live_ask(&live, &listener, "events.subscribe", "{\"since\":10}"));
	event = live_receive(&live, &listener);
	ck_assert_str_eq(live_text(event, "params.kind"), "gap");
	ck_assert_int_eq(live_int(event, "params.from"), 11);
	ck_assert_int_eq(live_int(event, "params.seq"), 1100 - 1024);
	json_decref(event);
	for (long seq = 1100 - 1024 + 1; seq <= 1100; seq++) {
		event = live_receive(&live, &listener);
		ck_assert_int_eq(live_int(event, "params.seq"), seq);
		json_decref(event);
	}
	live_hang_up(&listener);
}
END_TEST

START_TEST(test_stages_of_a_worker)
{
	struct td_worker_stats *worker = &live.dp.region.workers[0];
	json_t *reply = NULL;

	worker->ticks_per_s = 1000000000;
	live_expect_error(session_ask("worker.get", "{\"worker\":1}"), -32004,
			  "there is no worker 1");
	// Costs are known a second after there was something to do.
	for (int i = 0; i < 400; i++) {
		worker->stages[TD_STAGE_FORWARD].ticks += 3500;
		worker->stages[TD_STAGE_FORWARD].units += 100;
		worker->stages[TD_STAGE_TX].ticks += 500;
		worker->stages[TD_STAGE_TX].units += 100;
		reply = session_ask("worker.get", "{\"worker\":0}");
		if (json_array_size(live_at(reply, "result.stages")) > 0)
			break;
		json_decref(reply);
		reply = NULL;
		usleep(10000);
	}
	ck_assert_ptr_nonnull(reply);
	ck_assert_uint_eq(json_array_size(live_at(reply, "result.stages")), 2);
	ck_assert_str_eq(live_text(reply, "result.stages.0.stage"), "forward");
	ck_assert_str_eq(live_text(reply, "result.stages.0.of"), "packet");
	ck_assert_double_eq_tol(json_number_value(live_at(reply, "result.stages.0.ns")), 35, 0.001);
	ck_assert_double_eq_tol(json_number_value(live_at(reply, "result.stages.0.busy_percent")),
				87.5, 0.001);
	ck_assert_str_eq(live_text(reply, "result.stages.1.stage"), "tx");
	ck_assert_int_eq(live_int(reply, "result.rx_packets"), 0);
	json_decref(reply);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "worker", "0"), 0);
	ck_assert_msg(strstr(session_out, "forward  35.00  packet        87.5 %") != NULL, "%s",
		      session_out);
}
END_TEST

START_TEST(test_workers_and_streams_are_live)
{
	struct td_stream_mirror *mirror = &live.dp.region.streams[7];
	struct td_worker_stats *worker = &live.dp.region.workers[0];
	char params[64];
	json_t *reply;

	live.dp.region.header->srtp_engine = TD_SRTP_ENGINE_OPENSSL;
	reply = session_ask("system.status", NULL);
	ck_assert_str_eq(live_text(reply, "result.dataplane.srtp_engine"), "openssl");
	json_decref(reply);
	worker->rx_packets = 5000;
	worker->drops[TD_DROP_RTP_VERSION] = 3;
	worker->heartbeat_ns = 1;
	reply = session_ask("worker.list", NULL);
	ck_assert_uint_eq(json_array_size(live_at(reply, "result.workers")), 1);
	ck_assert_int_eq(live_int(reply, "result.workers.0.rx_packets"), 5000);
	ck_assert_int_eq(live_int(reply, "result.workers.0.drops.rtp_version"), 3);
	ck_assert_uint_eq(json_object_size(live_at(reply, "result.workers.0.drops")), 1);
	json_decref(reply);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "workers"), 0);
	ck_assert_msg(strstr(session_out, "drops of worker 0\n  rtp_version  3\n") != NULL, "%s",
		      session_out);

	td_mirror_write_begin(&mirror->lock);
	mirror->id.v = td_handle_make(7, 2);
	mirror->codec = TD_CODEC_PCMA;
	mirror->stats.rx_packets = 900;
	mirror->stats.rx_expected = 1000;
	mirror->stats.rx_lost = 100;
	td_mirror_write_end(&mirror->lock);
	snprintf(params, sizeof params, "{\"id\":%u}", td_handle_make(7, 2));
	reply = session_ask("stream.get", params);
	ck_assert_str_eq(live_text(reply, "result.codec"), "PCMA");
	ck_assert_int_eq(live_int(reply, "result.received.packets"), 900);
	ck_assert_double_eq_tol(json_number_value(live_at(reply, "result.received.lost_percent")),
				10.0, 0.001);
	ck_assert(json_is_null(live_at(reply, "result.reported")));
	json_decref(reply);
	// The generation before is another stream, and a torn mirror is none.
	snprintf(params, sizeof params, "{\"id\":%u}", td_handle_make(7, 1));
	reply = session_ask("stream.get", params);
	ck_assert_int_eq(live_int(reply, "error.code"), -32004);
	json_decref(reply);
	td_mirror_write_begin(&mirror->lock);
	snprintf(params, sizeof params, "{\"id\":%u}", td_handle_make(7, 2));
	reply = session_ask("stream.get", params);
	ck_assert_int_eq(live_int(reply, "error.code"), -32004);
	json_decref(reply);
}
END_TEST

START_TEST(test_ports)
{
	struct td_port_stats *port = &live.dp.region.ports[0];
	json_t *reply;

	port->rx_missed = 12;
	port->tx_errors = 3;
	reply = session_ask("port.list", NULL);
	ck_assert_uint_eq(json_array_size(live_at(reply, "result.ports")), 1);
	ck_assert_str_eq(live_text(reply, "result.ports.0.name"), "lan");
	ck_assert_int_eq(live_int(reply, "result.ports.0.rx_missed"), 12);
	ck_assert_int_eq(live_int(reply, "result.ports.0.tx_errors"), 3);
	ck_assert(json_is_null(live_at(reply, "result.ports.0.gate")));
	json_decref(reply);
	port->shared = 1;
	port->gate_no_queue = 7;
	// A name that is not ended is the dataplane's mistake, and ends all the same.
	memset(port->name, 'x', sizeof port->name);
	reply = session_ask("port.list", NULL);
	ck_assert_uint_eq(strlen(live_text(reply, "result.ports.0.name")), sizeof port->name);
	ck_assert_int_eq(live_int(reply, "result.ports.0.gate.no_queue"), 7);
	json_decref(reply);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "ports"), 0);
	ck_assert_msg(strstr(session_out, "NO QUEUE") != NULL, "%s", session_out);
}
END_TEST

START_TEST(test_without_a_dataplane)
{
	json_t *reply;

	dp_die(&live.dp);
	// It attaches again at once: look before the model is played.
	for (int i = 0; i < 200; i++) {
		reply = session_ask("worker.list", NULL);
		if (live_at(reply, "error"))
			break;
		json_decref(reply);
	}
	live_expect_error(reply, -32006, "the dataplane is not connected");
	json_decref(ask_until("system.status", NULL, "result.dataplane.state", "up"));
}
END_TEST

static const char *ask_database(const char *sql)
{
	static char answer[256];
	char path[160];
	sqlite3_stmt *statement;
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/tandem.db", live.data);
	ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	snprintf(answer, sizeof answer, "%s",
		 sqlite3_step(statement) == SQLITE_ROW
			 ? (const char *)sqlite3_column_text(statement, 0)
			 : "nothing");
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return answer;
}

// A caller waits; everybody sees it; an operator ends it; the record says so.
START_TEST(test_a_call_from_arrival_to_record)
{
	struct live_client listener = live_login(&live);
	char id[32];
	json_t *reply;
	long seq;

	reply = live_ask(&live, &listener, "events.subscribe", NULL);
	seq = live_int(reply, "result.seq");
	json_decref(reply);
	live_call_in(&live);
	reply = ask_until("call.list", "{\"queue\":\"support\"}", "result.calls.0.state", "queued");
	ck_assert_int_eq(live_int(reply, "result.total"), 1);
	ck_assert_str_eq(live_text(reply, "result.calls.0.caller"), "+442071234567");
	ck_assert_str_eq(live_text(reply, "result.calls.0.trunk"), "carrier");
	ck_assert_int_gt(live_int(reply, "result.calls.0.caller_leg.stream"), 0);
	snprintf(id, sizeof id, "%s", live_text(reply, "result.calls.0.id"));
	json_decref(reply);
	reply = session_ask("call.list", "{\"queue\":\"sales\"}");
	ck_assert_int_eq(live_int(reply, "result.total"), 0);
	json_decref(reply);
	reply = session_ask("queue.get", "{\"name\":\"support\"}");
	ck_assert_int_eq(live_int(reply, "result.waiting"), 1);
	ck_assert_str_eq(live_text(reply, "result.line.0.call"), id);
	ck_assert_int_eq(live_int(reply, "result.line.0.position"), 1);
	json_decref(reply);

	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "call", id), 0);
	ck_assert_msg(strstr(session_out, "caller's leg") != NULL, "%s", session_out);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "hangup", id), 0);
	live_expect_sip(&live, "BYE ");
	for (bool ended = false; !ended;) {
		json_t *event = live_receive(&live, &listener);

		ck_assert_int_eq(live_int(event, "params.seq"), ++seq);
		ended = strcmp(live_text(event, "params.kind"), "call.ended") == 0;
		if (live_at(event, "params.call"))
			ck_assert_str_eq(live_text(event, "params.call.id"), id);
		if (ended)
			ck_assert_str_eq(live_text(event, "params.cause"), "operator-hangup");
		json_decref(event);
	}
	live_hang_up(&listener);
	for (int tries = 0;
	     tries < 2000 && strcmp(ask_database("SELECT count(*) FROM call"), "1") != 0; tries++)
		usleep(2000);
	ck_assert_str_eq(
		ask_database("SELECT call_id || ' ' || cause || ' ' || queue || ' ' || trunk "
			     "FROM call"),
		(snprintf(session_out, sizeof session_out, "%s operator-hangup support carrier",
			  id),
		 session_out));
	ck_assert_str_eq(ask_database("SELECT count(*) FROM leg WHERE role = 'caller'"), "1");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("live");
	TCase *tcase = tcase_create("live");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, session_open, session_close);
	tcase_add_test(tcase, test_refusals_name_code_and_reason);
	tcase_add_test(tcase, test_events_are_numbered_and_resumable);
	tcase_add_test(tcase, test_gap);
	tcase_add_test(tcase, test_workers_and_streams_are_live);
	tcase_add_test(tcase, test_stages_of_a_worker);
	tcase_add_test(tcase, test_ports);
	tcase_add_test(tcase, test_without_a_dataplane);
	tcase_add_test(tcase, test_a_call_from_arrival_to_record);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

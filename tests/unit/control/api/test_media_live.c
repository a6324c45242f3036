// The verbs about contexts, conferences and features of a running control process: what reaches the
// dataplane, what comes back, and by which name it is refused.
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session.h"

// Asks with one number put into the parameters.
static json_t *ask_about(const char *method, const char *format, unsigned long number)
{
	char params[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(params, sizeof params, format, number);
#pragma GCC diagnostic pop
	return session_ask(method, params);
}

static void expect_done(json_t *reply)
{
	ck_assert_msg(json_is_true(live_at(reply, "result.done")), "%s", json_dumps(reply, 0));
	json_decref(reply);
}

static void expect_refusal(json_t *reply, long code, const char *name, const char *message)
{
	const json_t *data = live_at(reply, "error.data.name");

	ck_assert_int_eq(live_int(reply, "error.code"), code);
	ck_assert_str_eq(live_text(reply, "error.message"), message);
	ck_assert_int_eq(data != NULL, name != NULL);
	if (name)
		ck_assert_str_eq(json_string_value(data), name);
	json_decref(reply);
}

START_TEST(test_refusals_name_their_error)
{
	static const struct {
		const char *method, *params;
		long code;
		const char *name, *message;
	} rows[] = {
		{ "call.monitor", "{\"id\":\"c9\",\"agent\":\"1001\"}", -32004, "NOT_FOUND",
		  "there is no call c9" },
		{ "call.hold", "{\"id\":\"c9\",\"party\":\"queue\"}", -32602, NULL,
		  "party: found \"queue\", expected one of: caller agent" },
		{ "call.volume", "{\"id\":\"c9\",\"party\":\"caller\",\"talk_db\":19}", -32602,
		  NULL, "talk_db: found 19, expected -60 to 18" },
		{ "call.announce", "{\"id\":\"c9\",\"prompts\":[]}", -32602, NULL,
		  "prompts: expected a list of 1 to 16 items" },
		{ "call.announce", "{\"id\":\"c9\",\"prompts\":[1]}", -32602, NULL,
		  "prompts[0]: expected a text of 1 to 63 characters" },
		{ "conference.get", "{\"name\":\"mine\"}", -32004, NULL,
		  "there is no conference mine" },
		{ "conference.mute", "{\"name\":\"mine\"}", -32004, "NOT_FOUND",
		  "there is no conference mine" },
		{ "conference.lecture", "{\"name\":\"mine\",\"lecture\":1}", -32602, NULL,
		  "lecture: expected true or false" },
		{ "conference.join", "{\"name\":\"mine\"}", -32602, NULL,
		  "give either agent or call" },
		{ "context.get", "{\"context\":77}", -32004, NULL, "there is no context 77" },
		{ "context.edit", "{\"context\":77,\"cells\":[{\"from\":\"x\",\"to\":\"floor\"}]}",
		  -32602, NULL, "cells[0]: from and to are stream:N, player:N or floor" },
		{ "context.edit",
		  "{\"context\":77,\"cells\":[{\"from\":\"stream:1\",\"to\":\"floor\"}]}", -32602,
		  NULL, "cells[0]: expected gain_db up to 18, or gain off or follow" },
		{ "context.edit",
		  "{\"context\":77,\"cells\":[{\"from\":\"stream:1\",\"to\":\"floor\",\"gain_db\":0}"
		  "]}",
		  -32004, "STALE", "the handle names something that no longer exists" },
		{ "context.play", "{\"context\":77,\"prompts\":[\"one\"]}", -32004, "STALE",
		  "the handle names something that no longer exists" },
		{ "context.play", "{\"context\":77,\"prompts\":[\"nothing\"]}", -32004, "NOT_FOUND",
		  "there is no prompt nothing" },
		{ "context.pause", "{\"player\":77}", -32004, "STALE",
		  "the handle names something that no longer exists" },
		{ "stream.tune", "{\"id\":77,\"detect\":[\"noise\"]}", -32602, NULL,
		  "detect: there is no \"noise\"" },
		{ "stream.digits", "{\"id\":77,\"digits\":\"12x\"}", -32602, NULL,
		  "digits: expected 0 to 9, * # and A to D" },
		{ "stream.digits", "{\"id\":77,\"digits\":\"12\"}", -32004, "STALE",
		  "the handle names something that no longer exists" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		expect_refusal(session_ask(rows[i].method, rows[i].params), rows[i].code,
			       rows[i].name, rows[i].message);
}
END_TEST

START_TEST(test_a_later_answer_is_no_part_of_a_batch)
{
	static const char line[] =
		"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"context.pause\",\"params\":{\"player\":7}"
		"},{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"conference.list\"}]\n";
	json_t *reply;

	live_send(&client, line, sizeof line - 1);
	reply = live_receive(&live, &client);
	ck_assert_uint_eq(json_array_size(reply), 2);
	ck_assert_str_eq(live_text(reply, "0.error.message"), "this cannot be part of a batch");
	ck_assert_int_eq(live_int(reply, "1.id"), 2);
	json_decref(reply);
}
END_TEST

// Who has gone before the answer came misses it, and nobody else gets it.
START_TEST(test_an_answer_for_nobody)
{
	static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"context.pause\","
				   "\"params\":{\"player\":7}}\n";
	struct live_client other = live_login(&live);

	live_send(&other, line, sizeof line - 1);
	live_hang_up(&other);
	usleep(20000);
	json_decref(session_ask("system.status", NULL));
	// A notification is carried out and not answered: the next line is the next request's.
	live_send(
		&client,
		"{\"jsonrpc\":\"2.0\",\"method\":\"context.pause\",\"params\":{\"player\":7}}\n",
		strlen("{\"jsonrpc\":\"2.0\",\"method\":\"context.pause\",\"params\":{\"player\":7}}\n"));
	json_decref(session_ask("conference.list", NULL));
}
END_TEST

START_TEST(test_conferences)
{
	json_t *reply = session_ask("conference.create", "{\"name\":\"mine\",\"members_max\":5}");

	ck_assert_int_eq(live_int(reply, "result.members_max"), 5);
	json_decref(reply);
	expect_refusal(session_ask("conference.create", "{\"name\":\"mine\"}"), -32005, "EXISTS",
		       "conference mine exists already");
	expect_refusal(session_ask("conference.join", "{\"name\":\"mine\",\"agent\":\"1001\"}"),
		       -32005, "STATE", "agent 1001 has no registered phone");
	expect_refusal(session_ask("conference.play", "{\"name\":\"mine\",\"prompts\":[\"one\"]}"),
		       -32005, "STATE", "nobody is in conference mine");
	reply = session_ask("conference.lecture", "{\"name\":\"mine\",\"lecture\":true}");
	ck_assert(json_is_true(live_at(reply, "result.lecture")));
	json_decref(reply);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "conference", "lock", "mine"), 0);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "conferences"), 0);
	ck_assert_msg(strstr(session_out, "CONFERENCE  PRESENT  OF  LECTURE  LOCKED  MUTED") !=
			      NULL,
		      "%s", session_out);
	ck_assert_msg(strstr(session_out, "mine              0   5  yes      yes") != NULL, "%s",
		      session_out);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "conference", "mine"), 0);
	ck_assert_msg(strstr(session_out, "nobody is there") != NULL, "%s", session_out);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "conference", "destroy", "mine"), 0);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "conferences"), 0);
	ck_assert_str_eq(session_out, "no conferences\n");
}
END_TEST

// Calls in, and waits until nothing but the music is played.
static json_t *call_in_to_music(void)
{
	live_call_in(&live);
	for (int tries = 0; tries < 2000; tries++) {
		json_t *reply = session_ask("context.list", NULL);
		const json_t *players = live_at(reply, "result.contexts.0.players");
		const char *prompt = json_string_value(live_at(players, "0.prompt"));

		if (json_array_size(players) == 1 && prompt && strcmp(prompt, "music") == 0)
			return reply;
		json_decref(reply);
		usleep(1000);
	}
	ck_abort_msg("no music");
}

START_TEST(test_a_context_as_it_is)
{
	unsigned long context, stream, player;
	json_t *reply;

	reply = call_in_to_music();
	context = (unsigned long)live_int(reply, "result.contexts.0.context");
	ck_assert_str_eq(live_text(reply, "result.contexts.0.call"), "c1");
	json_decref(reply);
	reply = ask_about("context.get", "{\"context\":%lu}", context);
	stream = (unsigned long)live_int(reply, "result.list.0.stream");
	ck_assert_str_eq(live_text(reply, "result.list.0.role"), "caller");
	ck_assert_str_eq(live_text(reply, "result.players.0.prompt"), "music");
	ck_assert_uint_eq(json_array_size(live_at(reply, "result.cells")), 1);
	json_decref(reply);

	reply = ask_about("context.play",
			  "{\"context\":%lu,\"prompts\":[\"one\",\"two\"],\"loop\":true}", context);
	player = (unsigned long)live_int(reply, "result.player");
	json_decref(reply);
	ck_assert_uint_eq(dp_find(live.dp.players, (uint32_t)player)->item_count, 2);
	expect_done(ask_about("context.pause", "{\"player\":%lu}", player));
	ck_assert(dp_find(live.dp.players, (uint32_t)player)->paused);
	expect_done(ask_about("context.resume", "{\"player\":%lu}", player));
	expect_done(ask_about("context.seek", "{\"player\":%lu,\"position_ms\":500}", player));
	ck_assert_uint_eq(dp_find(live.dp.players, (uint32_t)player)->position_ms, 500);
	expect_done(ask_about("context.splice", "{\"player\":%lu,\"prompts\":[\"one\"]}", player));
	ck_assert_uint_eq(dp_find(live.dp.players, (uint32_t)player)->spliced_count, 1);
	expect_done(ask_about("stream.tune",
			      "{\"id\":%lu,\"detect\":[\"dtmf\",\"beep\"],\"flags\":[\"convert\"]}",
			      stream));
	ck_assert_uint_eq(dp_find(live.dp.streams, (uint32_t)stream)->tune.detect,
			  TD_DETECT_DTMF | TD_DETECT_BEEP);
	ck_assert_uint_eq(dp_find(live.dp.streams, (uint32_t)stream)->tune.flags, TD_TUNE_CONVERT);
	expect_done(ask_about("stream.digits", "{\"id\":%lu,\"digits\":\"12#\",\"how\":\"tone\"}",
			      stream));
	ck_assert_str_eq(dp_find(live.dp.streams, (uint32_t)stream)->digits.digits, "12#");
	expect_done(ask_about("context.stop", "{\"player\":%lu}", player));
	ck_assert_ptr_null(dp_find(live.dp.players, (uint32_t)player));
}
END_TEST

static int32_t gain(uint32_t from_kind, unsigned long from, unsigned long to)
{
	return dp_gain(&live.dp, (struct td_member){ from_kind, (uint32_t)from }, (uint32_t)to);
}

START_TEST(test_edits_and_features_of_a_call)
{
	char context[16], to[32], from[32];
	unsigned long stream, player;
	json_t *reply;

	reply = call_in_to_music();
	snprintf(context, sizeof context, "%ld", live_int(reply, "result.contexts.0.context"));
	player = (unsigned long)live_int(reply, "result.contexts.0.players.0.player");
	json_decref(reply);
	reply = session_ask("call.get", "{\"id\":\"c1\"}");
	stream = (unsigned long)live_int(reply, "result.caller_leg.stream");
	json_decref(reply);
	snprintf(from, sizeof from, "player:%lu", player);
	snprintf(to, sizeof to, "stream:%lu", stream);
	ck_assert_int_eq(gain(TD_MEMBER_PLAYER, player, stream), TD_GAIN_UNITY);
	ck_assert_msg(SESSION_CTL(SESSION_TOKEN, "edit", context, from, to, "-6") == 0, "%s",
		      session_out);
	ck_assert_str_eq(session_out, "done\n");
	ck_assert_int_eq(gain(TD_MEMBER_PLAYER, player, stream), 2053);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "edit", context, from, to, "off"), 0);
	ck_assert_int_eq(gain(TD_MEMBER_PLAYER, player, stream), 0);
	// The player is the call's own.
	expect_refusal(ask_about("context.stop", "{\"player\":%lu}", player), -32005, "BUSY",
		       "this player belongs to a call or a conference");
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "announce", "c1", "caller", "one", "two"), 0);
	live_pump(&live);
	ck_assert_uint_eq(dp_find(live.dp.players, (uint32_t)player)->spliced_count, 2);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "volume", "c1", "caller", "-6", "3"), 0);
	ck_assert_msg(strstr(session_out, "caller") != NULL, "%s", session_out);
	expect_refusal(session_ask("call.hold", "{\"id\":\"c1\"}"), -32005, "STATE",
		       "call c1 is queued, not talking");
	expect_refusal(session_ask("conference.create", "{\"name\":\"x\",\"music\":\"nothing\"}"),
		       -32004, "NOT_FOUND", "there is no prompt nothing");
}
END_TEST

START_TEST(test_digits_tones_and_player_ends_are_events)
{
	struct live_client listener = live_login(&live);
	json_t *reply, *event;
	unsigned long stream;

	live_call_in(&live);
	reply = session_ask("call.get", "{\"id\":\"c1\"}");
	stream = (unsigned long)live_int(reply, "result.caller_leg.stream");
	json_decref(reply);
	json_decref(live_ask(&live, &listener, "events.subscribe", NULL));
	dp_digit(&live.dp, (uint32_t)stream, '5');
	event = live_receive(&live, &listener);
	ck_assert_str_eq(live_text(event, "params.kind"), "stream.digit");
	ck_assert_str_eq(live_text(event, "params.media.digit"), "5");
	ck_assert_str_eq(live_text(event, "params.media.call"), "c1");
	json_decref(event);
	dp_tone(&live.dp, (uint32_t)stream, TD_TONE_BUSY);
	event = live_receive(&live, &listener);
	ck_assert_str_eq(live_text(event, "params.kind"), "stream.tone");
	ck_assert_str_eq(live_text(event, "params.media.what"), "busy");
	json_decref(event);
	live_hang_up(&listener);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("media verbs");
	TCase *tcase = tcase_create("live");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, session_open, session_close);
	tcase_add_test(tcase, test_refusals_name_their_error);
	tcase_add_test(tcase, test_a_later_answer_is_no_part_of_a_batch);
	tcase_add_test(tcase, test_an_answer_for_nobody);
	tcase_add_test(tcase, test_conferences);
	tcase_add_test(tcase, test_a_context_as_it_is);
	tcase_add_test(tcase, test_edits_and_features_of_a_call);
	tcase_add_test(tcase, test_digits_tones_and_player_ends_are_events);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

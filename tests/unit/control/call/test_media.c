// What callers get when the dataplane refuses, is slow, or dies.
#include <check.h>
#include <string.h>

#include "refusal.h"
#include "td_log.h"
#include "world.h"

static struct world w;

static void setup(void)
{
	link_deadline_ms = 40;
	world_open(&w);
	world_register(&w);
}

static void teardown(void)
{
	world_assert_empty(&w);
	world_close(&w);
}

START_TEST(no_dataplane_is_503)
{
	dp_die(&w.dp);
	for (int i = 0; i < 3; i++)
		uv_run(&w.loop, UV_RUN_NOWAIT);
	ck_assert(!td_link_is_up(w.link));
	phone_call(&w.caller, "100");
	while (phone_step(&w.caller))
		;
	ck_assert_uint_eq(w.caller.status, 503);
	phone_assert_retry_after(&w.caller);
	world_wait_for_link(&w);
	phone_reset(&w.caller);
	phone_call(&w.caller, "100");
	world_settle(&w);
	ck_assert_int_eq(w.caller.state, PHONE_UP);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(dataplane_dies_under_a_conversation)
{
	phone_call(&w.caller, "100");
	world_settle(&w);
	dp_player_end(&w.dp);
	world_settle(&w);
	ck_assert_int_eq(world_call(&w).state, TD_CALL_TALKING);
	dp_die(&w.dp);
	world_wait_for_link(&w);
	world_settle(&w);
	ck_assert_uint_eq(w.caller.byes, 1);
	ck_assert_uint_eq(w.agent.byes, 1);
	ck_assert_str_eq(w.last_cause, "dataplane-down");
	ck_assert_uint_eq(world_call_count(&w), 0);
}
END_TEST

static const enum td_command_kind caller_needs[] = {
	TD_COMMAND_CONTEXT_CREATE,
	TD_COMMAND_STREAM_CREATE,
	TD_COMMAND_STREAM_SET_REMOTE,
};

// Each of the three, and each once more with the refusal ahead of what the worker answers. Those
// behind it fail with it: that is one failure, and nothing is left of those before it.
START_TEST(what_the_caller_needs_fails)
{
	struct td_calls_stats stats;

	w.dp.lags = _i >= 3;
	w.dp.fail[caller_needs[_i % 3]] = -TD_ENO_PORT;
	phone_call(&w.caller, "100");
	world_settle(&w);
	dp_catch_up(&w.dp);
	world_assert_refused(&w, 503);
	phone_assert_retry_after(&w.caller);
	ck_assert_str_eq(w.last_cause, "media-failure");
	td_calls_get_stats(w.calls, &stats);
	ck_assert_uint_eq(stats.media_failures, 1);
	ck_assert_uint_eq(dp_live(w.dp.contexts), 0);
	ck_assert_uint_eq(dp_live(w.dp.streams), 0);
}
END_TEST

// A round trip each would be the larger part of what a caller waits for its 200.
START_TEST(what_the_caller_needs_is_one_exchange)
{
	w.dp_manual = true;
	phone_call(&w.caller, "100");
	world_settle(&w);
	ck_assert_uint_eq(w.dp.pending_count, 3);
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(w.dp.pending[w.dp.pending_head].kind, caller_needs[i]);
		ck_assert_int_ne(w.caller.status, 200); // not before the last of them
		ck_assert(dp_answer(&w.dp));
		world_settle(&w);
	}
	ck_assert_uint_eq(w.caller.status, 200);
	w.dp_manual = false;
	world_settle(&w);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(prompts_are_not_needed)
{
	struct td_call_info info;
	enum td_member_kind kind;

	w.dp.fail[TD_COMMAND_PLAYER_CREATE] = -TD_EFULL;
	phone_call(&w.caller, "100");
	world_settle(&w);
	// No greeting: on to the queue, and to the agent.
	info = world_call(&w);
	ck_assert_int_eq(info.state, TD_CALL_TALKING);
	ck_assert_uint_ne(dp_heard_by(&w.dp, info.caller_leg.stream.v, &kind), 0);
	ck_assert_int_eq(kind, TD_MEMBER_STREAM);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(recording_is_not_needed)
{
	w.dp.fail[TD_COMMAND_RECORD_START] = -TD_EIO;
	phone_call(&w.caller, "100");
	world_settle(&w);
	dp_player_end(&w.dp);
	world_settle(&w);
	ck_assert_int_eq(world_call(&w).state, TD_CALL_TALKING);
	ck_assert_uint_eq(world_call(&w).recording.file[0], 0);
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_str_eq(w.last_cause, "caller-hangup");
}
END_TEST

START_TEST(the_agents_stream_fails)
{
	phone_call(&w.caller, "100");
	world_settle(&w);
	w.dp.fail[TD_COMMAND_STREAM_CREATE] = -TD_ENO_PORT;
	dp_player_end(&w.dp);
	world_settle(&w);
	// Our own trouble: the call ends, and the agent is not blamed for it.
	ck_assert_uint_eq(w.caller.byes, 1);
	ck_assert_str_eq(w.last_cause, "media-failure");
	ck_assert_int_eq(world_agent_state(&w, 0), TD_ACD_AVAILABLE);
}
END_TEST

START_TEST(the_bridge_fails)
{
	phone_call(&w.caller, "100");
	world_settle(&w);
	w.agent.mode = PHONE_RINGS;
	dp_player_end(&w.dp);
	world_settle(&w);
	w.dp.fail[TD_COMMAND_MATRIX_EDIT] = -TD_ENEEDS_MIX;
	phone_answer(&w.agent);
	world_settle(&w);
	ck_assert_uint_eq(w.caller.byes, 1);
	ck_assert_uint_eq(w.agent.byes, 1);
	ck_assert_str_eq(w.last_cause, "media-failure");
}
END_TEST

// Mute from the start, from the greeting, from the conversation on.
START_TEST(commands_time_out)
{
	if (_i > 0) {
		phone_call(&w.caller, "100");
		world_settle(&w);
	}
	if (_i > 1) {
		dp_player_end(&w.dp);
		world_settle(&w);
	}
	w.dp.mute = true;
	if (_i == 0)
		phone_call(&w.caller, "100");
	else
		phone_hangup(&w.caller);
	// Every command has its deadline and its tries; the recorder's report its guard.
	for (int i = 0; i < 60 && world_call_count(&w) > 0; i++) {
		world_sleep(&w, 100);
		world_advance(&w, 1000);
	}
	if (_i == 0)
		ck_assert_uint_eq(w.caller.status, 503);
	ck_assert_uint_eq(world_call_count(&w), 0);
	// What could not be destroyed is gone with the dataplane's next start.
	dp_die(&w.dp);
	w.dp.mute = false;
	world_wait_for_link(&w);
	w.dp.swept = 0;
}
END_TEST

START_TEST(a_recorder_that_never_closes_is_not_waited_for)
{
	phone_call(&w.caller, "100");
	world_settle(&w);
	dp_player_end(&w.dp);
	world_settle(&w);
	w.dp.keep_open = true;
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_uint_eq(world_call_count(&w), 1);
	ck_assert_uint_eq(dp_live(w.dp.contexts), 0);
	world_advance(&w, 7000);
	ck_assert_uint_eq(world_call_count(&w), 1);
	world_advance(&w, 1500);
	ck_assert_uint_eq(world_call_count(&w), 0);
	// Its report comes too late and is about nobody.
	dp_record_closed(&w.dp);
	world_settle(&w);
}
END_TEST

START_TEST(a_full_link_is_tried_again)
{
	world_close(&w);
	world_requests_max = 1;
	world_open(&w);
	world_requests_max = 0;
	// Three calls want a command each, and only one can be under way.
	w.dp_manual = true;
	phone_call(&w.caller, "200");
	phone_call(&w.caller2, "200");
	phone_call(&w.caller, "200");
	world_turn(&w);
	ck_assert_uint_eq(w.dp.pending_count, 1);
	w.dp_manual = false;
	for (int i = 0; i < 50; i++)
		world_advance(&w, 20);
	ck_assert_int_eq(w.caller.state, PHONE_UP);
	ck_assert_int_eq(w.caller2.state, PHONE_UP);
	ck_assert_uint_eq(world_call_count(&w), 3);
	td_calls_shutdown(w.calls);
	for (int i = 0; i < 100; i++)
		world_advance(&w, 20);
	ck_assert_uint_eq(world_call_count(&w), 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("media");
	Suite *suite = suite_create("call media trouble");
	SRunner *runner = srunner_create(suite);
	int failed;

	td_log_set_level(TD_LOG_ERROR);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, no_dataplane_is_503);
	tcase_add_test(tc, dataplane_dies_under_a_conversation);
	tcase_add_loop_test(tc, what_the_caller_needs_fails, 0, 6);
	tcase_add_test(tc, what_the_caller_needs_is_one_exchange);
	tcase_add_test(tc, prompts_are_not_needed);
	tcase_add_test(tc, recording_is_not_needed);
	tcase_add_test(tc, the_agents_stream_fails);
	tcase_add_test(tc, the_bridge_fails);
	tcase_add_loop_test(tc, commands_time_out, 0, 3);
	tcase_add_test(tc, a_recorder_that_never_closes_is_not_waited_for);
	tcase_add_test(tc, a_full_link_is_tried_again);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

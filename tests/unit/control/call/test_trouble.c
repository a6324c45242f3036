// What callers get when something is unknown, full or gone.
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

START_TEST(unknown_number_is_404)
{
	phone_call(&w.caller, "999");
	world_assert_refused(&w, 404);
	ck_assert_uint_eq(w.dp.seen[TD_COMMAND_CONTEXT_CREATE], 0);
}
END_TEST

START_TEST(unknown_source_is_403)
{
	phone_call(&w.stranger, "100");
	world_settle(&w);
	ck_assert_uint_eq(w.stranger.status, 403);
	// A registered agent's phone is no trunk either.
	phone_call(&w.agent, "100");
	world_settle(&w);
	ck_assert_uint_eq(w.agent.status, 403);
	ck_assert_uint_eq(world_call_count(&w), 0);
	phone_reset(&w.agent);
}
END_TEST

START_TEST(no_common_codec_is_488)
{
	w.caller.codecs = "9 18";
	phone_call(&w.caller, "100");
	world_assert_refused(&w, 488);
	ck_assert_uint_eq(w.dp.seen[TD_COMMAND_CONTEXT_CREATE], 0);
}
END_TEST

START_TEST(nonsense_for_a_description_is_400)
{
	w.caller.codecs = "0\r\nnonsense";
	phone_call(&w.caller, "100");
	world_assert_refused(&w, 400);
}
END_TEST

START_TEST(full_pool_is_503_for_8_seconds_at_most)
{
	// Eight calls are all the config allows.
	for (int i = 0; i < 8; i++) {
		phone_reset(&w.caller);
		phone_call(&w.caller, "200");
		world_settle(&w);
		ck_assert_int_eq(w.caller.state, PHONE_UP);
	}
	phone_call(&w.caller2, "200");
	world_settle(&w);
	ck_assert_uint_eq(w.caller2.status, 503);
	phone_assert_retry_after(&w.caller2);
	// BYE is never refused, and makes room.
	phone_hangup(&w.caller);
	world_settle(&w);
	phone_reset(&w.caller2);
	phone_call(&w.caller2, "200");
	world_settle(&w);
	ck_assert_int_eq(w.caller2.state, PHONE_UP);
	phone_hangup(&w.caller2);
	td_calls_shutdown(w.calls);
}
END_TEST

static void short_queue(struct td_config *config)
{
	config->queues[1].length_max = 1;
}

START_TEST(full_queue_is_486)
{
	world_close(&w);
	world_open_with(&w, short_queue);
	phone_call(&w.caller, "200");
	world_settle(&w);
	ck_assert_int_eq(world_call(&w).state, TD_CALL_QUEUED);
	phone_call(&w.caller2, "200");
	world_settle(&w);
	ck_assert_uint_eq(w.caller2.status, 486);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(queue_that_fills_during_the_greeting_says_goodbye)
{
	world_close(&w);
	world_open_with(&w, short_queue);
	w.config.queues[0].length_max =
		1; // settings are taken when the ACD is filled: only `plain`
	w.dp_manual = true;
	phone_call(&w.caller, "200");
	phone_call(&w.caller2, "200");
	w.dp_manual = false;
	world_settle(&w);
	// Both were let in while nobody waited; one of them finds the place taken.
	ck_assert_uint_eq(w.caller.byes + w.caller2.byes, 1);
	ck_assert_str_eq(w.last_cause, "queue-full");
	td_calls_shutdown(w.calls);
}
END_TEST

START_TEST(an_agent_whose_phone_has_gone_is_passed_over)
{
	w.agent.mode = PHONE_ANSWERS;
	phone_register(&w.agent, 0);
	world_settle(&w);
	phone_reset(&w.agent);
	phone_call(&w.caller, "100");
	world_settle(&w);
	dp_player_end(&w.dp);
	world_settle(&w);
	ck_assert_str_eq(world_call(&w).agent, "1002");
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(nobody_registered_means_waiting_until_somebody_is)
{
	phone_register(&w.agent, 0);
	phone_register(&w.agent2, 0);
	world_settle(&w);
	phone_call(&w.caller, "100");
	world_settle(&w);
	dp_player_end(&w.dp);
	world_settle(&w);
	ck_assert_int_eq(world_call(&w).state, TD_CALL_QUEUED);
	phone_reset(&w.agent2);
	phone_register(&w.agent2, 3600);
	phone_reset(&w.agent);
	world_settle(&w);
	ck_assert_int_eq(world_call(&w).state, TD_CALL_TALKING);
	ck_assert_str_eq(world_call(&w).agent, "1002");
	phone_hangup(&w.caller);
}
END_TEST

static void with_many_calls(struct td_config *config)
{
	config->sip.calls_max = 400;
	config->queues[1].length_max = 400;
}

// Hundreds of timers in one turn, as after a process that was stopped for half a minute.
START_TEST(a_stall_ends_everything_at_once)
{
	world_close(&w);
	world_open_with(&w, with_many_calls);
	for (int i = 0; i < 400; i++) {
		w.caller.mode = PHONE_DEAF; // nobody acknowledges anything
		phone_call(&w.caller, "200");
		world_settle(&w);
	}
	ck_assert_uint_eq(world_call_count(&w), 400);
	w.now_ms += 33000;
	td_calls_advance(w.calls);
	world_settle(&w);
	ck_assert_uint_eq(world_call_count(&w), 0);
	ck_assert_str_eq(w.last_cause, "no-ack");
}
END_TEST

static void with_pings(struct td_config *config)
{
	config->sip.options_ping_s = 10;
}

static enum td_trunk_state trunk_state(void)
{
	struct td_trunk_info info;

	ck_assert_int_eq(td_calls_trunk_at(w.calls, 0, &info), 0);
	return info.state;
}

START_TEST(trunks_are_pinged)
{
	world_close(&w);
	world_open_with(&w, with_pings);
	ck_assert_int_eq(trunk_state(), TD_TRUNK_UNKNOWN);
	world_advance(&w, 1);
	ck_assert_uint_eq(w.caller.options, 1);
	ck_assert_int_eq(trunk_state(), TD_TRUNK_UP);
	world_advance(&w, 10000);
	ck_assert_uint_eq(w.caller.options, 2);
	w.caller.mode = PHONE_DEAF;
	world_advance(&w, 10000);
	ck_assert_int_eq(trunk_state(), TD_TRUNK_UP);
	world_advance(&w, 33000); // timer F
	ck_assert_int_eq(trunk_state(), TD_TRUNK_DOWN);
	w.caller.mode = PHONE_ANSWERS;
	world_advance(&w, 10000);
	ck_assert_int_eq(trunk_state(), TD_TRUNK_UP);
	ck_assert_uint_eq(w.notices[TD_NOTICE_TRUNK_STATE], 3);
	td_calls_shutdown(w.calls); // no more pings: nothing is left then
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("trouble");
	Suite *suite = suite_create("call trouble");
	SRunner *runner = srunner_create(suite);
	int failed;

	td_log_set_level(TD_LOG_ERROR);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, unknown_number_is_404);
	tcase_add_test(tc, unknown_source_is_403);
	tcase_add_test(tc, no_common_codec_is_488);
	tcase_add_test(tc, nonsense_for_a_description_is_400);
	tcase_add_test(tc, full_pool_is_503_for_8_seconds_at_most);
	tcase_add_test(tc, full_queue_is_486);
	tcase_add_test(tc, queue_that_fills_during_the_greeting_says_goodbye);
	tcase_add_test(tc, an_agent_whose_phone_has_gone_is_passed_over);
	tcase_add_test(tc, nobody_registered_means_waiting_until_somebody_is);
	tcase_add_test(tc, a_stall_ends_everything_at_once);
	tcase_add_test(tc, trunks_are_pinged);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

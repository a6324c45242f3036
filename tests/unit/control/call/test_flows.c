// Whole calls, one scenario a test: what the parties see, who hears whom, what is left.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "story.h"

static struct world w;

static void setup(void)
{
	world_open(&w);
	world_register(&w);
}

static void teardown(void)
{
	world_assert_empty(&w);
	world_close(&w);
}

START_TEST(greeting_queue_agent_hangup)
{
	struct td_call_info info;

	phone_call(&w.caller, "100");
	world_settle(&w);
	ck_assert_int_eq(w.caller.state, PHONE_UP);
	ck_assert_ptr_nonnull(strstr(w.caller.last_body, "m=audio 2"));
	info = world_call(&w);
	ck_assert_int_eq(info.state, TD_CALL_GREETING);
	ck_assert_str_eq(info.caller, "49301234");
	ck_assert_str_eq(info.called, "100");
	ck_assert_str_eq(info.queue, "sales");
	ck_assert_str_eq(info.trunk, "carrier");
	story_assert_player(&w, info.caller_leg.stream.v, false);
	w.agent.mode = w.agent2.mode = PHONE_RINGS;
	ck_assert(dp_player_end(&w.dp));
	world_settle(&w);
	info = world_call(&w);
	ck_assert_int_eq(info.state, TD_CALL_OFFERING);
	ck_assert_str_eq(info.agent, "1001");
	ck_assert_str_eq(info.agent_leg.state, "ringing");
	// The agent sees who calls, through one more hop.
	ck_assert_ptr_nonnull(strstr(w.agent.invite, "\"Test\" <sip:49301234@10.77.0.1:5060>"));
	ck_assert_ptr_nonnull(strstr(w.agent.invite, "Max-Forwards: 69"));
	// Music while it rings, and the offer names the caller's codec first.
	story_assert_player(&w, info.caller_leg.stream.v, true);
	ck_assert_ptr_nonnull(strstr(w.agent.last_body, "RTP/AVP 0 8 101"));
	world_advance(&w, 5000);
	phone_answer(&w.agent);
	world_settle(&w);
	ck_assert_int_eq(w.agent.state, PHONE_UP);
	info = world_call(&w);
	ck_assert_int_eq(info.state, TD_CALL_TALKING);
	ck_assert_uint_ge(info.wait_ms, 5000);
	ck_assert_uint_ne(info.recording.file[0], 0);
	story_assert_bridged(&w);
	ck_assert_uint_eq(dp_live(w.dp.taps), 1);
	ck_assert_int_eq(world_agent_state(&w, 0), TD_ACD_TALKING);
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_uint_eq(w.caller.status, 200);
	ck_assert_uint_eq(w.agent.byes, 1);
	ck_assert_ptr_nonnull(strstr(w.agent.reason, "cause=16"));
	ck_assert_str_eq(w.last_cause, "caller-hangup");
	ck_assert_uint_eq(world_call_count(&w), 0);
	ck_assert_int_eq(world_agent_state(&w, 0), TD_ACD_AVAILABLE);
}
END_TEST

START_TEST(agent_hangs_up)
{
	story_talk(&w);
	phone_hangup(story_agent(&w));
	world_settle(&w);
	ck_assert_uint_eq(w.caller.byes, 1);
	ck_assert_str_eq(w.last_cause, "agent-hangup");
}
END_TEST

START_TEST(queue_without_greeting_goes_straight_to_music)
{
	struct td_call_info info;

	phone_call(&w.caller, "200"); // nobody serves this queue
	world_settle(&w);
	info = world_call(&w);
	ck_assert_int_eq(info.state, TD_CALL_QUEUED);
	story_assert_player(&w, info.caller_leg.stream.v, true);
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_str_eq(w.last_cause, "caller-abandoned");
}
END_TEST

START_TEST(lost_greeting_end_is_made_up_for)
{
	phone_call(&w.caller, "100");
	world_settle(&w);
	world_advance(&w, DP_GREETING_MS + 4000);
	ck_assert_int_eq(world_call(&w).state, TD_CALL_GREETING);
	world_advance(&w, 2000);
	ck_assert_int_eq(world_call(&w).state, TD_CALL_TALKING);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(late_offer_is_negotiated_in_the_ack)
{
	w.caller.no_offer = true;
	w.caller.codecs = "8 101";
	phone_call(&w.caller, "100");
	world_settle(&w);
	ck_assert_int_eq(w.caller.state, PHONE_UP);
	ck_assert_ptr_nonnull(strstr(w.caller.last_body, "RTP/AVP 0 8 101"));
	ck_assert_int_eq(world_call(&w).caller_leg.codec, TD_CODEC_PCMA);
	dp_player_end(&w.dp);
	world_settle(&w);
	ck_assert_ptr_nonnull(strstr(w.agent.last_body, "RTP/AVP 8 0 101"));
	story_assert_bridged(&w);
	w.caller.no_offer = false;
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(late_offer_with_a_useless_ack_is_ended)
{
	w.caller.no_offer = true;
	w.caller.codecs = "9";
	phone_call(&w.caller, "100");
	world_settle(&w);
	ck_assert_uint_eq(w.caller.byes, 1);
	ck_assert_str_eq(w.last_cause, "no-codec");
}
END_TEST

START_TEST(caller_over_ipv6_agent_over_ipv4)
{
	struct td_call_info info;

	world_close(&w);
	world_dual_stack = true;
	world_open(&w);
	world_dual_stack = false;
	world_register(&w);
	phone_call(&w.caller6, "100");
	world_settle(&w);
	ck_assert_int_eq(w.caller6.state, PHONE_UP);
	ck_assert_ptr_nonnull(strstr(w.caller6.last_body, "c=IN IP6 fd77::2"));
	ck_assert_ptr_nonnull(strstr(w.caller6.target, "[fd77::1]:5060"));
	dp_player_end(&w.dp);
	world_settle(&w);
	info = world_call(&w);
	ck_assert_int_eq(info.state, TD_CALL_TALKING);
	ck_assert_int_eq(info.caller_leg.local.family, TD_FAMILY_IPV6);
	ck_assert_int_eq(info.agent_leg.local.family, TD_FAMILY_IPV4);
	ck_assert_ptr_nonnull(strstr(w.agent.last_body, "c=IN IP4 10.77.0.2"));
	story_assert_bridged(&w);
	phone_hangup(&w.caller6);
	world_settle(&w);
	ck_assert_uint_eq(w.agent.byes, 1);
}
END_TEST

static const struct {
	enum phone_mode mode;
	enum td_acd_reason reason;
} refusal_rows[] = {
	{ PHONE_BUSY, TD_ACD_REASON_BUSY },
	{ PHONE_DECLINES, TD_ACD_REASON_REFUSED },
	{ PHONE_BAD_SDP, TD_ACD_REASON_REFUSED },
};

START_TEST(refusal_goes_to_the_next_agent)
{
	struct td_acd_agent_info info;

	w.agent.mode = refusal_rows[_i].mode;
	story_talk(&w);
	ck_assert_int_eq(w.agent2.state, PHONE_UP);
	ck_assert_str_eq(world_call(&w).agent, "1002");
	ck_assert_uint_eq(world_call(&w).offer_count, 2);
	ck_assert_int_eq(td_acd_agent_get(w.acd, 0, &info), 0);
	ck_assert_int_eq(info.state, TD_ACD_PAUSED);
	ck_assert_int_eq(info.reason, refusal_rows[_i].reason);
	story_assert_bridged(&w);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(no_answer_goes_to_the_next_agent)
{
	struct td_acd_agent_info info;

	w.agent.mode = PHONE_RINGS;
	phone_call(&w.caller, "100");
	world_settle(&w);
	dp_player_end(&w.dp);
	world_settle(&w);
	ck_assert_int_eq(w.agent.state, PHONE_ALERTING);
	world_advance(&w, 14999);
	ck_assert_int_eq(w.agent.state, PHONE_ALERTING);
	world_advance(&w, 1);
	ck_assert_uint_eq(w.agent.cancels, 1);
	ck_assert_int_eq(w.agent2.state, PHONE_UP);
	ck_assert_int_eq(td_acd_agent_get(w.acd, 0, &info), 0);
	ck_assert_int_eq(info.reason, TD_ACD_REASON_NO_ANSWER);
	story_assert_bridged(&w);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(silent_phone_is_unreachable)
{
	w.agent.mode = w.agent2.mode = PHONE_SILENT;
	phone_call(&w.caller, "100");
	world_settle(&w);
	dp_player_end(&w.dp);
	world_advance(&w, 31000);
	ck_assert_uint_gt(w.agent.invites, 3); // timer A
	ck_assert_int_eq(world_call(&w).state, TD_CALL_QUEUED);
	// CANCEL may not be sent before a provisional response.
	ck_assert_uint_eq(w.agent.cancels, 0);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(wait_max_ends_the_call)
{
	phone_call(&w.caller, "200");
	world_settle(&w);
	world_advance(&w, 119000);
	ck_assert_int_eq(world_call(&w).state, TD_CALL_QUEUED);
	world_advance(&w, 2000);
	ck_assert_uint_eq(w.caller.byes, 1);
	ck_assert_str_eq(w.last_cause, "queue-timeout");
	ck_assert_ptr_nonnull(strstr(w.caller.reason, "queue-timeout"));
}
END_TEST

START_TEST(operator_hangs_up)
{
	struct td_call_info info;

	story_talk(&w);
	info = world_call(&w);
	ck_assert_int_eq(td_calls_hangup(w.calls, "c999", TD_CAUSE_OPERATOR), -TD_ENOT_FOUND);
	ck_assert_int_eq(td_calls_hangup(w.calls, info.id, TD_CAUSE_OPERATOR), 0);
	ck_assert_int_eq(td_calls_hangup(w.calls, info.id, TD_CAUSE_OPERATOR), -TD_ESTATE);
	world_settle(&w);
	ck_assert_uint_eq(w.caller.byes, 1);
	ck_assert_uint_eq(story_agent(&w)->byes + w.agent.byes, 1);
	ck_assert_str_eq(w.last_cause, "operator-hangup");
}
END_TEST

START_TEST(caller_never_acknowledges)
{
	w.caller.holds_ack = true;
	phone_call(&w.caller, "100");
	world_settle(&w);
	world_advance(&w, 31000);
	ck_assert_uint_gt(w.caller.answers_seen, 5);
	ck_assert_uint_eq(w.caller.byes, 0);
	world_advance(&w, 3000);
	ck_assert_uint_eq(w.caller.byes, 1);
	ck_assert_str_eq(w.last_cause, "no-ack");
}
END_TEST

START_TEST(a_bye_that_is_never_answered_ends_too)
{
	struct phone *agent;

	story_talk(&w);
	agent = story_agent(&w);
	agent->mode = PHONE_DEAF;
	phone_hangup(&w.caller);
	world_settle(&w);
	// The call is over at once; the deaf phone's leg ends with timer F.
	ck_assert_uint_eq(world_call_count(&w), 0);
	ck_assert_uint_eq(w.calls->leg_slots.used, 1);
	world_advance(&w, 33000);
	ck_assert_uint_eq(w.calls->leg_slots.used, 0);
}
END_TEST

START_TEST(both_hang_up_at_once)
{
	struct phone *agent;

	story_talk(&w);
	agent = story_agent(&w);
	// Neither reads its inbox before it has sent its own BYE.
	phone_hangup(&w.caller);
	phone_hangup(agent);
	world_settle(&w);
	ck_assert_uint_eq(world_call_count(&w), 0);
}
END_TEST

START_TEST(late_bye_gets_481)
{
	phone_stray_bye(&w.caller);
	world_settle(&w);
	ck_assert_uint_eq(w.caller.status, 481);
}
END_TEST

START_TEST(options_are_answered)
{
	phone_options(&w.caller);
	world_settle(&w);
	ck_assert_uint_eq(w.caller.status, 200);
}
END_TEST

START_TEST(shutdown_says_goodbye)
{
	story_talk(&w);
	phone_call(&w.caller2, "200");
	world_settle(&w);
	td_calls_shutdown(w.calls);
	world_settle(&w);
	ck_assert_uint_eq(w.caller.byes, 1);
	ck_assert_uint_eq(w.caller2.byes, 1);
	ck_assert_str_eq(w.last_cause, "system-shutdown");
	ck_assert(td_calls_idle(w.calls));
	phone_reset(&w.caller);
	phone_call(&w.caller, "100");
	world_settle(&w);
	ck_assert_uint_eq(w.caller.status, 503);
	ck_assert_int_ge(atoi(w.caller.retry_after), 1);
	ck_assert_int_le(atoi(w.caller.retry_after), 8);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("flows");
	Suite *suite = suite_create("call flows");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, greeting_queue_agent_hangup);
	tcase_add_test(tc, agent_hangs_up);
	tcase_add_test(tc, queue_without_greeting_goes_straight_to_music);
	tcase_add_test(tc, lost_greeting_end_is_made_up_for);
	tcase_add_test(tc, late_offer_is_negotiated_in_the_ack);
	tcase_add_test(tc, late_offer_with_a_useless_ack_is_ended);
	tcase_add_test(tc, caller_over_ipv6_agent_over_ipv4);
	tcase_add_loop_test(tc, refusal_goes_to_the_next_agent, 0,
			    sizeof refusal_rows / sizeof refusal_rows[0]);
	tcase_add_test(tc, no_answer_goes_to_the_next_agent);
	tcase_add_test(tc, silent_phone_is_unreachable);
	tcase_add_test(tc, wait_max_ends_the_call);
	tcase_add_test(tc, operator_hangs_up);
	tcase_add_test(tc, caller_never_acknowledges);
	tcase_add_test(tc, a_bye_that_is_never_answered_ends_too);
	tcase_add_test(tc, both_hang_up_at_once);
	tcase_add_test(tc, late_bye_gets_481);
	tcase_add_test(tc, options_are_answered);
	tcase_add_test(tc, shutdown_says_goodbye);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// Offers that come to nothing, late answers, and waits that end.
#include <check.h>
#include <stdlib.h>

#include "story.h"

START_TEST(no_answer_pauses_the_agent_and_keeps_the_place)
{
	bring_in(0);
	enqueue(1, 0, now_ms);
	enqueue(2, 0, now_ms + 1);
	ck_assert_uint_eq(td_acd_next_ms(acd), now_ms + OFFER_MS);
	timer_at(now_ms + OFFER_MS);
	ck_assert(did(TD_ACD_WITHDRAW));
	ck_assert_uint_eq(action_of(TD_ACD_WITHDRAW)->epoch, epoch);
	ck_state(0, TD_ACD_PAUSED, TD_ACD_REASON_NO_ANSWER);
	ck_position(1, 1);
	ck_position(2, 2);
	bring_in(1);
	ck_offer(1, 1);
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_AVAILABLE, 0), 0);
	ck_offer(2, 0);
}
END_TEST

START_TEST(no_answer_goes_to_the_next_at_once)
{
	bring_in(0);
	bring_in(1);
	enqueue(1, 0, now_ms);
	ck_offer(1, 0);
	timer_at(now_ms + OFFER_MS);
	ck_offer(1, 1);
}
END_TEST

START_TEST(a_failed_offer_says_why)
{
	static const enum td_acd_reason reasons[] = { TD_ACD_REASON_NO_ANSWER, TD_ACD_REASON_BUSY,
						      TD_ACD_REASON_REFUSED,
						      TD_ACD_REASON_UNREACHABLE };

	bring_in(0);
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
		struct td_acd_agent_info info;

		agent_event(TD_ACD_AGENT_AVAILABLE, 0);
		if (i == 0)
			enqueue(1, 0, now_ms);
		ck_offer(1, 0);
		ck_assert_int_eq(offer_event(TD_ACD_OFFER_FAILED, 1, 0, epoch, TD_ACD_REASON_COUNT),
				 -TD_EINVALID);
		ck_assert_int_eq(offer_event(TD_ACD_OFFER_FAILED, 1, 0, epoch, reasons[i]), 0);
		ck_assert(!did(TD_ACD_WITHDRAW));
		ck_state(0, TD_ACD_PAUSED, reasons[i]);
		ck_assert_int_eq(td_acd_agent_get(acd, 0, &info), 0);
		ck_assert_uint_eq(info.failed, i + 1);
		ck_position(1, 1);
	}
}
END_TEST

START_TEST(a_late_answer_is_stale)
{
	uint64_t old;

	bring_in(0);
	bring_in(1);
	enqueue(1, 0, now_ms);
	old = epoch;
	timer_at(now_ms + OFFER_MS);
	ck_offer(1, 1);
	ck_assert_int_eq(offer_event(TD_ACD_OFFER_ANSWERED, 1, 0, old, TD_ACD_REASON_NONE),
			 -TD_ESTALE);
	ck_assert_int_eq(offer_event(TD_ACD_OFFER_ANSWERED, 1, 1, old, TD_ACD_REASON_NONE),
			 -TD_ESTALE);
	ck_assert_int_eq(offer_event(TD_ACD_OFFER_ANSWERED, 1, 0, epoch, TD_ACD_REASON_NONE),
			 -TD_ESTALE);
	ck_assert_int_eq(answer(1, 1), 0);
	ck_assert_int_eq(answer(1, 1), -TD_ESTALE); // twice
	ck_assert_int_eq(offer_event(TD_ACD_OFFER_FAILED, 1, 1, epoch, TD_ACD_REASON_BUSY),
			 -TD_ESTALE);
}
END_TEST

START_TEST(a_caller_who_leaves_costs_the_agent_nothing)
{
	bring_in(0);
	now_ms += 10;
	bring_in(1);
	enqueue(1, 0, now_ms);
	ck_offer(1, 0);
	now_ms += 2000;
	ck_assert_int_eq(call_event(TD_ACD_CALL_ABANDON, 1), 0);
	ck_assert(did(TD_ACD_WITHDRAW));
	ck_state(0, TD_ACD_AVAILABLE, TD_ACD_REASON_NONE);
	enqueue(2, 0, now_ms);
	ck_offer(2, 0); // still the longest idle
}
END_TEST

START_TEST(an_abandoned_offer_frees_the_agent_for_the_next_call)
{
	bring_in(0);
	enqueue(1, 0, now_ms);
	enqueue(2, 0, now_ms);
	ck_assert_int_eq(call_event(TD_ACD_CALL_ABANDON, 1), 0);
	ck_offer(2, 0);
}
END_TEST

START_TEST(who_pauses_or_leaves_while_it_rings_gives_the_call_back)
{
	bring_in(0);
	bring_in(1);
	enqueue(1, 0, now_ms);
	ck_offer(1, 0);
	ck_assert_int_eq(pause_agent(0), 0);
	ck_assert_uint_eq(action_of(TD_ACD_WITHDRAW)->agent, 0);
	ck_offer(1, 1);
	ck_state(0, TD_ACD_PAUSED, TD_ACD_REASON_AGENT);
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_LOGOUT, 1), 0);
	ck_assert_uint_eq(action_of(TD_ACD_WITHDRAW)->agent, 1);
	ck_position(1, 1);
}
END_TEST

START_TEST(the_longest_wait_ends)
{
	struct td_acd_queue_info q;

	enqueue(1, 0, now_ms - 30000); // counts from here, not from the arrival
	ck_assert_uint_eq(td_acd_next_ms(acd), now_ms + WAIT_MS);
	timer_at(now_ms + WAIT_MS - 1);
	ck_assert_uint_eq(actions.count, 0);
	timer_at(now_ms + 1);
	ck_assert_uint_eq(action_of(TD_ACD_CALL_TIMEOUT)->call, 1);
	ck_assert_int_eq(td_acd_queue_get(acd, 0, now_ms, &q), 0);
	ck_assert_uint_eq(q.timed_out, 1);
	ck_assert_uint_eq(q.waiting, 0);
	ck_assert_int_eq(call_event(TD_ACD_CALL_ENDED, 1), -TD_ENOT_FOUND);
}
END_TEST

START_TEST(a_phone_that_rings_at_the_end_of_the_wait_may_be_answered)
{
	enqueue(1, 0, now_ms);
	now_ms += WAIT_MS - 1;
	bring_in(0);
	ck_offer(1, 0);
	timer_at(now_ms + 100);
	ck_assert_uint_eq(actions.count, 0);
	ck_assert_int_eq(offer_event(TD_ACD_OFFER_FAILED, 1, 0, epoch, TD_ACD_REASON_BUSY), 0);
	ck_assert(did(TD_ACD_CALL_TIMEOUT)); // and if not, it is over
}
END_TEST

// More than one TIMER's worth: the rest stays due.
START_TEST(a_timer_does_as_much_as_fits)
{
	struct td_acd_limits limits = { .queues_max = 1, .agents_max = 1, .calls_max = 200 };
	uint32_t ended = 0, turns = 0;

	td_acd_destroy(acd);
	ck_assert_int_eq(td_acd_create(&limits, &acd), 0);
	for (uint64_t call = 1; call <= 200; call++) {
		struct td_acd_event queue = { .kind = TD_ACD_QUEUE_ADD };

		queue.u.queue = (struct td_acd_queue_settings){ .offer_timeout_ms = 1,
								.wait_max_ms = 10,
								.length_max = 200 };
		ck_assert_int_eq(apply(queue), 0);
		ck_assert_int_eq(enqueue(call, 0, now_ms), 0);
	}
	now_ms += 10;
	for (; td_acd_next_ms(acd) <= now_ms; turns++) {
		timer_at(now_ms);
		ck_assert_uint_gt(actions.count, 0);
		ended += actions.count;
	}
	ck_assert_uint_eq(ended, 200);
	ck_assert_uint_gt(turns, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("acd/offer");
	TCase *tc = tcase_create("offer");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, no_answer_pauses_the_agent_and_keeps_the_place);
	tcase_add_test(tc, no_answer_goes_to_the_next_at_once);
	tcase_add_test(tc, a_failed_offer_says_why);
	tcase_add_test(tc, a_late_answer_is_stale);
	tcase_add_test(tc, a_caller_who_leaves_costs_the_agent_nothing);
	tcase_add_test(tc, an_abandoned_offer_frees_the_agent_for_the_next_call);
	tcase_add_test(tc, who_pauses_or_leaves_while_it_rings_gives_the_call_back);
	tcase_add_test(tc, the_longest_wait_ends);
	tcase_add_test(tc, a_phone_that_rings_at_the_end_of_the_wait_may_be_answered);
	tcase_add_test(tc, a_timer_does_as_much_as_fits);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

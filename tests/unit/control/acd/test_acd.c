// The distributor, told as stories: who gets which call, and what agents do in between.
#include <check.h>
#include <stdlib.h>

#include "story.h"

START_TEST(a_whole_call)
{
	struct td_acd_queue_info q;

	bring_in(0);
	ck_assert_int_eq(enqueue(7, 0, now_ms - 5000), 0);
	ck_offer(7, 0);
	ck_assert_uint_eq(action_of(TD_ACD_OFFER)->wait_ms, 5000);
	ck_state(0, TD_ACD_OFFERED, TD_ACD_REASON_NONE);
	now_ms += 3000;
	ck_assert_int_eq(answer(7, 0), 0);
	ck_state(0, TD_ACD_TALKING, TD_ACD_REASON_NONE);
	ck_assert_uint_eq(td_acd_next_ms(acd), TD_ACD_NEVER);
	now_ms += 60000;
	ck_assert_int_eq(call_event(TD_ACD_CALL_ENDED, 7), 0);
	ck_state(0, TD_ACD_WRAP_UP, TD_ACD_REASON_NONE);
	ck_assert_uint_eq(td_acd_next_ms(acd), now_ms + WRAP_MS);
	timer_at(now_ms + WRAP_MS - 1);
	ck_state(0, TD_ACD_WRAP_UP, TD_ACD_REASON_NONE);
	timer_at(now_ms + 1);
	ck_state(0, TD_ACD_AVAILABLE, TD_ACD_REASON_NONE);
	ck_assert_int_eq(td_acd_queue_get(acd, 0, now_ms, &q), 0);
	ck_assert_uint_eq(q.offered, 1);
	ck_assert_uint_eq(q.answered, 1);
	ck_assert_uint_eq(q.answered_wait_ms, 3000); // of the queue, not of the greeting
	ck_assert_int_eq(td_acd_call_get(acd, 7, now_ms, &(struct td_acd_call_info){ 0 }),
			 -TD_ENOT_FOUND);
}
END_TEST

START_TEST(longest_idle_agent_first)
{
	bring_in(1);
	now_ms += 10;
	bring_in(0);
	enqueue(1, 0, now_ms);
	ck_offer(1, 1);
	enqueue(2, 0, now_ms);
	ck_offer(2, 0);
}
END_TEST

START_TEST(oldest_call_first_by_arrival)
{
	// The second to finish its greeting was the first to arrive.
	ck_assert_int_eq(enqueue(1, 0, now_ms - 10), 0);
	ck_assert_uint_eq(action_of(TD_ACD_CALL_POSITION)->position, 1);
	ck_assert_int_eq(enqueue(2, 0, now_ms - 20), 0);
	ck_assert_uint_eq(action_of(TD_ACD_CALL_POSITION)->position, 1);
	ck_assert_int_eq(enqueue(3, 0, now_ms - 10), 0); // tie: the smaller key is first
	ck_position(2, 1);
	ck_position(1, 2);
	ck_position(3, 3);
	bring_in(0);
	ck_offer(2, 0);
	ck_position(1, 1);
}
END_TEST

START_TEST(oldest_call_over_all_queues_of_an_agent)
{
	join(0, 1);
	enqueue(1, 0, now_ms);
	now_ms += 5;
	enqueue(2, 1, now_ms - 50);
	bring_in(0);
	ck_offer(2, 0);
}
END_TEST

START_TEST(only_who_serves_the_queue)
{
	bring_in(0);
	ck_assert_int_eq(enqueue(1, 1, now_ms), 0);
	ck_assert(!did(TD_ACD_OFFER));
	ck_assert(!td_acd_agent_serves(acd, 0, 1));
	join(0, 1);
	ck_offer(1, 0);
	ck_assert(td_acd_agent_serves(acd, 0, 1));
}
END_TEST

START_TEST(leaving_a_queue)
{
	bring_in(0);
	ck_assert_int_eq(
		apply((struct td_acd_event){ .kind = TD_ACD_AGENT_LEAVE, .agent = 0, .queue = 0 }),
		0);
	enqueue(1, 0, now_ms);
	ck_assert(!did(TD_ACD_OFFER));
	bring_in(1);
	ck_offer(1, 1);
}
END_TEST

static const struct {
	enum td_acd_event_kind asked;
	enum td_acd_agent_state after;
} wishes[] = {
	{ TD_ACD_AGENT_LOGOUT, TD_ACD_LOGGED_OUT },
	{ TD_ACD_AGENT_PAUSE, TD_ACD_PAUSED },
	{ TD_ACD_AGENT_AVAILABLE, TD_ACD_WRAP_UP },
	{ TD_ACD_AGENT_LOGIN, TD_ACD_WRAP_UP },
};

START_TEST(what_is_asked_during_a_call_comes_after_it)
{
	bring_in(0);
	enqueue(1, 0, now_ms);
	answer(1, 0);
	// The last wish counts.
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_LOGOUT, 0), 0);
	ck_assert_int_eq(apply((struct td_acd_event){ .kind = wishes[_i].asked,
						      .u.reason = TD_ACD_REASON_AGENT }),
			 0);
	ck_state(0, TD_ACD_TALKING, TD_ACD_REASON_NONE);
	ck_assert_int_eq(call_event(TD_ACD_CALL_ENDED, 1), 0);
	ck_state(0, wishes[_i].after,
		 wishes[_i].after == TD_ACD_PAUSED ? TD_ACD_REASON_AGENT : TD_ACD_REASON_NONE);
}
END_TEST

START_TEST(without_wrap_up_the_next_call_comes_at_once)
{
	add_agent(2, 1);
	bring_in(2);
	enqueue(1, 1, now_ms);
	ck_offer(1, 2);
	answer(1, 2);
	enqueue(2, 1, now_ms);
	ck_assert_int_eq(call_event(TD_ACD_CALL_ENDED, 1), 0);
	ck_offer(2, 2);
}
END_TEST

START_TEST(wrap_up_may_end_early)
{
	bring_in(0);
	ck_assert_int_eq(agent_event(TD_ACD_WRAP_UP_END, 0), -TD_ESTATE);
	enqueue(1, 0, now_ms);
	answer(1, 0);
	call_event(TD_ACD_CALL_ENDED, 1);
	enqueue(2, 0, now_ms);
	ck_assert(!did(TD_ACD_OFFER));
	ck_assert_int_eq(agent_event(TD_ACD_WRAP_UP_END, 0), 0);
	ck_offer(2, 0);
}
END_TEST

START_TEST(unreachable_agents_get_nothing)
{
	agent_event(TD_ACD_AGENT_LOGIN, 0);
	enqueue(1, 0, now_ms);
	ck_assert(!did(TD_ACD_OFFER));
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_REACHABLE, 0), 0);
	ck_offer(1, 0);
	// A phone that drops off while it rings may still answer.
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_UNREACHABLE, 0), 0);
	ck_assert_int_eq(answer(1, 0), 0);
	call_event(TD_ACD_CALL_ENDED, 1);
	agent_event(TD_ACD_WRAP_UP_END, 0);
	enqueue(2, 0, now_ms);
	ck_assert(!did(TD_ACD_OFFER));
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_REACHABLE, 0), 0);
	ck_offer(2, 0);
}
END_TEST

START_TEST(time_does_not_run_backwards)
{
	bring_in(0);
	enqueue(1, 0, now_ms + 99999); // an arrival in the future is now
	ck_assert_uint_eq(action_of(TD_ACD_OFFER)->wait_ms, 0);
	now_ms -= 500000;
	ck_assert_int_eq(answer(1, 0), 0);
	call_event(TD_ACD_CALL_ENDED, 1);
	ck_assert_uint_eq(td_acd_next_ms(acd), 1000000 + WRAP_MS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("acd/acd");
	TCase *tc = tcase_create("acd");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_whole_call);
	tcase_add_test(tc, longest_idle_agent_first);
	tcase_add_test(tc, oldest_call_first_by_arrival);
	tcase_add_test(tc, oldest_call_over_all_queues_of_an_agent);
	tcase_add_test(tc, only_who_serves_the_queue);
	tcase_add_test(tc, leaving_a_queue);
	tcase_add_loop_test(tc, what_is_asked_during_a_call_comes_after_it, 0,
			    sizeof wishes / sizeof wishes[0]);
	tcase_add_test(tc, without_wrap_up_the_next_call_comes_at_once);
	tcase_add_test(tc, wrap_up_may_end_early);
	tcase_add_test(tc, unreachable_agents_get_nothing);
	tcase_add_test(tc, time_does_not_run_backwards);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

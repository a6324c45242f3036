// Limits, refusals, counters and what can be asked.
#include <check.h>
#include <stdlib.h>

#include "story.h"

START_TEST(limits_are_checked)
{
	static const struct {
		struct td_acd_limits limits;
		int error;
	} rows[] = {
		{ { 1, 1, 1 }, 0 },
		{ { 0, 1, 1 }, -TD_EINVALID },
		{ { 1, 0, 1 }, -TD_EINVALID },
		{ { 1, 1, 0 }, -TD_EINVALID },
		{ { TD_ACD_QUEUE_MAX, 1, 1 }, 0 },
		{ { TD_ACD_QUEUE_MAX + 1, 1, 1 }, -TD_EINVALID },
		{ { 1, TD_ACD_AGENT_MAX, 1 }, 0 },
		{ { 1, TD_ACD_AGENT_MAX + 1, 1 }, -TD_EINVALID },
		{ { 1, 1, TD_ACD_CALL_MAX }, 0 },
		{ { 1, 1, TD_ACD_CALL_MAX + 1 }, -TD_EINVALID },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct td_acd *made = NULL;

		ck_assert_int_eq(td_acd_create(&rows[i].limits, &made), rows[i].error);
		ck_assert_int_eq(made != NULL, rows[i].error == 0);
		td_acd_destroy(made);
	}
	td_acd_destroy(NULL);
}
END_TEST

START_TEST(settings_and_numbers_are_checked)
{
	struct td_acd_event event = { .kind = TD_ACD_QUEUE_ADD, .queue = 2 };

	event.u.queue = (struct td_acd_queue_settings){ .offer_timeout_ms = 1, .length_max = 1 };
	ck_assert_int_eq(apply(event), 0);
	event.u.queue.length_max = 0;
	ck_assert_int_eq(apply(event), -TD_EINVALID);
	event.u.queue.length_max = 1;
	event.u.queue.offer_timeout_ms = 0;
	ck_assert_int_eq(apply(event), -TD_EINVALID);
	event.u.queue.offer_timeout_ms = UINT64_MAX;
	ck_assert_int_eq(apply(event), -TD_EINVALID);
	event.u.queue.offer_timeout_ms = 1;
	event.queue = 3;
	ck_assert_int_eq(apply(event), -TD_EINVALID);
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_ADD, 4), -TD_EINVALID);
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_ADD, 0), -TD_EEXISTS);
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_LOGIN, 2), -TD_ENOT_FOUND);
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_LOGIN, UINT32_MAX), -TD_ENOT_FOUND);
	ck_assert_int_eq(agent_event(TD_ACD_EVENT_NONE, 0), -TD_EINVALID);
	ck_assert_int_eq(agent_event(TD_ACD_EVENT_KIND_COUNT, 0), -TD_EINVALID);
	ck_assert_int_eq(enqueue(0, 0, now_ms), -TD_EINVALID);
	ck_assert_int_eq(enqueue(1, 3, now_ms), -TD_ENOT_FOUND);
	ck_assert_int_eq(call_event(TD_ACD_CALL_ABANDON, 1), -TD_ENOT_FOUND);
	ck_assert_int_eq(call_event(TD_ACD_CALL_ENDED, 0), -TD_ENOT_FOUND);
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_PAUSE, 0), -TD_EINVALID); // no reason
}
END_TEST

START_TEST(queue_and_pool_full)
{
	struct td_acd_queue_info q;

	for (uint64_t call = 1; call <= 4; call++)
		ck_assert_int_eq(enqueue(call, 0, now_ms), 0);
	ck_assert_int_eq(enqueue(5, 0, now_ms), -TD_EFULL);
	ck_assert_int_eq(td_acd_queue_get(acd, 0, now_ms, &q), 0);
	ck_assert_uint_eq(q.refused, 1);
	ck_assert_int_eq(enqueue(4, 1, now_ms), -TD_EEXISTS);
	ck_assert_int_eq(enqueue(5, 1, now_ms), 0);
	ck_assert_int_eq(enqueue(6, 1, now_ms), 0);
	ck_assert_int_eq(enqueue(7, 1, now_ms), -TD_EFULL); // six calls are all there is room for
	ck_assert_int_eq(call_event(TD_ACD_CALL_ABANDON, 3), 0);
	ck_assert_int_eq(enqueue(7, 1, now_ms), 0);
}
END_TEST

START_TEST(taken_away_is_not_abandoned)
{
	struct td_acd_queue_info q;

	enqueue(1, 0, now_ms);
	enqueue(2, 0, now_ms);
	ck_assert_int_eq(call_event(TD_ACD_CALL_ENDED, 1), 0);
	ck_assert_int_eq(call_event(TD_ACD_CALL_ABANDON, 2), 0);
	ck_assert_int_eq(td_acd_queue_get(acd, 0, now_ms, &q), 0);
	ck_assert_uint_eq(q.removed, 1);
	ck_assert_uint_eq(q.abandoned, 1);
	bring_in(0);
	enqueue(3, 0, now_ms);
	answer(3, 0);
	ck_assert_int_eq(call_event(TD_ACD_CALL_ABANDON, 3), -TD_ESTATE);
}
END_TEST

// Ten seconds of everything: 2 answered in time, 1 late, 1 gone short, 1 gone in time, 1 gone late.
START_TEST(service_level_four_ways)
{
	static const struct {
		uint64_t wait_ms;
		bool answered;
	} calls[] = {
		{ 0, true },     { 20000, true }, { 20001, true },
		{ 4999, false }, { 5000, false }, { 20001, false },
	};
	struct td_acd_queue_info q;

	ck_assert_int_eq(td_acd_queue_get(acd, 0, now_ms, &q), 0);
	for (int s = 0; s < TD_ACD_SL_COUNT; s++)
		ck_assert_double_eq(q.service_level[s], -1);
	for (uint64_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		enqueue(i + 1, 0, now_ms);
		now_ms += calls[i].wait_ms;
		if (!calls[i].answered) {
			call_event(TD_ACD_CALL_ABANDON, i + 1);
			continue;
		}
		bring_in(0);
		answer(i + 1, 0);
		agent_event(TD_ACD_AGENT_LOGOUT, 0);
		call_event(TD_ACD_CALL_ENDED, i + 1);
	}
	enqueue(10, 0, now_ms); // waiting still: counts for nothing yet
	now_ms += 7000;
	ck_assert_int_eq(td_acd_queue_get(acd, 0, now_ms, &q), 0);
	ck_assert_uint_eq(q.oldest_wait_ms, 7000);
	ck_assert_uint_eq(q.answered_wait_max_ms, 20001);
	ck_assert_double_eq_tol(q.service_level[TD_ACD_SL_OFFERED], 2.0 / 6, 1e-12);
	ck_assert_double_eq_tol(q.service_level[TD_ACD_SL_NO_SHORT], 2.0 / 5, 1e-12);
	ck_assert_double_eq_tol(q.service_level[TD_ACD_SL_ABANDON_OK], 4.0 / 6, 1e-12);
	ck_assert_double_eq_tol(q.service_level[TD_ACD_SL_ANSWERED], 2.0 / 3, 1e-12);
}
END_TEST

START_TEST(inspection)
{
	uint32_t counts[TD_ACD_AGENT_STATE_COUNT], ready;
	struct td_acd_agent_info agent;
	struct td_acd_call_info call;
	uint64_t keys[4];

	agent_event(TD_ACD_AGENT_LOGIN, 1);
	bring_in(0);
	enqueue(9, 0, now_ms - 100);
	enqueue(8, 0, now_ms - 50);
	enqueue(7, 0, now_ms - 60);
	ck_assert_int_eq(td_acd_agent_get(acd, 0, &agent), 0);
	ck_assert_uint_eq(agent.call, 9);
	ck_assert_uint_eq(agent.queue, 0);
	ck_assert_uint_eq(agent.queues_count, 1);
	ck_assert(agent.reachable);
	now_ms += 400;
	ck_assert_int_eq(td_acd_call_get(acd, 9, now_ms, &call), 0);
	ck_assert_int_eq(call.state, TD_ACD_CALL_OFFERED);
	ck_assert_uint_eq(call.agent, 0);
	ck_assert_uint_eq(call.offers, 1);
	ck_assert_uint_eq(call.wait_ms, 400);
	ck_assert_uint_eq(td_acd_queue_line(acd, 0, keys, 4), 2);
	ck_assert_uint_eq(keys[0], 7);
	ck_assert_uint_eq(keys[1], 8);
	ck_assert_uint_eq(td_acd_queue_line(acd, 0, keys, 1), 1);
	ck_assert_uint_eq(td_acd_queue_line(acd, 9, keys, 4), 0);
	ck_assert_int_eq(td_acd_queue_agents(acd, 0, counts, &ready), 0);
	ck_assert_uint_eq(counts[TD_ACD_OFFERED], 1);
	ck_assert_uint_eq(counts[TD_ACD_AVAILABLE], 1);
	ck_assert_uint_eq(ready, 0);
	ck_assert_int_eq(td_acd_queue_agents(acd, 2, counts, &ready), -TD_ENOT_FOUND);
	ck_assert_int_eq(td_acd_agent_get(acd, 3, &agent), -TD_ENOT_FOUND);
	ck_assert_int_eq(td_acd_call_get(acd, 0, now_ms, &call), -TD_ENOT_FOUND);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("acd/inspect");
	TCase *tc = tcase_create("inspect");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, limits_are_checked);
	tcase_add_test(tc, settings_and_numbers_are_checked);
	tcase_add_test(tc, queue_and_pool_full);
	tcase_add_test(tc, taken_away_is_not_abandoned);
	tcase_add_test(tc, service_level_four_ways);
	tcase_add_test(tc, inspection);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

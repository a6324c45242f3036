// The distributor, told as stories: one rule of the contract each.
#include <check.h>
#include <stdlib.h>

#include "acd/acd.h"
#include "acd/inspect.h"

#define OFFER_MS 15000
#define WRAP_MS  10000
#define WAIT_MS  60000

static struct td_acd *acd;
static struct td_acd_actions actions;
static uint64_t now_ms;
static uint64_t epoch; // of the last OFFER

static int apply(struct td_acd_event event)
{
	int error = td_acd_apply(acd, &event, now_ms, &actions);

	for (uint32_t i = 0; i < actions.count; i++)
		if (actions.items[i].kind == TD_ACD_OFFER)
			epoch = actions.items[i].epoch;
	ck_assert_msg(td_acd_check(acd) == NULL, "%s", td_acd_check(acd));
	return error;
}

static int agent_event(enum td_acd_event_kind kind, uint32_t agent)
{
	return apply((struct td_acd_event){ .kind = kind, .agent = agent });
}

static int pause_agent(uint32_t agent)
{
	return apply((struct td_acd_event){
		.kind = TD_ACD_AGENT_PAUSE, .agent = agent, .u.reason = TD_ACD_REASON_AGENT });
}

static int enqueue(uint64_t call, uint32_t queue, uint64_t arrival_ms)
{
	return apply((struct td_acd_event){ .kind = TD_ACD_CALL_ENQUEUE,
					    .call = call,
					    .queue = queue,
					    .u.arrival_ms = arrival_ms });
}

static int call_event(enum td_acd_event_kind kind, uint64_t call)
{
	return apply((struct td_acd_event){ .kind = kind, .call = call });
}

static int offer_event(enum td_acd_event_kind kind, uint64_t call, uint32_t agent, uint64_t which,
		       enum td_acd_reason reason)
{
	return apply((struct td_acd_event){
		.kind = kind, .call = call, .agent = agent, .epoch = which, .u.reason = reason });
}

static int answer(uint64_t call, uint32_t agent)
{
	return offer_event(TD_ACD_OFFER_ANSWERED, call, agent, epoch, TD_ACD_REASON_NONE);
}

static void timer_at(uint64_t ms)
{
	now_ms = ms;
	ck_assert_int_eq(apply((struct td_acd_event){ .kind = TD_ACD_TIMER }), 0);
}

static bool did(enum td_acd_action_kind kind)
{
	for (uint32_t i = 0; i < actions.count; i++)
		if (actions.items[i].kind == kind)
			return true;
	return false;
}

// The first action of this kind, which must be there.
static const struct td_acd_action *action_of(enum td_acd_action_kind kind)
{
	uint32_t i = 0;

	ck_assert(did(kind));
	while (i + 1 < actions.count && actions.items[i].kind != kind)
		i++;
	return &actions.items[i];
}

// The last event offered this call to this agent.
static void ck_offer(uint64_t call, uint32_t agent)
{
	const struct td_acd_action *offer = action_of(TD_ACD_OFFER);

	ck_assert_uint_eq(offer->call, call);
	ck_assert_uint_eq(offer->agent, agent);
	ck_assert_uint_eq(offer->deadline_ms, now_ms + OFFER_MS);
}

static void ck_state(uint32_t agent, enum td_acd_agent_state state, enum td_acd_reason reason)
{
	struct td_acd_agent_info info;

	ck_assert_int_eq(td_acd_agent_get(acd, agent, &info), 0);
	ck_assert_int_eq(info.state, state);
	ck_assert_int_eq(info.reason, reason);
}

static void ck_position(uint64_t call, uint32_t position)
{
	struct td_acd_call_info info;

	ck_assert_int_eq(td_acd_call_get(acd, call, now_ms, &info), 0);
	ck_assert_uint_eq(info.position, position);
}

static void add_queue(uint32_t queue, uint64_t wrap_up_ms, uint64_t wait_max_ms)
{
	struct td_acd_event event = { .kind = TD_ACD_QUEUE_ADD, .queue = queue };

	event.u.queue = (struct td_acd_queue_settings){ .offer_timeout_ms = OFFER_MS,
							.wrap_up_ms = wrap_up_ms,
							.wait_max_ms = wait_max_ms,
							.service_level_ms = 20000,
							.length_max = 4 };
	ck_assert_int_eq(apply(event), 0);
}

static void join(uint32_t agent, uint32_t queue)
{
	ck_assert_int_eq(apply((struct td_acd_event){
				 .kind = TD_ACD_AGENT_JOIN, .agent = agent, .queue = queue }),
			 0);
}

static void add_agent(uint32_t agent, uint32_t queue)
{
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_ADD, agent), 0);
	join(agent, queue);
}

static void bring_in(uint32_t agent)
{
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_LOGIN, agent), 0);
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_REACHABLE, agent), 0);
}

// Queues 0 (wrap-up, longest wait) and 1 (neither); agents 0 and 1 serve queue 0.
static void setup(void)
{
	struct td_acd_limits limits = { .queues_max = 3, .agents_max = 4, .calls_max = 6 };

	now_ms = 1000000;
	epoch = 0;
	ck_assert_int_eq(td_acd_create(&limits, &acd), 0);
	add_queue(0, WRAP_MS, WAIT_MS);
	add_queue(1, 0, 0);
	add_agent(0, 0);
	add_agent(1, 0);
}

static void teardown(void)
{
	td_acd_destroy(acd);
}

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
	Suite *suite = suite_create("acd/acd");
	TCase *tc = tcase_create("acd");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, limits_are_checked);
	tcase_add_test(tc, settings_and_numbers_are_checked);
	tcase_add_test(tc, a_whole_call);
	tcase_add_test(tc, longest_idle_agent_first);
	tcase_add_test(tc, oldest_call_first_by_arrival);
	tcase_add_test(tc, oldest_call_over_all_queues_of_an_agent);
	tcase_add_test(tc, only_who_serves_the_queue);
	tcase_add_test(tc, leaving_a_queue);
	tcase_add_test(tc, no_answer_pauses_the_agent_and_keeps_the_place);
	tcase_add_test(tc, no_answer_goes_to_the_next_at_once);
	tcase_add_test(tc, a_failed_offer_says_why);
	tcase_add_test(tc, a_late_answer_is_stale);
	tcase_add_test(tc, a_caller_who_leaves_costs_the_agent_nothing);
	tcase_add_test(tc, an_abandoned_offer_frees_the_agent_for_the_next_call);
	tcase_add_test(tc, who_pauses_or_leaves_while_it_rings_gives_the_call_back);
	tcase_add_loop_test(tc, what_is_asked_during_a_call_comes_after_it, 0,
			    sizeof wishes / sizeof wishes[0]);
	tcase_add_test(tc, without_wrap_up_the_next_call_comes_at_once);
	tcase_add_test(tc, wrap_up_may_end_early);
	tcase_add_test(tc, unreachable_agents_get_nothing);
	tcase_add_test(tc, the_longest_wait_ends);
	tcase_add_test(tc, a_phone_that_rings_at_the_end_of_the_wait_may_be_answered);
	tcase_add_test(tc, queue_and_pool_full);
	tcase_add_test(tc, taken_away_is_not_abandoned);
	tcase_add_test(tc, service_level_four_ways);
	tcase_add_test(tc, inspection);
	tcase_add_test(tc, time_does_not_run_backwards);
	tcase_add_test(tc, a_timer_does_as_much_as_fits);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

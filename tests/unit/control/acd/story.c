// The centre the stories play in.
#include <check.h>
#include <stdlib.h>

#include "story.h"

struct td_acd *acd;
struct td_acd_actions actions;
uint64_t now_ms;
uint64_t epoch;

int apply(struct td_acd_event event)
{
	int error = td_acd_apply(acd, &event, now_ms, &actions);

	for (uint32_t i = 0; i < actions.count; i++)
		if (actions.items[i].kind == TD_ACD_OFFER)
			epoch = actions.items[i].epoch;
	ck_assert_msg(td_acd_check(acd) == NULL, "%s", td_acd_check(acd));
	return error;
}

int agent_event(enum td_acd_event_kind kind, uint32_t agent)
{
	return apply((struct td_acd_event){ .kind = kind, .agent = agent });
}

int pause_agent(uint32_t agent)
{
	return apply((struct td_acd_event){
		.kind = TD_ACD_AGENT_PAUSE, .agent = agent, .u.reason = TD_ACD_REASON_AGENT });
}

int enqueue(uint64_t call, uint32_t queue, uint64_t arrival_ms)
{
	return apply((struct td_acd_event){ .kind = TD_ACD_CALL_ENQUEUE,
					    .call = call,
					    .queue = queue,
					    .u.arrival_ms = arrival_ms });
}

int call_event(enum td_acd_event_kind kind, uint64_t call)
{
	return apply((struct td_acd_event){ .kind = kind, .call = call });
}

int offer_event(enum td_acd_event_kind kind, uint64_t call, uint32_t agent, uint64_t which,
		enum td_acd_reason reason)
{
	return apply((struct td_acd_event){
		.kind = kind, .call = call, .agent = agent, .epoch = which, .u.reason = reason });
}

int answer(uint64_t call, uint32_t agent)
{
	return offer_event(TD_ACD_OFFER_ANSWERED, call, agent, epoch, TD_ACD_REASON_NONE);
}

void timer_at(uint64_t ms)
{
	now_ms = ms;
	ck_assert_int_eq(apply((struct td_acd_event){ .kind = TD_ACD_TIMER }), 0);
}

bool did(enum td_acd_action_kind kind)
{
	for (uint32_t i = 0; i < actions.count; i++)
		if (actions.items[i].kind == kind)
			return true;
	return false;
}

const struct td_acd_action *action_of(enum td_acd_action_kind kind)
{
	uint32_t i = 0;

	ck_assert(did(kind));
	while (i + 1 < actions.count && actions.items[i].kind != kind)
		i++;
	return &actions.items[i];
}

void ck_offer(uint64_t call, uint32_t agent)
{
	const struct td_acd_action *offer = action_of(TD_ACD_OFFER);

	ck_assert_uint_eq(offer->call, call);
	ck_assert_uint_eq(offer->agent, agent);
	ck_assert_uint_eq(offer->deadline_ms, now_ms + OFFER_MS);
}

void ck_state(uint32_t agent, enum td_acd_agent_state state, enum td_acd_reason reason)
{
	struct td_acd_agent_info info;

	ck_assert_int_eq(td_acd_agent_get(acd, agent, &info), 0);
	ck_assert_int_eq(info.state, state);
	ck_assert_int_eq(info.reason, reason);
}

void ck_position(uint64_t call, uint32_t position)
{
	struct td_acd_call_info info;

	ck_assert_int_eq(td_acd_call_get(acd, call, now_ms, &info), 0);
	ck_assert_uint_eq(info.position, position);
}

void add_queue(uint32_t queue, uint64_t wrap_up_ms, uint64_t wait_max_ms)
{
	struct td_acd_event event = { .kind = TD_ACD_QUEUE_ADD, .queue = queue };

	event.u.queue = (struct td_acd_queue_settings){ .offer_timeout_ms = OFFER_MS,
							.wrap_up_ms = wrap_up_ms,
							.wait_max_ms = wait_max_ms,
							.service_level_ms = 20000,
							.length_max = 4 };
	ck_assert_int_eq(apply(event), 0);
}

void join(uint32_t agent, uint32_t queue)
{
	ck_assert_int_eq(apply((struct td_acd_event){
				 .kind = TD_ACD_AGENT_JOIN, .agent = agent, .queue = queue }),
			 0);
}

void add_agent(uint32_t agent, uint32_t queue)
{
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_ADD, agent), 0);
	join(agent, queue);
}

void bring_in(uint32_t agent)
{
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_LOGIN, agent), 0);
	ck_assert_int_eq(agent_event(TD_ACD_AGENT_REACHABLE, agent), 0);
}

void setup(void)
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

void teardown(void)
{
	td_acd_destroy(acd);
}

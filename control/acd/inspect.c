// Copies of what the ACD knows.
#include "acd/inspect.h"
#include "acd/bitmap.h"
#include "acd/call.h"
#include "acd/state.h"

bool td_acd_agent_serves(const struct td_acd *acd, uint32_t agent, uint32_t queue)
{
	if (agent >= acd->limits.agents_max || queue >= acd->limits.queues_max ||
	    !acd->agents[agent].used || acd->agents[agent].group == TD_ACD_NIL)
		return false;
	return td_acd_bit_get(td_acd_group_row(acd, acd->agents[agent].group), queue);
}

static uint32_t queues_of(const struct td_acd *acd, uint32_t group)
{
	uint32_t count = 0;

	if (group == TD_ACD_NIL)
		return 0;
	for (uint32_t w = 0; w < acd->queue_words; w++)
		count += (uint32_t)__builtin_popcountll(td_acd_group_row(acd, group)[w]);
	return count;
}

int td_acd_agent_get(const struct td_acd *acd, uint32_t agent, struct td_acd_agent_info *out)
{
	const struct td_acd_agent *a;

	if (agent >= acd->limits.agents_max || !acd->agents[agent].used)
		return -TD_ENOT_FOUND;
	a = &acd->agents[agent];
	*out = (struct td_acd_agent_info){
		.state = (enum td_acd_agent_state)a->state,
		.reason = a->reason,
		.reachable = a->reachable,
		.since_ms = a->since_ms,
		.queue = TD_ACD_NONE,
		.queues_count = queues_of(acd, a->group),
		.answered = a->answered,
		.failed = a->failed,
	};
	if (a->call != TD_ACD_NIL) {
		out->call = acd->calls[a->call].key;
		out->queue = acd->calls[a->call].queue;
	}
	return 0;
}

static uint64_t elapsed(uint64_t since_ms, uint64_t now_ms)
{
	return now_ms > since_ms ? now_ms - since_ms : 0;
}

int td_acd_call_get(const struct td_acd *acd, uint64_t call, uint64_t now_ms,
		    struct td_acd_call_info *out)
{
	uint32_t index = call ? td_acd_call_find(acd, call) : TD_ACD_NIL;
	const struct td_acd_call *c;

	if (index == TD_ACD_NIL)
		return -TD_ENOT_FOUND;
	c = &acd->calls[index];
	*out = (struct td_acd_call_info){
		.state = (enum td_acd_call_state)c->state,
		.queue = c->queue,
		.agent = c->agent,
		.offers = c->offers,
		.arrival_ms = c->arrival_ms,
		.enqueued_ms = c->enqueued_ms,
	};
	if (c->state == TD_ACD_CALL_WAITING)
		out->position = 1 + td_acd_order_rank(acd->line_nodes, index);
	out->wait_ms =
		elapsed(c->enqueued_ms, c->state == TD_ACD_CALL_TALKING ? c->answered_ms : now_ms);
	return 0;
}

static double ratio(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : -1;
}

static void service_levels(const struct td_acd_queue *q, double out[TD_ACD_SL_COUNT])
{
	uint64_t done = q->offered - q->waiting;

	out[TD_ACD_SL_OFFERED] = ratio(q->answered_in_time, done);
	out[TD_ACD_SL_NO_SHORT] =
		ratio(q->answered_in_time, q->answered + q->abandoned - q->abandoned_short);
	out[TD_ACD_SL_ABANDON_OK] = ratio(q->answered_in_time + q->abandoned_in_time, done);
	out[TD_ACD_SL_ANSWERED] = ratio(q->answered_in_time, q->answered);
}

int td_acd_queue_get(const struct td_acd *acd, uint32_t queue, uint64_t now_ms,
		     struct td_acd_queue_info *out)
{
	const struct td_acd_queue *q;

	if (queue >= acd->limits.queues_max || !acd->queues[queue].used)
		return -TD_ENOT_FOUND;
	q = &acd->queues[queue];
	*out = (struct td_acd_queue_info){
		.settings = q->settings,
		.waiting = q->waiting,
		.in_offer = q->in_offer,
		.talking = q->talking,
		.offered = q->offered,
		.answered = q->answered,
		.abandoned = q->abandoned,
		.timed_out = q->timed_out,
		.removed = q->removed,
		.refused = q->refused,
		.answered_in_time = q->answered_in_time,
		.abandoned_in_time = q->abandoned_in_time,
		.abandoned_short = q->abandoned_short,
		.answered_wait_ms = q->answered_wait_ms,
		.answered_wait_max_ms = q->answered_wait_max_ms,
	};
	if (q->line.first != TD_ACD_NIL)
		out->oldest_wait_ms = elapsed(acd->calls[q->line.first].enqueued_ms, now_ms);
	service_levels(q, out->service_level);
	return 0;
}

int td_acd_queue_agents(const struct td_acd *acd, uint32_t queue,
			uint32_t counts[TD_ACD_AGENT_STATE_COUNT], uint32_t *ready)
{
	if (queue >= acd->limits.queues_max || !acd->queues[queue].used)
		return -TD_ENOT_FOUND;
	for (int s = 0; s < TD_ACD_AGENT_STATE_COUNT; s++)
		counts[s] = 0;
	*ready = 0;
	for (uint32_t i = 0; i < acd->limits.agents_max; i++) {
		const struct td_acd_agent *a = &acd->agents[i];

		if (!td_acd_agent_serves(acd, i, queue))
			continue;
		counts[a->state]++;
		*ready += a->state == TD_ACD_AVAILABLE && a->reachable;
	}
	return 0;
}

size_t td_acd_queue_line(const struct td_acd *acd, uint32_t queue, uint64_t *keys, size_t max)
{
	size_t count = 0;

	if (queue >= acd->limits.queues_max || !acd->queues[queue].used)
		return 0;
	for (uint32_t i = acd->queues[queue].line.first; i != TD_ACD_NIL && count < max;
	     i = td_acd_order_next(acd->line_nodes, i))
		keys[count++] = acd->calls[i].key;
	return count;
}

// The invariants, looked at from scratch: nothing here trusts an index that is being checked.
#include "acd/bitmap.h"
#include "acd/call.h"
#include "acd/inspect.h"
#include "acd/state.h"
#include "acd/timer.h"

// What the pool of calls says about one queue.
struct tally {
	uint32_t line, in_offer, talking;
};

static struct tally tally_of(const struct td_acd *acd, uint32_t queue)
{
	struct tally t = { 0 };

	for (uint32_t i = 0; i < acd->limits.calls_max; i++) {
		const struct td_acd_call *c = &acd->calls[i];

		if (c->key == 0 || c->queue != queue)
			continue;
		t.line += c->state == TD_ACD_CALL_WAITING;
		t.in_offer += c->state == TD_ACD_CALL_OFFERED;
		t.talking += c->state == TD_ACD_CALL_TALKING;
	}
	return t;
}

// I3: in order, each before the next, and as many as the root says.
static bool order_holds(const struct td_acd_order *order, const struct td_acd_node *nodes)
{
	uint32_t rank = 0, last = TD_ACD_NIL;

	for (uint32_t i = order->first; i != TD_ACD_NIL; i = td_acd_order_next(nodes, i)) {
		if (last != TD_ACD_NIL && !td_acd_node_before(&nodes[last], &nodes[i]))
			return false;
		if (td_acd_order_rank(nodes, i) != rank)
			return false;
		last = i;
		rank++;
	}
	return rank == td_acd_order_count(order, nodes);
}

static const char *check_queue(const struct td_acd *acd, uint32_t queue)
{
	const struct td_acd_queue *q = &acd->queues[queue];
	struct tally t = tally_of(acd, queue);

	if (!q->used)
		return t.line + t.in_offer + t.talking ? "a call is in a queue that is not" : NULL;
	if (td_acd_order_count(&q->line, acd->line_nodes) != t.line)
		return "I4: the line does not hold exactly the calls that wait";
	if (q->waiting != t.line + t.in_offer || q->in_offer != t.in_offer ||
	    q->talking != t.talking)
		return "I4: a queue's counters differ from its calls";
	if (!order_holds(&q->line, acd->line_nodes))
		return "I3: a line is not in order of arrival";
	if (td_acd_bit_get(acd->nonempty, queue) != (t.line > 0))
		return "I5: the bit of a line is wrong";
	if (q->offered != q->answered + q->abandoned + q->timed_out + q->removed + q->waiting)
		return "offered calls do not add up";
	return NULL;
}

static const char *check_call(const struct td_acd *acd, uint32_t call)
{
	const struct td_acd_call *c = &acd->calls[call];
	bool armed = td_acd_order_has(acd->timer_nodes, td_acd_timer_of_call(call));
	bool waits = c->key != 0 && c->state == TD_ACD_CALL_WAITING;

	if (waits != td_acd_order_has(acd->line_nodes, call))
		return "I4: a call is in line without waiting, or waits without being in line";
	if (armed != (waits && c->wait_until_ms != TD_ACD_NEVER))
		return "I6: a longest wait has no timer, or a timer no wait";
	if (armed && acd->timer_nodes[call].key != c->wait_until_ms)
		return "I6: the timer of a wait is set to another time";
	if (c->key == 0)
		return NULL;
	if (td_acd_call_find(acd, c->key) != call)
		return "a call is not found by its key";
	if ((c->agent == TD_ACD_NIL) != waits)
		return "I2: a call has an agent while waiting, or none while not";
	if (c->agent != TD_ACD_NIL && acd->agents[c->agent].call != call)
		return "I2: a call's agent has another call";
	return NULL;
}

static bool agent_has_call(const struct td_acd_agent *a)
{
	return a->state == TD_ACD_OFFERED || a->state == TD_ACD_TALKING;
}

static const char *check_agent_call(const struct td_acd *acd, uint32_t agent)
{
	const struct td_acd_agent *a = &acd->agents[agent];
	const struct td_acd_call *c;

	if (agent_has_call(a) != (a->call != TD_ACD_NIL))
		return "I2: an agent's state and call contradict each other";
	if (a->call == TD_ACD_NIL)
		return NULL;
	c = &acd->calls[a->call];
	if (c->key == 0 || c->agent != agent)
		return "I2: an agent's call belongs to somebody else";
	if ((a->state == TD_ACD_OFFERED) != (c->state == TD_ACD_CALL_OFFERED))
		return "I2: an agent and the call are in different states";
	return NULL;
}

// I1: nobody idle serves a queue that has a line.
static const char *check_agent_idle(const struct td_acd *acd, uint32_t agent)
{
	const struct td_acd_agent *a = &acd->agents[agent];
	bool idle = a->state == TD_ACD_AVAILABLE && a->reachable && a->group != TD_ACD_NIL;

	if (idle != td_acd_order_has(acd->idle_nodes, agent))
		return "an agent is among the idle wrongly, or wrongly not";
	for (uint32_t q = 0; idle && q < acd->limits.queues_max; q++)
		if (td_acd_agent_serves(acd, agent, q) &&
		    td_acd_order_count(&acd->queues[q].line, acd->line_nodes) > 0)
			return "I1: an agent is idle while a call waits";
	return NULL;
}

static const char *check_agent(const struct td_acd *acd, uint32_t agent)
{
	const struct td_acd_agent *a = &acd->agents[agent];
	bool armed = td_acd_order_has(acd->timer_nodes, td_acd_timer_of_agent(acd, agent));
	const char *wrong;

	if (!a->used)
		return NULL;
	if (armed != (a->state == TD_ACD_OFFERED || a->state == TD_ACD_WRAP_UP))
		return "an agent's state has no timer, or a timer no state";
	wrong = check_agent_call(acd, agent);
	return wrong ? wrong : check_agent_idle(acd, agent);
}

// I5: agents, sets and bits of a group, and the transposed bits of its queues.
static const char *check_group(const struct td_acd *acd, uint32_t group)
{
	const struct td_acd_group *g = &acd->groups[group];
	uint32_t agents = 0;

	for (uint32_t i = 0; i < acd->limits.agents_max; i++)
		agents += acd->agents[i].used && acd->agents[i].group == group;
	if (agents != g->agents)
		return "I5: a group's agents are counted wrongly";
	if (td_acd_bit_get(acd->idle_groups, group) !=
	    (agents > 0 && td_acd_order_count(&g->idle, acd->idle_nodes) > 0))
		return "I5: the bit of a group's idle agents is wrong";
	if (agents > 0 && !order_holds(&g->idle, acd->idle_nodes))
		return "I3: a group's idle agents are not in order";
	for (uint32_t q = 0; q < acd->limits.queues_max; q++)
		if (td_acd_bit_get(td_acd_queue_row(acd, q), group) !=
		    (agents > 0 && td_acd_bit_get(td_acd_group_row(acd, group), q)))
			return "I5: a queue's groups are not those that serve it";
	return NULL;
}

static const char *check_each(const struct td_acd *acd, uint32_t count,
			      const char *(*check)(const struct td_acd *, uint32_t))
{
	const char *wrong = NULL;

	for (uint32_t i = 0; i < count && !wrong; i++)
		wrong = check(acd, i);
	return wrong;
}

const char *td_acd_check(const struct td_acd *acd)
{
	const char *wrong = check_each(acd, acd->limits.queues_max, check_queue);

	if (!wrong)
		wrong = check_each(acd, acd->limits.calls_max, check_call);
	if (!wrong)
		wrong = check_each(acd, acd->limits.agents_max, check_agent);
	if (!wrong)
		wrong = check_each(acd, acd->groups_max, check_group);
	if (!wrong && !order_holds(&acd->timers, acd->timer_nodes))
		wrong = "the timers are not in order";
	return wrong;
}

// Events, applied.
#include "acd/acd.h"
#include "acd/agent.h"
#include "acd/bitmap.h"
#include "acd/call.h"
#include "acd/group.h"
#include "acd/match.h"
#include "acd/offer.h"
#include "acd/timer.h"
#include "td_assert.h"

#define SETTING_MAX_MS (1ull << 40) // 34 years

void td_acd_emit(struct td_acd *acd, const struct td_acd_action *action)
{
	TD_ASSERT(acd->out && acd->out->count < TD_ACD_ACTION_MAX);
	acd->out->items[acd->out->count++] = *action;
}

typedef int event_fn(struct td_acd *acd, const struct td_acd_event *event);

static int queue_add(struct td_acd *acd, const struct td_acd_event *event)
{
	const struct td_acd_queue_settings *settings = &event->u.queue;
	struct td_acd_queue *q;

	if (event->queue >= acd->limits.queues_max || settings->length_max == 0 ||
	    settings->offer_timeout_ms == 0 || settings->offer_timeout_ms > SETTING_MAX_MS ||
	    settings->wrap_up_ms > SETTING_MAX_MS || settings->wait_max_ms > SETTING_MAX_MS)
		return -TD_EINVALID;
	q = &acd->queues[event->queue];
	if (!q->used) {
		q->used = true;
		td_acd_order_init(&q->line);
	}
	q->settings = *settings;
	return 0;
}

static int agent_add(struct td_acd *acd, const struct td_acd_event *event)
{
	struct td_acd_agent *a;

	if (event->agent >= acd->limits.agents_max)
		return -TD_EINVALID;
	a = &acd->agents[event->agent];
	if (a->used)
		return -TD_EEXISTS;
	*a = (struct td_acd_agent){
		.used = true,
		.state = TD_ACD_LOGGED_OUT,
		.after_call = TD_ACD_AVAILABLE,
		.group = TD_ACD_NIL,
		.call = TD_ACD_NIL,
		.since_ms = acd->now_ms,
	};
	return 0;
}

static int change_queues(struct td_acd *acd, const struct td_acd_event *event, bool serves)
{
	if (td_acd_agent_serves(acd, event->agent, event->queue) == serves)
		return 0;
	td_acd_idle_take(acd, event->agent);
	td_acd_group_change(acd, event->agent, event->queue, serves);
	td_acd_idle_put(acd, event->agent);
	td_acd_offer_agent(acd, event->agent);
	return 0;
}

static int agent_join(struct td_acd *acd, const struct td_acd_event *event)
{
	return change_queues(acd, event, true);
}

static int agent_leave(struct td_acd *acd, const struct td_acd_event *event)
{
	return change_queues(acd, event, false);
}

// What was asked while a call is up, for its end.
static void remember(struct td_acd_agent *a, enum td_acd_agent_input input,
		     enum td_acd_reason reason)
{
	a->after_reason = reason;
	a->after_call = TD_ACD_AVAILABLE;
	if (input == TD_ACD_IN_LOGOUT)
		a->after_call = TD_ACD_LOGGED_OUT;
	else if (input == TD_ACD_IN_PAUSE)
		a->after_call = TD_ACD_PAUSED;
}

// Login, logout, ready, pause: the table says what each means in the agent's state.
static int agent_input(struct td_acd *acd, uint32_t agent, enum td_acd_agent_input input,
		       enum td_acd_reason reason)
{
	struct td_acd_agent *a = &acd->agents[agent];
	const struct td_fsm_cell *cell = td_acd_agent_step(acd, agent, input, reason);
	uint32_t call = a->call;

	if (cell->kind == TD_FSM_REJECT)
		return -TD_ESTATE;
	switch ((enum td_acd_agent_then)cell->action) {
	case TD_ACD_THEN_WITHDRAW:
		td_acd_offer_withdraw(acd, call);
		a->call = TD_ACD_NIL;
		td_acd_offer_return(acd, call);
		break;
	case TD_ACD_THEN_LATER: remember(a, input, reason); break;
	case TD_ACD_THEN_NONE: break;
	}
	td_acd_offer_agent(acd, agent);
	return 0;
}

static int agent_login(struct td_acd *acd, const struct td_acd_event *event)
{
	return agent_input(acd, event->agent, TD_ACD_IN_LOGIN, TD_ACD_REASON_NONE);
}

static int agent_logout(struct td_acd *acd, const struct td_acd_event *event)
{
	return agent_input(acd, event->agent, TD_ACD_IN_LOGOUT, TD_ACD_REASON_NONE);
}

static int agent_available(struct td_acd *acd, const struct td_acd_event *event)
{
	return agent_input(acd, event->agent, TD_ACD_IN_READY, TD_ACD_REASON_NONE);
}

static int agent_pause(struct td_acd *acd, const struct td_acd_event *event)
{
	if (event->u.reason <= TD_ACD_REASON_NONE || event->u.reason >= TD_ACD_REASON_COUNT)
		return -TD_EINVALID;
	return agent_input(acd, event->agent, TD_ACD_IN_PAUSE, event->u.reason);
}

static int wrap_up_end(struct td_acd *acd, const struct td_acd_event *event)
{
	return agent_input(acd, event->agent, TD_ACD_IN_WRAP_END, TD_ACD_REASON_NONE);
}

static int agent_reachable(struct td_acd *acd, const struct td_acd_event *event)
{
	struct td_acd_agent *a = &acd->agents[event->agent];

	if (a->reachable)
		return 0;
	a->reachable = true;
	// Time spent without a phone is not time spent waiting for a call.
	if (a->state == TD_ACD_AVAILABLE) {
		a->idle_since_ms = acd->now_ms;
		a->idle_sequence = ++acd->idle_sequence;
	}
	td_acd_idle_put(acd, event->agent);
	td_acd_offer_agent(acd, event->agent);
	return 0;
}

static int agent_unreachable(struct td_acd *acd, const struct td_acd_event *event)
{
	td_acd_idle_take(acd, event->agent);
	acd->agents[event->agent].reachable = false;
	return 0;
}

static int call_enqueue(struct td_acd *acd, const struct td_acd_event *event)
{
	struct td_acd_queue *q = &acd->queues[event->queue];
	uint32_t call;

	if (event->call == 0)
		return -TD_EINVALID;
	if (td_acd_call_find(acd, event->call) != TD_ACD_NIL)
		return -TD_EEXISTS;
	if (q->waiting >= q->settings.length_max) {
		q->refused++;
		return -TD_EFULL;
	}
	call = td_acd_call_create(acd, event->call, event->queue, event->u.arrival_ms);
	if (call == TD_ACD_NIL)
		return -TD_EFULL;
	q->offered++;
	td_acd_offer_call(acd, call);
	if (acd->calls[call].state == TD_ACD_CALL_WAITING)
		td_acd_emit(acd, &(struct td_acd_action){
					 .kind = TD_ACD_CALL_POSITION,
					 .queue = event->queue,
					 .agent = TD_ACD_NONE,
					 .call = event->call,
					 .position = 1 + td_acd_order_rank(acd->line_nodes, call),
				 });
	return 0;
}

static int call_abandon(struct td_acd *acd, const struct td_acd_event *event)
{
	uint32_t call = td_acd_call_find(acd, event->call);

	if (acd->calls[call].state == TD_ACD_CALL_TALKING)
		return -TD_ESTATE;
	td_acd_offer_drop(acd, call, true);
	return 0;
}

static int call_ended(struct td_acd *acd, const struct td_acd_event *event)
{
	uint32_t call = td_acd_call_find(acd, event->call);

	if (acd->calls[call].state == TD_ACD_CALL_TALKING)
		td_acd_offer_finish(acd, call);
	else
		td_acd_offer_drop(acd, call, false);
	return 0;
}

static int offer_answered(struct td_acd *acd, const struct td_acd_event *event)
{
	uint32_t call = td_acd_call_find(acd, event->call);
	int error = td_acd_offer_check(acd, call, event->agent, event->epoch);

	if (!error)
		td_acd_offer_answered(acd, call);
	return error;
}

static int offer_failed(struct td_acd *acd, const struct td_acd_event *event)
{
	uint32_t call = td_acd_call_find(acd, event->call);
	int error = td_acd_offer_check(acd, call, event->agent, event->epoch);

	if (event->u.reason <= TD_ACD_REASON_NONE || event->u.reason >= TD_ACD_REASON_COUNT)
		return -TD_EINVALID;
	if (!error)
		td_acd_offer_failed(acd, call, event->u.reason);
	return error;
}

static void fire(struct td_acd *acd, uint32_t timer)
{
	uint32_t agent = timer - acd->limits.calls_max;

	if (timer < acd->limits.calls_max) {
		td_acd_offer_expire(acd, timer);
	} else if (acd->agents[agent].state == TD_ACD_OFFERED) {
		td_acd_offer_withdraw(acd, acd->agents[agent].call);
		td_acd_offer_failed(acd, acd->agents[agent].call, TD_ACD_REASON_NO_ANSWER);
	} else {
		TD_ASSERT(agent_input(acd, agent, TD_ACD_IN_WRAP_END, TD_ACD_REASON_NONE) == 0);
	}
}

// Stops while the worst of one more timer still fits; td_acd_next_ms() then asks for the rest.
static int timer(struct td_acd *acd, const struct td_acd_event *event)
{
	(void)event;
	while (td_acd_next_ms(acd) <= acd->now_ms &&
	       acd->out->count + TD_ACD_STEP_ACTION_MAX <= TD_ACD_ACTION_MAX)
		fire(acd, acd->timers.first);
	return 0;
}

// What an event names must be there before its handler runs.
enum { NEEDS_QUEUE = 1, NEEDS_AGENT = 2, NEEDS_CALL = 4 };

static const struct {
	event_fn *apply;
	unsigned needs;
} events[TD_ACD_EVENT_KIND_COUNT] = {
	[TD_ACD_QUEUE_ADD] = { queue_add, 0 },
	[TD_ACD_AGENT_ADD] = { agent_add, 0 },
	[TD_ACD_AGENT_JOIN] = { agent_join, NEEDS_AGENT | NEEDS_QUEUE },
	[TD_ACD_AGENT_LEAVE] = { agent_leave, NEEDS_AGENT | NEEDS_QUEUE },
	[TD_ACD_AGENT_LOGIN] = { agent_login, NEEDS_AGENT },
	[TD_ACD_AGENT_LOGOUT] = { agent_logout, NEEDS_AGENT },
	[TD_ACD_AGENT_AVAILABLE] = { agent_available, NEEDS_AGENT },
	[TD_ACD_AGENT_PAUSE] = { agent_pause, NEEDS_AGENT },
	[TD_ACD_AGENT_REACHABLE] = { agent_reachable, NEEDS_AGENT },
	[TD_ACD_AGENT_UNREACHABLE] = { agent_unreachable, NEEDS_AGENT },
	[TD_ACD_CALL_ENQUEUE] = { call_enqueue, NEEDS_QUEUE },
	[TD_ACD_CALL_ABANDON] = { call_abandon, NEEDS_CALL },
	[TD_ACD_OFFER_ANSWERED] = { offer_answered, NEEDS_CALL },
	[TD_ACD_OFFER_FAILED] = { offer_failed, NEEDS_CALL },
	[TD_ACD_CALL_ENDED] = { call_ended, NEEDS_CALL },
	[TD_ACD_WRAP_UP_END] = { wrap_up_end, NEEDS_AGENT },
	[TD_ACD_TIMER] = { timer, 0 },
};

static bool is_there(const struct td_acd *acd, const struct td_acd_event *event, unsigned needs)
{
	if ((needs & NEEDS_QUEUE) &&
	    (event->queue >= acd->limits.queues_max || !acd->queues[event->queue].used))
		return false;
	if ((needs & NEEDS_AGENT) &&
	    (event->agent >= acd->limits.agents_max || !acd->agents[event->agent].used))
		return false;
	return !(needs & NEEDS_CALL) ||
	       (event->call != 0 && td_acd_call_find(acd, event->call) != TD_ACD_NIL);
}

int td_acd_apply(struct td_acd *acd, const struct td_acd_event *event, uint64_t now_ms,
		 struct td_acd_actions *out)
{
	int error;

	out->count = 0;
	if ((unsigned)event->kind >= TD_ACD_EVENT_KIND_COUNT || !events[event->kind].apply)
		return -TD_EINVALID;
	if (now_ms > acd->now_ms)
		acd->now_ms = now_ms;
	if (!is_there(acd, event, events[event->kind].needs))
		return -TD_ENOT_FOUND;
	acd->out = out;
	error = events[event->kind].apply(acd, event);
	acd->out = NULL;
	TD_ASSERT(error == 0 || out->count == 0);
	return error;
}

uint64_t td_acd_next_ms(const struct td_acd *acd)
{
	return acd->timers.first == TD_ACD_NIL ? TD_ACD_NEVER
					       : acd->timer_nodes[acd->timers.first].key;
}

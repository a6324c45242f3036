// Brute force.
#include <string.h>

#include "model.h"
#include "td_assert.h"

void model_init(struct model *model)
{
	memset(model, 0, sizeof *model);
}

static struct td_acd_action *emit(struct model *m, enum td_acd_action_kind kind)
{
	struct td_acd_action *action = &m->actions[m->action_count++];

	TD_ASSERT(m->action_count <= MODEL_ACTIONS);
	*action =
		(struct td_acd_action){ .kind = kind, .queue = TD_ACD_NONE, .agent = TD_ACD_NONE };
	return action;
}

static struct model_call *call_find(struct model *m, uint64_t key)
{
	for (int i = 0; i < MODEL_CALLS; i++)
		if (m->calls[i].used && m->calls[i].key == key)
			return &m->calls[i];
	return NULL;
}

static void set_state(struct model *m, uint32_t agent, enum td_acd_agent_state state,
		      enum td_acd_reason reason)
{
	struct model_agent *a = &m->agents[agent];
	struct td_acd_action *action = emit(m, TD_ACD_AGENT_STATE);

	a->state = state;
	a->reason = state == TD_ACD_PAUSED ? reason : TD_ACD_REASON_NONE;
	a->after = TD_ACD_AVAILABLE;
	a->deadline = TD_ACD_NEVER;
	action->agent = agent;
	action->state = a->state;
	action->reason = a->reason;
}

static void set_available(struct model *m, uint32_t agent)
{
	set_state(m, agent, TD_ACD_AVAILABLE, TD_ACD_REASON_NONE);
	m->agents[agent].idle_since = m->now;
	m->agents[agent].idle_order = ++m->idle_order;
}

static bool fits(const struct model_call *c, const struct model_agent *a)
{
	return c->used && c->state == TD_ACD_CALL_WAITING && a->used &&
	       a->state == TD_ACD_AVAILABLE && a->reachable && a->serves[c->queue];
}

static bool call_before(const struct model_call *a, const struct model_call *b)
{
	return a->arrival != b->arrival ? a->arrival < b->arrival : a->key < b->key;
}

static bool agent_before(const struct model_agent *a, const struct model_agent *b)
{
	return a->idle_since != b->idle_since ? a->idle_since < b->idle_since
					      : a->idle_order < b->idle_order;
}

// The best of all pairs: the oldest call, and for it the agent idle longest.
static void match(struct model *m)
{
	struct model_call *best_call = NULL;
	struct model_agent *best_agent = NULL;
	struct td_acd_action *action;

	for (int c = 0; c < MODEL_CALLS; c++) {
		for (int a = 0; a < MODEL_AGENTS; a++) {
			struct model_call *call = &m->calls[c];
			struct model_agent *agent = &m->agents[a];

			if (!fits(call, agent))
				continue;
			if (!best_call || call_before(call, best_call) ||
			    (call == best_call && agent_before(agent, best_agent))) {
				best_call = call;
				best_agent = agent;
			}
		}
	}
	if (!best_call)
		return;
	best_call->state = TD_ACD_CALL_OFFERED;
	best_call->agent = (uint32_t)(best_agent - m->agents);
	best_call->epoch = ++m->epoch;
	best_agent->call = best_call->key;
	action = emit(m, TD_ACD_OFFER);
	action->queue = best_call->queue;
	action->agent = best_call->agent;
	action->call = best_call->key;
	action->epoch = best_call->epoch;
	action->deadline_ms = m->now + m->queues[best_call->queue].settings.offer_timeout_ms;
	action->wait_ms = m->now - best_call->arrival;
	action->idle_ms = m->now - best_agent->idle_since;
	set_state(m, best_call->agent, TD_ACD_OFFERED, TD_ACD_REASON_NONE);
	best_agent->deadline = action->deadline_ms;
}

static void withdraw(struct model *m, const struct model_call *c)
{
	struct td_acd_action *action = emit(m, TD_ACD_WITHDRAW);

	action->queue = c->queue;
	action->agent = c->agent;
	action->call = c->key;
	action->epoch = c->epoch;
}

static void expire(struct model *m, struct model_call *c)
{
	struct td_acd_action *action = emit(m, TD_ACD_CALL_TIMEOUT);

	action->queue = c->queue;
	action->call = c->key;
	m->queues[c->queue].timed_out++;
	c->used = false;
}

static void lose_agent(struct model *m, struct model_call *c)
{
	m->agents[c->agent].call = 0;
	c->state = TD_ACD_CALL_WAITING;
	c->agent = TD_ACD_NONE;
	if (c->wait_until <= m->now)
		expire(m, c);
}

// A pause, a log-out or a return that does not have to wait for the end of a call.
static void go(struct model *m, uint32_t agent, enum td_acd_agent_state to,
	       enum td_acd_reason reason)
{
	struct model_agent *a = &m->agents[agent];
	struct model_call *c = a->state == TD_ACD_OFFERED ? call_find(m, a->call) : NULL;

	if (c)
		withdraw(m, c);
	if (to == TD_ACD_AVAILABLE)
		set_available(m, agent);
	else
		set_state(m, agent, to, reason);
	if (c)
		lose_agent(m, c);
}

static int agent_wish(struct model *m, const struct td_acd_event *event)
{
	struct model_agent *a = &m->agents[event->agent];
	enum td_acd_agent_state to = TD_ACD_AVAILABLE;
	bool login = event->kind == TD_ACD_AGENT_LOGIN;

	if (event->kind == TD_ACD_AGENT_LOGOUT)
		to = TD_ACD_LOGGED_OUT;
	if (event->kind == TD_ACD_AGENT_PAUSE) {
		to = TD_ACD_PAUSED;
		if (event->u.reason <= TD_ACD_REASON_NONE || event->u.reason >= TD_ACD_REASON_COUNT)
			return -TD_EINVALID;
	}
	if (a->state == TD_ACD_TALKING) {
		a->after = to;
		a->after_reason = event->u.reason;
		return 0;
	}
	if (login && a->state != TD_ACD_LOGGED_OUT)
		return 0;
	// Somebody whose phone rings is on the way to a call: "available" has come true already.
	if (to == TD_ACD_AVAILABLE && (a->state == TD_ACD_AVAILABLE || a->state == TD_ACD_OFFERED))
		return 0;
	if (to == TD_ACD_LOGGED_OUT && a->state == TD_ACD_LOGGED_OUT)
		return 0;
	go(m, event->agent, to, event->u.reason);
	return 0;
}

static uint32_t waiting_in(const struct model *m, uint32_t queue)
{
	uint32_t count = 0;

	for (int i = 0; i < MODEL_CALLS; i++)
		count += m->calls[i].used && m->calls[i].queue == queue &&
			 m->calls[i].state != TD_ACD_CALL_TALKING;
	return count;
}

uint32_t model_position(const struct model *m, uint64_t key)
{
	const struct model_call *c = call_find((struct model *)m, key);
	uint32_t before = 0;

	for (int i = 0; i < MODEL_CALLS; i++)
		before += m->calls[i].used && m->calls[i].state == TD_ACD_CALL_WAITING &&
			  m->calls[i].queue == c->queue && call_before(&m->calls[i], c);
	return before + 1;
}

static int enqueue(struct model *m, const struct td_acd_event *event)
{
	struct model_queue *q = &m->queues[event->queue];
	struct model_call *c = NULL;

	if (event->call == 0)
		return -TD_EINVALID;
	if (call_find(m, event->call))
		return -TD_EEXISTS;
	if (waiting_in(m, event->queue) >= q->settings.length_max) {
		q->refused++;
		return -TD_EFULL;
	}
	for (int i = 0; i < MODEL_CALLS && !c; i++)
		if (!m->calls[i].used)
			c = &m->calls[i];
	if (!c)
		return -TD_EFULL;
	*c = (struct model_call){
		.used = true,
		.state = TD_ACD_CALL_WAITING,
		.key = event->call,
		.arrival = event->u.arrival_ms < m->now ? event->u.arrival_ms : m->now,
		.enqueued = m->now,
		.wait_until =
			q->settings.wait_max_ms ? m->now + q->settings.wait_max_ms : TD_ACD_NEVER,
		.queue = event->queue,
		.agent = TD_ACD_NONE,
	};
	q->offered++;
	match(m);
	if (c->state == TD_ACD_CALL_WAITING) {
		struct td_acd_action *action = emit(m, TD_ACD_CALL_POSITION);

		action->queue = c->queue;
		action->call = c->key;
		action->position = model_position(m, c->key);
	}
	return 0;
}

static void drop(struct model *m, struct model_call *c, bool abandoned)
{
	struct model_queue *q = &m->queues[c->queue];
	uint64_t wait = m->now - c->enqueued;
	uint32_t agent = c->agent;

	q->removed += !abandoned;
	q->abandoned += abandoned;
	q->abandoned_in_time += abandoned && wait <= q->settings.service_level_ms;
	q->abandoned_short += abandoned && wait < TD_ACD_SHORT_ABANDON_MS;
	c->used = false;
	if (c->state != TD_ACD_CALL_OFFERED)
		return;
	withdraw(m, c);
	m->agents[agent].call = 0;
	set_state(m, agent, TD_ACD_AVAILABLE, TD_ACD_REASON_NONE); // at the old place
}

static void finish(struct model *m, struct model_call *c)
{
	struct model_agent *a = &m->agents[c->agent];
	uint64_t wrap_up = m->queues[c->queue].settings.wrap_up_ms;
	enum td_acd_agent_state after = a->after;

	c->used = false;
	a->call = 0;
	if (after != TD_ACD_AVAILABLE) {
		set_state(m, c->agent, after, a->after_reason);
	} else if (wrap_up) {
		set_state(m, c->agent, TD_ACD_WRAP_UP, TD_ACD_REASON_NONE);
		a->deadline = m->now + wrap_up;
	} else {
		set_available(m, c->agent);
	}
}

static int call_event(struct model *m, const struct td_acd_event *event)
{
	struct model_call *c = call_find(m, event->call);

	if (!c || event->call == 0)
		return -TD_ENOT_FOUND;
	if (c->state != TD_ACD_CALL_TALKING)
		drop(m, c, event->kind == TD_ACD_CALL_ABANDON);
	else if (event->kind == TD_ACD_CALL_ABANDON)
		return -TD_ESTATE;
	else
		finish(m, c);
	return 0;
}

static int offer_event(struct model *m, const struct td_acd_event *event)
{
	struct model_call *c = event->call ? call_find(m, event->call) : NULL;
	struct model_queue *q;

	if (!c)
		return -TD_ENOT_FOUND;
	if (event->kind == TD_ACD_OFFER_FAILED &&
	    (event->u.reason <= TD_ACD_REASON_NONE || event->u.reason >= TD_ACD_REASON_COUNT))
		return -TD_EINVALID;
	if (c->state != TD_ACD_CALL_OFFERED || c->agent != event->agent || c->epoch != event->epoch)
		return -TD_ESTALE;
	if (event->kind == TD_ACD_OFFER_FAILED) {
		set_state(m, event->agent, TD_ACD_PAUSED, event->u.reason);
		lose_agent(m, c);
		return 0;
	}
	q = &m->queues[c->queue];
	q->answered++;
	q->answered_in_time += m->now - c->enqueued <= q->settings.service_level_ms;
	c->state = TD_ACD_CALL_TALKING;
	set_state(m, event->agent, TD_ACD_TALKING, TD_ACD_REASON_NONE);
	return 0;
}

static int agent_event(struct model *m, const struct td_acd_event *event)
{
	struct model_agent *a = &m->agents[event->agent];

	switch (event->kind) {
	case TD_ACD_AGENT_JOIN:
	case TD_ACD_AGENT_LEAVE:
		if (event->queue >= MODEL_QUEUES || !m->queues[event->queue].used)
			return -TD_ENOT_FOUND;
		a->serves[event->queue] = event->kind == TD_ACD_AGENT_JOIN;
		return 0;
	case TD_ACD_AGENT_REACHABLE:
		if (!a->reachable && a->state == TD_ACD_AVAILABLE) {
			a->idle_since = m->now;
			a->idle_order = ++m->idle_order;
		}
		a->reachable = true;
		return 0;
	case TD_ACD_AGENT_UNREACHABLE: a->reachable = false; return 0;
	case TD_ACD_WRAP_UP_END:
		if (a->state != TD_ACD_WRAP_UP)
			return -TD_ESTATE;
		set_available(m, event->agent);
		return 0;
	case TD_ACD_AGENT_LOGIN:
	case TD_ACD_AGENT_LOGOUT:
	case TD_ACD_AGENT_AVAILABLE:
	case TD_ACD_AGENT_PAUSE: return agent_wish(m, event);
	case TD_ACD_EVENT_NONE:
	case TD_ACD_QUEUE_ADD:
	case TD_ACD_AGENT_ADD:
	case TD_ACD_CALL_ENQUEUE:
	case TD_ACD_CALL_ABANDON:
	case TD_ACD_OFFER_ANSWERED:
	case TD_ACD_OFFER_FAILED:
	case TD_ACD_CALL_ENDED:
	case TD_ACD_TIMER:
	case TD_ACD_EVENT_KIND_COUNT: break;
	}
	return -TD_EINVALID;
}

uint64_t model_next_ms(const struct model *m)
{
	uint64_t next = TD_ACD_NEVER;

	for (int i = 0; i < MODEL_CALLS; i++)
		if (m->calls[i].used && m->calls[i].state == TD_ACD_CALL_WAITING &&
		    m->calls[i].wait_until < next)
			next = m->calls[i].wait_until;
	for (int i = 0; i < MODEL_AGENTS; i++)
		if (m->agents[i].used && m->agents[i].deadline < next)
			next = m->agents[i].deadline;
	return next;
}

// One deadline: at equal times waits end before offers, and agents go by number.
static void fire(struct model *m, uint64_t deadline)
{
	for (int i = 0; i < MODEL_CALLS; i++) {
		struct model_call *c = &m->calls[i];

		if (c->used && c->state == TD_ACD_CALL_WAITING && c->wait_until == deadline) {
			expire(m, c);
			return;
		}
	}
	for (uint32_t i = 0; i < MODEL_AGENTS; i++) {
		struct model_agent *a = &m->agents[i];

		if (!a->used || a->deadline != deadline)
			continue;
		if (a->state == TD_ACD_OFFERED)
			go(m, i, TD_ACD_PAUSED, TD_ACD_REASON_NO_ANSWER);
		else
			set_available(m, i);
		match(m);
		return;
	}
}

static int add(struct model *m, const struct td_acd_event *event)
{
	const struct td_acd_queue_settings *settings = &event->u.queue;

	if (event->kind == TD_ACD_QUEUE_ADD) {
		if (event->queue >= MODEL_QUEUES || !settings->length_max ||
		    !settings->offer_timeout_ms)
			return -TD_EINVALID;
		m->queues[event->queue].used = true;
		m->queues[event->queue].settings = *settings;
		return 0;
	}
	if (event->agent >= MODEL_AGENTS)
		return -TD_EINVALID;
	if (m->agents[event->agent].used)
		return -TD_EEXISTS;
	m->agents[event->agent] = (struct model_agent){ .used = true, .deadline = TD_ACD_NEVER };
	return 0;
}

int model_apply(struct model *m, const struct td_acd_event *event, uint64_t now)
{
	int error = -TD_EINVALID;

	m->action_count = 0;
	m->now = now > m->now ? now : m->now;
	switch (event->kind) {
	case TD_ACD_QUEUE_ADD:
	case TD_ACD_AGENT_ADD: return add(m, event);
	case TD_ACD_CALL_ENQUEUE:
		if (event->queue >= MODEL_QUEUES || !m->queues[event->queue].used)
			return -TD_ENOT_FOUND;
		return enqueue(m, event);
	case TD_ACD_CALL_ABANDON:
	case TD_ACD_CALL_ENDED: error = call_event(m, event); break;
	case TD_ACD_OFFER_ANSWERED:
	case TD_ACD_OFFER_FAILED: error = offer_event(m, event); break;
	case TD_ACD_TIMER:
		while (model_next_ms(m) <= m->now)
			fire(m, model_next_ms(m));
		return 0;
	case TD_ACD_EVENT_NONE:
	case TD_ACD_EVENT_KIND_COUNT: break;
	case TD_ACD_AGENT_JOIN:
	case TD_ACD_AGENT_LEAVE:
	case TD_ACD_AGENT_LOGIN:
	case TD_ACD_AGENT_LOGOUT:
	case TD_ACD_AGENT_AVAILABLE:
	case TD_ACD_AGENT_PAUSE:
	case TD_ACD_AGENT_REACHABLE:
	case TD_ACD_AGENT_UNREACHABLE:
	case TD_ACD_WRAP_UP_END:
		if (event->agent >= MODEL_AGENTS || !m->agents[event->agent].used)
			return -TD_ENOT_FOUND;
		error = agent_event(m, event);
		break;
	}
	if (!error)
		match(m);
	return error;
}

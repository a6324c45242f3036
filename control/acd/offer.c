// Offers, made and ended.
#include "acd/offer.h"
#include "acd/agent.h"
#include "acd/call.h"
#include "acd/match.h"
#include "acd/timer.h"
#include "td_assert.h"

// Steps that the caller knows to be possible.
static void step_agent(struct td_acd *acd, uint32_t agent, enum td_acd_agent_input input,
		       enum td_acd_reason reason)
{
	TD_ASSERT(td_acd_agent_step(acd, agent, input, reason)->kind == TD_FSM_MOVE);
}

static void step_call(struct td_acd *acd, uint32_t call, enum td_acd_call_input input)
{
	TD_ASSERT(td_acd_call_step(acd, call, input)->kind == TD_FSM_MOVE);
}

static void make_offer(struct td_acd *acd, uint32_t call, uint32_t agent)
{
	struct td_acd_call *c = &acd->calls[call];
	struct td_acd_agent *a = &acd->agents[agent];
	uint64_t deadline_ms = td_acd_after(acd, acd->queues[c->queue].settings.offer_timeout_ms);

	TD_ASSERT(a->call == TD_ACD_NIL && c->agent == TD_ACD_NIL);
	step_call(acd, call, TD_ACD_CALL_IN_OFFER);
	step_agent(acd, agent, TD_ACD_IN_OFFER, TD_ACD_REASON_NONE);
	c->agent = agent;
	c->epoch = ++acd->epoch;
	a->call = call;
	td_acd_timer_arm(acd, td_acd_timer_of_agent(acd, agent), deadline_ms);
	td_acd_emit(acd, &(struct td_acd_action){
				 .kind = TD_ACD_OFFER,
				 .queue = c->queue,
				 .agent = agent,
				 .call = c->key,
				 .epoch = c->epoch,
				 .deadline_ms = deadline_ms,
				 .wait_ms = acd->now_ms - c->arrival_ms,
				 .idle_ms = acd->now_ms - a->idle_since_ms,
			 });
}

void td_acd_offer_call(struct td_acd *acd, uint32_t call)
{
	uint32_t agent = td_acd_match_agent(acd, acd->calls[call].queue);

	if (agent != TD_ACD_NIL)
		make_offer(acd, call, agent);
}

void td_acd_offer_agent(struct td_acd *acd, uint32_t agent)
{
	uint32_t call;

	if (!td_acd_order_has(acd->idle_nodes, agent))
		return;
	call = td_acd_match_call(acd, acd->agents[agent].group);
	if (call != TD_ACD_NIL)
		make_offer(acd, call, agent);
}

int td_acd_offer_check(const struct td_acd *acd, uint32_t call, uint32_t agent, uint64_t epoch)
{
	const struct td_acd_call *c = &acd->calls[call];

	return c->state == TD_ACD_CALL_OFFERED && c->agent == agent && c->epoch == epoch
		       ? 0
		       : -TD_ESTALE;
}

void td_acd_offer_answered(struct td_acd *acd, uint32_t call)
{
	struct td_acd_call *c = &acd->calls[call];
	struct td_acd_queue *q = &acd->queues[c->queue];
	uint64_t wait_ms = acd->now_ms - c->enqueued_ms;

	step_call(acd, call, TD_ACD_CALL_IN_ANSWERED);
	step_agent(acd, c->agent, TD_ACD_IN_ANSWERED, TD_ACD_REASON_NONE);
	acd->agents[c->agent].answered++;
	q->answered++;
	q->answered_in_time += wait_ms <= q->settings.service_level_ms;
	q->answered_wait_ms += wait_ms;
	if (wait_ms > q->answered_wait_max_ms)
		q->answered_wait_max_ms = wait_ms;
}

void td_acd_offer_withdraw(struct td_acd *acd, uint32_t call)
{
	const struct td_acd_call *c = &acd->calls[call];

	td_acd_emit(acd, &(struct td_acd_action){
				 .kind = TD_ACD_WITHDRAW,
				 .queue = c->queue,
				 .agent = c->agent,
				 .call = c->key,
				 .epoch = c->epoch,
			 });
}

void td_acd_offer_return(struct td_acd *acd, uint32_t call)
{
	step_call(acd, call, TD_ACD_CALL_IN_RETURN);
	if (acd->calls[call].wait_until_ms <= acd->now_ms)
		td_acd_offer_expire(acd, call);
	else
		td_acd_offer_call(acd, call);
}

void td_acd_offer_failed(struct td_acd *acd, uint32_t call, enum td_acd_reason reason)
{
	uint32_t agent = acd->calls[call].agent;

	acd->agents[agent].call = TD_ACD_NIL;
	acd->agents[agent].failed++;
	step_agent(acd, agent, TD_ACD_IN_FAILED, reason);
	td_acd_offer_return(acd, call);
}

static void count_lost(struct td_acd *acd, const struct td_acd_call *c, bool abandoned)
{
	struct td_acd_queue *q = &acd->queues[c->queue];
	uint64_t wait_ms = acd->now_ms - c->enqueued_ms;

	if (!abandoned) {
		q->removed++;
		return;
	}
	q->abandoned++;
	q->abandoned_in_time += wait_ms <= q->settings.service_level_ms;
	q->abandoned_short += wait_ms < TD_ACD_SHORT_ABANDON_MS;
}

void td_acd_offer_drop(struct td_acd *acd, uint32_t call, bool abandoned)
{
	const struct td_acd_call *c = &acd->calls[call];
	uint32_t agent = c->agent;

	count_lost(acd, c, abandoned);
	if (agent != TD_ACD_NIL)
		td_acd_offer_withdraw(acd, call);
	step_call(acd, call, abandoned ? TD_ACD_CALL_IN_ABANDON : TD_ACD_CALL_IN_END);
	if (agent == TD_ACD_NIL)
		return;
	acd->agents[agent].call = TD_ACD_NIL;
	step_agent(acd, agent, TD_ACD_IN_WITHDRAWN, TD_ACD_REASON_NONE);
	td_acd_offer_agent(acd, agent);
}

void td_acd_offer_finish(struct td_acd *acd, uint32_t call)
{
	uint64_t wrap_up_ms = acd->queues[acd->calls[call].queue].settings.wrap_up_ms;
	uint32_t agent = acd->calls[call].agent;
	struct td_acd_agent *a = &acd->agents[agent];

	step_call(acd, call, TD_ACD_CALL_IN_END);
	a->call = TD_ACD_NIL;
	if (a->after_call == TD_ACD_LOGGED_OUT) {
		step_agent(acd, agent, TD_ACD_IN_END_LOGOUT, TD_ACD_REASON_NONE);
	} else if (a->after_call == TD_ACD_PAUSED) {
		step_agent(acd, agent, TD_ACD_IN_END_PAUSE, a->after_reason);
	} else if (wrap_up_ms) {
		step_agent(acd, agent, TD_ACD_IN_END_WRAP, TD_ACD_REASON_NONE);
		td_acd_timer_arm(acd, td_acd_timer_of_agent(acd, agent),
				 td_acd_after(acd, wrap_up_ms));
	} else {
		step_agent(acd, agent, TD_ACD_IN_END_READY, TD_ACD_REASON_NONE);
		td_acd_offer_agent(acd, agent);
	}
}

void td_acd_offer_expire(struct td_acd *acd, uint32_t call)
{
	const struct td_acd_call *c = &acd->calls[call];

	acd->queues[c->queue].timed_out++;
	td_acd_emit(acd, &(struct td_acd_action){
				 .kind = TD_ACD_CALL_TIMEOUT,
				 .queue = c->queue,
				 .agent = TD_ACD_NONE,
				 .call = c->key,
			 });
	step_call(acd, call, TD_ACD_CALL_IN_EXPIRE);
}

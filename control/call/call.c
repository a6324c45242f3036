// Stepping a call's machine.
#include "call/call.h"

#include <stdio.h>
#include <string.h>

#include "call/cause.h"
#include "call/manager.h"
#include "td_assert.h"
#include "td_log.h"

#define GREETING_GRACE_MS 5000 // beyond its length: then its end event is taken as lost

struct td_call *td_call_create(struct td_calls *calls, struct td_trunk *trunk, uint32_t queue)
{
	uint32_t idx = td_slots_take(&calls->call_slots);
	struct td_call *call;

	if (idx == TD_SLOT_NONE)
		return NULL;
	call = &calls->calls[idx];
	memset(call, 0, offsetof(struct td_call, records));
	call->calls = calls;
	call->idx = idx;
	call->state = TD_CALL_PREPARING;
	call->guard.kind = TD_ALARM_CALL_GUARD;
	td_timer_init(&call->guard.timer);
	td_media_init(&call->media, calls, call, NULL);
	calls->next_number++;
	call->key = calls->next_number << TD_CALL_SLOT_BITS | idx;
	snprintf(call->id, sizeof call->id, "c%llu", (unsigned long long)calls->next_number);
	call->trunk = trunk;
	call->queue = queue;
	call->agent_idx = TD_LEG_AGENT_NONE;
	call->setup_ms = calls->now_ms;
	call->setup_utc_ms = td_calls_wall_ms(calls);
	call->record_count = 0;
	call->offer_bytes = 0;
	if (trunk) {
		trunk->calls_now++;
		trunk->calls_total++;
	}
	calls->stats.calls_total++;
	if (calls->call_slots.used > calls->stats.calls_peak)
		calls->stats.calls_peak = calls->call_slots.used;
	return call;
}

struct td_call *td_call_find(struct td_calls *calls, uint64_t key)
{
	uint32_t idx = (uint32_t)(key & ((1u << TD_CALL_SLOT_BITS) - 1u));

	if (!td_slots_live(&calls->call_slots, idx) || calls->calls[idx].key != key)
		return NULL;
	return &calls->calls[idx];
}

void td_call_post(struct td_calls *calls, struct td_call *call, enum td_call_event event)
{
	td_post_call(calls, (struct td_post){ .event = (uint8_t)event,
					      .ref = td_slots_ref(&calls->call_slots, call->idx) });
}

void td_call_hangup(struct td_calls *calls, struct td_call *call, enum td_cause cause)
{
	if (call->cause == TD_CAUSE_NONE)
		call->cause = cause;
	td_call_post(calls, call, TD_CALL_HANGUP);
}

void td_call_leg_gone(struct td_calls *calls, struct td_call *call, struct td_leg *leg)
{
	enum td_call_event event = TD_CALL_PARTY;

	if (leg == call->caller)
		event = TD_CALL_CALLER_GONE;
	else if (leg->party.role == TD_PARTY_AGENT)
		event = TD_CALL_AGENT_GONE;
	td_features_gone(calls, leg);
	td_post_call(calls, (struct td_post){
				    .event = (uint8_t)event,
				    .ref = td_slots_ref(&calls->call_slots, call->idx),
				    .leg_ref = td_leg_ref(calls, leg),
				    .cause = leg->cause,
			    });
}

void td_call_leg_up(struct td_calls *calls, struct td_call *call, struct td_leg *leg)
{
	enum td_call_event event = TD_CALL_PARTY;

	if (leg == call->caller)
		event = TD_CALL_CALLER_UP;
	else if (leg->party.role == TD_PARTY_AGENT)
		event = TD_CALL_AGENT_UP;
	td_features_up(calls, leg);
	td_post_call(calls, (struct td_post){
				    .event = (uint8_t)event,
				    .ref = td_slots_ref(&calls->call_slots, call->idx),
				    .leg_ref = td_leg_ref(calls, leg),
			    });
}

static void greet(struct td_calls *calls, struct td_call *call)
{
	const struct td_queue_prompts *prompts = &calls->prompts[call->queue];

	call->answer_utc_ms = call->caller ? call->caller->answer_utc_ms : td_calls_wall_ms(calls);
	if (prompts->greeting == TD_MEDIA_NO_PROMPT) {
		td_call_post(calls, call, TD_CALL_GREETING_OVER);
		return;
	}
	td_wheel_arm(&calls->wheel, &call->guard.timer,
		     calls->now_ms + prompts->greeting_ms + GREETING_GRACE_MS);
}

static void enqueue(struct td_calls *calls, struct td_call *call)
{
	const struct td_acd_event event = {
		.kind = TD_ACD_CALL_ENQUEUE,
		.call = call->key,
		.queue = call->queue,
		.u.arrival_ms = call->setup_ms,
	};
	int error;

	call->in_acd = true;
	error = td_acd_tell(calls, &event);
	if (error == 0)
		return;
	call->in_acd = false;
	if (call->cause == TD_CAUSE_NONE)
		call->cause = TD_CAUSE_QUEUE_FULL;
	td_call_post(calls, call, TD_CALL_QUEUE_REFUSED);
}

static void unring(struct td_calls *calls, struct td_call *call)
{
	bool late = calls->now_ms >= call->offer_deadline_ms;

	if (call->agent)
		td_leg_hangup(calls, call->agent, late ? TD_CAUSE_NO_ANSWER : TD_CAUSE_WITHDRAWN);
	call->agent = NULL;
	call->agent_ref = 0;
	call->agent_idx = TD_LEG_AGENT_NONE;
}

static void offer_failed(struct td_calls *calls, struct td_call *call, enum td_cause cause)
{
	const struct td_acd_event event = {
		.kind = TD_ACD_OFFER_FAILED,
		.call = call->key,
		.agent = call->agent_idx,
		.epoch = call->epoch,
		.u.reason = td_cause_acd_reason(cause),
	};

	call->agent = NULL;
	call->agent_ref = 0;
	call->agent_idx = TD_LEG_AGENT_NONE;
	// Stale: the ACD has withdrawn it at the same moment, and says so in a post that follows.
	if (td_acd_tell(calls, &event) != 0)
		td_trace("offer failed, stale", call->key, call->epoch);
}

// The ACD's consent comes first: an offer that it has withdrawn is not answered any more.
static bool offer_answered(struct td_calls *calls, struct td_call *call)
{
	const struct td_acd_event event = {
		.kind = TD_ACD_OFFER_ANSWERED,
		.call = call->key,
		.agent = call->agent_idx,
		.epoch = call->epoch,
	};

	if (td_acd_tell(calls, &event) == 0)
		return true;
	if (call->agent)
		td_leg_hangup(calls, call->agent, TD_CAUSE_WITHDRAWN);
	return false;
}

static void connect_parties(struct td_calls *calls, struct td_call *call)
{
	call->connected = true;
	call->connect_ms = calls->now_ms;
	call->connect_utc_ms = td_calls_wall_ms(calls);
	calls->stats.calls_connected++;
}

void td_call_leave_acd(struct td_calls *calls, struct td_call *call)
{
	bool abandoned = !call->connected && (call->cause == TD_CAUSE_CALLER_ABANDONED ||
					      call->cause == TD_CAUSE_PEER_GONE ||
					      call->cause == TD_CAUSE_MEDIA_TIMEOUT);
	const struct td_acd_event event = {
		.kind = abandoned ? TD_ACD_CALL_ABANDON : TD_ACD_CALL_ENDED,
		.call = call->key,
	};

	if (!call->in_acd)
		return;
	call->in_acd = false;
	if (td_acd_tell(calls, &event) != 0)
		td_error(call->id, "the ACD does not know this call any more");
}

void td_call_let_agent_go(struct td_calls *calls, struct td_call *call)
{
	td_call_leave_acd(calls, call);
	call->agent->party.role = TD_PARTY_NONE;
	call->agent = NULL;
	call->agent_ref = 0;
}

static void end(struct td_calls *calls, struct td_call *call)
{
	call->end_utc_ms = td_calls_wall_ms(calls);
	for (uint32_t i = 0; i < call->leg_count; i++)
		td_leg_hangup(calls, call->legs[i], call->cause);
	call->agent_ref = 0;
	td_call_leave_acd(calls, call);
}

static void give_up(struct td_call *call)
{
	struct td_media *media = &call->media;

	if (media->recording.state == TD_RECORDING_CLOSING) {
		td_warn(call->id, "the recorder has not closed %s in time", media->recording.file);
		td_media_recording_over(media, true);
	}
	td_media_step(media);
}

static void release(struct td_calls *calls, struct td_call *call)
{
	TD_ASSERT(call->leg_count == 0 && call->media.context.v == 0 && !call->in_acd);
	td_record_call(calls, call);
	td_notice_call(calls, call, TD_NOTICE_CALL_ENDED);
	td_wheel_cancel(&calls->wheel, &call->guard.timer);
	td_media_cancel(&call->media);
	if (call->trunk)
		call->trunk->calls_now--;
	explicit_bzero(call->offer, call->offer_bytes); // it may hold the caller's keys
	td_slots_give(&calls->call_slots, call->idx);
}

// What a post says beyond its event, taken over before the step.
static void take_over(struct td_call *call, const struct td_post *what)
{
	enum td_cause cause = what->cause;

	if (what->event == TD_CALL_CALLER_GONE && cause == TD_CAUSE_CALLER_HANGUP &&
	    !call->connected)
		cause = TD_CAUSE_CALLER_ABANDONED;
	if (what->event == TD_CALL_WAIT_OVER) {
		call->in_acd = false;
		cause = TD_CAUSE_QUEUE_TIMEOUT;
	}
	if (what->event == TD_CALL_AGENT_GONE && call->state == TD_CALL_OFFERING &&
	    cause != TD_CAUSE_MEDIA_FAILURE)
		return;
	if (what->event == TD_CALL_PARTY)
		return; // why a supervisor has gone is not why the call ends
	if (call->cause == TD_CAUSE_NONE)
		call->cause = cause;
	if (what->event != TD_CALL_OFFER || call->state != TD_CALL_QUEUED)
		return;
	call->agent_idx = what->agent;
	call->epoch = what->epoch;
	call->offer_deadline_ms = what->deadline_ms;
	call->offer_count++;
}

// What an event means where it stands.
static uint8_t meaning(struct td_calls *calls, struct td_call *call, const struct td_post *what)
{
	// Our own trouble with the agent's media is not the agent's: the call ends.
	if (what->event == TD_CALL_AGENT_GONE && call->state == TD_CALL_OFFERING &&
	    what->cause == TD_CAUSE_MEDIA_FAILURE)
		return TD_CALL_MEDIA_LOST;
	if (what->event == TD_CALL_CALLER_UP && call->state == TD_CALL_PREPARING &&
	    call->conference)
		return TD_CALL_CONFER;
	if (call->state != TD_CALL_CONFERENCE)
		return what->event;
	// In a conference each stays for itself; the call is over with the last one.
	if (what->event == TD_CALL_AGENT_GONE) {
		td_call_leave_acd(calls, call);
		call->agent_ref = 0;
		return call->caller && call->caller->media.wanted ? TD_CALL_PARTY : what->event;
	}
	if (what->event == TD_CALL_CALLER_GONE && call->agent && call->agent->media.wanted)
		return TD_CALL_PARTY;
	return what->event;
}

// Posts that turned out to be about something that is no longer so.
static bool obsolete(struct td_calls *calls, struct td_call *call, const struct td_post *what)
{
	if (what->event != TD_CALL_AGENT_GONE && what->event != TD_CALL_AGENT_UP)
		return false;
	if (what->leg_ref != call->agent_ref)
		return true;
	return what->event == TD_CALL_AGENT_UP && call->state == TD_CALL_OFFERING &&
	       !offer_answered(calls, call);
}

static void run(struct td_calls *calls, struct td_call *call, unsigned actions,
		const struct td_post *what)
{
	if (actions & TD_CALL_DO_GREET)
		greet(calls, call);
	if (actions & TD_CALL_DO_ENQUEUE)
		enqueue(calls, call);
	if (actions & TD_CALL_DO_RING)
		td_agent_leg_start(calls, call);
	if (actions & TD_CALL_DO_UNRING)
		unring(calls, call);
	if (actions & TD_CALL_DO_FAILED)
		offer_failed(calls, call, what->cause);
	if (actions & TD_CALL_DO_CONNECT)
		connect_parties(calls, call);
	if (actions & TD_CALL_DO_CONFER)
		td_conference_take(call->conference, call);
	if (actions & TD_CALL_DO_END)
		end(calls, call);
	if (actions & TD_CALL_DO_GIVE_UP)
		give_up(call);
}

void td_call_step(struct td_calls *calls, struct td_call *call, const struct td_post *what)
{
	const struct td_fsm_state *state;
	const struct td_fsm_cell *cell;
	uint8_t before = call->state;
	uint8_t event;

	if (obsolete(calls, call, what))
		return;
	event = meaning(calls, call, what);
	if (event == TD_CALL_PARTY && what->event != event)
		td_notice_call(calls, call, TD_NOTICE_CALL_PARTY);
	else
		take_over(call, what);
	cell = td_fsm_step(&td_call_machine, &call->state, event);
	state = &td_call_machine.states[call->state];
	if (cell->kind == TD_FSM_REJECT) {
		calls->steps_rejected++;
		td_trace("call step rejected", before, event);
		return;
	}
	if (cell->kind == TD_FSM_IGNORE)
		return;
	if (cell->kind == TD_FSM_MOVE) {
		td_wheel_cancel(&calls->wheel, &call->guard.timer);
		if (state->timeout_ms)
			td_wheel_arm(&calls->wheel, &call->guard.timer,
				     calls->now_ms + state->timeout_ms);
	}
	run(calls, call, cell->action, what);
	if (cell->action & TD_CALL_DO_FREE) {
		release(calls, call);
		return;
	}
	td_call_want(calls, call);
	if (call->state != before)
		td_notice_call(calls, call, TD_NOTICE_CALL_STATE);
}

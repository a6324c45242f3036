// Stepping a leg's machine, and the two steps of its end.
#include "call/leg.h"

#include <string.h>

#include "call/cause.h"
#include "call/manager.h"
#include "td_assert.h"
#include "td_log.h"

uint64_t td_leg_ref(const struct td_calls *calls, const struct td_leg *leg)
{
	return td_slots_ref(&calls->leg_slots, leg->idx);
}

struct td_leg *td_leg_create(struct td_calls *calls, struct td_call *call, enum td_party_role role)
{
	struct td_leg *leg;
	uint32_t idx;
	bool slot;

	if (call->leg_count == TD_CALL_LEG_MAX)
		return NULL;
	idx = td_slots_take(&calls->leg_slots);
	if (idx == TD_SLOT_NONE)
		return NULL;
	leg = &calls->legs[idx];
	memset(leg, 0, sizeof *leg);
	leg->idx = idx;
	leg->call = call;
	leg->state = TD_LEG_NEW;
	leg->agent = TD_LEG_AGENT_NONE;
	leg->guard.kind = TD_ALARM_LEG_GUARD;
	leg->setup_utc_ms = td_calls_wall_ms(calls);
	td_timer_init(&leg->guard.timer);
	td_sdp_session_init(&leg->sdp, td_token_next(&calls->tokens) >> 2);
	call->legs[call->leg_count++] = leg;
	leg->party = td_party_make(role);
	leg->recorded_role = (uint8_t)role;
	td_list_init(&leg->media.member);
	td_list_init(&leg->media.work);
	// A call has as many slots as legs.
	slot = td_media_take_slot(&call->media, leg);
	TD_ASSERT(slot);
	td_media_enter(&call->media, leg);
	return leg;
}

static void detach(struct td_call *call, struct td_leg *leg)
{
	td_media_enter(NULL, leg);
	td_media_give_slot(&call->media, leg);
	for (uint32_t i = 0; i < call->leg_count; i++) {
		if (call->legs[i] != leg)
			continue;
		call->legs[i] = call->legs[--call->leg_count];
		break;
	}
	if (call->caller == leg)
		call->caller = NULL;
	if (call->agent == leg)
		call->agent = NULL;
	leg->call = NULL;
}

void td_leg_settle(struct td_calls *calls, struct td_leg *leg)
{
	struct td_call *call = leg->call;

	if (td_leg_state_alive((enum td_leg_state)leg->state) || leg->state == TD_LEG_NEW)
		return;
	if (call) {
		struct td_media *room = leg->media.room;

		if (leg->media.stream.v != 0 || td_media_leg_busy(leg))
			return;
		td_record_leg(call, leg);
		detach(call, leg);
		// The contexts may have waited for this leg only.
		if (room->conference)
			td_conference_want(room->conference);
		td_media_step(&call->media);
	}
	if (leg->state != TD_LEG_ENDED)
		return;
	td_wheel_cancel(&calls->wheel, &leg->guard.timer);
	td_leg_keys_erase(&leg->keys);
	explicit_bzero(&leg->local, sizeof leg->local);
	explicit_bzero(&leg->agreed, sizeof leg->agreed);
	td_slots_give(&calls->leg_slots, leg->idx);
}

// The cause that an event means by itself, when nobody has said a better one.
static enum td_cause cause_of(const struct td_leg *leg, enum td_leg_event event)
{
	switch (event) {
	case TD_LEG_MEDIA_FAILED: return TD_CAUSE_MEDIA_FAILURE;
	case TD_LEG_BAD_ANSWER:
	case TD_LEG_BAD_ACK: return TD_CAUSE_NO_CODEC;
	case TD_LEG_REFUSAL: return td_cause_of_refusal(leg->status);
	case TD_LEG_NO_RESPONSE: return TD_CAUSE_UNREACHABLE;
	case TD_LEG_NO_ACK: return TD_CAUSE_NO_ACK;
	case TD_LEG_CANCEL: return TD_CAUSE_CALLER_CANCELLED;
	case TD_LEG_BYE:
		if (leg->party.role != TD_PARTY_CALLER && leg->party.role != TD_PARTY_AGENT)
			return TD_CAUSE_SUPERVISOR_HANGUP;
		return leg->outbound ? TD_CAUSE_AGENT_HANGUP : TD_CAUSE_CALLER_HANGUP;
	case TD_LEG_PEER_GONE: return TD_CAUSE_PEER_GONE;
	case TD_LEG_GUARD:
		if (leg->state == TD_LEG_UP)
			return TD_CAUSE_MAX_DURATION;
		return leg->state == TD_LEG_RINGING || leg->state == TD_LEG_CALLING
			       ? TD_CAUSE_NO_ANSWER
			       : TD_CAUSE_MEDIA_FAILURE;
	case TD_LEG_START_IN:
	case TD_LEG_START_OUT:
	case TD_LEG_READY:
	case TD_LEG_RETRY:
	case TD_LEG_PROVISIONAL:
	case TD_LEG_ANSWER:
	case TD_LEG_ACK:
	case TD_LEG_BYE_DONE:
	case TD_LEG_HANGUP:
	case TD_LEG_EVENT_COUNT: break;
	}
	return TD_CAUSE_NONE;
}

static void run_sip(struct td_calls *calls, struct td_leg *leg, unsigned actions)
{
	if (actions & TD_LEG_DO_ANSWER)
		td_leg_send_answer(calls, leg);
	if (actions & TD_LEG_DO_REFUSE)
		td_leg_send_refusal(calls, leg);
	if (actions & TD_LEG_DO_INVITE)
		td_leg_send_invite(calls, leg);
	if (actions & TD_LEG_DO_ACK)
		td_leg_send_ack(calls, leg);
	if (actions & TD_LEG_DO_CANCEL)
		td_leg_send_cancel(calls, leg);
	if (actions & TD_LEG_DO_BYE)
		td_leg_send_bye(calls, leg);
}

static void run_call(struct td_calls *calls, struct td_leg *leg, unsigned actions)
{
	if (actions & TD_LEG_DO_PREPARE) {
		leg->media.wanted = true;
		td_media_touch(leg);
		td_media_step(leg->media.room);
	}
	if (actions & TD_LEG_DO_RING && leg->ring_utc_ms == 0)
		leg->ring_utc_ms = td_calls_wall_ms(calls);
	if (actions & TD_LEG_TELL_UP)
		td_call_leg_up(calls, leg->call, leg);
	if (actions & TD_LEG_TELL_GONE) {
		struct td_call *call = leg->call;

		leg->end_utc_ms = td_calls_wall_ms(calls);
		leg->media.wanted = false;
		td_media_touch(leg);
		td_call_leg_gone(calls, call, leg);
		td_media_step(leg->media.room);
		if (leg->media.room != &call->media)
			td_media_step(&call->media);
	}
}

void td_leg_step(struct td_calls *calls, struct td_leg *leg, enum td_leg_event event)
{
	enum td_cause cause = cause_of(leg, event);
	bool was_alive = td_leg_state_alive((enum td_leg_state)leg->state);
	uint8_t before = leg->state;
	const struct td_fsm_cell *cell = td_fsm_step(&td_leg_machine, &leg->state, event);
	const struct td_fsm_state *state = &td_leg_machine.states[leg->state];

	if (cell->kind == TD_FSM_REJECT) {
		calls->steps_rejected++;
		td_trace("leg step rejected", before, event);
		return;
	}
	if (cell->kind == TD_FSM_IGNORE)
		return;
	if (leg->cause == TD_CAUSE_NONE && was_alive && (cell->action & TD_LEG_TELL_GONE))
		leg->cause = cause;
	if (cell->kind == TD_FSM_MOVE) {
		td_wheel_cancel(&calls->wheel, &leg->guard.timer);
		if (state->guarded)
			td_wheel_arm(&calls->wheel, &leg->guard.timer,
				     calls->now_ms + state->timeout_ms);
	}
	run_sip(calls, leg, cell->action);
	run_call(calls, leg, cell->action);
	td_leg_settle(calls, leg);
}

void td_leg_hangup(struct td_calls *calls, struct td_leg *leg, enum td_cause cause)
{
	// One that is only just made starts before it gets this.
	if (!td_leg_state_alive((enum td_leg_state)leg->state) && leg->state != TD_LEG_NEW)
		return;
	td_leg_post_cause(calls, leg, TD_LEG_HANGUP, cause);
}

void td_leg_post_cause(struct td_calls *calls, struct td_leg *leg, enum td_leg_event event,
		       enum td_cause cause)
{
	if (leg->cause == TD_CAUSE_NONE)
		leg->cause = cause;
	td_post_leg(calls, leg, event);
}

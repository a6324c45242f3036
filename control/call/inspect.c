// Copying out what others may see, and doing the few things they may ask for.
#include "call/inspect.h"

#include <string.h>

#include "acd/inspect.h"
#include "call/manager.h"

void td_inspect_put(char *out, size_t out_bytes, const char *text)
{
	size_t len = text ? strnlen(text, out_bytes - 1) : 0;

	if (len > 0)
		memcpy(out, text, len);
	out[len] = '\0';
}

// Monotonic to UTC, by where both clocks are now.
static uint64_t to_utc_ms(const struct td_calls *calls, uint64_t monotonic_ms)
{
	return td_calls_wall_ms(calls) - (calls->now_ms - monotonic_ms);
}

void td_call_describe_origin(const struct td_calls *calls, const struct td_call *call,
			     char trunk[TD_CALL_NAME_MAX], char queue[TD_CALL_NAME_MAX])
{
	td_inspect_put(trunk, TD_CALL_NAME_MAX, call->trunk ? call->trunk->config->name : NULL);
	td_inspect_put(queue, TD_CALL_NAME_MAX,
		       call->queue == TD_CALL_QUEUE_NONE ? NULL
							 : calls->config->queues[call->queue].name);
}

void td_leg_describe(const struct td_calls *calls, const struct td_call *call,
		     const struct td_leg *leg, struct td_call_leg_info *out)
{
	if (!leg)
		return;
	out->present = true;
	td_inspect_put(out->state, sizeof out->state,
		       td_fsm_state_name(&td_leg_machine, leg->state));
	td_inspect_put(out->party, sizeof out->party,
		       leg->outbound ? calls->config->agents[leg->agent].id : call->caller_name);
	td_inspect_put(out->role, sizeof out->role,
		       td_party_role_name((enum td_party_role)leg->party.role));
	out->on_hold = leg->party.on_hold;
	out->muted = leg->party.muted;
	out->deaf = leg->party.deaf;
	out->talk_q12 = leg->party.talk_q12;
	out->hear_q12 = leg->party.hear_q12;
	out->stream = leg->media.stream;
	out->signalling = leg->peer;
	out->local = leg->media.local;
	if (!leg->media.remote_known)
		return;
	out->codec = leg->agreed.codec;
	out->srtp = (enum td_srtp_suite)leg->agreed.srtp_tx.suite;
	out->remote = leg->agreed.remote;
	out->held = td_sdp_held(&leg->agreed);
}

void td_call_describe(struct td_calls *calls, const struct td_call *call, struct td_call_info *out)
{
	uint64_t until_ms = call->connected ? call->connect_ms : calls->now_ms;

	memset(out, 0, sizeof *out);
	td_inspect_put(out->id, sizeof out->id, call->id);
	out->key = call->key;
	out->state = (enum td_call_state)call->state;
	td_inspect_put(out->caller, sizeof out->caller, call->caller_name);
	td_inspect_put(out->called, sizeof out->called, call->called_name);
	td_call_describe_origin(calls, call, out->trunk, out->queue);
	if (call->conference)
		td_inspect_put(out->conference, sizeof out->conference, call->conference->name);
	if (call->agent_idx != TD_LEG_AGENT_NONE)
		td_inspect_put(out->agent, sizeof out->agent,
			       calls->config->agents[call->agent_idx].id);
	out->setup_utc_ms = call->setup_utc_ms;
	out->answer_utc_ms = call->answer_utc_ms;
	out->connect_utc_ms = call->connect_utc_ms;
	out->duration_ms = calls->now_ms - call->setup_ms;
	out->wait_ms = (uint32_t)(until_ms - call->setup_ms);
	out->offer_count = call->offer_count;
	out->context = call->media.context;
	td_leg_describe(calls, call, call->caller, &out->caller_leg);
	td_leg_describe(calls, call, call->agent, &out->agent_leg);
	for (uint32_t i = 0; i < call->leg_count; i++) {
		const struct td_leg *leg = call->legs[i];

		if (leg != call->caller && leg != call->agent && leg->party.role != TD_PARTY_NONE &&
		    leg->party.role != TD_PARTY_AGENT && leg->media.wanted)
			td_leg_describe(calls, call, leg, &out->others[out->other_count++]);
	}
	td_recording_describe(&call->media, &out->recording);
}

static void refresh(struct td_calls *calls)
{
	uint64_t now_ms = calls->deps.ops.now_ms(calls->deps.ops.user);

	if (now_ms > calls->now_ms)
		calls->now_ms = now_ms;
}

unsigned td_calls_foreach(struct td_calls *calls,
			  bool (*fn)(void *user, const struct td_call_info *info), void *user)
{
	struct td_call_info info;
	unsigned count = 0;

	refresh(calls);
	for (uint32_t i = 0; i < calls->call_slots.count; i++) {
		if (!td_slots_live(&calls->call_slots, i))
			continue;
		td_call_describe(calls, &calls->calls[i], &info);
		count++;
		if (!fn(user, &info))
			break;
	}
	return count;
}

struct td_call *td_call_by_id(struct td_calls *calls, const char *id)
{
	for (uint32_t i = 0; i < calls->call_slots.count; i++) {
		if (td_slots_live(&calls->call_slots, i) && strcmp(calls->calls[i].id, id) == 0)
			return &calls->calls[i];
	}
	return NULL;
}

int td_calls_get(struct td_calls *calls, const char *id, struct td_call_info *out)
{
	const struct td_call *call = td_call_by_id(calls, id);

	if (!call)
		return -TD_ENOT_FOUND;
	refresh(calls);
	td_call_describe(calls, call, out);
	return 0;
}

int td_calls_hangup(struct td_calls *calls, const char *id, enum td_cause cause)
{
	struct td_call *call = td_call_by_id(calls, id);

	if (!call)
		return -TD_ENOT_FOUND;
	if (call->state == TD_CALL_ENDING)
		return -TD_ESTATE;
	td_turn_begin(calls);
	td_call_hangup(calls, call, cause);
	td_turn_end(calls);
	return 0;
}

unsigned td_calls_agent_count(const struct td_calls *calls)
{
	return calls->config->agents_count;
}

void td_agent_describe(struct td_calls *calls, uint32_t agent, struct td_agent_info *out)
{
	const struct td_config_agent *config = &calls->config->agents[agent];
	const struct td_contact *contact = td_registrar_contact(&calls->registrar, agent);
	struct td_acd_agent_info info;
	const struct td_call *call;

	memset(out, 0, sizeof *out);
	td_inspect_put(out->id, sizeof out->id, config->id);
	td_inspect_put(out->name, sizeof out->name, config->name);
	if (contact) {
		td_inspect_put(out->contact, sizeof out->contact, contact->uri);
		out->expires_s = contact->expires_ms > calls->now_ms
					 ? (uint32_t)((contact->expires_ms - calls->now_ms) / 1000)
					 : 0;
	}
	if (td_acd_agent_get(calls->deps.acd, agent, &info) != 0)
		return;
	td_inspect_put(out->state, sizeof out->state, td_acd_agent_state_name(info.state));
	if (info.state == TD_ACD_PAUSED)
		td_inspect_put(out->reason, sizeof out->reason,
			       info.reason == TD_ACD_REASON_AGENT && calls->pauses[agent].text[0]
				       ? calls->pauses[agent].text
				       : td_acd_reason_name(info.reason));
	out->since_utc_ms = to_utc_ms(calls, info.since_ms);
	out->reachable = info.reachable;
	out->calls_answered = (uint32_t)info.answered;
	call = info.call ? td_call_find(calls, info.call) : NULL;
	if (call)
		td_inspect_put(out->call, sizeof out->call, call->id);
}

int td_calls_agent_at(struct td_calls *calls, unsigned idx, struct td_agent_info *out)
{
	if (idx >= calls->config->agents_count)
		return -TD_ENOT_FOUND;
	refresh(calls);
	td_agent_describe(calls, idx, out);
	return 0;
}

int td_calls_agent_get(struct td_calls *calls, const char *id, struct td_agent_info *out)
{
	int idx = td_registrar_find(&calls->registrar, id);

	return idx < 0 ? idx : td_calls_agent_at(calls, (unsigned)idx, out);
}

int td_calls_agent_set_state(struct td_calls *calls, const char *id, enum td_agent_wish wish,
			     const char *reason)
{
	static const enum td_acd_event_kind kinds[] = {
		[TD_AGENT_WISH_LOGIN] = TD_ACD_AGENT_LOGIN,
		[TD_AGENT_WISH_LOGOUT] = TD_ACD_AGENT_LOGOUT,
		[TD_AGENT_WISH_AVAILABLE] = TD_ACD_AGENT_AVAILABLE,
		[TD_AGENT_WISH_PAUSE] = TD_ACD_AGENT_PAUSE,
	};
	struct td_acd_event event = { .u.reason = TD_ACD_REASON_AGENT };
	char before[TD_CALL_NAME_MAX];
	int idx = td_registrar_find(&calls->registrar, id);
	int error;

	if (idx < 0)
		return idx;
	event.kind = kinds[wish];
	event.agent = (uint32_t)idx;
	td_turn_begin(calls);
	memcpy(before, calls->pauses[idx].text, sizeof before);
	// Set first: the notice that the ACD's answer makes shows it.
	td_inspect_put(calls->pauses[idx].text, sizeof calls->pauses[idx].text,
		       wish == TD_AGENT_WISH_PAUSE ? reason : NULL);
	error = td_acd_tell(calls, &event);
	if (error)
		memcpy(calls->pauses[idx].text, before, sizeof before);
	td_turn_end(calls);
	return error ? -TD_ESTATE : 0;
}

unsigned td_calls_trunk_count(const struct td_calls *calls)
{
	return calls->trunks.count;
}

void td_trunk_describe(const struct td_trunk *trunk, struct td_trunk_info *out)
{
	memset(out, 0, sizeof *out);
	td_inspect_put(out->name, sizeof out->name, trunk->config->name);
	out->peer = trunk->config->peer_parsed;
	out->state = trunk->state;
	out->rtt_ms = trunk->rtt_ms;
	out->calls_now = trunk->calls_now;
	out->calls_total = trunk->calls_total;
}

int td_calls_trunk_at(struct td_calls *calls, unsigned idx, struct td_trunk_info *out)
{
	if (idx >= calls->trunks.count)
		return -TD_ENOT_FOUND;
	td_trunk_describe(&calls->trunks.items[idx], out);
	return 0;
}

void td_calls_get_stats(const struct td_calls *calls, struct td_calls_stats *out)
{
	struct td_sip_figures sip;

	*out = calls->stats;
	out->calls_now = calls->call_slots.used;
	out->legs_now = calls->leg_slots.used;
	out->registrations_now = calls->registrar.slots.used;
	out->registrations = calls->registrar.accepted;
	out->registrations_refused = calls->registrar.refused;
	td_sip_endpoint_figures(calls->sip, &sip);
	out->sip_rx = sip.counters[TD_SIP_COUNT_DATAGRAMS_IN];
	out->sip_tx = sip.counters[TD_SIP_COUNT_DATAGRAMS_OUT];
	out->sip_dropped = sip.counters[TD_SIP_COUNT_MALFORMED_DROPPED] +
			   sip.counters[TD_SIP_COUNT_RESPONSES_STRAY] +
			   sip.counters[TD_SIP_COUNT_ACKS_STRAY];
	out->sip_retransmissions = sip.counters[TD_SIP_COUNT_RETRANSMITS_OUT];
	out->rejected_overload += sip.counters[TD_SIP_COUNT_SHED];
}

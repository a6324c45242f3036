// What the SIP endpoint reports, sorted to legs, registrar, trunks and new calls.
#include <stdio.h>
#include <string.h>

#include "call/manager.h"
#include "sdp/negotiate.h"
#include "td_assert.h"
#include "td_log.h"

void td_sip_retry_after(struct td_calls *calls, char out[32])
{
	// Random, so that those who were refused together do not come back together.
	snprintf(out, 32, "Retry-After: %u\r\n", 1 + td_token_below(&calls->tokens, 8));
}

void td_sip_refuse(struct td_calls *calls, struct td_sip_txn_id txn, uint16_t status,
		   const char *headers)
{
	char retry[32];
	struct td_sip_response response = { .status = status, .headers = td_str_from(headers) };
	int error;

	if (status == 503 && !headers) {
		td_sip_retry_after(calls, retry);
		response.headers = td_str_from(retry);
	}
	error = td_sip_respond(calls->sip, calls->now_ms, txn, &response);
	if (error)
		td_trace("response not sent", status, (uint64_t)-error);
}

int td_sip_body(const struct td_sip_message *msg, struct td_sdp *out)
{
	int error;

	if (msg->body.len == 0)
		return 0;
	if (!td_str_equal_nocase(msg->content_type, TD_STR("application/sdp")))
		return -TD_EUNSUPPORTED;
	error = td_sdp_parse(msg->body.at, msg->body.len, out);
	return error ? error : 1;
}

static void on_register(struct td_calls *calls, const struct td_sip_event *event)
{
	struct td_registrar_reply reply;

	if (calls->shutting_down) {
		td_sip_refuse(calls, event->txn, 503, NULL);
		return;
	}
	td_registrar_request(&calls->registrar, calls->now_ms, event->msg, &event->from, &reply);
	td_sip_refuse(calls, event->txn, reply.status, reply.headers[0] ? reply.headers : NULL);
	if (reply.agent < 0 || reply.refresh)
		return;
	td_acd_tell_agent(calls, (uint32_t)reply.agent,
			  td_registrar_contact(&calls->registrar, (uint32_t)reply.agent)
				  ? TD_ACD_AGENT_REACHABLE
				  : TD_ACD_AGENT_UNREACHABLE);
	td_notice_agent(calls, (uint32_t)reply.agent);
}

static void on_stray_request(struct td_calls *calls, const struct td_sip_event *event)
{
	if (event->dialog.v != 0) {
		// A dialog whose leg has gone: its BYE is on the way.
		td_sip_refuse(calls, event->txn, 481, NULL);
		return;
	}
	if (event->msg->method == TD_SIP_INVITE)
		td_inbound_invite(calls, event);
	else if (event->msg->method == TD_SIP_REGISTER)
		on_register(calls, event);
	else if (event->msg->method == TD_SIP_OPTIONS)
		td_sip_refuse(calls, event->txn, calls->shutting_down ? 503 : 200, NULL);
	else
		td_sip_refuse(calls, event->txn, 481, NULL);
}

static void on_leg_request(struct td_calls *calls, struct td_leg *leg,
			   const struct td_sip_event *event)
{
	enum td_sip_method method = event->msg->method;

	if (method == TD_SIP_INVITE) {
		td_reinvite(calls, leg, event);
		return;
	}
	// The endpoint lets BYE and OPTIONS pass, and refuses what we do not serve.
	td_sip_refuse(calls, event->txn,
		      method == TD_SIP_BYE || method == TD_SIP_OPTIONS ? 200 : 405, NULL);
	if (method == TD_SIP_BYE)
		td_post_leg(calls, leg, TD_LEG_BYE);
}

// The peer's answer to our offer. False: it is none that we can use, and the leg has a cause.
static bool take_answer(struct td_leg *leg, const struct td_sip_message *msg)
{
	struct td_sdp_agreed agreed;
	struct td_sdp answer;
	int error;

	if (td_sip_body(msg, &answer) != 1)
		return false;
	error = td_sdp_accept_answer(&leg->sdp, &leg->local, &answer, &agreed);
	if (error == -TD_EUNSUPPORTED && leg->cause == TD_CAUSE_NONE)
		leg->cause = td_srtp_cause(td_sdp_srtp_trouble(&leg->local, &answer));
	if (error)
		return false;
	td_leg_agree(leg, &agreed);
	explicit_bzero(&agreed, sizeof agreed);
	return true;
}

// The peer's answer to an offer that we made in a 200.
static enum td_leg_event judge_ack(struct td_calls *calls, struct td_leg *leg,
				   const struct td_sip_message *msg)
{
	if (!leg->late_offer)
		return TD_LEG_ACK;
	leg->late_offer = false;
	if (!take_answer(leg, msg))
		return TD_LEG_BAD_ACK;
	// It may have been a hold.
	if (leg->call)
		td_call_want(calls, leg->call);
	return TD_LEG_ACK;
}

static enum td_leg_event judge_answer(struct td_leg *leg, const struct td_sip_message *msg)
{
	return take_answer(leg, msg) ? TD_LEG_ANSWER : TD_LEG_BAD_ANSWER;
}

// Keys in RTP/AVP are for whoever wants them, but there are phones that want them in RTP/SAVP alone.
// Such a one is asked once more, so; who refuses that as well has refused for another reason.
static bool may_insist(const struct td_leg *leg, uint16_t status)
{
	return (status == 488 || status == 606) && !leg->insists &&
	       leg->local.srtp == TD_SDP_SRTP_PREFER;
}

static void on_invite_response(struct td_calls *calls, struct td_leg *leg,
			       const struct td_sip_event *event)
{
	uint16_t status = event->msg->status;

	if (status < 200) {
		if (status > 100)
			td_post_leg(calls, leg, TD_LEG_PROVISIONAL);
		return;
	}
	if (may_insist(leg, status)) {
		leg->insists = true;
		td_post_leg(calls, leg, TD_LEG_RETRY);
		return;
	}
	leg->status = status;
	if (status >= 300) {
		td_post_leg(calls, leg, TD_LEG_REFUSAL);
		return;
	}
	leg->dialog = event->dialog;
	td_post_leg(calls, leg, judge_answer(leg, event->msg));
}

static void on_response(struct td_calls *calls, struct td_leg *leg,
			const struct td_sip_event *event)
{
	if (event->txn.v == leg->invite.v)
		on_invite_response(calls, leg, event);
	else if (event->txn.v == leg->bye.v && event->msg->status >= 200)
		td_post_leg(calls, leg, TD_LEG_BYE_DONE);
}

static void on_timeout(struct td_calls *calls, struct td_leg *leg, const struct td_sip_event *event)
{
	if (event->txn.v == leg->bye.v) {
		td_post_leg(calls, leg, TD_LEG_BYE_DONE);
	} else if (event->txn.v == leg->invite.v) {
		leg->status = 408;
		td_post_leg(calls, leg, TD_LEG_NO_RESPONSE);
	}
}

static void on_leg_event(struct td_calls *calls, struct td_leg *leg,
			 const struct td_sip_event *event)
{
	switch (event->kind) {
	case TD_SIP_EVENT_REQUEST: on_leg_request(calls, leg, event); break;
	case TD_SIP_EVENT_CANCELLED:
		if (event->txn.v == leg->invite.v)
			leg->status = 487;
		td_post_leg(calls, leg, TD_LEG_CANCEL);
		break;
	case TD_SIP_EVENT_ACK: td_post_leg(calls, leg, judge_ack(calls, leg, event->msg)); break;
	case TD_SIP_EVENT_ACK_TIMEOUT: td_post_leg(calls, leg, TD_LEG_NO_ACK); break;
	case TD_SIP_EVENT_RESPONSE: on_response(calls, leg, event); break;
	case TD_SIP_EVENT_TIMEOUT: on_timeout(calls, leg, event); break;
	case TD_SIP_EVENT_ANSWER_CROSSED:
		leg->status = 200;
		td_post_leg(calls, leg, TD_LEG_REFUSAL);
		break;
	}
}

static void sort(struct td_calls *calls, const struct td_sip_event *event)
{
	uint32_t idx;

	if (event->owner & TD_OWNER_TRUNK) {
		if (event->kind == TD_SIP_EVENT_RESPONSE && event->msg->status >= 200)
			td_trunk_ping_done(calls, event->owner, event->msg->status);
		if (event->kind == TD_SIP_EVENT_TIMEOUT)
			td_trunk_ping_done(calls, event->owner, 408);
		return;
	}
	idx = td_slots_find(&calls->leg_slots, event->owner);
	if (idx != TD_SLOT_NONE)
		on_leg_event(calls, &calls->legs[idx], event);
	else if (event->kind == TD_SIP_EVENT_REQUEST)
		on_stray_request(calls, event);
}

void td_sip_events_on(void *user, const struct td_sip_event *event)
{
	struct td_calls *calls = user;

	sort(calls, event);
	td_turn_breathe(calls);
}

// What a leg sends: each function is one action of its machine.
#include <stdio.h>
#include <string.h>

#include "call/cause.h"
#include "call/codecs.h"
#include "call/manager.h"
#include "sdp/negotiate.h"
#include "td_assert.h"
#include "td_log.h"

void td_leg_local(struct td_leg *leg)
{
	struct td_sdp_local *out = &leg->local;
	const struct td_call *call = leg->call;
	const struct td_config *config = call->calls->config;
	const struct td_leg *caller = call->caller;

	if (leg->outbound)
		td_codecs_of_agent(config, &config->agents[leg->agent],
				   caller && caller->media.remote_known ? &caller->agreed : NULL,
				   out);
	else
		td_codecs_of_trunk(config, call->trunk->config, out);
	out->rtp = leg->media.local;
	out->rtcp_mux = true;
	out->rtcp_reduced = true;
	if (out->srtp == TD_SDP_SRTP_FORBID)
		return;
	td_leg_keys_renew(&leg->keys, leg->media.remote_known
					      ? (enum td_srtp_suite)leg->agreed.srtp_tx.suite
					      : TD_SRTP_NONE);
	td_leg_keys_lend(&leg->keys, out);
}

static bool same_settings(const struct td_codec_settings *a, const struct td_codec_settings *b)
{
	return a->bitrate_bps == b->bitrate_bps && a->max_hz == b->max_hz &&
	       a->complexity == b->complexity && a->flags == b->flags &&
	       a->loss_percent == b->loss_percent;
}

static bool same_media(const struct td_sdp_agreed *a, const struct td_sdp_agreed *b)
{
	return a->codec == b->codec && a->payload_type == b->payload_type &&
	       a->payload_type_rx == b->payload_type_rx &&
	       a->event_payload_type == b->event_payload_type &&
	       a->event_payload_type_rx == b->event_payload_type_rx &&
	       a->event_clock_hz == b->event_clock_hz && a->cn_payload_type == b->cn_payload_type &&
	       a->cn_payload_type_rx == b->cn_payload_type_rx && a->ptime_ms == b->ptime_ms &&
	       a->rtcp_mux == b->rtcp_mux && a->rtcp_reduced == b->rtcp_reduced &&
	       td_endpoint_equal(&a->remote, &b->remote) &&
	       td_endpoint_equal(&a->remote_rtcp, &b->remote_rtcp) &&
	       same_settings(&a->settings, &b->settings) &&
	       td_srtp_same_master(&a->srtp_tx, &b->srtp_tx) &&
	       td_srtp_same_master(&a->srtp_rx, &b->srtp_rx);
}

void td_leg_agree(struct td_leg *leg, const struct td_sdp_agreed *agreed)
{
	// Told twice, the dataplane would open its learning window twice.
	if (!leg->media.remote_known || !same_media(&leg->agreed, agreed))
		leg->media.remote_serial++;
	leg->agreed = *agreed;
	leg->media.remote_known = true;
	if (!leg->call)
		return;
	td_media_touch(leg);
	td_media_step(leg->media.room);
}

// Our description for the 200: the answer to the stored offer, or our own offer. Length or -TD_E*.
static int describe(struct td_leg *leg, char *text, size_t text_bytes)
{
	struct td_call *call = leg->call;
	struct td_sdp_agreed agreed;
	struct td_sdp offer;
	int result;

	td_leg_local(leg);
	if (leg->late_offer)
		return td_sdp_offer(&leg->sdp, &leg->local, text, text_bytes);
	result = td_sdp_parse(call->offer, call->offer_bytes, &offer);
	if (!result)
		result = td_sdp_answer(&leg->sdp, &leg->local, &offer, &agreed, text, text_bytes);
	// What was agreed is known since the INVITE came; here it is only said.
	explicit_bzero(&agreed, sizeof agreed);
	explicit_bzero(call->offer, call->offer_bytes);
	call->offer_bytes = 0;
	return result;
}

void td_leg_send_answer(struct td_calls *calls, struct td_leg *leg)
{
	char text[TD_SDP_TEXT_MAX];
	int len = describe(leg, text, sizeof text);
	struct td_sip_response response = {
		.status = 200,
		.contact_user = td_str_from(leg->call->id),
		.content_type = TD_STR("application/sdp"),
	};
	int error = len < 0 ? len : 0;

	if (!error) {
		response.body = td_str_make(text, (size_t)len);
		error = td_sip_respond(calls->sip, calls->now_ms, leg->invite, &response);
	}
	explicit_bzero(text, sizeof text);
	if (error) {
		td_error(leg->call->id, "cannot answer the caller: %s", td_error_text(error));
		leg->cause = TD_CAUSE_OVERLOAD;
		td_leg_send_refusal(calls, leg);
		td_post_leg(calls, leg, TD_LEG_NO_ACK);
		return;
	}
	leg->status = 200;
	leg->answer_utc_ms = td_calls_wall_ms(calls);
	leg->dialog = td_sip_txn_dialog(calls->sip, leg->invite);
}

struct td_str td_reason_header(enum td_cause cause, char out[TD_REASON_MAX])
{
	snprintf(out, TD_REASON_MAX, "Reason: Q.850;cause=%u;text=\"%s\"\r\n", td_cause_q850(cause),
		 td_cause_name(cause));
	return td_str_from(out);
}

void td_leg_send_refusal(struct td_calls *calls, struct td_leg *leg)
{
	char headers[TD_REASON_MAX + 32], retry[32] = "", reason[TD_REASON_MAX];
	struct td_sip_response response = { .status = td_cause_status(leg->cause) };

	if (response.status == 503)
		td_sip_retry_after(calls, retry);
	td_reason_header(leg->cause, reason);
	snprintf(headers, sizeof headers, "%s%s", retry, reason);
	response.headers = td_str_from(headers);
	// Stale when the peer has cancelled at the same moment: it has its answer then.
	if (td_sip_respond(calls->sip, calls->now_ms, leg->invite, &response) == 0)
		leg->status = response.status;
}

static void fill_invite(struct td_calls *calls, const struct td_leg *leg,
			const struct td_contact *contact, struct td_sip_request *request)
{
	const struct td_config_agent *agent = &calls->config->agents[leg->agent];

	*request = (struct td_sip_request){
		.method = TD_SIP_INVITE,
		.owner = td_leg_ref(calls, leg),
		.dest = leg->peer,
		.uri = td_str_from(contact->uri),
		.contact_user = td_str_from(leg->call->id),
		.content_type = TD_STR("application/sdp"),
		.max_forwards = leg->call->max_forwards,
		.flags = agent->nat ? TD_SIP_SYMMETRIC : 0,
	};
}

static int try_invite(struct td_calls *calls, struct td_leg *leg)
{
	const struct td_contact *contact = td_registrar_contact(&calls->registrar, leg->agent);
	const struct td_endpoint *local =
		leg->peer.family == TD_FAMILY_IPV6 ? &calls->local6 : &calls->local4;
	char address[TD_ENDPOINT_TEXT_MAX], text[TD_SDP_TEXT_MAX];
	char from[3 * TD_CALL_PARTY_MAX], to[TD_REGISTRAR_URI_MAX + 2];
	struct td_sip_request request;
	int len, error;

	if (!contact)
		return -TD_ENOT_FOUND;
	td_leg_local(leg);
	if (leg->insists)
		leg->local.srtp = TD_SDP_SRTP_REQUIRE;
	len = td_sdp_offer(&leg->sdp, &leg->local, text, sizeof text);
	if (len < 0)
		return len;
	fill_invite(calls, leg, contact, &request);
	snprintf(from, sizeof from, "%s@%s>", leg->call->caller_from,
		 td_endpoint_text(local, address));
	snprintf(to, sizeof to, "<%s>", contact->uri);
	request.from = td_str_from(from);
	request.to = td_str_from(to);
	request.body = td_str_make(text, (size_t)len);
	error = td_sip_request_send(calls->sip, calls->now_ms, &request, &leg->invite,
				    &leg->dialog);
	explicit_bzero(text, sizeof text);
	return error;
}

static void remember_call_id(struct td_calls *calls, struct td_leg *leg)
{
	const struct td_sip_dialog *dialog = td_sip_dialog_get(calls->sip, leg->dialog);

	if (!dialog || td_str_copy(td_sip_dialog_text(dialog, dialog->call_id), leg->sip_call_id,
				   sizeof leg->sip_call_id) != 0)
		leg->sip_call_id[0] = '\0';
}

void td_leg_send_invite(struct td_calls *calls, struct td_leg *leg)
{
	int error = try_invite(calls, leg);

	if (error) {
		td_warn(leg->call->id, "cannot call agent %s: %s",
			calls->config->agents[leg->agent].id, td_error_text(error));
		td_leg_post_cause(calls, leg, TD_LEG_NO_RESPONSE,
				  error == -TD_EFULL ? TD_CAUSE_OVERLOAD : TD_CAUSE_UNREACHABLE);
		return;
	}
	if (leg->insists)
		calls->stats.srtp_retries++;
	remember_call_id(calls, leg);
}

void td_leg_send_cancel(struct td_calls *calls, struct td_leg *leg)
{
	int error = td_sip_cancel(calls->sip, calls->now_ms, leg->invite);

	// Answered already: its event is on the way. Over already: nothing will ever come.
	if (error && error != -TD_ESTATE)
		td_post_leg(calls, leg, TD_LEG_NO_RESPONSE);
}

void td_leg_send_ack(struct td_calls *calls, struct td_leg *leg)
{
	int error = td_sip_ack(calls->sip, calls->now_ms, leg->invite, TD_STR_NONE, TD_STR_NONE);

	if (error)
		td_trace("ack not sent", leg->idx, (uint64_t)-error);
	if (leg->answer_utc_ms == 0)
		leg->answer_utc_ms = td_calls_wall_ms(calls);
}

void td_leg_send_bye(struct td_calls *calls, struct td_leg *leg)
{
	char reason[TD_REASON_MAX];
	const struct td_sip_request request = {
		.method = TD_SIP_BYE,
		.dialog = leg->dialog,
		.headers = td_reason_header(leg->cause, reason),
	};
	int error = -TD_ESTALE;

	// Without a dialog it would be a request of its own.
	if (leg->dialog.v != 0)
		error = td_sip_request_send(calls->sip, calls->now_ms, &request, &leg->bye, NULL);
	if (!error)
		return;
	if (leg->dialog.v != 0)
		td_sip_dialog_drop(calls->sip, leg->dialog);
	td_post_leg(calls, leg, TD_LEG_BYE_DONE);
}

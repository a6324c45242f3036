// A new INVITE: from whom, for which queue, with which media; a call or a refusal.
#include <stdio.h>
#include <string.h>

#include "acd/inspect.h"
#include "call/cause.h"
#include "call/codecs.h"
#include "call/dialplan.h"
#include "call/manager.h"
#include "sdp/negotiate.h"
#include "td_assert.h"
#include "td_log.h"

// What an INVITE has to pass before anything is made for it.
struct invitation {
	struct td_trunk *trunk;
	uint32_t queue;                   // TD_CALL_QUEUE_NONE: for a conference
	struct td_conference *conference; // NULL: for a queue
	char called[TD_CALL_PARTY_MAX];
	bool has_offer;
	struct td_sdp_agreed agreed; // as it will be, whatever our address turns out to be
	struct td_leg_keys keys;     // with these
	enum td_cause cause;         // why it is refused, where a status alone does not say
};

// The dialled number: the user part without parameters of its own, unescaped.
static int dialled_number(const struct td_sip_message *msg, char *out, size_t out_bytes)
{
	struct td_str user = msg->request_uri.user;

	return td_sip_uri_unescape(td_str_before(user, td_str_find(user, ';')), out, out_bytes);
}

// Finds out on a copy what the answer would agree on, before the dataplane is bothered.
static int try_offer(const struct td_config *config, const struct td_sdp *offer,
		     struct invitation *invitation)
{
	const struct td_trunk *trunk = invitation->trunk;
	struct td_sdp_local local;
	struct td_sdp_session session;
	char text[TD_SDP_TEXT_MAX];
	int len;

	td_sdp_session_init(&session, 1);
	td_codecs_of_trunk(config, trunk->config, &local);
	if (local.srtp != TD_SDP_SRTP_FORBID) {
		td_leg_keys_renew(&invitation->keys, TD_SRTP_NONE);
		td_leg_keys_lend(&invitation->keys, &local);
	}
	// Any address of the family they use: only the dataplane knows which it will be.
	local.rtp = trunk->config->parsed[0];
	for (uint32_t i = 0; i < offer->media_count; i++) {
		const struct td_sdp_connection *connection = &offer->media[i].connection;

		if (offer->media[i].kind != TD_SDP_AUDIO || !connection->numeric)
			continue;
		local.rtp = connection->addr;
		break;
	}
	local.rtp.port_be = 0x0100;
	len = td_sdp_answer(&session, &local, offer, &invitation->agreed, text, sizeof text);
	explicit_bzero(text, sizeof text);
	if (len == -TD_EUNSUPPORTED)
		invitation->cause = td_srtp_cause(td_sdp_srtp_trouble(&local, offer));
	explicit_bzero(&local, sizeof local);
	return len < 0 ? len : 0;
}

static uint16_t check_offer(struct td_calls *calls, const struct td_sip_message *msg,
			    struct invitation *invitation)
{
	struct td_sdp offer;
	int has = td_sip_body(msg, &offer);

	if (has == 0)
		return 0;
	if (has > 0) {
		invitation->has_offer = true;
		if (msg->body.len > TD_CALL_OFFER_MAX)
			return 413;
		has = try_offer(calls->config, &offer, invitation);
	}
	if (has >= 0)
		return 0;
	if (has == -TD_EMALFORMED || has == -TD_ETRUNCATED || has == -TD_EVERSION)
		return 400;
	if (invitation->cause == TD_CAUSE_NONE)
		invitation->cause = TD_CAUSE_NO_CODEC;
	if (invitation->cause == TD_CAUSE_NO_CODEC)
		calls->stats.rejected_codec++;
	else
		calls->stats.rejected_srtp++;
	return 488;
}

static bool queue_full(const struct td_calls *calls, uint32_t queue)
{
	struct td_acd_queue_info info;

	if (td_acd_queue_get(calls->deps.acd, queue, calls->now_ms, &info) != 0)
		return true;
	return info.waiting >= info.settings.length_max;
}

static int find_destination(struct td_calls *calls, struct invitation *out)
{
	const struct td_config_number *row = td_dialplan_row(calls->config, out->called);
	int queue;

	if (!row)
		return -TD_ENOT_FOUND;
	out->queue = TD_CALL_QUEUE_NONE;
	if (row->conference && *row->conference) {
		out->conference = td_conference_find(calls, row->conference);
		return out->conference ? 0 : -TD_ENOT_FOUND;
	}
	queue = td_dialplan_queue(calls->config, row->queue);
	if (queue >= 0)
		out->queue = (uint32_t)queue;
	return queue < 0 ? queue : 0;
}

// 0, or the status to refuse with.
static uint16_t check(struct td_calls *calls, const struct td_sip_event *event,
		      struct invitation *out)
{
	out->trunk = td_trunks_match(&calls->trunks, &event->from);
	if (!out->trunk) {
		calls->stats.rejected_source++;
		return 403;
	}
	if (calls->shutting_down || !calls->link_up ||
	    calls->call_slots.used == calls->call_slots.count ||
	    calls->leg_slots.used == calls->leg_slots.count) {
		calls->stats.rejected_overload++;
		return 503;
	}
	if (dialled_number(event->msg, out->called, sizeof out->called) != 0) {
		calls->stats.rejected_number++;
		return 404;
	}
	if (find_destination(calls, out) != 0) {
		calls->stats.rejected_number++;
		return 404;
	}
	if (!out->conference && calls->recordings_full &&
	    calls->config->queues[out->queue].record_required) {
		calls->stats.rejected_overload++;
		return 503;
	}
	if (out->conference ? td_conference_admits(out->conference, 1) != 0
			    : queue_full(calls, out->queue)) {
		calls->stats.rejected_overload++;
		return 486;
	}
	return check_offer(calls, event->msg, out);
}

// What the agent's phone shows: display name and number, as the caller's side has written them.
// The address, ours, and the closing ">" are put behind it when the INVITE is sent.
static void take_caller(struct td_call *call, const struct td_sip_message *msg)
{
	struct td_str user = msg->from.uri.user, display = td_str_trim(msg->from.display);
	int len;

	if (td_str_empty(user))
		user = TD_STR("anonymous");
	if (td_sip_uri_unescape(user, call->caller_name, sizeof call->caller_name) != 0)
		snprintf(call->caller_name, sizeof call->caller_name, "%.*s", TD_STR_ARGS(user));
	len = snprintf(call->caller_from, sizeof call->caller_from, "%.*s%s<sip:%.*s",
		       TD_STR_ARGS(display), display.len ? " " : "", TD_STR_ARGS(user));
	if (len >= 0 && (size_t)len < sizeof call->caller_from)
		return;
	len = snprintf(call->caller_from, sizeof call->caller_from, "<sip:%.*s", TD_STR_ARGS(user));
	if (len < 0 || (size_t)len >= sizeof call->caller_from)
		snprintf(call->caller_from, sizeof call->caller_from, "<sip:anonymous");
}

static struct td_leg *make_leg(struct td_calls *calls, struct td_call *call,
			       const struct td_sip_event *event,
			       const struct invitation *invitation)
{
	struct td_leg *leg = td_leg_create(calls, call, TD_PARTY_CALLER);

	if (!leg)
		return NULL;
	call->caller = leg;
	leg->invite = event->txn;
	leg->peer = event->from;
	leg->late_offer = !invitation->has_offer;
	leg->media.learn = invitation->trunk->config->nat;
	leg->media.family = event->from.family;
	if (td_str_copy(event->msg->call_id, leg->sip_call_id, sizeof leg->sip_call_id) != 0)
		leg->sip_call_id[0] = '\0';
	if (invitation->has_offer) {
		// A held start (c=0.0.0.0) still tells the family.
		leg->media.family = invitation->agreed.remote.family
					    ? invitation->agreed.remote.family
					    : event->from.family;
		leg->agreed = invitation->agreed;
		leg->keys = invitation->keys;
		leg->media.remote_known = true;
		leg->media.remote_serial = 1;
	}
	return leg;
}

// Somebody we know cannot talk with us: the carrier's people and ours will want to know why.
static void refuse_media(struct td_calls *calls, const struct td_sip_event *event,
			 const struct invitation *invitation)
{
	char headers[TD_REASON_MAX];

	td_reason_header(invitation->cause, headers);
	td_sip_refuse(calls, event->txn, td_cause_status(invitation->cause), headers);
	td_record_refused(calls, event, invitation->trunk, invitation->queue, invitation->called,
			  invitation->cause);
}

static void take_call(struct td_calls *calls, const struct td_sip_event *event,
		      const struct invitation *invitation)
{
	struct td_call *call = td_call_create(calls, invitation->trunk, invitation->queue);
	struct td_leg *leg;

	TD_ASSERT(call);
	memcpy(call->called_name, invitation->called, sizeof call->called_name);
	call->max_forwards =
		event->msg->max_forwards > 1
			? (uint8_t)(event->msg->max_forwards > 255 ? 255
								   : event->msg->max_forwards - 1)
			: 1;
	take_caller(call, event->msg);
	if (invitation->has_offer) {
		call->offer_bytes = (uint32_t)event->msg->body.len;
		memcpy(call->offer, event->msg->body.at, event->msg->body.len);
	}
	leg = make_leg(calls, call, event, invitation);
	TD_ASSERT(leg);
	if (td_sip_txn_adopt(calls->sip, event->txn, td_leg_ref(calls, leg),
			     invitation->trunk->config->nat ? TD_SIP_SYMMETRIC : 0) != 0)
		td_trace("invite not adopted", call->key, 0);
	td_notice_call(calls, call, TD_NOTICE_CALL_NEW);
	td_post_leg(calls, leg, TD_LEG_START_IN);
	call->conference = invitation->conference;
	call->media.context_wanted = !call->conference;
	if (!call->conference)
		return;
	td_media_enter(&call->conference->media, leg);
	td_conference_want(call->conference);
}

void td_inbound_invite(struct td_calls *calls, const struct td_sip_event *event)
{
	struct invitation invitation = { .queue = TD_CALL_QUEUE_NONE };
	uint16_t status = check(calls, event, &invitation);

	if (invitation.cause != TD_CAUSE_NONE)
		refuse_media(calls, event, &invitation);
	else if (status != 0)
		td_sip_refuse(calls, event->txn, status, NULL);
	else
		take_call(calls, event, &invitation);
	td_leg_keys_erase(&invitation.keys);
	explicit_bzero(&invitation.agreed, sizeof invitation.agreed);
}

// A new offer inside a dialog: hold, resume, a moved phone (RFC 3261 section 14, RFC 3264 section 8).
#include <string.h>

#include "call/manager.h"
#include "sdp/negotiate.h"
#include "td_log.h"

static uint16_t status_of(int error)
{
	if (error == -TD_EMALFORMED || error == -TD_ETRUNCATED)
		return 400;
	return 488;
}

// Writes our description into text. Its length, or -TD_E* and everything is as before.
static int describe(struct td_leg *leg, const struct td_sip_message *msg,
		    struct td_sdp_agreed *agreed, bool *has_offer, char *text, size_t text_bytes)
{
	struct td_sdp offer;
	int has = td_sip_body(msg, &offer);

	if (has < 0)
		return has;
	*has_offer = has > 0;
	td_leg_local(leg);
	if (!*has_offer)
		return td_sdp_offer(&leg->sdp, &leg->local, text, text_bytes);
	has = td_sdp_answer(&leg->sdp, &leg->local, &offer, agreed, text, text_bytes);
	if (has < 0)
		td_info(leg->call->id, "a new offer of the %s is refused, the call goes on: %s",
			td_party_role_name((enum td_party_role)leg->party.role),
			td_cause_name(has == -TD_EUNSUPPORTED ? td_srtp_cause(td_sdp_srtp_trouble(
									&leg->local, &offer))
							      : TD_CAUSE_NO_CODEC));
	return has;
}

void td_reinvite(struct td_calls *calls, struct td_leg *leg, const struct td_sip_event *event)
{
	char text[TD_SDP_TEXT_MAX];
	struct td_sdp_agreed agreed;
	bool has_offer = false, was_held;
	int len;

	if (leg->state != TD_LEG_UP || !leg->call || leg->late_offer) {
		td_sip_refuse(calls, event->txn, leg->state == TD_LEG_UP ? 491 : 481, NULL);
		return;
	}
	len = describe(leg, event->msg, &agreed, &has_offer, text, sizeof text);
	if (len < 0) {
		td_sip_refuse(calls, event->txn, status_of(len), NULL);
		return;
	}
	len = td_sip_respond(calls->sip, calls->now_ms, event->txn,
			     &(struct td_sip_response){
				     .status = 200,
				     .contact_user = td_str_from(leg->call->id),
				     .content_type = TD_STR("application/sdp"),
				     .body = td_str_make(text, (size_t)len),
			     });
	explicit_bzero(text, sizeof text); // our key
	if (len < 0)
		return;
	if (!has_offer) {
		leg->late_offer = true; // the answer comes in the ACK
		return;
	}
	was_held = td_sdp_held(&leg->agreed);
	td_leg_agree(leg, &agreed);
	explicit_bzero(&agreed, sizeof agreed);
	td_call_want(calls, leg->call);
	if (was_held != td_sdp_held(&leg->agreed))
		td_notice_call(calls, leg->call, TD_NOTICE_CALL_STATE);
}

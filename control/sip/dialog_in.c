// Requests inside a dialog: order, conflicts, BYE (12.2.2, 14.2, 15.1.2); and the two that have no
// response of their own to wait for, ACK (13.3.1.4, 17.2.1) and CANCEL (9.2).
#include "sip/core.h"

static void acknowledged(struct td_sip_endpoint *ep, struct td_sip_txn *txn,
			 const struct td_sip_message *msg, const struct td_endpoint *from)
{
	struct td_sip_leg *leg = td_sip_leg_find(ep, txn->dialog);
	int actions = td_sip_txn_step(ep, txn, TD_SERVER_ACK);

	if (actions <= 0 || !(actions & TD_SIP_ACT_TELL))
		return;
	// An acknowledged 2xx is never repeated.
	td_sip_buffer_drop(ep, &txn->kept);
	if (leg && leg->server_invite == txn->handle) {
		leg->server_invite = 0;
		leg->dialog.peer = *from;
		if (leg->held_bye) {
			td_sip_leg_release(ep, leg);
			return; // its user has hung up already
		}
	}
	td_sip_tell(ep, TD_SIP_EVENT_ACK, txn, msg, from);
}

void td_sip_ack_in(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		   const struct td_endpoint *from)
{
	struct td_sip_txn *txn =
		td_sip_txn_lookup(ep, td_sip_server_key(ep, msg, TD_STR("INVITE")));
	struct td_sip_leg *leg;

	if (!txn) {
		leg = td_sip_leg_lookup(ep, msg->call_id, msg->to.tag, msg->from.tag);
		txn = leg ? td_sip_txn_find(ep, leg->server_invite) : NULL;
		if (txn && txn->cseq != msg->cseq)
			txn = NULL;
	}
	if (txn)
		acknowledged(ep, txn, msg, from);
	else
		td_sip_count(ep, TD_SIP_COUNT_ACKS_STRAY);
}

static void end_invite(struct td_sip_endpoint *ep, struct td_sip_txn *invite,
		       const struct td_sip_message *msg, const struct td_endpoint *from)
{
	uint64_t handle = invite->handle;

	td_sip_tell(ep, TD_SIP_EVENT_CANCELLED, invite, msg, from);
	invite = td_sip_txn_find(ep, handle);
	// The user may have answered it while being told.
	if (invite && invite->last_status < 200)
		td_sip_answer_status(ep, invite, 487, TD_STR_NONE);
}

void td_sip_cancel_in(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		      const struct td_endpoint *from)
{
	struct td_sip_txn *invite =
		td_sip_txn_lookup(ep, td_sip_server_key(ep, msg, TD_STR("INVITE")));

	// A CANCEL is made by the hop that sent the INVITE (9.1): from elsewhere it matches nothing.
	if (!invite || invite->machine != &td_sip_ist ||
	    !td_endpoint_same_addr(from, &invite->peer)) {
		td_sip_refuse_request(ep, msg, from, 481, TD_STR_NONE);
		return;
	}
	td_sip_reply(ep, msg, from, 200, TD_STR_NONE);
	if (invite->last_status < 200)
		end_invite(ep, invite, msg, from);
}

// May another INVITE begin in this dialog (14.2)? 0, or the status that says no.
static unsigned invite_conflict(const struct td_sip_endpoint *ep, const struct td_sip_leg *leg)
{
	const struct td_sip_txn *theirs = td_sip_txn_find(ep, leg->server_invite);

	if (leg->held_bye || leg->dialog.state == TD_SIP_DIALOG_ENDED)
		return 481;
	if (td_sip_txn_find(ep, leg->client_invite))
		return 491;
	if (theirs)
		return theirs->last_status < 200 ? 500 : 491;
	return 0;
}

static void refuse_in_dialog(struct td_sip_endpoint *ep, struct td_sip_txn *txn, unsigned status)
{
	char text[32];
	struct td_sip_writer w = td_sip_writer_make(text, sizeof text);

	if (status == 491)
		td_sip_count(ep, TD_SIP_COUNT_GLARE);
	td_sip_count(ep, TD_SIP_COUNT_REFUSED_BY_RULE);
	if (status == 500) {
		td_sip_puts(&w, "Retry-After: ");
		td_sip_put_number(&w, td_token_below(&ep->tokens, 11));
		td_sip_puts(&w, "\r\n");
	}
	// The dialog stays as it is whatever this transaction is told.
	txn->dialog = 0;
	td_sip_answer_status(ep, txn, status, td_sip_writer_text(&w));
}

static void begin_bye(struct td_sip_endpoint *ep, struct td_sip_leg *leg,
		      const struct td_sip_message *msg, const struct td_endpoint *from)
{
	struct td_sip_txn *invite = td_sip_txn_find(ep, leg->server_invite);
	uint64_t handle = leg->handle;

	leg->dialog.state = TD_SIP_DIALOG_ENDED;
	if (!invite)
		return;
	// The peer that says goodbye needs neither an answer (15.1.2) nor its repetition.
	if (invite->last_status < 200)
		end_invite(ep, invite, msg, from);
	else if (td_sip_txn_step(ep, invite, TD_SERVER_ACK) >= 0)
		td_sip_buffer_drop(ep, &invite->kept);
	leg = td_sip_leg_find(ep, handle);
	if (!leg)
		return;
	leg->server_invite = 0;
	td_sip_leg_release(ep, leg);
}

void td_sip_dialog_request_in(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
			      const struct td_endpoint *from, struct td_hash128 key)
{
	struct td_sip_leg *leg = td_sip_leg_lookup(ep, msg->call_id, msg->to.tag, msg->from.tag);
	struct td_sip_txn *txn;
	unsigned status = 0;

	if (leg && leg->dialog.state == TD_SIP_DIALOG_ENDED && msg->method == TD_SIP_BYE) {
		td_sip_reply(ep, msg, from, 200,
			     TD_STR_NONE); // it crossed ours: both get what they want
		return;
	}
	if (!leg || leg->dialog.state == TD_SIP_DIALOG_ENDED) {
		td_sip_refuse_request(ep, msg, from, 481, TD_STR_NONE);
		return;
	}
	txn = td_sip_open_server(ep, msg, from, key);
	if (!txn) {
		td_sip_shed_request(ep, msg, from);
		return;
	}
	txn->dialog = leg->handle;
	txn->owner = leg->owner;
	if (leg->dialog.remote_cseq_set && msg->cseq <= leg->dialog.remote_cseq)
		status = 500; // RFC 3261 section 12.2.2: out of order
	else if (msg->method == TD_SIP_INVITE)
		status = invite_conflict(ep, leg);
	if (status) {
		refuse_in_dialog(ep, txn, status);
		return;
	}
	leg->dialog.remote_cseq = msg->cseq;
	leg->dialog.remote_cseq_set = true;
	if (msg->method == TD_SIP_INVITE)
		leg->server_invite = txn->handle;
	else if (msg->method == TD_SIP_BYE)
		begin_bye(ep, leg, msg, from);
	td_sip_tell(ep, TD_SIP_EVENT_REQUEST, txn, msg, from);
}

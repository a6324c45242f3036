// What we are answered (17.1.3, 13.2.2).
#include "sip/core.h"

static unsigned client_event(unsigned status)
{
	if (status < 200)
		return TD_CLIENT_1XX;
	return status < 300 ? TD_CLIENT_2XX : TD_CLIENT_300;
}

// A response changes the dialog before the user hears of it.
static void update_dialog(struct td_sip_txn *txn, struct td_sip_leg *leg,
			  const struct td_sip_message *msg, const struct td_endpoint *from)
{
	struct td_sip_walk walk = { 0 };
	struct td_sip_name_addr contact;
	struct td_str value;

	if (!leg || txn->method != TD_SIP_INVITE || msg->status >= 300)
		return;
	if (msg->status < 200) {
		if (msg->to.has_tag && leg->dialog.state == TD_SIP_DIALOG_CALLING)
			leg->dialog.state = TD_SIP_DIALOG_EARLY;
		return;
	}
	if (leg->client_invite == txn->handle)
		leg->client_invite = 0;
	if (leg->dialog.state == TD_SIP_DIALOG_ENDED)
		return;
	if (leg->dialog.state != TD_SIP_DIALOG_CONFIRMED) {
		// Fields that do not fit leave the dialog with the Request-URI and the peer's
		// address, which is enough to acknowledge and to end it.
		if (td_sip_dialog_confirm(&leg->dialog, msg, from))
			leg->dialog.route_set.len = 0;
		leg->dialog.state = TD_SIP_DIALOG_CONFIRMED;
		return;
	}
	leg->dialog.peer = *from;
	if (td_sip_message_next(msg, TD_SIP_HEADER_CONTACT, &walk, &value) &&
	    !td_sip_name_addr_parse(value, &contact) &&
	    td_sip_dialog_retarget(&leg->dialog, contact.uri.text))
		return; // the old target has worked
}

// A final answer ends what the transaction held.
static void settle(struct td_sip_endpoint *ep, uint64_t dialog, uint64_t txn_handle, bool opens,
		   enum td_sip_method method, bool success)
{
	struct td_sip_leg *leg = td_sip_leg_find(ep, dialog);

	if (!leg)
		return;
	if (leg->client_invite == txn_handle)
		leg->client_invite = 0;
	if (method == TD_SIP_BYE || (method == TD_SIP_INVITE && opens && !success))
		td_sip_leg_free(ep, leg);
}

static void tell(struct td_sip_endpoint *ep, struct td_sip_txn *txn,
		 const struct td_sip_message *msg, const struct td_endpoint *from)
{
	struct td_sip_leg *leg = td_sip_leg_find(ep, txn->dialog);

	txn->last_status = msg->status;
	if (msg->status >= 200 && leg && leg->client_invite == txn->handle)
		leg->client_invite = 0; // so that the user may try again while being told
	update_dialog(txn, leg, msg, from);
	td_sip_tell(ep, TD_SIP_EVENT_RESPONSE, txn, msg, from);
	if (msg->status >= 200)
		settle(ep, txn->dialog, txn->handle, txn->opens_dialog, txn->method,
		       msg->status < 300);
}

// A 2xx after our CANCEL: the call that nobody wants any more is accepted and ended.
static void crossed(struct td_sip_endpoint *ep, struct td_sip_txn *txn,
		    const struct td_sip_message *msg, const struct td_endpoint *from)
{
	struct td_sip_leg *leg = td_sip_leg_find(ep, txn->dialog);
	bool opened = txn->opens_dialog;

	update_dialog(txn, leg, msg, from);
	if (leg && !td_sip_send_ack_2xx(ep, txn, leg, TD_STR_NONE, TD_STR_NONE))
		txn->acked = true;
	td_sip_tell(ep, TD_SIP_EVENT_ANSWER_CROSSED, txn, msg, from);
	leg = td_sip_leg_find(ep, txn->dialog);
	if (leg && opened)
		td_sip_end_quietly(ep, leg);
}

// A 2xx of another branch of a forked INVITE: acknowledged and ended, the first one counts.
static void end_fork(struct td_sip_endpoint *ep, struct td_sip_txn *txn,
		     const struct td_sip_message *msg, const struct td_endpoint *from)
{
	struct td_sip_leg *leg = td_sip_leg_make(ep);
	struct td_sip_dialog_seed seed = { .call_id = msg->call_id,
					   .local_tag = msg->from.tag,
					   .local = msg->from.text,
					   .remote = msg->to.text,
					   .target = msg->to.uri.text,
					   .peer = *from };
	struct td_sip_buffer first = txn->kept;
	struct td_endpoint first_peer = txn->peer;

	if (!leg)
		return;
	if (td_sip_dialog_from_seed(&leg->dialog, &seed) ||
	    td_sip_dialog_confirm(&leg->dialog, msg, from)) {
		td_sip_leg_free(ep, leg);
		return;
	}
	td_sip_count(ep, TD_SIP_COUNT_FORKS_ENDED);
	leg->dialog.local_cseq = txn->cseq;
	// The kept ACK belongs to the first answer and is put back.
	txn->kept = (struct td_sip_buffer){ 0 };
	if (!td_sip_send_ack_2xx(ep, txn, leg, TD_STR_NONE, TD_STR_NONE))
		td_sip_buffer_drop(ep, &txn->kept);
	txn->kept = first;
	txn->peer = first_peer;
	td_sip_end_quietly(ep, leg);
}

static void again_2xx(struct td_sip_endpoint *ep, struct td_sip_txn *txn,
		      const struct td_sip_message *msg, const struct td_endpoint *from)
{
	struct td_hash128 tag = td_hash128(&ep->key, msg->to.tag.at, msg->to.tag.len);

	if (!td_hash128_equal(tag, txn->answered_tag)) {
		end_fork(ep, txn, msg, from);
		return;
	}
	td_sip_count(ep, TD_SIP_COUNT_RETRANSMITS_IN);
	if (!txn->acked)
		return; // its user has not acknowledged the first one yet
	td_sip_count(ep, TD_SIP_COUNT_RETRANSMITS_OUT);
	td_sip_txn_transmit(ep, txn);
}

static void timed_out(struct td_sip_endpoint *ep, struct td_sip_txn *txn)
{
	struct td_sip_leg *leg = td_sip_leg_find(ep, txn->dialog);

	td_sip_count(ep, TD_SIP_COUNT_TIMEOUTS);
	if (leg && leg->client_invite == txn->handle)
		leg->client_invite = 0;
	td_sip_tell(ep, TD_SIP_EVENT_TIMEOUT, txn, NULL, NULL);
	settle(ep, txn->dialog, txn->handle, txn->opens_dialog, txn->method, false);
}

void td_sip_client_act(struct td_sip_endpoint *ep, struct td_sip_txn *txn, int actions,
		       const struct td_sip_message *msg, const struct td_endpoint *from)
{
	if (actions < 0)
		return;
	if (actions & TD_SIP_ACT_ACK)
		td_sip_send_ack_300(ep, txn, msg);
	if (actions & TD_SIP_ACT_CANCEL)
		td_sip_send_cancel(ep, txn);
	if (msg && msg->status >= 200 && msg->status < 300 &&
	    actions & (TD_SIP_ACT_TELL | TD_SIP_ACT_CROSSED))
		txn->answered_tag = td_hash128(&ep->key, msg->to.tag.at, msg->to.tag.len);
	if (actions & TD_SIP_ACT_CROSSED)
		crossed(ep, txn, msg, from);
	if (actions & TD_SIP_ACT_REACK)
		again_2xx(ep, txn, msg, from);
	if (actions & TD_SIP_ACT_TIMEOUT)
		timed_out(ep, txn);
	if (actions & TD_SIP_ACT_TELL)
		tell(ep, txn, msg, from);
}

void td_sip_response_in(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
			const struct td_endpoint *from)
{
	struct td_hash128 key = td_sip_client_key(ep, msg->via.branch, msg->cseq_method_text);
	struct td_sip_txn *txn = NULL;

	td_sip_count(ep, TD_SIP_COUNT_RESPONSES_IN);
	// A response with more than one Via was meant for somebody else (8.1.3.3).
	if (msg->via_count == 1)
		txn = td_sip_txn_lookup(ep, key);
	if (!txn || txn->cseq != msg->cseq) {
		td_sip_count(ep, TD_SIP_COUNT_RESPONSES_STRAY);
		return;
	}
	if ((msg->status == 401 || msg->status == 407) && td_sip_auth_retry(ep, txn, msg))
		return;
	td_sip_client_act(ep, txn, td_sip_txn_step(ep, txn, client_event(msg->status)), msg, from);
}

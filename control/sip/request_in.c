// What comes in as a request: matching (17.2.3), then the checks of section 8.2, then dialogs (12.2.2).
#include <arpa/inet.h>

#include "sip/core.h"

#define RESERVE_PART 8 // one part in so many of the pool is kept for requests inside dialogs

static void refuse(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		   const struct td_endpoint *from, unsigned status, struct td_str headers)
{
	td_sip_count(ep, TD_SIP_COUNT_REFUSED_BY_RULE);
	td_sip_reply(ep, msg, from, status, headers);
}

static void shed(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		 const struct td_endpoint *from)
{
	char text[32];
	struct td_sip_writer w = td_sip_writer_make(text, sizeof text);

	// Spread out, so that those who come back do not come back together.
	td_sip_puts(&w, "Retry-After: ");
	td_sip_put_number(&w, 1 + td_token_below(&ep->tokens, 8));
	td_sip_puts(&w, "\r\n");
	td_sip_count(ep, TD_SIP_COUNT_SHED);
	td_sip_reply(ep, msg, from, 503, td_sip_writer_text(&w));
}

static bool nearly_full(const struct td_sip_endpoint *ep)
{
	return ep->txns.count - ep->txns.used <= ep->txns.count / RESERVE_PART;
}

// --- ACK and CANCEL ------------------------------------------------------------------------

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

static void on_ack(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
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

static void on_cancel(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		      const struct td_endpoint *from)
{
	struct td_sip_txn *invite =
		td_sip_txn_lookup(ep, td_sip_server_key(ep, msg, TD_STR("INVITE")));

	if (!invite || invite->machine != &td_sip_ist) {
		refuse(ep, msg, from, 481, TD_STR_NONE);
		return;
	}
	td_sip_reply(ep, msg, from, 200, TD_STR_NONE);
	if (invite->state == TD_IST_PROCEEDING && invite->last_status < 200)
		end_invite(ep, invite, msg, from);
}

// --- section 8.2 ---------------------------------------------------------------------------

static bool method_ok(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		      const struct td_endpoint *from)
{
	switch (msg->method) {
	case TD_SIP_INVITE:
	case TD_SIP_BYE:
	case TD_SIP_OPTIONS:
	case TD_SIP_REGISTER:
	case TD_SIP_ACK:
	case TD_SIP_CANCEL: return true;
	case TD_SIP_METHOD_OTHER: refuse(ep, msg, from, 501, TD_STR_NONE); return false;
	case TD_SIP_INFO:
	case TD_SIP_MESSAGE:
	case TD_SIP_NOTIFY:
	case TD_SIP_PRACK:
	case TD_SIP_PUBLISH:
	case TD_SIP_REFER:
	case TD_SIP_SUBSCRIBE:
	case TD_SIP_UPDATE:
	case TD_SIP_METHOD_COUNT: break;
	}
	refuse(ep, msg, from, 405, TD_STR_NONE);
	return false;
}

// Every option tag asked for is one we do not have (8.2.2.3).
static bool require_ok(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		       const struct td_endpoint *from)
{
	char text[512];
	struct td_sip_writer w = td_sip_writer_make(text, sizeof text);
	struct td_sip_walk walk = { 0 };
	struct td_str value;
	bool any = false;

	td_sip_puts(&w, "Unsupported: ");
	while (td_sip_message_next(msg, TD_SIP_HEADER_REQUIRE, &walk, &value)) {
		if (!value.len)
			continue;
		if (any)
			td_sip_puts(&w, ", ");
		td_sip_put(&w, value);
		any = true;
	}
	td_sip_puts(&w, "\r\n");
	if (any)
		refuse(ep, msg, from, 420, w.full ? TD_STR_NONE : td_sip_writer_text(&w));
	return !any;
}

// Does Accept, when there is one, admit a session description?
static bool accepts_sdp(const struct td_sip_message *msg)
{
	struct td_sip_walk walk = { 0 };
	struct td_str value, type;

	if (!td_sip_message_has(msg, TD_SIP_HEADER_ACCEPT))
		return true;
	while (td_sip_message_next(msg, TD_SIP_HEADER_ACCEPT, &walk, &value)) {
		type = td_str_trim(td_str_before(value, td_str_find(value, ';')));
		if (td_str_equal_nocase(type, TD_STR("application/sdp")) ||
		    td_str_equal_nocase(type, TD_STR("application/*")) ||
		    td_str_equal(type, TD_STR("*/*")))
			return true;
	}
	return false;
}

static bool content_ok(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		       const struct td_endpoint *from)
{
	struct td_str encoding = td_sip_message_value(msg, TD_SIP_HEADER_CONTENT_ENCODING);

	if (msg->method != TD_SIP_INVITE)
		return true;
	if (msg->body.len && encoding.len && !td_str_equal_nocase(encoding, TD_STR("identity"))) {
		refuse(ep, msg, from, 415, TD_STR("Accept-Encoding: identity\r\n"));
		return false;
	}
	if (msg->body.len && !td_str_equal_nocase(msg->content_type, TD_STR("application/sdp"))) {
		refuse(ep, msg, from, 415, TD_STR("Accept: application/sdp\r\n"));
		return false;
	}
	if (!accepts_sdp(msg)) {
		refuse(ep, msg, from, 406, TD_STR_NONE);
		return false;
	}
	return true;
}

// A Via of our own below the top: this request has been here before.
static bool looped(const struct td_sip_endpoint *ep, const struct td_sip_message *msg)
{
	struct td_sip_walk walk = { 0 };
	struct td_endpoint sent_by;
	struct td_sip_via via;
	struct td_str value;
	char host[64];

	if (msg->via_count < 2)
		return false;
	while (td_sip_message_next(msg, TD_SIP_HEADER_VIA, &walk, &value)) {
		if (td_sip_via_parse(value, &via) || td_str_copy(via.host, host, sizeof host) ||
		    td_endpoint_parse_addr(host, &sent_by))
			continue;
		sent_by.port_be = htons(via.port ? via.port : 5060);
		if (td_endpoint_equal(&sent_by, &ep->local4) ||
		    td_endpoint_equal(&sent_by, &ep->local6))
			return true;
	}
	return false;
}

static bool outside_ok(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		       const struct td_endpoint *from)
{
	if (td_table_find(&ep->by_merge, td_sip_merge_key(ep, msg)) || looped(ep, msg)) {
		td_sip_count(ep, TD_SIP_COUNT_MERGED);
		refuse(ep, msg, from, 482, TD_STR_NONE);
		return false;
	}
	// A call passed on would hop again; an endpoint answers anything else (RFC 4475 3.3.11).
	if (msg->method == TD_SIP_INVITE && msg->max_forwards == 0) {
		refuse(ep, msg, from, 483, TD_STR_NONE);
		return false;
	}
	if (msg->method == TD_SIP_BYE) {
		refuse(ep, msg, from, 481, TD_STR_NONE);
		return false;
	}
	return true;
}

static bool rules_ok(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		     const struct td_endpoint *from)
{
	if (!method_ok(ep, msg, from))
		return false;
	// A registrar binds what To names (10.3 step 5), so there it has to be ours to understand.
	if (msg->request_uri.scheme == TD_SIP_SCHEME_OTHER ||
	    (msg->method == TD_SIP_REGISTER && msg->to.uri.scheme == TD_SIP_SCHEME_OTHER)) {
		refuse(ep, msg, from, 416, TD_STR_NONE);
		return false;
	}
	if (!msg->to.has_tag && !outside_ok(ep, msg, from))
		return false;
	return require_ok(ep, msg, from) && content_ok(ep, msg, from);
}

// --- transactions and dialogs --------------------------------------------------------------

static struct td_sip_txn *open_txn(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
				   const struct td_endpoint *from, struct td_hash128 key)
{
	const struct td_sip_machine *machine =
		msg->method == TD_SIP_INVITE ? &td_sip_ist : &td_sip_nst;
	struct td_sip_txn *txn = td_sip_txn_make(ep, machine, key);

	if (!txn)
		return NULL;
	txn->method = (uint8_t)msg->method;
	txn->cseq = msg->cseq;
	txn->to_has_tag = msg->to.has_tag;
	if (!td_sip_answer_to(msg, from, &txn->peer) || td_sip_head_save(ep, txn, msg, from)) {
		td_sip_txn_abandon(ep, txn);
		return NULL;
	}
	if (!msg->to.has_tag) {
		td_token_text(&ep->tokens, txn->tag);
		td_table_add(&ep->by_merge, &txn->by_merge, td_sip_merge_key(ep, msg));
	}
	td_sip_txn_begin(ep, txn);
	return txn;
}

// A new call: room for its dialog is taken now, so that a later 200 cannot fail for want of it.
static bool open_dialog(struct td_sip_endpoint *ep, struct td_sip_txn *txn,
			const struct td_sip_message *msg, const struct td_endpoint *from)
{
	struct td_sip_leg *leg = td_sip_leg_make(ep);
	int rc;

	if (!leg) {
		shed(ep, msg, from);
		td_sip_txn_abandon(ep, txn);
		return false;
	}
	rc = td_sip_dialog_from_request(&leg->dialog, msg, from, td_str_from(txn->tag));
	if (rc) {
		td_sip_leg_free(ep, leg);
		td_sip_txn_abandon(ep, txn);
		refuse(ep, msg, from, rc == -TD_EFULL ? 513 : 400, TD_STR_NONE);
		return false;
	}
	txn->opens_dialog = true;
	txn->dialog = leg->handle;
	leg->server_invite = txn->handle;
	return true;
}

static void new_request(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
			const struct td_endpoint *from, struct td_hash128 key)
{
	struct td_sip_event event = { .kind = TD_SIP_EVENT_REQUEST, .msg = msg, .from = *from };
	struct td_sip_txn *txn;

	if (nearly_full(ep) || (ep->shed && msg->method == TD_SIP_INVITE)) {
		shed(ep, msg, from);
		return;
	}
	txn = open_txn(ep, msg, from, key);
	if (!txn) {
		shed(ep, msg, from);
		return;
	}
	if (msg->method == TD_SIP_INVITE) {
		if (!open_dialog(ep, txn, msg, from))
			return;
		td_sip_answer_status(ep, txn, 100, TD_STR_NONE);
	}
	event.txn.v = txn->handle;
	ep->ops.on_event(ep->user, &event);
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

static void dialog_request(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
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
		refuse(ep, msg, from, 481, TD_STR_NONE);
		return;
	}
	txn = open_txn(ep, msg, from, key);
	if (!txn) {
		shed(ep, msg, from);
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
	if (msg->method == TD_SIP_INVITE) {
		leg->server_invite = txn->handle;
		td_sip_answer_status(ep, txn, 100, TD_STR_NONE);
	} else if (msg->method == TD_SIP_BYE) {
		begin_bye(ep, leg, msg, from);
	}
	td_sip_tell(ep, TD_SIP_EVENT_REQUEST, txn, msg, from);
}

void td_sip_request_in(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		       const struct td_endpoint *from)
{
	struct td_hash128 key;
	struct td_sip_txn *txn;

	td_sip_count(ep, TD_SIP_COUNT_REQUESTS_IN);
	if (msg->method == TD_SIP_ACK) {
		on_ack(ep, msg, from);
		return;
	}
	if (msg->method == TD_SIP_CANCEL) {
		on_cancel(ep, msg, from);
		return;
	}
	key = td_sip_server_key(ep, msg, msg->method_text);
	txn = td_sip_txn_lookup(ep, key);
	if (txn) {
		td_sip_count(ep, TD_SIP_COUNT_RETRANSMITS_IN);
		td_sip_txn_step(ep, txn, TD_SERVER_REQUEST);
		return;
	}
	if (!rules_ok(ep, msg, from))
		return;
	if (msg->to.has_tag)
		dialog_request(ep, msg, from, key);
	else
		new_request(ep, msg, from, key);
}

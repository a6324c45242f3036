// What comes in as a request: matching (17.2.3), then the checks of section 8.2, then dialogs (12.2.2).
#include <arpa/inet.h>

#include "sip/core.h"

void td_sip_refuse_request(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
			   const struct td_endpoint *from, unsigned status, struct td_str headers)
{
	td_sip_count(ep, TD_SIP_COUNT_REFUSED_BY_RULE);
	td_sip_reply(ep, msg, from, status, headers);
}

void td_sip_shed_request(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
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
	case TD_SIP_METHOD_OTHER:
		td_sip_refuse_request(ep, msg, from, 501, TD_STR_NONE);
		return false;
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
	td_sip_refuse_request(ep, msg, from, 405, TD_STR_NONE);
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
		td_sip_refuse_request(ep, msg, from, 420,
				      w.full ? TD_STR_NONE : td_sip_writer_text(&w));
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
		td_sip_refuse_request(ep, msg, from, 415, TD_STR("Accept-Encoding: identity\r\n"));
		return false;
	}
	if (msg->body.len && !td_str_equal_nocase(msg->content_type, TD_STR("application/sdp"))) {
		td_sip_refuse_request(ep, msg, from, 415, TD_STR("Accept: application/sdp\r\n"));
		return false;
	}
	if (!accepts_sdp(msg)) {
		td_sip_refuse_request(ep, msg, from, 406, TD_STR_NONE);
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
		td_sip_refuse_request(ep, msg, from, 482, TD_STR_NONE);
		return false;
	}
	// A call passed on would hop again; an endpoint answers anything else (RFC 4475 3.3.11).
	if (msg->method == TD_SIP_INVITE && msg->max_forwards == 0) {
		td_sip_refuse_request(ep, msg, from, 483, TD_STR_NONE);
		return false;
	}
	if (msg->method == TD_SIP_BYE) {
		td_sip_refuse_request(ep, msg, from, 481, TD_STR_NONE);
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
		td_sip_refuse_request(ep, msg, from, 416, TD_STR_NONE);
		return false;
	}
	if (!msg->to.has_tag && !outside_ok(ep, msg, from))
		return false;
	return require_ok(ep, msg, from) && content_ok(ep, msg, from);
}

// --- transactions and dialogs --------------------------------------------------------------

struct td_sip_txn *td_sip_open_server(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
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
		td_sip_shed_request(ep, msg, from);
		td_sip_txn_abandon(ep, txn);
		return false;
	}
	rc = td_sip_dialog_from_request(&leg->dialog, msg, from, td_str_from(txn->tag));
	if (rc) {
		td_sip_leg_free(ep, leg);
		td_sip_txn_abandon(ep, txn);
		td_sip_refuse_request(ep, msg, from, rc == -TD_EFULL ? 513 : 400, TD_STR_NONE);
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

	if (td_sip_txn_nearly_full(ep) || (ep->shed && msg->method == TD_SIP_INVITE)) {
		td_sip_shed_request(ep, msg, from);
		return;
	}
	txn = td_sip_open_server(ep, msg, from, key);
	if (!txn) {
		td_sip_shed_request(ep, msg, from);
		return;
	}
	if (msg->method == TD_SIP_INVITE && !open_dialog(ep, txn, msg, from))
		return;
	event.txn.v = txn->handle;
	ep->ops.on_event(ep->user, &event);
}

void td_sip_request_in(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		       const struct td_endpoint *from)
{
	struct td_hash128 key;
	struct td_sip_txn *txn;

	td_sip_count(ep, TD_SIP_COUNT_REQUESTS_IN);
	if (msg->method == TD_SIP_ACK) {
		td_sip_ack_in(ep, msg, from);
		return;
	}
	if (msg->method == TD_SIP_CANCEL) {
		td_sip_cancel_in(ep, msg, from);
		return;
	}
	key = td_sip_server_key(ep, msg, msg->method_text);
	txn = td_sip_txn_lookup(ep, key);
	if (txn) {
		td_sip_count(ep, TD_SIP_COUNT_RETRANSMITS_IN);
		td_sip_server_act(ep, txn, td_sip_txn_step(ep, txn, TD_SERVER_REQUEST));
		return;
	}
	if (!rules_ok(ep, msg, from))
		return;
	if (msg->to.has_tag)
		td_sip_dialog_request_in(ep, msg, from, key);
	else
		new_request(ep, msg, from, key);
}

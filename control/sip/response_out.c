// What we answer: with a transaction behind it, or without one.
#include <arpa/inet.h>

#include "sip/core.h"
#include "sip/lex.h"

#define CAPABILITIES "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER\r\n"

void td_sip_put_allow(struct td_sip_writer *w)
{
	td_sip_puts(w, CAPABILITIES);
}

// maddr is ignored on purpose: it would let a stranger point our answers at somebody else.
bool td_sip_answer_to(const struct td_sip_message *msg, const struct td_endpoint *from,
		      struct td_endpoint *out)
{
	if (!msg->via_count || !msg->via.host.len)
		return false;
	*out = *from;
	if (!msg->via.has_rport)
		out->port_be = htons(msg->via.port ? msg->via.port : 5060);
	return true;
}

static bool same_host(const struct td_sip_via *via, const struct td_endpoint *from)
{
	struct td_endpoint sent_by;
	char host[64];

	return !td_str_copy(via->host, host, sizeof host) &&
	       !td_endpoint_parse_addr(host, &sent_by) && td_endpoint_same_addr(&sent_by, from);
}

// The topmost Via as received, with received and rport filled in (18.2.1, RFC 3581 section 4).
static void put_top_via(struct td_sip_writer *w, const struct td_sip_via *via,
			const struct td_endpoint *from)
{
	size_t head = (size_t)(via->params.at - via->text.at);
	struct td_lex lex = td_lex_make(via->params);
	struct td_str name, value;
	bool ok;

	td_sip_put(w, td_str_trim(td_str_before(via->text, head)));
	while (td_lex_param(&lex, &name, &value, &ok)) {
		if (td_str_equal_nocase(name, TD_STR("rport")) ||
		    td_str_equal_nocase(name, TD_STR("received")))
			continue;
		td_sip_puts(w, ";");
		td_sip_put(w, name);
		if (value.len)
			td_sip_puts(w, "=");
		td_sip_put(w, value);
	}
	if (via->has_rport || !same_host(via, from)) {
		td_sip_puts(w, ";received=");
		td_sip_put_bare_address(w, from);
	}
	if (via->has_rport) {
		td_sip_puts(w, ";rport=");
		td_sip_put_number(w, ntohs(from->port_be));
	}
}

static void put_vias(struct td_sip_writer *w, const struct td_sip_message *msg,
		     const struct td_endpoint *from)
{
	struct td_sip_walk walk = { 0 };
	struct td_str value;
	bool first = true;

	while (td_sip_message_next(msg, TD_SIP_HEADER_VIA, &walk, &value)) {
		td_sip_puts(w, "Via: ");
		if (first && msg->via.params.at) // a malformed one goes back as it came
			put_top_via(w, &msg->via, from);
		else
			td_sip_put(w, value);
		td_sip_puts(w, "\r\n");
		first = false;
	}
}

static void put_prefix(struct td_sip_writer *w, const struct td_sip_message *msg,
		       const struct td_endpoint *from)
{
	put_vias(w, msg, from);
	td_sip_put_header(w, TD_STR("From"), td_sip_message_value(msg, TD_SIP_HEADER_FROM));
	td_sip_put_header(w, TD_STR("Call-ID"), td_sip_message_value(msg, TD_SIP_HEADER_CALL_ID));
	td_sip_put_header(w, TD_STR("CSeq"), td_sip_message_value(msg, TD_SIP_HEADER_CSEQ));
}

static void put_status(struct td_sip_writer *w, unsigned status, struct td_str reason)
{
	td_sip_puts(w, "SIP/2.0 ");
	td_sip_put_number(w, status);
	td_sip_puts(w, " ");
	td_sip_put(w, reason.len ? reason : td_str_from(td_sip_status_reason(status)));
	td_sip_puts(w, "\r\n");
}

// The same request always gets the same tag (8.2.7).
static void put_stateless_to(struct td_sip_endpoint *ep, struct td_sip_writer *w,
			     const struct td_sip_message *msg, unsigned status)
{
	struct td_str to = td_sip_message_value(msg, TD_SIP_HEADER_TO);
	char tag[TD_SIP_TAG_BYTES];
	struct td_hash128 key;

	if (!to.len)
		return;
	td_sip_puts(w, "To: ");
	td_sip_put(w, to);
	// A To that could not be read may hold a tag, or a quote that never closes.
	if (!msg->to.has_tag && status > 100 && msg->to.uri.text.len) {
		key = td_sip_server_key(ep, msg, TD_STR("tag"));
		for (int i = 0; i < 16; i++)
			tag[i] = "0123456789abcdef"[(key.a >> (4 * i)) & 15];
		td_sip_puts(w, ";tag=");
		td_sip_put(w, td_str_make(tag, 16));
	}
	td_sip_puts(w, "\r\n");
}

void td_sip_reply(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		  const struct td_endpoint *from, unsigned status, struct td_str headers)
{
	struct td_sip_writer w = td_sip_writer_make(ep->out, sizeof ep->out);
	struct td_endpoint to;

	if (!td_sip_answer_to(msg, from, &to))
		return;
	put_status(&w, status, TD_STR_NONE);
	put_prefix(&w, msg, from);
	put_stateless_to(ep, &w, msg, status);
	td_sip_put_header(&w, TD_STR("Server"), td_str_from(ep->user_agent));
	if (status == 405 || status == 501)
		td_sip_put_allow(&w);
	td_sip_put(&w, headers);
	td_sip_put_body(&w, TD_STR_NONE, TD_STR_NONE);
	// An answer that does not fit is to a request that is mostly Via: silence is right.
	if (w.full)
		return;
	td_sip_count(ep, TD_SIP_COUNT_RESPONSES_OUT);
	td_sip_emit(ep, &to, td_sip_writer_text(&w));
}

static void put_record_routes(struct td_sip_writer *w, const struct td_sip_message *msg)
{
	struct td_sip_walk walk = { 0 };
	struct td_str value;

	while (td_sip_message_next(msg, TD_SIP_HEADER_RECORD_ROUTE, &walk, &value))
		td_sip_put_header(w, TD_STR("Record-Route"), value);
}

static void put_target(struct td_sip_writer *w, const struct td_sip_message *msg)
{
	struct td_sip_walk walk = { 0 };
	struct td_sip_name_addr contact;
	struct td_str value;

	if (td_sip_message_next(msg, TD_SIP_HEADER_CONTACT, &walk, &value) &&
	    !td_sip_name_addr_parse(value, &contact))
		td_sip_put(w, contact.uri.text);
}

int td_sip_head_save(struct td_sip_endpoint *ep, struct td_sip_txn *txn,
		     const struct td_sip_message *msg, const struct td_endpoint *from)
{
	struct td_sip_writer w = td_sip_writer_make(ep->out, sizeof ep->out);
	struct td_sip_head *head = &txn->head;

	put_prefix(&w, msg, from);
	head->prefix_len = (uint16_t)w.used;
	td_sip_put(&w, td_sip_message_value(msg, TD_SIP_HEADER_TO));
	head->to_len = (uint16_t)(w.used - head->prefix_len);
	if (msg->method == TD_SIP_INVITE) {
		size_t before = w.used;

		put_record_routes(&w, msg);
		head->routes_len = (uint16_t)(w.used - before);
		before = w.used;
		put_target(&w, msg);
		head->contact_len = (uint16_t)(w.used - before);
	}
	if (w.full)
		return -TD_EFULL;
	return td_sip_buffer_set(ep, &head->buffer, td_sip_writer_text(&w));
}

static void put_contact(struct td_sip_endpoint *ep, struct td_sip_writer *w,
			const struct td_endpoint *peer, struct td_str user)
{
	const struct td_endpoint *local = td_sip_local(ep, peer);

	td_sip_puts(w, "Contact: <sip:");
	if (user.len) {
		td_sip_put(w, user);
		td_sip_puts(w, "@");
	}
	td_sip_put_address(w, local ? local : peer, true);
	td_sip_puts(w, ">\r\n");
}

static void put_capabilities(struct td_sip_writer *w, unsigned status, unsigned method)
{
	bool success = status >= 200 && status < 300;

	if ((success && (method == TD_SIP_INVITE || method == TD_SIP_OPTIONS)) || status == 405)
		td_sip_put_allow(w);
	if (success && method == TD_SIP_OPTIONS)
		td_sip_puts(w, "Accept: application/sdp\r\n");
	if (success && (method == TD_SIP_INVITE || method == TD_SIP_OPTIONS))
		td_sip_puts(w, "Supported:\r\n");
}

static int write_response(struct td_sip_endpoint *ep, const struct td_sip_txn *txn,
			  const struct td_sip_response *r, struct td_str *out)
{
	struct td_sip_writer w = td_sip_writer_make(ep->out, sizeof ep->out);
	const struct td_sip_head *head = &txn->head;
	struct td_str saved = td_str_make(head->buffer.at, head->buffer.len);
	bool dialog = txn->method == TD_SIP_INVITE && r->status > 100 && r->status < 300;

	put_status(&w, r->status, r->reason);
	td_sip_put(&w, td_str_before(saved, head->prefix_len));
	td_sip_puts(&w, "To: ");
	td_sip_put(&w, td_str_make(saved.at + head->prefix_len, head->to_len));
	if (!txn->to_has_tag && r->status > 100) {
		td_sip_puts(&w, ";tag=");
		td_sip_put(&w, td_str_from(txn->tag));
	}
	td_sip_puts(&w, "\r\n");
	if (dialog) {
		td_sip_put(&w, td_str_make(saved.at + head->prefix_len + head->to_len,
					   head->routes_len));
		put_contact(ep, &w, &txn->peer, r->contact_user);
	}
	if (r->status > 100)
		td_sip_put_header(&w, TD_STR("Server"), td_str_from(ep->user_agent));
	put_capabilities(&w, r->status, txn->method);
	td_sip_put(&w, r->headers);
	td_sip_put_body(&w, r->content_type, r->body);
	ep->body_written |= r->body.len > 0;
	*out = td_sip_writer_text(&w);
	return w.full ? -TD_EFULL : 0;
}

// What an answered INVITE means for its dialog. `target` is the Contact of a re-INVITE.
static void dialog_answered(struct td_sip_endpoint *ep, struct td_sip_txn *txn, unsigned status,
			    struct td_str target)
{
	struct td_sip_leg *leg = td_sip_leg_find(ep, txn->dialog);

	if (!leg || status <= 100)
		return;
	if (status >= 300) {
		leg->server_invite = 0;
		if (txn->opens_dialog)
			td_sip_leg_free(ep, leg);
		return;
	}
	td_sip_leg_register(ep, leg);
	if (status < 200) {
		if (txn->opens_dialog)
			leg->dialog.state = TD_SIP_DIALOG_EARLY;
		return;
	}
	leg->dialog.state = TD_SIP_DIALOG_CONFIRMED;
	// A target we cannot use leaves the old one, which has worked (12.2.2).
	if (!txn->opens_dialog && target.len && td_sip_dialog_retarget(&leg->dialog, target))
		return;
}

// The Contact saved with the head, copied: a final response may take the head's buffer.
static struct td_str saved_target(struct td_sip_endpoint *ep, const struct td_sip_head *head)
{
	const char *at = head->buffer.at + head->buffer.len - head->contact_len;

	memcpy(ep->again, at, head->contact_len);
	return td_str_make(ep->again, head->contact_len);
}

static unsigned send_event(unsigned status)
{
	if (status < 200)
		return TD_SERVER_SEND_1XX;
	return status < 300 ? TD_SERVER_SEND_2XX : TD_SERVER_SEND_300;
}

int td_sip_answer(struct td_sip_endpoint *ep, struct td_sip_txn *txn,
		  const struct td_sip_response *r)
{
	struct td_sip_leg *leg = td_sip_leg_find(ep, txn->dialog);
	bool final = r->status >= 200;
	struct td_str bytes, target;

	// The head is there exactly until a final response: no cell below rejects.
	if (!txn->head.buffer.at)
		return -TD_ESTATE;
	if (write_response(ep, txn, r, &bytes))
		return -TD_EFULL;
	target = saved_target(ep, &txn->head);
	if (final && td_sip_txn_keep_in(ep, txn, &txn->head.buffer, bytes))
		return -TD_EFULL;
	// A provisional response that cannot be kept is sent all the same.
	if (!final && td_sip_txn_keep(ep, txn, bytes))
		td_sip_buffer_drop(ep, &txn->kept);
	td_sip_txn_step(ep, txn, send_event(r->status));
	txn->last_status = r->status;
	td_sip_count(ep, TD_SIP_COUNT_RESPONSES_OUT);
	td_sip_emit(ep, &txn->peer, bytes);
	if (txn->method == TD_SIP_INVITE)
		dialog_answered(ep, txn, r->status, target);
	else if (txn->method == TD_SIP_BYE && leg && final)
		td_sip_leg_free(ep, leg);
	if (final)
		td_sip_buffer_drop(ep, &txn->head.buffer);
	return 0;
}

void td_sip_answer_status(struct td_sip_endpoint *ep, struct td_sip_txn *txn, unsigned status,
			  struct td_str headers)
{
	struct td_sip_response response = { .status = (uint16_t)status, .headers = headers };

	if (td_sip_answer(ep, txn, &response))
		td_sip_count(ep, TD_SIP_COUNT_SHED);
}

int td_sip_respond(struct td_sip_endpoint *ep, uint64_t now_ms, struct td_sip_txn_id id,
		   const struct td_sip_response *response)
{
	struct td_sip_txn *txn = td_sip_txn_find(ep, id.v);
	int rc;

	if (response->status < 100 || response->status > 699 ||
	    !td_sip_one_line(response->reason) || !td_sip_one_line(response->contact_user) ||
	    !td_sip_one_line(response->content_type))
		return -TD_EINVALID;
	if (!txn)
		return -TD_ESTALE;
	if (txn->machine != &td_sip_ist && txn->machine != &td_sip_nst)
		return -TD_ESTATE;
	td_sip_enter(ep, now_ms);
	rc = td_sip_answer(ep, txn, response);
	td_sip_leave(ep);
	return rc;
}

int td_sip_txn_adopt(struct td_sip_endpoint *ep, struct td_sip_txn_id id, uint64_t owner,
		     uint8_t flags)
{
	struct td_sip_txn *txn = td_sip_txn_find(ep, id.v);
	struct td_sip_leg *leg;

	if (!txn)
		return -TD_ESTALE;
	txn->owner = owner;
	leg = td_sip_leg_find(ep, txn->dialog);
	if (leg) {
		leg->owner = owner;
		leg->dialog.symmetric = flags & TD_SIP_SYMMETRIC;
	}
	return 0;
}

struct td_sip_dialog_id td_sip_txn_dialog(const struct td_sip_endpoint *ep, struct td_sip_txn_id id)
{
	const struct td_sip_txn *txn = td_sip_txn_find(ep, id.v);
	const struct td_sip_leg *leg = txn ? td_sip_leg_find(ep, txn->dialog) : NULL;

	// Before the first 101..299 there is only room for a dialog, not a dialog.
	if (!leg || leg->dialog.state == TD_SIP_DIALOG_NONE)
		return (struct td_sip_dialog_id){ 0 };
	return (struct td_sip_dialog_id){ leg->handle };
}

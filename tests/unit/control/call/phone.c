#include "phone.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sip/digest.h"
#include "sip/message.h"
#include "world.h"

static uint32_t serial;

void phone_init(struct phone *phone, struct world *world, const char *user, const char *password,
		const char *address)
{
	memset(phone, 0, sizeof *phone);
	phone->world = world;
	phone->user = user;
	phone->password = password;
	must(td_endpoint_parse_addr(address, &phone->at) == 0);
	phone->at.port_be = htons(5060);
	phone_reset(phone);
}

void phone_reset(struct phone *phone)
{
	phone->state = PHONE_IDLE;
	phone->mode = PHONE_ANSWERS;
	phone->avp_status = 0;
	phone->holds_ack = false;
	phone->no_offer = false;
	phone->cancelled = false;
	phone->codecs = "0 8 101";
	phone->answers = NULL;
	phone->transport = "RTP/AVP";
	phone->attributes = "";
	phone->direction = "sendrecv";
	phone->connection = NULL;
	phone->media_port = 4000;
	phone->inbox_count = 0;
	phone->status = 0;
	phone->remote_tag[0] = '\0';
	snprintf(phone->local_tag, sizeof phone->local_tag, "idle%u", ++serial);
	phone->byes = phone->cancels = phone->invites = phone->acks = phone->answers_seen = 0;
	phone->reason[0] = phone->last_body[0] = '\0';
}

void phone_deliver(struct phone *phone, const void *bytes, size_t len)
{
	uint32_t at = (phone->inbox_head + phone->inbox_count) % PHONE_INBOX;

	if (phone->mode == PHONE_DEAF)
		return;
	must(len < PHONE_BYTES);
	must(phone->inbox_count < PHONE_INBOX);
	memcpy(phone->inbox[at], bytes, len);
	phone->inbox[at][len] = '\0';
	phone->inbox_len[at] = len;
	phone->inbox_count++;
}

static const char *address_text(const struct phone *phone, char *text)
{
	return td_endpoint_text(&phone->at, text);
}

static size_t sdp_text(struct phone *phone, const char *codecs, char *out, size_t bytes)
{
	bool v6 = phone->at.family == TD_FAMILY_IPV6;
	char host[TD_ENDPOINT_TEXT_MAX];
	const char *address = inet_ntop(v6 ? AF_INET6 : AF_INET, phone->at.addr, host, sizeof host);
	int len = snprintf(out, bytes,
			   "v=0\r\no=phone 7 %u IN IP%d %s\r\ns=-\r\nc=IN IP%d %s\r\nt=0 0\r\n"
			   "m=audio %u %s %s\r\na=rtpmap:101 telephone-event/8000\r\n"
			   "%sa=%s\r\n",
			   ++phone->sdp_version, v6 ? 6 : 4, address, v6 ? 6 : 4,
			   phone->connection ? phone->connection : address, phone->media_port,
			   phone->transport, codecs, phone->attributes, phone->direction);

	must(len > 0);
	return (size_t)len;
}

static void transmit(struct phone *phone, const char *text, size_t len)
{
	world_to_tandem(phone->world, &phone->at, text, len);
}

__attribute__((format(printf, 4, 5))) static void request(struct phone *phone, const char *method,
							  const char *uri, const char *format, ...)
{
	char text[PHONE_BYTES], address[TD_ENDPOINT_TEXT_MAX], extra[PHONE_BYTES / 2];
	char contact[160];
	va_list arguments;
	int len;

	snprintf(contact, sizeof contact, "sip:%s@%s", phone->user, address_text(phone, address));

	va_start(arguments, format);
	vsnprintf(extra, sizeof extra, format, arguments);
	va_end(arguments);
	len = snprintf(text, sizeof text,
		       "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s\r\nMax-Forwards: 70\r\n"
		       "From: \"Test\" <sip:%s@test>;tag=%s\r\nTo: <%s>%s%s\r\nCall-ID: %s\r\n"
		       "Contact: <%s>\r\n%s",
		       method, uri, address_text(phone, address), phone->branch, phone->user,
		       phone->local_tag, phone->peer_uri, phone->remote_tag[0] ? ";tag=" : "",
		       phone->remote_tag, phone->call_id, phone->contact ? phone->contact : contact,
		       extra);
	must(len < (int)sizeof text);
	transmit(phone, text, (size_t)len);
}

static void new_branch(struct phone *phone)
{
	snprintf(phone->branch, sizeof phone->branch, "z9hG4bK-%u", ++serial);
}

static void new_dialog(struct phone *phone)
{
	serial++;
	snprintf(phone->call_id, sizeof phone->call_id, "call-%u@test", serial);
	snprintf(phone->local_tag, sizeof phone->local_tag, "tag%u", serial);
	phone->remote_tag[0] = '\0';
	phone->cseq = 100;
}

static void send_invite(struct phone *phone, const char *uri, bool offer)
{
	char body[1024] = "";
	size_t len = offer ? sdp_text(phone, phone->codecs, body, sizeof body) : 0;

	new_branch(phone);
	phone->invite_cseq = ++phone->cseq;
	request(phone, "INVITE", uri, "CSeq: %u INVITE\r\n%sContent-Length: %zu\r\n\r\n%s",
		phone->cseq, offer ? "Content-Type: application/sdp\r\n" : "", len, body);
}

void phone_call(struct phone *phone, const char *number)
{
	phone->state = PHONE_CALLING;
	new_dialog(phone);
	snprintf(phone->peer_uri, sizeof phone->peer_uri, "sip:%s@10.77.0.1", number);
	snprintf(phone->target, sizeof phone->target, "%s", phone->peer_uri);
	send_invite(phone, phone->peer_uri, !phone->no_offer);
}

void phone_reinvite(struct phone *phone, const char *direction)
{
	if (direction)
		phone->direction = direction;
	phone->no_offer = !direction;
	phone->status = 0;
	send_invite(phone, phone->target, direction != NULL);
}

void phone_ack(struct phone *phone)
{
	char body[1024] = "";
	size_t len = phone->no_offer ? sdp_text(phone, phone->codecs, body, sizeof body) : 0;

	new_branch(phone);
	request(phone, "ACK", phone->target, "CSeq: %u ACK\r\n%sContent-Length: %zu\r\n\r\n%s",
		phone->invite_cseq, len ? "Content-Type: application/sdp\r\n" : "", len, body);
	phone->state = PHONE_UP;
}

static void send_bye(struct phone *phone)
{
	phone->state = PHONE_OVER;
	new_branch(phone);
	++phone->cseq;
	request(phone, "BYE", phone->target, "CSeq: %u BYE\r\nContent-Length: 0\r\n\r\n",
		phone->cseq);
}

void phone_stray_bye(struct phone *phone)
{
	new_dialog(phone);
	snprintf(phone->remote_tag, sizeof phone->remote_tag, "nobody");
	snprintf(phone->target, sizeof phone->target, "sip:x@10.77.0.1");
	snprintf(phone->peer_uri, sizeof phone->peer_uri, "sip:x@10.77.0.1");
	send_bye(phone);
}

void phone_options(struct phone *phone)
{
	phone->status = 0;
	new_dialog(phone);
	new_branch(phone);
	snprintf(phone->peer_uri, sizeof phone->peer_uri, "sip:10.77.0.1");
	request(phone, "OPTIONS", "sip:10.77.0.1", "CSeq: %u OPTIONS\r\nContent-Length: 0\r\n\r\n",
		++phone->cseq);
}

// A response to `text` (a request of theirs), with their Vias, From, To, Call-ID and CSeq.
static void respond(struct phone *phone, const char *text, uint16_t status, const char *body)
{
	struct td_sip_message msg;
	struct td_sip_walk walk = { 0 };
	struct td_str via;
	char out[PHONE_BYTES], address[TD_ENDPOINT_TEXT_MAX];
	size_t at;

	must(td_sip_message_parse(&msg, text, strlen(text)) == 0);
	at = (size_t)snprintf(out, sizeof out, "SIP/2.0 %u X\r\n", status);
	while (td_sip_message_next(&msg, TD_SIP_HEADER_VIA, &walk, &via))
		at += (size_t)snprintf(out + at, sizeof out - at, "Via: %.*s\r\n",
				       TD_STR_ARGS(via));
	at += (size_t)snprintf(
		out + at, sizeof out - at,
		"From: %.*s\r\nTo: %.*s%s%s\r\nCall-ID: %.*s\r\nCSeq: %u %.*s\r\n"
		"Contact: <sip:%s@%s>\r\n%sContent-Length: %zu\r\n\r\n%s",
		TD_STR_ARGS(msg.from.text), TD_STR_ARGS(msg.to.text),
		msg.to.has_tag ? "" : ";tag=", msg.to.has_tag ? "" : phone->local_tag,
		TD_STR_ARGS(msg.call_id), msg.cseq, TD_STR_ARGS(msg.cseq_method_text), phone->user,
		address_text(phone, address), body ? "Content-Type: application/sdp\r\n" : "",
		body ? strlen(body) : 0, body ? body : "");
	must(at < sizeof out);
	transmit(phone, out, at);
}

void phone_answer(struct phone *phone)
{
	const char *codecs = strstr(phone->last_body, "AVP 8") ? "8 101" : "0 101";
	char body[1024];

	if (phone->answers)
		codecs = phone->answers;
	if (phone->mode == PHONE_BAD_SDP)
		codecs = "9";
	sdp_text(phone, codecs, body, sizeof body);
	phone->state = PHONE_ANSWERED;
	respond(phone, phone->invite, 200, body);
}

void phone_hangup(struct phone *phone)
{
	switch (phone->state) {
	case PHONE_CALLING:
		phone->cancelled = true;
		request(phone, "CANCEL", phone->target,
			"CSeq: %u CANCEL\r\nContent-Length: 0\r\n\r\n", phone->invite_cseq);
		break;
	case PHONE_ALERTING:
		phone->state = PHONE_OVER;
		respond(phone, phone->invite, 486, NULL);
		break;
	case PHONE_UP:
	case PHONE_ANSWERED: send_bye(phone); break;
	case PHONE_IDLE:
	case PHONE_OVER: break;
	}
}

static void copy_span(char *out, size_t bytes, struct td_str span)
{
	must(td_str_copy(span, out, bytes) == 0);
}

static void refuse(struct phone *phone, const char *text, uint16_t status)
{
	phone->state = PHONE_OVER;
	respond(phone, text, status, NULL);
}

static void on_invite(struct phone *phone, const struct td_sip_message *msg, const char *text)
{
	phone->invites++;
	if (phone->state == PHONE_UP || phone->mode == PHONE_SILENT)
		return;
	if (phone->state == PHONE_ALERTING || phone->state == PHONE_ANSWERED)
		return; // a retransmission
	snprintf(phone->invite, sizeof phone->invite, "%s", text);
	copy_span(phone->last_body, sizeof phone->last_body, msg->body);
	snprintf(phone->local_tag, sizeof phone->local_tag, "callee%u", ++serial);
	copy_span(phone->call_id, sizeof phone->call_id, msg->call_id);
	copy_span(phone->remote_tag, sizeof phone->remote_tag, msg->from.tag);
	copy_span(phone->peer_uri, sizeof phone->peer_uri, msg->from.uri.text);
	phone->cseq = 500;
	if (phone->avp_status && strstr(phone->last_body, " RTP/AVP ")) {
		refuse(phone, text, phone->avp_status);
		return;
	}
	phone->state = PHONE_ALERTING;
	switch (phone->mode) {
	case PHONE_ANSWERS:
	case PHONE_BAD_SDP:
		respond(phone, text, 180, NULL);
		phone_answer(phone);
		break;
	case PHONE_RINGS: respond(phone, text, 180, NULL); break;
	case PHONE_BUSY: refuse(phone, text, 486); break;
	case PHONE_DECLINES: refuse(phone, text, 603); break;
	case PHONE_CANNOT: refuse(phone, text, 488); break;
	case PHONE_SILENT:
	case PHONE_DEAF: break;
	}
}

static void take_target(struct phone *phone, const struct td_sip_message *msg)
{
	struct td_sip_name_addr contact;
	struct td_str value = td_sip_message_value(msg, TD_SIP_HEADER_CONTACT);

	if (value.len && td_sip_name_addr_parse(value, &contact) == 0)
		copy_span(phone->target, sizeof phone->target, contact.uri.text);
}

static void on_request(struct phone *phone, const struct td_sip_message *msg, const char *text)
{
	struct td_str reason;

	switch ((int)msg->method) {
	case TD_SIP_INVITE:
		take_target(phone, msg);
		on_invite(phone, msg, text);
		break;
	case TD_SIP_ACK:
		phone->acks++;
		if (phone->state == PHONE_ANSWERED)
			phone->state = PHONE_UP;
		break;
	case TD_SIP_CANCEL:
		phone->cancels++;
		respond(phone, text, 200, NULL);
		if (phone->state == PHONE_ALERTING) {
			phone->state = PHONE_OVER;
			respond(phone, phone->invite, 487, NULL);
		}
		break;
	case TD_SIP_BYE:
		phone->byes++;
		reason = td_sip_message_value(msg, TD_SIP_HEADER_REASON);
		copy_span(phone->reason, sizeof phone->reason, reason);
		phone->state = PHONE_OVER;
		respond(phone, text, 200, NULL);
		break;
	case TD_SIP_OPTIONS:
		phone->options++;
		respond(phone, text, 200, NULL);
		break;
	default: ck_abort_msg("unexpected request: %s", text);
	}
}

// RFC 3261 section 17.1.1.3: the ACK of a refusal belongs to the INVITE's own transaction.
static void ack_refusal(struct phone *phone, const struct td_sip_message *msg)
{
	copy_span(phone->remote_tag, sizeof phone->remote_tag, msg->to.tag);
	request(phone, "ACK", phone->target, "CSeq: %u ACK\r\nContent-Length: 0\r\n\r\n",
		msg->cseq);
}

static void on_invite_response(struct phone *phone, const struct td_sip_message *msg)
{
	if (msg->status < 200)
		return;
	phone->status = msg->status;
	copy_span(phone->retry_after, sizeof phone->retry_after,
		  td_sip_message_value(msg, TD_SIP_HEADER_RETRY_AFTER));
	copy_span(phone->reason, sizeof phone->reason,
		  td_sip_message_value(msg, TD_SIP_HEADER_REASON));
	if (msg->status >= 300) {
		ack_refusal(phone, msg);
		if (phone->state == PHONE_CALLING)
			phone->state = PHONE_OVER;
		return;
	}
	phone->answers_seen++;
	copy_span(phone->remote_tag, sizeof phone->remote_tag, msg->to.tag);
	copy_span(phone->last_body, sizeof phone->last_body, msg->body);
	take_target(phone, msg);
	if (phone->holds_ack)
		return;
	if (phone->state == PHONE_OVER) {
		phone_ack(phone);
		phone->state = PHONE_OVER;
		return;
	}
	phone_ack(phone);
	if (phone->cancelled)
		send_bye(phone);
}

static void on_challenge(struct phone *phone, const struct td_sip_message *msg)
{
	const struct td_sip_account account = { phone->user, phone->password, NULL };
	char credentials[TD_SIP_CREDENTIALS_MAX];
	size_t len;

	must(td_sip_digest_answer(msg, &account, TD_STR("REGISTER"), TD_STR("sip:10.77.0.1"),
				  ++serial, credentials, &len) == 0);
	new_branch(phone);
	phone->remote_tag[0] = '\0';
	request(phone, "REGISTER", "sip:10.77.0.1", "CSeq: %u REGISTER\r\n%.*sExpires: %u\r\n\r\n",
		++phone->cseq, (int)len, credentials, phone->world->expires_s);
}

void phone_register(struct phone *phone, unsigned expires_s)
{
	phone->status = 0;
	phone->world->expires_s = expires_s;
	new_dialog(phone);
	new_branch(phone);
	snprintf(phone->peer_uri, sizeof phone->peer_uri, "sip:%s@10.77.0.1", phone->user);
	request(phone, "REGISTER", "sip:10.77.0.1", "CSeq: %u REGISTER\r\nExpires: %u\r\n\r\n",
		++phone->cseq, expires_s);
}

static void on_response(struct phone *phone, const struct td_sip_message *msg)
{
	if (msg->cseq_method == TD_SIP_INVITE) {
		on_invite_response(phone, msg);
		return;
	}
	if (msg->cseq_method == TD_SIP_REGISTER && msg->status == 401 && phone->status != 401) {
		phone->status = 401;
		on_challenge(phone, msg);
		return;
	}
	if (msg->cseq_method != TD_SIP_CANCEL)
		phone->status = msg->status;
}

bool phone_step(struct phone *phone)
{
	struct td_sip_message msg;
	char text[PHONE_BYTES];

	if (phone->inbox_count == 0)
		return false;
	memcpy(text, phone->inbox[phone->inbox_head], sizeof text);
	must(td_sip_message_parse(&msg, text, phone->inbox_len[phone->inbox_head]) == 0);
	phone->inbox_head = (phone->inbox_head + 1) % PHONE_INBOX;
	phone->inbox_count--;
	if (phone->mode == PHONE_DEAF)
		return true;
	if (msg.is_request)
		on_request(phone, &msg, text);
	else
		on_response(phone, &msg);
	return true;
}

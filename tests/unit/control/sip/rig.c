#include "rig.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

const struct td_endpoint rig_local = { .addr = { 10, 77, 0, 1 },
				       .port_be = 0xc413, // 5060
				       .family = TD_FAMILY_IPV4 };
const struct td_endpoint rig_peer = { .addr = { 10, 77, 0, 10 },
				      .port_be = 0xc413,
				      .family = TD_FAMILY_IPV4 };

static void on_send(void *user, const struct td_endpoint *to, const void *bytes, size_t len)
{
	struct rig *rig = user;
	struct rig_out *out = &rig->out[rig->out_count];

	ck_assert_uint_lt(rig->out_count, RIG_OUT_MAX);
	ck_assert_uint_lt(len, sizeof out->bytes);
	out->to = *to;
	out->at_ms = rig->now_ms;
	out->len = len;
	memcpy(out->bytes, bytes, len);
	out->bytes[len] = 0;
	rig->out_count++;
}

static void on_event(void *user, const struct td_sip_event *event)
{
	struct rig *rig = user;
	struct rig_event *record = &rig->events[rig->event_count];

	ck_assert_uint_lt(rig->event_count, RIG_EVENT_MAX);
	*record = (struct rig_event){ .kind = event->kind,
				      .owner = event->owner,
				      .at_ms = rig->now_ms,
				      .txn = event->txn,
				      .dialog = event->dialog };
	if (event->msg) {
		record->method = event->msg->method;
		record->status = event->msg->status;
		record->body_len = event->msg->body.len;
	}
	rig->event_count++;
	if (rig->hook)
		rig->hook(rig, event);
}

struct rig *rig_make(uint32_t transactions_max, uint32_t dialogs_max)
{
	const struct td_sip_endpoint_ops ops = { on_send, on_event };
	struct td_sip_config config = { .local4 = rig_local,
					.local6 = { .addr = { 0xfd, 0x77, [15] = 1 },
						    .port_be = 0xc413,
						    .family = TD_FAMILY_IPV6 },
					.user_agent = "Tandem/test",
					.transactions_max = transactions_max,
					.dialogs_max = dialogs_max,
					.seed = "sixteen bytes..." };
	struct rig *rig = calloc(1, sizeof *rig);

	ck_assert_ptr_nonnull(rig);
	rig->now_ms = RIG_START_MS;
	ck_assert_int_eq(td_sip_endpoint_create(&config, &ops, rig, rig->now_ms, &rig->ep), 0);
	return rig;
}

void rig_free(struct rig *rig)
{
	td_sip_endpoint_destroy(rig->ep);
	free(rig);
}

void rig_clear(struct rig *rig)
{
	rig->out_count = 0;
	rig->event_count = 0;
}

void rig_in_from(struct rig *rig, const char *text, size_t len, const struct td_endpoint *from)
{
	// A heap copy of exactly this size, so that a sanitizer sees one byte too far.
	char *copy = malloc(len ? len : 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, text, len);
	td_sip_endpoint_receive(rig->ep, rig->now_ms, copy, len, from);
	free(copy);
}

void rig_in(struct rig *rig, const char *text, size_t len)
{
	rig_in_from(rig, text, len, &rig_peer);
}

void rig_inf(struct rig *rig, const char *format, ...)
{
	static char plain[8192], wire[16384];
	size_t used = 0;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(plain, sizeof plain, format, args);
	va_end(args);
	ck_assert(len > 0 && (size_t)len < sizeof plain);
	for (int i = 0; i < len; i++) {
		if (plain[i] == '\n' && (!i || plain[i - 1] != '\r'))
			wire[used++] = '\r';
		wire[used++] = plain[i];
	}
	rig_in(rig, wire, used);
}

void rig_run_to(struct rig *rig, uint64_t now_ms)
{
	for (;;) {
		uint64_t next = td_sip_endpoint_next_ms(rig->ep);

		if (next > now_ms)
			break;
		ck_assert_uint_gt(next, rig->now_ms - 1);
		rig->now_ms = next;
		td_sip_endpoint_advance(rig->ep, next);
	}
	rig->now_ms = now_ms;
	td_sip_endpoint_advance(rig->ep, now_ms);
}

void rig_run(struct rig *rig, uint64_t ms)
{
	rig_run_to(rig, rig->now_ms + ms);
}

const struct td_sip_message *rig_parse(const struct rig *rig, unsigned i,
				       struct td_sip_message *msg)
{
	ck_assert_msg(i < rig->out_count, "datagram %u of %u", i, rig->out_count);
	ck_assert_msg(!td_sip_message_parse(msg, rig->out[i].bytes, rig->out[i].len), "%s:\n%s",
		      msg->reject_text, rig->out[i].bytes);
	return msg;
}

const struct td_sip_message *rig_last(const struct rig *rig, struct td_sip_message *msg)
{
	ck_assert_uint_gt(rig->out_count, 0);
	return rig_parse(rig, rig->out_count - 1, msg);
}

const struct td_sip_message *rig_keep(const struct rig *rig, struct td_sip_message *msg)
{
	static char copies[8][sizeof rig->out[0].bytes];
	static unsigned next;
	char *copy = copies[next++ % 8];
	const struct rig_out *out = &rig->out[rig->out_count - 1];

	ck_assert_uint_gt(rig->out_count, 0);
	memcpy(copy, out->bytes, out->len);
	ck_assert_int_eq(td_sip_message_parse(msg, copy, out->len), 0);
	return msg;
}

unsigned rig_status(const struct rig *rig, unsigned i)
{
	unsigned status = 0;

	ck_assert_msg(i < rig->out_count, "datagram %u of %u", i, rig->out_count);
	if (sscanf(rig->out[i].bytes, "SIP/2.0 %3u ", &status) != 1)
		return 0;
	return status;
}

uint64_t rig_counter(const struct rig *rig, enum td_sip_counter counter)
{
	struct td_sip_figures figures;

	td_sip_endpoint_figures(rig->ep, &figures);
	return figures.counters[counter];
}

uint32_t rig_transactions(const struct rig *rig)
{
	struct td_sip_figures figures;

	td_sip_endpoint_figures(rig->ep, &figures);
	return figures.transactions;
}

uint32_t rig_dialogs(const struct rig *rig)
{
	struct td_sip_figures figures;

	td_sip_endpoint_figures(rig->ep, &figures);
	return figures.dialogs;
}

const char *rig_text(struct td_str span)
{
	static char buffers[8][2048];
	static unsigned next;
	char *out = buffers[next++ % 8];

	ck_assert_uint_lt(span.len, 2048);
	if (span.len)
		memcpy(out, span.at, span.len);
	out[span.len] = 0;
	return out;
}

#define SDP                                                                                        \
	"v=0\no=- 1 1 IN IP4 10.77.0.10\ns=-\nc=IN IP4 10.77.0.10\nt=0 0\nm=audio 4000 RTP/AVP 0\n"

void rig_invite(struct rig *rig, const char *branch, unsigned cseq, const char *to_tag)
{
	rig_inf(rig,
		"INVITE sip:100@10.77.0.1 SIP/2.0\n"
		"Via: SIP/2.0/UDP 10.77.0.10:5060;branch=%s;rport\n"
		"Record-Route: <sip:10.77.0.11;lr>\n"
		"Record-Route: <sip:10.77.0.12;lr>\n"
		"Max-Forwards: 70\n"
		"From: \"Bob\" <sip:bob@example.com>;tag=bobtag\n"
		"To: <sip:100@10.77.0.1>%s%s\n"
		"Call-ID: call-1\n"
		"CSeq: %u INVITE\n"
		"Contact: <sip:bob@10.77.0.10:5062>\n"
		"Content-Type: application/sdp\n\n" SDP,
		branch, to_tag[0] ? ";tag=" : "", to_tag, cseq);
}

void rig_request(struct rig *rig, const char *method, const char *branch, unsigned cseq,
		 const char *to_tag)
{
	rig_inf(rig,
		"%s sip:100@10.77.0.1 SIP/2.0\n"
		"Via: SIP/2.0/UDP 10.77.0.10:5060;branch=%s;rport\n"
		"Max-Forwards: 70\n"
		"From: \"Bob\" <sip:bob@example.com>;tag=bobtag\n"
		"To: <sip:100@10.77.0.1>%s%s\n"
		"Call-ID: call-1\n"
		"CSeq: %u %s\n"
		"Content-Length: 0\n\n",
		method, branch, to_tag[0] ? ";tag=" : "", to_tag, cseq, method);
}

int rig_respond(struct rig *rig, unsigned event, unsigned status)
{
	struct td_sip_response response = { .status = (uint16_t)status };

	if (status == 200) {
		response.content_type = TD_STR("application/sdp");
		response.body = TD_STR("v=0\r\n");
	}
	return td_sip_respond(rig->ep, rig->now_ms, rig->events[event].txn, &response);
}

const char *rig_our_tag(const struct rig *rig)
{
	static struct td_sip_message msg;

	return rig_text(rig_last(rig, &msg)->to.tag);
}

const char *rig_call_up(struct rig *rig)
{
	const char *tag;

	rig_invite(rig, "z9hG4bK1", 1, "");
	ck_assert_int_eq(td_sip_txn_adopt(rig->ep, rig->events[0].txn, 77, 0), 0);
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
	tag = rig_our_tag(rig);
	rig_request(rig, "ACK", "z9hG4bKack1", 1, tag);
	return tag;
}

void rig_reply(struct rig *rig, const struct td_sip_message *request, unsigned status,
	       const char *to_tag, const char *more)
{
	rig_inf(rig,
		"SIP/2.0 %u Whatever\nVia: %s\nFrom: %s\nTo: %s%s%s\nCall-ID: %s\nCSeq: %u %s\n%s"
		"Content-Length: 0\n\n",
		status, rig_text(request->via.text), rig_text(request->from.text),
		rig_text(request->to.text), to_tag[0] ? ";tag=" : "", to_tag,
		rig_text(request->call_id), request->cseq, rig_text(request->method_text), more);
}

struct td_sip_request rig_invite_out(uint64_t owner)
{
	return (struct td_sip_request){ .method = TD_SIP_INVITE,
					.owner = owner,
					.dest = rig_peer,
					.uri = TD_STR("sip:1001@10.77.0.10:5060"),
					.from = TD_STR("\"Alice\" <sip:alice@10.77.0.1>"),
					.to = TD_STR("<sip:1001@10.77.0.1>"),
					.headers = TD_STR("X-Call: c42\r\n"),
					.content_type = TD_STR("application/sdp"),
					.body = TD_STR("v=0\r\n"),
					.max_forwards = 69 };
}

void rig_call_out(struct rig *rig, uint64_t owner, struct td_sip_txn_id *txn,
		  struct td_sip_dialog_id *dialog, struct td_sip_message *request)
{
	struct td_sip_request invite = rig_invite_out(owner);

	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &invite, txn, dialog), 0);
	rig_keep(rig, request);
}

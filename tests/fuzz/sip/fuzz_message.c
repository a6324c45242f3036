// A SIP datagram from a stranger: through the parser, every typed reading of it, and a live endpoint
// whose user answers and hangs up; time passes between inputs so that timers and pools turn over.
#include <stdint.h>
#include <stdlib.h>

#include "sip/endpoint.h"
#include "td_assert.h"

static struct td_sip_endpoint *ep;
static uint64_t now_ms = 1000;
static bool well_formed; // what is being received; timers only ever repeat what was

static void on_send(void *user, const struct td_endpoint *to, const void *bytes, size_t len)
{
	static struct td_sip_message sent;

	(void)user;
	TD_ASSERT(to->port_be && len && len <= 8192);
	// To a well-formed message the answer is well-formed.
	TD_ASSERT(!well_formed || !td_sip_message_parse(&sent, bytes, len));
}

static void on_event(void *user, const struct td_sip_event *event)
{
	struct td_sip_response response = { .status = 486 };

	(void)user;
	if (event->kind == TD_SIP_EVENT_ACK_TIMEOUT)
		td_sip_dialog_drop(ep, event->dialog);
	if (event->kind != TD_SIP_EVENT_REQUEST)
		return;
	// Half of the calls are taken, by the length of their Call-ID.
	if (event->msg->call_id.len & 1)
		response.status = 200;
	if (td_sip_respond(ep, now_ms, event->txn, &response))
		abort(); // what was taken in can be answered
}

static void make_endpoint(void)
{
	const struct td_sip_endpoint_ops ops = { on_send, on_event };
	struct td_sip_config config = {
		.local4 = { .addr = { 10, 77, 0, 1 }, .port_be = 0xc413, .family = TD_FAMILY_IPV4 },
		.user_agent = "fuzz",
		.transactions_max = 256,
		.dialogs_max = 128,
		.seed = "fixed, to repeat"
	};

	if (td_sip_endpoint_create(&config, &ops, NULL, now_ms, &ep))
		abort();
}

static void inside(const struct td_sip_message *msg, struct td_str s)
{
	TD_ASSERT(!s.len ||
		  (s.at >= msg->bytes.at && s.at + s.len <= msg->bytes.at + msg->bytes.len));
}

static void read_everything(const struct td_sip_message *msg)
{
	struct td_sip_digest_fields fields;
	struct td_sip_name_addr party;
	struct td_str value;

	inside(msg, msg->body);
	inside(msg, msg->call_id);
	inside(msg, msg->via.branch);
	inside(msg, msg->from.tag);
	TD_ASSERT(msg->header_count <= TD_SIP_HEADER_MAX && msg->via_count > 0);
	for (unsigned id = 1; id < TD_SIP_HEADER_ID_COUNT; id++) {
		struct td_sip_walk walk = { 0 };
		size_t values = 0;

		while (td_sip_message_next(msg, id, &walk, &value)) {
			inside(msg, value);
			if (!td_sip_name_addr_parse(value, &party))
				td_sip_contact_expires(msg, &party, 60);
			if (!td_sip_digest_fields_parse(value, &fields))
				inside(msg, fields.nonce);
			TD_ASSERT(++values <= msg->bytes.len);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct td_endpoint from = { .addr = { 10, 77, 0, 10 },
						 .port_be = 0xc413,
						 .family = TD_FAMILY_IPV4 };
	static struct td_sip_message msg;

	if (!ep)
		make_endpoint();
	well_formed = !td_sip_message_parse(&msg, (const char *)data, size);
	TD_ASSERT(well_formed || msg.reject_text);
	if (well_formed)
		read_everything(&msg);
	td_sip_endpoint_receive(ep, now_ms, data, size, &from);
	now_ms += 700;
	well_formed = true;
	td_sip_endpoint_advance(ep, now_ms);
	return 0;
}

// One SIP message as spans over the datagram it came in.
//
//   bytes: [start line][headers ............][CRLF][body][ignored rest]
//            ^spans point in here; nothing is copied, nothing is allocated
//
// Invariant after a parse that returned 0: the mandatory fields (top Via, From, To, Call-ID, CSeq) are
// present once (Via at least once), parsed and consistent, and body.len is Content-Length or the rest
// of the datagram. The struct is the caller's memory and borrows the datagram: both must live as long
// as it is read. At most TD_SIP_HEADER_MAX header lines; more is malformed. Pure, any thread.
//
// After an error, `reject_status` says what to answer: a status (400, 505...), or 0: drop it and
// count. Whatever was understood until then is set, so that the answer can be written.
#pragma once

#include "base/str.h"
#include "sip/header_id.h"
#include "sip/uri.h"

#define TD_SIP_HEADER_MAX   96    // header lines of one message
#define TD_SIP_DATAGRAM_MAX 65535 // bytes

struct td_sip_header {
	uint8_t id;   // enum td_sip_header_id
	uint8_t next; // index + 1 of the next header with this id; 0: last. OTHER is not chained.
	uint16_t name_len;
	uint16_t name_at, value_at, value_len; // offsets in the datagram; the value is trimmed
};

// From, To, Contact, Route...: `"display" <uri>;params` or `uri;params` (RFC 3261 section 20.10).
struct td_sip_name_addr {
	struct td_str text;    // all of it
	struct td_str display; // still quoted and escaped
	struct td_sip_uri uri;
	struct td_str params; // after the first ';' that belongs to the header
	struct td_str tag;
	bool has_tag;
};

struct td_sip_via {
	struct td_str text;
	struct td_str transport;
	struct td_str host; // IPv6 references without brackets
	bool host_is_ipv6;
	uint16_t port; // 0: none given
	struct td_str branch;
	struct td_str params;
	bool has_rport; // ";rport" or ";rport=1234"
	bool magic;     // branch is longer than, and starts with, the cookie z9hG4bK
};

struct td_sip_message {
	struct td_str bytes;
	bool is_request;
	uint16_t reject_status;
	const char
		*reject_text; // what was wrong, for a Warning or a trace; never NULL after an error

	enum td_sip_method method; // of a request; of a response: CSeq's
	struct td_str method_text;
	struct td_sip_uri request_uri;
	uint16_t status;
	struct td_str reason;

	struct td_sip_via via; // topmost
	uint16_t via_count;    // values, not lines
	struct td_sip_name_addr from, to;
	struct td_str call_id;
	uint32_t cseq;
	enum td_sip_method cseq_method;
	struct td_str cseq_method_text;
	int16_t max_forwards; // -1: none
	bool has_content_length;
	struct td_str content_type; // media type without parameters, "" when there is none
	struct td_str body;

	uint8_t header_count;
	uint8_t first
		[TD_SIP_HEADER_ID_COUNT]; // index + 1 of the first header with that id; 0: none
	struct td_sip_header headers[TD_SIP_HEADER_MAX];
};

// Parses one datagram (RFC 3261 sections 7, 18.3 and 20). 0, or -TD_EMALFORMED with reject_status.
TD_MUST_CHECK int td_sip_message_parse(struct td_sip_message *msg, const char *bytes, size_t len);

// The raw value of the first header with this id, or the empty span.
struct td_str td_sip_message_value(const struct td_sip_message *msg, enum td_sip_header_id id);
bool td_sip_message_has(const struct td_sip_message *msg, enum td_sip_header_id id);
// The first header called `name` (full compare, without case), known or not.
bool td_sip_message_find(const struct td_sip_message *msg, struct td_str name,
			 struct td_str *value);

// Walks the comma-separated values of every header with this id, in order:
//   struct td_sip_walk walk = { 0 };
//   while (td_sip_message_next(msg, TD_SIP_HEADER_CONTACT, &walk, &value)) ...
// Commas inside quotes and <> do not separate. Bounded by the message.
struct td_sip_walk {
	uint16_t header; // index + 1; 0: not begun
	uint32_t offset;
	bool done;
};
bool td_sip_message_next(const struct td_sip_message *msg, enum td_sip_header_id id,
			 struct td_sip_walk *walk, struct td_str *value);

// Parses one value of From, To, Contact, Route or Record-Route. 0 or -TD_EMALFORMED.
TD_MUST_CHECK int td_sip_name_addr_parse(struct td_str text, struct td_sip_name_addr *out);
// Parses one Via value. 0 or -TD_EMALFORMED (host is set even so when it was readable).
TD_MUST_CHECK int td_sip_via_parse(struct td_str text, struct td_sip_via *out);
// Finds ";name" or ";name=value" in a header's parameter string; quoted values keep their quotes.
bool td_sip_param(struct td_str params, struct td_str name, struct td_str *value);

// Expires of a Contact (its parameter first, then the header, then `fallback`), in seconds. A number
// too large for 32 bits is the largest one; garbage is `fallback` (RFC 3261 section 10.3 step 6).
uint32_t td_sip_contact_expires(const struct td_sip_message *msg,
				const struct td_sip_name_addr *contact, uint32_t fallback);

// A dialog (RFC 3261 section 12) as plain data: no pointers, so it can be copied, journaled and
// restored byte by byte.
//
// Text lives in one arena inside the struct; fields are offset and length in it. Invariant: every
// field lies inside text[0..text_len), and remote_target and route_set are syntactically valid. The
// endpoint owns the live ones in its pool; a copy taken with td_sip_dialog_get() is the
// caller's. What does not fit TD_SIP_DIALOG_TEXT_MAX is refused when the dialog would be made.
#pragma once

#include "base/str.h"
#include "sip/message.h"
#include "td_endpoint.h"

#define TD_SIP_DIALOG_TEXT_MAX 2560

enum td_sip_dialog_state {
	TD_SIP_DIALOG_NONE,
	TD_SIP_DIALOG_CALLING, // our INVITE is out, nothing with a tag has come back
	TD_SIP_DIALOG_EARLY,
	TD_SIP_DIALOG_CONFIRMED,
	TD_SIP_DIALOG_ENDED // a BYE was sent or answered
};

struct td_sip_field {
	uint16_t at, len;
};

struct td_sip_dialog {
	uint8_t state;  // enum td_sip_dialog_state
	bool initiator; // we sent the first INVITE
	bool symmetric; // always send to `peer` (NAT), never to what Contact says
	bool local_cseq_set, remote_cseq_set;
	uint32_t local_cseq, remote_cseq;
	struct td_endpoint peer; // where the last message of the dialog came from
	struct td_sip_field call_id, local_tag, remote_tag;
	struct td_sip_field local_uri, remote_uri; // From/To values without tag
	struct td_sip_field remote_target;         // a URI
	struct td_sip_field route_set;    // "<sip:a;lr>, <sip:b;lr>" in sending order, or empty
	struct td_sip_field contact_user; // what our Contact said
	uint16_t text_len;
	char text[TD_SIP_DIALOG_TEXT_MAX];
};

static inline struct td_str td_sip_dialog_text(const struct td_sip_dialog *dialog,
					       struct td_sip_field field)
{
	return td_str_make(dialog->text + field.at, field.len);
}

// What follows is for the endpoint. Each returns 0, -TD_EFULL when the arena is too small, or
// -TD_EMALFORMED when the message says nothing usable.

// Server side: from an INVITE without To tag (12.1.1). `local_tag` becomes ours.
TD_MUST_CHECK int td_sip_dialog_from_request(struct td_sip_dialog *dialog,
					     const struct td_sip_message *msg,
					     const struct td_endpoint *from,
					     struct td_str local_tag);

struct td_sip_dialog_seed {
	struct td_str call_id, local_tag, local, remote, target, contact_user;
	struct td_endpoint peer;
	bool symmetric;
};
// Client side, before anything came back; the target is the Request-URI.
TD_MUST_CHECK int td_sip_dialog_from_seed(struct td_sip_dialog *dialog,
					  const struct td_sip_dialog_seed *seed);
// Client side: a 2xx (or 1xx) with a To tag fixes remote tag, target and route set (12.1.2).
TD_MUST_CHECK int td_sip_dialog_confirm(struct td_sip_dialog *dialog,
					const struct td_sip_message *msg,
					const struct td_endpoint *from);
// Takes a new remote target (12.2: target refresh).
TD_MUST_CHECK int td_sip_dialog_retarget(struct td_sip_dialog *dialog, struct td_str uri);

struct td_sip_dialog_path {
	struct td_str request_uri;
	struct td_str routes;     // all but the last, may be empty
	struct td_str last_route; // a URI to append in <>, for a strict router (12.2.1.1); or empty
	struct td_endpoint hop;   // where the datagram goes
};
void td_sip_dialog_route(const struct td_sip_dialog *dialog, struct td_sip_dialog_path *out);
// Every field inside the arena, the URIs parse: a restored dialog must pass.
bool td_sip_dialog_valid(const struct td_sip_dialog *dialog);

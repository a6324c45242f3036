// One endpoint under a virtual clock, with everything it sends and says recorded.
//
// The test is the network and the peer: it injects text with rig_in, reads what went out, and moves
// the clock with rig_run_to, which stops at every time the endpoint asked for. Bounded recorders;
// overflowing one fails the test.
#pragma once

#include <stdarg.h>

#include "sip/endpoint.h"

#define RIG_OUT_MAX   512
#define RIG_EVENT_MAX 512

struct rig_out {
	struct td_endpoint to;
	uint64_t at_ms;
	size_t len;
	char bytes[8200];
};

struct rig_event {
	enum td_sip_event_kind kind;
	uint64_t owner, at_ms;
	struct td_sip_txn_id txn;
	struct td_sip_dialog_id dialog;
	enum td_sip_method method;
	unsigned status;
	size_t body_len;
};

struct rig {
	struct td_sip_endpoint *ep;
	uint64_t now_ms;
	unsigned out_count, event_count;
	void (*hook)(struct rig *rig, const struct td_sip_event *event); // may be NULL
	void *hook_user;
	struct rig_out out[RIG_OUT_MAX];
	struct rig_event events[RIG_EVENT_MAX];
};

#define RIG_START_MS 1000000

extern const struct td_endpoint rig_local; // 10.77.0.1:5060
extern const struct td_endpoint rig_peer;  // 10.77.0.10:5060
struct rig *rig_make(uint32_t transactions_max, uint32_t dialogs_max);
void rig_free(struct rig *rig);
void rig_clear(struct rig *rig); // forgets what was recorded
void rig_in(struct rig *rig, const char *text, size_t len);
void rig_in_from(struct rig *rig, const char *text, size_t len, const struct td_endpoint *from);
// printf, with every "\n" sent as CRLF.
__attribute__((format(printf, 2, 3))) void rig_inf(struct rig *rig, const char *format, ...);
void rig_run_to(struct rig *rig, uint64_t now_ms);
void rig_run(struct rig *rig, uint64_t ms);
// The i-th datagram, parsed; fails the test when there is none or it does not parse.
const struct td_sip_message *rig_parse(const struct rig *rig, unsigned i,
				       struct td_sip_message *msg);
const struct td_sip_message *rig_last(const struct rig *rig, struct td_sip_message *msg);
// The last one, parsed from a copy that outlives rig_clear (eight of them).
const struct td_sip_message *rig_keep(const struct rig *rig, struct td_sip_message *msg);
// Status code of the i-th datagram, 0 for a request.
unsigned rig_status(const struct rig *rig, unsigned i);
uint64_t rig_counter(const struct rig *rig, enum td_sip_counter counter);
uint32_t rig_transactions(const struct rig *rig);
uint32_t rig_dialogs(const struct rig *rig);
// Copies a span into a NUL-terminated buffer that the next eight calls leave alone.
const char *rig_text(struct td_str span);

// --- a scripted caller: Bob at rig_peer, Call-ID call-1 ---
// INVITE with an SDP body, two Record-Routes and a Contact; to_tag "" opens a dialog.
void rig_invite(struct rig *rig, const char *branch, unsigned cseq, const char *to_tag);
// Any request without a body.
void rig_request(struct rig *rig, const char *method, const char *branch, unsigned cseq,
		 const char *to_tag);
// td_sip_respond to the transaction of the event-th recorded event; 200 has a body.
int rig_respond(struct rig *rig, unsigned event, unsigned status);
// The To tag of the last datagram.
const char *rig_our_tag(const struct rig *rig);
// A call up to and including its ACK, adopted by owner 77; returns our tag.
const char *rig_call_up(struct rig *rig);

// --- a scripted callee: 1001 at rig_peer ---
#define RIG_CALLEE_CONTACT "Contact: <sip:1001@10.77.0.10:6000>\n"
// The INVITE that Alice's call to 1001 is.
struct td_sip_request rig_invite_out(uint64_t owner);
// Sends it; what went out is in *request, and stays there.
void rig_call_out(struct rig *rig, uint64_t owner, struct td_sip_txn_id *txn,
		  struct td_sip_dialog_id *dialog, struct td_sip_message *request);
// Answers our last request (which must be one) with this status, from its own headers.
void rig_reply(struct rig *rig, const struct td_sip_message *request, unsigned status,
	       const char *to_tag, const char *more);

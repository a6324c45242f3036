// The SIP user agent core: transactions, dialogs and the checks of RFC 3261 section 8.2, as one
// pure object. Datagrams go in, datagrams and events come out.
//
//   td_sip_endpoint_receive --> parse --> transaction --> UA checks --> dialog --> on_event
//   td_sip_endpoint_advance --> timers ---^                             |
//   td_sip_request_send / td_sip_respond / td_sip_ack / td_sip_cancel --+--> send
//
// Done here, so that the user need not: 100 Trying for an INVITE that has no answer after
// 100 ms or comes again, retransmissions of everything, ACK of a non-2xx, 2xx until its ACK comes, 487 after CANCEL, ACK and BYE for a
// second fork's 2xx, 491 and 500 for crossing re-INVITEs, 481, 482, 483, 405/501, 415, 416, 420, 406,
// and a stateless 503 with Retry-After 1..8 s when a pool is full (in-dialog requests keep a reserve).
//
// Memory: everything is allocated by create and bounded by its limits. Handles are generational:
// a stale one gets -TD_ESTALE, never somebody else's transaction. Control thread only. Callbacks
// run inside receive/advance and may call anything here except receive, advance and destroy.
// Time is CLOCK_MONOTONIC milliseconds, given by the caller.
#pragma once

#include "base/str.h"
#include "sip/dialog.h"
#include "sip/digest.h"
#include "sip/message.h"
#include "td_endpoint.h"
#include "td_error.h"

struct td_sip_endpoint;

// .v == 0 names nothing.
struct td_sip_txn_id {
	uint64_t v;
};
struct td_sip_dialog_id {
	uint64_t v;
};

enum td_sip_event_kind {
	// A request to answer with td_sip_respond(txn): INVITE, re-INVITE (dialog set and owner yours),
	// BYE, OPTIONS, REGISTER. dialog.v == 0 outside a dialog. Answer now or later.
	TD_SIP_EVENT_REQUEST,
	// The peer took its INVITE back; 200 (CANCEL) has been sent and 487 (INVITE) follows by itself.
	// Also when a BYE ends an INVITE that had no final answer (the BYE follows as a REQUEST).
	TD_SIP_EVENT_CANCELLED,
	// Our 2xx was acknowledged; msg may carry the SDP answer. Once per INVITE.
	TD_SIP_EVENT_ACK,
	// Our 2xx was never acknowledged (64 * T1): the session should be ended with BYE (13.3.1.4).
	TD_SIP_EVENT_ACK_TIMEOUT,
	// A response to our request, each provisional and one final. A 2xx to INVITE wants td_sip_ack().
	TD_SIP_EVENT_RESPONSE,
	// No final response came in time (timer B, F, or 64 * T1 after our CANCEL): treat as 408.
	TD_SIP_EVENT_TIMEOUT,
	// A 2xx crossed our CANCEL. It has been acknowledged and the session ended with BYE: the
	// transaction is over, as after a 487. (Of a re-INVITE: acknowledged, and the session stands.)
	TD_SIP_EVENT_ANSWER_CROSSED
};

struct td_sip_event {
	enum td_sip_event_kind kind;
	uint64_t owner; // yours, from the request, td_sip_txn_adopt or the dialog; 0: nobody's yet
	struct td_sip_txn_id txn;
	struct td_sip_dialog_id dialog;
	const struct td_sip_message *msg; // NULL for timeouts; valid only during the callback
	struct td_endpoint from;          // where msg came from
};

struct td_sip_endpoint_ops {
	// A datagram leaves; bytes are valid only during the call.
	void (*send)(void *user, const struct td_endpoint *to, const void *bytes, size_t len);
	void (*on_event)(void *user, const struct td_sip_event *event);
};

struct td_sip_config {
	struct td_endpoint local4, local6; // what Via and Contact say; port 0: family not in use
	const char *user_agent;            // copied; at most 127 bytes, printable
	// Both directions, lingering ones included: a call with two legs leaves four of them behind for
	// 32 s and one for 5 s, so N calls a second fill about 135 * N. With fewer they linger for less
	// time, but for 5 s at least: 25 * N and one for each leg that is up are the least.
	uint32_t transactions_max;
	uint32_t dialogs_max;
	uint32_t t1_ms, t2_ms, t4_ms; // 0: RFC 3261's 500, 4000, 5000
	uint8_t seed[16];             // secret and random in production; fixed in a simulation
};

// -TD_EINVALID (limits or addresses make no sense) or -TD_EMEMORY. *out is the caller's to destroy.
TD_MUST_CHECK int td_sip_endpoint_create(const struct td_sip_config *config,
					 const struct td_sip_endpoint_ops *ops, void *user,
					 uint64_t now_ms, struct td_sip_endpoint **out);
void td_sip_endpoint_destroy(struct td_sip_endpoint *ep); // NULL is fine

// One datagram. Whatever it holds, the outcome is an event, an answer or a counter.
void td_sip_endpoint_receive(struct td_sip_endpoint *ep, uint64_t now_ms, const void *bytes,
			     size_t len, const struct td_endpoint *from);
// Runs what is due. Call when td_sip_endpoint_next_ms() is reached (UINT64_MAX: nothing armed).
void td_sip_endpoint_advance(struct td_sip_endpoint *ep, uint64_t now_ms);
uint64_t td_sip_endpoint_next_ms(const struct td_sip_endpoint *ep);
// While set, INVITEs outside a dialog get 503 with Retry-After before a transaction is made.
void td_sip_endpoint_shed(struct td_sip_endpoint *ep, bool shed);

// --- client side ---------------------------------------------------------------------------

#define TD_SIP_SYMMETRIC                                                                           \
	0x1u // peer may be behind NAT: in-dialog requests go where messages came from

struct td_sip_request {
	enum td_sip_method method;      // INVITE, BYE, OPTIONS, REGISTER
	struct td_sip_dialog_id dialog; // set: inside it, and dest, uri, from, to are taken from it
	uint64_t owner;                 // outside a dialog; comes back in every event
	struct td_endpoint dest;        // outside a dialog: where the datagram goes
	struct td_str uri;              // Request-URI, "sip:1001@10.77.0.20:5060"
	struct td_str from, to;         // `"Alice" <sip:alice@example.com>`, without tag
	struct td_str contact_user;     // user part of our Contact; may be empty
	struct td_str headers;          // more header lines, each ending CRLF; may be empty
	struct td_str content_type;     // "application/sdp"; empty when there is no body
	struct td_str body;
	uint8_t max_forwards; // 0: 70. A call passed on carries the incoming value less one.
	uint8_t flags;        // TD_SIP_SYMMETRIC
	uint16_t account; // from td_sip_endpoint_account; 0: a 401/407 is handed to you as it is
};

// Sends a request. An INVITE outside a dialog makes a dialog (*dialog, may be NULL to not care),
// which lives until its INVITE fails or its BYE is done. -TD_EFULL (pool full or the message does not
// fit), -TD_ESTALE (dialog), -TD_EBUSY (an INVITE is pending in this dialog: retry after glare),
// -TD_ESTATE (dialog not confirmed: end it with td_sip_cancel or a final answer), -TD_EINVALID.
TD_MUST_CHECK int td_sip_request_send(struct td_sip_endpoint *ep, uint64_t now_ms,
				      const struct td_sip_request *request,
				      struct td_sip_txn_id *txn, struct td_sip_dialog_id *dialog);
// Takes an unanswered INVITE back (RFC 3261 section 9.1): CANCEL goes out now, or with the first
// provisional response. The outcome is one RESPONSE (final), TIMEOUT or ANSWER_CROSSED event. -TD_ESTALE,
// -TD_ESTATE when it is answered already or not an INVITE of ours.
TD_MUST_CHECK int td_sip_cancel(struct td_sip_endpoint *ep, uint64_t now_ms,
				struct td_sip_txn_id txn);
// Acknowledges the 2xx of our INVITE transaction; keeps the ACK for that 2xx's retransmissions.
// `body` with an SDP answer when the offer came in the 2xx, else empty.
TD_MUST_CHECK int td_sip_ack(struct td_sip_endpoint *ep, uint64_t now_ms, struct td_sip_txn_id txn,
			     struct td_str content_type, struct td_str body);
// Registers credentials for answering 401/407 to our own requests (outside peer-opened dialogs
// only). Strings are copied. *account is 1.. ; -TD_EFULL after 255.
TD_MUST_CHECK int td_sip_endpoint_account(struct td_sip_endpoint *ep,
					  const struct td_sip_account *credentials,
					  uint16_t *account);

// --- server side ---------------------------------------------------------------------------

struct td_sip_response {
	uint16_t status;
	struct td_str reason;       // empty: the standard phrase
	struct td_str contact_user; // of our Contact in INVITE answers; may be empty
	struct td_str headers;      // more header lines, each ending CRLF; may be empty
	struct td_str content_type;
	struct td_str body;
};

// Answers. 101..299 to an INVITE outside a dialog makes the dialog; a final answer ends the
// transaction for the caller (a second one gets -TD_ESTATE). Contact is added to 101..299 of
// INVITE, Allow/Accept/Supported to 2xx of OPTIONS and INVITE; a REGISTER's Contacts are the caller's
// `headers`. -TD_ESTALE, -TD_ESTATE, -TD_EFULL (does not fit; a dialog pool that is full sends 503).
TD_MUST_CHECK int td_sip_respond(struct td_sip_endpoint *ep, uint64_t now_ms,
				 struct td_sip_txn_id txn, const struct td_sip_response *response);
// Says whose a new INVITE is: its CANCELLED, ACK, dialog and in-dialog events carry `owner`.
TD_MUST_CHECK int td_sip_txn_adopt(struct td_sip_endpoint *ep, struct td_sip_txn_id txn,
				   uint64_t owner, uint8_t flags);
// The dialog an INVITE made (after a 101..299); .v == 0 when there is none.
struct td_sip_dialog_id td_sip_txn_dialog(const struct td_sip_endpoint *ep,
					  struct td_sip_txn_id txn);

// --- dialogs -------------------------------------------------------------------------------

// NULL when stale; valid until the next call into the endpoint.
const struct td_sip_dialog *td_sip_dialog_get(const struct td_sip_endpoint *ep,
					      struct td_sip_dialog_id dialog);
// How long to wait before repeating a re-INVITE that got 491 (RFC 3261 section 14.1).
uint32_t td_sip_dialog_glare_ms(struct td_sip_endpoint *ep, struct td_sip_dialog_id dialog);
// Forgets a dialog without a message: only when BYE is out of the question.
void td_sip_dialog_drop(struct td_sip_endpoint *ep, struct td_sip_dialog_id dialog);
// Brings a journaled dialog back under a new id. -TD_EFULL, -TD_EEXISTS, -TD_ECORRUPT.
TD_MUST_CHECK int td_sip_dialog_restore(struct td_sip_endpoint *ep,
					const struct td_sip_dialog *saved, uint64_t owner,
					struct td_sip_dialog_id *out);

// --- figures -------------------------------------------------------------------------------

// X(symbol, "name an operator sees")
#define TD_SIP_COUNTERS(X)                                                                         \
	X(DATAGRAMS_IN, "datagrams_in")                                                            \
	X(DATAGRAMS_OUT, "datagrams_out")                                                          \
	X(REQUESTS_IN, "requests_in")                                                              \
	X(RESPONSES_IN, "responses_in")                                                            \
	X(REQUESTS_OUT, "requests_out")                                                            \
	X(RESPONSES_OUT, "responses_out")                                                          \
	X(RETRANSMITS_IN, "retransmits_in")                                                        \
	X(RETRANSMITS_OUT, "retransmits_out")                                                      \
	X(KEEPALIVES, "keepalives")                                                                \
	X(MALFORMED_ANSWERED, "malformed_answered")                                                \
	X(MALFORMED_DROPPED, "malformed_dropped")                                                  \
	X(RESPONSES_STRAY, "responses_stray")                                                      \
	X(ACKS_STRAY, "acks_stray")                                                                \
	X(REFUSED_BY_RULE, "refused_by_rule")                                                      \
	X(MERGED, "merged")                                                                        \
	X(GLARE, "glare")                                                                          \
	X(SHED, "shed")                                                                            \
	X(TIMEOUTS, "timeouts")                                                                    \
	X(ACK_TIMEOUTS, "ack_timeouts")                                                            \
	X(FORKS_ENDED, "forks_ended")                                                              \
	X(LINGERING_SPARED, "lingering_spared")

enum td_sip_counter {
#define TD_SIP_COUNTER_MEMBER(symbol, name) TD_SIP_COUNT_##symbol,
	TD_SIP_COUNTERS(TD_SIP_COUNTER_MEMBER)
#undef TD_SIP_COUNTER_MEMBER
		TD_SIP_COUNTER_COUNT
};

struct td_sip_figures {
	uint64_t counters[TD_SIP_COUNTER_COUNT];
	uint32_t transactions, transactions_max; // live now, lingering included
	uint32_t dialogs, dialogs_max;
};

void td_sip_endpoint_figures(const struct td_sip_endpoint *ep, struct td_sip_figures *out);
const char *td_sip_counter_name(enum td_sip_counter counter);

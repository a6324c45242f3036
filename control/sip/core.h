// The inside of the endpoint, shared by its files and by nobody else.
//
//   endpoint.c     create, receive, advance          txn.c       transactions, buffers, timers
//   request_in.c   UA checks on what comes in        request_out.c   what we ask
//   dialog_in.c    requests inside dialogs           follow_up.c     ACK, CANCEL, silent BYE
//   response_out.c what we answer                    response_in.c   what we are answered
//
// A pool that is nearly full is no reason to refuse a call while transactions linger in it: those that
// have longest, for T4 at least, end as if their timer had. So a rate of calls is not bounded by what
// it leaves behind for 32 s.
//
// Invariants: a transaction is in by_key exactly while it is not terminated; a terminated one lies on
// `graves` until the outermost call returns, so that no callback frees what its caller still holds.
// A dialog's *_invite handles name the transaction that blocks another INVITE in that direction.
#pragma once

#include "base/hash.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/table.h"
#include "base/wheel.h"
#include "sip/endpoint.h"
#include "sip/transaction.h"
#include "sip/writer.h"

#define TD_SIP_OUT_MAX     8192 // bytes of a message we send
#define TD_SIP_ACCOUNT_MAX 255
#define TD_SIP_TAG_BYTES   17
#define TD_SIP_CLASS_COUNT 4

extern const uint16_t td_sip_class_bytes[TD_SIP_CLASS_COUNT]; // sizes of buffers, small first

struct td_sip_buffer {
	char *at;
	uint32_t len;
	uint8_t pool; // index of the size class it came from
};

// A server transaction keeps, until its final response, what every response repeats.
struct td_sip_head {
	struct td_sip_buffer buffer;
	uint16_t prefix_len;  // Via..., From, Call-ID, CSeq lines
	uint16_t to_len;      // the To value
	uint16_t routes_len;  // Record-Route lines
	uint16_t contact_len; // the Contact's URI of a re-INVITE
};

struct td_sip_txn {
	struct td_table_node by_key;
	struct td_table_node by_merge; // server, without To tag: finds merged requests
	struct td_timer expire, retransmit;
	struct td_list grave;
	struct td_list lingering; // while its state is one of those
	const struct td_sip_machine *machine;
	uint64_t handle, owner, dialog;
	struct td_hash128 answered_tag; // To tag of the 2xx that counts
	struct td_endpoint peer;        // where its bytes go
	struct td_sip_buffer kept;      // what is repeated
	struct td_sip_head head;
	uint64_t lingers_ms; // since when
	uint32_t interval_ms, cseq;
	uint16_t last_status, account;
	uint8_t state, method;
	uint8_t expire_timer, retransmit_timer; // enum td_sip_timer that run now
	uint8_t auth_tries;
	bool quiet;                 // ours alone: no event tells of it
	bool acked;                 // the ACK of our INVITE's 2xx is kept
	bool opens_dialog;          // an INVITE without To tag
	bool to_has_tag;            // of a request received
	char tag[TD_SIP_TAG_BYTES]; // of ours in To, when the request had none
};

struct td_sip_leg {
	struct td_table_node by_id; // Call-ID and local tag
	uint64_t handle, owner;
	uint64_t client_invite; // ours, without final response
	uint64_t server_invite; // theirs, without final response or with a 2xx not acknowledged
	uint64_t held_bye;      // waits for that ACK
	struct td_sip_dialog dialog;
};

struct td_sip_saved_account {
	char username[128], password[128], realm[128];
};

struct td_sip_endpoint {
	struct td_sip_endpoint_ops ops;
	void *user;
	struct td_endpoint local4, local6;
	char user_agent[128];
	struct td_sip_times times;
	struct td_hash_key key;
	struct td_token_source tokens;
	struct td_wheel wheel;
	struct td_pool txns, legs;
	struct td_pool buffers[TD_SIP_CLASS_COUNT];
	struct td_table by_key, by_merge, by_id;
	struct td_list graves;
	struct td_list lingering; // transactions, in the order in which they began to
	uint64_t now_ms;
	uint32_t depth; // calls we are in: graves are cleared when the outermost returns
	bool shed;
	bool body_written; // `out` has held a body, and with it perhaps keys: wiped when we are left
	uint16_t account_count;
	struct td_sip_saved_account *accounts; // TD_SIP_ACCOUNT_MAX of them
	uint64_t counters[TD_SIP_COUNTER_COUNT];
	struct td_sip_message in;   // the datagram being received
	struct td_sip_message own;  // a message of ours being read again
	char out[TD_SIP_OUT_MAX];   // a message being written
	char again[TD_SIP_OUT_MAX]; // a second one, while the first is needed
};

// Nothing the user gives for one line may begin another.
static inline bool td_sip_one_line(struct td_str text)
{
	return td_str_find(text, '\r') == text.len && td_str_find(text, '\n') == text.len;
}

static inline void td_sip_count(struct td_sip_endpoint *ep, enum td_sip_counter counter)
{
	ep->counters[counter]++;
}

// --- endpoint.c ---
void td_sip_enter(struct td_sip_endpoint *ep, uint64_t now_ms);
void td_sip_leave(struct td_sip_endpoint *ep);
const struct td_endpoint *td_sip_local(const struct td_sip_endpoint *ep,
				       const struct td_endpoint *peer);
void td_sip_emit(struct td_sip_endpoint *ep, const struct td_endpoint *to, struct td_str bytes);
void td_sip_tell(struct td_sip_endpoint *ep, enum td_sip_event_kind kind,
		 const struct td_sip_txn *txn, const struct td_sip_message *msg,
		 const struct td_endpoint *from);

// --- txn.c ---
struct td_sip_txn *td_sip_txn_make(struct td_sip_endpoint *ep, const struct td_sip_machine *machine,
				   struct td_hash128 key);
struct td_sip_txn *td_sip_txn_find(const struct td_sip_endpoint *ep, uint64_t handle);
struct td_sip_txn *td_sip_txn_lookup(const struct td_sip_endpoint *ep, struct td_hash128 key);
// Steps the machine, arms its timers, repeats kept bytes where the cell says RESEND, buries it when
// terminated. Returns the actions that are left; -1 when the cell rejects.
int td_sip_txn_step(struct td_sip_endpoint *ep, struct td_sip_txn *txn, unsigned event);
// The pool is down to what is kept for requests inside dialogs.
bool td_sip_txn_nearly_full(const struct td_sip_endpoint *ep);
// Ends those that linger longest until it is not, or none of them is old enough. Outside of calls.
void td_sip_txn_make_room(struct td_sip_endpoint *ep);
// Starts the timers of the state a fresh transaction is in.
void td_sip_txn_begin(struct td_sip_endpoint *ep, struct td_sip_txn *txn);
// Replaces the kept bytes by a copy. -TD_EFULL: no buffer.
TD_MUST_CHECK int td_sip_txn_keep(struct td_sip_endpoint *ep, struct td_sip_txn *txn,
				  struct td_str bytes);
// The same, in `spare` (which is then taken) when the pools have nothing left.
TD_MUST_CHECK int td_sip_txn_keep_in(struct td_sip_endpoint *ep, struct td_sip_txn *txn,
				     struct td_sip_buffer *spare, struct td_str bytes);
void td_sip_txn_transmit(struct td_sip_endpoint *ep, struct td_sip_txn *txn);
// Ends it without a step: creation failed half way.
void td_sip_txn_abandon(struct td_sip_endpoint *ep, struct td_sip_txn *txn);
void td_sip_txn_clear_graves(struct td_sip_endpoint *ep);
#define TD_SIP_MARK_RETRANSMIT 1 // of td_timer.mark; the expire timer has 0
// Does what a server cell left to do after a repeated request or a timer; -1: nothing.
void td_sip_server_act(struct td_sip_endpoint *ep, struct td_sip_txn *txn, int actions);
void td_sip_timer_expired(struct td_sip_endpoint *ep, struct td_timer *timer);
TD_MUST_CHECK int td_sip_buffer_set(struct td_sip_endpoint *ep, struct td_sip_buffer *buffer,
				    struct td_str bytes);
void td_sip_buffer_drop(struct td_sip_endpoint *ep, struct td_sip_buffer *buffer);
struct td_hash128 td_sip_client_key(const struct td_sip_endpoint *ep, struct td_str branch,
				    struct td_str method);
struct td_hash128 td_sip_server_key(const struct td_sip_endpoint *ep,
				    const struct td_sip_message *msg, struct td_str method);
struct td_hash128 td_sip_merge_key(const struct td_sip_endpoint *ep,
				   const struct td_sip_message *msg);

// --- legs.c ---
struct td_sip_leg *td_sip_leg_make(struct td_sip_endpoint *ep);
struct td_sip_leg *td_sip_leg_find(const struct td_sip_endpoint *ep, uint64_t handle);
struct td_sip_leg *td_sip_leg_lookup(const struct td_sip_endpoint *ep, struct td_str call_id,
				     struct td_str local_tag, struct td_str remote_tag);
void td_sip_leg_register(struct td_sip_endpoint *ep, struct td_sip_leg *leg);
void td_sip_leg_free(struct td_sip_endpoint *ep, struct td_sip_leg *leg);
// The 2xx is acknowledged or will never be: a BYE that waited goes out.
void td_sip_leg_release(struct td_sip_endpoint *ep, struct td_sip_leg *leg);

// --- request_in.c ---
void td_sip_request_in(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		       const struct td_endpoint *from);

// Answers and counts what a rule forbids.
void td_sip_refuse_request(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
			   const struct td_endpoint *from, unsigned status, struct td_str headers);
// Answers 503 with a Retry-After that spreads, and counts.
void td_sip_shed_request(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
			 const struct td_endpoint *from);
// The server transaction of a new request; NULL when there is no room.
struct td_sip_txn *td_sip_open_server(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
				      const struct td_endpoint *from, struct td_hash128 key);

// --- dialog_in.c ---
void td_sip_ack_in(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		   const struct td_endpoint *from);
void td_sip_cancel_in(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		      const struct td_endpoint *from);
void td_sip_dialog_request_in(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
			      const struct td_endpoint *from, struct td_hash128 key);

// --- response_out.c ---
// Where an answer to this request goes (18.2.2, RFC 3581). False: nowhere.
bool td_sip_answer_to(const struct td_sip_message *msg, const struct td_endpoint *from,
		      struct td_endpoint *out);
// Answers without a transaction; the tag is a hash of the request, so that repetitions agree.
void td_sip_reply(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
		  const struct td_endpoint *from, unsigned status, struct td_str headers);
// Saves what responses repeat. -TD_EFULL.
TD_MUST_CHECK int td_sip_head_save(struct td_sip_endpoint *ep, struct td_sip_txn *txn,
				   const struct td_sip_message *msg,
				   const struct td_endpoint *from);
TD_MUST_CHECK int td_sip_answer(struct td_sip_endpoint *ep, struct td_sip_txn *txn,
				const struct td_sip_response *response);
// The same with only a status and header lines; a failure is left to the peer's timers.
void td_sip_answer_status(struct td_sip_endpoint *ep, struct td_sip_txn *txn, unsigned status,
			  struct td_str headers);
void td_sip_put_allow(struct td_sip_writer *w);

// --- request_out.c ---
struct td_sip_outgoing {
	struct td_str method, uri, routes, last_route, from, from_tag, to, to_tag, call_id;
	struct td_str branch, contact_user, headers, content_type, body;
	const struct td_endpoint *local;
	uint32_t cseq;
	uint8_t max_forwards;
	bool with_contact;
};
#define TD_SIP_BRANCH_MAX 32
struct td_str td_sip_make_branch(struct td_sip_endpoint *ep, char out[TD_SIP_BRANCH_MAX]);
// What every request inside a dialog says, and where it goes (12.2.1.1).
void td_sip_from_dialog(const struct td_sip_endpoint *ep, const struct td_sip_dialog *d,
			struct td_sip_outgoing *out, struct td_endpoint *hop);
// The client transaction that carries `out`, its bytes kept; nothing is sent yet. NULL: no room.
struct td_sip_txn *td_sip_open_client(struct td_sip_endpoint *ep, const struct td_sip_outgoing *out,
				      const struct td_endpoint *hop, enum td_sip_method method);
void td_sip_start_client(struct td_sip_endpoint *ep, struct td_sip_txn *txn);
void td_sip_put_request(struct td_sip_endpoint *ep, struct td_sip_writer *w,
			const struct td_sip_outgoing *out);

// --- follow_up.c ---
void td_sip_send_cancel(struct td_sip_endpoint *ep, struct td_sip_txn *invite);
// ACK of a non-2xx (17.1.1.3): made from our own INVITE and the response, kept for repetition.
void td_sip_send_ack_300(struct td_sip_endpoint *ep, struct td_sip_txn *invite,
			 const struct td_sip_message *response);
TD_MUST_CHECK int td_sip_send_ack_2xx(struct td_sip_endpoint *ep, struct td_sip_txn *invite,
				      struct td_sip_leg *leg, struct td_str content_type,
				      struct td_str body);
// A BYE nobody is told about; the leg is freed.
void td_sip_end_quietly(struct td_sip_endpoint *ep, struct td_sip_leg *leg);

// --- response_in.c ---
void td_sip_response_in(struct td_sip_endpoint *ep, const struct td_sip_message *msg,
			const struct td_endpoint *from);
// Does what a client cell asked for; msg is NULL when a timer or the user stepped it.
void td_sip_client_act(struct td_sip_endpoint *ep, struct td_sip_txn *txn, int actions,
		       const struct td_sip_message *msg, const struct td_endpoint *from);

// --- auth_retry.c ---
// Sends the request again with credentials. False: hand the response to the user.
bool td_sip_auth_retry(struct td_sip_endpoint *ep, struct td_sip_txn *txn,
		       const struct td_sip_message *response);

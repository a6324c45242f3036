// The automatic call distributor: who gets which call. The purest room of all.
//
//        event, now                                   OFFER, WITHDRAW, AGENT_STATE,
//   ------------------>  td_acd_apply(state, ...)  -------------------------------->  control/call
//        td_acd_next_ms() says when TIMER is due      CALL_TIMEOUT, CALL_POSITION
//
// Policy: the oldest call first; of the agents who may take it, the one idle longest. One skill set
// a queue: an agent serves the queues joined. Ties go to the smaller call key and to the agent who
// became idle by the earlier event, so the same events always give the same decisions.
//
// Invariant after every event: no agent who is available and reachable is idle while a call waits
// in a queue that agent serves; an agent has at most one call and a call at most one agent.
// An offer is named by its epoch, which is never used twice: a late answer is refused as stale.
//
// Memory: all of it is allocated by td_acd_create from the limits given; nothing grows afterwards.
// Full pools answer -TD_EFULL and change nothing. Cost of an event: O(log n) in the waiting calls,
// plus one pass over a bitmap of queues or of agent groups. Single writer; any one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "td_error.h"

#define TD_ACD_QUEUE_MAX        4096 // bounds of the limits one may ask for
#define TD_ACD_AGENT_MAX        65536
#define TD_ACD_CALL_MAX         (1u << 20)
#define TD_ACD_ACTION_MAX       64 // actions of one td_acd_apply
#define TD_ACD_NEVER            UINT64_MAX
#define TD_ACD_NONE             UINT32_MAX // "no agent", "no queue"
#define TD_ACD_SHORT_ABANDON_MS 5000       // left so soon that service level 2 does not count it

struct td_acd_limits {
	uint32_t queues_max; // queues are numbered 0 .. queues_max - 1 by the caller
	uint32_t agents_max; // agents are numbered 0 .. agents_max - 1 by the caller
	uint32_t calls_max;  // calls waiting, offered and talking
};

enum td_acd_agent_state {
	TD_ACD_LOGGED_OUT,
	TD_ACD_AVAILABLE,
	TD_ACD_OFFERED,
	TD_ACD_TALKING,
	TD_ACD_WRAP_UP,
	TD_ACD_PAUSED,
	TD_ACD_AGENT_STATE_COUNT
};

enum td_acd_reason {
	TD_ACD_REASON_NONE,
	TD_ACD_REASON_AGENT,     // paused by the agent or an operator
	TD_ACD_REASON_NO_ANSWER, // the phone rang and nobody answered
	TD_ACD_REASON_BUSY,
	TD_ACD_REASON_REFUSED,
	TD_ACD_REASON_UNREACHABLE, // the phone did not respond at all
	TD_ACD_REASON_COUNT
};

enum td_acd_event_kind {
	TD_ACD_EVENT_NONE,
	TD_ACD_QUEUE_ADD,         // queue + u.queue; of a known queue: new settings from now on
	TD_ACD_AGENT_ADD,         // agent; starts logged out, unreachable, serving no queue
	TD_ACD_AGENT_JOIN,        // agent, queue: serves it from now on
	TD_ACD_AGENT_LEAVE,       // agent, queue
	TD_ACD_AGENT_LOGIN,       // agent -> available
	TD_ACD_AGENT_LOGOUT,      // agent; while talking: when the call ends
	TD_ACD_AGENT_AVAILABLE,   // agent; ends a pause or a wrap-up; logs in one who is not
	TD_ACD_AGENT_PAUSE,       // agent + u.reason; while talking: when the call ends
	TD_ACD_AGENT_REACHABLE,   // agent: there is a registered contact
	TD_ACD_AGENT_UNREACHABLE, // agent; keeps the state, gets no offers
	TD_ACD_CALL_ENQUEUE,      // call, queue + u.arrival_ms (its place in the line)
	TD_ACD_CALL_ABANDON,      // call: the caller left while waiting or being offered
	TD_ACD_OFFER_ANSWERED,    // call, agent, epoch
	TD_ACD_OFFER_FAILED,      // call, agent, epoch + u.reason; the agent is paused with it
	TD_ACD_CALL_ENDED,        // call: a conversation is over, or a waiting call was taken away
	TD_ACD_WRAP_UP_END,       // agent: done before the timer
	TD_ACD_TIMER,             // nothing but the time: offers, wrap-ups and waits that are over
	TD_ACD_EVENT_KIND_COUNT
};

struct td_acd_queue_settings {
	uint64_t offer_timeout_ms;
	uint64_t wrap_up_ms;       // 0: available again at once
	uint64_t wait_max_ms;      // 0: for ever
	uint64_t service_level_ms; // the T of "x % within T"
	uint32_t length_max;       // waiting calls
};

// Fields that an event does not name are ignored.
struct td_acd_event {
	enum td_acd_event_kind kind;
	uint32_t queue;
	uint32_t agent;
	uint64_t call;  // the caller's key; never 0
	uint64_t epoch; // of the OFFER action that is answered
	union {
		struct td_acd_queue_settings queue;
		enum td_acd_reason reason;
		uint64_t arrival_ms; // may lie in the past: the call came before its greeting
	} u;
};

enum td_acd_action_kind {
	TD_ACD_OFFER,         // ring `agent` for `call`; report ANSWERED or FAILED with `epoch`
	TD_ACD_WITHDRAW,      // stop ringing `agent`; the ACD has forgotten this epoch
	TD_ACD_AGENT_STATE,   // `agent` is now in `state` with `reason`
	TD_ACD_CALL_TIMEOUT,  // `call` waited its maximum; the ACD has forgotten it
	TD_ACD_CALL_POSITION, // `call` has joined the line at `position`, 1 is next
	TD_ACD_ACTION_KIND_COUNT
};

struct td_acd_action {
	enum td_acd_action_kind kind;
	uint32_t queue;
	uint32_t agent;
	uint64_t call;
	uint64_t epoch;
	uint64_t deadline_ms;      // OFFER: when the ACD itself withdraws
	uint64_t wait_ms, idle_ms; // OFFER: what decided: time since arrival, and agent's idle time
	enum td_acd_agent_state state; // AGENT_STATE
	enum td_acd_reason reason;     // AGENT_STATE
	uint32_t position;             // CALL_POSITION
};

struct td_acd_actions {
	uint32_t count;
	struct td_acd_action items[TD_ACD_ACTION_MAX];
};

struct td_acd;

// Gives a new, empty ACD. -TD_EINVALID for limits of 0 or beyond the bounds above, -TD_EMEMORY.
TD_MUST_CHECK int td_acd_create(const struct td_acd_limits *limits, struct td_acd **out);
void td_acd_destroy(struct td_acd *acd);

// Applies one event at now_ms and writes what has to be done, in order; `out` is overwritten.
// Time that goes backwards is taken as standing still. 0, or with no change and no action:
// -TD_EINVALID (number, key or settings out of range), -TD_ENOT_FOUND (no such queue, agent, call),
// -TD_EEXISTS, -TD_EFULL (pool or queue), -TD_ESTALE (epoch), -TD_ESTATE (not in this state).
TD_MUST_CHECK int td_acd_apply(struct td_acd *acd, const struct td_acd_event *event,
			       uint64_t now_ms, struct td_acd_actions *out);

// When a TIMER event has to be applied, TD_ACD_NEVER if none is pending. A TIMER with more to do
// than fits in `out` leaves this at or before its own now: apply it again.
uint64_t td_acd_next_ms(const struct td_acd *acd);

// X -> "available", "no-answer", ...: what the API and the CDRs show. Never NULL.
const char *td_acd_agent_state_name(enum td_acd_agent_state state);
const char *td_acd_reason_name(enum td_acd_reason reason);

// A call: a caller's leg, at most one agent's leg at a time, a context, an entry in the ACD.
//
//   caller --leg--> call <--leg-- agent
//                    |  \____ ACD: key, epoch of the offer
//                    '------- media: context, streams, player, recording
//
// In a pool of the call manager. Its key is its number and its slot, so that it is found without a
// search and an old key finds nothing: bits 63..20 number ("c42"), 19..0 slot.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "call/alarm.h"
#include "call/call_machine.h"
#include "call/inspect.h"
#include "call/leg.h"
#include "call/media.h"
#include "call/trunk.h"

struct td_post;

#define TD_CALL_LEG_MAX    6    // attached at once: caller, agent, and those whose stream is going
#define TD_CALL_RECORD_MAX 16   // legs remembered for the record; the oldest offers give way
#define TD_CALL_OFFER_MAX  4096 // bytes of the caller's session description
#define TD_CALL_SLOT_BITS  20

// What is left of a leg, for the call detail record.
struct td_leg_record {
	uint32_t agent;
	enum td_cause cause;
	enum td_codec_id codec;
	bool outbound, has_stats;
	uint16_t status;
	struct td_endpoint remote;
	uint64_t setup_utc_ms, ring_utc_ms, answer_utc_ms, end_utc_ms;
	struct td_stream_stats stats;
	char sip_call_id[TD_CALL_PARTY_MAX];
};

struct td_call {
	struct td_alarm guard, retry;
	struct td_calls *calls; // the manager it belongs to
	uint32_t idx;
	uint8_t state; // enum td_call_state
	bool in_acd, connected;
	enum td_cause cause;
	uint64_t key;
	char id[TD_CALL_ID_MAX];
	struct td_trunk *trunk;
	uint32_t queue;
	struct td_leg *caller, *agent; // the parties; NULL: none now
	uint64_t agent_ref;            // of the agent's leg as long as its end would matter
	struct td_leg *legs[TD_CALL_LEG_MAX];
	uint32_t leg_count;
	uint32_t agent_idx; // of the offer or the conversation, TD_LEG_AGENT_NONE: none
	uint64_t epoch;     // of the offer
	uint64_t offer_deadline_ms;
	uint32_t offer_count;
	uint64_t setup_ms, connect_ms; // monotonic
	uint64_t setup_utc_ms, answer_utc_ms, connect_utc_ms, end_utc_ms;
	uint8_t max_forwards; // for the agent's INVITE
	char caller_name[TD_CALL_PARTY_MAX], called_name[TD_CALL_PARTY_MAX]; // unescaped
	char caller_from[2 * TD_CALL_PARTY_MAX]; // display and user part, as they came
	struct td_media media;
	struct td_leg_record records[TD_CALL_RECORD_MAX];
	uint32_t record_count;
	uint32_t offer_bytes;
	char offer[TD_CALL_OFFER_MAX];
};

// Takes one from the pool, in state PREPARING, with key, id and times. NULL: full.
struct td_call *td_call_create(struct td_calls *calls, struct td_trunk *trunk, uint32_t queue);
// Runs one step of its machine and the actions it names.
void td_call_step(struct td_calls *calls, struct td_call *call, const struct td_post *what);
// Sets what the media should be from the state and from who holds whom, and goes there.
void td_call_want(struct td_calls *calls, struct td_call *call);
// A leg has stopped being a party, or has become one: tells the call by a post.
void td_call_leg_gone(struct td_calls *calls, struct td_call *call, struct td_leg *leg);
void td_call_leg_up(struct td_calls *calls, struct td_call *call, struct td_leg *leg);
// Ends it with this cause, unless it has one; posts HANGUP.
void td_call_hangup(struct td_calls *calls, struct td_call *call, enum td_cause cause);
void td_call_post(struct td_calls *calls, struct td_call *call, enum td_call_event event);
struct td_call *td_call_find(struct td_calls *calls, uint64_t key);

// agent_leg.c: the leg of an offer. Posts AGENT_GONE when it cannot be.
void td_agent_leg_start(struct td_calls *calls, struct td_call *call);

// record.c: keeps what a leg has been; writes the call's record to the store.
void td_record_leg(struct td_call *call, const struct td_leg *leg);
void td_record_call(struct td_calls *calls, struct td_call *call);

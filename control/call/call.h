// A call: a caller's leg, at most one agent's leg at a time, a context, an entry in the ACD; and
// whoever else an operator has called in: supervisors, consulted agents (call_verbs.c).
//
//   caller --leg--> call <--leg-- agent
//    others --leg---^| \____ ACD: key, epoch of the offer
//                    '------- media: context, streams, players, recording
//
// Caller and agent are what the call is about: it ends with either. The others come and go. A call
// whose parties an operator has taken to a conference, or who have dialled one, lends it their
// streams; one made to invite an agent there has no caller.
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

#define TD_CALL_LEG_MAX    TD_MEDIA_SLOT_MAX // attached at once, those whose stream is going as well
#define TD_CALL_RECORD_MAX 16   // legs remembered for the record; the oldest offers give way
#define TD_CALL_OFFER_MAX  4096 // bytes of the caller's session description
#define TD_CALL_SLOT_BITS  20
#define TD_CALL_QUEUE_NONE UINT32_MAX

// What is left of a leg, for the call detail record.
struct td_leg_record {
	uint32_t agent;
	enum td_cause cause;
	enum td_codec_id codec;
	enum td_srtp_suite srtp;
	bool outbound, has_stats;
	enum td_party_role role; // as which it was called
	uint16_t status;
	struct td_endpoint remote;
	uint64_t setup_utc_ms, ring_utc_ms, answer_utc_ms, end_utc_ms;
	struct td_stream_stats stats;
	char sip_call_id[TD_CALL_PARTY_MAX];
};

struct td_call {
	struct td_alarm guard;
	struct td_calls *calls; // the manager it belongs to
	uint32_t idx;
	uint8_t state; // enum td_call_state
	bool in_acd, connected;
	enum td_cause cause;
	uint64_t key;
	char id[TD_CALL_ID_MAX];
	struct td_trunk *trunk;           // NULL: not from one, an invitation
	uint32_t queue;                   // TD_CALL_QUEUE_NONE: for none, a conference
	struct td_conference *conference; // where its parties are, or are to be; NULL: in none
	uint8_t seat;                     // enum td_seat, of an agent who is invited there
	bool consult_holds;               // the caller is on hold because of a consultation
	struct td_leg *caller, *agent;    // the parties; NULL: none now
	uint64_t agent_ref;               // of the agent's leg as long as its end would matter
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
void td_call_want(struct td_calls *calls, struct td_call *call); // call_want.c
// Tells the ACD that it is over, once.
void td_call_leave_acd(struct td_calls *calls, struct td_call *call);
// A leg has stopped being a party, or has become one: tells the call by a post.
void td_call_leg_gone(struct td_calls *calls, struct td_call *call, struct td_leg *leg);
void td_call_leg_up(struct td_calls *calls, struct td_call *call, struct td_leg *leg);
// Ends it with this cause, unless it has one; posts HANGUP.
void td_call_hangup(struct td_calls *calls, struct td_call *call, enum td_cause cause);
// The agent is no party any more: its leg has been hung up, the ACD is told.
void td_call_let_agent_go(struct td_calls *calls, struct td_call *call);
void td_call_post(struct td_calls *calls, struct td_call *call, enum td_call_event event);
struct td_call *td_call_find(struct td_calls *calls, uint64_t key);
struct td_call *td_call_by_id(struct td_calls *calls, const char *id); // inspect.c; NULL: none

// agent_leg.c: the leg of an offer. Posts AGENT_GONE when it cannot be.
void td_agent_leg_start(struct td_calls *calls, struct td_call *call);
// A leg that rings this agent's phone, in this role. NULL: not registered, or no room.
struct td_leg *td_agent_leg_make(struct td_calls *calls, struct td_call *call, uint32_t agent,
				 enum td_party_role role);

// call_verbs.c: one who is neither caller nor agent has come up, or has gone.
void td_features_up(struct td_calls *calls, struct td_leg *leg);
void td_features_gone(struct td_calls *calls, struct td_leg *leg);

// record.c: keeps what a leg has been; writes the call's record to the store.
void td_record_leg(struct td_call *call, const struct td_leg *leg);
void td_record_call(struct td_calls *calls, struct td_call *call);
// The record of an INVITE that was refused before it became a call.
void td_record_refused(struct td_calls *calls, const struct td_sip_event *event,
		       const struct td_trunk *trunk, uint32_t queue, const char *called,
		       enum td_cause cause);

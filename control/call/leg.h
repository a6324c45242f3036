// A leg: one signalling party of a call, in a pool of the call manager.
//
// It belongs to its call while it is alive or still has a stream; afterwards `call` is NULL and it
// only finishes its signalling (a BYE that waits for its 200, a CANCEL for its 487), then frees
// itself. A call is therefore over as soon as its media is gone, however slow a phone is.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "call/alarm.h"
#include "call/inspect.h"
#include "call/leg_machine.h"
#include "call/media.h"
#include "call/party.h"
#include "call/srtp.h"
#include "quality/watch.h"
#include "sdp/negotiate.h"
#include "sip/endpoint.h"

#define TD_LEG_AGENT_NONE UINT32_MAX

struct td_leg {
	struct td_alarm guard;
	struct td_call *call; // NULL: an orphan that finishes its signalling
	uint32_t idx;
	uint8_t state; // enum td_leg_state
	bool outbound;
	bool reported_up;
	bool late_offer; // their INVITE had no offer: ours is in the 200, their answer in the ACK
	bool insists;    // our RTP/AVP with keys was refused: this INVITE offers RTP/SAVP
	uint32_t agent;  // index in the config, TD_LEG_AGENT_NONE: the caller
	uint8_t recorded_role; // enum td_party_role: as which it was made
	struct td_party party; // its role, and what was done to it
	bool paused_agent;     // the ACD was told that its agent is busy here
	uint8_t seat;          // enum td_seat, in a conference
	bool seated;           // counted among those who are there
	enum td_cause cause;
	uint16_t status; // final status of its INVITE, 0: none
	struct td_sip_txn_id invite, bye;
	struct td_sip_dialog_id dialog;
	struct td_endpoint peer;
	struct td_sdp_session sdp;
	struct td_leg_keys keys;
	struct td_sdp_local local; // of the last exchange
	struct td_sdp_agreed agreed;
	struct td_watch watch; // of what its stream receives
	struct td_leg_media media;
	uint64_t setup_utc_ms, ring_utc_ms, answer_utc_ms, end_utc_ms;
	char sip_call_id[TD_CALL_PARTY_MAX];
};

// Takes one from the pool and attaches it to the call, in state NEW. NULL: none left, or the call
// has TD_CALL_LEG_MAX.
struct td_leg *td_leg_create(struct td_calls *calls, struct td_call *call, enum td_party_role role);
// Runs one step of its machine and the actions it names.
void td_leg_step(struct td_calls *calls, struct td_leg *leg, enum td_leg_event event);
// Posts HANGUP, with this cause unless it has one. Harmless on a leg that is leaving already.
void td_leg_hangup(struct td_calls *calls, struct td_leg *leg, enum td_cause cause);
// Posts an event of the network with the cause it would mean.
void td_leg_post_cause(struct td_calls *calls, struct td_leg *leg, enum td_leg_event event,
		       enum td_cause cause);
// Lets go of a leg that is neither alive nor in the dataplane any more.
void td_leg_settle(struct td_calls *calls, struct td_leg *leg);
uint64_t td_leg_ref(const struct td_calls *calls, const struct td_leg *leg);

// leg_sip.c: what goes out.
void td_leg_send_answer(struct td_calls *calls, struct td_leg *leg);
#define TD_REASON_MAX 96
// "Reason: Q.850;cause=...;text=...\r\n" (RFC 3326).
struct td_str td_reason_header(enum td_cause cause, char out[TD_REASON_MAX]);
void td_leg_send_refusal(struct td_calls *calls, struct td_leg *leg);
void td_leg_send_invite(struct td_calls *calls, struct td_leg *leg);
void td_leg_send_cancel(struct td_calls *calls, struct td_leg *leg);
void td_leg_send_bye(struct td_calls *calls, struct td_leg *leg);
void td_leg_send_ack(struct td_calls *calls, struct td_leg *leg);
// What we can do on this leg in a new exchange, from its stream, its call and its keys, of which
// those not in use are made anew: into leg->local.
void td_leg_local(struct td_leg *leg);
// Takes what SDP has agreed; tells the dataplane only if it differs from before.
void td_leg_agree(struct td_leg *leg, const struct td_sdp_agreed *agreed);

// The life of a leg, one signalling party of a call, as a const table.
//
//   NEW --START_IN---> INCOMING --READY--> ANSWERED --ACK--> UP --BYE/HANGUP--> ...
//   NEW --START_OUT--> CREATED --READY--> CALLING --> RINGING --ANSWER--> UP
//
//   alive:   INCOMING ANSWERED CREATED CALLING RINGING UP
//   leaving: UNACKED (hung up between our 200 and its ACK), CANCELLING, CLEARING -> ENDED
//
// The moment a leg stops being alive it tells its call (TELL_GONE), exactly once; what is left is
// signalling that the call need not wait for. Every state that waits for the network has a guard
// longer than any SIP timer, so that no lost event can leave a leg behind. Pure data.
#pragma once

#include "base/fsm.h"

enum td_leg_state {
	TD_LEG_NEW,
	TD_LEG_INCOMING,   // their INVITE came; the dataplane makes a stream
	TD_LEG_ANSWERED,   // our 200 is out, their ACK is not in
	TD_LEG_UNACKED,    // hung up in that window: RFC 3261 section 15, no BYE before the ACK
	TD_LEG_CREATED,    // we want to call; the dataplane makes a stream
	TD_LEG_CALLING,    // our INVITE is out, nothing came back
	TD_LEG_RINGING,    // 101-199 came
	TD_LEG_CANCELLING, // our CANCEL is out, or waits for a provisional: section 9.1
	TD_LEG_UP,
	TD_LEG_CLEARING, // our BYE is out
	TD_LEG_ENDED,
	TD_LEG_STATE_COUNT
};

enum td_leg_event {
	TD_LEG_START_IN,
	TD_LEG_START_OUT,
	TD_LEG_READY,        // the stream exists, and knows its remote if there is one already
	TD_LEG_MEDIA_FAILED, // the dataplane refused something this leg cannot be without
	TD_LEG_PROVISIONAL,
	TD_LEG_ANSWER,     // 2xx, with a usable session description
	TD_LEG_BAD_ANSWER, // 2xx, without one: ACK, then BYE
	TD_LEG_REFUSAL,    // 3xx to 6xx
	TD_LEG_RETRY,      // one of those that our other offer may be spared
	TD_LEG_NO_RESPONSE,
	TD_LEG_ACK,
	TD_LEG_BAD_ACK, // ACK with an unusable answer to our offer
	TD_LEG_NO_ACK,
	TD_LEG_CANCEL,
	TD_LEG_BYE,
	TD_LEG_BYE_DONE,  // our BYE was answered, or never will be
	TD_LEG_PEER_GONE, // a request inside the dialog got 408 or 481: RFC 3261 section 12.2.1.2
	TD_LEG_HANGUP,
	TD_LEG_GUARD,
	TD_LEG_EVENT_COUNT
};

// What a step asks of leg.c, as bits; run in this order.
enum td_leg_action {
	TD_LEG_DO_PREPARE = 0x001, // ask for a stream
	TD_LEG_DO_ANSWER = 0x002,  // 200 with our description
	TD_LEG_DO_REFUSE = 0x004,  // the final status that fits the cause
	TD_LEG_DO_INVITE = 0x008,
	TD_LEG_DO_RING = 0x010, // note the time
	TD_LEG_DO_ACK = 0x020,  // the dialog exists now
	TD_LEG_DO_CANCEL = 0x040,
	TD_LEG_DO_BYE = 0x080,
	TD_LEG_TELL_UP = 0x100,
	TD_LEG_TELL_GONE = 0x200,
	TD_LEG_DO_END = 0x400 // signalling is over: the second step frees it
};

extern const struct td_fsm td_leg_machine;

// A leg in this state is a party of its call.
bool td_leg_state_alive(enum td_leg_state state);

// The life of a call, as a const table; its states are enum td_call_state (inspect.h).
//
//   PREPARING --caller up--> GREETING --over--> QUEUED <--offer/withdraw/agent gone--> OFFERING
//                                                                                 | agent up
//   PREPARING --invite--> INVITING --agent up--> CONFERENCE <--confer/rejoin--> TALKING
//   any --caller gone, hangup, media lost--> ENDING --cleared--> FREE           TALKING
//
// A call owns its legs' part in it, one context of the dataplane and one entry of the ACD. ENDING
// is the first step of its end: everything is asked to go away; FREE is the second: it has gone,
// the record is written, the slot can be used again. Pure data.
#pragma once

#include "base/fsm.h"
#include "call/inspect.h"

enum td_call_event {
	TD_CALL_CALLER_UP,     // the caller's ACK came
	TD_CALL_GREETING_OVER, // or there is none, or it could not be played
	TD_CALL_OFFER,         // the ACD gives this call to an agent
	TD_CALL_WITHDRAW,      // the ACD has taken the offer back
	TD_CALL_AGENT_UP,
	TD_CALL_AGENT_GONE,
	TD_CALL_CALLER_GONE,
	TD_CALL_WAIT_OVER,     // the ACD gives up: wait_max
	TD_CALL_QUEUE_REFUSED, // the ACD does not take it: full
	TD_CALL_MEDIA_LOST,
	TD_CALL_HANGUP,
	TD_CALL_CLEARED, // no stream, no context, no open recording is left
	TD_CALL_GUARD,
	TD_CALL_PARTY,  // somebody who is neither caller nor agent has come or gone
	TD_CALL_CONFER, // its parties go to a conference
	TD_CALL_REJOIN, // they come back from it
	TD_CALL_INVITE, // it is there to call an agent for a conference
	TD_CALL_EVENT_COUNT
};

// What a step asks of call.c, as bits; run in this order.
enum td_call_action {
	TD_CALL_DO_GREET = 0x001,
	TD_CALL_DO_ENQUEUE = 0x002, // tell the ACD; the arrival is the INVITE's
	TD_CALL_DO_RING = 0x004,    // make the agent's leg
	TD_CALL_DO_UNRING = 0x008,  // hang the agent's leg up, with cause no-answer or withdrawn
	TD_CALL_DO_FAILED = 0x010,  // tell the ACD that the offer failed
	TD_CALL_DO_CONNECT = 0x020, // tell the ACD, bridge, record
	TD_CALL_DO_END = 0x040,     // hang up all legs, tell the ACD, take the media down
	TD_CALL_DO_GIVE_UP = 0x080, // no longer wait for the recorder
	TD_CALL_DO_FREE = 0x100,
	TD_CALL_DO_CONFER = 0x200 // its parties become members
};

extern const struct td_fsm td_call_machine;

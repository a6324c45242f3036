// An agent's states:
//
//   logged out <--> available --> offered --> talking --> wrap-up --> available
//                      ^             | not answered                (or paused, logged out,
//                      '-- paused <--'                              as asked during the call)
//
// Reachability (a registered phone) is beside it: an agent who is available but not reachable gets
// no offer. Internal to the room.
#pragma once

#include "acd/state.h"
#include "base/fsm.h"

enum td_acd_agent_input {
	TD_ACD_IN_LOGIN,
	TD_ACD_IN_LOGOUT,
	TD_ACD_IN_READY,
	TD_ACD_IN_PAUSE,
	TD_ACD_IN_OFFER,
	TD_ACD_IN_ANSWERED,
	TD_ACD_IN_FAILED,
	TD_ACD_IN_WITHDRAWN, // the call went away: back to the old place among the idle
	TD_ACD_IN_END_WRAP,  // the call ended; four events by what comes after it
	TD_ACD_IN_END_READY,
	TD_ACD_IN_END_PAUSE,
	TD_ACD_IN_END_LOGOUT,
	TD_ACD_IN_WRAP_END,
	TD_ACD_AGENT_INPUT_COUNT
};

// What remains to be done for a cell by who stepped the machine.
enum td_acd_agent_then {
	TD_ACD_THEN_NONE,
	TD_ACD_THEN_WITHDRAW, // the call that was being offered needs somebody else
	TD_ACD_THEN_LATER     // remember what was asked for the end of the call
};

extern const struct td_fsm td_acd_agent_fsm;

// Steps the agent; a move takes it off the idle list and stops its timer, enters the new state with
// `reason`, tells of it, and puts an agent who is available among the idle (without matching).
const struct td_fsm_cell *td_acd_agent_step(struct td_acd *acd, uint32_t agent,
					    enum td_acd_agent_input input,
					    enum td_acd_reason reason);

// What the link is doing, as data: four states, five inputs, every cell said.
//
//   DOWN --CONNECTED--> ATTACHING --ATTACHED--> RESETTING --RESET_DONE--> UP
//     ^--------------- LOST, TIMER ---------------'--------------------'
//
// Every state but UP is guarded by a timer, so none can be stuck in; UP ends only when the
// dataplane does. Pure, constant.
#pragma once

#include "base/fsm.h"
#include "link/link.h"

enum td_link_input {
	TD_LINK_INPUT_TIMER,      // the state has lasted too long; in DOWN: time to try again
	TD_LINK_INPUT_CONNECTED,  // the Unix socket is open
	TD_LINK_INPUT_ATTACHED,   // the region is mapped and checked
	TD_LINK_INPUT_RESET_DONE, // the dataplane has nothing of an earlier control process any more
	TD_LINK_INPUT_LOST,       // refused, socket closed, ring damaged
	TD_LINK_INPUT_COUNT
};

enum td_link_action {
	TD_LINK_ACTION_NONE,
	TD_LINK_ACTION_CONNECT,
	TD_LINK_ACTION_RESET,
	TD_LINK_ACTION_ANNOUNCE, // tell the users that it is up
	TD_LINK_ACTION_ABANDON,  // take an attachment down that nobody was told of
	TD_LINK_ACTION_LOSE      // the same, and tell the users
};

extern const struct td_fsm td_link_fsm;

// A call's states in the ACD, its pool and its key:
//
//   (enqueued) --> waiting <--> offered --> talking --> gone
//                     '------------'------ abandoned, taken away, waited too long --> gone
//
// The pool is a free list and a hash by the caller's key; a slot is free again when its call is
// gone. Internal to the room.
#pragma once

#include "acd/state.h"
#include "base/fsm.h"

enum td_acd_call_input {
	TD_ACD_CALL_IN_OFFER,
	TD_ACD_CALL_IN_ANSWERED,
	TD_ACD_CALL_IN_RETURN, // the offer came to nothing
	TD_ACD_CALL_IN_ABANDON,
	TD_ACD_CALL_IN_END,
	TD_ACD_CALL_IN_EXPIRE,
	TD_ACD_CALL_INPUT_COUNT
};

extern const struct td_fsm td_acd_call_fsm;

// The pool index of a key, TD_ACD_NIL if there is none.
uint32_t td_acd_call_find(const struct td_acd *acd, uint64_t key);

// Takes a slot and puts the call into the line (without matching); TD_ACD_NIL if the pool is empty.
uint32_t td_acd_call_create(struct td_acd *acd, uint64_t key, uint32_t queue, uint64_t arrival_ms);

// Steps the call and moves it between line, counters and timer as its states ask; gone: the slot
// is free. The cell is that of the state before.
const struct td_fsm_cell *td_acd_call_step(struct td_acd *acd, uint32_t call,
					   enum td_acd_call_input input);

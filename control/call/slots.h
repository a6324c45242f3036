// Which slots of a fixed pool are free, as a stack of indices; and generational references to them.
//
//   invariant: used + length of the free stack = count
//
// The last slot given back is the first one taken again, so a quiet system touches little memory.
// A reference is index + 1 in the low 32 bits and the slot's generation in the high ones: one that
// outlives its object resolves to nothing. The pool's objects are the owner's; only the stack is
// allocated here, once. When it is empty take answers TD_SLOT_NONE.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "td_error.h"

#define TD_SLOT_NONE UINT32_MAX

struct td_slots {
	uint32_t *stack;      // free indices
	uint32_t *generation; // of each slot; odd while it is in use
	uint32_t count, used;
};

TD_MUST_CHECK int td_slots_init(struct td_slots *slots, uint32_t count); // -TD_EMEMORY
void td_slots_fini(struct td_slots *slots);
uint32_t td_slots_take(struct td_slots *slots);
void td_slots_give(struct td_slots *slots, uint32_t idx);
bool td_slots_live(const struct td_slots *slots, uint32_t idx);

// 0 names nothing.
uint64_t td_slots_ref(const struct td_slots *slots, uint32_t idx);
// TD_SLOT_NONE when what the reference named is gone.
uint32_t td_slots_find(const struct td_slots *slots, uint64_t ref);

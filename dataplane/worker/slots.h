// The 20 ms media tick in 20 slots of 1 ms, and which of them are due.
//
//   slot of a moment = (CLOCK_MONOTONIC in ms) modulo 20; every slot comes round every 20 ms
//
// A worker that was held up runs the slots it missed, in order, but each at most once: after a
// stall of more than 20 ms the older rounds are gone, and `skipped` says how many.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TD_SLOT_COUNT 20u
#define TD_SLOT_NS    1000000ull

struct td_slots {
	uint64_t next; // in slots of TD_SLOT_NS since the clock's zero; the first not yet run
	uint64_t skipped;
};

static inline void td_slots_init(struct td_slots *slots, uint64_t now_ns)
{
	slots->next = now_ns / TD_SLOT_NS + 1;
	slots->skipped = 0;
}

static inline uint64_t td_slots_next_ns(const struct td_slots *slots)
{
	return slots->next * TD_SLOT_NS;
}

// True while a slot is due: *slot is which, *late_ns how long ago it should have run.
static inline bool td_slots_take(struct td_slots *slots, uint64_t now_ns, uint32_t *slot,
				 uint64_t *late_ns)
{
	uint64_t now = now_ns / TD_SLOT_NS;

	if (now < slots->next)
		return false;
	*late_ns = now_ns - td_slots_next_ns(slots);
	if (now - slots->next >= TD_SLOT_COUNT) {
		slots->skipped += now - slots->next - (TD_SLOT_COUNT - 1);
		slots->next = now - (TD_SLOT_COUNT - 1);
	}
	*slot = (uint32_t)(slots->next % TD_SLOT_COUNT);
	slots->next++;
	return true;
}

// The slots of a side's runs, one after the other: when each was due, how late it began, its cost.
//
// What the parties say repeats itself every TD_SLOT_PERIOD slots, and with it the work: what a slot
// costs more than it mostly does at its place in the period is the machine's doing. Replayed with
// what they mostly cost, the slots are as late as the work alone makes them.
#pragma once

#include <stdint.h>

#define TD_SLOT_LOG_MAX 200000u
#define TD_SLOT_PERIOD  1000u

struct td_slot_log {
	struct td_slot_entry {
		uint64_t due_ns;
		uint32_t late_ns, cost_ns;
		uint32_t place; // in the period
	} slots[TD_SLOT_LOG_MAX];
	uint32_t count;
	uint64_t begin_ns; // of the period of what is added
};

// What slots cost beyond the usual.
struct td_slot_excess {
	uint64_t used_ns, over_ns, longest_ns; // in all; of that beyond; of one slot
};

// What is more than the log has room for is left out.
void td_slot_log_add(struct td_slot_log *log, uint64_t due_ns, uint64_t late_ns, uint64_t cost_ns);
// The slots of `more` behind those of `log`.
void td_slot_log_append(struct td_slot_log *log, const struct td_slot_log *more);
// Replays the slots: every lateness becomes that of the work alone.
void td_slot_log_replay(struct td_slot_log *log, struct td_slot_excess *excess);
// The lateness in us that this part of all slots does not exceed.
double td_slot_log_us(const struct td_slot_log *log, double part);

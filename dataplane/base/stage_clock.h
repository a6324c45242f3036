// Where a worker's time goes: a stop watch that is always at one stage.
//
//   turn:  begin --> enter RX --> enter PARSE --> ... --> enter OTHER --> end
//            |                                                             |
//            one turn in about TD_STAGE_EVERY is timed                     sums go to the statistics
//                                                                          block if it was a busy one
//
// A turn that is not timed pays a branch a stage. One that is reads the time stamp counter at every
// change of stage, so what a turn takes is what its stages take together; what reading itself adds
// was measured at the start and is taken off each. How many turns lie between two that are timed is
// random, or work that comes at regular times would be met always or never. Which turns are busy is
// known at their end only: what idle ones took is forgotten.
//
// One a worker, of one thread. Reading is not serialising: a load that is still on its way when one
// stage ends is paid by the next, so figures are of vectors, or averages of many.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_cycles.h>

#include "td_stats.h"

#define TD_STAGE_EVERY 64u

struct td_stage_clock {
	bool timing;   // this turn's stages are
	uint8_t stage; // enum td_stage, now
	uint32_t left; // turns until the next one that is
	uint32_t every;
	uint32_t read_ticks; // what reading adds
	uint64_t entered;
	uint64_t random;
	struct td_worker_stats *stats;
	struct td_stage_stats turn[TD_STAGE_COUNT]; // of this one
};

// `stats` is borrowed. `ticks_per_s` 0: nothing is ever timed.
void td_stage_clock_init(struct td_stage_clock *clock, struct td_worker_stats *stats,
			 uint64_t ticks_per_s);
// One turn in about `every` is timed from now on; 0: none.
void td_stage_clock_set(struct td_stage_clock *clock, uint32_t every);

// For td_stage_clock_begin and td_stage_clock_end.
void td_stage_clock_start(struct td_stage_clock *clock);
void td_stage_clock_commit(struct td_stage_clock *clock, bool busy);

// Brackets a turn; in between the watch is at TD_STAGE_OTHER unless told.
static inline void td_stage_clock_begin(struct td_stage_clock *clock)
{
	if (__builtin_expect(clock->left-- == 0, 0))
		td_stage_clock_start(clock);
}

static inline void td_stage_clock_end(struct td_stage_clock *clock, bool busy)
{
	if (__builtin_expect(clock->timing, 0))
		td_stage_clock_commit(clock, busy);
}

// The time from here on is `stage`'s. Returns whose it was, to go back to.
static inline enum td_stage td_stage_enter(struct td_stage_clock *clock, enum td_stage stage)
{
	enum td_stage before;
	uint64_t now, ticks;

	if (__builtin_expect(!clock->timing, 1))
		return stage;
	now = rte_rdtsc();
	before = (enum td_stage)clock->stage;
	ticks = now - clock->entered;
	clock->turn[before].ticks += ticks > clock->read_ticks ? ticks - clock->read_ticks : 0;
	clock->stage = (uint8_t)stage;
	clock->entered = now;
	return before;
}

// Something was done `units` times.
static inline void td_stage_count(struct td_stage_clock *clock, enum td_stage stage, uint32_t units)
{
	if (__builtin_expect(clock->timing, 0))
		clock->turn[stage].units += units;
}

// What the far end of a fork says, from its socket to the player that says it.
//
//   audio --> [ queue: samples and marks ] --fill, 20 ms at the mix's rate--> td_live --> the worker
//                                         <--settle: what has been played, what was flushed--
//   invariant: taken <= every mark that waits in the queue <= given
//
// A mark belongs to the frame in which the sample before it is, and is reached when the worker has
// played that frame. A flush empties the queue at once and the player at its next tick; until that
// is settled nothing more may be given, so that it is known of every mark on which side it was.
// `told` runs for each answer the far end gets, in their order. Time is an argument. One thread's; the
// queue and the resampler are allocated by init and by a change of the mix's rate.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codecs/resample.h"
#include "fork/frame.h"
#include "media/live.h"
#include "td_error.h"

struct td_said_mark {
	uint64_t at;  // behind this many samples given
	uint32_t due; // reached once so many frames are played; of one that has been filled in
	bool filled;
	uint8_t length;
	char name[TD_FORK_MARK_MAX];
};

typedef void td_said_told_fn(void *user, const struct td_fork_frame *frame);

struct td_said {
	struct td_live *live;
	uint32_t rate_hz;
	int16_t *samples; // [capacity]
	uint32_t capacity;
	uint64_t given, taken; // samples; their difference waits
	uint64_t heard_ns;     // when the last ones came
	struct td_said_mark marks[TD_FORK_MARKS];
	uint32_t mark_first, mark_count;
	struct td_resampler *resampler; // from rate_hz to resampled_hz
	uint32_t resampled_hz;          // 0: no resampler
	bool flushing, starved;
	uint32_t flush_head, flush_tail; // pushed and played when it came
	uint32_t flushed_frames;         // thrown away in all
	uint32_t flush_queued_ms;
	td_said_told_fn *told;
	void *user;
	uint64_t flushed_ms, overrun_ms, underruns, reached;
};

// Borrows `live`. -TD_EMEMORY.
TD_MUST_CHECK int td_said_init(struct td_said *said, struct td_live *live, uint32_t rate_hz,
			       td_said_told_fn *told, void *user);
void td_said_fini(struct td_said *said);

// True when td_said_take may be called: no flush waits to be settled.
static inline bool td_said_ready(const struct td_said *said)
{
	return !said->flushing;
}

// An AUDIO, MARK or FLUSH frame of the far end. -TD_EFULL: too many marks.
TD_MUST_CHECK int td_said_take(struct td_said *said, const struct td_fork_frame *frame,
			       uint64_t now_ns);

// Tells what has been played since, then gives the player what it has room for.
void td_said_turn(struct td_said *said, uint64_t now_ns);

// Frames of 20 ms that were heard of it.
uint32_t td_said_played(const struct td_said *said);

// Two parties on one clock: where each received frame of PCM belongs in what both said.
//
//   invariant: written <= position of anything in the window < written + frames of the window
//
//   packets of either side --place--> window (silence where nothing came) --take--> a file, a fork
//
// Each side has an anchor (anchor.h) that says where its packets belong. A sample that is missing or
// too much because a clock drifts is made up for. What arrives behind what is already written is
// counted late and left out; nothing that was written is ever changed. A timeline runs at 8 kHz until
// it is widened, which it can be as long as nothing has been taken from it.
// Pure; memory of the caller, on whose thread it runs.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codecs/resample.h"
#include "pcm/anchor.h"
#include "td_limits.h"

#define TD_TIMELINE_HZ         8000
#define TD_TIMELINE_WIDE_HZ    16000
#define TD_TIMELINE_FRAMES     8192 // of the window, a power of two: a little over a second
#define TD_TIMELINE_FRAMES_MAX (2 * TD_TIMELINE_FRAMES) // the same at the wide rate
#define TD_TIMELINE_PACKET_MAX (4 * TD_RTP_PAYLOAD_MAX) // samples: two a byte, twice the rate
#define TD_TIMELINE_SIDES      2

struct td_timeline_side {
	struct td_anchor anchor;
	int64_t edge;                    // behind the last sample placed; 0: none was
	uint64_t received, placed, late; // packets
	uint64_t samples;                // placed
};

struct td_timeline {
	uint32_t rate_hz;
	uint64_t start_ns;
	uint64_t written; // frames taken out so far
	uint64_t end;     // behind the last sample placed
	struct td_timeline_side sides[TD_TIMELINE_SIDES];
	int16_t window[TD_TIMELINE_SIDES][TD_TIMELINE_FRAMES_MAX];
};

void td_timeline_init(struct td_timeline *timeline, uint64_t start_ns);

// From 8 to 16 kHz, with what the window holds; `up` converts from the one to the other and is
// borrowed. Nothing may have been taken yet.
void td_timeline_widen(struct td_timeline *timeline, struct td_resampler *up);

// A packet of one side: `count` samples at the timeline's rate (at most TD_TIMELINE_PACKET_MAX), of a
// sender whose timestamps tick at `clock_hz`.
struct td_timeline_packet {
	uint32_t ssrc;
	uint32_t timestamp;
	uint32_t clock_hz;
	uint64_t arrival_ns; // when it came
	const int16_t *pcm;
	unsigned count;
};

// A packet of this side is placed soon: where it will most likely be is asked for.
void td_timeline_expect(const struct td_timeline *timeline, unsigned side);

#define TD_TIMELINE_LATE (-1)

// Places it. Answers how many samples before it are silent because nothing came for them, or
// TD_TIMELINE_LATE: its place is written already, or beyond the window, and it is counted so.
int64_t td_timeline_place(struct td_timeline *timeline, unsigned side,
			  const struct td_timeline_packet *packet);

// Leaves out `ns` from here on: what comes is placed so much earlier, anchored anew.
void td_timeline_skip(struct td_timeline *timeline, uint64_t ns);

// Silences what is not taken yet from the time `from_ns` on.
void td_timeline_blank(struct td_timeline *timeline, uint64_t from_ns);

// How many frames lie before `until_ns` and are not taken yet, at most the window.
unsigned td_timeline_ready(const struct td_timeline *timeline, uint64_t until_ns);

// Frames from the first not yet taken to the end of the last placed sample.
unsigned td_timeline_rest(const struct td_timeline *timeline);

// Moves the next `count` frames to `frames` (interleaved) and advances `written`.
void td_timeline_take(struct td_timeline *timeline, int16_t (*frames)[TD_TIMELINE_SIDES],
		      unsigned count);

// Two parties on one clock: where each received frame of PCM belongs in a stereo recording.
//
//   position of a sample = anchor position + (its RTP timestamp - anchor timestamp)
//   invariant: written <= position of anything in the window < written + TD_TIMELINE_FRAMES
//
//   packets of either side --place--> window (silence where nothing came) --take--> the file
//
// A side is anchored by the arrival time of its first packet, and again when its SSRC changes or
// its RTP time leaves the arrival time by more than TD_TIMELINE_SLIP_MS. A sender whose clock drifts
// is followed: the least delay of each block of packets is kept where it was in the first block, so
// hours of +-200 ppm stay within a millisecond or two of the other side. What arrives behind what is
// already written is counted late and left out; nothing that was written is ever changed.
// Pure; caller's memory; recorder thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "td_limits.h"

#define TD_TIMELINE_HZ      8000
#define TD_TIMELINE_FRAMES  8192 // of the window, a power of two: a little over a second
#define TD_TIMELINE_SLIP_MS 500
#define TD_TIMELINE_SIDES   2
#define TD_TIMELINE_BLOCK   256 // packets over which the least delay is taken: about 5 s

struct td_timeline_side {
	bool anchored;
	uint32_t ssrc;
	uint32_t anchor_timestamp; // follows the stream, so that RTP time may wrap
	int64_t anchor_position;
	unsigned block_packets;
	int64_t block_delay; // least arrival - position of this block, in frames
	bool delay_known;
	int64_t delay; // the same of the first block: what later blocks are held to
	uint64_t received, placed, late; // packets
	uint64_t samples;                // placed
};

struct td_timeline {
	uint64_t start_ns;
	uint64_t written; // frames taken out so far
	uint64_t end;     // behind the last sample placed
	struct td_timeline_side sides[TD_TIMELINE_SIDES];
	int16_t window[TD_TIMELINE_FRAMES][TD_TIMELINE_SIDES];
};

void td_timeline_init(struct td_timeline *timeline, uint64_t start_ns);

// Places `count` samples (at most TD_RTP_PAYLOAD_MAX) of one side. `arrival_ns` is when the packet
// came. Counts it as late instead when its place is written already.
void td_timeline_place(struct td_timeline *timeline, unsigned side, uint32_t ssrc,
		       uint32_t timestamp, uint64_t arrival_ns, const int16_t *pcm, unsigned count);

// How many frames lie before `until_ns` and are not taken yet, at most the window.
unsigned td_timeline_ready(const struct td_timeline *timeline, uint64_t until_ns);

// Frames from the first not yet taken to the end of the last placed sample.
unsigned td_timeline_rest(const struct td_timeline *timeline);

// Moves the next `count` frames to `frames` (interleaved) and advances `written`.
void td_timeline_take(struct td_timeline *timeline, int16_t (*frames)[TD_TIMELINE_SIDES],
		      unsigned count);

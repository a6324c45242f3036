// Where one sender's RTP time lies on our clock.
//
//   position = anchor position + (timestamp - anchor timestamp) * rate / clock
//
// Anchored by the arrival time of the first packet, and again when the SSRC or the clock changes or RTP
// time leaves arrival time by more than TD_ANCHOR_SLIP_MS. A sender whose clock drifts is followed:
// the least delay of each block of packets is held where it was in the first block, by one sample a
// packet, so an hour of +-100 ppm stays within a millisecond and nothing jumps.
// Pure; the caller's memory.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TD_ANCHOR_SLIP_MS 500
#define TD_ANCHOR_BLOCK   128 // packets over which the least delay is taken: about 2.5 s

struct td_anchor {
	bool set;
	uint32_t ssrc;
	uint32_t clock_hz;
	uint32_t timestamp; // follows the stream, so that RTP time may wrap
	int64_t position;
	unsigned block_packets;
	int64_t block_delay; // least arrival - position of this block, in samples
	bool delay_known;
	int64_t delay; // the same of the first block: what later blocks are held to
	int64_t due;   // samples it still has to be moved by
};

// The place of a packet that came at the place `arrival`, both in samples at `rate_hz`.
int64_t td_anchor_locate(struct td_anchor *anchor, uint32_t rate_hz, uint32_t ssrc,
			 uint32_t timestamp, uint32_t clock_hz, int64_t arrival);

// Places are counted at twice the rate from now on.
void td_anchor_double(struct td_anchor *anchor);

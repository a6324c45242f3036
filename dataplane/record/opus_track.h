// One party's Opus as an Ogg file (RFC 7845), packet by packet as it was sent: nothing is coded again.
//
//   packets at their places --put--> [gap: empty frames] [packet] --> Ogg pages in `out`
//
// Places are in samples at 48 kHz since the recording began; granule position = end of the packet. Where
// nothing came, frames without content stand for the time (RFC 7845 section 4.1), in steps of
// 2.5 ms: the players' concealment fades to silence there. No page is longer than a second, a long
// silence neither: players seek by pages. A packet that would begin more than
// TD_OPUS_OVERLAP before the end of the last one is left out: a sender's clock that is too fast.
//
// A file a party, not one multiplex: every player opens it, it is whole for itself after a crash, and
// parties may have packets of different lengths. One channel a party in one multistream file would want
// all their packets to be of one length and on one grid.
// Pure but for the memory of `out`; recorder thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/bytes.h"
#include "record/ogg.h"

#define TD_OPUS_HZ          48000
#define TD_OPUS_PRE_SKIP    312 // the coder's own delay at 48 kHz: played, sounds are in their place
#define TD_OPUS_OVERLAP     960  // 20 ms
#define TD_OPUS_SAMPLES_MAX 5760 // 120 ms, the longest packet

struct td_opus_track {
	struct td_ogg_writer ogg;
	struct td_bytes out;
	int64_t edge; // behind the last packet
	int64_t page; // where the page under way begins
};

// Writes the two header pages. `title` is for players to show.
void td_opus_track_begin(struct td_opus_track *track, uint32_t serial, const char *title);

#define TD_OPUS_LATE (-1)

// Puts a packet of `samples` at its place. Answers the samples before it that nothing came for, or
// TD_OPUS_LATE: it is left out. `size` is at most TD_RTP_PAYLOAD_MAX.
int64_t td_opus_track_put(struct td_opus_track *track, int64_t position, const uint8_t *packet,
			  size_t size, unsigned samples);

// What there is by now becomes a page.
void td_opus_track_flush(struct td_opus_track *track);

// The last page, after silence up to `position`.
void td_opus_track_end(struct td_opus_track *track, int64_t position);
void td_opus_track_fini(struct td_opus_track *track);

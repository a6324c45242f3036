// A party's packets as Opus: those that are Opus as they are, others decoded and coded anew, so that a
// file of Opus stays one when a phone changes its codec.
//
// Made when the first packet of another codec comes. Recorder thread; the memory is the source's own.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "media/tap.h"
#include "pcm/voice.h"

#define TD_OPUS_PIECES_MAX 6 // packets one packet becomes: 60 ms in tens

struct td_opus_piece {
	const uint8_t *packet;
	size_t size;
	unsigned samples; // at 48 kHz
};

struct td_opus_source {
	struct td_voice voice;
	void *encoder; // at rate_hz, or NULL
	uint32_t rate_hz;
	uint64_t copied, coded;      // packets
	uint8_t (*packets)[4 * 320]; // TD_OPUS_PIECES_MAX of them, with the encoder
};

// The pieces of a packet of `codec`, good until the next call; 0: there is no sound in it.
unsigned td_opus_source_hear(struct td_opus_source *source, const struct td_codec *codec,
			     const struct td_tap_record *record,
			     struct td_opus_piece pieces[TD_OPUS_PIECES_MAX]);
void td_opus_source_fini(struct td_opus_source *source);

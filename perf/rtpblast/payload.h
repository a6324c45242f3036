// What the flows say: speech, coded once before the run, frame after frame of 20 ms, in a circle.
//
// The speech is a WAV file's, or without one something like a voice. Every flow reads the same
// circle from another place.
#pragma once

#include <stdint.h>

#include "td_codec_id.h"

#define TD_PAYLOAD_BYTES_MAX 320
#define TD_PAYLOAD_PTIME_MS  20

struct td_payload_frame {
	uint16_t bytes;
	uint8_t data[TD_PAYLOAD_BYTES_MAX];
};

struct td_payload {
	struct td_payload_frame *frames;
	uint32_t count;
	uint32_t ticks; // of the RTP clock, a frame
};

// Codes the speech of `wav` (NULL: the voice). Exits with a sentence when it cannot.
void td_payload_make(struct td_payload *payload, enum td_codec_id codec, const char *wav);
void td_payload_free(struct td_payload *payload);

// The table of codecs: one small struct of functions each, frame in, frame out.
//
//   PCM int16 at sample_hz  --encode-->  payload bytes  --decode-->  PCM int16 at sample_hz
//
// State lives in the caller's memory (`state_bytes`, may be 0) and belongs to one stream in one
// direction. Functions are pure: no allocation, no I/O, any thread. What does not fit is refused
// with -TD_EFULL and nothing is written.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "td_codec_id.h"
#include "td_error.h"

struct td_codec {
	enum td_codec_id id;
	const char *name;            // RTP encoding name, RFC 3551
	uint32_t clock_hz;           // of the RTP timestamp
	uint32_t sample_hz;          // of the PCM
	uint8_t static_payload_type; // RFC 3551 table 4, or TD_PAYLOAD_TYPE_NONE
	size_t state_bytes;
	// Both answer how many units they wrote (bytes, samples) or -TD_E*.
	int (*encode)(void *state, const int16_t *pcm, size_t samples, uint8_t *payload,
		      size_t payload_max);
	int (*decode)(void *state, const uint8_t *payload, size_t bytes, int16_t *pcm,
		      size_t samples_max);
};

// The codec's row, or NULL for TD_CODEC_NONE and anything unknown.
const struct td_codec *td_codec_get(enum td_codec_id id);

// G.722 at 64 kbit/s (ITU-T G.722, mode 1), one stream at a time; g722_lanes.h does sixteen.
//
//   16 kHz pcm --QMF--+-- low band  --ADPCM 6 bits--+-- byte: high << 6 | low
//                     +-- high band --ADPCM 2 bits--+
//
// At 8 kHz only the low band is coded and the byte's high bits are ones (the smallest step), so a
// narrowband caller and a wideband phone talk without a resampler between them. Bit-exact against
// spandsp at both rates on any input, but for one thing: where the receive QMF leaves 16 bits
// (clipped audio overshoots) the sample saturates, as the recommendation has it, and does not wrap
// around into a click as in spandsp 0.0.6. States live in the caller's memory, 192 bytes a
// direction, and belong to one stream; they are what init and whole calls made of them. Pure: no
// allocation, no I/O, any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "td_codec_id.h"

#define TD_G722_ZEROS 6 // of a band's predictor; it has two poles besides

// One sub-band's ADPCM state, by the names of G.722 section 3: 32 words, as the lanes load them.
struct td_g722_band {
	int16_t s, sz, r;         // prediction, its zeros' part, last reconstruction
	int16_t p[2];             // last partial reconstructions; only their signs matter
	int16_t a[2];             // pole coefficients
	int16_t nb, det;          // quantiser scale: logarithmic, linear
	int16_t unused;           // keeps b and d in pairs
	int16_t b[TD_G722_ZEROS]; // zero coefficients
	int16_t d[TD_G722_ZEROS]; // last quantised differences, newest first
	int16_t reserved[10];     // to 64 bytes
};

#define TD_G722_HISTORY 22 // samples the 24-tap QMF still needs when two new ones come

// What encoder and decoder have in common, and the lanes take in and out.
struct td_g722_core {
	struct td_g722_band low, high;
	int16_t history[TD_G722_HISTORY]; // of the QMF, oldest first; pairs
	uint16_t narrow;                  // 1: PCM at 8 kHz
	int16_t reserved[9];              // to 64 bytes
} __attribute__((aligned(64)));

struct td_g722_encoder {
	struct td_g722_core core;
};

struct td_g722_decoder {
	struct td_g722_core core;
};

// These five are a row of struct td_codec; `state` is a struct td_g722_encoder or _decoder.
//
// `sample_hz` is 16000 or 8000, otherwise -TD_EUNSUPPORTED; `settings` may be NULL.
int td_g722_encoder_init(void *state, uint32_t sample_hz, const struct td_codec_settings *settings);
int td_g722_decoder_init(void *state, uint32_t sample_hz);
// Bytes written: half of `samples` at 16 kHz, as many at 8 kHz. -TD_EINVALID when samples are odd
// at 16 kHz; -TD_EFULL.
int td_g722_encode(void *state, const int16_t *pcm, size_t samples, uint8_t *payload,
		   size_t payload_max);
// Samples written: two a byte at 16 kHz, one at 8 kHz. -TD_EFULL. Any bytes are good G.722.
int td_g722_decode(void *state, const uint8_t *payload, size_t bytes, int16_t *pcm,
		   size_t samples_max);
// A byte is one tick of the RTP clock, which is 8 kHz (RFC 3551 section 4.5.2).
int td_g722_duration(const uint8_t *payload, size_t bytes);

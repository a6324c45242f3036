// G.722 for up to sixteen streams at once, in the lanes of AVX-512 (or eight and eight with AVX2;
// one after the other where there is neither). Which it is, the build's -march says.
//
//   states[i], pcm[i], payload[i]    of stream i; small, separate, anywhere
//        |  transposed in and out, once a call
//   one 16-bit lane a stream and band: both bands of all streams take each step together
//
// The same states and the same results as g722.h, to the bit: a stream may be coded alone in one
// frame and with any others in the next. All streams of a call have the same rate and length. The
// arrays of pointers are borrowed for the call; no two streams are the same; source and destination
// do not overlap. Any thread; no allocation; 22 KiB of stack at most.
//
// Sixteen streams together pay about what one pays alone: perf/run g722 has 0.4 us to encode and
// 0.25 us to decode 20 ms of a stream with AVX-512, 0.65 and 0.5 with AVX2, where spandsp has 12
// and 6.5. A call costs the same for one stream as for sixteen (eight with AVX2).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "codecs/g722.h"

#define TD_G722_LANES 16

// Codes `samples` of each of 1 to TD_G722_LANES streams; an even number at 16 kHz. Returns the bytes
// written to each payload: half as many at 16 kHz, as many at 8 kHz.
size_t td_g722_encode_lanes(struct td_g722_encoder *const states[], const int16_t *const pcm[],
			    uint8_t *const payload[], unsigned lane_count, size_t samples);

// Decodes `bytes` of each of 1 to TD_G722_LANES streams. Returns the samples written to each pcm:
// two a byte at 16 kHz, one at 8 kHz.
size_t td_g722_decode_lanes(struct td_g722_decoder *const states[], const uint8_t *const payload[],
			    int16_t *const pcm[], unsigned lane_count, size_t bytes);

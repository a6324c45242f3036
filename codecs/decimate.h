// From 16, 32 or 48 kHz down to 8 kHz, for listening to tones: not for ears.
//
//   out[n] = sum over i of taps[i] * in[factor * n + i - (taps - 1)]
//
// A linear-phase low-pass of 12 * factor taps: flat within 0.5 dB to 2.6 kHz, below which all the
// telephone's tones lie, and what would fold onto that band is at least 45 dB down. Pure; caller's
// memory.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TD_DECIMATE_FACTOR_MAX 6
#define TD_DECIMATE_TAPS_MAX   (12 * TD_DECIMATE_FACTOR_MAX)
#define TD_DECIMATE_IN_MAX     960 // samples of one call

struct td_decimate {
	uint32_t factor; // 1: copies
	uint32_t skip;   // input samples before the next output
	float history[TD_DECIMATE_TAPS_MAX - 1];
};

// `factor` is 1, 2, 4 or 6. The first call for a factor fills its table of taps: on the main thread.
void td_decimate_init(struct td_decimate *decimate, uint32_t factor);

// Takes up to TD_DECIMATE_IN_MAX samples, writes to `out` (as many at most, about count / factor)
// and answers how many.
size_t td_decimate_block(struct td_decimate *decimate, const int16_t *in, size_t count,
			 int16_t *out);

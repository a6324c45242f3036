// From one PCM rate to another, block by block, by speexdsp's windowed sinc.
//
//   samples at from_hz  --process-->  samples * to_hz / from_hz at to_hz, every time
//
// Rates are 8000, 16000, 32000 and 48000 Hz in any pair, blocks up to 60 ms at 48 kHz. In multiples of
// 10 ms the counts always come out whole: a block in is a block out without drift. The price is a
// latency of half the filter (td_resampler_latency_us): 3 ms into or out of 8 kHz, less between
// higher rates. The library allocates its state, so create and destroy belong to the main thread;
// process allocates nothing and may run on the one worker that owns the state.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "td_error.h"
#include "td_role.h"

#define TD_RESAMPLE_QUALITY      3 // of speexdsp, 0 to 10
#define TD_RESAMPLE_BLOCK_MS_MAX 60
#define TD_RESAMPLE_SAMPLES_MAX  (48 * TD_RESAMPLE_BLOCK_MS_MAX)

struct td_resampler;

// Gives *out. -TD_EUNSUPPORTED for a rate that is none of the four, -TD_EMEMORY.
TD_MUST_CHECK int td_resampler_create(uint32_t from_hz, uint32_t to_hz, struct td_resampler **out);
void td_resampler_destroy(struct td_resampler *resampler);

// Converts one block; answers how many samples were written: exactly samples * to_hz / from_hz for
// blocks of whole 10 ms, rounded up or down for others (over all of them nothing is lost). `samples`
// is at most TD_RESAMPLE_SAMPLES_MAX, `out` has room for the number rounded up and does not overlap
// `in`. Equal rates are copied.
size_t td_resampler_process(struct td_resampler *resampler, const int16_t *in, size_t samples,
			    int16_t *out);

// Forgets the sound so far: for a stream that starts anew.
void td_resampler_reset(struct td_resampler *resampler);

// How much later the sound comes out; 0 between equal rates.
uint32_t td_resampler_latency_us(const struct td_resampler *resampler);

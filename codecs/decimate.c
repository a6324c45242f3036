#include "codecs/decimate.h"

#include <math.h>
#include <string.h>

#include "td_assert.h"

#define CUTOFF_HZ      4000.0
#define OUT_HZ         8000.0
#define TAPS_OF_FACTOR 12

// By factor; the last tap 0 says that the table has not been filled.
static float taps_of[TD_DECIMATE_FACTOR_MAX + 1][TD_DECIMATE_TAPS_MAX];
static uint8_t filled[TD_DECIMATE_FACTOR_MAX + 1];

// A Hamming-windowed sinc, scaled to unity at 0 Hz.
static void fill(uint32_t factor)
{
	uint32_t count = TAPS_OF_FACTOR * factor;
	double taps[TD_DECIMATE_TAPS_MAX], sum = 0;

	for (uint32_t i = 0; i < count; i++) {
		double t = i - (count - 1) / 2.0;
		double angle = 2 * M_PI * CUTOFF_HZ / (OUT_HZ * factor) * t;

		// `count` is even, so t is never 0.
		taps[i] = sin(angle) / angle * (0.54 - 0.46 * cos(2 * M_PI * i / (count - 1)));
		sum += taps[i];
	}
	for (uint32_t i = 0; i < count; i++)
		taps_of[factor][i] = (float)(taps[i] / sum);
	filled[factor] = 1;
}

void td_decimate_init(struct td_decimate *decimate, uint32_t factor)
{
	TD_ASSERT(factor == 1 || (factor % 2 == 0 && factor <= TD_DECIMATE_FACTOR_MAX));
	memset(decimate, 0, sizeof *decimate);
	decimate->factor = factor;
	if (!filled[factor])
		fill(factor);
}

// out[n] = sum over q, p of taps[factor * q + p] * in[factor * (n + q) + p]: with each p's samples
// side by side, the innermost loop runs along n and becomes vectors.
static void convolve(uint32_t factor, const float *in, uint32_t count, float *restrict out)
{
	float phases[TD_DECIMATE_IN_MAX + TD_DECIMATE_TAPS_MAX] = { 0 };
	const float *taps = taps_of[factor];
	uint32_t length = count + TAPS_OF_FACTOR - 1;

	TD_ASSERT(factor * length <= sizeof phases / sizeof *phases);
	for (uint32_t p = 0; p < factor; p++)
		for (uint32_t i = 0; i < length; i++)
			phases[p * length + i] = in[factor * i + p];
	memset(out, 0, count * sizeof *out);
	for (uint32_t q = 0; q < TAPS_OF_FACTOR; q++)
		for (uint32_t p = 0; p < factor; p++) {
			const float *phase = phases + p * length + q;
			float tap = taps[factor * q + p];

			for (uint32_t n = 0; n < count; n++)
				out[n] += tap * phase[n];
		}
}

size_t td_decimate_block(struct td_decimate *decimate, const int16_t *in, size_t count,
			 int16_t *out)
{
	float line[TD_DECIMATE_TAPS_MAX - 1 + TD_DECIMATE_IN_MAX];
	float narrow[TD_DECIMATE_IN_MAX];
	uint32_t factor = decimate->factor, taps = TAPS_OF_FACTOR * factor;
	uint32_t skip = decimate->skip, written;

	TD_ASSERT(count <= TD_DECIMATE_IN_MAX);
	if (factor == 1) {
		memcpy(out, in, count * sizeof *in);
		return count;
	}
	memcpy(line, decimate->history, (taps - 1) * sizeof *line);
	for (size_t i = 0; i < count; i++)
		line[taps - 1 + i] = in[i];
	written = count > skip ? ((uint32_t)count - skip + factor - 1) / factor : 0;
	if (written > 0)
		convolve(factor, line + skip, written, narrow);
	for (uint32_t n = 0; n < written; n++) {
		float sample = narrow[n] < INT16_MAX ? narrow[n] : INT16_MAX;

		sample = sample > INT16_MIN ? sample : INT16_MIN;
		out[n] = (int16_t)(sample + (sample < 0 ? -0.5f : 0.5f));
	}
	decimate->skip = skip + written * factor - (uint32_t)count;
	memcpy(decimate->history, line + count, (taps - 1) * sizeof *line);
	return written;
}

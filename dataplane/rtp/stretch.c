#include "rtp/stretch.h"

#include <string.h>

#include "td_assert.h"

#define COARSE_HZ     8000                    // the first search is on sound of this rate
#define COARSE_MAX    (COARSE_HZ / 1000 * 25) // what is compared, behind the longest lag
#define RATE_MAX      48000
#define LAG_MAX       (RATE_MAX / 1000 * TD_STRETCH_PERIOD_MAX_US / 1000)
#define SPAN_PER_S    100         // 10 ms are compared
#define QUIET_POWER   (100 * 100) // of a sample, -50 dBov
#define OVERLAP_PER_S 200         // 5 ms of fading suffice in quiet
#define ALIKE_GENTLE  0.85f
#define ALIKE_URGENT  0.60f
#define ONE_Q15       32768

struct match {
	uint32_t lag;
	float alike; // normalised correlation
};

static float correlate(const int16_t *a, const int16_t *b, uint32_t samples)
{
	int64_t sum = 0;

	for (uint32_t i = 0; i < samples; i++)
		sum += a[i] * b[i];
	return (float)sum;
}

// The lag in [lag, lag_max] at which the beginning of pcm looks most like itself.
static struct match best_match(const int16_t *pcm, uint32_t span, uint32_t lag, uint32_t lag_max)
{
	struct match best = { lag_max, -1.0f };
	float power = correlate(pcm, pcm, span);

	for (; lag <= lag_max; lag++) {
		float alike = correlate(pcm, pcm + lag, span);
		float other = correlate(pcm + lag, pcm + lag, span), score;

		if (alike <= 0.0f)
			continue;
		// Compared as squares; the sample more keeps silence from dividing by nothing.
		score = alike * alike / ((power + 1.0f) * (other + 1.0f));
		if (score > best.alike * best.alike || best.alike < 0.0f) {
			best.alike = __builtin_sqrtf(score);
			best.lag = lag;
		}
	}
	return best;
}

// The pitch period of the beginning of pcm, at most lag_max samples.
static struct match find_period(const int16_t *pcm, uint32_t samples, uint32_t rate_hz,
				uint32_t lag_max)
{
	uint32_t step = rate_hz / COARSE_HZ, count;
	uint32_t lag_min = rate_hz / 1000u * TD_STRETCH_PERIOD_MIN_US / 1000u;
	uint32_t span = rate_hz / SPAN_PER_S, low, high;
	struct match match;
	int16_t coarse[COARSE_MAX] = { 0 };

	if (span > samples - lag_max)
		span = samples - lag_max;
	count = (span + lag_max) / step;
	for (uint32_t i = 0; i < count; i++) {
		int32_t sum = 0;

		for (uint32_t j = 0; j < step; j++)
			sum += pcm[i * step + j];
		coarse[i] = (int16_t)(sum / (int32_t)step);
	}
	match = best_match(coarse, span / step, lag_min / step, lag_max / step);
	if (step == 1u || match.alike < 0.0f)
		return match;
	low = (match.lag - 1u) * step;
	high = (match.lag + 1u) * step;
	return best_match(pcm, span, low < lag_min ? lag_min : low,
			  high > lag_max ? lag_max : high);
}

// to[i] = from a to b in equal steps.
static void fade(int16_t *to, const int16_t *a, const int16_t *b, uint32_t samples)
{
	int32_t step;

	TD_ASSERT(samples > 0);
	step = (int32_t)(ONE_Q15 / samples);
	for (uint32_t i = 0; i < samples; i++) {
		int32_t weight = (int32_t)i * step;

		to[i] = (int16_t)((a[i] * (ONE_Q15 - weight) + b[i] * weight) / ONE_Q15);
	}
}

static bool is_quiet(const int16_t *pcm, uint32_t samples)
{
	return correlate(pcm, pcm, samples) <= (float)QUIET_POWER * (float)samples;
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

uint32_t td_stretch_shrink(int16_t *pcm, uint32_t samples, uint32_t rate_hz, uint32_t cut_max,
			   bool urgent)
{
	uint32_t lag_min = rate_hz / 1000u * TD_STRETCH_PERIOD_MIN_US / 1000u, cut, overlap;
	uint32_t lag_max = lesser(lesser(cut_max, samples / 2u),
				  rate_hz / 1000u * TD_STRETCH_PERIOD_MAX_US / 1000u);

	TD_ASSERT(rate_hz % COARSE_HZ == 0 && rate_hz <= RATE_MAX);
	if (lag_max < lag_min)
		return 0;
	if (is_quiet(pcm, samples)) {
		overlap = rate_hz / OVERLAP_PER_S;
		if (samples < 2u * overlap)
			return 0;
		cut = lesser(cut_max, samples - overlap);
	} else {
		struct match match = find_period(pcm, samples, rate_hz, lag_max);

		if (match.alike < (urgent ? ALIKE_URGENT : ALIKE_GENTLE))
			return 0;
		overlap = cut = match.lag;
	}
	fade(pcm, pcm, pcm + cut, overlap);
	memmove(pcm + overlap, pcm + cut + overlap, (samples - cut - overlap) * sizeof pcm[0]);
	return cut;
}

uint32_t td_stretch_grow(int16_t *pcm, uint32_t samples, uint32_t rate_hz, uint32_t more_max,
			 bool urgent)
{
	uint32_t lag_min = rate_hz / 1000u * TD_STRETCH_PERIOD_MIN_US / 1000u, more;
	uint32_t lag_max = lesser(lesser(more_max, samples / 2u),
				  rate_hz / 1000u * TD_STRETCH_PERIOD_MAX_US / 1000u);
	int16_t period[LAG_MAX];

	TD_ASSERT(rate_hz % COARSE_HZ == 0 && rate_hz <= RATE_MAX);
	if (lag_max < lag_min)
		return 0;
	if (is_quiet(pcm, samples)) {
		more = lag_max;
	} else {
		struct match match = find_period(pcm, samples, rate_hz, lag_max);

		if (match.alike < (urgent ? ALIKE_URGENT : ALIKE_GENTLE))
			return 0;
		more = match.lag;
	}
	fade(period, pcm + more, pcm, more);
	memmove(pcm + 2u * more, pcm + more, (samples - more) * sizeof pcm[0]);
	memcpy(pcm + more, period, more * sizeof pcm[0]);
	return more;
}

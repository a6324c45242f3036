#include "codecs/plc.h"

#include <string.h>

#include "td_assert.h"

// ITU-T G.711 Appendix I, clause I.2: its constants at 8 kHz, as fractions of a second.
#define PITCH_MIN_PER_S  200 // 5 ms
#define BLOCK_PER_S      100 // 10 ms, the unit in which an erasure grows older
#define SILENT_BLOCKS    6
#define BLEND_MORE_PER_S 250 // 4 ms more of blending for every block erased
#define PERIODS_MAX      3
#define COARSE_HZ        4000 // the first search is on sound of this rate
#define ONE_Q15          32768

#define COARSE_LAG_MIN   (COARSE_HZ / PITCH_MIN_PER_S)
#define COARSE_LAG_MAX   (COARSE_LAG_MIN * 3)
#define COARSE_SPAN      (COARSE_HZ / 50) // 20 ms are compared
#define COARSE_SAMPLES   (COARSE_SPAN + COARSE_LAG_MAX)

void td_plc_init(struct td_plc *plc, uint32_t rate_hz)
{
	TD_ASSERT(rate_hz == 8000 || rate_hz == 16000 || rate_hz == 32000 || rate_hz == 48000);
	memset(plc, 0, td_plc_bytes(rate_hz));
	plc->rate_hz = rate_hz;
	plc->history_samples = rate_hz / 800 * 39;
}

static int16_t saturate(int32_t sample)
{
	sample = sample > INT16_MAX ? INT16_MAX : sample;
	return (int16_t)(sample < INT16_MIN ? INT16_MIN : sample);
}

static int64_t correlate(const int16_t *a, const int16_t *b, uint32_t samples)
{
	int64_t sum = 0;

	for (uint32_t i = 0; i < samples; i++)
		sum += a[i] * b[i];
	return sum;
}

// The lag in [lag, lag_max] at which the last `span` samples before `end` look most like
// themselves: the largest normalised correlation.
static uint32_t best_lag(const int16_t *end, uint32_t span, uint32_t lag, uint32_t lag_max)
{
	const int16_t *now = end - span;
	uint32_t best = lag_max;
	double most = 0;

	for (; lag <= lag_max; lag++) {
		int64_t power = correlate(now - lag, now - lag, span);
		int64_t alike = correlate(now, now - lag, span);
		double score;

		if (alike <= 0)
			continue;
		// The least power is that of a sound one can hear: no division by nothing.
		score = (double)alike * (double)alike / ((double)power + (double)span * 4.0);
		if (score > most) {
			most = score;
			best = lag;
		}
	}
	return best;
}

static uint32_t find_pitch(const struct td_plc *plc)
{
	uint32_t step = plc->rate_hz / COARSE_HZ, shortest = plc->rate_hz / PITCH_MIN_PER_S, lag;
	const int16_t *end = plc->history + plc->history_samples;
	const int16_t *from = end - COARSE_SAMPLES * step;
	int16_t coarse[COARSE_SAMPLES];

	TD_ASSERT(step > 0); // td_plc_init has been
	for (uint32_t i = 0; i < COARSE_SAMPLES; i++) {
		int32_t sum = 0;

		for (uint32_t j = 0; j < step; j++)
			sum += from[i * step + j];
		coarse[i] = (int16_t)(sum / (int32_t)step);
	}
	lag = step * best_lag(coarse + COARSE_SAMPLES, COARSE_SPAN, COARSE_LAG_MIN, COARSE_LAG_MAX);
	return best_lag(end, COARSE_SPAN * step, lag - step < shortest ? shortest : lag - step,
			lag + step > 3 * shortest ? 3 * shortest : lag + step);
}

// A sample of the cycle: the last `periods` pitch periods, whose last quarter period turns into what
// came before the first, so that the cycle closes without a seam.
static int32_t cycle_at(const struct td_plc *plc, uint32_t periods, uint32_t at)
{
	const int16_t *end = plc->history + plc->history_samples;
	uint32_t length = periods * plc->pitch_samples, quarter = plc->pitch_samples / 4;
	const int16_t *first = end - length;
	int32_t weight;

	if (at < length - quarter)
		return first[at];
	at -= length - quarter;
	weight = (int32_t)((at + 1) * ONE_Q15 / quarter);
	return ((end - quarter)[at] * (ONE_Q15 - weight) + (first - quarter)[at] * weight) /
	       ONE_Q15;
}

static void advance(const struct td_plc *plc, uint32_t periods, uint32_t *at)
{
	if (++*at == periods * plc->pitch_samples)
		*at = 0;
}

// The gain at this point of the erasure, Q15.
static int32_t gain(const struct td_plc *plc)
{
	uint32_t block = plc->rate_hz / BLOCK_PER_S;

	if (plc->erased_samples < block)
		return ONE_Q15;
	if (plc->erased_samples >= SILENT_BLOCKS * block)
		return 0;
	return (int32_t)((SILENT_BLOCKS * block - plc->erased_samples) * ONE_Q15 /
			 ((SILENT_BLOCKS - 1) * block));
}

static void begin_erasure(struct td_plc *plc)
{
	int16_t linear[TD_PLC_HISTORY_MAX];
	uint32_t older = plc->history_samples - plc->write_idx;
	const int16_t *end = plc->history + plc->history_samples;

	memcpy(linear, plc->history + plc->write_idx, older * sizeof linear[0]);
	memcpy(linear + older, plc->history, plc->write_idx * sizeof linear[0]);
	memcpy(plc->history, linear, plc->history_samples * sizeof linear[0]);
	plc->write_idx = 0;
	plc->pitch_samples = find_pitch(plc);
	plc->periods = 1;
	plc->cycle_idx = 0;
	plc->blend_samples = 0;
	plc->step = end[-1] - *(end - plc->pitch_samples - 1);
}

// A longer cycle sounds less like a buzzer: one period more at 10 and at 20 ms, blended in.
static void lengthen_cycle(struct td_plc *plc)
{
	plc->old_cycle_idx = plc->cycle_idx;
	plc->blend_samples = plc->pitch_samples / 4;
	plc->cycle_idx %= plc->pitch_samples;
	plc->periods++;
}

// The next sample of the erasure, before its gain.
static int32_t synthesise(struct td_plc *plc)
{
	uint32_t block = plc->rate_hz / BLOCK_PER_S, quarter = plc->pitch_samples / 4;
	int32_t sample, weight;

	if (plc->erased_samples == block || plc->erased_samples == 2 * block)
		lengthen_cycle(plc);
	sample = cycle_at(plc, plc->periods, plc->cycle_idx);
	advance(plc, plc->periods, &plc->cycle_idx);
	if (plc->blend_samples > 0) {
		weight = (int32_t)(plc->blend_samples * ONE_Q15 / (quarter + 1));
		sample = (sample * (ONE_Q15 - weight) +
			  cycle_at(plc, plc->periods - 1, plc->old_cycle_idx) * weight) /
			 ONE_Q15;
		advance(plc, plc->periods - 1, &plc->old_cycle_idx);
		plc->blend_samples--;
	}
	if (plc->erased_samples < quarter)
		sample += plc->step * (int32_t)(quarter - plc->erased_samples) / (int32_t)quarter;
	return sample;
}

void td_plc_conceal(struct td_plc *plc, int16_t *pcm, uint32_t samples)
{
	uint32_t silent = SILENT_BLOCKS * (plc->rate_hz / BLOCK_PER_S), i;

	if (plc->erased_samples == 0 && samples > 0)
		begin_erasure(plc);
	for (i = 0; i < samples && plc->erased_samples < silent; i++) {
		int32_t level = gain(plc);

		pcm[i] = (int16_t)(saturate(synthesise(plc)) * level / ONE_Q15);
		plc->erased_samples++;
	}
	memset(pcm + i, 0, (samples - i) * sizeof pcm[0]);
}

// Blends the start of the first good frame from the erasure as it would have gone on: the longer it
// was, the slower.
static void blend(struct td_plc *plc, int16_t *pcm, uint32_t samples)
{
	uint32_t block = plc->rate_hz / BLOCK_PER_S, blocks = plc->erased_samples / block;
	uint32_t overlap = plc->pitch_samples / 4 + blocks * (plc->rate_hz / BLEND_MORE_PER_S);
	uint32_t erased = plc->erased_samples;

	overlap = overlap > block ? block : overlap;
	overlap = overlap > samples ? samples : overlap;
	for (uint32_t i = 0; i < overlap; i++) {
		int32_t level = gain(plc), weight = (int32_t)((i + 1) * ONE_Q15 / (overlap + 1));
		int32_t was = level ? saturate(synthesise(plc)) * level / ONE_Q15 : 0;

		pcm[i] = (int16_t)((was * (ONE_Q15 - weight) + pcm[i] * weight) / ONE_Q15);
		plc->erased_samples++;
	}
	plc->erased_samples = erased;
}

// Puts the erasure into the history, so that the next one finds a sound without a hole. Its phase
// is the cycle's, which is all the pitch search needs.
static void remember_erasure(struct td_plc *plc, int32_t level)
{
	int16_t filled[TD_PLC_HISTORY_MAX] = { 0 };
	uint32_t count = plc->erased_samples, length = plc->periods * plc->pitch_samples, at;

	count = count > plc->history_samples ? plc->history_samples : count;
	at = (plc->cycle_idx + PERIODS_MAX * length * 8 - count) % length;
	for (uint32_t i = 0; i < count; i++) {
		filled[i] = (int16_t)(cycle_at(plc, plc->periods, at) * level / ONE_Q15);
		advance(plc, plc->periods, &at);
	}
	memmove(plc->history, plc->history + count,
		(plc->history_samples - count) * sizeof filled[0]);
	memcpy(plc->history + plc->history_samples - count, filled, count * sizeof filled[0]);
	plc->erased_samples = 0;
}

void td_plc_good(struct td_plc *plc, int16_t *pcm, uint32_t samples)
{
	uint32_t space;

	if (__builtin_expect(plc->erased_samples > 0, 0)) {
		int32_t level = gain(plc);
		uint32_t cycle_idx = plc->cycle_idx, periods = plc->periods;

		blend(plc, pcm, samples);
		plc->cycle_idx = cycle_idx;
		plc->periods = periods;
		remember_erasure(plc, level);
	}
	if (samples > plc->history_samples) {
		pcm += samples - plc->history_samples;
		samples = plc->history_samples;
	}
	space = plc->history_samples - plc->write_idx;
	if (samples < space) {
		memcpy(plc->history + plc->write_idx, pcm, samples * sizeof pcm[0]);
		plc->write_idx += samples;
		return;
	}
	memcpy(plc->history + plc->write_idx, pcm, space * sizeof pcm[0]);
	memcpy(plc->history, pcm + space, (samples - space) * sizeof pcm[0]);
	plc->write_idx = samples - space;
}

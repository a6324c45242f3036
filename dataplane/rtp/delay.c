#include "rtp/delay.h"

#include <string.h>

#include "td_assert.h"

#define FIRST_IDX      64 // where the first packet goes: a quarter of a second may be earlier
#define EPOCH_PACKETS  10 // a second with fewer says too little
#define EARLY_MS       60
#define FAR_EARLY_BINS 128
#define SHORTER_PART   16 // of the weight, what may lie below a second that is a shorter path
#define ANCHOR_SECONDS 600
#define SKEW_SECONDS   20
#define SKEW_JUMP_PPM  2000
#define NS_PER_S       1000000000u

static uint32_t lower_edge(const struct td_delay *delay, uint32_t idx)
{
	return delay->origin + (idx << delay->bin_shift);
}

// Weight of the bins above idx.
static uint32_t weight_above(const struct td_delay *delay, uint32_t idx)
{
	uint32_t sum = 0;

	for (uint32_t i = idx + 1u; i < TD_DELAY_BINS; i++)
		sum += delay->bins[i];
	return sum;
}

static uint32_t weight_up_to(const struct td_delay *delay, uint32_t idx)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i <= idx; i++)
		sum += delay->bins[i];
	return sum;
}

static void set_base(struct td_delay *delay, uint32_t base)
{
	delay->base = base;
	delay->early = base - EARLY_MS * (delay->clock_hz / 1000u);
}

static void set_target(struct td_delay *delay)
{
	uint32_t in_bin = delay->bins[delay->quantile_idx], later, edge;
	int32_t spread;

	// So much of the bin's weight lies above the edge, as if it were spread evenly.
	later = delay->total / TD_DELAY_QUANTILE;
	later = later > delay->above ? later - delay->above : 0;
	edge = lower_edge(delay, delay->quantile_idx + 1u);
	if (later < in_bin)
		edge -= (later << delay->bin_shift) / in_bin;
	delay->late_edge = edge;
	edge += delay->clock_hz / 1000u;
	spread = (int32_t)(edge - delay->base);
	if (spread < (int32_t)delay->spread_min)
		edge = delay->base + delay->spread_min;
	if (spread > (int32_t)delay->spread_max)
		edge = delay->base + delay->spread_max;
	delay->target = edge;
}

void td_delay_settle(struct td_delay *delay)
{
	uint32_t idx = delay->quantile_idx;

	if (delay->total >= TD_DELAY_TOTAL_MAX) {
		delay->total /= 2u;
		for (uint32_t i = 0; i < TD_DELAY_BINS; i++)
			delay->bins[i] = delay->bins[i] / 2u;
		delay->above = weight_above(delay, idx);
	}
	while (idx < TD_DELAY_BINS - 1u && delay->above * TD_DELAY_QUANTILE > delay->total)
		delay->above -= delay->bins[++idx];
	while (idx > 0 && (delay->above + delay->bins[idx]) * TD_DELAY_QUANTILE <= delay->total)
		delay->above += delay->bins[idx--];
	delay->quantile_idx = (uint16_t)idx;
	set_target(delay);
}

// Nothing is later than bin idx any more: what was is taken to be there.
static void fold(struct td_delay *delay, uint32_t idx)
{
	uint32_t sum = weight_above(delay, idx);

	if (sum == 0)
		return;
	memset(&delay->bins[idx + 1u], 0, (TD_DELAY_BINS - 1u - idx) * sizeof delay->bins[0]);
	delay->bins[idx] = (uint16_t)(delay->bins[idx] + sum);
	if (delay->quantile_idx > idx)
		delay->quantile_idx = (uint16_t)idx;
	delay->above = weight_above(delay, delay->quantile_idx);
}

// Moves the histogram by `bins`, up if positive, so that the transit times keep their meaning.
static void shift(struct td_delay *delay, int32_t bins)
{
	uint32_t count = (uint32_t)(bins < 0 ? -bins : bins), sum = 0;
	int32_t idx = delay->quantile_idx + bins;

	if (count >= TD_DELAY_BINS)
		count = TD_DELAY_BINS - 1u;
	// What falls off an end is kept in the bin at that end.
	for (uint32_t i = 0; i < count; i++)
		sum += delay->bins[bins > 0 ? TD_DELAY_BINS - 1u - i : i];
	if (bins > 0) {
		memmove(&delay->bins[count], &delay->bins[0],
			(TD_DELAY_BINS - count) * sizeof delay->bins[0]);
		memset(&delay->bins[0], 0, count * sizeof delay->bins[0]);
		delay->bins[TD_DELAY_BINS - 1u] = (uint16_t)(delay->bins[TD_DELAY_BINS - 1u] + sum);
	} else {
		memmove(&delay->bins[0], &delay->bins[count],
			(TD_DELAY_BINS - count) * sizeof delay->bins[0]);
		memset(&delay->bins[TD_DELAY_BINS - count], 0, count * sizeof delay->bins[0]);
		delay->bins[0] = (uint16_t)(delay->bins[0] + sum);
	}
	delay->origin -= (uint32_t)bins << delay->bin_shift;
	delay->quantile_idx =
		(uint16_t)(idx < 0                            ? 0
			   : idx > (int32_t)TD_DELAY_BINS - 1 ? (int32_t)TD_DELAY_BINS - 1
							      : idx);
	delay->above = weight_above(delay, delay->quantile_idx);
}

void td_delay_init(struct td_delay *delay, uint32_t clock_hz, uint32_t min_ms, uint32_t max_ms)
{
	TD_ASSERT(clock_hz >= 8000 && clock_hz <= 48000 && min_ms <= max_ms);
	memset(delay, 0, sizeof *delay);
	delay->clock_hz = clock_hz;
	delay->ticks_factor = (uint64_t)(((unsigned __int128)clock_hz << 64) / NS_PER_S);
	delay->bin_shift = clock_hz > 32000 ? 8 : clock_hz > 16000 ? 7 : clock_hz > 8000 ? 6 : 5;
	delay->spread_min = min_ms * (clock_hz / 1000u);
	delay->spread_max = max_ms * (clock_hz / 1000u);
}

void td_delay_restart(struct td_delay *delay)
{
	delay->started = false;
}

static void epoch_begin(struct td_delay *delay, uint32_t arrival, uint32_t transit)
{
	delay->epoch_arrival = arrival;
	delay->epoch_packets = 0;
	delay->epoch_low = transit;
	delay->epoch_high = transit;
}

// The first packet of a source: it is as early as any, until another one is earlier.
static void start(struct td_delay *delay, uint32_t arrival, uint32_t transit, uint32_t weight)
{
	memset(delay->bins, 0, sizeof delay->bins);
	delay->origin = transit - (FIRST_IDX << delay->bin_shift) - (1u << (delay->bin_shift - 1u));
	delay->bins[FIRST_IDX] = (uint16_t)weight;
	delay->total = weight;
	delay->above = 0;
	delay->quantile_idx = FIRST_IDX;
	delay->arrival = arrival;
	set_base(delay, transit);
	delay->epoch_idx = 0;
	delay->epoch_count = 0;
	for (uint32_t i = 0; i < TD_DELAY_EPOCHS; i++) {
		delay->low[i] = transit;
		delay->high[i] = transit;
	}
	delay->anchor_arrival = arrival;
	delay->anchor_base = transit;
	delay->skew_ppm = 0;
	delay->started = true;
	epoch_begin(delay, arrival, transit);
	set_target(delay);
}

// The path has become shorter by so much: what is known of the jitter stays true.
static void move(struct td_delay *delay, uint32_t earlier)
{
	delay->origin -= earlier;
	delay->epoch_low -= earlier;
	delay->epoch_high -= earlier;
	delay->anchor_base -= earlier;
	for (uint32_t i = 0; i < TD_DELAY_EPOCHS; i++) {
		delay->low[i] -= earlier;
		delay->high[i] -= earlier;
	}
	set_base(delay, delay->base - earlier);
}

// How far the least transit has moved since the anchor, as a rate.
static void measure_skew(struct td_delay *delay)
{
	uint32_t elapsed = delay->arrival - delay->anchor_arrival;
	int64_t moved = (int32_t)(delay->base - delay->anchor_base), ppm;
	bool anew = elapsed >= ANCHOR_SECONDS * delay->clock_hz;

	// The first ten seconds have not seen the least transit yet.
	if (delay->epoch_count < TD_DELAY_EPOCHS) {
		anew = ++delay->epoch_count == TD_DELAY_EPOCHS;
	} else if (elapsed >= SKEW_SECONDS * delay->clock_hz) {
		ppm = -moved * 1000000 / elapsed;
		if (ppm > SKEW_JUMP_PPM || ppm < -SKEW_JUMP_PPM)
			anew = true; // not a clock: the path has changed
		else
			delay->skew_ppm = (int32_t)ppm;
	}
	if (anew) {
		delay->anchor_arrival = delay->arrival;
		delay->anchor_base = delay->base;
	}
}

// The bin of a transit time, within the histogram.
static uint32_t bin_of(const struct td_delay *delay, uint32_t transit)
{
	int32_t idx = (int32_t)(transit - delay->origin) >> delay->bin_shift;

	return idx < 0 ? 0 : idx >= (int32_t)TD_DELAY_BINS ? TD_DELAY_BINS - 1u : (uint32_t)idx;
}

static void epoch_end(struct td_delay *delay)
{
	int32_t moved;
	uint32_t low, high, weight, above, idx = bin_of(delay, delay->epoch_high);

	delay->low[delay->epoch_idx] = low = delay->epoch_low;
	delay->high[delay->epoch_idx] = high = delay->epoch_high;
	delay->epoch_idx = (uint8_t)((delay->epoch_idx + 1u) % TD_DELAY_EPOCHS);
	// This second's own weight is at most a second's, 2,000 (1,500 at 48 kHz) and rounding.
	weight = (delay->clock_hz >> (delay->bin_shift - 3u)) + delay->epoch_packets;
	above = weight_above(delay, idx);
	if (above > weight && weight_up_to(delay, idx) <= weight + above / SHORTER_PART) {
		for (uint32_t i = 0; i < TD_DELAY_EPOCHS; i++) {
			delay->low[i] = low;
			delay->high[i] = high;
		}
	}
	for (uint32_t i = 0; i < TD_DELAY_EPOCHS; i++) {
		low = (int32_t)(delay->low[i] - low) < 0 ? delay->low[i] : low;
		high = (int32_t)(delay->high[i] - high) > 0 ? delay->high[i] : high;
	}
	moved = (int32_t)(low - delay->base);
	// More than a bin in a second is the path, not a clock.
	if (moved > 1 << delay->bin_shift || -moved > 1 << delay->bin_shift)
		delay->anchor_base += (uint32_t)moved;
	set_base(delay, low);
	fold(delay, bin_of(delay, high));
	idx = bin_of(delay, low);
	if (idx < FIRST_IDX / 2 || idx > FIRST_IDX * 2)
		shift(delay, FIRST_IDX - (int32_t)idx);
	measure_skew(delay);
	td_delay_settle(delay);
}

bool td_delay_put_rare(struct td_delay *delay, uint32_t arrival, uint32_t transit, uint32_t weight,
		       uint32_t audio, bool overtaken)
{
	int32_t idx = (int32_t)(transit - delay->origin) >> delay->bin_shift;

	if (!delay->started) {
		start(delay, arrival, transit, audio);
		return true;
	}
	// Beyond the histogram is beyond any delay there may be: all that comes from now on does.
	if (idx < -FAR_EARLY_BINS || (idx >= (int32_t)TD_DELAY_BINS && !overtaken))
		return false;
	if ((int32_t)(transit - delay->early) < 0)
		move(delay, delay->base - transit);
	delay->arrival = arrival;
	if (arrival - delay->epoch_arrival >= delay->clock_hz) {
		if (delay->epoch_packets >= EPOCH_PACKETS) {
			epoch_end(delay);
			epoch_begin(delay, arrival, transit);
		} else if (arrival - delay->epoch_arrival >= TD_DELAY_EPOCHS * delay->clock_hz) {
			epoch_begin(delay, arrival, transit);
		}
	}
	delay->epoch_packets++;
	if ((int32_t)(transit - delay->epoch_low) < 0)
		delay->epoch_low = transit;
	if ((int32_t)(transit - delay->epoch_high) > 0)
		delay->epoch_high = transit;
	idx = (int32_t)bin_of(delay, transit);
	delay->bins[idx] = (uint16_t)(delay->bins[idx] + weight);
	delay->total += audio;
	delay->above += (uint32_t)idx > delay->quantile_idx ? weight : 0;
	td_delay_settle(delay);
	return true;
}

// How late packets come: the statistics that say how long to wait for them.
//
//   transit = arrival - timestamp, both in ticks of the RTP clock, modulo 2^32
//   target  = the transit that all but 1/100 of the time does not exceed, and a millisecond
//
// A histogram of transit times, each weighted with the time it stands for, at most what passed
// since the packet before it: of a burst after a stall only the first counts as late, but one that
// was overtaken counts whole. It forgets by
// halving every 12 s of audio. Three rules make it quicker than that: what ten seconds have not
// seen is forgotten; when a whole second lies below nearly all before it the path has become
// shorter; and a packet 60 ms earlier than any takes the whole histogram with it. One bin, a few
// compares and no division a packet; the rest once a second. Pure; caller's memory; one thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TD_DELAY_BINS   256u // of 4 ms (5.3 ms at 48 kHz)
#define TD_DELAY_EPOCHS 10u  // seconds
// Of the time, one part in so many may be later than the target.
#define TD_DELAY_QUANTILE  100u
#define TD_DELAY_TOTAL_MAX 24000u // weight, in eighths of a bin: 12 s (16 s at 48 kHz)

struct td_delay {
	uint64_t ticks_factor; // clock_hz * 2^64 / 10^9
	uint32_t origin;       // transit at the lower edge of bin 0
	uint32_t target;
	uint32_t total, above; // audio remembered, and the weight of the bins above the quantile's
	uint32_t arrival;      // of the last packet
	uint32_t epoch_arrival;
	uint32_t epoch_low, epoch_high; // extreme transits of this second
	uint32_t early;                 // a transit below this is of a shorter path
	uint16_t quantile_idx;
	uint16_t epoch_packets;
	uint8_t bin_shift;
	bool started;
	// Once a second.
	uint8_t epoch_idx, epoch_count; // as far as TD_DELAY_EPOCHS
	uint32_t clock_hz;
	uint32_t low[TD_DELAY_EPOCHS], high[TD_DELAY_EPOCHS];
	uint32_t base;                   // the least transit of the last epochs
	uint32_t late_edge;              // what all but 1/TD_DELAY_QUANTILE of the time stays below
	uint32_t spread_min, spread_max; // bounds of target - base
	uint32_t anchor_arrival, anchor_base;
	int32_t skew_ppm; // above 0: the sender's clock is faster than ours
	uint16_t bins[TD_DELAY_BINS];
};

// For an RTP clock; the bounds are of what target exceeds the least transit by.
void td_delay_init(struct td_delay *delay, uint32_t clock_hz, uint32_t min_ms, uint32_t max_ms);
// Another source: the next packet is the first one.
void td_delay_restart(struct td_delay *delay);

// A time in ticks of the RTP clock, modulo 2^32.
static inline uint32_t td_delay_ticks(const struct td_delay *delay, uint64_t ns)
{
	return (uint32_t)(((unsigned __int128)ns * delay->ticks_factor) >> 64);
}

// The rest of td_delay_put.
bool td_delay_put_rare(struct td_delay *delay, uint32_t arrival, uint32_t transit, uint32_t weight,
		       uint32_t audio, bool overtaken);
void td_delay_settle(struct td_delay *delay);

// A packet of audio has come, overtaken by one after it or not. False: its timestamp has nothing to
// do with those before it, and nothing was changed; td_delay_restart, and put it again.
static inline bool td_delay_put(struct td_delay *delay, uint32_t arrival, uint32_t timestamp,
				uint32_t duration, bool overtaken)
{
	uint32_t transit = arrival - timestamp;
	uint32_t idx = (transit - delay->origin) >> delay->bin_shift;
	uint32_t since = arrival - delay->arrival;
	uint32_t audio = (duration >> (delay->bin_shift - 3u)) + 1u;
	uint32_t weight = since < duration && !overtaken ? since >> (delay->bin_shift - 3u) : audio;

	if (__builtin_expect((idx >= TD_DELAY_BINS) | !delay->started |
				     ((int32_t)(transit - delay->early) < 0) |
				     (arrival - delay->epoch_arrival >= delay->clock_hz),
			     0))
		return td_delay_put_rare(delay, arrival, transit, weight, audio, overtaken);
	delay->arrival = arrival;
	delay->epoch_packets++;
	if ((int32_t)(transit - delay->epoch_low) < 0)
		delay->epoch_low = transit;
	if ((int32_t)(transit - delay->epoch_high) > 0)
		delay->epoch_high = transit;
	delay->bins[idx] = (uint16_t)(delay->bins[idx] + weight);
	delay->total += audio;
	delay->above += idx > delay->quantile_idx ? weight : 0;
	if (__builtin_expect(delay->above * TD_DELAY_QUANTILE > delay->total, 0) ||
	    __builtin_expect((delay->above + delay->bins[delay->quantile_idx]) *
					     TD_DELAY_QUANTILE <=
				     delay->total,
			     0) ||
	    __builtin_expect(delay->total >= TD_DELAY_TOTAL_MAX, 0))
		td_delay_settle(delay);
	return true;
}

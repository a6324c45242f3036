// Quality of legs that have ended, as sums and histograms: what a monitoring system adds up.
//
// Counts only grow. A histogram's buckets are counts of what is at most their bound; what is beyond
// the last bound is in `count` alone. Pure; the caller's struct, all at zero to begin with.
#pragma once

#include <stdint.h>

#include "td_stats.h"

#define TD_SUMS_BUCKETS 8

struct td_histogram {
	uint64_t buckets[TD_SUMS_BUCKETS];
	uint64_t count;
	double sum;
};

struct td_quality_sums {
	struct td_histogram mos;      // average of a leg, where it has one
	struct td_histogram loss;     // share of what was expected
	struct td_histogram jitter_s; // the most
	struct td_histogram rtt_s;    // the most, where it is known
	uint64_t packets_expected, packets_lost, packets_discarded;
	uint64_t measured_ms, talk_ms, double_talk_ms, one_way_ms;
};

extern const double td_sums_mos_bounds[TD_SUMS_BUCKETS];
extern const double td_sums_loss_bounds[TD_SUMS_BUCKETS];
extern const double td_sums_jitter_bounds[TD_SUMS_BUCKETS];
extern const double td_sums_rtt_bounds[TD_SUMS_BUCKETS];

// A leg has ended with these statistics.
void td_quality_sums_add(struct td_quality_sums *sums, const struct td_stream_stats *stats);

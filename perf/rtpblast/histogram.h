// Latency histogram: 64 linear steps per power of two, so every value is kept to within 1.6 %.
//
// Fixed memory, no allocation; values in nanoseconds, from 0 to about 17 s.
#pragma once

#include <stdint.h>

#define TD_HISTOGRAM_STEPS   64
#define TD_HISTOGRAM_OCTAVES 29

struct td_histogram {
	uint64_t total;
	uint64_t max_ns;
	uint64_t counts[TD_HISTOGRAM_OCTAVES * TD_HISTOGRAM_STEPS];
};

void td_histogram_add(struct td_histogram *histogram, uint64_t value_ns);

// The smallest recorded value that `quantile` (0 to 1) of all values do not exceed, in
// microseconds; 0 when there are none.
double td_histogram_quantile_us(const struct td_histogram *histogram, double quantile);

#include "histogram.h"

static unsigned slot_of(uint64_t value)
{
	unsigned octave, shift;

	if (value < TD_HISTOGRAM_STEPS)
		return (unsigned)value;
	octave = 63u - (unsigned)__builtin_clzll(value) - 5u; // 64..127 is octave 1
	shift = octave - 1;
	if (octave >= TD_HISTOGRAM_OCTAVES)
		return TD_HISTOGRAM_OCTAVES * TD_HISTOGRAM_STEPS - 1;
	return octave * TD_HISTOGRAM_STEPS + (unsigned)((value >> shift) - TD_HISTOGRAM_STEPS);
}

static uint64_t value_of(unsigned slot)
{
	unsigned octave = slot / TD_HISTOGRAM_STEPS, step = slot % TD_HISTOGRAM_STEPS;

	if (octave == 0)
		return step;
	return (uint64_t)(TD_HISTOGRAM_STEPS + step) << (octave - 1);
}

void td_histogram_add(struct td_histogram *histogram, uint64_t value_ns)
{
	histogram->total++;
	if (value_ns > histogram->max_ns)
		histogram->max_ns = value_ns;
	histogram->counts[slot_of(value_ns)]++;
}

double td_histogram_quantile_us(const struct td_histogram *histogram, double quantile)
{
	uint64_t wanted = (uint64_t)((double)histogram->total * quantile), seen = 0;

	for (unsigned i = 0; i < TD_HISTOGRAM_OCTAVES * TD_HISTOGRAM_STEPS; i++) {
		seen += histogram->counts[i];
		if (histogram->total && seen >= wanted && seen > 0)
			return (double)value_of(i) / 1000.0;
	}
	return 0;
}

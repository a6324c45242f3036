#include "quality/sums.h"

const double td_sums_mos_bounds[TD_SUMS_BUCKETS] = { 1.5, 2, 2.6, 3.1, 3.6, 4, 4.2, 4.5 };
const double td_sums_loss_bounds[TD_SUMS_BUCKETS] = { 0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3 };
const double td_sums_jitter_bounds[TD_SUMS_BUCKETS] = { 0.001, 0.002, 0.005, 0.01,
							0.02,  0.04,  0.08,  0.2 };
const double td_sums_rtt_bounds[TD_SUMS_BUCKETS] = { 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 1 };

static void observe(struct td_histogram *histogram, const double *bounds, double value)
{
	for (int i = 0; i < TD_SUMS_BUCKETS; i++)
		histogram->buckets[i] += value <= bounds[i];
	histogram->count++;
	histogram->sum += value;
}

void td_quality_sums_add(struct td_quality_sums *sums, const struct td_stream_stats *stats)
{
	const struct td_quality *quality = &stats->quality;
	uint64_t lost = stats->rx_lost > 0 ? (uint64_t)stats->rx_lost : 0;

	sums->packets_expected += stats->rx_expected;
	sums->packets_lost += lost;
	sums->packets_discarded += stats->rx_discarded;
	sums->measured_ms += quality->measured_ms;
	sums->talk_ms += quality->talk_ms;
	sums->double_talk_ms += quality->double_talk_ms;
	sums->one_way_ms += quality->one_way_ms;
	if (quality->mos_avg_x100 != 0)
		observe(&sums->mos, td_sums_mos_bounds, quality->mos_avg_x100 / 100.0);
	if (quality->rtt_max_us != 0)
		observe(&sums->rtt_s, td_sums_rtt_bounds, quality->rtt_max_us / 1e6);
	if (stats->rx_expected == 0)
		return;
	observe(&sums->loss, td_sums_loss_bounds, (double)lost / (double)stats->rx_expected);
	observe(&sums->jitter_s, td_sums_jitter_bounds, stats->rx_jitter_max_us / 1e6);
}

// Differences of counters over differences of time.
#include "api/rates.h"

#define KEPT 0.9 // of the sums at each look

static uint64_t grown(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

static void look_at_stages(struct td_rate *rate, const struct td_stage_stats *stages, bool first)
{
	for (int i = 0; i < TD_STAGE_COUNT; i++) {
		rate->ticks[i] *= KEPT;
		rate->units[i] *= KEPT;
		if (!first) {
			rate->ticks[i] += (double)grown(stages[i].ticks, rate->stages[i].ticks);
			rate->units[i] += (double)grown(stages[i].units, rate->stages[i].units);
		}
		rate->stages[i] = stages[i];
	}
}

void td_rates_look(struct td_rates *rates, unsigned index, const struct td_worker_stats *stats,
		   uint64_t now_ms)
{
	struct td_rate *rate = &rates->workers[index];
	uint64_t elapsed_ms = grown(now_ms, rate->time_ms), busy, idle;

	if (rate->time_ms != 0 && elapsed_ms > 0) {
		busy = grown(stats->busy_ns, rate->busy_ns);
		idle = grown(stats->idle_ns, rate->idle_ns);
		rate->rx_pps = grown(stats->rx_packets, rate->rx) * 1000 / elapsed_ms;
		rate->tx_pps = grown(stats->tx_packets, rate->tx) * 1000 / elapsed_ms;
		rate->load_permille = busy + idle > 0 ? (uint32_t)(busy * 1000 / (busy + idle)) : 0;
	}
	if (rate->time_ms == 0 || elapsed_ms > 0)
		look_at_stages(rate, stats->stages, rate->time_ms == 0);
	rate->time_ms = now_ms;
	rate->rx = stats->rx_packets;
	rate->tx = stats->tx_packets;
	rate->busy_ns = stats->busy_ns;
	rate->idle_ns = stats->idle_ns;
}

struct td_stage_cost td_rates_stage(const struct td_rate *rate, enum td_stage stage,
				    uint64_t ticks_per_s)
{
	struct td_stage_cost cost = { .ns = -1, .units = rate->units[stage] };
	double all = 0;

	for (int i = 0; i < TD_STAGE_COUNT; i++)
		all += rate->ticks[i];
	if (all > 0)
		cost.busy_percent = 100 * rate->ticks[stage] / all;
	// A hundredth of one is what is left of one after most of a minute.
	if (cost.units >= 0.01 && ticks_per_s > 0)
		cost.ns = rate->ticks[stage] / cost.units * 1e9 / (double)ticks_per_s;
	return cost;
}

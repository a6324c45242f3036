// Differences of counters over differences of time.
#include "api/rates.h"

static uint64_t grown(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
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
	rate->time_ms = now_ms;
	rate->rx = stats->rx_packets;
	rate->tx = stats->tx_packets;
	rate->busy_ns = stats->busy_ns;
	rate->idle_ns = stats->idle_ns;
}

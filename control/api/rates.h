// Packets a second and load of each worker, from two looks at its counters.
//
// Pure; time is an argument; one thread. A counter that runs backwards (another dataplane) gives a
// rate of 0 until the next look.
#pragma once

#include <stdint.h>

#include "td_limits.h"
#include "td_stats.h"

struct td_rate {
	uint64_t rx_pps, tx_pps;
	uint32_t load_permille; // busy time of all time
	uint64_t time_ms;       // of the last look; 0: none yet
	uint64_t rx, tx, busy_ns, idle_ns;
};

struct td_rates {
	struct td_rate workers[TD_WORKER_MAX];
};

// A look at worker `index`, at most every so often (the API does it once a second).
void td_rates_look(struct td_rates *rates, unsigned index, const struct td_worker_stats *stats,
		   uint64_t now_ms);

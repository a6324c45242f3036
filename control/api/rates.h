// Packets a second, load, and costs by stage of each worker, from looks at its counters.
//
// A stage's sums fade: a look's tenth is gone at the next one, so with one a second a cost is of about
// the last ten seconds, heavier where there was more to do.
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
	struct td_stage_stats stages[TD_STAGE_COUNT]; // at the last look
	double ticks[TD_STAGE_COUNT], units[TD_STAGE_COUNT];
};

struct td_rates {
	struct td_rate workers[TD_WORKER_MAX];
};

// A look at worker `index`, at most every so often (the API does it once a second).
void td_rates_look(struct td_rates *rates, unsigned index, const struct td_worker_stats *stats,
		   uint64_t now_ms);

struct td_stage_cost {
	double ns;           // of one unit; negative: there was none of late
	double busy_percent; // of the worker's busy time
	double units;        // timed of late
};

struct td_stage_cost td_rates_stage(const struct td_rate *rate, enum td_stage stage,
				    uint64_t ticks_per_s);

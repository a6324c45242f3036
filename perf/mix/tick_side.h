// What the runs of one side of perf/run tick, the worker or the bare loop, came to.
#pragma once

#include <stdint.h>

#include "mix/options.h"
#include "mix/slot_log.h"

struct td_tick_side {
	struct td_slot_log log; // of all runs
	double p999[TD_RUNS_MAX], load_least, load_most;
	uint64_t stolen_ms, preemptions;
	unsigned within; // runs whose p99.9 was within a millisecond
};

// The `run`-th, which had so much load, is one of them.
void td_tick_side_keep(struct td_tick_side *side, const struct td_slot_log *log, unsigned run,
		       double load);
// Two lines on standard error. What the slots would be like without the machine's disturbances is left
// in its log.
void td_tick_side_explain(const char *name, struct td_tick_side *side, unsigned runs);

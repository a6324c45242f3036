#include "mix/tick_side.h"

#include <stdio.h>

#define WITHIN_US 1000.0

void td_tick_side_keep(struct td_tick_side *side, const struct td_slot_log *log, unsigned run,
		       double load)
{
	side->p999[run] = td_slot_log_us(log, 0.999);
	side->within += side->p999[run] <= WITHIN_US;
	side->load_least = run == 0 || load < side->load_least ? load : side->load_least;
	side->load_most = run == 0 || load > side->load_most ? load : side->load_most;
	td_slot_log_append(&side->log, log);
}

void td_tick_side_explain(const char *name, struct td_tick_side *side, unsigned runs)
{
	struct td_slot_excess excess;

	fprintf(stderr,
		"tick: %s: load %.0f-%.0f %%; of %u slots p50 %.0f, p99 %.0f, p99.9 %.0f, last %.0f us; "
		"%u of %u runs within 1 ms\n",
		name, 100.0 * side->load_least, 100.0 * side->load_most, side->log.count,
		td_slot_log_us(&side->log, 0.5), td_slot_log_us(&side->log, 0.99),
		td_slot_log_us(&side->log, 0.999), td_slot_log_us(&side->log, 1.0), side->within,
		runs);
	td_slot_log_replay(&side->log, &excess);
	fprintf(stderr,
		"tick: %s: %.1f %% of its time went beyond what the same slots mostly cost, %.1f ms at "
		"once at most; known to the kernel: %llu ms stolen, %llu preemptions; with what they "
		"mostly cost p99.9 %.0f, last %.0f us\n",
		name, 100.0 * (double)excess.over_ns / (double)excess.used_ns,
		(double)excess.longest_ns / 1e6, (unsigned long long)side->stolen_ms,
		(unsigned long long)side->preemptions, td_slot_log_us(&side->log, 0.999),
		td_slot_log_us(&side->log, 1.0));
}

#include "base/stage_clock.h"

#include <string.h>

#define READS   1000u
#define BATCHES 20u

// What one reading adds to a turn: half of what it takes with nothing but others around it, as the work
// around it goes on meanwhile. perf/run stages shows how far the stages are from the whole.
static uint32_t measure_reading(void)
{
	uint64_t least = UINT64_MAX;

	for (unsigned batch = 0; batch < BATCHES; batch++) {
		uint64_t start = rte_rdtsc(), end = start;

		for (unsigned i = 0; i < READS; i++)
			end = rte_rdtsc();
		if (end - start < least)
			least = end - start;
	}
	return (uint32_t)(least / READS / 2u);
}

void td_stage_clock_init(struct td_stage_clock *clock, struct td_worker_stats *stats,
			 uint64_t ticks_per_s)
{
	*clock = (struct td_stage_clock){ .stats = stats, .random = 0x9e3779b97f4a7c15ull };
	stats->ticks_per_s = ticks_per_s;
	if (ticks_per_s == 0)
		return;
	clock->read_ticks = measure_reading();
	td_stage_clock_set(clock, TD_STAGE_EVERY);
}

void td_stage_clock_set(struct td_stage_clock *clock, uint32_t every)
{
	clock->every = every;
	clock->left = every - 1u; // none: 4,294,967,295 turns, and again
}

void td_stage_clock_start(struct td_stage_clock *clock)
{
	if (clock->every == 0)
		return;
	clock->random ^= clock->random << 13;
	clock->random ^= clock->random >> 7;
	clock->random ^= clock->random << 17;
	// Half of `every` to one and a half of it; the next turn is 0 away.
	clock->left = clock->every / 2u + (uint32_t)(clock->random % clock->every);
	memset(clock->turn, 0, sizeof clock->turn);
	clock->stage = TD_STAGE_OTHER;
	clock->timing = true;
	clock->entered = rte_rdtsc();
}

void td_stage_clock_commit(struct td_stage_clock *clock, bool busy)
{
	struct td_worker_stats *stats = clock->stats;

	td_stage_enter(clock, TD_STAGE_OTHER);
	td_stage_count(clock, TD_STAGE_OTHER, 1);
	clock->timing = false;
	if (!busy)
		return;
	stats->turns_timed++;
	for (unsigned i = 0; i < TD_STAGE_COUNT; i++) {
		stats->stages[i].ticks += clock->turn[i].ticks;
		stats->stages[i].units += clock->turn[i].units;
	}
}

// What the mixing benchmarks are asked for, and how a row of theirs is measured.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rig/hall.h"
#include "td_stats.h"

#define TD_RUNS_MAX 31

struct td_mix_options {
	unsigned runs;
	uint32_t rounds;    // of 20 ms, a run
	uint32_t only;      // a number of parties; 0: all that there are
	uint32_t listeners; // 0: everybody talks
	bool stages;        // a table of them behind each row
};

struct td_mix_options td_mix_options_parse(int argc, char **argv);

// A row: runs of ours and of the reference in turn, and what each run of ours comes to.
struct td_mix_row {
	const char *bench, *case_name, *reference_name;
	const char *unit;
	struct td_hall *hall;
	double divisor;    // what a round's CPU time is divided by
	enum td_stage one; // of which as many are counted
	// One round of the reference, its CPU time in ns likewise divided.
	uint64_t (*reference)(void *user);
	void *user;
	double reference_divisor;
	uint64_t lost;
	bool wrong; // what was heard is not what should have been
};
// Measures and prints it. Packets that were dropped in the meantime add to `lost`; a row that lost
// some or is wrong counts as 1.
uint64_t td_mix_measure(const struct td_mix_options *options, struct td_mix_row *row,
			uint32_t hearing);

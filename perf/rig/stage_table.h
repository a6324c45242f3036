// Where the time of a measured case goes, stage by stage, by the worker's own counters
// (base/stage_clock.h).
//
//   runs of the figure (one busy turn in 64 timed, as in production) -> its row
//   then, for the table:  begin -> a run -> end  (one in 8)  -> ... -> a row a stage, and their sum
//
// The figure has been taken by then, so nothing of this is in it. A stage's row is its share of one
// packet, or frame, or whatever the case counts: the units of stage `one`. The last row is all stages
// together beside the figure: how far the two are apart says whether to believe the table.
#pragma once

#include "base/stage_clock.h"
#include "report.h"

#define TD_STAGE_RUNS     5u // for the table, after those of a figure
#define TD_STAGE_RUNS_MAX 31u

struct td_stage_table {
	struct td_stage_clock *clock; // of a worker that stands still when a run begins and ends
	enum td_stage one;            // what is counted one by one
	uint32_t every;               // as it was before the run
	unsigned runs;                // in which something was timed
	struct td_stage_stats before[TD_STAGE_COUNT];
	double ns[TD_STAGE_COUNT][TD_STAGE_RUNS_MAX], sum[TD_STAGE_RUNS_MAX];
};

// `clock` is borrowed until the last run has ended.
void td_stage_table_init(struct td_stage_table *table, struct td_stage_clock *clock,
			 enum td_stage one);
// Around a run of the worker, TD_STAGE_RUNS_MAX times at most.
void td_stage_table_begin(struct td_stage_table *table);
void td_stage_table_end(struct td_stage_table *table);
// A row a stage that takes something, named by the stage behind `whole`'s case, then all of them
// together beside `whole`'s value (0: beside nothing), called by its reference's name. False, with a
// sentence on standard error, when no run met a unit. Sorts the runs.
bool td_stage_table_print(struct td_stage_table *table, const struct td_report_row *whole);

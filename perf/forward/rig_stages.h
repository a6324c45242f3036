// Where the time of a rig's packets goes: its runs for a table of stages (rig/stage_table.h).
#pragma once

#include "forward/engine_rig.h"
#include "rig/stage_table.h"

// TD_STAGE_RUNS runs of `packets` each; `lost` grows by what was dropped. The rig is awake.
void td_rig_stages(struct td_rig *rig, uint64_t packets, struct td_stage_table *table,
		   uint64_t *lost);
// The same behind the row of a figure, and its rows: how much went wrong.
uint64_t td_rig_print_stages(struct td_rig *rig, uint64_t packets, const struct td_report_row *row);

#include "forward/rig_stages.h"

#include "worker/worker.h"

void td_rig_stages(struct td_rig *rig, uint64_t packets, struct td_stage_table *table,
		   uint64_t *lost)
{
	td_stage_table_init(table, td_rig_worker(rig)->stages, TD_STAGE_FORWARD);
	for (unsigned i = 0; i < TD_STAGE_RUNS; i++) {
		td_stage_table_begin(table);
		td_rig_run(rig, packets, lost);
		td_stage_table_end(table);
	}
}

uint64_t td_rig_print_stages(struct td_rig *rig, uint64_t packets, const struct td_report_row *row)
{
	static struct td_stage_table table;
	struct td_report_row whole = { .bench = row->bench,
				       .case_name = row->case_name,
				       .unit = row->unit,
				       .value = row->value,
				       .reference_name = "the whole" };

	td_rig_stages(rig, packets, &table, &whole.lost);
	return whole.lost + !td_stage_table_print(&table, &whole);
}

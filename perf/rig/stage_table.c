#include "rig/stage_table.h"

#include <stdio.h>
#include <string.h>

#include "td_assert.h"

#define CLOSE    8u   // one busy turn in so many is timed
#define SHOWN_NS 0.05 // a stage that takes less of a packet has no row

void td_stage_table_init(struct td_stage_table *table, struct td_stage_clock *clock,
			 enum td_stage one)
{
	memset(table, 0, sizeof *table);
	table->clock = clock;
	table->one = one;
}

void td_stage_table_begin(struct td_stage_table *table)
{
	table->every = table->clock->every;
	td_stage_clock_set(table->clock, CLOSE);
	memcpy(table->before, table->clock->stats->stages, sizeof table->before);
}

void td_stage_table_end(struct td_stage_table *table)
{
	const struct td_worker_stats *stats = table->clock->stats;
	uint64_t units = stats->stages[table->one].units - table->before[table->one].units;
	double sum = 0;

	TD_ASSERT(table->runs < TD_STAGE_RUNS_MAX);
	td_stage_clock_set(table->clock, table->every);
	if (units == 0)
		return;
	for (int i = 0; i < TD_STAGE_COUNT; i++) {
		double ticks = (double)(stats->stages[i].ticks - table->before[i].ticks);
		double ns = ticks / (double)units * 1e9 / (double)stats->ticks_per_s;

		table->ns[i][table->runs] = ns;
		sum += ns;
	}
	table->sum[table->runs++] = sum;
}

static void print(const struct td_report_row *whole, unsigned runs, const char *stage, double *ns,
		  double reference)
{
	char name[128];
	struct td_report_row row = { .bench = whole->bench,
				     .case_name = name,
				     .unit = whole->unit,
				     .stage = stage,
				     .reference = reference,
				     .reference_name = whole->reference_name,
				     .p50_us = -1,
				     .p99_us = -1,
				     .lost = whole->lost,
				     .wrong = whole->wrong };

	snprintf(name, sizeof name, "%s: %s", whole->case_name, stage);
	row.value = td_report_median(ns, runs);
	row.min = ns[0];
	row.max = ns[runs - 1];
	td_report_print(&row);
}

bool td_stage_table_print(struct td_stage_table *table, const struct td_report_row *whole)
{
	if (table->runs == 0) {
		fprintf(stderr, "%s: %s: no stage was timed: no table\n", whole->bench,
			whole->case_name);
		return false;
	}
	for (int i = 0; i < TD_STAGE_COUNT; i++)
		if (td_report_median(table->ns[i], table->runs) >= SHOWN_NS)
			print(whole, table->runs, td_stage_name((enum td_stage)i), table->ns[i], 0);
	print(whole, table->runs, "all stages", table->sum, whole->value);
	return true;
}

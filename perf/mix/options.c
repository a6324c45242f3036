#include "mix/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "report.h"
#include "rig/stage_table.h"

#define RUNS         9
#define ROUNDS       100
#define QUICK_RUNS   5
#define QUICK_ROUNDS 25
#define WARM_UP      50 // rounds: the jitter buffers settle

struct td_mix_options td_mix_options_parse(int argc, char **argv)
{
	static const struct option longs[] = { { "quick", no_argument, NULL, 'q' },
					       { "seconds", required_argument, NULL, 's' },
					       { "cores", required_argument, NULL, 'c' },
					       { "stages", no_argument, NULL, 't' },
					       { "parties", required_argument, NULL, 'n' },
					       { "listeners", required_argument, NULL, 'l' },
					       { NULL, 0, NULL, 0 } };
	struct td_mix_options options = { .runs = RUNS, .rounds = ROUNDS };
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'q':
			options.runs = QUICK_RUNS;
			options.rounds = QUICK_ROUNDS;
			break;
		case 's': options.rounds = (uint32_t)atoi(optarg) * 50u; break;
		case 'n': options.only = (uint32_t)atoi(optarg); break;
		case 'l': options.listeners = (uint32_t)atoi(optarg); break;
		case 't': options.stages = true; break;
		case 'c': break; // one core is what this measures
		default: exit(2);
		}
	}
	return options;
}

// Behind the figure's row: what went wrong.
static uint64_t print_stages(const struct td_mix_options *options, const struct td_mix_row *row,
			     double ns, uint32_t hearing)
{
	static struct td_stage_table table;
	uint64_t dropped = td_bench_drops(row->hall->bench);
	struct td_report_row whole = { .bench = row->bench,
				       .case_name = row->case_name,
				       .unit = row->unit,
				       .value = ns,
				       .reference_name = "the whole",
				       .wrong = row->wrong };

	td_hall_forget(row->hall);
	td_stage_table_init(&table, row->hall->bench->worker->stages, row->one);
	for (unsigned run = 0; run < TD_STAGE_RUNS; run++) {
		td_stage_table_begin(&table);
		for (uint32_t i = 0; i < options->rounds; i++) {
			td_hall_round(row->hall);
			// It leaves the caches as the figure's rounds found them.
			(void)row->reference(row->user);
		}
		td_stage_table_end(&table);
	}
	whole.lost =
		td_hall_missing(row->hall, hearing) + td_bench_drops(row->hall->bench) - dropped;
	return whole.lost + !td_stage_table_print(&table, &whole);
}

uint64_t td_mix_measure(const struct td_mix_options *options, struct td_mix_row *row,
			uint32_t hearing)
{
	double ours[TD_RUNS_MAX], bare[TD_RUNS_MAX];
	struct td_hall *hall = row->hall;
	uint64_t dropped = td_bench_drops(hall->bench);
	struct td_report_row report = { .bench = row->bench,
					.case_name = row->case_name,
					.unit = row->unit,
					.reference_name = row->reference_name,
					.p50_us = -1,
					.p99_us = -1 };

	for (uint32_t i = 0; i < WARM_UP; i++)
		td_hall_round(hall);
	td_hall_forget(hall);
	for (unsigned run = 0; run < options->runs; run++) {
		uint64_t ours_ns = 0, bare_ns = 0;

		for (uint32_t i = 0; i < options->rounds; i++) {
			ours_ns += td_hall_round(hall);
			bare_ns += row->reference(row->user);
		}
		ours[run] = (double)ours_ns / options->rounds / row->divisor;
		bare[run] = (double)bare_ns / options->rounds / row->reference_divisor;
	}
	row->lost += td_hall_missing(hall, hearing) + td_bench_drops(hall->bench) - dropped;
	report.value = td_report_median(ours, options->runs);
	report.min = ours[0];
	report.max = ours[options->runs - 1];
	report.reference = td_report_median(bare, options->runs);
	report.lost = row->lost;
	report.wrong = row->wrong;
	td_report_print(&report);
	if (options->stages)
		row->lost += print_stages(options, row, report.value, hearing);
	if (row->lost)
		fprintf(stderr, "%s: %s: %llu packets lost, most as %s: no figure\n", row->bench,
			row->case_name, (unsigned long long)row->lost,
			td_bench_drop_reason(hall->bench));
	if (row->wrong)
		fprintf(stderr, "%s: %s: the audio is wrong: no figure\n", row->bench,
			row->case_name);
	return row->lost != 0 || row->wrong;
}

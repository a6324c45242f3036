// What a benchmark prints: one JSON object a line, the columns perf/run documents.
//
//   value, reference: medians of interleaved runs; ratio = value / reference
//   min, max: of the value's runs; p50_us, p99_us, p999_us: latency where there is one, else null
//   stage: what part of a worker's turn a row is about (rig/stage_table.h); no such column when there
//   is none
//
// A run that lost packets or missed its pace sets `lost` and makes the program exit 1; there are no
// figures in its row then, nor when what was heard was wrong.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct td_report_row {
	const char *bench, *case_name, *unit, *reference_name;
	const char *stage; // NULL: the row is of the whole
	double value, reference, min, max;
	double p50_us, p99_us; // negative: not measured
	double p999_us;        // 0: not measured
	uint64_t lost;
	bool wrong; // no figure, though nothing was lost
};

void td_report_print(const struct td_report_row *row);

// The median of `count` values; sorts them in place.
double td_report_median(double *values, size_t count);

#include "report.h"

#include <stdio.h>
#include <stdlib.h>

static void print_latency(const char *name, double value_us)
{
	if (value_us < 0)
		printf(",\"%s\":null", name);
	else
		printf(",\"%s\":%.1f", name, value_us);
}

void td_report_print(const struct td_report_row *row)
{
	printf("{\"bench\":\"%s\",\"case\":\"%s\",\"value\":%.3f,\"unit\":\"%s\"", row->bench,
	       row->case_name, row->value, row->unit);
	if (row->reference > 0)
		printf(",\"reference\":%.3f,\"reference_name\":\"%s\",\"ratio\":%.3f",
		       row->reference, row->reference_name, row->value / row->reference);
	else
		printf(",\"reference\":null,\"reference_name\":null,\"ratio\":null");
	printf(",\"min\":%.3f,\"max\":%.3f", row->min, row->max);
	print_latency("p50_us", row->p50_us);
	print_latency("p99_us", row->p99_us);
	printf(",\"lost\":%llu", (unsigned long long)row->lost);
	if (row->stage != NULL)
		printf(",\"stage\":\"%s\"", row->stage);
	printf("}\n");
	fflush(stdout);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double td_report_median(double *values, size_t count)
{
	qsort(values, count, sizeof *values, compare);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

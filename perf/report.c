#include "report.h"

#include <stdio.h>
#include <stdlib.h>

// Or null, where there is none.
static void print_number(const char *name, double value, int decimals, bool there)
{
	if (there)
		printf(",\"%s\":%.*f", name, decimals, value);
	else
		printf(",\"%s\":null", name);
}

void td_report_print(const struct td_report_row *row)
{
	bool good = row->lost == 0 && !row->wrong, compared = good && row->reference > 0;

	printf("{\"bench\":\"%s\",\"case\":\"%s\"", row->bench, row->case_name);
	print_number("value", row->value, 3, good);
	printf(",\"unit\":\"%s\"", row->unit);
	print_number("reference", row->reference, 3, compared);
	if (row->reference > 0)
		printf(",\"reference_name\":\"%s\"", row->reference_name);
	else
		printf(",\"reference_name\":null");
	print_number("ratio", compared ? row->value / row->reference : 0, 3, compared);
	print_number("min", row->min, 3, good);
	print_number("max", row->max, 3, good);
	print_number("p50_us", row->p50_us, 1, good && row->p50_us >= 0);
	print_number("p99_us", row->p99_us, 1, good && row->p99_us >= 0);
	print_number("p999_us", row->p999_us, 1, good && row->p999_us > 0);
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

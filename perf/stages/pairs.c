#include "stages/pairs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "report.h"

#define SIGMAS 2.5758 // 99 %

struct td_pairs_result td_pairs_compare(double *a, double *b, size_t count)
{
	// Of how many differences lie below the true median: half of them, give or take.
	double off = SIGMAS * sqrt((double)count) / 2.0;
	double *differences = malloc(count * sizeof *differences);
	struct td_pairs_result result;

	if (differences == NULL || count < 100) {
		fprintf(stderr, "stages: no memory, or too few pairs\n");
		exit(2);
	}
	for (size_t i = 0; i < count; i++)
		differences[i] = (b[i] - a[i]) / a[i];
	result.median = td_report_median(differences, count);
	result.low = differences[(size_t)((double)count / 2.0 - off)];
	result.high = differences[(size_t)((double)count / 2.0 + off)];
	result.a = td_report_median(a, count);
	result.b = td_report_median(b, count);
	free(differences);
	return result;
}

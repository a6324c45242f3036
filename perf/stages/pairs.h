// Two ways to do the same, in turn by short blocks: what the one costs more, and how sure that is.
//
//   block:  A B | B A | A B | ...        a pair's difference: (B - A) / A
//
// The median of the differences, and an interval that holds the true one in 99 of 100 cases: from
// one order statistic to another, so nothing is supposed of how the machine's noise is spread. Blocks
// are so short that both of a pair meet the same weather.
#pragma once

#include <stddef.h>

struct td_pairs_result {
	double median, low, high; // shares of A
	double a, b;              // medians of the blocks themselves
};

// `a`, `b`: `count` blocks of each, at least 100, in pairs. Sorts both.
struct td_pairs_result td_pairs_compare(double *a, double *b, size_t count);

// The calling thread's CPU time: what a benchmark charges its work with, so that whoever else runs
// on the machine takes from its caches but not from its figures.
#pragma once

#include <stdint.h>
#include <time.h>

static inline uint64_t td_cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

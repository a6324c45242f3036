// The dataplane's clock: CLOCK_MONOTONIC in nanoseconds, read once a loop turn and passed on.
//
// Deadlines in commands, heartbeats and statistics are on this clock in both processes, so it is
// used as it is: the vDSO turns it into one rdtsc and a multiplication, no system call. Everything
// below the loop takes `now_ns` as an argument; only the loop and the main thread call this.
#pragma once

#include <stdint.h>
#include <time.h>

#define TD_NS_PER_US 1000ull
#define TD_NS_PER_MS 1000000ull
#define TD_NS_PER_S  1000000000ull

static inline uint64_t td_clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * TD_NS_PER_S + (uint64_t)now.tv_nsec;
}

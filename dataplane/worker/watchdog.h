// Watches that every worker keeps turning, by the heartbeat each leaves in its statistics block.
//
//   heartbeat older than TD_WATCHDOG_WARN_NS: said once, and once more when it beats again
//   older than TD_WATCHDOG_DEAD_NS: the worker is lost; the process must end so that the supervisor
//   starts a new one
//
// Pure: the caller logs and decides. Main thread.
#pragma once

#include <stdint.h>

#include "td_limits.h"
#include "td_stats.h"

#define TD_WATCHDOG_WARN_NS 500000000ull
#define TD_WATCHDOG_DEAD_NS 10000000000ull

enum td_watchdog_news {
	TD_WATCHDOG_QUIET,     // nothing new
	TD_WATCHDOG_STALLED,   // has not turned for the warning time
	TD_WATCHDOG_RECOVERED, // turns again
	TD_WATCHDOG_DEAD,
};

struct td_watchdog {
	uint8_t stalled[TD_WORKER_MAX];
	uint64_t stalled_ns[TD_WORKER_MAX]; // how long the last stall was, when it recovered
};

static inline enum td_watchdog_news td_watchdog_look(struct td_watchdog *watchdog, uint32_t worker,
						     uint64_t heartbeat_ns, uint64_t now_ns)
{
	uint64_t age = now_ns > heartbeat_ns ? now_ns - heartbeat_ns : 0;

	// A worker that has not begun its first turn is not late.
	if (heartbeat_ns == 0)
		return TD_WATCHDOG_QUIET;
	if (age >= TD_WATCHDOG_DEAD_NS)
		return TD_WATCHDOG_DEAD;
	if (age >= TD_WATCHDOG_WARN_NS) {
		watchdog->stalled_ns[worker] = age;
		if (watchdog->stalled[worker])
			return TD_WATCHDOG_QUIET;
		watchdog->stalled[worker] = 1;
		return TD_WATCHDOG_STALLED;
	}
	if (!watchdog->stalled[worker])
		return TD_WATCHDOG_QUIET;
	watchdog->stalled[worker] = 0;
	return TD_WATCHDOG_RECOVERED;
}

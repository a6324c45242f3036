// How long a worker may rest: adaptive polling as a pure decision.
//
//   found work ----------------------------------> turn again at once
//   idle for less than TD_PACE_SPIN_NS ----------> pause, turn again
//   idle for longer, t ---------------------------> sleep t / 2, within
//                       [TD_PACE_SLEEP_MIN_NS, TD_PACE_SLEEP_MAX_NS] and never past the next slot
//
// Work here is what came from outside: a tick that was due says nothing about what comes next.
// The sleep grows with the silence before it, so a steady 25,000 packets a second never meets a
// sleep much above the minimum, while a worker with nothing to do wakes once a millisecond. The
// latency that sleeping adds is bounded by the next 1 ms slot of the media tick.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TD_PACE_SPIN_NS      10000ull // about what going to sleep and waking costs
#define TD_PACE_SLEEP_MIN_NS 100000ull
#define TD_PACE_SLEEP_MAX_NS 1000000ull

struct td_pace {
	bool busy_poll;         // never sleeps: the core is dedicated
	uint64_t busy_until_ns; // when something was last found to do
};

// After a turn at `now_ns`: 0 to turn again at once, else how long to sleep.
static inline uint64_t td_pace_sleep_ns(struct td_pace *pace, bool found_work, uint64_t now_ns,
					uint64_t next_slot_ns)
{
	uint64_t idle, sleep;

	if (found_work)
		pace->busy_until_ns = now_ns;
	if (pace->busy_poll || found_work)
		return 0;
	idle = now_ns - pace->busy_until_ns;
	if (idle < TD_PACE_SPIN_NS || next_slot_ns <= now_ns)
		return 0;
	sleep = idle / 2;
	if (sleep < TD_PACE_SLEEP_MIN_NS)
		sleep = TD_PACE_SLEEP_MIN_NS;
	if (sleep > TD_PACE_SLEEP_MAX_NS)
		sleep = TD_PACE_SLEEP_MAX_NS;
	return sleep < next_slot_ns - now_ns ? sleep : next_slot_ns - now_ns;
}

// How long a worker may rest: adaptive polling as a pure decision.
//
//   found work ----> turn again at once
//   found none ----> sleep rest_ns, never past the next slot; where even the least of rests lets
//                    much pile up, only after TD_PACE_SPIN_NS without work
//
//   rest_ns halves after a rest that let more than TD_PACE_TURNS_MANY turns' work pile up, doubles
//   after one that let TD_PACE_TURNS_FEW or less, and goes on by a quarter when even then no more than
//   TD_PACE_TURNS_SOME would have, in [TD_PACE_REST_MIN_NS, _MAX_NS]
//
//   what is left of the slot is slept in equal parts of about rest_ns each: none is so short that it
//   finds next to nothing
//
// Work here is what came from outside: a tick that was due says nothing about what comes next.
// Waking costs as much as forwarding several packets, so a worker takes what a millisecond brings
// in one go as long as that is a few bursts: half the processor's time at 50,000 packets a second.
// For the same reason it does not linger for the next few before it rests.
// Where a millisecond brings more, it wakes more often, and no receive ring comes near its end. The
// latency that resting adds is bounded by the next 1 ms slot of the media tick.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TD_PACE_SPIN_NS     5000ull
#define TD_PACE_REST_MIN_NS 100000ull
#define TD_PACE_REST_MAX_NS 1000000ull
#define TD_PACE_TURNS_FEW   3u // a turn takes a burst of each port at most
#define TD_PACE_TURNS_SOME  6u
#define TD_PACE_TURNS_MANY  8u

struct td_pace {
	bool busy_poll;         // never sleeps: the core is dedicated
	uint32_t turns;         // that found work since the last rest
	uint64_t rest_ns;       // how long the last rest was meant to be; 0: none yet
	uint64_t busy_until_ns; // when something was last found to do
};

static inline void td_pace_adapt(struct td_pace *pace)
{
	if (pace->turns > TD_PACE_TURNS_MANY)
		pace->rest_ns /= 2;
	else if (pace->turns <= TD_PACE_TURNS_FEW)
		pace->rest_ns *= 2;
	else if (pace->turns < TD_PACE_TURNS_SOME)
		pace->rest_ns += pace->rest_ns / 4;
	if (pace->rest_ns < TD_PACE_REST_MIN_NS)
		pace->rest_ns = TD_PACE_REST_MIN_NS;
	if (pace->rest_ns > TD_PACE_REST_MAX_NS)
		pace->rest_ns = TD_PACE_REST_MAX_NS;
	pace->turns = 0;
}

// One of the equal parts of `left_ns`, none longer than rest_ns by more than a quarter.
static inline uint64_t td_pace_part(uint64_t left_ns, uint64_t rest_ns)
{
	uint64_t parts = (left_ns + rest_ns * 3 / 4) / rest_ns;

	return parts > 1 ? left_ns / parts : left_ns;
}

// After a turn at `now_ns`: 0 to turn again at once, else how long to sleep.
static inline uint64_t td_pace_sleep_ns(struct td_pace *pace, bool found_work, uint64_t now_ns,
					uint64_t next_slot_ns)
{
	if (found_work) {
		pace->busy_until_ns = now_ns;
		pace->turns++;
	}
	if (pace->busy_poll || found_work || next_slot_ns <= now_ns)
		return 0;
	if (pace->turns > TD_PACE_TURNS_MANY && pace->rest_ns <= TD_PACE_REST_MIN_NS &&
	    now_ns - pace->busy_until_ns < TD_PACE_SPIN_NS)
		return 0;
	td_pace_adapt(pace);
	return td_pace_part(next_slot_ns - now_ns, pace->rest_ns);
}

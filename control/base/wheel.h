// A hierarchical timer wheel: arming, cancelling and expiring cost O(1), however many timers run.
//
//   level 0: 64 slots of 1 ms   level 1: 64 slots of 64 ms   ...   level 5: 64 slots of 12.4 days
//
// Invariant: a timer never fires early, and fires in the first td_wheel_advance() whose now_ms has
// reached its expiry; timers of different milliseconds fire in order. A slot of an upper level is
// dealt out to the levels below when time reaches it. Timers are intrusive (caller's memory, no
// bound here). One owner thread; time is an argument and may not run backwards (a smaller now_ms is
// taken as the last one).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

#define TD_WHEEL_LEVELS 6
#define TD_WHEEL_SLOTS  64

struct td_timer {
	struct td_list link; // on a slot, or on itself
	uint64_t expires_ms;
	uint32_t mark; // the owner's, to tell its timers apart; never read here
};

struct td_wheel {
	uint64_t now_ms;                    // everything up to and including this has fired
	uint64_t occupied[TD_WHEEL_LEVELS]; // bit s: slot s may hold timers
	uint32_t count;                     // armed timers
	struct td_list slots[TD_WHEEL_LEVELS][TD_WHEEL_SLOTS];
};

// Called for each expired timer, which is no longer armed; may arm and cancel any timer.
typedef void td_timer_fn(void *user, struct td_timer *timer);

void td_wheel_init(struct td_wheel *wheel, uint64_t now_ms);
void td_timer_init(struct td_timer *timer);
bool td_timer_armed(const struct td_timer *timer);
// (Re-)arms for the absolute time expires_ms; a time that has passed fires in the next advance.
void td_wheel_arm(struct td_wheel *wheel, struct td_timer *timer, uint64_t expires_ms);
// Harmless when it is not armed.
void td_wheel_cancel(struct td_wheel *wheel, struct td_timer *timer);
// Fires what is due. Returns how many.
unsigned td_wheel_advance(struct td_wheel *wheel, uint64_t now_ms, td_timer_fn *fire, void *user);
// A time no later than the next expiry (it may be earlier: an upper slot's start); UINT64_MAX when
// nothing is armed.
uint64_t td_wheel_next_ms(const struct td_wheel *wheel);

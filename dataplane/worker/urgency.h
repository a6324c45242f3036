// How a worker stands to the other threads of its core: before them, but for a moment of every while
// in which it finds no rest.
//
//   |<---------------- 18 ms ---------------->|<- 2 ms ->|
//   |  lowest real-time class                 | ordinary |   rested less than 2 ms of the 18
//   |  lowest real-time class ... rest ...    |              rested enough: the next 18 begin
//
// A worker that sleeps when there is nothing to do gets the core at once when there is: on a machine
// with other things to do, an ordinary thread was seen to wait for 400 ms. One that is saturated
// would keep everybody else off its core, the main thread and control among them where they have no
// other (commands took a second each), until the kernel throttles it for 50 ms. So at least a tenth of
// the time is either rest or shared; nobody else wanting the core, nothing is lost by it. One that
// never sleeps (poll: busy) has a core of its own and stays ordinary, and so does one without the
// right (CAP_SYS_NICE).
//
// The decision is pure; td_urgency_begin and td_urgency_change act on the calling thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TD_URGENCY_FIRST_NS  18000000ull
#define TD_URGENCY_SHARED_NS 2000000ull

struct td_urgency {
	bool able;          // may be of the real-time class
	bool shares;        // is of the ordinary one, now
	uint64_t since_ns;  // when this stretch began
	uint64_t rested_ns; // within it
};

// After a turn: true when the class is to change, to what `shares` says now.
static inline bool td_urgency_turns(struct td_urgency *urgency, uint64_t now_ns)
{
	uint64_t length_ns = urgency->shares ? TD_URGENCY_SHARED_NS : TD_URGENCY_FIRST_NS;
	bool shares;

	if (now_ns - urgency->since_ns < length_ns || !urgency->able)
		return false;
	shares = !urgency->shares && urgency->rested_ns < TD_URGENCY_SHARED_NS;
	if (shares == urgency->shares) {
		urgency->since_ns = now_ns;
		urgency->rested_ns = 0;
		return false;
	}
	*urgency = (struct td_urgency){ .able = true, .shares = shares, .since_ns = now_ns };
	return true;
}

// The worker has slept for so long.
static inline void td_urgency_rested(struct td_urgency *urgency, uint64_t rest_ns)
{
	urgency->rested_ns += rest_ns;
}

// `wanted`: polling is adaptive. Finds out whether the real-time class may be had, and takes it.
void td_urgency_begin(struct td_urgency *urgency, bool wanted, uint64_t now_ns);
// Takes the class that td_urgency_turns has decided on: a system call.
void td_urgency_change(const struct td_urgency *urgency);

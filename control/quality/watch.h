// When a party's media is a trouble: it has stopped, goes one way, or sounds bad.
//
//   statistics of its stream, once a second --> td_watch_look --> bits: what has begun, what is over
//
// Nothing is said twice: a trouble that goes on is said when it begins and when it is over. Where
// nothing has to come (on hold, not answered) nothing is missed, and the time begins anew when it has
// to again. Pure; the caller's struct, all at zero to begin with.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "td_stats.h"

#define TD_WATCH_MOS_HYSTERESIS 20 // hundredths above the alarm: then it is over

struct td_watch_rules {
	uint32_t media_timeout_s; // 0: never
	uint32_t one_way_s;       // 0: never
	uint32_t mos_alarm_x100;  // 0: never
};

enum td_watch_found {
	TD_WATCH_TIMEOUT = 0x01, // said once; whoever hears it ends the call
	TD_WATCH_ONE_WAY = 0x02,
	TD_WATCH_ONE_WAY_OVER = 0x04,
	TD_WATCH_MOS_LOW = 0x08,
	TD_WATCH_MOS_LOW_OVER = 0x10
};

struct td_watch {
	uint64_t since_ns; // when it was first expected; 0: it is not
	bool timed_out, one_way, mos_low;
};

// `expected`: the party should be sending now. Times are CLOCK_MONOTONIC. A set of td_watch_found.
unsigned td_watch_look(struct td_watch *watch, const struct td_watch_rules *rules,
		       const struct td_stream_stats *stats, bool expected, uint64_t now_ns);

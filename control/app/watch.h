// Trouble at the SIP socket that nobody else would see, said aloud at most every WATCH_MS.
//
// A datagram that the kernel dropped because we were slow, or that it would not take from us, never
// reaches the call manager's counters. Thread: the loop's.
#pragma once

#include "app/control.h"
#include "transport/udp.h"

TD_MUST_CHECK int td_watch_start(struct td_control *control, char reason[TD_CONTROL_REASON_MAX])
	TD_CONTROL;
void td_watch_stop(struct td_control *control) TD_CONTROL;

#define TD_WATCH_TEXT_MAX 256

// Pure: what went wrong between two looks, as a sentence with its remedy; false: nothing.
bool td_watch_describe(const struct td_udp_stats *before, const struct td_udp_stats *now,
		       char text[TD_WATCH_TEXT_MAX]);

// What is wrong with the disk of the recordings, as events: once when it begins, once when it is over,
// and every two seconds in between that it is still so.
//
// Pure but for the report it makes. Recorder thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "record/scribe.h"
#include "td_event.h"

struct td_alarm {
	bool slow, failed;
	unsigned full;    // 0, or the mark in per cent that the free space is below
	uint64_t said_ns; // when it was last said what is still so
};

typedef int td_alarm_report_fn(void *user, const struct td_event *event);

// Compares and reports what has changed; what cannot be reported now is, the next time.
void td_alarm_look(struct td_alarm *alarm, const struct td_scribe_health *health, uint64_t now_ns,
		   td_alarm_report_fn *report, void *user);

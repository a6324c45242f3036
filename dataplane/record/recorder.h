// The recorder thread: takes tap records from every worker's ring and turns them into files.
//
//   main --open/close--> [ requests ] --> recorder thread --report--> engine --> control
//   worker 0 tap ring ------------------------^   ^
//   worker 1 tap ring ----------------------------'
//
// It may wait for the disk as long as the disk likes: the rings then fill and workers count
// tap_lost; no worker and no call ever waits for it. Recordings are indexed by tap, at most
// `recordings_max` at once. The engine calls close only after the last record of a tap is on its
// ring, so draining the rings once more before finishing loses nothing.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/tap.h"
#include "td_command.h"
#include "td_error.h"
#include "td_event.h"
#include "td_role.h"

#define TD_RECORDER_REASON_MAX 192

struct td_recorder;

struct td_recorder_options {
	const char *folder;      // made if it is not there
	uint32_t recordings_max; // tap indexes are below this
	bool sync;               // fdatasync before a file gets its final name
};

// Takes an event to control; -TD_EFULL: the recorder offers it again a little later.
typedef int td_recorder_report_fn(void *user, const struct td_event *event);

// -TD_EIO (no such folder and none could be made), -TD_EMEMORY, with a sentence in `reason`.
TD_MUST_CHECK int td_recorder_create(const struct td_recorder_options *options,
				     struct td_recorder **out, char reason[TD_RECORDER_REASON_MAX])
	TD_MAIN;

// Starts the thread on these rings; `report` runs on it.
TD_MUST_CHECK int td_recorder_start(struct td_recorder *recorder, struct td_tap_ring **rings,
				    uint32_t ring_count, td_recorder_report_fn *report, void *user)
	TD_MAIN;

// Finishes every recording, joins the thread and frees everything. Reports that could not be
// delivered by then are dropped.
void td_recorder_destroy(struct td_recorder *recorder) TD_MAIN;

// Begins a recording. Only checks and queues: what the disk says comes later as an event.
// -TD_EINVALID for a name that is not allowed, -TD_EFULL for a tap index out of range.
TD_MUST_CHECK int td_recorder_open(struct td_recorder *recorder, struct td_tap_id tap,
				   const char *name, uint64_t owner) TD_MAIN;
void td_recorder_close(struct td_recorder *recorder, struct td_tap_id tap) TD_MAIN;

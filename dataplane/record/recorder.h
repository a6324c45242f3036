// The recorder thread: takes tap records from every worker's ring and turns them into files.
//
//   main --open, control, note, close--> [ requests ] --> recorder thread --report--> engine --> control
//   worker 0 tap ring --------------------------------------^   ^   '--> scribe: the disk thread
//   worker 1 tap ring ------------------------------------------'
//
// Only the disk thread (scribe.h) waits for the disk; the recorder thread goes on emptying the rings
// and says so when the disk is slow, nearly full or broken (TD_EVENT_RECORD_ALARM). No worker and no
// call ever waits for either. Recordings are indexed by tap, at most `recordings_max` at once. The
// engine calls close only after the last record of a tap is on its ring, so draining the rings once
// more before finishing loses nothing.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/tap.h"
#include "record/disk.h"
#include "td_command.h"
#include "td_error.h"
#include "td_event.h"
#include "td_role.h"

#define TD_RECORDER_REASON_MAX 192
#define TD_RECORDER_NOTES_MAX  4096 // notes and controls that wait at once

struct td_recorder;

struct td_recorder_options {
	const char *folder;      // made if it is not there
	uint32_t recordings_max; // tap indexes are below this
	bool sync;               // what was written is durable within a second
	const char *key_file;    // recordings are encrypted with what is in it; NULL: they are not
	const struct td_disk *disk; // NULL: the kernel's
	uint64_t queue_bytes;       // that may wait for the disk; 0: TD_SCRIBE_QUEUE_BYTES
};

// Takes an event to control; -TD_EFULL: the recorder offers it again a little later.
typedef int td_recorder_report_fn(void *user, const struct td_event *event);

// -TD_EIO (no such folder and none could be made, or no key), -TD_EMEMORY, with a sentence in `reason`.
TD_MUST_CHECK int td_recorder_create(const struct td_recorder_options *options,
				     struct td_recorder **out, char reason[TD_RECORDER_REASON_MAX])
	TD_MAIN;

// Starts the threads on these rings; `report` runs on the recorder's. What a recorder that was killed
// has left behind is repaired meanwhile.
TD_MUST_CHECK int td_recorder_start(struct td_recorder *recorder, struct td_tap_ring **rings,
				    uint32_t ring_count, td_recorder_report_fn *report, void *user)
	TD_MAIN;

// Finishes every recording, joins the threads and frees everything. Reports that could not be
// delivered by then are dropped.
void td_recorder_destroy(struct td_recorder *recorder) TD_MAIN;

// Begins a recording. Only checks and queues: what the disk says comes later as an event.
// -TD_EINVALID for a name that is not allowed, -TD_EFULL for a tap index out of range or a disk with
// less than TD_RECORD_FREE_MIN per cent of room, -TD_EMEMORY.
TD_MUST_CHECK int td_recorder_open(struct td_recorder *recorder, struct td_tap_id tap,
				   const struct td_command_record_start *start) TD_MAIN;
void td_recorder_close(struct td_recorder *recorder, struct td_tap_id tap) TD_MAIN;

// For the sidecar. -TD_EFULL, -TD_EMEMORY.
TD_MUST_CHECK int td_recorder_note(struct td_recorder *recorder,
				   const struct td_command_record_note *note) TD_MAIN;
// Pause, mask, resume, mark; what came before `now_ns` is not touched.
void td_recorder_control(struct td_recorder *recorder,
			 const struct td_command_record_control *control, uint64_t now_ns) TD_MAIN;

// What the recorder's two halves share: recorder.c is main's, recorder_thread.c the thread's.
//
//   main  --> requests -->  thread  --> scribe (the disk's own thread)
//   workers --> rings -->      |
//                              '--> report: events, on their way to control
//
// Inside this room only. Everything is made by main before the thread starts and freed after it has ended;
// what the thread has for itself in between says so.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "record/alarm.h"
#include "record/recorder.h"
#include "record/recording.h"
#include "record/request.h"
#include "record/scribe.h"

struct td_recorder {
	uint32_t recordings_max;
	int folder_fd;
	struct td_tap_ring **rings;
	uint32_t ring_count;
	td_recorder_report_fn *report;
	void *user;
	pthread_t thread;
	bool started;
	struct td_scribe *scribe;
	struct td_request **closers; // by tap index, main thread
	struct td_request_list requests;

	// Recorder thread.
	struct td_recording **recordings; // by tap index; NULL: not in use
	uint32_t *open;                   // indexes of those in use
	uint32_t open_count;
	struct td_tap_id *closing;
	uint32_t closing_count;
	struct td_event *undelivered;
	uint32_t undelivered_count;
	uint64_t flushed_ns;
	struct td_alarm alarm;
};

// The thread; `user` is the recorder. Ends when its requests are told to stop.
void *td_recorder_run(void *user);

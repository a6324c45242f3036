// What the scribe's two halves share: scribe.c is the recorder thread's, scribe_thread.c the disk's.
//
//   recorder thread --jobs--> disk thread
//                   <--news--     |
//   blank buffers   <-------------'  what was written serves again
//
// Inside this room only. Everything is made by the recorder thread's half before the disk thread starts
// and freed after it has ended; what the disk thread has for itself in between says so.
#pragma once

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "record/bytes.h"
#include "record/paper.h"
#include "record/repair.h"
#include "record/scribe.h"
#include "record/vault.h"

#define TD_SCRIBE_CLOSE_MAX 64  // recordings that are closed with one sync
#define TD_SCRIBE_SPARE_MAX 256 // buffers that were written, for what is written next

enum td_scribe_job_kind {
	TD_SCRIBE_JOB_OPEN,
	TD_SCRIBE_JOB_WRITE,
	TD_SCRIBE_JOB_SIDECAR,
	TD_SCRIBE_JOB_CLOSE
};

struct td_scribe_job {
	struct td_scribe_job *next;
	uint32_t slot;
	uint8_t kind;
	uint8_t file;
	uint32_t rate_hz;
	struct td_bytes bytes;
	json_t *sidecar;
	struct td_scribe_form form;
};

struct td_scribe_news_item {
	struct td_scribe_news_item *next;
	struct td_scribe_news news;
};

struct td_scribe {
	struct td_desk desk;
	uint8_t key[TD_VAULT_KEY_BYTES];
	bool sync;
	uint64_t queue_bytes_max;
	struct td_repair *repair; // NULL: nothing is left to repair
	pthread_t thread;
	bool started;

	// Disk thread.
	struct td_paper **papers; // by slot
	uint32_t *open;           // slots in use
	uint32_t open_count;
	struct td_scribe_job *closing[TD_SCRIBE_CLOSE_MAX];
	unsigned closing_count;
	uint64_t synced_ns, looked_ns;

	// Both.
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct td_scribe_job *first, *last;
	struct td_bytes spares[TD_SCRIBE_SPARE_MAX];
	unsigned spare_count;
	struct td_scribe_news_item *news_first, *news_last;
	bool stop;
	_Atomic uint64_t queued_bytes;
	_Atomic uint64_t busy_since_ns;
	_Atomic unsigned free_percent;
	_Atomic int error_number;
	_Atomic uint32_t repaired;
	_Atomic bool repairing;
};

// The disk thread: does the jobs until `stop` is set and none is left. `user` is the scribe.
void *td_scribe_run(void *user);
// How much of the file system is free, for td_scribe_look. The disk thread's, and its maker's before it starts.
void td_scribe_measure_space(struct td_scribe *scribe);

// The store: call detail records into SQLite, by a thread of its own.
//
//   loop: put_call --> bounded queue --> writer thread: BEGIN, rows of <= 250 ms, COMMIT --> file
//
//   invariant: accepted = written + queued      (a record accepted is never dropped silently)
//
// The loop never waits for the disk. While the database is busy, full or broken the rows stay in
// the queue and the writer tries again, at most once a second, on a fresh connection; the trouble
// is logged once when it begins and once when it is over, and counted in between. A queue that is
// full refuses the new record with -TD_EFULL. One call and its legs are always one transaction.
//
// Memory: td_store_open allocates, td_store_close frees. All functions are for one thread (the
// control loop); stats may be read by any.
#pragma once

#include <stdint.h>

#include "store/cdr.h"
#include "td_error.h"

#define TD_STORE_QUEUE_MAX 8192 // calls that wait for the disk
#define TD_STORE_GROUP_MS  250  // the longest a record waits for company
#define TD_STORE_ERROR_MAX 256

struct td_store;

struct td_store_stats {
	uint64_t accepted; // calls taken by put_call
	uint64_t written;  // calls committed
	uint64_t queued;   // calls waiting now
	uint64_t refused;  // calls that found the queue full
	uint64_t failures; // transactions that failed and were tried again
	uint64_t commits;
	char error[TD_STORE_ERROR_MAX]; // why it fails now; empty: all is well
};

// Opens or creates the database, brings its schema up to date and starts the writer. 0 and
// *out, or -TD_EIO, -TD_EVERSION (made by a newer Tandem), -TD_EMEMORY with a sentence in `error`.
TD_MUST_CHECK int td_store_open(const char *path, struct td_store **out,
				char error[TD_STORE_ERROR_MAX]);

// Copies one ended call and its legs into the queue. -TD_EFULL when the disk has been away too
// long, -TD_EINVALID with more than TD_CDR_LEG_MAX legs, -TD_EMEMORY.
TD_MUST_CHECK int td_store_put_call(struct td_store *store, const struct td_cdr_call *call,
				    const struct td_cdr_leg *legs, unsigned leg_count);

// Likewise a recording: a new row of the index, or what is new about the file of that name.
TD_MUST_CHECK int td_store_put_recording(struct td_store *store,
					 const struct td_cdr_recording *recording);

void td_store_stats(struct td_store *store, struct td_store_stats *out);

// Waits until everything queued is committed, at most `wait_ms`. 0 or -TD_ETIMEOUT.
TD_MUST_CHECK int td_store_flush(struct td_store *store, uint32_t wait_ms);

// Flushes (one last try for what fails), stops the writer and frees. Returns how many calls could
// not be written; they are logged. NULL is allowed.
uint64_t td_store_close(struct td_store *store);

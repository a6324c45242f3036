// The SQLite file under the store: its schema, and one transaction of records at a time.
//
// WAL mode, so that people may read while we write; synchronous=FULL, so that a committed record
// survives the power. The schema's version is SQLite's user_version; opening brings an older file
// up to date and refuses a newer one. Not thread-safe: the writer thread has it, or td_store_open
// before that thread exists.
#pragma once

#include <sqlite3.h>

#include "store/store.h"

#define TD_DATABASE_VERSION 4
#define TD_DATABASE_BUSY_MS 1000 // how long one statement waits for another program's lock

struct td_database {
	sqlite3 *handle;
	sqlite3_stmt *call, *leg, *recording; // the inserts
};

// Opens or creates the file. 0, -TD_EIO or -TD_EVERSION with a sentence; the caller closes only
// what was opened.
TD_MUST_CHECK int td_database_open(struct td_database *db, const char *path,
				   char error[TD_STORE_ERROR_MAX]);
// Also after a failed open; twice is harmless.
void td_database_close(struct td_database *db);

TD_MUST_CHECK int td_database_begin(struct td_database *db);
TD_MUST_CHECK int td_database_put(struct td_database *db, const struct td_cdr_call *call,
				  const struct td_cdr_leg *legs, unsigned leg_count);
TD_MUST_CHECK int td_database_put_recording(struct td_database *db,
					    const struct td_cdr_recording *recording);
TD_MUST_CHECK int td_database_commit(struct td_database *db);
void td_database_rollback(struct td_database *db);

// SQLite's words for what went wrong last.
const char *td_database_trouble(const struct td_database *db);

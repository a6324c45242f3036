// The recordings that are there: the index in the database and the files below the recordings folder.
//
//   td_archive_list, _hold, _sweep --> a connection of its own --> tandem.db, table recording
//                       |
//                       '--> unlink: the file, its tracks, its sidecar; then its row
//
// A recording is deleted as one: what belongs to it goes first, the row last, so that a failure or a
// kill in between leaves a row that is tried again and never a file that nobody knows. Each deletion
// is logged. What is held back (legal hold) stays until it is let go.
//
// These functions wait for the disk: call them on a thread that may. They exclude each other, but for
// td_archive_files.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/cdr.h"
#include "td_error.h"

#define TD_ARCHIVE_ERROR_MAX 256

struct td_archive;

struct td_archive_row {
	struct td_cdr_recording recording;
	bool hold;
};

struct td_archive_query {
	const char *tenant, *call, *queue, *agent; // NULL: any
	int64_t since_utc_ms, until_utc_ms;        // begun then; 0: any
	uint32_t offset, limit;
};

// How long whose recordings are kept, in days; 0: for ever. NULL as tenant: all others'.
struct td_archive_rule {
	const char *tenant;
	uint32_t keep_days;
};

struct td_archive_swept {
	uint64_t deleted, failed, bytes;
};

// `folder` is where recordings are; both must outlive it, as the rules must. -TD_EMEMORY.
TD_MUST_CHECK int td_archive_create(const char *database, const char *folder,
				    const struct td_archive_rule *rules, uint32_t rule_count,
				    struct td_archive **out);
void td_archive_destroy(struct td_archive *archive);

// The newest first. `each` may not call back. *total is how many match. -TD_EIO with a sentence.
TD_MUST_CHECK int td_archive_list(struct td_archive *archive, const struct td_archive_query *query,
				  void (*each)(void *user, const struct td_archive_row *row),
				  void *user, uint64_t *total, char error[TD_ARCHIVE_ERROR_MAX]);
// The files of a recording that are there, below the folder, in the order of their tracks: of Opus as many
// as there were voices. May be called from td_archive_list's `each`.
void td_archive_files(const struct td_archive *archive, const char *file,
		      void (*each)(void *user, const char *name), void *user);
// -TD_ENOT_FOUND: there is no such file in the index.
TD_MUST_CHECK int td_archive_hold(struct td_archive *archive, const char *file, bool hold,
				  char error[TD_ARCHIVE_ERROR_MAX]);
// Deletes what is older than its rule says, by its beginning. -TD_EIO with a sentence; what could
// not be deleted is counted, logged, and tried again with the next sweep.
TD_MUST_CHECK int td_archive_sweep(struct td_archive *archive, int64_t now_utc_ms,
				   struct td_archive_swept *out, char error[TD_ARCHIVE_ERROR_MAX]);

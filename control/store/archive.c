#include "store/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/archive_files.h"
#include "td_log.h"

#define BUSY_MS   2000
#define DAY_MS    86400000ll
#define SWEEP_MAX 1000 // rows looked at before the lock is let go of

struct td_archive {
	const char *database, *folder;
	const struct td_archive_rule *rules;
	uint32_t rule_count;
	pthread_mutex_t lock; // guards the connection
	sqlite3 *handle;      // NULL: not open yet
};

int td_archive_create(const char *database, const char *folder, const struct td_archive_rule *rules,
		      uint32_t rule_count, struct td_archive **out)
{
	struct td_archive *archive = calloc(1, sizeof *archive);

	*out = archive;
	if (!archive)
		return -TD_EMEMORY;
	archive->database = database;
	archive->folder = folder;
	archive->rules = rules;
	archive->rule_count = rule_count;
	pthread_mutex_init(&archive->lock, NULL);
	return 0;
}

void td_archive_destroy(struct td_archive *archive)
{
	if (!archive)
		return;
	sqlite3_close(archive->handle);
	pthread_mutex_destroy(&archive->lock);
	free(archive);
}

static int complain(struct td_archive *archive, char error[TD_ARCHIVE_ERROR_MAX])
{
	snprintf(error, TD_ARCHIVE_ERROR_MAX, "%s: %s", archive->database,
		 archive->handle ? sqlite3_errmsg(archive->handle) : "cannot be opened");
	// A fresh connection next time: whatever this one remembers may be the trouble.
	sqlite3_close(archive->handle);
	archive->handle = NULL;
	return -TD_EIO;
}

static int prepare(struct td_archive *archive, const char *sql, sqlite3_stmt **out,
		   char error[TD_ARCHIVE_ERROR_MAX])
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;

	if (!archive->handle) {
		if (sqlite3_open_v2(archive->database, &archive->handle, flags, NULL) != SQLITE_OK)
			return complain(archive, error);
		sqlite3_busy_timeout(archive->handle, BUSY_MS);
	}
	if (sqlite3_prepare_v2(archive->handle, sql, -1, out, NULL) != SQLITE_OK)
		return complain(archive, error);
	return 0;
}

static void take_text(sqlite3_stmt *statement, int column, char *out, size_t room)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	snprintf(out, room, "%s", text ? text : "");
}

#define COLUMNS                                                                                    \
	"file, tenant, call_id, conference, queue, agent, caller, state, start_ms, end_ms, "       \
	"duration_ms, bytes, packets_received, packets_written, hold"
#define WHERE                                                                                      \
	" FROM recording WHERE (?1 IS NULL OR tenant = ?1) AND (?2 IS NULL OR call_id = ?2)"       \
	" AND (?3 IS NULL OR queue = ?3) AND (?4 IS NULL OR agent = ?4)"                           \
	" AND (?5 = 0 OR start_ms >= ?5) AND (?6 = 0 OR start_ms < ?6)"

static void take_row(sqlite3_stmt *statement, struct td_archive_row *row)
{
	struct td_cdr_recording *recording = &row->recording;

	take_text(statement, 0, recording->file, sizeof recording->file);
	take_text(statement, 1, recording->tenant, sizeof recording->tenant);
	take_text(statement, 2, recording->call, sizeof recording->call);
	take_text(statement, 3, recording->conference, sizeof recording->conference);
	take_text(statement, 4, recording->queue, sizeof recording->queue);
	take_text(statement, 5, recording->agent, sizeof recording->agent);
	take_text(statement, 6, recording->caller, sizeof recording->caller);
	take_text(statement, 7, recording->state, sizeof recording->state);
	recording->started_utc_ms = sqlite3_column_int64(statement, 8);
	recording->ended_utc_ms = sqlite3_column_int64(statement, 9);
	recording->duration_ms = (uint64_t)sqlite3_column_int64(statement, 10);
	recording->bytes = (uint64_t)sqlite3_column_int64(statement, 11);
	recording->packets_received = (uint64_t)sqlite3_column_int64(statement, 12);
	recording->packets_written = (uint64_t)sqlite3_column_int64(statement, 13);
	row->hold = sqlite3_column_int(statement, 14) != 0;
}

static int bind_query(sqlite3_stmt *statement, const struct td_archive_query *query)
{
	const char *const texts[] = { query->tenant, query->call, query->queue, query->agent };
	int rc = SQLITE_OK;

	for (int i = 0; i < 4 && rc == SQLITE_OK; i++)
		rc = texts[i] ? sqlite3_bind_text(statement, i + 1, texts[i], -1, SQLITE_STATIC)
			      : sqlite3_bind_null(statement, i + 1);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(statement, 5, query->since_utc_ms);
	return rc == SQLITE_OK ? sqlite3_bind_int64(statement, 6, query->until_utc_ms) : rc;
}

static int count_rows(struct td_archive *archive, const struct td_archive_query *query,
		      uint64_t *total, char error[TD_ARCHIVE_ERROR_MAX])
{
	sqlite3_stmt *statement = NULL;
	int rc = prepare(archive, "SELECT COUNT(*)" WHERE, &statement, error);

	if (rc != 0)
		return rc;
	if (bind_query(statement, query) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
		*total = (uint64_t)sqlite3_column_int64(statement, 0);
	else
		rc = -TD_EIO;
	sqlite3_finalize(statement);
	return rc == 0 ? 0 : complain(archive, error);
}

static int list(struct td_archive *archive, const struct td_archive_query *query,
		void (*each)(void *user, const struct td_archive_row *row), void *user,
		char error[TD_ARCHIVE_ERROR_MAX])
{
	sqlite3_stmt *statement = NULL;
	struct td_archive_row row;
	int rc = prepare(archive,
			 "SELECT " COLUMNS WHERE " ORDER BY start_ms DESC, id DESC"
			 " LIMIT ?7 OFFSET ?8",
			 &statement, error);

	if (rc != 0)
		return rc;
	rc = bind_query(statement, query);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(statement, 7, query->limit);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(statement, 8, query->offset);
	while (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
		take_row(statement, &row);
		each(user, &row);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(statement);
	return rc == SQLITE_DONE ? 0 : complain(archive, error);
}

int td_archive_list(struct td_archive *archive, const struct td_archive_query *query,
		    void (*each)(void *user, const struct td_archive_row *row), void *user,
		    uint64_t *total, char error[TD_ARCHIVE_ERROR_MAX])
{
	int rc;

	pthread_mutex_lock(&archive->lock);
	rc = count_rows(archive, query, total, error);
	if (rc == 0)
		rc = list(archive, query, each, user, error);
	pthread_mutex_unlock(&archive->lock);
	return rc;
}

void td_archive_files(const struct td_archive *archive, const char *file,
		      void (*each)(void *user, const char *name), void *user)
{
	int folder = open(archive->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return; // nothing has been recorded yet
	td_archive_files_list(folder, file, each, user);
	close(folder);
}

// One statement about one file. -TD_ENOT_FOUND: it changed nothing.
static int change_file(struct td_archive *archive, const char *sql, const char *file,
		       char error[TD_ARCHIVE_ERROR_MAX])
{
	sqlite3_stmt *statement = NULL;
	int rc = prepare(archive, sql, &statement, error);

	if (rc != 0)
		return rc;
	if (sqlite3_bind_text(statement, 1, file, -1, SQLITE_STATIC) != SQLITE_OK ||
	    sqlite3_step(statement) != SQLITE_DONE)
		rc = -TD_EIO;
	sqlite3_finalize(statement);
	if (rc != 0)
		return complain(archive, error);
	if (sqlite3_changes(archive->handle) > 0)
		return 0;
	snprintf(error, TD_ARCHIVE_ERROR_MAX, "there is no recording %.128s", file);
	return -TD_ENOT_FOUND;
}

int td_archive_hold(struct td_archive *archive, const char *file, bool hold,
		    char error[TD_ARCHIVE_ERROR_MAX])
{
	int rc;

	pthread_mutex_lock(&archive->lock);
	rc = change_file(archive,
			 hold ? "UPDATE recording SET hold = 1 WHERE file = ?1"
			      : "UPDATE recording SET hold = 0 WHERE file = ?1",
			 file, error);
	pthread_mutex_unlock(&archive->lock);
	if (rc == 0)
		td_info("recordings", "%s is %s", file, hold ? "held back" : "held back no more");
	return rc;
}

static int64_t keep_ms(const struct td_archive *archive, const char *tenant)
{
	uint32_t days = 0;

	for (uint32_t i = 0; i < archive->rule_count; i++) {
		const struct td_archive_rule *rule = &archive->rules[i];

		if (rule->tenant && strcmp(rule->tenant, tenant) == 0)
			return rule->keep_days * DAY_MS;
		if (!rule->tenant)
			days = rule->keep_days;
	}
	return days * DAY_MS;
}

static void sweep_one(struct td_archive *archive, int folder, const struct td_archive_row *row,
		      struct td_archive_swept *out)
{
	const struct td_cdr_recording *recording = &row->recording;
	char error[TD_ARCHIVE_ERROR_MAX];
	int rc = td_archive_files_remove(folder, recording->file);

	if (rc != 0) {
		out->failed++;
		td_error("recordings", "%s cannot be deleted: %s", recording->file, strerror(-rc));
		return;
	}
	if (change_file(archive, "DELETE FROM recording WHERE file = ?1", recording->file, error) !=
	    0) {
		out->failed++;
		td_error("recordings", "%s: its file is deleted and its row is not: %s",
			 recording->file, error);
		return;
	}
	out->deleted++;
	out->bytes += recording->bytes;
	td_info("recordings", "%s is deleted: its time is over (tenant %s, call %s)",
		recording->file, recording->tenant[0] ? recording->tenant : "none",
		recording->call[0] ? recording->call : "none");
}

// The oldest rows that nobody holds back, behind the last one looked at.
static int next_rows(struct td_archive *archive, int64_t *after_id, struct td_archive_row *rows,
		     unsigned *count, char error[TD_ARCHIVE_ERROR_MAX])
{
	sqlite3_stmt *statement = NULL;
	int rc = prepare(archive,
			 "SELECT " COLUMNS ", id FROM recording WHERE id > ?1 AND hold = 0"
			 " ORDER BY id LIMIT ?2",
			 &statement, error);

	*count = 0;
	if (rc != 0)
		return rc;
	rc = sqlite3_bind_int64(statement, 1, *after_id);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int(statement, 2, SWEEP_MAX);
	while (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
		take_row(statement, &rows[(*count)++]);
		*after_id = sqlite3_column_int64(statement, 15);
		rc = SQLITE_OK;
	}
	sqlite3_finalize(statement);
	return rc == SQLITE_DONE ? 0 : complain(archive, error);
}

static int sweep(struct td_archive *archive, int folder, int64_t now_utc_ms,
		 struct td_archive_row *rows, struct td_archive_swept *out,
		 char error[TD_ARCHIVE_ERROR_MAX])
{
	int64_t after_id = 0;
	unsigned count;

	do {
		int rc;

		pthread_mutex_lock(&archive->lock);
		rc = next_rows(archive, &after_id, rows, &count, error);
		for (unsigned i = 0; rc == 0 && i < count; i++) {
			int64_t keep = keep_ms(archive, rows[i].recording.tenant);

			if (keep > 0 && rows[i].recording.started_utc_ms + keep < now_utc_ms)
				sweep_one(archive, folder, &rows[i], out);
		}
		pthread_mutex_unlock(&archive->lock);
		if (rc != 0)
			return rc;
	} while (count == SWEEP_MAX);
	return 0;
}

int td_archive_sweep(struct td_archive *archive, int64_t now_utc_ms, struct td_archive_swept *out,
		     char error[TD_ARCHIVE_ERROR_MAX])
{
	struct td_archive_row *rows = calloc(SWEEP_MAX, sizeof *rows);
	int folder = open(archive->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = rows ? 0 : -TD_EMEMORY;

	*out = (struct td_archive_swept){ 0 };
	if (rows && folder < 0 && errno != ENOENT) {
		snprintf(error, TD_ARCHIVE_ERROR_MAX, "%s: %s", archive->folder, strerror(errno));
		rc = -TD_EIO;
	}
	// Without the folder nothing has been recorded yet.
	if (rc == 0 && folder >= 0)
		rc = sweep(archive, folder, now_utc_ms, rows, out, error);
	if (folder >= 0)
		close(folder);
	free(rows);
	return rc;
}

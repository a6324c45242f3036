// Schema, migrations and the two inserts.
#include "store/database.h"

#include <stdio.h>
#include <string.h>

#include "store/columns.h"

#define SQL_MAX        2048
#define APPLICATION_ID 0x54414e44 // "TAND": `file tandem.db` can tell whose it is

// migrations[v] brings a file from version v to v + 1. Never changed once released.
static const char *const migrations[TD_DATABASE_VERSION] = {
	"CREATE TABLE call("
	" id INTEGER PRIMARY KEY,"
	" call_id TEXT NOT NULL," // unique within one run of the process only
	" caller TEXT, called TEXT, trunk TEXT, queue TEXT, agent TEXT, cause TEXT,"
	" ended_by TEXT, recording TEXT, recording_state TEXT,"
	" setup_utc TEXT, setup_ms INTEGER, answer_utc TEXT, answer_ms INTEGER,"
	" connect_utc TEXT, connect_ms INTEGER, end_utc TEXT, end_ms INTEGER,"
	" queue_wait_ms INTEGER NOT NULL, talk_ms INTEGER NOT NULL,"
	" offer_count INTEGER NOT NULL) STRICT;"
	"CREATE TABLE leg("
	" id INTEGER PRIMARY KEY,"
	" call INTEGER NOT NULL REFERENCES call(id) ON DELETE CASCADE,"
	" leg_id TEXT, role TEXT, party TEXT, sip_call_id TEXT, remote TEXT, codec TEXT,"
	" cause TEXT, outbound INTEGER NOT NULL, sip_status INTEGER,"
	" setup_utc TEXT, setup_ms INTEGER, ring_utc TEXT, ring_ms INTEGER,"
	" answer_utc TEXT, answer_ms INTEGER, end_utc TEXT, end_ms INTEGER,"
	" rx_packets INTEGER, tx_packets INTEGER, rx_lost INTEGER, loss_percent REAL,"
	" jitter_us INTEGER, jitter_max_us INTEGER, rtt_us INTEGER, mos REAL) STRICT;"
	"CREATE INDEX call_by_setup ON call(setup_ms);"
	"CREATE INDEX call_by_queue ON call(queue, setup_ms);"
	"CREATE INDEX leg_by_call ON leg(call);",
	"ALTER TABLE leg ADD COLUMN srtp TEXT;",
	"ALTER TABLE leg ADD COLUMN mos_min REAL;"
	"ALTER TABLE leg ADD COLUMN rtt_max_us INTEGER;"
	"ALTER TABLE leg ADD COLUMN delay_max_ms INTEGER;"
	"ALTER TABLE leg ADD COLUMN discarded INTEGER;"
	"ALTER TABLE leg ADD COLUMN bursts INTEGER;"
	"ALTER TABLE leg ADD COLUMN burst_lost INTEGER;"
	"ALTER TABLE leg ADD COLUMN measured_ms INTEGER;"
	"ALTER TABLE leg ADD COLUMN talk_ms INTEGER;"
	"ALTER TABLE leg ADD COLUMN double_talk_ms INTEGER;"
	"ALTER TABLE leg ADD COLUMN clipped_ms INTEGER;"
	"ALTER TABLE leg ADD COLUMN one_way_ms INTEGER;"
	"ALTER TABLE leg ADD COLUMN level_dbm0 INTEGER;"
	"ALTER TABLE leg ADD COLUMN noise_dbm0 INTEGER;"
	"ALTER TABLE leg ADD COLUMN remote_mos REAL;",
	"ALTER TABLE call ADD COLUMN recording_received INTEGER;"
	"ALTER TABLE call ADD COLUMN recording_written INTEGER;"
	"CREATE TABLE recording("
	" id INTEGER PRIMARY KEY,"
	" file TEXT NOT NULL UNIQUE," // below the recordings folder
	" tenant TEXT, call_id TEXT, conference TEXT, queue TEXT, agent TEXT, caller TEXT,"
	" state TEXT, start_utc TEXT, start_ms INTEGER, end_utc TEXT, end_ms INTEGER,"
	" duration_ms INTEGER NOT NULL, bytes INTEGER NOT NULL,"
	" packets_received INTEGER NOT NULL, packets_written INTEGER NOT NULL,"
	" hold INTEGER NOT NULL DEFAULT 0) STRICT;" // 1: not to be deleted
	"CREATE INDEX recording_by_start ON recording(start_ms);",
};

// A recording is written twice: when it is begun, and when it is over.
static const char again[] = " ON CONFLICT(file) DO UPDATE SET agent=excluded.agent,"
			    " state=excluded.state, end_utc=excluded.end_utc,"
			    " end_ms=excluded.end_ms, duration_ms=excluded.duration_ms,"
			    " bytes=excluded.bytes, packets_received=excluded.packets_received,"
			    " packets_written=excluded.packets_written";

static int complain(struct td_database *db, const char *path, const char *what,
		    char error[TD_STORE_ERROR_MAX])
{
	snprintf(error, TD_STORE_ERROR_MAX, "%s: %s (%s)", path, what, td_database_trouble(db));
	return -TD_EIO;
}

static int execute(struct td_database *db, const char *sql)
{
	return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -TD_EIO;
}

static int read_version(struct td_database *db, int *version)
{
	sqlite3_stmt *statement;
	int rc = sqlite3_prepare_v2(db->handle, "PRAGMA user_version", -1, &statement, NULL);

	if (rc != SQLITE_OK)
		return -TD_EIO;
	rc = sqlite3_step(statement);
	*version = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return rc == SQLITE_ROW ? 0 : -TD_EIO;
}

static int migrate_one(struct td_database *db, int version)
{
	char stamp[96];

	snprintf(stamp, sizeof stamp, "PRAGMA application_id=%d; PRAGMA user_version=%d;",
		 APPLICATION_ID, version + 1);
	if (execute(db, "BEGIN IMMEDIATE") != 0)
		return -TD_EIO;
	if (execute(db, migrations[version]) == 0 && execute(db, stamp) == 0 &&
	    execute(db, "COMMIT") == 0)
		return 0;
	return -TD_EIO;
}

static int migrate(struct td_database *db, const char *path, char error[TD_STORE_ERROR_MAX])
{
	int version = 0;

	if (read_version(db, &version) != 0)
		return complain(db, path, "this is no database we can use", error);
	if (version < 0 || version > TD_DATABASE_VERSION) {
		snprintf(error, TD_STORE_ERROR_MAX,
			 "%s: found schema version %d, expected at most %d: a newer Tandem made it",
			 path, version, TD_DATABASE_VERSION);
		return -TD_EVERSION;
	}
	for (; version < TD_DATABASE_VERSION; version++)
		if (migrate_one(db, version) != 0)
			return complain(db, path, "the tables cannot be created", error);
	return 0;
}

static int prepare(struct td_database *db, const struct td_column *columns, const char *table,
		   const char *first, sqlite3_stmt **out)
{
	char sql[SQL_MAX];
	int length = td_columns_insert_sql(columns, table, first, sql, sizeof sql);

	if (length < 0 || (size_t)length + sizeof again >= sizeof sql)
		return -TD_EIO;
	if (columns == td_recording_columns) {
		memcpy(sql + length, again, sizeof again);
		length += (int)sizeof again - 1;
	}
	return sqlite3_prepare_v3(db->handle, sql, length, SQLITE_PREPARE_PERSISTENT, out, NULL) ==
			       SQLITE_OK
		       ? 0
		       : -TD_EIO;
}

int td_database_open(struct td_database *db, const char *path, char error[TD_STORE_ERROR_MAX])
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
	int rc;

	memset(db, 0, sizeof *db);
	if (sqlite3_open_v2(path, &db->handle, flags, NULL) != SQLITE_OK)
		return complain(
			db, path,
			"the database cannot be opened: create its folder and let this user "
			"write there",
			error);
	sqlite3_busy_timeout(db->handle, TD_DATABASE_BUSY_MS);
	if (execute(db, "PRAGMA journal_mode=WAL") != 0 ||
	    execute(db, "PRAGMA synchronous=FULL") != 0 ||
	    execute(db, "PRAGMA foreign_keys=ON") != 0)
		return complain(db, path, "this is no database we can use", error);
	rc = migrate(db, path, error);
	if (rc != 0)
		return rc;
	if (prepare(db, td_call_columns, "call", NULL, &db->call) != 0 ||
	    prepare(db, td_leg_columns, "leg", "call", &db->leg) != 0 ||
	    prepare(db, td_recording_columns, "recording", NULL, &db->recording) != 0)
		return complain(db, path, "its tables are not Tandem's", error);
	return 0;
}

void td_database_close(struct td_database *db)
{
	sqlite3_finalize(db->call);
	sqlite3_finalize(db->leg);
	sqlite3_finalize(db->recording);
	sqlite3_close(db->handle);
	memset(db, 0, sizeof *db);
}

int td_database_begin(struct td_database *db)
{
	return execute(db, "BEGIN IMMEDIATE");
}

int td_database_commit(struct td_database *db)
{
	return execute(db, "COMMIT");
}

void td_database_rollback(struct td_database *db)
{
	// SQLite may have rolled back by itself, as it does when the disk is full.
	if (db->handle && !sqlite3_get_autocommit(db->handle))
		(void)execute(db, "ROLLBACK");
}

static int insert(sqlite3_stmt *statement, int at, const struct td_column *columns,
		  const void *record, int has_media)
{
	char moments[TD_COLUMN_MOMENTS_MAX][TD_UTC_TEXT_BYTES];
	int rc = td_columns_bind(statement, at, columns, record, has_media, moments);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	sqlite3_reset(statement);
	return rc == SQLITE_DONE ? 0 : -TD_EIO;
}

int td_database_put(struct td_database *db, const struct td_cdr_call *call,
		    const struct td_cdr_leg *legs, unsigned leg_count)
{
	sqlite3_int64 row;

	if (insert(db->call, 1, td_call_columns, call, 1) != 0)
		return -TD_EIO;
	row = sqlite3_last_insert_rowid(db->handle);
	for (unsigned i = 0; i < leg_count; i++)
		if (sqlite3_bind_int64(db->leg, 1, row) != SQLITE_OK ||
		    insert(db->leg, 2, td_leg_columns, &legs[i], legs[i].has_media) != 0)
			return -TD_EIO;
	return 0;
}

int td_database_put_recording(struct td_database *db, const struct td_cdr_recording *recording)
{
	return insert(db->recording, 1, td_recording_columns, recording, 1);
}

const char *td_database_trouble(const struct td_database *db)
{
	return db->handle ? sqlite3_errmsg(db->handle) : "not open";
}

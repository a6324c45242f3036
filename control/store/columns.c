// The column tables, and binding by kind.
#include "store/columns.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "store/cdr.h"
#include "td_assert.h"
#include "td_quality.h"

#define CALL(name, kind, field)                                                                    \
	{                                                                                          \
		name, TD_COLUMN_##kind, offsetof(struct td_cdr_call, field), 0                     \
	}
#define LEG(name, kind, field)                                                                     \
	{                                                                                          \
		name, TD_COLUMN_##kind, offsetof(struct td_cdr_leg, field), 0                      \
	}
#define RECORDING(name, kind, field)                                                               \
	{                                                                                          \
		name, TD_COLUMN_##kind, offsetof(struct td_cdr_recording, field), 0                \
	}
#define MEDIA(name, kind, field)                                                                   \
	{                                                                                          \
		name, TD_COLUMN_##kind, offsetof(struct td_cdr_leg, field), 1                      \
	}

const struct td_column td_call_columns[] = {
	CALL("call_id", TEXT, id),
	CALL("caller", TEXT, caller),
	CALL("called", TEXT, called),
	CALL("trunk", TEXT, trunk),
	CALL("queue", TEXT, queue),
	CALL("agent", TEXT, agent),
	CALL("cause", TEXT, cause),
	CALL("ended_by", TEXT, ended_by),
	CALL("recording", TEXT, recording),
	CALL("recording_state", TEXT, recording_state),
	CALL("recording_received", U64, recording_received),
	CALL("recording_written", U64, recording_written),
	CALL("setup", UTC, setup_utc_ms),
	CALL("answer", UTC, answer_utc_ms),
	CALL("connect", UTC, connect_utc_ms),
	CALL("end", UTC, end_utc_ms),
	CALL("queue_wait_ms", U32, queue_wait_ms),
	CALL("talk_ms", U32, talk_ms),
	CALL("offer_count", U32, offer_count),
	{ NULL, TD_COLUMN_TEXT, 0, 0 },
};

const struct td_column td_leg_columns[] = {
	LEG("leg_id", TEXT, id),
	LEG("role", TEXT, role),
	LEG("party", TEXT, party),
	LEG("sip_call_id", TEXT, sip_call_id),
	LEG("remote", TEXT, remote),
	LEG("codec", TEXT, codec),
	LEG("srtp", TEXT, srtp),
	LEG("cause", TEXT, cause),
	LEG("outbound", BOOL, outbound),
	LEG("sip_status", U16, sip_status),
	LEG("setup", UTC, setup_utc_ms),
	LEG("ring", UTC, ring_utc_ms),
	LEG("answer", UTC, answer_utc_ms),
	LEG("end", UTC, end_utc_ms),
	MEDIA("rx_packets", U64, rx_packets),
	MEDIA("tx_packets", U64, tx_packets),
	MEDIA("rx_lost", I64, rx_lost),
	MEDIA("loss_percent", CENTI, loss_permyriad),
	MEDIA("jitter_us", U32, jitter_us),
	MEDIA("jitter_max_us", U32, jitter_max_us),
	MEDIA("rtt_us", U32_SET, rtt_us),
	MEDIA("mos", CENTI_SET, mos_x100),
	MEDIA("mos_min", CENTI_SET, mos_min_x100),
	MEDIA("rtt_max_us", U32_SET, rtt_max_us),
	MEDIA("delay_max_ms", U32_SET, delay_max_ms),
	MEDIA("discarded", U32, discarded),
	MEDIA("bursts", U32, bursts),
	MEDIA("burst_lost", U32, burst_lost),
	MEDIA("measured_ms", U32, measured_ms),
	MEDIA("talk_ms", U32, talk_ms),
	MEDIA("double_talk_ms", U32, double_talk_ms),
	MEDIA("clipped_ms", U32, clipped_ms),
	MEDIA("one_way_ms", U32, one_way_ms),
	MEDIA("level_dbm0", DBM0, level_dbm0),
	MEDIA("noise_dbm0", DBM0, noise_dbm0),
	MEDIA("remote_mos", CENTI_SET, remote_mos_x100),
	{ NULL, TD_COLUMN_TEXT, 0, 0 },
};

const struct td_column td_recording_columns[] = {
	RECORDING("file", TEXT, file),
	RECORDING("tenant", TEXT, tenant),
	RECORDING("call_id", TEXT, call),
	RECORDING("conference", TEXT, conference),
	RECORDING("queue", TEXT, queue),
	RECORDING("agent", TEXT, agent),
	RECORDING("caller", TEXT, caller),
	RECORDING("state", TEXT, state),
	RECORDING("start", UTC, started_utc_ms),
	RECORDING("end", UTC, ended_utc_ms),
	RECORDING("duration_ms", U64, duration_ms),
	RECORDING("bytes", U64, bytes),
	RECORDING("packets_received", U64, packets_received),
	RECORDING("packets_written", U64, packets_written),
	{ NULL, TD_COLUMN_TEXT, 0, 0 },
};

static int column_count(const struct td_column *columns)
{
	int count = 0;

	for (; columns->name; columns++)
		count += columns->kind == TD_COLUMN_UTC ? 2 : 1;
	return count;
}

int td_columns_insert_sql(const struct td_column *columns, const char *table, const char *first,
			  char *out, size_t out_bytes)
{
	int marks = column_count(columns) + (first != NULL);
	const char *comma = first ? ", " : "";
	FILE *text = fmemopen(out, out_bytes, "w");
	long length;

	if (!text)
		return -1;
	fprintf(text, "INSERT INTO %s(%s", table, first ? first : "");
	for (; columns->name; columns++, comma = ", ") {
		if (columns->kind == TD_COLUMN_UTC)
			fprintf(text, "%s%s_utc, %s_ms", comma, columns->name, columns->name);
		else
			fprintf(text, "%s%s", comma, columns->name);
	}
	fprintf(text, ") VALUES(?");
	while (--marks > 0)
		fprintf(text, ", ?");
	fprintf(text, ")");
	length = ftell(text);
	return fclose(text) == 0 ? (int)length : -1;
}

static int bind_utc(sqlite3_stmt *statement, int at, int64_t utc_ms, char text[TD_UTC_TEXT_BYTES])
{
	int rc;

	if (utc_ms <= 0) {
		rc = sqlite3_bind_null(statement, at);
		return rc == SQLITE_OK ? sqlite3_bind_null(statement, at + 1) : rc;
	}
	td_utc_text((uint64_t)utc_ms, text);
	rc = sqlite3_bind_text(statement, at, text, TD_UTC_TEXT_BYTES - 1, SQLITE_STATIC);
	return rc == SQLITE_OK ? sqlite3_bind_int64(statement, at + 1, utc_ms) : rc;
}

static int bind_number(sqlite3_stmt *statement, int at, int64_t value, bool null)
{
	return null ? sqlite3_bind_null(statement, at) : sqlite3_bind_int64(statement, at, value);
}

static int bind_centi(sqlite3_stmt *statement, int at, uint32_t value, bool null)
{
	return null ? sqlite3_bind_null(statement, at)
		    : sqlite3_bind_double(statement, at, value / 100.0);
}

static int bind_field(sqlite3_stmt *statement, int at, enum td_column_kind kind, const void *field)
{
	const char *text = field;
	const uint32_t *u32 = field;

	switch (kind) {
	case TD_COLUMN_TEXT:
		return *text ? sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC)
			     : sqlite3_bind_null(statement, at);
	case TD_COLUMN_BOOL: return bind_number(statement, at, *(const bool *)field, false);
	case TD_COLUMN_U16:
		return bind_number(statement, at, *(const uint16_t *)field,
				   *(const uint16_t *)field == 0);
	case TD_COLUMN_U32: return bind_number(statement, at, *u32, false);
	case TD_COLUMN_U32_SET: return bind_number(statement, at, *u32, *u32 == 0);
	case TD_COLUMN_U64:
		return bind_number(statement, at, (int64_t) * (const uint64_t *)field, false);
	case TD_COLUMN_I64: return bind_number(statement, at, *(const int64_t *)field, false);
	case TD_COLUMN_CENTI: return bind_centi(statement, at, *u32, false);
	case TD_COLUMN_CENTI_SET: return bind_centi(statement, at, *u32, *u32 == 0);
	case TD_COLUMN_DBM0:
		return bind_number(statement, at, *(const int32_t *)field,
				   *(const int32_t *)field == TD_LEVEL_UNKNOWN);
	case TD_COLUMN_UTC: // td_columns_bind's own
	default: return SQLITE_MISUSE;
	}
}

int td_columns_bind(sqlite3_stmt *statement, int at, const struct td_column *columns,
		    const void *record, int has_media,
		    char moments[TD_COLUMN_MOMENTS_MAX][TD_UTC_TEXT_BYTES])
{
	unsigned moment = 0;
	int rc = SQLITE_OK;

	for (; rc == SQLITE_OK && columns->name; columns++) {
		const char *field = (const char *)record + columns->offset;

		TD_ASSERT(moment < TD_COLUMN_MOMENTS_MAX || columns->kind != TD_COLUMN_UTC);
		if (columns->measured && !has_media)
			rc = sqlite3_bind_null(statement, at);
		else if (columns->kind == TD_COLUMN_UTC)
			rc = bind_utc(statement, at, *(const int64_t *)field, moments[moment++]);
		else
			rc = bind_field(statement, at, columns->kind, field);
		at += columns->kind == TD_COLUMN_UTC ? 2 : 1;
	}
	return rc;
}

// How a record's fields become columns: one row a field, for calls and for legs.
//
//   field of struct td_cdr_* -> kind -> one column (a time becomes two: ISO text and milliseconds)
//
// The inserts are composed from these tables, so a field is added here and in a migration
// (database.c) and nowhere else. Constant; any thread.
#pragma once

#include <sqlite3.h>
#include <stddef.h>

#include "base/utc.h"

#define TD_COLUMN_MOMENTS_MAX 4 // TD_COLUMN_UTC of one table

enum td_column_kind {
	TD_COLUMN_TEXT,      // char[]; empty: NULL
	TD_COLUMN_UTC,       // int64_t ms; 0: NULL; columns NAME_utc and NAME_ms
	TD_COLUMN_BOOL,      // bool
	TD_COLUMN_U16,       // uint16_t; 0: NULL
	TD_COLUMN_U32,       // uint32_t
	TD_COLUMN_U32_SET,   // uint32_t; 0: NULL
	TD_COLUMN_U64,       // uint64_t
	TD_COLUMN_I64,       // int64_t
	TD_COLUMN_CENTI,     // uint32_t hundredths, as a real number
	TD_COLUMN_CENTI_SET, // the same; 0: NULL
	TD_COLUMN_DBM0       // int32_t; TD_LEVEL_UNKNOWN: NULL
};

struct td_column {
	const char *name;
	enum td_column_kind kind;
	size_t offset;
	int measured; // 1: NULL when the leg had no media
};

extern const struct td_column td_call_columns[], td_leg_columns[],
	td_recording_columns[]; // end: name NULL

// "INSERT INTO table(first, ...) VALUES(?, ...)"; `first` is a leading column or NULL.
// Returns the length, as snprintf does.
int td_columns_insert_sql(const struct td_column *columns, const char *table, const char *first,
			  char *out, size_t out_bytes);

// Binds the fields of `record` from parameter `at` on; times are written to `moments`. Both are
// borrowed until the statement is reset. An SQLite result code.
int td_columns_bind(sqlite3_stmt *statement, int at, const struct td_column *columns,
		    const void *record, int has_media,
		    char moments[TD_COLUMN_MOMENTS_MAX][TD_UTC_TEXT_BYTES]);

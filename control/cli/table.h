// JSON for people: aligned tables of lists, and cards of single objects, described as data.
//
// A cell is found by a dotted path ("caller_leg.codec") and shown by its kind; what is null or not
// there is "-". Text from the network is shown without its control characters, so that a caller's
// name cannot drive the operator's terminal. Widths count characters, not bytes.
#pragma once

#include <jansson.h>
#include <stdio.h>

enum td_field_kind {
	TD_FIELD_TEXT,     // as it is
	TD_FIELD_COUNT,    // 1,234,567
	TD_FIELD_DURATION, // milliseconds as 1:02:03
	TD_FIELD_SECONDS,  // seconds as 1:02:03
	TD_FIELD_MS,       // microseconds as 1.2 ms
	TD_FIELD_PERCENT,  // 99.5 %
	TD_FIELD_YESNO,
	TD_FIELD_TIME, // an ISO time as its local HH:MM:SS
	TD_FIELD_LIST  // an array of texts, with commas
};

struct td_field {
	const char *title;
	const char *path;
	enum td_field_kind kind;
};

#define TD_FIELD_MAX    160 // bytes of one shown cell
#define TD_TABLE_FIELDS 16  // columns of a table

// Text of one cell of `object`.
const char *td_field_text(const json_t *object, const struct td_field *cell,
			  char out[TD_FIELD_MAX]);

// One line a member of `list`, under a line of titles; `empty` when there is none. `cells` ends
// with title NULL. `line_end` closes each line ("\n", or "\033[K\n" on a live screen).
void td_table_print(FILE *out, const json_t *list, const struct td_field *cells, const char *empty,
		    const char *line_end);

// One line a cell: title and value.
void td_card_print(FILE *out, const json_t *object, const struct td_field *cells);

// Every member of a flat object as a line, in alphabetical order.
void td_members_print(FILE *out, const json_t *object);

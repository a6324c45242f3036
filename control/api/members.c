// Reading and writing them.
#include "api/members.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/core.h"
#include "api/gain.h"
#include "link/link.h"

json_t *td_describe_end(const struct td_member *member)
{
	char text[32];

	if (member->kind == TD_MEMBER_FLOOR)
		return json_string("floor");
	snprintf(text, sizeof text, "%s:%u", member->kind == TD_MEMBER_STREAM ? "stream" : "player",
		 member->handle);
	return json_string(text);
}

static bool read_number(const char *text, uint32_t *out)
{
	unsigned long long value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	value = strtoull(text, &end, 10);
	*out = (uint32_t)value;
	return *end == '\0' && value > 0 && value <= UINT32_MAX;
}

static bool read_member(const char *text, struct td_member *out)
{
	*out = (struct td_member){ TD_MEMBER_NONE, 0 };
	if (!text)
		return false;
	if (strcmp(text, "floor") == 0) {
		out->kind = TD_MEMBER_FLOOR;
		return true;
	}
	if (strncmp(text, "stream:", 7) == 0)
		out->kind = TD_MEMBER_STREAM;
	else if (strncmp(text, "player:", 7) == 0)
		out->kind = TD_MEMBER_PLAYER;
	else
		return false;
	return read_number(text + 7, &out->handle);
}

static bool read_gain(const json_t *cell, int32_t *out)
{
	const json_t *db = json_object_get(cell, "gain_db");
	const char *word = json_string_value(json_object_get(cell, "gain"));

	if (json_is_number(db)) {
		if (json_number_value(db) > TD_GAIN_DB_MAX)
			return false;
		*out = td_gain_of_db(json_number_value(db));
		return !word;
	}
	if (!word || db)
		return false;
	*out = strcmp(word, "follow") == 0 ? TD_GAIN_FOLLOW : 0;
	return *out != 0 || strcmp(word, "off") == 0;
}

bool td_member_cells(struct td_rpc_call *call, struct td_cell cells[TD_EDIT_CELL_MAX],
		     uint32_t *count)
{
	const json_t *list = td_rpc_value(call, "cells");
	json_t *value;
	size_t index;

	*count = 0;
	json_array_foreach((json_t *)list, index, value)
	{
		struct td_cell *cell = &cells[*count];

		if (!read_member(json_string_value(json_object_get(value, "from")), &cell->from) ||
		    !read_member(json_string_value(json_object_get(value, "to")), &cell->to)) {
			td_rpc_fail(call, TD_RPC_PARAMS,
				    "cells[%zu]: from and to are stream:N, player:N or floor",
				    index);
			return false;
		}
		if (!read_gain(value, &cell->gain_q12)) {
			td_rpc_fail(call, TD_RPC_PARAMS,
				    "cells[%zu]: expected gain_db up to 18, or gain off or follow",
				    index);
			return false;
		}
		++*count;
	}
	return true;
}

bool td_member_items(struct td_rpc_call *call, struct td_play_item items[TD_PLAY_ITEM_MAX],
		     uint32_t *count)
{
	struct td_api *api = call->context;
	const json_t *list = td_rpc_value(call, "prompts");
	json_t *value;
	size_t index;

	*count = 0;
	json_array_foreach((json_t *)list, index, value)
	{
		struct td_play_item *item = &items[*count];
		const char *name = json_string_value(value);
		int error = td_link_find_prompt(api->deps.link, name, &item->prompt);

		if (error == -TD_ENOT_FOUND) {
			char why[96];

			snprintf(why, sizeof why, "there is no prompt %.63s", name);
			td_rpc_fail_error(call, error, why);
		} else if (error) {
			td_rpc_fail_error(call, error, NULL);
		}
		if (error)
			return false;
		item->offset_ms = *count ? 0 : (uint32_t)td_rpc_integer(call, "offset_ms", 0);
		++*count;
	}
	return true;
}

// Verbs about contexts: what is in them, and commands to the dataplane as they are.
//
// An edit made here stays until a feature changes the same cell. It is answered when the dataplane
// has answered, with the name of its error when it refuses.
#include <string.h>

#include "api/core.h"
#include "api/describe.h"
#include "api/gain.h"
#include "api/later.h"
#include "api/members.h"
#include "api/verbs.h"
#include "call/contexts.h"
#include "link/link.h"
#include "td_stats.h"

static const char *hears_name(const struct td_region *region, struct td_stream_id id)
{
	uint32_t index = td_handle_index(id.v);
	struct td_stream_mirror mirror;

	if (!region || index >= region->stream_count ||
	    td_mirror_read(&region->streams[index], &mirror) != 0 || mirror.id.v != id.v)
		return "unknown";
	return td_hears_name(mirror.hears);
}

static TD_CONTROL json_t *describe_players(struct td_api *api, const struct td_context_info *info)
{
	const struct td_region *region = td_link_region(api->deps.link);
	json_t *players = json_array();

	for (uint32_t i = 0; i < info->player_count; i++) {
		const struct td_context_player_info *player = &info->players[i];
		const char *prompt = region && player->prompt < region->prompt_count
					     ? region->prompts[player->prompt].name
					     : "";

		json_array_append_new(
			players, json_pack("{s:I, s:s, s:o}", "player", (json_int_t)player->id.v,
					   "use", player->use, "prompt", td_describe_text(prompt)));
	}
	return players;
}

static TD_CONTROL json_t *describe_context(struct td_api *api, const struct td_context_info *info)
{
	return json_pack("{s:I, s:o, s:o, s:I, s:b, s:o}", "context", (json_int_t)info->id.v,
			 "call", td_describe_text(info->call), "conference",
			 td_describe_text(info->conference), "members", (json_int_t)info->members,
			 "recording", info->recording, "players", describe_players(api, info));
}

struct listing {
	struct td_api *api;
	const struct td_region *region;
	json_t *items;
	int64_t skip, limit, total;
};

static bool taken(struct listing *listing)
{
	return listing->total++ >= listing->skip && listing->limit-- > 0;
}

static TD_CONTROL bool add_context(void *user, const struct td_context_info *info)
{
	struct listing *listing = user;

	if (taken(listing))
		json_array_append_new(listing->items, describe_context(listing->api, info));
	return true;
}

static TD_CONTROL struct listing listing_of(struct td_rpc_call *call)
{
	struct td_api *api = call->context;

	return (struct listing){
		.api = api,
		.region = td_link_region(api->deps.link),
		.items = json_array(),
		.skip = td_rpc_integer(call, "offset", 0),
		.limit = td_rpc_integer(call, "limit", 1000),
	};
}

json_t *td_verb_context_list(struct td_rpc_call *call)
{
	struct listing listing = listing_of(call);

	td_contexts_foreach(listing.api->deps.calls, add_context, &listing);
	return json_pack("{s:I, s:o}", "total", (json_int_t)listing.total, "contexts",
			 listing.items);
}

static bool add_member(void *user, const struct td_member_info *info)
{
	struct listing *listing = user;
	json_t *member;

	if (!taken(listing))
		return true;
	member = td_describe_member(info);
	json_object_set_new(member, "hears",
			    json_string(hears_name(listing->region, info->leg.stream)));
	json_array_append_new(listing->items, member);
	return true;
}

static bool add_cell(void *user, const struct td_cell *cell)
{
	struct listing *listing = user;

	if (taken(listing))
		json_array_append_new(listing->items,
				      json_pack("{s:o, s:o, s:o}", "from",
						td_describe_end(&cell->from), "to",
						td_describe_end(&cell->to), "gain_db",
						td_describe_gain(cell->gain_q12)));
	return true;
}

static struct td_context_id context_of(const struct td_rpc_call *call)
{
	return (struct td_context_id){ (uint32_t)td_rpc_integer(call, "context", 0) };
}

json_t *td_verb_context_get(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	struct td_context_id id = context_of(call);
	struct listing members, cells;
	struct td_context_info info;
	json_t *out;

	if (td_contexts_get(api->deps.calls, id, &info) != 0)
		return td_rpc_fail(call, TD_RPC_NOT_FOUND, "there is no context %u", id.v);
	members = listing_of(call);
	td_contexts_members(api->deps.calls, id, add_member, &members);
	cells = listing_of(call);
	td_contexts_cells(api->deps.calls, id, add_cell, &cells);
	out = describe_context(api, &info);
	json_object_set_new(out, "list", members.items);
	json_object_set_new(out, "cells", cells.items);
	return out;
}

json_t *td_verb_context_edit(struct td_rpc_call *call)
{
	struct td_command command = { .kind = TD_COMMAND_MATRIX_EDIT };
	struct td_command_matrix_edit *edit = &command.u.matrix_edit;

	edit->context = context_of(call);
	if (!td_member_cells(call, edit->cells, &edit->cell_count))
		return NULL;
	return td_later_submit(call, &command, NULL);
}

static json_t *player_created(const struct td_event *event)
{
	return json_pack("{s:I}", "player", (json_int_t)event->u.player.v);
}

json_t *td_verb_context_play(struct td_rpc_call *call)
{
	struct td_command command = { .kind = TD_COMMAND_PLAYER_CREATE };
	struct td_command_player_create *create = &command.u.player_create;
	uint32_t count;

	create->context = context_of(call);
	create->loop = td_rpc_boolean(call, "loop", false);
	create->stop_stream.v = (uint32_t)td_rpc_integer(call, "stop_stream", 0);
	for (const char *c = td_rpc_string(call, "stop_digits", ""); *c; c++)
		create->stop_digits |= td_digit_bit(*c);
	if (!td_member_items(call, create->items, &count))
		return NULL;
	create->item_count = (uint16_t)count;
	return td_later_submit(call, &command, player_created);
}

static TD_CONTROL json_t *control(struct td_rpc_call *call, enum td_player_action action)
{
	struct td_command command = { .kind = TD_COMMAND_PLAYER_CONTROL };
	struct td_command_player_control *what = &command.u.player_control;

	what->player.v = (uint32_t)td_rpc_integer(call, "player", 0);
	what->action = action;
	what->position_ms = (uint32_t)td_rpc_integer(call, "position_ms", 0);
	if (action == TD_PLAYER_SPLICE && !td_member_items(call, what->items, &what->item_count))
		return NULL;
	return td_later_submit(call, &command, NULL);
}

// The player goes, as one that has been played does not by itself.
json_t *td_verb_context_stop(struct td_rpc_call *call)
{
	struct td_command command = { .kind = TD_COMMAND_PLAYER_DESTROY };
	struct td_api *api = call->context;

	command.u.player_destroy.v = (uint32_t)td_rpc_integer(call, "player", 0);
	if (td_contexts_own_player(api->deps.calls, command.u.player_destroy))
		return td_rpc_fail_error(call, -TD_EBUSY,
					 "this player belongs to a call or a conference");
	return td_later_submit(call, &command, NULL);
}

json_t *td_verb_context_pause(struct td_rpc_call *call)
{
	return control(call, TD_PLAYER_PAUSE);
}

json_t *td_verb_context_resume(struct td_rpc_call *call)
{
	return control(call, TD_PLAYER_RESUME);
}

json_t *td_verb_context_seek(struct td_rpc_call *call)
{
	return control(call, TD_PLAYER_SEEK);
}

json_t *td_verb_context_splice(struct td_rpc_call *call)
{
	return control(call, TD_PLAYER_SPLICE);
}

// Which of these words are in the list, as bits in their order; false after an unknown one.
static bool bits_of(struct td_rpc_call *call, const char *name, const char *const *words,
		    uint32_t *out)
{
	const json_t *list = td_rpc_value(call, name);
	json_t *value;
	size_t index;

	*out = 0;
	json_array_foreach((json_t *)list, index, value)
	{
		const char *text = json_string_value(value);
		uint32_t bit = 0;

		while (words[bit] && strcmp(words[bit], text) != 0)
			bit++;
		if (!words[bit]) {
			td_rpc_fail(call, TD_RPC_PARAMS, "%s: there is no \"%.63s\"", name, text);
			return false;
		}
		*out |= 1u << bit;
	}
	return true;
}

json_t *td_verb_stream_tune(struct td_rpc_call *call)
{
	static const char *const detect[] = { "dtmf", "fax", "progress", "beep", NULL };
	static const char *const flags[] = { "no-digits", "convert", NULL };
	struct td_command command = { .kind = TD_COMMAND_STREAM_TUNE };
	struct td_command_stream_tune *tune = &command.u.stream_tune;

	tune->stream.v = (uint32_t)td_rpc_integer(call, "id", 0);
	if (!bits_of(call, "detect", detect, &tune->detect) ||
	    !bits_of(call, "flags", flags, &tune->flags))
		return NULL;
	return td_later_submit(call, &command, NULL);
}

json_t *td_verb_stream_digits(struct td_rpc_call *call)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_DIGITS };
	struct td_command_stream_digits *send = &command.u.stream_digits;
	const char *digits = td_rpc_string(call, "digits", "");
	const char *how = td_rpc_string(call, "how", "auto");

	for (const char *c = digits; *c; c++) {
		if (td_digit_bit(*c) == 0)
			return td_rpc_fail(call, TD_RPC_PARAMS,
					   "digits: expected 0 to 9, * # and A to D");
	}
	send->stream.v = (uint32_t)td_rpc_integer(call, "id", 0);
	send->how = strcmp(how, "event") == 0  ? TD_DIGITS_EVENT
		    : strcmp(how, "tone") == 0 ? TD_DIGITS_TONE
					       : TD_DIGITS_AUTO;
	send->duration_ms = (uint16_t)td_rpc_integer(call, "duration_ms", 0);
	send->gap_ms = (uint16_t)td_rpc_integer(call, "gap_ms", 0);
	memcpy(send->digits, digits, strlen(digits));
	return td_later_submit(call, &command, NULL);
}

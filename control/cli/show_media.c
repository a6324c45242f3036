// Calls as who hears whom, conferences, contexts.
#include <stdbool.h>

#include "cli/show.h"

#define END                                                                                        \
	{                                                                                          \
		.title = NULL                                                                      \
	}

static const struct td_field party_fields[] = {
	{ "ROLE", "role", TD_FIELD_TEXT },
	{ "PARTY", "party", TD_FIELD_TEXT },
	{ "STATE", "state", TD_FIELD_TEXT },
	{ "STREAM", "stream", TD_FIELD_TEXT },
	{ "CODEC", "codec", TD_FIELD_TEXT },
	{ "ON HOLD", "on_hold", TD_FIELD_YESNO },
	{ "MUTED", "muted", TD_FIELD_YESNO },
	{ "DEAF", "deaf", TD_FIELD_YESNO },
	{ "TALKS DB", "talk_db", TD_FIELD_TEXT },
	{ "HEARS DB", "hear_db", TD_FIELD_TEXT },
	END,
};

static const struct td_field fork_fields[] = {
	{ "FORK", "fork", TD_FIELD_TEXT },
	{ "NAME", "name", TD_FIELD_TEXT },
	{ "CALL", "call", TD_FIELD_TEXT },
	{ "CONFERENCE", "conference", TD_FIELD_TEXT },
	{ "STATE", "state", TD_FIELD_TEXT },
	{ "PLAYER", "player", TD_FIELD_TEXT },
	{ "PACKETS", "packets", TD_FIELD_COUNT },
	{ "SENT", "sent", TD_FIELD_COUNT },
	{ "LOST", "lost", TD_FIELD_COUNT },
	{ "LATE", "late", TD_FIELD_COUNT },
	{ "SAID MS", "said_ms", TD_FIELD_COUNT },
	{ "FLUSHED MS", "flushed_ms", TD_FIELD_COUNT },
	{ "UNDERRUNS", "underruns", TD_FIELD_COUNT },
	{ "FILE", "file", TD_FIELD_TEXT },
	END,
};

static const struct td_field conference_fields[] = {
	{ "CONFERENCE", "name", TD_FIELD_TEXT },
	{ "PRESENT", "present", TD_FIELD_COUNT },
	{ "OF", "members_max", TD_FIELD_COUNT },
	{ "LECTURE", "lecture", TD_FIELD_YESNO },
	{ "LOCKED", "locked", TD_FIELD_YESNO },
	{ "MUTED", "muted", TD_FIELD_YESNO },
	{ "SINCE", "created", TD_FIELD_TIME },
	{ "CONTEXT", "context", TD_FIELD_TEXT },
	END,
};

static const struct td_field member_fields[] = {
	{ "MEMBER", "id", TD_FIELD_TEXT },
	{ "PARTY", "party", TD_FIELD_TEXT },
	{ "SEAT", "seat", TD_FIELD_TEXT },
	{ "STATE", "state", TD_FIELD_TEXT },
	{ "STREAM", "stream", TD_FIELD_TEXT },
	{ "CODEC", "codec", TD_FIELD_TEXT },
	{ "MUTED", "muted", TD_FIELD_YESNO },
	{ "DEAF", "deaf", TD_FIELD_YESNO },
	{ "TALKS DB", "talks_db", TD_FIELD_TEXT },
	{ "HEARS DB", "hears_db", TD_FIELD_TEXT },
	END,
};

static const struct td_field context_fields[] = {
	{ "CONTEXT", "context", TD_FIELD_TEXT },       { "CALL", "call", TD_FIELD_TEXT },
	{ "CONFERENCE", "conference", TD_FIELD_TEXT }, { "MEMBERS", "members", TD_FIELD_COUNT },
	{ "RECORDED", "recording", TD_FIELD_YESNO },   END,
};

static const struct td_field stream_fields[] = {
	{ "STREAM", "stream", TD_FIELD_TEXT },
	{ "CALL", "call", TD_FIELD_TEXT },
	{ "ROLE", "role", TD_FIELD_TEXT },
	{ "PARTY", "party", TD_FIELD_TEXT },
	{ "CODEC", "codec", TD_FIELD_TEXT },
	{ "HEARS BY", "hears", TD_FIELD_TEXT },
	END,
};

static const struct td_field player_fields[] = {
	{ "PLAYER", "player", TD_FIELD_TEXT },
	{ "USE", "use", TD_FIELD_TEXT },
	{ "PROMPT", "prompt", TD_FIELD_TEXT },
	END,
};

static const struct td_field cell_fields[] = {
	{ "FROM", "from", TD_FIELD_TEXT },
	{ "TO", "to", TD_FIELD_TEXT },
	{ "GAIN DB", "gain_db", TD_FIELD_TEXT },
	END,
};

static const json_t *part(const json_t *object, const char *key)
{
	return json_object_get(object, key);
}

static void print_one(FILE *out, const json_t *object, const struct td_field *fields)
{
	json_t *one = json_pack("[O]", object);

	td_table_print(out, one, fields, "it is gone", "\n");
	json_decref(one);
}

static void add_leg(json_t *parties, const json_t *call, const char *key)
{
	json_t *leg = json_object_get(call, key);

	if (json_is_object(leg))
		json_array_append(parties, leg);
}

void td_show_parties(FILE *out, const json_t *result)
{
	json_t *parties = json_array(), *other;
	size_t index;

	add_leg(parties, result, "caller_leg");
	add_leg(parties, result, "agent_leg");
	json_array_foreach(part(result, "others"), index, other)
	{
		json_array_append(parties, other);
	}
	td_table_print(out, parties, party_fields, "nobody is in the call", "\n");
	json_decref(parties);
}

void td_show_forks(FILE *out, const json_t *result)
{
	td_table_print(out, part(result, "forks"), fork_fields, "no forks", "\n");
}

void td_show_fork(FILE *out, const json_t *result)
{
	print_one(out, result, fork_fields);
}

void td_show_conferences(FILE *out, const json_t *result)
{
	td_table_print(out, part(result, "conferences"), conference_fields, "no conferences", "\n");
}

void td_show_conference(FILE *out, const json_t *result)
{
	print_one(out, result, conference_fields);
	if (!part(result, "list"))
		return;
	fputs("\n", out);
	td_table_print(out, part(result, "list"), member_fields, "nobody is there", "\n");
}

void td_show_contexts(FILE *out, const json_t *result)
{
	td_table_print(out, part(result, "contexts"), context_fields, "no contexts", "\n");
}

void td_show_context(FILE *out, const json_t *result)
{
	print_one(out, result, context_fields);
	fputs("\n", out);
	td_table_print(out, part(result, "list"), stream_fields, "no streams", "\n");
	fputs("\n", out);
	td_table_print(out, part(result, "players"), player_fields, "no players", "\n");
	fputs("\n", out);
	td_table_print(out, part(result, "cells"), cell_fields, "nobody hears anybody", "\n");
}

void td_show_player(FILE *out, const json_t *result)
{
	fprintf(out, "player %" JSON_INTEGER_FORMAT "\n",
		json_integer_value(part(result, "player")));
}

void td_show_done(FILE *out, const json_t *result)
{
	(void)result;
	fputs("done\n", out);
}

void td_show_recordings(FILE *out, const json_t *result)
{
	static const struct td_field fields[] = {
		{ "FILE", "file", TD_FIELD_TEXT },
		{ "TENANT", "tenant", TD_FIELD_TEXT },
		{ "CALL", "call", TD_FIELD_TEXT },
		{ "CONFERENCE", "conference", TD_FIELD_TEXT },
		{ "QUEUE", "queue", TD_FIELD_TEXT },
		{ "AGENT", "agent", TD_FIELD_TEXT },
		{ "STATE", "state", TD_FIELD_TEXT },
		{ "LENGTH", "duration_ms", TD_FIELD_DURATION },
		{ "RECEIVED", "packets_received", TD_FIELD_COUNT },
		{ "WRITTEN", "packets_written", TD_FIELD_COUNT },
		{ "HELD", "hold", TD_FIELD_YESNO },
		{ NULL, NULL, TD_FIELD_TEXT },
	};

	td_table_print(out, part(result, "recordings"), fields, "no recordings", "\n");
}

void td_show_recording(FILE *out, const json_t *result)
{
	static const struct td_field fields[] = {
		{ "file", "recorded.file", TD_FIELD_TEXT },
		{ "state", "recorded.state", TD_FIELD_TEXT },
		{ "packets received", "recorded.packets_received", TD_FIELD_COUNT },
		{ "packets written", "recorded.packets_written", TD_FIELD_COUNT },
		{ "privacy", "privacy", TD_FIELD_TEXT },
		{ NULL, NULL, TD_FIELD_TEXT },
	};

	print_one(out, result, fields);
}

// JSON as text for people: every kind of field, alignment, hostile text, and the commands' table.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/table.h"
#include "cli/tandemctl.h"

static const struct {
	const char *json;
	enum td_field_kind kind;
	const char *path, *shown;
} fields[] = {
	{ "{\"a\":\"text\"}", TD_FIELD_TEXT, "a", "text" },
	{ "{\"a\":17}", TD_FIELD_TEXT, "a", "17" },
	{ "{\"a\":{\"b\":{\"c\":\"deep\"}}}", TD_FIELD_TEXT, "a.b.c", "deep" },
	{ "{\"a\":null}", TD_FIELD_TEXT, "a", "-" },
	{ "{}", TD_FIELD_COUNT, "a", "-" },
	{ "{\"a\":1}", TD_FIELD_COUNT, "a.b", "-" },
	{ "{\"a\":0}", TD_FIELD_COUNT, "a", "0" },
	{ "{\"a\":999}", TD_FIELD_COUNT, "a", "999" },
	{ "{\"a\":1000}", TD_FIELD_COUNT, "a", "1,000" },
	{ "{\"a\":-1234567}", TD_FIELD_COUNT, "a", "-1,234,567" },
	{ "{\"a\":9223372036854775807}", TD_FIELD_COUNT, "a", "9,223,372,036,854,775,807" },
	{ "{\"a\":59999}", TD_FIELD_DURATION, "a", "0:59" },
	{ "{\"a\":3599999}", TD_FIELD_DURATION, "a", "59:59" },
	{ "{\"a\":3600000}", TD_FIELD_DURATION, "a", "1:00:00" },
	{ "{\"a\":90061}", TD_FIELD_SECONDS, "a", "25:01:01" },
	{ "{\"a\":1250}", TD_FIELD_MS, "a", "1.2 ms" },
	{ "{\"a\":99.96}", TD_FIELD_PERCENT, "a", "100.0 %" },
	{ "{\"a\":5}", TD_FIELD_PERCENT, "a", "5.0 %" },
	{ "{\"a\":true}", TD_FIELD_YESNO, "a", "yes" },
	{ "{\"a\":false}", TD_FIELD_YESNO, "a", "no" },
	{ "{\"a\":\"2026-01-02T03:04:05.678Z\"}", TD_FIELD_TIME, "a", "03:04:05" },
	{ "{\"a\":\"yesterday\"}", TD_FIELD_TIME, "a", "-" },
	{ "{\"a\":[\"x\",\"y\"]}", TD_FIELD_LIST, "a", "x, y" },
	{ "{\"a\":[]}", TD_FIELD_LIST, "a", "" },
	// Control characters, C0 and C1, and what follows them.
	{ "{\"a\":\"x\\u001b[2Jy\\n\\u007fz\"}", TD_FIELD_TEXT, "a", "x?[2Jy??z" },
	{ "{\"a\":\"x\\u009b2Jy\"}", TD_FIELD_TEXT, "a", "x?2Jy" },
	{ "{\"a\":\"\\u00a0\\u00e9\\u20ac\"}", TD_FIELD_TEXT, "a", "\u00a0\u00e9\u20ac" },
	{ "{\"a\":[\"\\u001b\",\"b\"]}", TD_FIELD_LIST, "a", "?, b" },
};

START_TEST(test_field)
{
	const struct td_field field = { "", fields[_i].path, fields[_i].kind };
	json_t *object = json_loads(fields[_i].json, 0, NULL);
	char out[TD_FIELD_MAX];

	setenv("TZ", "UTC", 1);
	ck_assert_ptr_nonnull(object);
	ck_assert_str_eq(td_field_text(object, &field, out), fields[_i].shown);
	json_decref(object);
}
END_TEST

// Text of any length and any alignment of its characters is cut between characters.
START_TEST(test_long_text_is_cut_between_characters)
{
	const struct td_field field = { "", "a", TD_FIELD_TEXT };

	for (size_t lead = 0; lead < 4; lead++) {
		char text[1024], out[TD_FIELD_MAX];
		json_t *object, *again;
		int at = snprintf(text, sizeof text, "%.*s", (int)lead, "xxx");

		for (int i = 0; i < 200; i++)
			at += snprintf(text + at, sizeof text - (size_t)at, "\u20ac");
		object = json_pack("{s:s}", "a", text);
		td_field_text(object, &field, out);
		ck_assert_uint_gt(strlen(out), TD_FIELD_MAX - 10);
		again = json_string(out);
		ck_assert_ptr_nonnull(again);
		json_decref(again);
		json_decref(object);
	}
}
END_TEST

static char *print_table(const char *json, const struct td_field *columns)
{
	json_t *list = json_loads(json, 0, NULL);
	char *text;
	size_t bytes;
	FILE *out = open_memstream(&text, &bytes);

	td_table_print(out, list, columns, "nothing", "\n");
	fclose(out);
	json_decref(list);
	return text;
}

START_TEST(test_columns_are_aligned_by_characters)
{
	static const struct td_field columns[] = {
		{ "NAME", "name", TD_FIELD_TEXT },
		{ "N", "n", TD_FIELD_COUNT },
		{ "LAST", "last", TD_FIELD_TEXT },
		{ .title = NULL },
	};
	char *text = print_table("[{\"name\":\"\\u00c9l\\u00e9onore\",\"n\":5,\"last\":\"a\"},"
				 "{\"name\":\"Bo\",\"n\":1000,\"last\":\"bcdefg\"}]",
				 columns);

	ck_assert_str_eq(text, "NAME          N  LAST\n"
			       "\u00c9l\u00e9onore      5  a\n"
			       "Bo        1,000  bcdefg\n");
	free(text);
	text = print_table("[]", columns);
	ck_assert_str_eq(text, "nothing\n");
	free(text);
}
END_TEST

// Splits at spaces, in place.
static int split(char *line, char *words[8])
{
	int count = 0;

	for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
		words[count++] = word;
	return count;
}

static const struct {
	const char *line, *method; // NULL: no such command
	const char *params;        // as JSON; NULL: not by fields
} commands[] = {
	{ "status", "system.status", NULL },
	{ "status x", NULL, NULL },
	{ "agent", NULL, NULL },
	{ "agent 1001", "agent.get", "{\"id\":\"1001\"}" },
	{ "agent 1001 paused", "agent.set_state", "{\"id\":\"1001\",\"state\":\"paused\"}" },
	{ "agent 1001 paused tea", "agent.set_state",
	  "{\"id\":\"1001\",\"reason\":\"tea\",\"state\":\"paused\"}" },
	{ "agent 1001 paused tea x", NULL, NULL },
	{ "calls support", "call.list", NULL },
	{ "calls support x", NULL, NULL },
	{ "stat", NULL, NULL },
	{ "monitor c1 1003", "call.monitor", "{\"agent\":\"1003\",\"id\":\"c1\"}" },
	{ "monitor c1", NULL, NULL },
	{ "volume c1 caller -6", "call.volume",
	  "{\"id\":\"c1\",\"party\":\"caller\",\"talk_db\":-6}" },
	{ "volume c1 caller loud 3.5", "call.volume",
	  "{\"hear_db\":3.5,\"id\":\"c1\",\"party\":\"caller\",\"talk_db\":\"loud\"}" },
	{ "announce c1 all one two", "call.announce",
	  "{\"id\":\"c1\",\"party\":\"all\",\"prompts\":[\"one\",\"two\"]}" },
	{ "conference room", "conference.get", "{\"name\":\"room\"}" },
	// A conference may be called like what is done with one.
	{ "conference lock", "conference.get", "{\"name\":\"lock\"}" },
	{ "conference lock lock", "conference.lock", "{\"name\":\"lock\"}" },
	{ "conference lecture room on", "conference.lecture",
	  "{\"lecture\":true,\"name\":\"room\"}" },
	{ "conference lecture room off", "conference.lecture",
	  "{\"lecture\":false,\"name\":\"room\"}" },
	{ "conference lecture room maybe", "conference.lecture",
	  "{\"lecture\":\"maybe\",\"name\":\"room\"}" },
	{ "conference mute room", "conference.mute", "{\"name\":\"room\"}" },
	{ "conference frob room", NULL, NULL },
	{ "listen 17", "stream.tune", "{\"detect\":[],\"id\":17}" },
	{ "seek 17 500", "context.seek", "{\"player\":17,\"position_ms\":500}" },
};

START_TEST(test_commands_by_name_and_number_of_arguments)
{
	const struct td_ctl_command *command;
	char line[64], *words[8], *text;
	json_t *params;
	int used, count;

	snprintf(line, sizeof line, "%s", commands[_i].line);
	count = split(line, words);
	command = td_command_find(words, count, &used);
	ck_assert_int_eq(command != NULL, commands[_i].method != NULL);
	if (!command)
		return;
	ck_assert_str_eq(command->method, commands[_i].method);
	ck_assert_int_eq(command->fields != NULL, commands[_i].params != NULL);
	if (!command->fields)
		return;
	params = td_command_fields(command->fields, words + used, count - used);
	text = json_dumps(params, JSON_COMPACT | JSON_SORT_KEYS);
	ck_assert_str_eq(text, commands[_i].params);
	free(text);
	json_decref(params);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("table");
	TCase *tcase = tcase_create("table");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_field, 0, (int)(sizeof fields / sizeof fields[0]));
	tcase_add_test(tcase, test_long_text_is_cut_between_characters);
	tcase_add_test(tcase, test_columns_are_aligned_by_characters);
	tcase_add_loop_test(tcase, test_commands_by_name_and_number_of_arguments, 0,
			    (int)(sizeof commands / sizeof commands[0]));
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

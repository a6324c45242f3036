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

START_TEST(test_commands_by_name_and_number_of_arguments)
{
	static const struct {
		const char *name;
		int count;
		const char *method; // NULL: no such command
	} rows[] = {
		{ "status", 0, "system.status" },
		{ "status", 1, NULL },
		{ "agent", 0, NULL },
		{ "agent", 1, "agent.get" },
		{ "agent", 2, "agent.set_state" },
		{ "agent", 3, "agent.set_state" },
		{ "agent", 4, NULL },
		{ "calls", 1, "call.list" },
		{ "calls", 2, NULL },
		{ "stat", 0, NULL },
		{ "", 0, NULL },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct td_ctl_command *command = td_command_find(rows[i].name, rows[i].count);

		ck_assert_int_eq(command != NULL, rows[i].method != NULL);
		if (command)
			ck_assert_str_eq(command->method, rows[i].method);
	}
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
	tcase_add_test(tcase, test_commands_by_name_and_number_of_arguments);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

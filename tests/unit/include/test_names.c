// Names: every member of every enum has one of its own; any other number has a harmless one.
#include <check.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "td_codec_id.h"
#include "td_command.h"
#include "td_error.h"
#include "td_event.h"
#include "td_role.h"
#include "td_stats.h"

static const char *drop_name(uint32_t v)
{
	return td_drop_name((enum td_drop)v);
}

static const char *codec_name(uint32_t v)
{
	return td_codec_name((enum td_codec_id)v);
}

static const char *error_name(uint32_t v)
{
	return td_error_name((int)v);
}

static const char *error_text(uint32_t v)
{
	return td_error_text((int)v);
}

static const struct {
	const char *what;
	const char *(*name)(uint32_t);
	uint32_t count;
	const char *outside; // what UINT32_MAX and count are called
} rows[] = {
	{ "drop", drop_name, TD_DROP_COUNT, "unknown" },
	{ "codec", codec_name, TD_CODEC_COUNT, "none" },
	{ "command", td_command_name, TD_COMMAND_KIND_COUNT, "unknown" },
	{ "hears", td_hears_name, TD_HEARS_COUNT, "unknown" },
	{ "tone", td_tone_name, TD_TONE_COUNT, "unknown" },
	{ "event", td_event_name, TD_EVENT_KIND_COUNT, "unknown" },
	{ "error", error_name, TD_ERROR_COUNT, NULL },
	{ "error text", error_text, TD_ERROR_COUNT, NULL },
};

START_TEST(each_member_has_its_own)
{
	for (uint32_t a = 0; a < rows[_i].count; a++) {
		const char *name = rows[_i].name(a);

		ck_assert_msg(name && *name, "%s %u has no name", rows[_i].what, a);
		for (uint32_t b = 0; b < a; b++)
			ck_assert_msg(strcmp(name, rows[_i].name(b)) != 0, "%s %u and %u are %s",
				      rows[_i].what, a, b, name);
	}
}
END_TEST

START_TEST(outside_is_harmless)
{
	if (!rows[_i].outside)
		return;
	ck_assert_str_eq(rows[_i].name(rows[_i].count), rows[_i].outside);
	ck_assert_str_eq(rows[_i].name(UINT32_MAX), rows[_i].outside);
	ck_assert_str_eq(rows[_i].name((uint32_t)INT_MIN), rows[_i].outside);
}
END_TEST

// An error number may come out of shared memory, so every int must be safe.
START_TEST(errors_of_any_int)
{
	static const int outside[] = { TD_ERROR_COUNT, -TD_ERROR_COUNT, INT_MAX,
				       -INT_MAX,       INT_MIN,         INT_MIN + 1 };

	ck_assert_str_eq(td_error_name(-TD_EFULL), "FULL");
	ck_assert_str_eq(td_error_name(TD_EFULL), "FULL");
	ck_assert_str_eq(td_error_name(0), "OK");
	for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
		ck_assert_str_eq(td_error_name(outside[i]), "INVALID");
		ck_assert_str_eq(td_error_text(outside[i]), td_error_text(TD_EINVALID));
	}
}
END_TEST

START_TEST(roles)
{
	td_role_enter_control();
	ck_assert_int_eq(td_role_get(), TD_ROLE_CONTROL);
	ck_assert_str_eq(td_role_name(td_role_get()), "control");
	td_role_enter_worker(3);
	ck_assert_str_eq(td_role_name(td_role_get()), "worker");
	ck_assert_uint_eq(td_role_index(), 3);
	ck_assert_str_eq(td_role_name(TD_ROLE_NONE), "none");
	ck_assert_str_eq(td_role_name((enum td_role)99), "none");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("names");
	TCase *tcase = tcase_create("names");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, each_member_has_its_own, 0, sizeof rows / sizeof rows[0]);
	tcase_add_loop_test(tcase, outside_is_harmless, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tcase, errors_of_any_int);
	tcase_add_test(tcase, roles);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

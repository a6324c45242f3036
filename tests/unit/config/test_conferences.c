// Conferences of the config, and numbers that lead to them.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"

static struct td_config *load(const char *conferences, const char *dialplan,
			      char error[TD_CONFIG_ERROR_MAX])
{
	return frame_load(error, "conferences: [%s]\ndialplan: [%s]\n", conferences, dialplan);
}

static const struct {
	const char *conferences, *dialplan, *error;
} rows[] = {
	{ "{name: room, music: quiet}", "",
	  ":8: conferences[0].music: found \"quiet\", expected the name of a prompt under "
	  "dataplane.prompts" },
	{ "{name: room}, {name: room}", "",
	  ":8: conferences[1].name: found \"room\", expected a name that is not used twice" },
	{ "{name: room, members_max: 1}", "",
	  ":8: conferences[0].members_max: found 1, expected 2 to 16376" },
	{ "{name: room, moderators: [1002]}", "",
	  ":8: conferences[0].moderators[0]: found 1002, expected the id of an agent under agents" },
	{ "{name: room}", "{number: 800, conference: hall}",
	  ":9: dialplan[0].conference: found \"hall\", expected the name of a conference under "
	  "conferences" },
	{ "{name: room}", "{number: 800, conference: room, queue: support}",
	  ":9: dialplan[0].conference: found \"room\", expected either a queue or a conference" },
	{ "{name: room}", "{number: 800}",
	  ":9: dialplan[0].queue: found nothing, expected the name of a queue under queues" },
};

START_TEST(what_is_wrong_is_named)
{
	char error[TD_CONFIG_ERROR_MAX];

	ck_assert_ptr_null(load(rows[_i].conferences, rows[_i].dialplan, error));
	ck_assert_str_eq(error, rows[_i].error);
}
END_TEST

START_TEST(what_is_right_is_there)
{
	char error[TD_CONFIG_ERROR_MAX];
	struct td_config *config =
		load("{name: room, music: music, lecture: yes, moderators: [1001]}, {name: b}",
		     "{number: 800, conference: room}, {number: 100, queue: support}", error);

	ck_assert_str_eq(error, "");
	ck_assert_ptr_nonnull(config);
	ck_assert_uint_eq(config->conferences_count, 2);
	ck_assert(config->conferences[0].lecture);
	ck_assert_str_eq(config->conferences[0].moderators[0], "1001");
	ck_assert_uint_eq(config->conferences[1].members_max, 100);
	ck_assert(!config->conferences[1].lecture);
	ck_assert_str_eq(config->dialplan[0].conference, "room");
	td_config_free(config);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("conferences");
	Suite *suite = suite_create("config conferences");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, what_is_wrong_is_named, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tc, what_is_right_is_there);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// Forks of the config: where they lead, and what they may be called.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"

static struct td_config *load(const char *forks, char error[TD_CONFIG_ERROR_MAX])
{
	return frame_load(error, "forks: [%s]\n", forks);
}

static const struct {
	const char *forks, *error;
} rows[] = {
	{ "{name: a b, rtp: '192.0.2.7:40000'}",
	  ":8: forks[0].name: found \"a b\", expected letters, digits, \"-\", \"_\" and \".\" alone" },
	{ "{name: a, socket: /a}, {name: a, socket: /b}",
	  ":8: forks[1].name: found \"a\", expected a name that is not given twice" },
	{ "{name: a}", ":8: forks[0].rtp: found neither, expected exactly one of rtp and socket" },
	{ "{name: a, rtp: '192.0.2.7:40000', socket: /a}",
	  ":8: forks[0].socket: found \"/a\", expected exactly one of rtp and socket" },
	{ "{name: a, rtp: '192.0.2.7'}",
	  ":8: forks[0].rtp: found \"192.0.2.7\", expected an address and an even port below 65519, "
	  "such as 192.0.2.7:40000 (RTP even, RTCP odd)" },
	{ "{name: a, rtp: '192.0.2.7:40001'}",
	  ":8: forks[0].rtp: found \"192.0.2.7:40001\", expected an address and an even port below "
	  "65519, such as 192.0.2.7:40000 (RTP even, RTCP odd)" },
	{ "{name: a, rtp: '192.0.2.7:65520'}",
	  ":8: forks[0].rtp: found \"192.0.2.7:65520\", expected an address and an even port below "
	  "65519, such as 192.0.2.7:40000 (RTP even, RTCP odd)" },
	{ "{name: a, rtp: '224.0.0.1:40000'}",
	  ":8: forks[0].rtp: found \"224.0.0.1:40000\", expected an address and an even port below "
	  "65519, such as 192.0.2.7:40000 (RTP even, RTCP odd)" },
	{ "{name: a, rtp: '192.0.2.7:40000', speak: true}",
	  ":8: forks[0].speak: found true, expected false: only a socket's far end can speak" },
	{ "{name: a, socket: run/bot}",
	  ":8: forks[0].socket: found \"run/bot\", expected an absolute path, such as "
	  "/run/bot/fork.sock" },
	{ "{name: a, socket: /a, rate_hz: 11025}",
	  ":8: forks[0].rate_hz: found 11025, expected 8000 or 16000" },
	{ "{name: a, socket: /a, rate_hz: 44100}",
	  ":8: forks[0].rate_hz: found 44100, expected 8000 to 16000" },
};

START_TEST(what_is_wrong_is_named)
{
	char error[TD_CONFIG_ERROR_MAX];

	ck_assert_ptr_null(load(rows[_i].forks, error));
	ck_assert_str_eq(error, rows[_i].error);
}
END_TEST

START_TEST(what_is_right_is_there)
{
	char error[TD_CONFIG_ERROR_MAX];
	struct td_config *config = load("{name: a.b-c_9, rtp: '[2001:db8::7]:40000'}, "
					"{name: bot, socket: /run/b, rate_hz: 16000, speak: yes}, "
					"{name: asr, socket: /run/c}",
					error);

	ck_assert_str_eq(error, "");
	ck_assert_ptr_nonnull(config);
	ck_assert_uint_eq(config->dataplane.forks, 256);
	ck_assert_uint_eq(config->forks_count, 3);
	ck_assert_uint_eq(config->forks[0].rtp_parsed.family, TD_FAMILY_IPV6);
	ck_assert_str_eq(config->forks[1].socket, "/run/b");
	ck_assert_uint_eq(config->forks[1].rate_hz, 16000);
	ck_assert(config->forks[1].speak);
	ck_assert_uint_eq(config->forks[2].rate_hz, 8000);
	ck_assert(!config->forks[2].speak);
	td_config_free(config);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("forks");
	TCase *tcase = tcase_create("forks");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, what_is_wrong_is_named, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tcase, what_is_right_is_there);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

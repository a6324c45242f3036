// Moments as text, against the C library.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utc.h"

#define LAST_MS 253402300799999ull // 9999-12-31T23:59:59.999Z

static const char *theirs(uint64_t utc_ms)
{
	static char text[40];
	time_t seconds = (time_t)(utc_ms / 1000);
	struct tm utc;
	size_t len;

	gmtime_r(&seconds, &utc);
	len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + len, sizeof text - len, ".%03uZ", (unsigned)(utc_ms % 1000));
	return text;
}

START_TEST(as_written)
{
	static const struct {
		uint64_t utc_ms;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1767323045678, "2026-01-02T03:04:05.678Z" },
		{ 951782399999, "2000-02-28T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 4107542400000, "2100-03-01T00:00:00.000Z" }, // no leap year
		{ LAST_MS, "9999-12-31T23:59:59.999Z" },
	};
	char text[TD_UTC_TEXT_BYTES];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		ck_assert_str_eq(td_utc_text(rows[i].utc_ms, text), rows[i].text);
		ck_assert_str_eq(theirs(rows[i].utc_ms), rows[i].text);
	}
}
END_TEST

START_TEST(every_day_of_three_eras)
{
	char text[TD_UTC_TEXT_BYTES];

	for (uint64_t day = 0; day < 3 * 146097; day++) {
		uint64_t utc_ms = day * 86400000 + day * 7919 % 86400000;

		ck_assert_str_eq(td_utc_text(utc_ms, text), theirs(utc_ms));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base/utc");
	TCase *tcase = tcase_create("utc");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, as_written);
	tcase_add_test(tcase, every_day_of_three_eras);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

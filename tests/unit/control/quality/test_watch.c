// When media is a trouble, second by second.
#include <check.h>

#include "quality/watch.h"

#define S 1000000000ull

static const struct td_watch_rules rules = { .media_timeout_s = 10,
					     .one_way_s = 5,
					     .mos_alarm_x100 = 350 };
static struct td_watch watch;
static struct td_stream_stats stats;

static void setup(void)
{
	watch = (struct td_watch){ 0 };
	stats = (struct td_stream_stats){ 0 };
}

static unsigned look(uint64_t second, bool expected)
{
	return td_watch_look(&watch, &rules, &stats, expected, second * S);
}

START_TEST(silence_ends_once_at_its_time)
{
	ck_assert_uint_eq(look(100, true), 0);
	stats.last_rx_ns = 102 * S;
	for (uint64_t s = 101; s < 112; s++)
		ck_assert_uint_eq(look(s, true), 0);
	ck_assert_uint_eq(look(112, true), TD_WATCH_TIMEOUT);
	ck_assert_uint_eq(look(113, true), 0);
}
END_TEST

START_TEST(who_never_sent_is_timed_from_when_it_should)
{
	ck_assert_uint_eq(look(100, true), 0);
	ck_assert_uint_eq(look(109, true), 0);
	ck_assert_uint_eq(look(110, true), TD_WATCH_TIMEOUT);
}
END_TEST

START_TEST(on_hold_nothing_is_missed)
{
	stats.last_rx_ns = 100 * S;
	ck_assert_uint_eq(look(100, true), 0);
	for (uint64_t s = 101; s < 200; s++)
		ck_assert_uint_eq(look(s, false), 0);
	// Back from hold: the whole time again.
	ck_assert_uint_eq(look(200, true), 0);
	ck_assert_uint_eq(look(209, true), 0);
	ck_assert_uint_eq(look(210, true), TD_WATCH_TIMEOUT);
}
END_TEST

START_TEST(one_way_begins_and_is_over)
{
	stats.last_rx_ns = 100 * S;
	stats.quality.one_way_now_ms = 4999;
	ck_assert_uint_eq(look(105, true), 0);
	stats.quality.one_way_now_ms = 5000;
	ck_assert_uint_eq(look(106, true), TD_WATCH_ONE_WAY);
	ck_assert_uint_eq(look(107, true), 0);
	stats.quality.one_way_now_ms = 0;
	ck_assert_uint_eq(look(108, true), TD_WATCH_ONE_WAY_OVER);
	ck_assert_uint_eq(look(109, true), 0);
	stats.quality.one_way_now_ms = 9000;
	ck_assert_uint_eq(look(109, false), 0); // on hold it may
}
END_TEST

START_TEST(low_mos_has_hysteresis)
{
	static const struct {
		uint16_t mos;
		unsigned found;
	} steps[] = { { 0, 0 },   { 441, 0 },
		      { 350, 0 }, { 349, TD_WATCH_MOS_LOW },
		      { 100, 0 }, { 350, 0 },
		      { 369, 0 }, { 370, TD_WATCH_MOS_LOW_OVER },
		      { 350, 0 }, { 349, TD_WATCH_MOS_LOW } };

	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		stats.last_rx_ns = (100 + i) * S;
		stats.quality.mos_x100 = steps[i].mos;
		ck_assert_msg(look(100 + i, true) == steps[i].found, "step %zu", i);
	}
}
END_TEST

START_TEST(rules_at_zero_say_nothing)
{
	static const struct td_watch_rules none;

	stats.quality.mos_x100 = 100;
	stats.quality.one_way_now_ms = 1000000;
	for (uint64_t s = 1; s < 10000; s += 100)
		ck_assert_uint_eq(td_watch_look(&watch, &none, &stats, true, s * S), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quality/watch");
	TCase *tc = tcase_create("watch");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, silence_ends_once_at_its_time);
	tcase_add_test(tc, who_never_sent_is_timed_from_when_it_should);
	tcase_add_test(tc, on_hold_nothing_is_missed);
	tcase_add_test(tc, one_way_begins_and_is_over);
	tcase_add_test(tc, low_mos_has_hysteresis);
	tcase_add_test(tc, rules_at_zero_say_nothing);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

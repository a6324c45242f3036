// The stop watch: a turn is what its stages are together, one in so many is timed, at no regular
// distance, idle ones are forgotten, and a stage that was never entered took nothing.
#include <check.h>
#include <string.h>

#include "base/stage_clock.h"

static struct td_worker_stats stats;
static struct td_stage_clock watch;

static void setup(void)
{
	memset(&stats, 0, sizeof stats);
	td_stage_clock_init(&watch, &stats, 1000000000);
}

static void work(uint64_t ticks)
{
	uint64_t until = rte_rdtsc() + ticks;

	while (rte_rdtsc() < until)
		;
}

static uint64_t all_ticks(void)
{
	uint64_t sum = 0;

	for (int i = 0; i < TD_STAGE_COUNT; i++)
		sum += stats.stages[i].ticks;
	return sum;
}

START_TEST(test_sums)
{
	uint64_t start = rte_rdtsc(), passed;

	td_stage_clock_set(&watch, 1);
	for (int i = 0; i < 100; i++) {
		enum td_stage before;

		td_stage_clock_begin(&watch);
		ck_assert_int_eq(td_stage_enter(&watch, TD_STAGE_PARSE), TD_STAGE_OTHER);
		td_stage_count(&watch, TD_STAGE_PARSE, 32);
		work(20000);
		before = td_stage_enter(&watch, TD_STAGE_SEAL);
		ck_assert_int_eq(before, TD_STAGE_PARSE);
		work(60000);
		ck_assert_int_eq(td_stage_enter(&watch, before), TD_STAGE_SEAL);
		work(20000);
		td_stage_clock_end(&watch, true);
	}
	passed = rte_rdtsc() - start;
	ck_assert_uint_eq(stats.turns_timed, 100);
	ck_assert_uint_eq(stats.stages[TD_STAGE_PARSE].units, 3200);
	ck_assert_uint_eq(stats.stages[TD_STAGE_OTHER].units, 100);
	ck_assert_uint_ge(stats.stages[TD_STAGE_PARSE].ticks, 100 * 39000);
	ck_assert_uint_ge(stats.stages[TD_STAGE_SEAL].ticks, 100 * 59000);
	ck_assert_uint_le(all_ticks(), passed);
	ck_assert_uint_ge(all_ticks(), passed * 9 / 10);
	for (int i = 0; i < TD_STAGE_COUNT; i++) {
		if (i == TD_STAGE_PARSE || i == TD_STAGE_SEAL || i == TD_STAGE_OTHER)
			continue;
		ck_assert_uint_eq(stats.stages[i].ticks, 0);
		ck_assert_uint_eq(stats.stages[i].units, 0);
	}
}
END_TEST

// Most of what reading takes is not in the figures: empty stages cost next to nothing.
START_TEST(test_reading_is_taken_off)
{
	uint64_t least = UINT64_MAX;

	td_stage_clock_set(&watch, 1);
	ck_assert_uint_gt(watch.read_ticks, 0);
	// Of many turns the one in which nothing interrupted.
	for (int turn = 0; turn < 200; turn++) {
		uint64_t before = all_ticks();

		td_stage_clock_begin(&watch);
		for (int i = 0; i < 100; i++) {
			td_stage_enter(&watch, TD_STAGE_RX);
			td_stage_enter(&watch, TD_STAGE_TX);
		}
		td_stage_clock_end(&watch, true);
		least = all_ticks() - before < least ? all_ticks() - before : least;
	}
	ck_assert_uint_le(least / 200, 2 * watch.read_ticks + 10);
}
END_TEST

START_TEST(test_one_in_so_many)
{
	uint32_t between = 0, least = UINT32_MAX, most = 0;

	for (uint32_t i = 0; i < 64 * 4000; i++) {
		uint64_t before = stats.turns_timed;

		td_stage_clock_begin(&watch);
		td_stage_enter(&watch, TD_STAGE_RX);
		td_stage_count(&watch, TD_STAGE_RX, 1);
		td_stage_clock_end(&watch, true);
		between++;
		if (stats.turns_timed == before)
			continue;
		least = stats.turns_timed > 1 && between < least ? between : least;
		most = between > most ? between : most;
		between = 0;
	}
	ck_assert_uint_ge(stats.turns_timed, 3800);
	ck_assert_uint_le(stats.turns_timed, 4200);
	ck_assert_uint_eq(stats.stages[TD_STAGE_RX].units, stats.turns_timed);
	ck_assert_uint_le(least, TD_STAGE_EVERY / 2 + 3);
	ck_assert_uint_ge(most, TD_STAGE_EVERY * 3 / 2 - 3);
}
END_TEST

START_TEST(test_idle_turns_are_forgotten)
{
	td_stage_clock_set(&watch, 1);
	for (int i = 0; i < 10; i++) {
		td_stage_clock_begin(&watch);
		td_stage_enter(&watch, TD_STAGE_RX);
		td_stage_count(&watch, TD_STAGE_RX, 7);
		td_stage_clock_end(&watch, i == 4);
	}
	ck_assert_uint_eq(stats.turns_timed, 1);
	ck_assert_uint_eq(stats.stages[TD_STAGE_RX].units, 7);
}
END_TEST

static void turns(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		td_stage_clock_begin(&watch);
		td_stage_enter(&watch, TD_STAGE_RX);
		td_stage_clock_end(&watch, true);
	}
}

START_TEST(test_off)
{
	turns(1000);
	ck_assert_uint_gt(stats.turns_timed, 0);
	td_stage_clock_set(&watch, 0);
	memset(&stats, 0, sizeof stats);
	turns(100000);
	ck_assert_uint_eq(stats.turns_timed, 0);
	ck_assert_uint_eq(all_ticks(), 0);
	// Nothing to measure with is the same.
	td_stage_clock_init(&watch, &stats, 0);
	turns(1000);
	ck_assert_uint_eq(stats.turns_timed, 0);
}
END_TEST

START_TEST(test_names)
{
	for (int i = 0; i < TD_STAGE_COUNT; i++)
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(td_stage_name((enum td_stage)i),
					 td_stage_name((enum td_stage)j));
	ck_assert_str_eq(td_stage_name(TD_STAGE_JITTER), "jitter");
	ck_assert_str_eq(td_stage_unit(TD_STAGE_JITTER), "frame");
	ck_assert_str_eq(td_stage_name(TD_STAGE_COUNT), "unknown");
	ck_assert_str_eq(td_stage_unit(TD_STAGE_COUNT), "unknown");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stage_clock");
	TCase *tcase = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_sums);
	tcase_add_test(tcase, test_reading_is_taken_off);
	tcase_add_test(tcase, test_one_in_so_many);
	tcase_add_test(tcase, test_idle_turns_are_forgotten);
	tcase_add_test(tcase, test_off);
	tcase_add_test(tcase, test_names);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

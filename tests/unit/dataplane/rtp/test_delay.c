// The delay statistics against a plain sort of what arrived, and the rules that forget.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "rtp/delay.h"

#define MAX_MS 500u

static struct td_delay delay;
static uint64_t random_state = 88172645463325252ull;

static uint32_t uniform(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state % below);
}

// One 20 ms packet k at its time and `late` ticks.
static bool put(uint32_t k, uint32_t late, bool overtaken)
{
	uint32_t frame = delay.clock_hz / 50u;

	return td_delay_put(&delay, 777u + k * frame + late, 0xffffff00u + k * frame, frame,
			    overtaken);
}

static uint32_t target_ms(void)
{
	return (delay.target - (777u - 0xffffff00u)) / (delay.clock_hz / 1000u);
}

START_TEST(ticks)
{
	static const uint32_t clocks[] = { 8000, 16000, 32000, 48000 };

	for (uint32_t i = 0; i < 4; i++) {
		td_delay_init(&delay, clocks[i], 0, MAX_MS);
		ck_assert_uint_eq(td_delay_ticks(&delay, 0), 0);
		ck_assert_uint_le(clocks[i] - td_delay_ticks(&delay, 1000000000ull), 1);
		// A year of nanoseconds, to the tick.
		ck_assert_uint_le((uint32_t)(31536000ull * clocks[i]) -
					  td_delay_ticks(&delay, 31536000ull * 1000000000ull),
				  1);
	}
}
END_TEST

static int by_value(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

START_TEST(quantile)
{
	static uint32_t late[300];
	static const uint32_t clocks[] = { 8000, 16000, 32000, 48000 };

	for (uint32_t round = 0; round < 40; round++) {
		uint32_t clock = clocks[round % 4], ms = clock / 1000u, most = 5 + round * 5;
		uint32_t edge;

		td_delay_init(&delay, clock, 0, MAX_MS);
		// Less than a halving, so that all of it is remembered. The first is the quickest.
		for (uint32_t k = 0; k < 300; k++) {
			late[k] = k == 0 ? 0 : uniform(most * ms);
			ck_assert(put(k, late[k], true));
		}
		qsort(late, 300, sizeof late[0], by_value);
		edge = late[300 - 300 / TD_DELAY_QUANTILE] / ms;
		// A bin of 5.3 ms either way, and the millisecond on top.
		ck_assert_msg(target_ms() + 6 >= edge && target_ms() <= edge + 7,
			      "%u Hz, up to %u ms: %u, sorted %u", clock, most, target_ms(), edge);
	}
}
END_TEST

START_TEST(bursts_count_once)
{
	td_delay_init(&delay, 8000, 0, MAX_MS);
	for (uint32_t k = 0; k < 500; k++)
		ck_assert(put(k, 0, false));
	// A stall of 400 ms, and what it held back: one late packet, not twenty.
	for (uint32_t k = 500; k < 520; k++)
		ck_assert(put(k, (520 - k) * 160, false));
	ck_assert_uint_le(target_ms(), 6);
	// A few late ones that nothing held up are a reason to wait.
	for (uint32_t k = 520; k < 544; k++)
		ck_assert(put(k, k % 3 == 0 ? 1600 : 0, true));
	ck_assert_uint_ge(target_ms(), 90);
}
END_TEST

START_TEST(forgets)
{
	uint32_t k = 0;

	td_delay_init(&delay, 8000, 0, MAX_MS);
	for (; k < 1000; k++)
		ck_assert(put(k, uniform(100 * 8), true));
	ck_assert_uint_ge(target_ms(), 90);
	for (; k < 1000 + 500; k++)
		ck_assert(put(k, uniform(10 * 8), true));
	ck_assert_uint_ge(target_ms(), 80);
	for (; k < 1000 + 620; k++)
		ck_assert(put(k, uniform(10 * 8), true));
	ck_assert_uint_le(target_ms(), 16);
}
END_TEST

START_TEST(shorter_path)
{
	uint32_t k = 0;

	td_delay_init(&delay, 8000, 0, MAX_MS);
	for (; k < 1000; k++)
		ck_assert(put(k, 200 * 8 + uniform(30 * 8), true));
	ck_assert_uint_ge(target_ms(), 220);
	// By 40 ms: within two seconds. By 150 ms: with the first packet, jitter and all.
	for (; k < 1000 + 110; k++)
		ck_assert(put(k, 160 * 8 + uniform(30 * 8), true));
	ck_assert_uint_le(target_ms(), 198);
	for (; k < 1000 + 112; k++)
		ck_assert(put(k, 0, true));
	ck_assert_uint_le(target_ms(), 40);
	ck_assert_uint_ge(target_ms(), 15);
}
END_TEST

START_TEST(foreign)
{
	td_delay_init(&delay, 8000, 0, MAX_MS);
	for (uint32_t k = 0; k < 100; k++)
		ck_assert(put(k, 0, false));
	// Far too late in order is another time base; overtaken it is only very late.
	ck_assert(!put(100, 8000 * 2, false));
	ck_assert(put(100, 8000 * 2, true));
	ck_assert(!put(101, (uint32_t)-8000, false));
	td_delay_restart(&delay);
	ck_assert(put(101, (uint32_t)-8000, false));
	ck_assert_uint_eq(delay.base - (777u - 0xffffff00u), (uint32_t)-8000);
}
END_TEST

START_TEST(bounds)
{
	td_delay_init(&delay, 8000, 40, 100);
	for (uint32_t k = 0; k < 100; k++)
		ck_assert(put(k, 0, false));
	ck_assert_uint_eq(target_ms(), 40);
	for (uint32_t k = 100; k < 200; k++)
		ck_assert(put(k, uniform(300 * 8), true));
	ck_assert_uint_eq(target_ms(), 100);
}
END_TEST

// The histogram's own sums hold whatever arrives.
START_TEST(sums)
{
	td_delay_init(&delay, 48000, 0, MAX_MS);
	for (uint32_t k = 0; k < 200000; k++) {
		uint32_t above = 0, all = 0;

		if (!put(k, uniform(1u << (k / 5000 % 17)), uniform(2) == 0)) {
			td_delay_restart(&delay);
			continue;
		}
		if (k % 64 != 0)
			continue;
		for (uint32_t i = 0; i < TD_DELAY_BINS; i++) {
			all += delay.bins[i];
			above += i > delay.quantile_idx ? delay.bins[i] : 0;
		}
		ck_assert_uint_eq(above, delay.above);
		ck_assert_uint_le(all, delay.total + TD_DELAY_BINS);
		ck_assert_uint_lt(delay.total, TD_DELAY_TOTAL_MAX);
		ck_assert_uint_le(delay.above * TD_DELAY_QUANTILE, delay.total);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("delay");
	TCase *tcase = tcase_create("delay");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, ticks);
	tcase_add_test(tcase, quantile);
	tcase_add_test(tcase, bursts_count_once);
	tcase_add_test(tcase, forgets);
	tcase_add_test(tcase, shorter_path);
	tcase_add_test(tcase, foreign);
	tcase_add_test(tcase, bounds);
	tcase_add_test(tcase, sums);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

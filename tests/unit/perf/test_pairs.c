// Pairs of blocks: a cost that is there is found in noise a hundred times as large, one that is not is not,
// and the interval is as sure as it says.
#include <check.h>
#include <stdint.h>

#include "stages/pairs.h"

#define PAIRS  2000u
#define TRIALS 1000u

static double a[PAIRS], b[PAIRS];
static uint32_t state;

static double noise(void)
{
	state = state * 1664525u + 1013904223u;
	return (double)(state >> 8) / (double)(1u << 24) - 0.5;
}

// Blocks of about 100 whose weather both of a pair have, noise of each, and now and then a disturbance.
static struct td_pairs_result make(double cost, double spread)
{
	for (unsigned i = 0; i < PAIRS; i++) {
		unsigned season = i / 500u;
		double weather = 100.0 * (1.0 + season * 0.3);

		a[i] = weather * (1.0 + spread * noise());
		b[i] = weather * (1.0 + cost) * (1.0 + spread * noise());
		if (i % 50u == 7u)
			b[i] *= 4.0;
	}
	return td_pairs_compare(a, b, PAIRS);
}

START_TEST(test_found)
{
	struct td_pairs_result result;

	state = 1;
	result = make(0.005, 0.05);
	ck_assert(result.low > 0.0 && result.high < 0.01);
	ck_assert(result.low <= result.median && result.median <= result.high);
	ck_assert(result.a > 100.0 && result.a < 200.0 && result.b > result.a);
}
END_TEST

START_TEST(test_too_much)
{
	state = 1;
	ck_assert(make(0.02, 0.05).low > 0.01);
	// As large as the limit, and hidden in noise: nothing is claimed.
	ck_assert(make(0.009, 0.5).high > 0.01);
}
END_TEST

START_TEST(test_sure)
{
	unsigned missed = 0;

	state = 1;
	for (unsigned i = 0; i < TRIALS; i++) {
		struct td_pairs_result result = make(0.0, 0.05);

		// The disturbances are all on one side: a hundredth more of the differences is.
		missed += result.low > 0.001 || result.high < 0.0;
	}
	ck_assert_msg(missed <= TRIALS / 50, "%u of %u", missed, TRIALS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pairs");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, test_found);
	tcase_add_test(tests, test_too_much);
	tcase_add_test(tests, test_sure);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

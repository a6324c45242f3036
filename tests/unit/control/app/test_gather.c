// When the loop naps so that work gathers: the decision alone, on a clock of its own.
#include <check.h>
#include <stdlib.h>

#include "app/gather.h"

#define SECOND_NS 1000000000ull

// Turns at `rate` a second, each with `busy_percent` of its time worked; how many ended in a nap.
static unsigned naps(struct td_gather *gather, unsigned rate, unsigned busy_percent,
		     unsigned seconds)
{
	uint64_t step_ns = SECOND_NS / rate, now_ns = gather->window_ns;
	unsigned count = 0;

	for (unsigned i = 0; i < rate * seconds; i++) {
		now_ns += step_ns;
		count += td_gather_turn(gather, now_ns, step_ns * (100 - busy_percent) / 100) != 0;
	}
	return count;
}

START_TEST(rate_and_slack_decide)
{
	static const struct {
		unsigned rate, busy_percent;
		bool naps;
	} rows[] = {
		{ 10, 1, false },     { 500, 10, false },    { 1000, 10, false },
		{ 1400, 10, true },   { 10000, 50, true },   { 10000, 69, true },
		{ 10000, 75, false }, { 10000, 100, false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct td_gather gather = { .window_ns = SECOND_NS };
		unsigned count = naps(&gather, rows[i].rate, rows[i].busy_percent, 2);

		// The first window only watches.
		ck_assert_msg(rows[i].naps ? count > rows[i].rate * 19 / 10 : count == 0,
			      "row %zu: %u naps", i, count);
	}
}
END_TEST

// Napping itself makes turns rarer: that alone must not end it.
START_TEST(it_ends_well_below_where_it_began)
{
	struct td_gather gather = { .window_ns = SECOND_NS };

	ck_assert_uint_gt(naps(&gather, 5000, 20, 1), 0);
	ck_assert(gather.napping);
	naps(&gather, 600, 20, 1);
	ck_assert(gather.napping);
	naps(&gather, SECOND_NS / TD_GATHER_NAP_NS, 20, 1);
	ck_assert(gather.napping);
	naps(&gather, 100, 20, 1);
	ck_assert(!gather.napping);
	ck_assert_uint_eq(naps(&gather, 800, 20, 1), 0);
}
END_TEST

// A loop that slept for an hour does not take its first message for a burst.
START_TEST(a_long_rest_is_no_load)
{
	struct td_gather gather = { .window_ns = SECOND_NS };

	ck_assert_uint_eq(td_gather_turn(&gather, 3600 * SECOND_NS, 3599 * SECOND_NS), 0);
	ck_assert_uint_eq(td_gather_turn(&gather, 3600 * SECOND_NS + 1000, 500), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gather");
	TCase *tcase = tcase_create("gather");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, rate_and_slack_decide);
	tcase_add_test(tcase, it_ends_well_below_where_it_began);
	tcase_add_test(tcase, a_long_rest_is_no_load);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// The tick: every slot once in its order, missed ones made up, a long stall cut to one round.
#include <check.h>

#include "worker/slots.h"
#include "worker/watchdog.h"

START_TEST(test_in_order)
{
	uint64_t start = 5000000 * 7 + 123456, late;
	struct td_slots slots;
	uint32_t slot;

	td_slots_init(&slots, start);
	ck_assert(!td_slots_take(&slots, start, &slot, &late));
	for (uint64_t ms = start / TD_SLOT_NS + 1; ms < 100; ms++) {
		ck_assert_uint_eq(td_slots_next_ns(&slots), ms * TD_SLOT_NS);
		ck_assert(!td_slots_take(&slots, ms * TD_SLOT_NS - 1, &slot, &late));
		ck_assert(td_slots_take(&slots, ms * TD_SLOT_NS + 17, &slot, &late));
		ck_assert_uint_eq(slot, ms % TD_SLOT_COUNT);
		ck_assert_uint_eq(late, 17);
		ck_assert(!td_slots_take(&slots, ms * TD_SLOT_NS + 17, &slot, &late));
	}
	ck_assert_uint_eq(slots.skipped, 0);
}
END_TEST

static const struct {
	uint64_t stall_ms, run, skipped;
} stalls[] = { { 1, 1, 0 }, { 19, 19, 0 }, { 20, 20, 0 }, { 21, 20, 1 }, { 1000, 20, 980 } };

START_TEST(test_stall)
{
	uint64_t now = (100 + stalls[_i].stall_ms) * TD_SLOT_NS, late, ran = 0;
	uint32_t slot = TD_SLOT_COUNT, seen[TD_SLOT_COUNT] = { 0 };
	struct td_slots slots;

	td_slots_init(&slots, 100 * TD_SLOT_NS);
	while (td_slots_take(&slots, now, &slot, &late)) {
		if (ran == 0)
			ck_assert_uint_eq(late, (stalls[_i].stall_ms - 1) * TD_SLOT_NS);
		ck_assert_uint_eq(seen[slot]++, 0);
		ran++;
	}
	ck_assert_uint_eq(ran, stalls[_i].run);
	ck_assert_uint_eq(slots.skipped, stalls[_i].skipped);
	ck_assert_uint_eq(slot, now / TD_SLOT_NS % TD_SLOT_COUNT);
}
END_TEST

START_TEST(test_watchdog)
{
	const uint64_t beat = 1000000000000ull;
	struct td_watchdog dog = { 0 };

	ck_assert_int_eq(td_watchdog_look(&dog, 1, 0, beat), TD_WATCHDOG_QUIET);
	ck_assert_int_eq(td_watchdog_look(&dog, 1, beat, beat - 5), TD_WATCHDOG_QUIET);
	ck_assert_int_eq(td_watchdog_look(&dog, 1, beat, beat + TD_WATCHDOG_WARN_NS - 1),
			 TD_WATCHDOG_QUIET);
	ck_assert_int_eq(td_watchdog_look(&dog, 1, beat, beat + TD_WATCHDOG_WARN_NS),
			 TD_WATCHDOG_STALLED);
	ck_assert_int_eq(td_watchdog_look(&dog, 1, beat, beat + 2 * TD_WATCHDOG_WARN_NS),
			 TD_WATCHDOG_QUIET);
	ck_assert_int_eq(td_watchdog_look(&dog, 0, beat + TD_WATCHDOG_WARN_NS,
					  beat + 2 * TD_WATCHDOG_WARN_NS - 1),
			 TD_WATCHDOG_QUIET);
	ck_assert_int_eq(td_watchdog_look(&dog, 1, beat + 2 * TD_WATCHDOG_WARN_NS,
					  beat + 2 * TD_WATCHDOG_WARN_NS),
			 TD_WATCHDOG_RECOVERED);
	ck_assert_uint_eq(dog.stalled_ns[1], 2 * TD_WATCHDOG_WARN_NS);
	ck_assert_int_eq(td_watchdog_look(&dog, 1, beat, beat + TD_WATCHDOG_DEAD_NS),
			 TD_WATCHDOG_DEAD);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("slots");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, test_in_order);
	tcase_add_loop_test(tests, test_stall, 0, sizeof stalls / sizeof stalls[0]);
	tcase_add_test(tests, test_watchdog);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

// Adaptive polling as arithmetic: never past the next slot, longer with silence, never when busy.
#include <check.h>

#include "worker/pace.h"

#define NOW 1000000000ull

static const struct {
	const char *what;
	bool busy_poll, found;
	uint64_t idle_ns, next_slot_in_ns, sleep_ns;
} rows[] = {
	{ "found work", false, true, 0, 900000, 0 },
	{ "just idle: spin", false, false, TD_PACE_SPIN_NS - 1, 900000, 0 },
	{ "idle: shortest sleep", false, false, TD_PACE_SPIN_NS, 900000, TD_PACE_SLEEP_MIN_NS },
	{ "longer silence", false, false, 400000, 900000, 200000 },
	{ "long silence", false, false, 50000000, 2000000, TD_PACE_SLEEP_MAX_NS },
	{ "never past the slot", false, false, 50000000, 30000, 30000 },
	{ "slot is due", false, false, 50000000, 0, 0 },
	{ "busy polling", true, false, 50000000, 900000, 0 },
};

START_TEST(test_rows)
{
	struct td_pace pace = { .busy_poll = rows[_i].busy_poll,
				.busy_until_ns = NOW - rows[_i].idle_ns };

	ck_assert_msg(td_pace_sleep_ns(&pace, rows[_i].found, NOW,
				       NOW + rows[_i].next_slot_in_ns) == rows[_i].sleep_ns,
		      "%s", rows[_i].what);
	if (rows[_i].found)
		ck_assert_uint_eq(pace.busy_until_ns, NOW);
}
END_TEST

// Packets 40 us apart (25,000 a second) never wait longer than the shortest sleep.
START_TEST(test_steady_traffic)
{
	struct td_pace pace = { .busy_until_ns = NOW };
	uint64_t now = NOW, next_packet = NOW + 40000, worst = 0;

	for (int i = 0; i < 100000; i++) {
		bool found = now >= next_packet;
		uint64_t sleep;

		if (found) {
			worst = now - next_packet > worst ? now - next_packet : worst;
			while (next_packet <= now)
				next_packet += 40000;
		}
		sleep = td_pace_sleep_ns(&pace, found, now, now / 1000000 * 1000000 + 1000000);
		now += sleep ? sleep : 300;
	}
	ck_assert_uint_le(worst, TD_PACE_SLEEP_MIN_NS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pace");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, test_rows, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tests, test_steady_traffic);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

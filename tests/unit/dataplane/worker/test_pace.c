// Adaptive polling as arithmetic: never past the next slot, longer with silence, never when busy.
#include <check.h>

#include "worker/pace.h"

#define NOW 1000000000ull

static const struct {
	const char *what;
	bool busy_poll, found;
	uint32_t turns;
	uint64_t rest_ns, idle_ns, next_slot_in_ns, sleep_ns;
} rows[] = {
	{ "found work", false, true, 0, 0, 0, 900000, 0 },
	{ "found none: rests at once", false, false, 0, 0, 0, 900000, TD_PACE_REST_MIN_NS },
	{ "little came: longer", false, false, TD_PACE_TURNS_FEW, 200000, 0, 800000, 400000 },
	{ "some came: a bit longer", false, false, TD_PACE_TURNS_SOME - 1, 200000, 0, 1000000,
	  250000 },
	{ "more came: as before", false, false, TD_PACE_TURNS_SOME, 200000, 0, 1000000, 200000 },
	{ "still as before", false, false, TD_PACE_TURNS_MANY, 200000, 0, 1000000, 200000 },
	{ "much came: shorter", false, false, TD_PACE_TURNS_MANY + 1, 400000, 0, 1000000, 200000 },
	{ "in equal parts", false, false, TD_PACE_TURNS_MANY, 300000, 0, 1000000, 250000 },
	{ "no tiny last part", false, false, TD_PACE_TURNS_MANY, 850000, 0, 1000000, 1000000 },
	{ "never shorter", false, false, 1000, TD_PACE_REST_MIN_NS + 1, 0, 900000,
	  TD_PACE_REST_MIN_NS },
	{ "never longer", false, false, 0, 900000, 0, 2000000, TD_PACE_REST_MAX_NS },
	{ "much came, and no shorter: lingers", false, false, TD_PACE_TURNS_MANY + 1,
	  TD_PACE_REST_MIN_NS, TD_PACE_SPIN_NS - 1, 900000, 0 },
	{ "and rests then", false, false, TD_PACE_TURNS_MANY + 1, TD_PACE_REST_MIN_NS,
	  TD_PACE_SPIN_NS, 900000, TD_PACE_REST_MIN_NS },
	{ "never past the slot", false, false, 0, 900000, 0, 30000, 30000 },
	{ "slot is due", false, false, 0, 900000, 0, 0, 0 },
	{ "busy polling", true, false, 0, 900000, 0, 900000, 0 },
};

START_TEST(test_rows)
{
	struct td_pace pace = { .busy_poll = rows[_i].busy_poll,
				.turns = rows[_i].turns,
				.rest_ns = rows[_i].rest_ns,
				.busy_until_ns = NOW - rows[_i].idle_ns };

	ck_assert_msg(td_pace_sleep_ns(&pace, rows[_i].found, NOW,
				       NOW + rows[_i].next_slot_in_ns) == rows[_i].sleep_ns,
		      "%s", rows[_i].what);
	if (rows[_i].found)
		ck_assert_uint_eq(pace.busy_until_ns, NOW);
	ck_assert_uint_eq(pace.turns, rows[_i].sleep_ns > 0 ? 0 : rows[_i].turns + rows[_i].found);
}
END_TEST

#define BURST      32u
#define DEVICE_MAX 1024u

// A second of packets evenly `gap_ns` apart, 100 ns each and 300 ns a turn: how often it sleeps, and
// the most that ever waits.
static uint32_t sleeps_in_a_second(uint64_t gap_ns, uint64_t *most)
{
	struct td_pace pace = { .busy_until_ns = NOW };
	uint64_t now = NOW, taken = 0;
	uint32_t sleeps = 0;

	*most = 0;
	while (now < NOW + 1000000000) {
		uint64_t waiting = (now - NOW) / gap_ns - taken, sleep;
		uint64_t burst = waiting < BURST ? waiting : BURST;

		// What a first rest lets pile up cannot be known yet.
		if (now > NOW + 1000000 && waiting > *most)
			*most = waiting;
		taken += burst;
		now += 300 + 100 * burst;
		sleep = td_pace_sleep_ns(&pace, burst > 0, now, now / 1000000 * 1000000 + 1000000);
		sleeps += sleep > 0;
		now += sleep;
	}
	return sleeps;
}

// At 50,000 packets a second it wakes about once a millisecond; at any rate rings keep room.
START_TEST(test_steady_traffic)
{
	uint64_t most;

	ck_assert_uint_le(sleeps_in_a_second(20000, &most), 1100);
	ck_assert_uint_le(most, 60);
	for (uint64_t gap_ns = 120; gap_ns < 100000; gap_ns += gap_ns / 4) {
		sleeps_in_a_second(gap_ns, &most);
		ck_assert_msg(most <= DEVICE_MAX / 2, "%lu packets wait at a gap of %lu ns",
			      (unsigned long)most, (unsigned long)gap_ns);
	}
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

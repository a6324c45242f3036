// The timer wheel against a sorted model, and at its edges.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/wheel.h"

#define TIMERS 200

struct rig {
	struct td_wheel wheel;
	struct td_timer timers[TIMERS];
	bool armed[TIMERS];
	uint64_t due[TIMERS];
	uint64_t from_ms, to_ms; // the advance under way
	unsigned fired;
};

static void on_fire(void *user, struct td_timer *timer)
{
	struct rig *rig = user;
	size_t i = (size_t)(timer - rig->timers);

	ck_assert(rig->armed[i]);
	ck_assert(!td_timer_armed(timer));
	// Not early, and in the first advance that reached it.
	ck_assert_uint_le(rig->due[i], rig->to_ms);
	ck_assert_uint_gt(rig->due[i], rig->from_ms);
	rig->armed[i] = false;
	rig->fired++;
}

static void set_up(struct rig *rig, uint64_t now_ms)
{
	memset(rig, 0, sizeof *rig);
	td_wheel_init(&rig->wheel, now_ms);
	for (int i = 0; i < TIMERS; i++)
		td_timer_init(&rig->timers[i]);
}

static unsigned advance(struct rig *rig, uint64_t now_ms)
{
	rig->from_ms = rig->wheel.now_ms;
	rig->to_ms = now_ms;
	return td_wheel_advance(&rig->wheel, now_ms, on_fire, rig);
}

static void arm(struct rig *rig, unsigned i, uint64_t at)
{
	td_wheel_arm(&rig->wheel, &rig->timers[i], at);
	rig->armed[i] = true;
	rig->due[i] = at;
}

// Random arming, re-arming, cancelling and advancing; each step checked against the plain array.
START_TEST(against_a_model)
{
	static const uint64_t ranges[] = { 2, 64, 65, 5000, 300000, 20000000, 2000000000 };
	static struct rig rig;
	struct td_token_source random;
	uint8_t seed[16] = { (uint8_t)_i };

	td_token_init(&random, seed);
	set_up(&rig, td_token_next(&random) >> 20);
	for (int step = 0; step < 20000; step++) {
		unsigned i = td_token_below(&random, TIMERS), live = 0;
		uint64_t range = ranges[td_token_below(&random, 7)];
		uint64_t next = UINT64_MAX, delta = 1 + td_token_below(&random, (uint32_t)range);

		switch (td_token_below(&random, 4)) {
		case 0:
		case 1: arm(&rig, i, rig.wheel.now_ms + delta); break;
		case 2:
			td_wheel_cancel(&rig.wheel, &rig.timers[i]);
			rig.armed[i] = false;
			break;
		default: advance(&rig, rig.wheel.now_ms + delta);
		}
		for (unsigned t = 0; t < TIMERS; t++) {
			ck_assert_int_eq(rig.armed[t], td_timer_armed(&rig.timers[t]));
			if (!rig.armed[t])
				continue;
			live++;
			ck_assert_uint_gt(rig.due[t], rig.wheel.now_ms); // nothing forgotten
			next = rig.due[t] < next ? rig.due[t] : next;
		}
		ck_assert_uint_eq(rig.wheel.count, live);
		ck_assert_uint_le(td_wheel_next_ms(&rig.wheel), next);
		ck_assert_uint_gt(td_wheel_next_ms(&rig.wheel), rig.wheel.now_ms);
	}
	ck_assert_uint_gt(rig.fired, 1000);
}
END_TEST

START_TEST(edges)
{
	static struct rig rig;
	static const uint64_t deltas[] = { 1,         63,         64,
					   65,        4095,       4096,
					   4097,      262143,     262144,
					   262145,    16777215,   16777216,
					   16777217,  1ull << 36, (1ull << 36) + 1,
					   1ull << 40 };

	for (size_t d = 0; d < sizeof deltas / sizeof *deltas; d++) {
		for (uint64_t start = 0; start < 70; start += 3) {
			set_up(&rig, start);
			arm(&rig, 0, start + deltas[d]);
			ck_assert_uint_eq(advance(&rig, start + deltas[d] - 1), 0);
			ck_assert_uint_eq(advance(&rig, start + deltas[d]), 1);
			ck_assert_uint_eq(td_wheel_next_ms(&rig.wheel), UINT64_MAX);
		}
	}
}
END_TEST

START_TEST(the_past_fires_next)
{
	static struct rig rig;

	set_up(&rig, 1000);
	td_wheel_arm(&rig.wheel, &rig.timers[0], 5);
	rig.armed[0] = true;
	rig.due[0] = 1001;
	ck_assert_uint_eq(advance(&rig, 999), 0); // time never runs backwards
	ck_assert_uint_eq(rig.wheel.now_ms, 1000);
	ck_assert_uint_eq(advance(&rig, 1001), 1);
	td_wheel_cancel(&rig.wheel, &rig.timers[0]); // not armed: harmless
	ck_assert_uint_eq(rig.wheel.count, 0);
}
END_TEST

struct chain {
	struct td_wheel wheel;
	struct td_timer a, b, c;
	char order[8];
	int used;
};

static void chained(void *user, struct td_timer *timer)
{
	struct chain *chain = user;

	chain->order[chain->used++] = timer == &chain->a ? 'a' : timer == &chain->b ? 'b' : 'c';
	if (timer == &chain->a) {
		td_wheel_cancel(&chain->wheel, &chain->b); // due in the same millisecond
		td_wheel_arm(&chain->wheel, &chain->c, chain->wheel.now_ms + 1);
		if (chain->used < 4)
			td_wheel_arm(&chain->wheel, &chain->a, chain->wheel.now_ms + 10);
	}
}

START_TEST(timers_that_touch_timers)
{
	struct chain chain = { .used = 0 };

	td_wheel_init(&chain.wheel, 0);
	td_timer_init(&chain.a);
	td_timer_init(&chain.b);
	td_timer_init(&chain.c);
	td_wheel_arm(&chain.wheel, &chain.a, 5);
	td_wheel_arm(&chain.wheel, &chain.b, 5);
	ck_assert_uint_eq(td_wheel_advance(&chain.wheel, 100, chained, &chain), 6);
	ck_assert_str_eq(chain.order, "acacac");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base/wheel");
	TCase *tc = tcase_create("wheel");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, against_a_model, 0, 4);
	tcase_add_test(tc, edges);
	tcase_add_test(tc, the_past_fires_next);
	tcase_add_test(tc, timers_that_touch_timers);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

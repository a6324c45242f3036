// A live player's frames: in their order, silent when there are none, gone at a flush.
#include "media/live.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>

static struct td_live live;

static void setup(void)
{
	td_live_init(&live);
}

static uint32_t push(uint32_t rate_hz, int16_t value)
{
	struct td_live_frame *frame = td_live_room(&live);

	ck_assert_ptr_nonnull(frame);
	frame->rate_hz = rate_hz;
	for (uint32_t i = 0; i < rate_hz / 50; i++)
		frame->pcm[i] = value;
	return td_live_push(&live);
}

// One tick of the worker: the first sample, 0 when it is silent.
static int16_t tick(uint32_t rate_hz)
{
	const int16_t *pcm = td_live_look(&live, rate_hz);
	int16_t value = pcm != NULL ? pcm[0] : 0;

	ck_assert_int_eq(td_live_step(&live), pcm != NULL);
	return value;
}

START_TEST(frames_in_their_order)
{
	ck_assert_int_eq(tick(8000), 0);
	for (int16_t i = 1; i <= 40; i++) {
		ck_assert_uint_eq(push(8000, i), (uint32_t)i - 1);
		ck_assert_int_eq(tick(8000), i);
		ck_assert_uint_eq(td_live_played(&live), (uint32_t)i);
	}
	ck_assert_int_eq(tick(8000), 0);
}
END_TEST

START_TEST(full_is_full_until_a_tick)
{
	for (int16_t i = 1; i <= (int16_t)TD_LIVE_FRAMES; i++)
		push(8000, i);
	ck_assert_ptr_null(td_live_room(&live));
	ck_assert_int_eq(tick(8000), 1);
	push(8000, 99);
	ck_assert_ptr_null(td_live_room(&live));
	for (int16_t i = 2; i <= (int16_t)TD_LIVE_FRAMES; i++)
		ck_assert_int_eq(tick(8000), i);
	ck_assert_int_eq(tick(8000), 99);
}
END_TEST

// What is pushed behind a flush is heard; `cut` is where the old talk was when it came.
START_TEST(flush_says_where_it_was)
{
	for (int16_t i = 1; i <= 10; i++)
		push(8000, i);
	for (int16_t i = 1; i <= 4; i++)
		ck_assert_int_eq(tick(8000), i);
	td_live_flush(&live);
	push(8000, 77);
	ck_assert_int_eq(tick(8000), 77);
	ck_assert_uint_eq(atomic_load(&live.cut), 4);
	ck_assert_uint_eq(td_live_played(&live), 11);
	ck_assert_int_eq(tick(8000), 0);
	td_live_flush(&live); // of nothing
	ck_assert_int_eq(tick(8000), 0);
	ck_assert_uint_eq(td_live_played(&live), 11);
}
END_TEST

// Whether anybody looks or not, a tick is a tick; within one the choice stands.
START_TEST(one_choice_a_tick)
{
	push(8000, 1);
	ck_assert(td_live_step(&live)); // nobody heard it
	ck_assert_ptr_null(td_live_look(&live, 8000));
	push(8000, 2); // too late for this tick
	ck_assert_ptr_null(td_live_look(&live, 8000));
	ck_assert(!td_live_step(&live));
	ck_assert_int_eq(*td_live_look(&live, 8000), 2);
	td_live_flush(&live); // so is this: the frame is in the mix
	ck_assert_int_eq(*td_live_look(&live, 8000), 2);
	ck_assert(td_live_step(&live));
	ck_assert_uint_eq(td_live_played(&live), 1 + 1);
}
END_TEST

START_TEST(rate_follows_the_mix)
{
	const int16_t *pcm;

	ck_assert_uint_eq(atomic_load(&live.rate_hz), TD_LIVE_RATE_HZ);
	push(8000, 5);
	pcm = td_live_look(&live, 48000);
	ck_assert_ptr_nonnull(pcm);
	for (unsigned i = 0; i < 960; i++)
		ck_assert_int_eq(pcm[i], 5);
	td_live_step(&live);
	ck_assert_uint_eq(atomic_load(&live.rate_hz), 48000);
	push(48000, 6);
	pcm = td_live_look(&live, 8000);
	for (unsigned i = 0; i < 160; i++)
		ck_assert_int_eq(pcm[i], 6);
}
END_TEST

#define THREAD_FRAMES 200000

static void *producer(void *user)
{
	(void)user;
	for (uint32_t i = 0; i < THREAD_FRAMES;) {
		struct td_live_frame *frame = td_live_room(&live);

		if (frame == NULL) {
			sched_yield();
			continue;
		}
		frame->rate_hz = 8000;
		frame->pcm[0] = (int16_t)(i & 0x7fff);
		frame->pcm[159] = (int16_t)(i & 0x7fff);
		td_live_push(&live);
		if (++i % 1000 == 0)
			td_live_flush(&live);
	}
	return NULL;
}

// Nothing is heard twice, torn or out of order, however the two threads run.
START_TEST(two_threads)
{
	pthread_t thread;
	uint32_t heard = 0;

	ck_assert_int_eq(pthread_create(&thread, NULL, producer, NULL), 0);
	while (td_live_played(&live) < THREAD_FRAMES) {
		uint32_t before = td_live_played(&live);
		const int16_t *pcm = td_live_look(&live, 8000);

		if (pcm != NULL) {
			ck_assert_int_eq(pcm[0], (int16_t)(td_live_played(&live) & 0x7fff));
			ck_assert_int_eq(pcm[159], pcm[0]);
			heard++;
		} else {
			sched_yield();
		}
		td_live_step(&live);
		ck_assert_uint_ge(td_live_played(&live), before);
	}
	pthread_join(thread, NULL);
	ck_assert_uint_gt(heard, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("live");
	TCase *tcase = tcase_create("live");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, frames_in_their_order);
	tcase_add_test(tcase, full_is_full_until_a_tick);
	tcase_add_test(tcase, flush_says_where_it_was);
	tcase_add_test(tcase, one_choice_a_tick);
	tcase_add_test(tcase, rate_follows_the_mix);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, two_threads);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

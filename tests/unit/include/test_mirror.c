// The stream mirror's sequence lock: a reader gets words that belong together, or is told so.
#include <check.h>
#include <pthread.h>
#include <stdlib.h>

#include "td_stats.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define UNDER_TSAN 1
#endif

#define ROUNDS 200000u

static struct td_stream_mirror mirror;
static _Atomic int stop;

static void write_round(uint64_t value)
{
	td_mirror_write_begin(&mirror.lock);
	mirror.owner = value;
	mirror.stats.rx_bytes = value;
	mirror.stats.tx_bytes = value;
	mirror.stats.rtcp_tx = (uint32_t)value;
	td_mirror_write_end(&mirror.lock);
}

START_TEST(reads_what_was_written)
{
	struct td_stream_mirror copy;

	write_round(42);
	ck_assert_int_eq(td_mirror_read(&mirror, &copy), 0);
	ck_assert_uint_eq(copy.owner, 42);
	ck_assert_uint_eq(copy.stats.tx_bytes, 42);
	ck_assert_uint_eq(atomic_load(&mirror.lock) & 1u, 0);
}
END_TEST

START_TEST(a_writer_that_died_in_the_middle_is_busy)
{
	struct td_stream_mirror copy;

	td_mirror_write_begin(&mirror.lock);
	ck_assert_int_eq(td_mirror_read(&mirror, &copy), -TD_EBUSY);
	td_mirror_write_end(&mirror.lock);
	ck_assert_int_eq(td_mirror_read(&mirror, &copy), 0);
}
END_TEST

START_TEST(the_lock_wraps)
{
	struct td_stream_mirror copy;

	atomic_store(&mirror.lock, UINT32_MAX - 1);
	write_round(7);
	ck_assert_uint_eq(atomic_load(&mirror.lock), 0);
	ck_assert_int_eq(td_mirror_read(&mirror, &copy), 0);
	ck_assert_uint_eq(copy.owner, 7);
}
END_TEST

#ifndef UNDER_TSAN
static void *keep_writing(void *unused)
{
	(void)unused;
	for (uint64_t i = 1; !atomic_load(&stop); i++)
		write_round(i);
	return NULL;
}

// Not under the thread sanitizer: a sequence lock's copy races by design, and is thrown away.
START_TEST(never_torn)
{
	struct td_stream_mirror copy;
	pthread_t writer;
	uint32_t good = 0;

	atomic_store(&stop, 0);
	write_round(1);
	ck_assert_int_eq(pthread_create(&writer, NULL, keep_writing, NULL), 0);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		if (td_mirror_read(&mirror, &copy) != 0)
			continue;
		good++;
		ck_assert_uint_eq(copy.owner, copy.stats.rx_bytes);
		ck_assert_uint_eq(copy.owner, copy.stats.tx_bytes);
		ck_assert_uint_eq((uint32_t)copy.owner, copy.stats.rtcp_tx);
	}
	atomic_store(&stop, 1);
	pthread_join(writer, NULL);
	ck_assert_uint_gt(good, 0);
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("mirror");
	TCase *tcase = tcase_create("mirror");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, reads_what_was_written);
	tcase_add_test(tcase, a_writer_that_died_in_the_middle_is_busy);
	tcase_add_test(tcase, the_lock_wraps);
#ifndef UNDER_TSAN
	tcase_add_test(tcase, never_torn);
#endif
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// A worker with nothing to do leaves its core alone; one told to poll busily does not. On the real
// clock, for it is the real clock that is asked: CPU time of the worker's thread over a second.
#include <check.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "rig.h"
#include "td_role.h"

static struct rig rig;

static uint64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * TD_NS_PER_S + (uint64_t)now.tv_nsec;
}

static void wait_ms(unsigned ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&time, NULL);
}

static void *run(void *worker)
{
	td_worker_run(worker);
	return NULL;
}

// CPU time per wall time of a worker that finds nothing, in thousandths; *turns in a second.
static unsigned measure(bool busy_poll, uint64_t *turns)
{
	uint64_t cpu, wall;
	clockid_t clock;
	pthread_t thread;

	rig_open(&rig, 1);
	td_role_enter_worker(0);
	td_worker_detach(rig.workers->workers[0]);
	rig.workers->workers[0]->pace.busy_poll = busy_poll;
	ck_assert_int_eq(pthread_create(&thread, NULL, run, rig.workers->workers[0]), 0);
	ck_assert_int_eq(pthread_getcpuclockid(thread, &clock), 0);
	wait_ms(100);
	cpu = read_clock(clock);
	wall = read_clock(CLOCK_MONOTONIC);
	*turns = rig.region.workers[0].turns;
	wait_ms(1000);
	cpu = read_clock(clock) - cpu;
	wall = read_clock(CLOCK_MONOTONIC) - wall;
	*turns = rig.region.workers[0].turns - *turns;
	atomic_store(&rig.workers->stop, true);
	pthread_join(thread, NULL);
	td_worker_attach(rig.workers->workers[0], rig.now_ns);
	rig_close(&rig);
	return (unsigned)(cpu * 1000 / wall);
}

START_TEST(test_adaptive)
{
	uint64_t turns;
	unsigned load = measure(false, &turns);

	ck_assert_msg(load < 50, "%u thousandths of a core", load);
	// It still wakes for every slot of the tick that the machine lets it have.
	ck_assert_uint_gt(turns, 200);
}
END_TEST

START_TEST(test_busy)
{
	uint64_t adaptive, busy;

	measure(false, &adaptive);
	measure(true, &busy);
	ck_assert_uint_gt(busy, 10 * adaptive);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("idle");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	frame_environment();
	srunner_set_fork_status(runner, CK_NOFORK);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_adaptive);
	tcase_add_test(tests, test_busy);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

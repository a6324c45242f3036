// A worker with nothing to do leaves its core alone; one told to poll busily does not. On the real
// clock, for it is the real clock that is asked: CPU time of the worker's thread over a second.
#include <check.h>
#include <inttypes.h>
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

// A busy machine makes every wake-up dearer (cold caches, interrupts on this thread's account), never
// cheaper: the least of a few is the worker's own.
START_TEST(test_adaptive)
{
	unsigned load = 1000;
	uint64_t turns;

	for (unsigned i = 0; i < 5 && load >= 50; i++) {
		unsigned once = measure(false, &turns);

		load = once < load ? once : load;
	}
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

// Two who hear each other at half their loudness: a mix, which is sent whether anybody talks or not.
static void mix_two(void)
{
	struct td_context_id context = rig_context(&rig);
	struct td_stream_id a = rig_stream(&rig, context).stream;
	struct td_stream_id b = rig_stream(&rig, context).stream;
	struct td_command command = { .kind = TD_COMMAND_MATRIX_EDIT };

	rig_remote(&rig, a, "10.77.0.10", 4000);
	rig_remote(&rig, b, "10.77.0.10", 4002);
	command.u.matrix_edit.context = context;
	command.u.matrix_edit.cell_count = 2;
	command.u.matrix_edit.cells[0] = (struct td_cell){ { TD_MEMBER_STREAM, a.v },
							   { TD_MEMBER_STREAM, b.v },
							   TD_GAIN_UNITY / 2 };
	command.u.matrix_edit.cells[1] = (struct td_cell){ { TD_MEMBER_STREAM, b.v },
							   { TD_MEMBER_STREAM, a.v },
							   TD_GAIN_UNITY / 2 };
	ck_assert_int_eq(rig_command(&rig, &command).result, 0);
}

static struct frame frame;

// The time slept after a slot that had something to send is not time spent working.
START_TEST(test_sleep_is_idle)
{
	const struct td_worker_stats *stats;
	struct td_worker_stats before;
	uint64_t busy_ns, idle_ns, sent;
	pthread_t thread;

	rig_open(&rig, 1);
	stats = &rig.region.workers[0];
	for (unsigned i = 0; i < 10; i++)
		mix_two();
	frame_arp(&frame, 2, frame_peer_mac, "10.77.0.10", "10.77.0.2");
	rig_inject(&rig, &frame);
	rig_run(&rig, 50);
	rig_flush(&rig);
	td_role_enter_worker(0);
	td_worker_detach(rig.workers->workers[0]);
	rig.workers->workers[0]->pace.busy_poll = false;
	before = *stats;
	ck_assert_int_eq(pthread_create(&thread, NULL, run, rig.workers->workers[0]), 0);
	wait_ms(500);
	atomic_store(&rig.workers->stop, true);
	pthread_join(thread, NULL);
	busy_ns = stats->busy_ns - before.busy_ns;
	idle_ns = stats->idle_ns - before.idle_ns;
	sent = stats->originated - before.originated;
	// Half of all slots have something to send.
	ck_assert_uint_gt(sent, 100);
	ck_assert_msg(busy_ns * 5 < idle_ns, "%" PRIu64 " ns busy, %" PRIu64 " idle", busy_ns,
		      idle_ns);
	td_worker_attach(rig.workers->workers[0], rig.now_ns);
	rig_close(&rig);
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
	tcase_add_test(tests, test_sleep_is_idle);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

// A worker comes first on its core, but a saturated one does not keep everybody else off it.
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "rig.h"
#include "td_role.h"

#define NOW     1000000000ull
#define TURN_NS 50000u

static const struct {
	const char *what;
	bool able, shares;
	uint64_t age_ns, rested_ns;
	bool turns, shares_then;
} rows[] = {
	{ "not yet", true, false, TD_URGENCY_FIRST_NS - 1, 0, false, false },
	{ "never rested", true, false, TD_URGENCY_FIRST_NS, 0, true, true },
	{ "rested too little", true, false, TD_URGENCY_FIRST_NS, TD_URGENCY_SHARED_NS - 1, true,
	  true },
	{ "rested enough", true, false, TD_URGENCY_FIRST_NS, TD_URGENCY_SHARED_NS, false, false },
	{ "one long turn", true, false, 10 * TD_URGENCY_FIRST_NS, 0, true, true },
	{ "shares still", true, true, TD_URGENCY_SHARED_NS - 1, 0, false, true },
	{ "has shared", true, true, TD_URGENCY_SHARED_NS, 0, true, false },
	{ "has rested besides", true, true, TD_URGENCY_SHARED_NS, TD_URGENCY_SHARED_NS, true,
	  false },
	{ "without the right", false, false, 10 * TD_URGENCY_FIRST_NS, 0, false, false },
};

START_TEST(test_rows)
{
	struct td_urgency urgency = { .able = rows[_i].able,
				      .shares = rows[_i].shares,
				      .since_ns = NOW - rows[_i].age_ns,
				      .rested_ns = rows[_i].rested_ns };

	ck_assert_msg(td_urgency_turns(&urgency, NOW) == rows[_i].turns, "%s", rows[_i].what);
	ck_assert_msg(urgency.shares == rows[_i].shares_then, "%s", rows[_i].what);
	// Asked again at once, it stays as it is.
	ck_assert_msg(!td_urgency_turns(&urgency, NOW) || !rows[_i].able, "%s", rows[_i].what);
}
END_TEST

// Of ten seconds at a steady load, what is either rest or shared: never less than a tenth.
START_TEST(test_share)
{
	for (unsigned percent = 0; percent <= 100; percent += 5) {
		struct td_urgency urgency = { .able = true, .since_ns = NOW };
		uint64_t now, left = 0;

		for (now = NOW; now < NOW + 10 * TD_NS_PER_S; now += TURN_NS) {
			uint64_t rest_ns = TURN_NS * percent / 100;

			td_urgency_rested(&urgency, rest_ns);
			left += urgency.shares ? TURN_NS : rest_ns;
			td_urgency_turns(&urgency, now);
		}
		ck_assert_msg(left * 100 >= (now - NOW) * 99 / 10, "%u %%: %lu ns left", percent,
			      (unsigned long)left);
		if (percent >= 15)
			ck_assert_msg(!urgency.shares, "%u %%", percent);
	}
}
END_TEST

struct bystander {
	_Atomic bool stop;
	uint64_t longest_ns; // for which it did not run
};

static void stay_on(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	ck_assert_int_eq(pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus), 0);
}

static int last_cpu(void)
{
	cpu_set_t cpus;
	int cpu = CPU_SETSIZE - 1;

	ck_assert_int_eq(sched_getaffinity(0, sizeof cpus, &cpus), 0);
	while (cpu > 0 && !CPU_ISSET(cpu, &cpus))
		cpu--;
	return cpu;
}

static void *stand_by(void *argument)
{
	struct bystander *bystander = argument;
	uint64_t last_ns, now_ns;

	stay_on(last_cpu());
	for (last_ns = td_clock_now_ns(); !atomic_load(&bystander->stop); last_ns = now_ns) {
		now_ns = td_clock_now_ns();
		if (now_ns - last_ns > bystander->longest_ns)
			bystander->longest_ns = now_ns - last_ns;
	}
	return NULL;
}

static void *run(void *worker)
{
	stay_on(last_cpu());
	td_worker_run(worker);
	return NULL;
}

static void wait_ms(unsigned ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	nanosleep(&time, NULL);
}

START_TEST(test_saturated)
{
	static struct rig rig;
	struct bystander bystander = { .longest_ns = 0 };
	pthread_t toiler, other;
	uint64_t turns;

	rig_open(&rig, 1);
	td_role_enter_worker(0);
	td_worker_detach(rig.workers->workers[0]);
	rig.workers->workers[0]->pace.busy_poll = false;
	ck_assert_int_eq(pthread_create(&toiler, NULL, run, rig.workers->workers[0]), 0);
	wait_ms(100);
	// It never finds the time to rest from now on, and is what adaptive polling made it.
	*(volatile bool *)&rig.workers->workers[0]->pace.busy_poll = true;
	ck_assert_int_eq(pthread_create(&other, NULL, stand_by, &bystander), 0);
	wait_ms(1500);
	turns = rig.region.workers[0].turns;
	wait_ms(500);
	turns = rig.region.workers[0].turns - turns;
	atomic_store(&bystander.stop, true);
	atomic_store(&rig.workers->stop, true);
	pthread_join(other, NULL);
	pthread_join(toiler, NULL);
	td_worker_attach(rig.workers->workers[0], rig.now_ns);
	rig_close(&rig);
	ck_assert_msg(bystander.longest_ns < 500 * TD_NS_PER_MS,
		      "kept off its core for %lu ms by a worker that made %lu turns",
		      (unsigned long)(bystander.longest_ns / TD_NS_PER_MS), (unsigned long)turns);
	ck_assert_uint_gt(turns, 1000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("urgency");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	frame_environment();
	srunner_set_fork_status(runner, CK_NOFORK);
	tcase_set_timeout(tests, 60);
	tcase_add_loop_test(tests, test_rows, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tests, test_share);
	tcase_add_test(tests, test_saturated);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

// Handles are used again only after every worker has passed a quiescent state: with a real thread
// that has looked something up and takes its time.
#include "world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <urcu/urcu-qsbr.h>

static struct world world;

enum stage { BEFORE, READING, DONE_READING };

static _Atomic int stage;
static _Atomic bool go_on;

static void sleep_ms(unsigned ms)
{
	struct timespec time = { .tv_nsec = (long)ms * 1000000L };

	nanosleep(&time, NULL);
}

// A worker in the middle of a turn: it holds a stream's index until it reports quiescent.
static void *reader(void *unused)
{
	urcu_qsbr_register_thread();
	atomic_store(&stage, READING);
	while (!atomic_load(&go_on))
		sleep_ms(1);
	sleep_ms(30);
	atomic_store(&stage, DONE_READING);
	urcu_qsbr_quiescent_state();
	urcu_qsbr_unregister_thread();
	return unused;
}

static void start_reader(pthread_t *thread)
{
	atomic_store(&stage, BEFORE);
	atomic_store(&go_on, false);
	ck_assert_int_eq(pthread_create(thread, NULL, reader, NULL), 0);
	while (atomic_load(&stage) == BEFORE)
		sleep_ms(1);
}

static struct td_context_id create_and_destroy(void)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_DESTROY };

	command.u.context_destroy = world_context(&world);
	world_command_only(&world, &command);
	return command.u.context_destroy;
}

START_TEST(housekeeping_waits_for_a_turn_under_way)
{
	struct world_options options = { .workers = 1, .streams = 1 };
	struct td_engine_counts counts;
	pthread_t thread;

	world_open(&world, &options);
	(void)create_and_destroy();
	start_reader(&thread);
	atomic_store(&go_on, true);
	world.now_ns += 1000 * WORLD_MS;
	world_turn(&world); // takes the note and waits for the grace period
	ck_assert_int_eq(atomic_load(&stage), DONE_READING);
	td_role_enter_main();
	td_engine_count(world.engine, &counts);
	ck_assert_uint_eq(counts.waiting, 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	world_close(&world);
}
END_TEST

START_TEST(a_hungry_pool_waits_too)
{
	struct world_options options = { .workers = 1, .streams = 1 };
	struct td_context_id first, again;
	struct td_event event;
	pthread_t thread;

	world_open(&world, &options);
	world_turn(&world); // sets the time of the last reclaim: the next is not due
	first = create_and_destroy();
	world_turn(&world);
	ck_assert(world_event(&world, TD_EVENT_DONE, &event));
	start_reader(&thread);
	atomic_store(&go_on, true);
	again = world_context(&world);
	ck_assert_int_eq(atomic_load(&stage), DONE_READING);
	ck_assert(td_handle_index(again.v) == td_handle_index(first.v) && again.v != first.v);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	world_close(&world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("grace");
	TCase *tcase = tcase_create("grace");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_test(tcase, housekeeping_waits_for_a_turn_under_way);
	tcase_add_test(tcase, a_hungry_pool_waits_too);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

// Forks go on while their streams and their context move, between contexts and between two workers.
#include "forked.h"

#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"

static struct td_context_id other; // on the other worker

static void setup(void)
{
	fork_open_on(2, 4);
	other = world_context(&world);
}

static void move(const struct world_party *party, struct td_context_id to)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_MOVE };

	command.u.stream_move.stream = party->id;
	command.u.stream_move.context = to;
	world_do(&world, &command);
}

static void move_context(struct td_context_id which, uint32_t worker)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_MOVE };

	command.u.context_move.context = which;
	command.u.context_move.worker = worker;
	ck_assert_uint_eq(world_do(&world, &command).thread, worker + 1u);
}

// What it says reaches this fork, once, as this track.
static void must_hear(struct world_party *party, struct td_fork_id fork, uint32_t track)
{
	struct td_tap_record record;

	world_say(&world, party);
	ck_assert(far_end_record(&world, &record));
	ck_assert_uint_eq(record.tap, td_handle_index(fork.v));
	ck_assert_uint_eq(record.side, track);
	ck_assert_uint_eq(record.ssrc, party->ssrc);
	ck_assert_uint_eq(record.sequence, (uint16_t)(party->sequence - 1u));
	ck_assert(!far_end_record(&world, &record));
}

static void must_not_hear(struct world_party *party)
{
	struct td_tap_record record;

	world_say(&world, party);
	ck_assert(!far_end_record(&world, &record));
}

START_TEST(a_stream_goes_to_another_worker_and_comes_back)
{
	struct td_event_fork_started fork = fork_start(TD_FORK_DESTINATION);

	must_hear(&a, fork.fork, 0);
	for (unsigned i = 0; i < 3; i++) {
		move(&a, other);
		must_hear(&a, fork.fork, 0);
		must_hear(&b, fork.fork, 1);
		move(&a, context);
		must_hear(&a, fork.fork, 0);
	}
	ck_assert_int_eq(fork_stop(fork.fork).result, 0);
	ck_assert_uint_eq(world.forks_closed, 1);
	must_not_hear(&a);
	must_not_hear(&b);
	fork_closed(fork.fork);
}
END_TEST

// The forker is told when no worker has it any more: not before the last one has let go.
START_TEST(closed_once_all_workers_have_let_go)
{
	struct td_command stop = { .kind = TD_COMMAND_FORK_STOP };
	struct td_event_fork_started fork = fork_start(TD_FORK_DESTINATION);

	move(&a, other);
	stop.u.fork_stop = fork.fork;
	world_command_only(&world, &stop);
	td_role_enter_worker(0);
	td_media_changes(td_engine_worker(world.engine, 0), world.now_ns);
	td_role_enter_main();
	td_engine_housekeep(world.engine, world.now_ns);
	td_role_enter_worker(0);
	ck_assert_uint_eq(world.forks_closed, 0); // a's worker has not
	world_turn(&world);
	ck_assert_uint_eq(world.forks_closed, 1);
	must_not_hear(&a);
	fork_closed(fork.fork);
}
END_TEST

START_TEST(begins_where_streams_are_elsewhere)
{
	struct td_event_fork_started fork;

	move(&a, other);
	fork = fork_start(TD_FORK_DESTINATION);
	must_hear(&a, fork.fork, 0);
	must_hear(&b, fork.fork, 1);
	ck_assert_int_eq(fork_stop(fork.fork).result, 0);
	must_not_hear(&a);
}
END_TEST

START_TEST(a_capture_goes_with_its_stream)
{
	struct td_event_fork_started capture = fork_start(TD_FORK_CAPTURE);
	struct td_tap_record record;

	move(&a, other);
	world_say(&world, &a);
	ck_assert(far_end_record(&world, &record));
	ck_assert_uint_eq(record.kind, TD_TAP_FRAME_IN);
	ck_assert_uint_eq(record.tap, td_handle_index(capture.fork.v));
	ck_assert(!far_end_record(&world, &record)); // nobody hears it there
	ck_assert_int_eq(fork_stop(capture.fork).result, 0);
	must_not_hear(&a);
}
END_TEST

// So many frames are captured, all by this one.
static uint32_t captured(struct td_fork_id capture)
{
	struct td_tap_record record;
	uint32_t count = 0;

	for (; far_end_record(&world, &record); count++) {
		ck_assert_uint_eq(record.tap, td_handle_index(capture.v));
		ck_assert(record.kind == TD_TAP_FRAME_IN || record.kind == TD_TAP_FRAME_OUT);
	}
	return count;
}

static uint32_t say_captured(struct world_party *party, struct td_fork_id capture)
{
	world_say(&world, party);
	return captured(capture);
}

// Those who come and go, too; one at a time.
START_TEST(a_capture_takes_all_that_is_in_its_context)
{
	struct td_command command = fork_start_of(TD_FORK_CAPTURE);
	struct world_party late;
	struct td_fork_id capture;

	command.u.fork_start.stream_count = 0;
	capture = world_do(&world, &command).u.fork_started.fork;
	command.deadline_ns = 0;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EEXISTS);
	ck_assert_uint_eq(say_captured(&a, capture), 2); // it comes, and goes to b
	move(&a, other);
	ck_assert_uint_eq(say_captured(&a, capture), 0);
	ck_assert_uint_eq(say_captured(&b, capture), 1); // nobody hears it
	move(&a, context);
	ck_assert_uint_eq(say_captured(&a, capture), 1);
	world_party(&world, context, "10.77.0.30", 8000, 0x1111, &late);
	ck_assert_uint_eq(say_captured(&late, capture), 1);
	world_connect(&world, context, &late, &b);
	ck_assert_uint_eq(say_captured(&late, capture), 2);
	move_context(context, 1);
	ck_assert_uint_eq(say_captured(&late, capture), 2);
	ck_assert_int_eq(fork_stop(capture).result, 0);
	ck_assert_uint_eq(world.forks_closed, 1);
	ck_assert_uint_eq(say_captured(&late, capture), 0);
	fork_closed(capture);
	command.deadline_ns = 0;
	world_do(&world, &command); // another one may begin
}
END_TEST

START_TEST(destroyed_while_elsewhere)
{
	struct td_command destroy = { .kind = TD_COMMAND_STREAM_DESTROY };
	struct td_event_fork_started fork = fork_start(TD_FORK_DESTINATION);

	move(&a, other);
	destroy.u.stream_destroy = a.id;
	world_do(&world, &destroy);
	must_hear(&b, fork.fork, 1);
	ck_assert_uint_eq(world.forks_closed, 0);
	ck_assert_int_eq(fork_stop(fork.fork).result, 0);
	ck_assert_uint_eq(world.forks_closed, 1);
	fork_closed(fork.fork);
}
END_TEST

// Its own context ends while a stream is elsewhere, and the other way round.
START_TEST(ends_with_its_context)
{
	struct td_command destroy = { .kind = TD_COMMAND_CONTEXT_DESTROY };
	struct td_event_fork_started fork = fork_start(TD_FORK_DESTINATION);

	move(&a, other);
	destroy.u.context_destroy = context;
	world_do(&world, &destroy);
	world_turn(&world);
	ck_assert_uint_eq(world.forks_closed, 1);
	must_not_hear(&a);
	fork_closed(fork.fork);
	ck_assert_uint_eq(fork_counts().forks, 0);
}
END_TEST

START_TEST(goes_on_when_the_other_context_ends)
{
	struct td_command destroy = { .kind = TD_COMMAND_CONTEXT_DESTROY };
	struct td_event_fork_started fork = fork_start(TD_FORK_DESTINATION);

	move(&a, other);
	destroy.u.context_destroy = other;
	world_do(&world, &destroy);
	world_turn(&world);
	ck_assert_uint_eq(world.forks_closed, 0);
	must_hear(&b, fork.fork, 1);
	ck_assert_int_eq(fork_stop(fork.fork).result, 0);
	ck_assert_uint_eq(world.forks_closed, 1);
}
END_TEST

START_TEST(the_far_end_speaks_on_from_another_worker)
{
	struct td_event_fork_started fork;

	td_live_init(&live);
	world.live = &live;
	fork = fork_start(TD_FORK_DESTINATION);
	ck_assert_int_eq(world_player_gain(&world, context, fork.player, a.id, TD_GAIN_UNITY), 0);
	ck_assert_int_eq(world_gain(&world, context, b.id, a.id, 0), 0);
	for (uint32_t i = 0; i < 4; i++) {
		move_context(context, 1 - i % 2);
		far_end_says(&live, 4000);
		world_ticks(&world, 20);
		ck_assert_int_le(abs(fork_heard(&a) - 4000), 400);
		must_hear(&a, fork.fork, 0);
		must_hear(&b, fork.fork, 1);
		world_clear(&world);
	}
	ck_assert_uint_eq(td_live_played(&live), 4);
	ck_assert_int_eq(fork_stop(fork.fork).result, 0);
	ck_assert_uint_eq(world.forks_closed, 1);
	memset(&live, 0xff, sizeof live); // nobody looks there any more
	world_ticks(&world, 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fork move");
	TCase *tcase = tcase_create("fork move");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, setup, fork_close);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_stream_goes_to_another_worker_and_comes_back);
	tcase_add_test(tcase, closed_once_all_workers_have_let_go);
	tcase_add_test(tcase, begins_where_streams_are_elsewhere);
	tcase_add_test(tcase, a_capture_goes_with_its_stream);
	tcase_add_test(tcase, a_capture_takes_all_that_is_in_its_context);
	tcase_add_test(tcase, destroyed_while_elsewhere);
	tcase_add_test(tcase, ends_with_its_context);
	tcase_add_test(tcase, goes_on_when_the_other_context_ends);
	tcase_add_test(tcase, the_far_end_speaks_on_from_another_worker);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// Live forks in the engine: what reaches the forker, what its far end says, and what is refused.
#include "forked.h"

#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"

static void setup(void)
{
	fork_open(4);
}

START_TEST(each_fork_gets_its_own_copy)
{
	struct td_event_fork_started one = fork_start(TD_FORK_DESTINATION),
				     two = fork_start(TD_FORK_DESTINATION);
	struct td_tap_record record;

	ck_assert_uint_eq(one.player.v, 0);
	world_say(&world, &a);
	world_say(&world, &b);
	for (unsigned i = 0; i < 4; i++) {
		const struct world_party *party = i < 2 ? &a : &b;

		ck_assert(far_end_record(&world, &record));
		ck_assert_uint_eq(record.tap, td_handle_index(i % 2 ? two.fork.v : one.fork.v));
		ck_assert_uint_eq(record.side, i < 2 ? 0 : 1);
		ck_assert_uint_eq(record.ssrc, party->ssrc);
		ck_assert_uint_eq(record.codec, TD_CODEC_PCMU);
		ck_assert_uint_eq(record.kind, TD_TAP_AUDIO);
		ck_assert_uint_eq(record.payload_len, 160);
	}
	ck_assert(!far_end_record(&world, &record));
	ck_assert_uint_eq(world.out_count, 2); // the parties notice nothing
	a.payload_type = 101;
	world_say(&world, &a);
	ck_assert(far_end_record(&world, &record));
	ck_assert(record.kind == TD_TAP_EVENT && record.codec == TD_CODEC_NONE);
	ck_assert(far_end_record(&world, &record));
	a.payload_type = 0;
	ck_assert_int_eq(fork_stop(one.fork).result, 0);
	ck_assert_uint_eq(world.forks_closed, 1);
	world_say(&world, &a);
	ck_assert(far_end_record(&world, &record));
	ck_assert_uint_eq(record.tap, td_handle_index(two.fork.v));
	ck_assert(!far_end_record(&world, &record));
	ck_assert_int_eq(fork_stop(two.fork).result, 0);
	world_say(&world, &a);
	ck_assert(!far_end_record(&world, &record));
	ck_assert_int_eq(fork_stop(one.fork).result, -TD_ESTALE);
	fork_closed(one.fork);
	fork_closed(two.fork);
	ck_assert_uint_eq(fork_counts().forks, 0);
}
END_TEST

// A recording of the same streams keeps its records when the fork goes, and the other way round.
START_TEST(beside_a_recording)
{
	struct td_command command = { .kind = TD_COMMAND_RECORD_START };
	struct td_event_fork_started fork;
	struct td_tap_ring *taps = td_engine_tap_ring(world.engine, 0);
	struct td_tap_record record;
	struct td_tap_id tap;

	command.u.record_start.context = context;
	command.u.record_start.left = a.id;
	command.u.record_start.right = b.id;
	strcpy(command.u.record_start.name, "x.wav");
	tap = world_do(&world, &command).u.tap;
	fork = fork_start(TD_FORK_DESTINATION);
	world_say(&world, &a);
	ck_assert_ptr_nonnull(td_tap_peek(taps));
	td_tap_release(taps);
	ck_assert(far_end_record(&world, &record));
	ck_assert_int_eq(fork_stop(fork.fork).result, 0);
	world_say(&world, &a);
	ck_assert_ptr_nonnull(td_tap_peek(taps));
	td_tap_release(taps);
	ck_assert(!far_end_record(&world, &record));
	fork_closed(fork.fork);
	fork = fork_start(TD_FORK_DESTINATION);
	command = (struct td_command){ .kind = TD_COMMAND_RECORD_STOP, .u.record_stop = tap };
	world_do(&world, &command);
	world_say(&world, &a);
	ck_assert_ptr_null(td_tap_peek(taps));
	ck_assert(far_end_record(&world, &record));
}
END_TEST

// Nothing but the fork's own records is missing when nobody takes them.
START_TEST(full_ring_loses_records_not_packets)
{
	struct td_tap_record record;
	uint32_t kept = 0, said = 25000;

	fork_start(TD_FORK_DESTINATION);
	for (uint32_t i = 0; i < said; i++) {
		world_say(&world, &a);
		ck_assert_uint_eq(world.out_count, 1);
		world_clear(&world);
	}
	while (far_end_record(&world, &record))
		kept++;
	ck_assert_uint_eq(kept + world.region.workers[0].fork_lost, said);
	ck_assert_uint_gt(world.region.workers[0].fork_lost, 0);
	ck_assert_uint_eq(world.region.workers[0].forwarded, said);
}
END_TEST

static void must_be(const struct td_tap_record *record, enum td_tap_kind kind, const uint8_t *frame,
		    uint32_t len)
{
	ck_assert_uint_eq(record->kind, kind);
	ck_assert_uint_eq(record->offered, len);
	ck_assert_uint_eq(record->payload_len, len);
	ck_assert_mem_eq(record->payload, frame, len);
}

START_TEST(capture_takes_both_directions_as_they_are)
{
	struct td_event_fork_started capture = fork_start(TD_FORK_CAPTURE);
	struct td_tap_record in, out;
	struct frame frame;
	uint8_t was[256];
	uint32_t len;

	for (unsigned i = 0; i < 3; i++) {
		world_frame(&a, 160, &frame);
		memcpy(was, frame.bytes, frame.len);
		len = frame.len;
		world_say(&world, &a);
		ck_assert(far_end_record(&world, &in));
		must_be(&in, TD_TAP_FRAME_IN, was, len);
		ck_assert_uint_eq(in.side, 0);
		ck_assert(far_end_record(&world, &out));
		must_be(&out, TD_TAP_FRAME_OUT, rte_pktmbuf_mtod(world.out[0].mbuf, uint8_t *),
			world.out[0].mbuf->data_len);
		ck_assert_uint_eq(out.side, 1); // it goes to b
		ck_assert(!far_end_record(&world, &in));
		world_clear(&world);
	}
	// What is refused is what the engineer wants to see.
	a.ssrc = 1;
	a.port = 4444;
	world_say(&world, &a);
	ck_assert(far_end_record(&world, &in));
	ck_assert_uint_eq(in.kind, TD_TAP_FRAME_IN);
	ck_assert(!far_end_record(&world, &out));
	a.port = 4000;
	world.now_ns += 12000 * WORLD_MS; // reports of both are due
	td_role_enter_worker(0);
	for (unsigned i = 0; i < 100; i++) {
		world.now_ns += WORLD_MS;
		td_media_sweep(td_engine_worker(world.engine, 0), world.now_ns, &world.tx[0]);
	}
	for (len = 0; far_end_record(&world, &in); len++) {
		ck_assert_uint_eq(in.kind, TD_TAP_FRAME_OUT);
		ck_assert_uint_eq(in.payload[14 + 20 + 8] >> 6, 2);
	}
	ck_assert_uint_ge(len, 2);
	ck_assert_int_eq(fork_stop(capture.fork).result, 0);
	world_say(&world, &b);
	ck_assert(!far_end_record(&world, &in));
}
END_TEST

START_TEST(far_end_speaks_to_whom_it_may)
{
	struct td_event_fork_started fork;

	td_live_init(&live);
	world.live = &live;
	fork = fork_start(TD_FORK_DESTINATION);
	ck_assert_uint_ne(fork.player.v, 0);
	far_end_says(&live, 5000);
	world_ticks(&world, 20);
	ck_assert_uint_eq(td_live_played(&live), 1); // time goes on though nobody hears it
	ck_assert_int_eq(fork_heard(&a), 0);
	ck_assert_int_eq(world_player_gain(&world, context, fork.player, a.id, TD_GAIN_UNITY), 0);
	for (int i = 1; i <= 5; i++) {
		far_end_says(&live, (int16_t)(1000 * i));
		world_ticks(&world, 20);
		ck_assert_int_le(abs(fork_heard(&a) - 1000 * i), 100 * i);
	}
	world_ticks(&world, 20);
	ck_assert_int_le(abs(fork_heard(&a)), 10); // underrun is silence
	far_end_says(&live, 3000);
	far_end_says(&live, 3000);
	td_live_flush(&live);
	world_ticks(&world, 20);
	ck_assert_int_le(abs(fork_heard(&a)), 10);
	ck_assert_int_eq(world_player_gain(&world, context, fork.player, a.id, 0), 0);
	ck_assert_int_eq(world_player_gain(&world, context, fork.player, b.id, TD_GAIN_UNITY / 2),
			 0);
	far_end_says(&live, 8000);
	world_ticks(&world, 20);
	ck_assert_int_le(abs(fork_heard(&b) - 4000), 200);
	ck_assert_int_eq(fork_stop(fork.fork).result, 0);
	ck_assert_uint_eq(world.forks_closed, 1);
	ck_assert_uint_eq(fork_counts().players, 0);
	memset(&live, 0xff, sizeof live); // nobody looks there any more
	world_ticks(&world, 100);
	world_say(&world, &a);
	ck_assert_uint_eq(world.out_count, 1); // forwarded, as before
	fork_closed(fork.fork);
}
END_TEST

START_TEST(its_player_is_not_a_player_of_prompts)
{
	struct td_command control = { .kind = TD_COMMAND_PLAYER_CONTROL };
	struct td_command destroy = { .kind = TD_COMMAND_PLAYER_DESTROY };
	struct td_event_fork_started fork;

	td_live_init(&live);
	world.live = &live;
	fork = fork_start(TD_FORK_DESTINATION);
	control.u.player_control.player = fork.player;
	control.u.player_control.action = TD_PLAYER_STOP;
	ck_assert_int_eq(world_command(&world, &control).result, -TD_ESTATE);
	destroy.u.player_destroy = fork.player;
	ck_assert_int_eq(world_command(&world, &destroy).result, -TD_ESTATE);
}
END_TEST

START_TEST(context_destroyed_under_it)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_DESTROY };
	struct td_event_fork_started fork;

	td_live_init(&live);
	world.live = &live;
	fork = fork_start(TD_FORK_DESTINATION);
	ck_assert_int_eq(world_player_gain(&world, context, fork.player, a.id, TD_GAIN_UNITY), 0);
	far_end_says(&live, 1000);
	world_ticks(&world, 20);
	world_clear(&world);
	command.u.context_destroy = context;
	world_do(&world, &command);
	world_turn(&world);
	ck_assert_uint_eq(world.forks_closed, 1);
	memset(&live, 0xff, sizeof live);
	world_ticks(&world, 100);
	ck_assert_uint_eq(fork_counts().players, 0);
	ck_assert_uint_eq(fork_counts().forks, 1); // until it is reported closed
	fork_closed(fork.fork);
	ck_assert_uint_eq(fork_counts().forks, 0);
}
END_TEST

START_TEST(stream_destroyed_while_forked)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_DESTROY };
	struct td_event_fork_started fork = fork_start(TD_FORK_DESTINATION);
	struct td_tap_record record;

	command.u.stream_destroy = a.id;
	world_do(&world, &command);
	world_say(&world, &b);
	ck_assert(far_end_record(&world, &record));
	ck_assert_uint_eq(record.side, 1);
	ck_assert_int_eq(fork_stop(fork.fork).result, 0);
	fork_closed(fork.fork);
}
END_TEST

// While a card number is said nobody but the parties gets anything of it, and afterwards all goes on.
START_TEST(private_is_nobodys)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_PRIVACY };
	struct td_tap_record record;

	fork_start(TD_FORK_DESTINATION);
	fork_start(TD_FORK_CAPTURE);
	command.u.context_privacy.context = context;
	command.u.context_privacy.on = 1;
	command.u.context_privacy.party_count = 2;
	command.u.context_privacy.parties[0] = a.id;
	command.u.context_privacy.parties[1] = b.id;
	world_do(&world, &command);
	for (unsigned i = 0; i < 3; i++)
		world_say(&world, &a);
	ck_assert_uint_eq(world.out_count, 3); // they hear each other
	ck_assert(!far_end_record(&world, &record));
	command.u.context_privacy.on = 0;
	command.u.context_privacy.party_count = 0;
	command.deadline_ns = 0;
	world_do(&world, &command);
	world_say(&world, &a);
	ck_assert(far_end_record(&world, &record) && far_end_record(&world, &record) &&
		  far_end_record(&world, &record));
}
END_TEST

START_TEST(refusals)
{
	struct td_command command = fork_start_of(TD_FORK_DESTINATION);
	struct td_command_fork_start *start_ = &command.u.fork_start;
	const struct td_command good = command;
	struct td_event_fork_started forks[4];

	world.open_result = -TD_ENOT_FOUND;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ENOT_FOUND);
	world.open_result = 0;
	start_->what = 2;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	command = good;
	start_->stream_count = 0;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	start_->stream_count = TD_FORK_STREAM_MAX + 1;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	command = good;
	start_->streams[1] = a.id;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	start_->streams[1].v ^= 1u << 25;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ESTALE);
	command = good;
	start_->context.v ^= 1u << 25;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ESTALE);
	command = good;
	strcpy(start_->call, "../etc");
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	memset(start_->call, 'x', sizeof start_->call);
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	command = good;
	start_->tracks[1][0] = '"';
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	command = good;
	memset(start_->destination, 'x', sizeof start_->destination);
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	ck_assert_uint_eq(fork_counts().forks, 0);
	for (unsigned i = 0; i < 4; i++)
		forks[i] = fork_start(TD_FORK_DESTINATION);
	command = good;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EFULL);
	ck_assert_int_eq(fork_stop(forks[0].fork).result, 0);
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EFULL); // not closed yet
	fork_closed(forks[0].fork);
	fork_start(TD_FORK_DESTINATION);
}
END_TEST

START_TEST(none_where_none_may_be)
{
	struct td_command command;

	world_close(&world);
	fork_open(0);
	command = fork_start_of(TD_FORK_DESTINATION);
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EUNSUPPORTED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fork");
	TCase *tcase = tcase_create("fork");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, setup, fork_close);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, each_fork_gets_its_own_copy);
	tcase_add_test(tcase, beside_a_recording);
	tcase_add_test(tcase, full_ring_loses_records_not_packets);
	tcase_add_test(tcase, capture_takes_both_directions_as_they_are);
	tcase_add_test(tcase, far_end_speaks_to_whom_it_may);
	tcase_add_test(tcase, its_player_is_not_a_player_of_prompts);
	tcase_add_test(tcase, context_destroyed_under_it);
	tcase_add_test(tcase, stream_destroyed_while_forked);
	tcase_add_test(tcase, private_is_nobodys);
	tcase_add_test(tcase, refusals);
	tcase_add_test(tcase, none_where_none_may_be);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

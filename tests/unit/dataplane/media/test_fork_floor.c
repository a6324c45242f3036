// A fork that hears a whole context, as one who only listens.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "choir.h"
#include "far_end.h"
#include "media/engine_state.h"

#define UNITY   TD_GAIN_UNITY
#define HEARD_S 2

static struct world world;
static struct choir choir;
static struct td_context_id room;
static struct choir_voice *a, *b, *c;
static struct td_live live;

// What the ear heard: its last packets one behind the other.
static int16_t heard[8000 * HEARD_S];
static uint32_t heard_count;
static uint32_t breaks, jumps; // of its numbers, of its time
static uint16_t last_sequence;
static uint32_t last_timestamp;

static void open_room(uint32_t streams)
{
	struct world_options options = { .workers = 2, .streams = streams, .forks = 4 };

	choir_begin(&choir, &world, &options);
	room = world_context(&world);
	heard_count = breaks = jumps = 0;
}

static void on_floor(struct td_context_id context, struct choir_voice *voice, int32_t talk,
		     int32_t hear)
{
	ck_assert_int_eq(choir_edit(&choir, context, voice, NULL, talk), 0);
	ck_assert_int_eq(choir_edit(&choir, context, NULL, voice, hear), 0);
}

static void open_three(void)
{
	open_room(16);
	a = choir_add(&choir, room, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, room, TD_CODEC_PCMA, 20);
	c = choir_add(&choir, room, TD_CODEC_G722, 20);
	on_floor(room, a, UNITY, UNITY);
	on_floor(room, b, UNITY, UNITY);
	on_floor(room, c, UNITY, UNITY);
}

static void close_room(void)
{
	choir_end(&choir);
	world_close(&world);
	memset(&live, 0, sizeof live);
}

static struct td_command start_of(enum td_fork_what what, uint8_t codec)
{
	struct td_command command = { .kind = TD_COMMAND_FORK_START };
	struct td_command_fork_start *start = &command.u.fork_start;

	start->context = room;
	start->what = what;
	start->codec = codec;
	start->stream_count = what == TD_FORK_FLOOR;
	strcpy(start->destination, "bot");
	strcpy(start->call, "board");
	strcpy(start->tracks[0], "floor");
	return command;
}

static struct td_event_fork_started listen(uint8_t codec)
{
	struct td_command command = start_of(TD_FORK_FLOOR, codec);

	return world_do(&world, &command).u.fork_started;
}

static int stop(struct td_fork_id fork)
{
	struct td_command command = { .kind = TD_COMMAND_FORK_STOP, .u.fork_stop = fork };

	return world_command(&world, &command).result;
}

// Takes what the ear has heard since. Returns how many packets.
static uint32_t take(struct td_fork_id fork)
{
	struct td_tap_record record;
	uint32_t count = 0;

	while (far_end_record(&world, &record)) {
		const struct td_codec *codec = td_codec_get((enum td_codec_id)record.codec);

		ck_assert_uint_eq(record.tap, td_handle_index(fork.v));
		ck_assert_uint_eq(record.side, 0);
		ck_assert_uint_eq(record.kind, TD_TAP_AUDIO);
		if (heard_count == sizeof heard / sizeof heard[0]) {
			memmove(heard, heard + 160, sizeof heard - 160 * sizeof heard[0]);
			heard_count -= 160;
		}
		ck_assert_int_eq(codec->decode(NULL, record.payload, record.payload_len,
					       heard + heard_count, 160),
				 160);
		breaks += heard_count > 0 && record.sequence != (uint16_t)(last_sequence + 1u);
		jumps += heard_count > 0 && record.timestamp != last_timestamp + 160u;
		heard_count += 160;
		last_sequence = record.sequence;
		last_timestamp = record.timestamp;
		count++;
	}
	return count;
}

// How loud this voice was in the last 400 ms; 1.0 is unity.
static double loud(const struct choir_voice *voice)
{
	double re = 0, im = 0;

	ck_assert_uint_ge(heard_count, 3200);
	for (uint32_t i = 0; i < 3200; i++) {
		double phase = 2.0 * M_PI * voice->phase_hz * i / 8000.0;

		re += heard[heard_count - 3200 + i] * cos(phase);
		im += heard[heard_count - 3200 + i] * sin(phase);
	}
	return hypot(re, im) / 1600.0 / CHOIR_LEVEL;
}

static void must_be_loud(const struct choir_voice *voice, double gain)
{
	ck_assert_double_eq_tol(loud(voice), gain, gain > 0 ? 0.1 * gain : 0.03);
}

static uint32_t streams_counted(void)
{
	struct td_engine_counts counts;

	td_role_enter_main();
	td_engine_count(world.engine, &counts);
	td_role_enter_worker(0);
	return counts.streams;
}

START_TEST(hears_the_floor_as_one_who_listens)
{
	struct td_event_fork_started fork;

	open_three();
	fork = listen(TD_CODEC_L16_8);
	choir_sing(&choir, 1000);
	ck_assert_uint_ge(take(fork.fork), 45);
	must_be_loud(a, 1);
	must_be_loud(b, 1);
	must_be_loud(c, 1);
	on_floor(room, b, 0, UNITY); // muted
	on_floor(room, c, UNITY / 2, UNITY);
	choir_sing(&choir, 1000);
	ck_assert_uint_ge(take(fork.fork), 49);
	must_be_loud(a, 1);
	must_be_loud(b, 0);
	must_be_loud(c, 0.5);
	ck_assert_uint_eq(breaks + jumps, 0);
	choir_hears(&choir, a, 0, 0, 0.5); // the parties notice nothing
	ck_assert_uint_eq(streams_counted(), 3);
	ck_assert_int_eq(stop(fork.fork), 0);
	ck_assert_uint_eq(world.forks_closed, 1);
	choir_sing(&choir, 200);
	ck_assert_uint_eq(take(fork.fork), 0);
	ck_assert_uint_eq(a->breaks + b->breaks + c->breaks, 0);
}
END_TEST

// One voice alone in the ear's own codec: it would be forwarded to a party.
START_TEST(hears_one_alone)
{
	struct td_event_fork_started fork;

	open_room(16);
	a = choir_add(&choir, room, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, room, TD_CODEC_PCMU, 20);
	on_floor(room, a, UNITY, UNITY);
	on_floor(room, b, 0, UNITY);
	fork = listen(TD_CODEC_PCMU);
	choir_sing(&choir, 600);
	ck_assert_uint_ge(take(fork.fork), 25);
	must_be_loud(a, 1);
	ck_assert_uint_ge(b->packets, 29); // and forwarded to b all the same
	ck_assert_int_eq(stop(fork.fork), 0);
}
END_TEST

static const struct td_plan *plan_of_room(void)
{
	return world.engine->contexts[td_handle_index(room.v)].plan;
}

static void without_events(const struct choir_voice *voice)
{
	struct td_command command = world_set_remote(&voice->party, TD_CODEC_PCMU);

	command.u.stream_set_remote.event_payload_type = TD_PAYLOAD_TYPE_NONE;
	command.u.stream_set_remote.event_payload_type_rx = TD_PAYLOAD_TYPE_NONE;
	world_do(&world, &command);
}

// Those who hear the same in the same codec share one encoder with it, and keep it when it goes.
START_TEST(shares_its_mix)
{
	struct td_event_fork_started fork;
	struct choir_voice *d;

	open_room(16);
	a = choir_add(&choir, room, TD_CODEC_PCMA, 20);
	b = choir_add(&choir, room, TD_CODEC_PCMA, 20);
	on_floor(room, a, UNITY, 0);
	on_floor(room, b, UNITY, 0);
	fork = listen(TD_CODEC_PCMU);
	c = choir_add(&choir, room, TD_CODEC_PCMU, 20);
	d = choir_add(&choir, room, TD_CODEC_PCMU, 20);
	without_events(c);
	without_events(d);
	on_floor(room, c, 0, UNITY);
	on_floor(room, d, 0, UNITY);
	ck_assert_uint_eq(plan_of_room()->mix_count, 1);
	ck_assert_uint_eq(plan_of_room()->mix_sink_count, 3);
	choir_sing(&choir, 600);
	ck_assert_uint_ge(take(fork.fork), 25);
	must_be_loud(a, 1);
	must_be_loud(b, 1);
	ck_assert_int_eq(stop(fork.fork), 0);
	choir_sing(&choir, 600);
	choir_hears(&choir, c, 1, 1, 0, 0);
	choir_hears(&choir, d, 1, 1, 0, 0);
	ck_assert_uint_eq(c->breaks + d->breaks, 0);
}
END_TEST

static int mean(const int16_t *pcm, uint32_t count)
{
	int sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += pcm[i];
	return sum / (int)count;
}

// All hear it, but it does not hear itself.
START_TEST(speaks_to_all_and_does_not_hear_itself)
{
	struct td_command command = { .kind = TD_COMMAND_MATRIX_EDIT };
	struct td_event_fork_started fork;

	open_room(16);
	a = choir_add(&choir, room, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, room, TD_CODEC_PCMA, 20);
	on_floor(room, a, UNITY, UNITY);
	on_floor(room, b, UNITY, UNITY);
	td_live_init(&live);
	world.live = &live;
	fork = listen(TD_CODEC_L16_8);
	command.u.matrix_edit.context = room;
	command.u.matrix_edit.cell_count = 1;
	command.u.matrix_edit.cells[0] = (struct td_cell){ { TD_MEMBER_PLAYER, fork.player.v },
							   { TD_MEMBER_FLOOR, 0 },
							   UNITY };
	world_do(&world, &command);
	for (unsigned i = 0; i < 30; i++) {
		far_end_says(&live, 4000);
		choir_sing(&choir, 20);
	}
	ck_assert_uint_ge(take(fork.fork), 25);
	ck_assert_int_le(abs(mean(a->heard + a->heard_count - 160, 160) - 4000), 200);
	ck_assert_int_le(abs(mean(b->heard + b->heard_count - 160, 160) - 4000), 200);
	ck_assert_int_le(abs(mean(heard + heard_count - 160, 160)), 100);
	must_be_loud(a, 1);
	must_be_loud(b, 1);
	ck_assert_int_eq(stop(fork.fork), 0);
	ck_assert_uint_eq(world.forks_closed, 1);
	memset(&live, 0xff, sizeof live); // nobody looks there any more
	choir_sing(&choir, 200);
	choir_hears(&choir, a, 0, 1);
	ck_assert_uint_eq(a->breaks + b->breaks, 0);
}
END_TEST

START_TEST(goes_with_its_context_to_another_worker)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_MOVE };
	struct td_event_fork_started fork;

	open_three();
	fork = listen(TD_CODEC_L16_8);
	choir_sing(&choir, 600);
	take(fork.fork);
	for (uint32_t i = 0; i < 3; i++) {
		command.u.context_move.context = room;
		command.u.context_move.worker = 1 - i % 2;
		world_do(&world, &command);
		choir_sing(&choir, 600);
		ck_assert_uint_ge(take(fork.fork), 28);
		must_be_loud(a, 1);
		must_be_loud(b, 1);
		must_be_loud(c, 1);
	}
	ck_assert_uint_eq(breaks, 0);
	ck_assert_int_eq(stop(fork.fork), 0);
	ck_assert_uint_eq(world.forks_closed, 1);
}
END_TEST

static void be_private(bool on)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_PRIVACY };

	command.u.context_privacy.context = room;
	command.u.context_privacy.on = on;
	world_do(&world, &command);
}

START_TEST(private_is_not_heard)
{
	struct td_event_fork_started fork;

	open_three();
	fork = listen(TD_CODEC_L16_8);
	choir_sing(&choir, 600);
	take(fork.fork);
	be_private(true);
	choir_sing(&choir, 600);
	ck_assert_uint_eq(take(fork.fork), 0);
	choir_hears(&choir, a, 0, 1, 1);
	be_private(false);
	choir_sing(&choir, 600);
	ck_assert_uint_ge(take(fork.fork), 28);
	must_be_loud(a, 1);
	ck_assert_uint_eq(breaks, 0);
	ck_assert_uint_eq(jumps, 1); // time has passed
}
END_TEST

START_TEST(ends_with_its_context)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_DESTROY };
	struct td_event closed = { .kind = TD_EVENT_FORK_CLOSED };
	struct td_event_fork_started fork;

	open_three();
	td_live_init(&live);
	world.live = &live;
	fork = listen(TD_CODEC_L16_8);
	choir_sing(&choir, 100);
	take(fork.fork);
	world_clear(&world);
	command.u.context_destroy = room;
	world_do(&world, &command);
	world_turn(&world);
	ck_assert_uint_eq(world.forks_closed, 1);
	memset(&live, 0xff, sizeof live);
	world_ticks(&world, 100);
	ck_assert_uint_eq(take(fork.fork), 0);
	ck_assert_uint_eq(streams_counted(), 0);
	closed.u.fork.fork = fork.fork;
	td_role_enter_forker();
	ck_assert_int_eq(td_engine_fork_event(world.engine, &closed), 0);
	td_role_enter_worker(0);
	world.now_ns += 50 * WORLD_MS;
	world_turn(&world);
	ck_assert_uint_eq(world.engine->live[TD_POOL_STREAM], 0);
	ck_assert_uint_eq(world.engine->live[TD_POOL_FORK], 0);
}
END_TEST

START_TEST(refusals)
{
	struct td_command command;
	struct td_command_fork_start *start = &command.u.fork_start;
	struct td_command destroy = { .kind = TD_COMMAND_STREAM_DESTROY };

	open_room(3);
	a = choir_add(&choir, room, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, room, TD_CODEC_PCMU, 20);
	on_floor(room, a, UNITY, UNITY);
	on_floor(room, b, UNITY, UNITY);
	command = start_of(TD_FORK_FLOOR, TD_CODEC_NONE);
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ECODEC);
	command = start_of(TD_FORK_FLOOR, TD_CODEC_L16_48); // a frame is more than a packet
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ECODEC);
	command = start_of(TD_FORK_FLOOR, TD_CODEC_L16_8);
	start->streams[0] = a->party.id;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	command = start_of(TD_FORK_FLOOR, TD_CODEC_L16_8);
	start->stream_count = 2;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	ck_assert_uint_eq(world.forks_opened, 0);
	command = start_of(TD_FORK_FLOOR, TD_CODEC_L16_8);
	ck_assert_uint_ne(world_do(&world, &command).u.fork_started.fork.v, 0);
	destroy.u.stream_destroy.v = td_handle_make(2, 1);
	ck_assert_int_eq(world_command(&world, &destroy).result, -TD_ESTALE); // nobody's but its
	command.deadline_ns = 0;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EFULL);
	ck_assert_uint_eq(world.forks_opened, 2);
	ck_assert_uint_eq(world.forks_closed, 1); // the one that had been opened in vain
	choir_sing(&choir, 400);
	choir_hears(&choir, a, 0, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fork floor");
	TCase *tcase = tcase_create("fork floor");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, NULL, close_room);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, hears_the_floor_as_one_who_listens);
	tcase_add_test(tcase, hears_one_alone);
	tcase_add_test(tcase, shares_its_mix);
	tcase_add_test(tcase, speaks_to_all_and_does_not_hear_itself);
	tcase_add_test(tcase, goes_with_its_context_to_another_worker);
	tcase_add_test(tcase, private_is_not_heard);
	tcase_add_test(tcase, ends_with_its_context);
	tcase_add_test(tcase, refusals);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

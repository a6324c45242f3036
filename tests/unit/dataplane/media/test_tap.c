// Taps: tracks that come and go, recordings that follow their streams, pause, mask, and privacy.
#include <stdlib.h>
#include <string.h>

#include "choir.h"

#define UNITY TD_GAIN_UNITY

static struct world world;
static struct choir choir;
static struct td_context_id first, second;
static struct choir_voice *a, *b, *c;

static void open_workers(uint32_t workers)
{
	struct world_options options = { .workers = workers, .streams = 32, .tap_lines = 8192 };

	choir_begin(&choir, &world, &options);
	first = world_context(&world);
	second = world_context(&world);
}

static void close_world(void)
{
	choir_end(&choir);
	world_close(&world);
}

static struct td_tap_id start(struct td_context_id context, uint8_t tracks)
{
	struct td_command command = { .kind = TD_COMMAND_RECORD_START };

	command.u.record_start.context = context;
	command.u.record_start.track_count = tracks;
	memcpy(command.u.record_start.name, "x.wav", 6);
	return world_do(&world, &command).u.tap;
}

static int stop(struct td_tap_id tap)
{
	struct td_command command = { .kind = TD_COMMAND_RECORD_STOP };

	command.u.record_stop = tap;
	return world_command(&world, &command).result;
}

static int track(enum td_command_kind kind, struct td_tap_id tap, const struct choir_voice *voice,
		 uint32_t number)
{
	struct td_command command = { .kind = kind };

	command.u.record_track.tap = tap;
	command.u.record_track.stream = voice->party.id;
	command.u.record_track.track = number;
	return world_command(&world, &command).result;
}

static int attach(struct td_tap_id tap, const struct choir_voice *voice, uint32_t number)
{
	return track(TD_COMMAND_RECORD_ATTACH, tap, voice, number);
}

static int detach(struct td_tap_id tap, const struct choir_voice *voice)
{
	return track(TD_COMMAND_RECORD_DETACH, tap, voice, 0);
}

static int control(struct td_tap_id tap, uint32_t action)
{
	struct td_command command = { .kind = TD_COMMAND_RECORD_CONTROL };

	command.u.record_control.tap = tap;
	command.u.record_control.action = action;
	memcpy(command.u.record_control.text, "here", 5);
	return world_command(&world, &command).result;
}

static int privacy(struct td_context_id context, bool on, const struct choir_voice *x,
		   const struct choir_voice *y)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_PRIVACY };
	struct td_command_context_privacy *private = &command.u.context_privacy;

	private->context = context;
	private->on = on;
	if (x)
	private->parties[private->party_count++] = x->party.id;
	if (y)
	private->parties[private->party_count++] = y->party.id;
	return world_command(&world, &command).result;
}

// Takes all records of a worker. Answers how many of this track there were.
struct counted {
	uint32_t tracks[TD_TRACK_MAX], masked, bytes;
};

static struct counted drain(uint32_t worker, struct td_tap_id tap)
{
	struct td_tap_ring *ring = td_engine_tap_ring(world.engine, worker);
	const struct td_tap_record *record;
	struct counted counted = { .masked = 0 };

	while ((record = td_tap_peek(ring)) != NULL) {
		ck_assert_uint_lt(record->side, TD_TRACK_MAX);
		if (record->tap == td_handle_index(tap.v)) {
			counted.tracks[record->side]++;
			counted.masked += (record->flags & TD_TAP_MASKED) != 0;
			counted.bytes += record->payload_len;
		}
		td_tap_release(ring);
	}
	return counted;
}

// Who is sent nothing has heard nothing.
static void forget_heard(struct choir_voice *voice)
{
	memset(voice->heard, 0, sizeof voice->heard);
}

START_TEST(tracks_come_and_go)
{
	struct td_tap_id tap;
	struct counted counted;

	open_workers(1);
	a = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	c = choir_add(&choir, second, TD_CODEC_PCMA, 20);
	tap = start(first, 3); // with nobody yet
	choir_sing(&choir, 100);
	counted = drain(0, tap);
	ck_assert_uint_eq(counted.tracks[0] + counted.tracks[1] + counted.tracks[2], 0);
	ck_assert_int_eq(attach(tap, a, 3), -TD_EINVALID);
	ck_assert_int_eq(attach(tap, a, 0), 0);
	ck_assert_int_eq(attach(tap, a, 1), -TD_EBUSY);
	ck_assert_int_eq(attach(tap, c, 2), 0); // of another context
	choir_sing(&choir, 100);
	counted = drain(0, tap);
	ck_assert_uint_eq(counted.tracks[0], 5);
	ck_assert_uint_eq(counted.tracks[1], 0);
	ck_assert_uint_eq(counted.tracks[2], 5);
	ck_assert_int_eq(detach(tap, b), -TD_ENOT_FOUND);
	ck_assert_int_eq(detach(tap, a), 0);
	ck_assert_int_eq(attach(tap, b, 0), 0); // in its place
	choir_sing(&choir, 100);
	counted = drain(0, tap);
	ck_assert_uint_eq(counted.tracks[0], 5);
	ck_assert_uint_eq(counted.tracks[2], 5);
	ck_assert_uint_eq(world.region.workers[0].taps, 2);
	ck_assert_int_eq(stop(tap), 0);
	ck_assert_uint_eq(world.closed, 1);
	ck_assert_int_eq(attach(tap, a, 0), -TD_ESTALE);
	ck_assert_int_eq(detach(tap, b), -TD_ESTALE);
	ck_assert_uint_eq(world.region.workers[0].taps, 0);
}
END_TEST

static struct td_command move_to(struct choir_voice *voice, struct td_context_id to)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_MOVE };

	command.u.stream_move.stream = voice->party.id;
	command.u.stream_move.context = to;
	return command;
}

// From worker to worker, and its context as well: every packet is in one ring or the other.
START_TEST(a_recording_follows_its_streams)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_MOVE };
	struct td_tap_id tap;
	struct counted there, here;

	open_workers(2);
	a = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	choir_both(&choir, first, a, b);
	tap = start(first, 2);
	ck_assert_int_eq(attach(tap, a, 0), 0);
	ck_assert_int_eq(attach(tap, b, 1), 0);
	choir_sing(&choir, 200);
	command = move_to(a, second);
	world_do(&world, &command);
	choir_sing(&choir, 200);
	here = drain(0, tap);
	there = drain(1, tap);
	ck_assert_uint_eq(here.tracks[0], 10);
	ck_assert_uint_eq(here.tracks[1], 20);
	ck_assert_uint_eq(there.tracks[0], 10);
	ck_assert_uint_eq(there.tracks[1], 0);
	command = (struct td_command){ .kind = TD_COMMAND_CONTEXT_MOVE };
	command.u.context_move.context = first;
	command.u.context_move.worker = 1;
	world_do(&world, &command);
	choir_sing(&choir, 200);
	there = drain(1, tap);
	ck_assert_uint_eq(there.tracks[0], 10);
	ck_assert_uint_eq(there.tracks[1], 10);
	ck_assert_uint_eq(world.region.workers[0].taps, 0);
	ck_assert_uint_eq(world.region.workers[1].taps, 2);
	command = move_to(a, first);
	world_do(&world, &command);
	ck_assert_uint_eq(world.closed, 0);
	ck_assert_int_eq(stop(tap), 0);
	ck_assert_uint_eq(world.closed, 1);
}
END_TEST

// Its streams are on two workers: it is closed when both have let go, and not before.
START_TEST(closed_when_the_last_worker_has_let_go)
{
	struct td_command command = { .kind = TD_COMMAND_RECORD_STOP };
	struct td_event event;
	struct td_tap_id tap;

	open_workers(2);
	a = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, second, TD_CODEC_PCMU, 20);
	tap = start(first, 2);
	ck_assert_int_eq(attach(tap, a, 0), 0);
	ck_assert_int_eq(attach(tap, b, 1), 0);
	command.u.record_stop = tap;
	world_command_only(&world, &command);
	world_workers(&world); // both have; main does not know
	ck_assert_uint_eq(world.closed, 0);
	ck_assert(!world_event(&world, TD_EVENT_DONE, &event));
	world_turn(&world);
	ck_assert_uint_eq(world.closed, 1);
	ck_assert(world_event(&world, TD_EVENT_DONE, &event));
	ck_assert_int_eq(event.result, 0);
	ck_assert_uint_eq(event.u.tap.v, tap.v);
	// One ends with the context it was made in, wherever its streams are.
	tap = start(first, 2);
	ck_assert_int_eq(attach(tap, b, 1), 0);
	command = (struct td_command){ .kind = TD_COMMAND_CONTEXT_DESTROY };
	command.u.context_destroy = first;
	world_do(&world, &command);
	world_turn(&world);
	ck_assert_uint_eq(world.closed, 2);
	ck_assert_int_eq(detach(tap, b), -TD_ESTALE);
	ck_assert_uint_eq(world.region.workers[1].taps, 0);
}
END_TEST

START_TEST(pause_and_mask)
{
	struct td_tap_id tap, other;
	struct counted counted;

	open_workers(1);
	a = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	choir_both(&choir, first, a, b);
	tap = start(first, 2);
	other = start(first, 2);
	ck_assert_int_eq(attach(tap, a, 0), 0);
	ck_assert_int_eq(attach(other, a, 0), 0);
	ck_assert_int_eq(control(tap, TD_RECORD_ACTION_COUNT), -TD_EINVALID);
	ck_assert_int_eq(control(tap, TD_RECORD_PAUSE), 0);
	choir_sing(&choir, 200);
	ck_assert_uint_eq(drain(0, tap).tracks[0], 0);
	ck_assert_int_eq(control(tap, TD_RECORD_MARK), 0); // changes nothing
	ck_assert_int_eq(control(tap, TD_RECORD_MASK), 0);
	choir_sing(&choir, 200);
	ck_assert_uint_eq(drain(0, tap).tracks[0], 0);
	ck_assert_int_eq(control(tap, TD_RECORD_RESUME), 0);
	ck_assert_int_eq(control(tap, TD_RECORD_MASK), 0);
	choir_sing(&choir, 200);
	counted = drain(0, tap);
	ck_assert_uint_eq(counted.tracks[0], 10);
	ck_assert_uint_eq(counted.masked, 10);
	ck_assert_uint_eq(counted.bytes, 0);
	choir_sing(&choir, 200);
	counted = drain(0, other); // the other recording goes on
	ck_assert_uint_eq(counted.tracks[0], 10);
	ck_assert_uint_eq(counted.bytes, 1600);
	ck_assert_int_eq(control(tap, TD_RECORD_RESUME), 0);
	choir_sing(&choir, 200);
	counted = drain(0, tap);
	ck_assert_uint_eq(counted.masked, 0);
	ck_assert_uint_eq(counted.bytes, 1600);
	choir_hears(&choir, b, 1, 0); // all the time
	ck_assert_int_eq(stop(tap), 0);
	ck_assert_int_eq(control(tap, TD_RECORD_PAUSE), -TD_ESTALE);
}
END_TEST

// Who speaks in private is heard by the other party; whoever else is there, or comes, hears nothing,
// and taps are told that packets came.
START_TEST(nobody_else_hears_what_is_private)
{
	struct choir_voice *late;
	struct td_tap_id tap, added;
	struct counted counted;

	open_workers(1);
	a = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, first, TD_CODEC_G722, 20);
	c = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	choir_both(&choir, first, a, b);
	ck_assert_int_eq(choir_edit(&choir, first, a, c, UNITY),
			 0); // c monitors, and whispers to b
	ck_assert_int_eq(choir_edit(&choir, first, b, c, UNITY), 0);
	ck_assert_int_eq(choir_edit(&choir, first, c, b, UNITY), 0);
	tap = start(first, 2);
	ck_assert_int_eq(attach(tap, a, 0), 0);
	choir_sing(&choir, 400);
	choir_hears(&choir, c, 1, 1, 0);
	ck_assert_uint_eq(drain(0, tap).masked, 0);
	ck_assert_int_eq(privacy(first, true, a, b), 0);
	choir_sing(&choir, 20); // what was on its way
	late = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	ck_assert_int_eq(choir_edit(&choir, first, a, late, UNITY), 0);
	ck_assert_int_eq(choir_edit(&choir, first, b, late, UNITY), 0);
	added = start(first, 2);
	ck_assert_int_eq(attach(added, b, 1), 0);
	(void)drain(0, tap);
	forget_heard(c);
	choir_sing(&choir, 400);
	choir_hears(&choir, a, 0, 1, 0, 0);
	choir_hears(&choir, b, 1, 0, 1, 0);
	choir_hears(&choir, c, 0, 0, 0, 0);
	choir_hears(&choir, late, 0, 0, 0, 0);
	counted = drain(0, tap);
	ck_assert_uint_eq(counted.tracks[0], 20);
	ck_assert_uint_eq(counted.masked, 20);
	ck_assert_uint_eq(counted.bytes, 0);
	choir_sing(&choir, 100);
	counted = drain(0, added);
	ck_assert_uint_eq(counted.masked, 5);
	ck_assert_uint_eq(counted.bytes, 0);
	ck_assert_int_eq(privacy(first, false, NULL, NULL), 0);
	choir_sing(&choir, 400);
	choir_hears(&choir, c, 1, 1, 0, 0);
	choir_hears(&choir, late, 1, 1, 0, 0);
	counted = drain(0, tap);
	ck_assert_uint_eq(counted.masked, 0);
	ck_assert_uint_eq(counted.bytes, 3200);
}
END_TEST

START_TEST(privacy_on_the_floor)
{
	open_workers(1);
	a = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	c = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(choir_edit(&choir, first, &choir.voices[i], NULL, UNITY), 0);
		ck_assert_int_eq(choir_edit(&choir, first, NULL, &choir.voices[i], UNITY), 0);
	}
	ck_assert_int_eq(privacy(first, true, NULL, NULL), 0); // all are parties
	choir_sing(&choir, 600);
	choir_hears(&choir, c, 1, 1, 0);
	ck_assert_int_eq(privacy(first, true, a, b), 0);
	forget_heard(c);
	choir_sing(&choir, 600);
	choir_hears(&choir, a, 0, 1, 1);
	choir_hears(&choir, b, 1, 0, 1);
	choir_hears(&choir, c, 0, 0, 0);
	ck_assert_int_eq(privacy(first, false, NULL, NULL), 0);
	choir_sing(&choir, 600);
	choir_hears(&choir, c, 1, 1, 0);
}
END_TEST

START_TEST(privacy_is_refused_by_name)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_PRIVACY };
	struct td_command move;

	open_workers(1);
	a = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	c = choir_add(&choir, second, TD_CODEC_PCMU, 20);
	ck_assert_int_eq(privacy(first, true, a, c), -TD_ESTALE); // c is elsewhere
	command.u.context_privacy.context = first;
	command.u.context_privacy.on = 1;
	command.u.context_privacy.party_count = TD_PRIVACY_PARTY_MAX + 1;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	command.u.context_privacy.party_count = 0;
	command.u.context_privacy.context.v += 1u << 20;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ESTALE);
	ck_assert_int_eq(privacy(first, true, a, b), 0);
	move = move_to(a, second); // c would hear it
	ck_assert_int_eq(world_command(&world, &move).result, -TD_ESTATE);
	ck_assert_int_eq(privacy(first, false, NULL, NULL), 0);
	move.deadline_ns = 0;
	ck_assert_int_eq(world_command(&world, &move).result, 0);
}
END_TEST

// One packet of an event: `at` counts from its beginning, the last three are its end.
static void press(struct choir_voice *voice, uint8_t code, unsigned at, unsigned count)
{
	uint32_t timestamp = voice->party.timestamp;
	struct frame frame;

	voice->party.payload_type = 101;
	world_frame(&voice->party, 4, &frame);
	frame.bytes[frame.l4 + 9] = (uint8_t)(101 | (at == 0 ? 0x80 : 0));
	frame.bytes[frame.l4 + 20] = code;
	frame.bytes[frame.l4 + 21] = (uint8_t)(10 | (at + 3 >= count ? 0x80 : 0));
	frame.bytes[frame.l4 + 22] = (uint8_t)(160 * (at + 1) >> 8);
	frame.bytes[frame.l4 + 23] = (uint8_t)(160 * (at + 1));
	frame_checksums(&frame);
	ck_assert(world_send(&world, &frame));
	voice->party.payload_type = 96;
	voice->party.sequence++;
	voice->party.timestamp = timestamp;
	world.now_ns += 20 * WORLD_MS;
	world_turn(&world);
}

static void digit(struct choir_voice *voice, uint8_t code)
{
	for (unsigned i = 0; i < 8; i++)
		press(voice, code, i, 8);
	voice->party.timestamp += 8 * 160;
}

static unsigned digits_told(char last)
{
	struct td_event event;
	unsigned count = 0;

	while (world_event(&world, TD_EVENT_DIGIT, &event)) {
		ck_assert_int_eq(event.u.digit.digit, last);
		count++;
	}
	return count;
}

START_TEST(private_digits_are_told_to_nobody)
{
	struct td_tap_id tap;
	struct td_tap_ring *ring;
	const struct td_tap_record *record;

	open_workers(1);
	a = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	choir_both(&choir, first, a, b);
	choir_sing(&choir, 100);
	tap = start(first, 2);
	ck_assert_int_eq(attach(tap, a, 0), 0);
	digit(a, 5);
	ck_assert_uint_eq(digits_told('5'), 1);
	(void)drain(0, tap);
	ck_assert_int_eq(privacy(first, true, a, b), 0);
	world_clear(&world);
	digit(a, 6);
	ck_assert_uint_eq(world.out_count, 8); // b still gets it
	ck_assert_uint_eq(digits_told('-'), 0);
	ring = td_engine_tap_ring(world.engine, 0);
	for (unsigned i = 0; i < 8; i++) { // and nothing tells them from speech
		record = td_tap_peek(ring);
		ck_assert_ptr_nonnull(record);
		ck_assert_uint_eq(record->codec, TD_CODEC_PCMU);
		ck_assert_uint_eq(record->kind, TD_TAP_AUDIO);
		ck_assert_uint_eq(record->payload_len + record->marker, 0);
		ck_assert_uint_eq(record->flags, TD_TAP_MASKED);
		td_tap_release(ring);
	}
	for (unsigned i = 0; i < 4; i++) // one that is still being said when it ends
		press(a, 7, i, 8);
	ck_assert_int_eq(privacy(first, false, NULL, NULL), 0);
	for (unsigned i = 4; i < 8; i++)
		press(a, 7, i, 8);
	a->party.timestamp += 8 * 160;
	ck_assert_uint_eq(digits_told('-'), 0);
	digit(a, 8);
	ck_assert_uint_eq(digits_told('8'), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tap");
	TCase *tcase = tcase_create("tap");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, NULL, close_world);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, tracks_come_and_go);
	tcase_add_test(tcase, a_recording_follows_its_streams);
	tcase_add_test(tcase, closed_when_the_last_worker_has_let_go);
	tcase_add_test(tcase, pause_and_mask);
	tcase_add_test(tcase, nobody_else_hears_what_is_private);
	tcase_add_test(tcase, privacy_on_the_floor);
	tcase_add_test(tcase, privacy_is_refused_by_name);
	tcase_add_test(tcase, private_digits_are_told_to_nobody);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

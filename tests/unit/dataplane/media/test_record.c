// Taps and recordings: what reaches the recorder, when it opens and closes, and what is refused.
#include "world.h"

#include <stdlib.h>
#include <string.h>

static struct world world;
static struct td_context_id context;
static struct world_party a, b;

static void open_two(const struct world_options *options)
{
	world_open(&world, options);
	context = world_context(&world);
	world_party(&world, context, "10.77.0.10", 4000, 0xaaaa, &a);
	world_party(&world, context, "10.77.0.20", 6000, 0xbbbb, &b);
	world_connect(&world, context, &a, &b);
}

static void teardown(void)
{
	world_close(&world);
}

static struct td_command start_of(const char *name)
{
	struct td_command command = { .kind = TD_COMMAND_RECORD_START };

	command.u.record_start.context = context;
	command.u.record_start.left = a.id;
	command.u.record_start.right = b.id;
	strncpy(command.u.record_start.name, name, TD_FILE_NAME_MAX - 1);
	return command;
}

static struct td_tap_id start(void)
{
	struct td_command command = start_of("2026/call.wav");

	return world_do(&world, &command).u.tap;
}

static struct td_event stop(struct td_tap_id tap)
{
	struct td_command command = { .kind = TD_COMMAND_RECORD_STOP };

	command.u.record_stop = tap;
	return world_command(&world, &command);
}

// The recorder thread reports the file closed.
static void closed(struct td_tap_id tap)
{
	struct td_event event = { .kind = TD_EVENT_RECORD_CLOSED };

	event.u.recording.tap = tap;
	td_role_enter_recorder();
	ck_assert_int_eq(td_engine_record_event(world.engine, &event), 0);
	td_role_enter_worker(0);
	world_turn(&world);
	ck_assert(world_event(&world, TD_EVENT_RECORD_CLOSED, &event));
	ck_assert_uint_eq(event.thread, 0);
	ck_assert_uint_eq(event.u.recording.tap.v, tap.v);
}

static struct td_tap_ring *ring_of(uint32_t worker)
{
	return td_engine_tap_ring(world.engine, worker);
}

static const struct td_tap_record *next_record(void)
{
	return td_tap_peek(ring_of(0));
}

// The oldest record; there must be one.
static const struct td_tap_record *record_now(const struct td_tap_ring *ring)
{
	const struct td_tap_record *record = td_tap_peek(ring);

	if (record == NULL) {
		ck_abort_msg("no record in the ring");
		abort(); // not reached; says so to the compiler
	}
	return record;
}

static void release(void)
{
	td_tap_release(ring_of(0));
}

START_TEST(both_sides_as_they_came)
{
	struct world_options options = world_default;
	struct td_tap_id tap;
	struct frame frame;

	open_two(&options);
	world_say(&world, &a); // before the recording
	tap = start();
	ck_assert_uint_eq(world.opened, 1);
	ck_assert_str_eq(world.last_name, "2026/call.wav");
	ck_assert_ptr_null(next_record());
	for (unsigned i = 0; i < 10; i++) {
		struct world_party *party = i % 2 ? &b : &a;
		const struct td_tap_record *record;

		world.now_ns += 10 * WORLD_MS;
		world_frame(party, 160, &frame);
		world_say(&world, party);
		record = record_now(ring_of(0));
		ck_assert(record->arrival_ns == world.now_ns);
		ck_assert_uint_eq(record->tap, td_handle_index(tap.v));
		ck_assert_uint_eq(record->side, i % 2 ? TD_TAP_RIGHT : TD_TAP_LEFT);
		ck_assert_uint_eq(record->ssrc, party->ssrc);
		ck_assert_uint_eq(record->sequence, (uint16_t)(party->sequence - 1));
		ck_assert_uint_eq(record->timestamp, party->timestamp - 160);
		ck_assert_uint_eq(record->codec, TD_CODEC_PCMU);
		ck_assert_uint_eq(record->payload_len, 160);
		ck_assert_mem_eq(record->payload, frame.bytes + frame.l4 + 20, 160);
		release();
	}
	ck_assert_uint_eq(world.out_count, 11); // a tap changes nothing for the parties
	ck_assert_ptr_null(next_record());
	a.payload_type = 101;
	world_say(&world, &a);
	ck_assert_uint_eq(record_now(ring_of(0))->codec,
			  TD_CODEC_NONE); // an event, not audio
	release();
	a.payload_type = 0;
	ck_assert_int_eq(stop(tap).result, 0);
	ck_assert_uint_eq(world.closed, 1);
	ck_assert_uint_eq(world.last_closed.v, tap.v);
	world_say(&world, &a);
	ck_assert_ptr_null(next_record());
	closed(tap);
}
END_TEST

START_TEST(full_ring_loses_records_not_packets)
{
	const unsigned fits = 64 / 3; // of 160 bytes and a header, in 64 lines
	struct world_options options = world_default;
	struct td_tap_id tap;
	uint16_t first;

	options.tap_lines = 64;
	open_two(&options);
	tap = start();
	first = a.sequence;
	for (unsigned i = 0; i < fits + 9; i++)
		world_say(&world, &a);
	ck_assert_uint_eq(world.out_count, fits + 9);
	ck_assert_uint_eq(world.region.workers[0].tap_lost, 9);
	for (unsigned i = 0; i < fits; i++) {
		ck_assert_uint_eq(record_now(ring_of(0))->sequence, (uint16_t)(first + i));
		release();
	}
	ck_assert_ptr_null(next_record());
	world_say(&world, &a);
	ck_assert_uint_eq(record_now(ring_of(0))->sequence, (uint16_t)(first + fits + 9));
	ck_assert_uint_eq(world.region.workers[0].tap_lost, 9);
	ck_assert_int_eq(stop(tap).result, 0);
	closed(tap);
}
END_TEST

// What a record says it was offered counts what its ring refused, and begins with each recording.
START_TEST(offered_counts_what_was_refused)
{
	struct world_options options = world_default;
	struct td_tap_id tap;

	options.tap_lines = 64;
	open_two(&options);
	tap = start();
	for (unsigned i = 0; i < 40; i++)
		world_say(&world, &a);
	for (unsigned i = 0; i < 64 / 3; i++) {
		ck_assert_uint_eq(record_now(ring_of(0))->offered, i + 1);
		release();
	}
	world_say(&world, &a);
	world_say(&world, &b);
	ck_assert_uint_eq(record_now(ring_of(0))->offered, 41);
	release();
	ck_assert_uint_eq(record_now(ring_of(0))->offered, 1);
	release();
	ck_assert_int_eq(stop(tap).result, 0);
	closed(tap);
	tap = start();
	world_say(&world, &a);
	ck_assert_uint_eq(record_now(ring_of(0))->offered, 1);
}
END_TEST

START_TEST(a_track_for_each_of_three)
{
	struct world_party c, *parties[] = { &a, &b, &c };
	struct td_command command;
	struct td_tap_id tap;

	open_two(&world_default);
	world_party(&world, context, "10.77.0.30", 8000, 0xcccc, &c);
	command = start_of("three.wav");
	command.u.record_start.track_count = 3;
	command.u.record_start.more[0] = b.id;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID); // b twice
	command.u.record_start.more[0] = c.id;
	tap = world_do(&world, &command).u.tap;
	for (unsigned i = 0; i < 3; i++) {
		world_say(&world, parties[i]);
		ck_assert_uint_eq(record_now(ring_of(0))->side, i);
		release();
	}
	ck_assert_int_eq(stop(tap).result, 0);
	for (unsigned i = 0; i < 3; i++)
		world_say(&world, parties[i]);
	ck_assert_ptr_null(next_record());
	closed(tap);
}
END_TEST

START_TEST(forms)
{
	static const struct {
		const char *name;
		uint8_t format, tracks, mono, stereo;
		int result;
	} rows[] = {
		{ "a.wav", TD_RECORD_WAV, 1, 0, 0, -TD_EINVALID },
		{ "a.wav", TD_RECORD_WAV, TD_TRACK_MAX + 1, 0, 0, -TD_EINVALID },
		{ "a.wav", TD_RECORD_WAV, 3, 0, 0, 0 }, // the third comes later
		{ "a.wav", TD_RECORD_WAV, 2, 2, 0, -TD_EINVALID },
		{ "a.opus", TD_RECORD_WAV, 2, 0, 0, -TD_EINVALID },
		{ "a.wav", TD_RECORD_OPUS, 2, 0, 0, -TD_EINVALID },
		{ "a.opus", TD_RECORD_OPUS, 2, 1, 0, -TD_EINVALID },
		{ "a.opus", TD_RECORD_OPUS + 1, 2, 0, 0, -TD_EINVALID },
		{ ".opus", TD_RECORD_OPUS, 2, 0, 0, -TD_EINVALID },
		{ "a.wav", TD_RECORD_WAV, 2, 1, 0, 0 },
		{ "a.opus", TD_RECORD_OPUS, 2, 0, 0, 0 },
		{ "a.wav", TD_RECORD_WAV, 4, 0, 1, 0 },
		{ "a.wav", TD_RECORD_WAV, 4, 1, 1, -TD_EINVALID },
		{ "a.wav", TD_RECORD_WAV, 4, 0, 2, -TD_EINVALID },
		{ "a.opus", TD_RECORD_OPUS, 4, 0, 1, -TD_EINVALID },
	};

	open_two(&world_default);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct td_command command = start_of(rows[i].name);
		struct td_event event;

		command.u.record_start.format = rows[i].format;
		command.u.record_start.track_count = rows[i].tracks;
		command.u.record_start.mono = rows[i].mono;
		command.u.record_start.stereo = rows[i].stereo;
		event = world_command(&world, &command);
		ck_assert_msg(event.result == rows[i].result, "row %zu: %d", i, event.result);
		if (event.result == 0)
			ck_assert_int_eq(stop(event.u.tap).result, 0);
	}
}
END_TEST

START_TEST(notes_reach_the_recorder)
{
	struct td_command command = { .kind = TD_COMMAND_RECORD_NOTE };
	struct td_command_record_note *note = &command.u.record_note;

	open_two(&world_default);
	note->tap = start();
	memcpy(note->key, "call", 5);
	memcpy(note->text, "c42", 4);
	ck_assert_int_eq(world_command(&world, &command).result, 0);
	ck_assert_str_eq(world.last_note.key, "call");
	ck_assert_str_eq(world.last_note.text, "c42");
	world.open_result = -TD_EFULL;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EFULL);
	memset(note->text, 'x', sizeof note->text);
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	note->text[3] = '\0';
	note->key[0] = '\0';
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	note->key[0] = 'k';
	ck_assert_int_eq(stop(note->tap).result, 0);
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ESTALE);
}
END_TEST

START_TEST(recorded_with_no_listener_is_consumed)
{
	open_two(&world_default);
	(void)start();
	ck_assert_int_eq(world_gain(&world, context, a.id, b.id, 0), 0);
	world_say(&world, &a);
	ck_assert_uint_eq(world.out_count, 0);
	ck_assert_ptr_nonnull(next_record());
	ck_assert_uint_eq(world.region.workers[0].consumed, 1);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_NO_LISTENER), 0);
}
END_TEST

START_TEST(names_are_safe)
{
	static const struct {
		const char *name;
		int result;
	} rows[] = {
		{ "", -TD_EINVALID },
		{ ".wav", -TD_EINVALID },
		{ "/etc/x.wav", -TD_EINVALID },
		{ "../x.wav", -TD_EINVALID },
		{ "a/../x.wav", -TD_EINVALID },
		{ "x.mp3", -TD_EINVALID },
		{ "a b.wav", -TD_EINVALID },
		{ "a\nb.wav", -TD_EINVALID },
		{ "a\\b.wav", -TD_EINVALID },
		{ "\xc3\xa4.wav", -TD_EINVALID },
		{ "x.wav", 0 },
	};
	struct td_command command;

	open_two(&world_default);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		command = start_of(rows[i].name);
		ck_assert_msg(world_command(&world, &command).result == rows[i].result, "'%s'",
			      rows[i].name);
	}
	ck_assert_uint_eq(world.opened, 1);
}
END_TEST

START_TEST(name_without_an_end)
{
	struct td_command command = start_of("x.wav");

	open_two(&world_default);
	command = start_of("x.wav");
	memset(command.u.record_start.name, 'x', TD_FILE_NAME_MAX);
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
}
END_TEST

START_TEST(refusals)
{
	struct td_command command;
	struct td_tap_id tap;

	open_two(&world_default);
	command = start_of("x.wav");
	command.u.record_start.right = a.id;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	command = start_of("x.wav");
	command.u.record_start.right.v ^= 1u << 20;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ESTALE);
	command = start_of("x.wav");
	command.u.record_start.context.v ^= 1u << 20;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ESTALE);
	world.open_result = -TD_EIO;
	command = start_of("x.wav");
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EIO);
	world.open_result = 0;
	ck_assert_uint_eq(world.opened, 0);
	tap = start();
	for (unsigned i = 1; i <= TD_STREAM_TAP_MAX; i++) {
		command = start_of("y.wav");
		ck_assert_int_eq(world_command(&world, &command).result,
				 i < TD_STREAM_TAP_MAX ? 0 : -TD_EFULL);
	}
	ck_assert_int_eq(stop(tap).result, 0);
	ck_assert_int_eq(stop(tap).result, -TD_ESTALE);
	tap = start(); // the streams are free again
	ck_assert_int_eq(stop(tap).result, 0);
}
END_TEST

START_TEST(no_recorder)
{
	struct world_options options = world_default;
	struct td_command command;

	options.no_recorder = true;
	open_two(&options);
	command = start_of("x.wav");
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EUNSUPPORTED);
}
END_TEST

START_TEST(taps_are_freed_when_the_file_is_closed)
{
	struct world_options options = { .workers = 1, .streams = 2 };
	struct td_command command;
	struct td_tap_id first, second;

	open_two(&options);
	first = start();
	ck_assert_int_eq(stop(first).result, 0);
	second = start();
	ck_assert_int_eq(stop(second).result, 0);
	command = start_of("z.wav");
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EFULL);
	closed(first);
	command.deadline_ns = 0;
	ck_assert_int_eq(world_command(&world, &command).result, 0);
	closed(second);
	ck_assert_uint_eq(world.region.workers[0].taps, 2); // streams that are tapped
}
END_TEST

START_TEST(stream_destroyed_while_recorded)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_DESTROY };
	struct td_tap_id tap;
	struct world_party c;

	open_two(&world_default);
	tap = start();
	command.u.stream_destroy = a.id;
	world_do(&world, &command);
	world_say(&world, &b); // the other side goes on
	ck_assert_uint_eq(record_now(ring_of(0))->side, TD_TAP_RIGHT);
	release();
	world.now_ns += 100 * WORLD_MS;
	world_turn(&world);
	for (unsigned i = 0; i < 14; i++) // one of these gets the index that is free again
		world_party(&world, context, "10.77.0.30", (uint16_t)(8000 + 2 * i), 9, &c);
	ck_assert_int_eq(stop(tap).result, 0);
	ck_assert_uint_eq(world.closed, 1);
	ck_assert_uint_eq(world.region.workers[0].taps, 0);
}
END_TEST

START_TEST(context_destroyed_while_recorded)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_DESTROY };
	struct td_tap_id tap;

	open_two(&world_default);
	tap = start();
	world_say(&world, &a);
	command.u.context_destroy = context;
	world_do(&world, &command);
	ck_assert_uint_eq(world.closed, 1);
	ck_assert_uint_eq(world.last_closed.v, tap.v);
	ck_assert_ptr_nonnull(next_record()); // pushed before close was called
	ck_assert_int_eq(stop(tap).result, -TD_ESTALE);
	ck_assert_uint_eq(world.region.workers[0].taps, 0);
	closed(tap);
}
END_TEST

// At most `max` records at once, numbered from `first`. Answers how many.
static uint32_t pop_burst(struct td_tap_ring *ring, uint32_t first, uint32_t max)
{
	const struct td_tap_record *records[8];
	uint32_t end, count = td_tap_peek_burst(ring, records, max, &end);

	ck_assert_uint_gt(count, 0);
	ck_assert_uint_le(count, max);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t bytes = (first + i) * 37u % (TD_RTP_PAYLOAD_MAX + 1u);

		ck_assert_uint_eq(records[i]->timestamp, first + i);
		ck_assert_uint_eq(records[i]->payload_len, bytes);
		ck_assert(bytes == 0 || records[i]->payload[bytes - 1] == (bytes & 0xffu));
	}
	td_tap_release_until(ring, end);
	return count;
}

// Records of every length, over and over the end of the memory and of the positions. What is kept is
// seen once it is published, and not before.
START_TEST(tap_ring_wraps)
{
	struct td_tap_ring *ring;
	uint32_t pushed = 0, popped = 0;

	world_open(&world, &world_default);
	ck_assert_int_eq(td_tap_ring_create(0, &ring), -TD_EINVALID);
	ck_assert_int_eq(td_tap_ring_create(32, &ring), -TD_EINVALID);
	ck_assert_int_eq(td_tap_ring_create(96, &ring), -TD_EINVALID);
	ck_assert_int_eq(td_tap_ring_create(64, &ring), 0);
	atomic_store(&ring->head, UINT32_MAX - 200);
	atomic_store(&ring->tail, UINT32_MAX - 200);
	ring->next = ring->tail_seen = UINT32_MAX - 200;
	for (unsigned round = 0; round < 3000; round++) {
		uint32_t bytes = pushed * 37u % (TD_RTP_PAYLOAD_MAX + 1u);
		struct td_tap_record *record;
		const struct td_tap_record *oldest;
		uint32_t before = atomic_load(&ring->head);

		while ((record = td_tap_reserve(ring, bytes)) != NULL) {
			record->timestamp = pushed++;
			record->payload_len = (uint16_t)bytes;
			memset(record->payload, (int)(bytes & 0xffu), bytes);
			td_tap_keep(ring);
			bytes = pushed * 37u % (TD_RTP_PAYLOAD_MAX + 1u);
		}
		ck_assert_uint_eq(atomic_load(&ring->head), before);
		td_tap_publish(ring);
		ck_assert_uint_gt(pushed, popped); // the longest one always fits an empty ring
		if (round % 5 == 0)
			popped += pop_burst(ring, popped, round % 7 + 1);
		for (unsigned i = 0; i <= round % 4 && popped < pushed; i++) {
			oldest = record_now(ring);
			ck_assert_uint_eq(oldest->timestamp, popped);
			ck_assert_uint_eq(oldest->payload_len,
					  popped * 37u % (TD_RTP_PAYLOAD_MAX + 1u));
			for (uint32_t at = 0; at < oldest->payload_len; at++)
				ck_assert_uint_eq(oldest->payload[at], oldest->payload_len & 0xffu);
			popped++;
			td_tap_release(ring);
		}
	}
	ck_assert_uint_gt(popped, 3000);
	td_tap_ring_destroy(ring);
	td_tap_ring_destroy(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("record");
	TCase *tcase = tcase_create("record");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, both_sides_as_they_came);
	tcase_add_test(tcase, full_ring_loses_records_not_packets);
	tcase_add_test(tcase, offered_counts_what_was_refused);
	tcase_add_test(tcase, a_track_for_each_of_three);
	tcase_add_test(tcase, forms);
	tcase_add_test(tcase, notes_reach_the_recorder);
	tcase_add_test(tcase, recorded_with_no_listener_is_consumed);
	tcase_add_test(tcase, names_are_safe);
	tcase_add_test(tcase, name_without_an_end);
	tcase_add_test(tcase, refusals);
	tcase_add_test(tcase, no_recorder);
	tcase_add_test(tcase, taps_are_freed_when_the_file_is_closed);
	tcase_add_test(tcase, stream_destroyed_while_recorded);
	tcase_add_test(tcase, context_destroyed_while_recorded);
	tcase_add_test(tcase, tap_ring_wraps);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

// Sequences of prompts, frame by frame: what is played when, in every codec at once, and how it ends.
#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"
#include "world.h"

#define SHORT       0 // 5 frames
#define LONG        1 // 50 frames
#define MS          WORLD_MS
#define LISTENERS   6
#define FRAME_NS    (20 * MS)
#define LENGTH(row) (sizeof(row) / sizeof(row)[0])

static struct world world;
static struct td_context_id context;
static struct world_party parties[LISTENERS];
static const uint8_t codecs[LISTENERS] = { TD_CODEC_PCMU, TD_CODEC_PCMA, TD_CODEC_G722,
					   TD_CODEC_GSM,  TD_CODEC_OPUS, TD_CODEC_L16_8 };
static uint32_t listeners;
static struct td_player_id player;
// Of what the first listener got.
static bool marker;
static uint32_t timestamp;

static void setup(void)
{
	world_open(&world, &world_default);
	context = world_context(&world);
	for (uint32_t i = 0; i < LISTENERS; i++) {
		struct td_command command;

		world_party(&world, context, "10.77.0.10", (uint16_t)(4000 + 2 * i), 1 + i,
			    &parties[i]);
		command = world_set_remote(&parties[i], codecs[i]);
		command.u.stream_set_remote.payload_type = 96;
		world_do(&world, &command);
	}
}

static void teardown(void)
{
	world_close(&world);
}

static const struct td_play_item *item(uint32_t prompt, uint32_t offset_ms, uint32_t length_ms)
{
	static struct td_play_item items[8];
	static unsigned next;
	struct td_play_item *made = &items[next++ % 8];

	*made = (struct td_play_item){ prompt, offset_ms, length_ms };
	return made;
}

static int try_player(bool loop, unsigned count, const struct td_play_item *const *items)
{
	struct td_command command = { .kind = TD_COMMAND_PLAYER_CREATE };
	struct td_event event;

	command.u.player_create.context = context;
	command.u.player_create.loop = loop;
	command.u.player_create.item_count = (uint16_t)count;
	for (unsigned i = 0; i < count; i++)
		command.u.player_create.items[i] = *items[i];
	event = world_command(&world, &command);
	player = event.u.player;
	return event.result;
}

// Plays these items to the first `count` parties.
#define play(loop, count, ...)                                                                     \
	do {                                                                                       \
		const struct td_play_item *row[] = { __VA_ARGS__ };                                \
                                                                                                   \
		ck_assert_int_eq(try_player(loop, LENGTH(row), row), 0);                           \
		listen(count);                                                                     \
	} while (0)

static void listen(uint32_t count)
{
	listeners = count;
	for (uint32_t i = 0; i < count; i++)
		ck_assert_int_eq(
			world_player_gain(&world, context, player, parties[i].id, TD_GAIN_UNITY),
			0);
}

static int control(enum td_player_action action, uint32_t position_ms)
{
	struct td_command command = { .kind = TD_COMMAND_PLAYER_CONTROL };

	command.u.player_control.player = player;
	command.u.player_control.action = action;
	command.u.player_control.position_ms = position_ms;
	return world_command(&world, &command).result;
}

static int splice(const struct td_play_item *first, const struct td_play_item *second)
{
	struct td_command command = { .kind = TD_COMMAND_PLAYER_CONTROL };

	command.u.player_control.player = player;
	command.u.player_control.action = TD_PLAYER_SPLICE;
	command.u.player_control.item_count = second != NULL ? 2 : 1;
	command.u.player_control.items[0] = *first;
	if (second != NULL)
		command.u.player_control.items[1] = *second;
	return world_command(&world, &command).result;
}

static void destroy_player(void)
{
	struct td_command command = { .kind = TD_COMMAND_PLAYER_DESTROY };

	command.u.player_destroy = player;
	world_do(&world, &command);
}

static uint32_t listener_of(const struct world_sent *sent)
{
	return (__builtin_bswap16(sent->destination.port_be) - 4000u) / 2u;
}

// What a listener has to get for a frame: its codec's bytes, or the samples themselves.
static void check_frame(const struct world_sent *sent, uint32_t prompt, uint32_t frame)
{
	const struct td_prompt *entry = &world.prompts->entries[prompt];
	uint8_t codec = codecs[listener_of(sent)];
	const struct td_prompt_coding *coding = &entry->coding[codec];
	const uint8_t *payload = sent->udp_payload + sent->rtp.payload_offset;

	if (codec == TD_CODEC_L16_8) {
		const int16_t *pcm = td_prompt_samples(entry, 8000, frame);

		ck_assert_uint_eq(sent->rtp.payload_len, 320);
		for (unsigned i = 0; i < 160; i++)
			ck_assert_int_eq((int16_t)(payload[2 * i] << 8 | payload[2 * i + 1]),
					 pcm[i]);
		return;
	}
	ck_assert_msg(sent->rtp.payload_len == coding->offsets[frame + 1] - coding->offsets[frame],
		      "%s: %u bytes for frame %u of prompt %u", td_codec_name(codec),
		      sent->rtp.payload_len, frame, prompt);
	ck_assert_msg(
		memcmp(payload, coding->bytes + coding->offsets[frame], sent->rtp.payload_len) == 0,
		"%s: not frame %u of prompt %u", td_codec_name(codec), frame, prompt);
}

// The next 20 ms: everybody gets this frame.
static void expect(uint32_t prompt, uint32_t frame)
{
	uint32_t got = 0;

	world_clear(&world);
	world_ticks(&world, 20);
	ck_assert_msg(world.out_count == listeners, "%u packets for frame %u of prompt %u",
		      world.out_count, frame, prompt);
	for (uint32_t i = 0; i < world.out_count; i++) {
		const struct world_sent *sent = &world.out[i];

		got |= 1u << listener_of(sent);
		check_frame(sent, prompt, frame);
		if (listener_of(sent) != 0)
			continue;
		marker = sent->rtp.marker;
		timestamp = sent->rtp.timestamp;
	}
	ck_assert_uint_eq(got, (1u << listeners) - 1u);
}

static void expect_run(uint32_t prompt, uint32_t first, uint32_t last)
{
	for (uint32_t frame = first; frame <= last; frame++)
		expect(prompt, frame);
}

static void expect_nothing(uint32_t frames)
{
	world_clear(&world);
	world_ticks(&world, 20 * frames);
	ck_assert_uint_eq(world.out_count, 0);
}

// It has ended in the last 20 ms, in the tick of its last frame, after so many.
static void expect_end(enum td_player_end reason, uint64_t frames)
{
	uint8_t slot = td_engine_worker(world.engine, 0)->players[td_handle_index(player.v)].slot;
	struct td_event event;

	ck_assert(world_event(&world, TD_EVENT_PLAYER_END, &event));
	ck_assert_uint_eq(event.u.player_end.player.v, player.v);
	ck_assert_uint_eq(event.u.player_end.context.v, context.v);
	ck_assert_uint_eq(event.u.player_end.reason, reason);
	ck_assert_uint_eq(event.u.player_end.frames, frames);
	ck_assert_uint_lt(world.now_ns - event.time_ns, FRAME_NS);
	ck_assert_uint_eq(event.time_ns / MS % TD_MEDIA_SLOTS, slot);
	ck_assert(!world_event(&world, TD_EVENT_PLAYER_END, &event));
}

static void expect_no_end(void)
{
	struct td_event event;

	ck_assert(!world_event(&world, TD_EVENT_PLAYER_END, &event));
}

START_TEST(items_follow_each_other)
{
	play(false, 1, item(SHORT, 40, 40), item(LONG, 980, 0), item(SHORT, 0, 0),
	     item(LONG, 0, 1));
	expect_run(SHORT, 2, 3);
	ck_assert(!marker);
	expect(LONG, 49);
	expect_run(SHORT, 0, 4);
	expect_no_end();
	expect(LONG, 0); // a length is whole frames, at least one
	expect_end(TD_PLAYER_END_PLAYED, 9);
	expect_nothing(5);
	expect_no_end();
}
END_TEST

// One position, whatever the codec; who hears samples gets those of the same frame.
START_TEST(every_codec_hears_the_same_frame)
{
	play(false, LISTENERS, item(LONG, 0, 200), item(SHORT, 0, 0));
	expect_run(LONG, 0, 9);
	expect_run(SHORT, 0, 4);
	expect_end(TD_PLAYER_END_PLAYED, 15);
	expect_nothing(0);
}
END_TEST

START_TEST(a_loop_begins_again_with_the_first_item)
{
	play(true, LISTENERS, item(SHORT, 60, 0), item(LONG, 100, 60));
	for (unsigned round = 0; round < 4; round++) {
		expect_run(SHORT, 3, 4);
		expect_run(LONG, 5, 7);
	}
	expect_no_end();
}
END_TEST

START_TEST(whoever_comes_later_hears_what_is_played_now)
{
	play(true, 1, item(LONG, 0, 0));
	expect_run(LONG, 0, 6);
	listen(4);
	expect(LONG, 7);
	listen(LISTENERS);
	expect_run(LONG, 8, 12);
}
END_TEST

// Time goes on while nothing is played: the next packet begins a talk spurt where it belongs.
START_TEST(a_pause_keeps_the_place_and_the_time)
{
	uint32_t before;

	play(false, 3, item(SHORT, 0, 0), item(LONG, 0, 100));
	expect_run(SHORT, 0, 2);
	before = timestamp;
	ck_assert_int_eq(control(TD_PLAYER_PAUSE, 0), 0);
	expect_nothing(50);
	ck_assert_int_eq(control(TD_PLAYER_PAUSE, 0), 0);
	expect_nothing(2);
	ck_assert_int_eq(control(TD_PLAYER_RESUME, 0), 0);
	expect(SHORT, 3);
	ck_assert(marker);
	ck_assert_uint_eq(timestamp - before, 53 * 160);
	before = timestamp;
	ck_assert_int_eq(control(TD_PLAYER_RESUME, 0), 0); // it is not paused: nothing happens
	expect(SHORT, 4);
	ck_assert(!marker);
	ck_assert_uint_eq(timestamp - before, 160);
	expect_run(LONG, 0, 4);
	expect_end(TD_PLAYER_END_PLAYED, 10);
}
END_TEST

START_TEST(seeking)
{
	play(false, 2, item(LONG, 200, 400), item(SHORT, 0, 0));
	expect_run(LONG, 10, 12);
	ck_assert_int_eq(control(TD_PLAYER_SEEK, 0), 0); // of the item: where it begins
	expect_run(LONG, 10, 11);
	ck_assert_int_eq(control(TD_PLAYER_SEEK, 219), 0); // whole frames
	expect_run(LONG, 20, 21);
	ck_assert_int_eq(control(TD_PLAYER_SEEK, 400), 0); // just beyond: its last one
	expect(LONG, 29);
	expect(SHORT, 0);
	ck_assert_int_eq(control(TD_PLAYER_SEEK, UINT32_MAX), 0);
	expect(SHORT, 4);
	expect_end(TD_PLAYER_END_PLAYED, 10);
	ck_assert_int_eq(control(TD_PLAYER_SEEK, 0), 0); // over is over
	expect_nothing(3);
	expect_no_end();
}
END_TEST

// "You are number three": to all who listen, and then the music where it was.
START_TEST(after_a_splice_the_music_goes_on_where_it_was)
{
	play(true, LISTENERS, item(LONG, 0, 0));
	expect_run(LONG, 0, 7);
	ck_assert_int_eq(splice(item(SHORT, 20, 40), item(SHORT, 80, 0)), 0);
	expect_run(SHORT, 1, 2);
	expect(SHORT, 4);
	expect_run(LONG, 8, 20);
	// A later one replaces one that is under way; the music has not moved.
	ck_assert_int_eq(splice(item(SHORT, 0, 0), NULL), 0);
	expect_run(SHORT, 0, 1);
	ck_assert_int_eq(splice(item(SHORT, 60, 0), NULL), 0);
	expect_run(SHORT, 3, 4);
	expect_run(LONG, 21, 49);
	expect(LONG, 0);
	expect_no_end();
}
END_TEST

START_TEST(seek_and_pause_within_a_splice)
{
	play(false, 2, item(LONG, 0, 60));
	expect(LONG, 0);
	ck_assert_int_eq(splice(item(SHORT, 0, 0), NULL), 0);
	expect(SHORT, 0);
	ck_assert_int_eq(control(TD_PLAYER_SEEK, 60), 0);
	expect(SHORT, 3);
	ck_assert_int_eq(control(TD_PLAYER_PAUSE, 0), 0);
	expect_nothing(4);
	ck_assert_int_eq(splice(item(SHORT, 40, 20), NULL), 0); // waits as well
	expect_nothing(4);
	ck_assert_int_eq(control(TD_PLAYER_RESUME, 0), 0);
	expect(SHORT, 2);
	expect_run(LONG, 1, 2);
	expect_end(TD_PLAYER_END_PLAYED, 6);
}
END_TEST

START_TEST(stopped_at_once)
{
	play(true, 3, item(LONG, 0, 0));
	expect_run(LONG, 0, 3);
	ck_assert_int_eq(splice(item(SHORT, 0, 0), NULL), 0);
	expect(SHORT, 0);
	ck_assert_int_eq(control(TD_PLAYER_STOP, 0), 0);
	expect_nothing(1);
	expect_end(TD_PLAYER_END_STOPPED, 5);
	ck_assert_int_eq(control(TD_PLAYER_STOP, 0), 0);
	ck_assert_int_eq(control(TD_PLAYER_RESUME, 0), 0);
	ck_assert_int_eq(splice(item(SHORT, 0, 0), NULL), 0);
	expect_nothing(3);
	expect_no_end();
	// A paused one ends just as well, and before its first frame too.
	destroy_player();
	play(false, 1, item(SHORT, 0, 0));
	ck_assert_int_eq(control(TD_PLAYER_PAUSE, 0), 0);
	ck_assert_int_eq(control(TD_PLAYER_STOP, 0), 0);
	expect_nothing(1);
	expect_end(TD_PLAYER_END_STOPPED, 0);
}
END_TEST

START_TEST(what_cannot_be_played_is_refused)
{
	static const struct {
		struct td_play_item item;
		int error;
	} rows[] = {
		{ { SHORT, 0, 0 }, 0 },
		{ { SHORT, 80, 0 }, 0 },
		{ { SHORT, 99, 0 }, 0 },
		{ { SHORT, 100, 0 }, -TD_EINVALID },
		{ { SHORT, 0, 100 }, 0 },
		{ { SHORT, 0, 101 }, -TD_EINVALID },
		{ { SHORT, 20, 81 }, -TD_EINVALID },
		{ { LONG, 999, 20 }, 0 },
		{ { LONG, 1000, 0 }, -TD_EINVALID },
		{ { LONG, UINT32_MAX, UINT32_MAX }, -TD_EINVALID },
		{ { LONG, 0, UINT32_MAX }, -TD_EINVALID },
		{ { 2, 0, 0 }, -TD_ENOT_FOUND },
		{ { UINT32_MAX, 0, 0 }, -TD_ENOT_FOUND },
	};

	for (unsigned i = 0; i < LENGTH(rows); i++) {
		const struct td_play_item *row[] = { item(LONG, 0, 0), &rows[i].item };

		ck_assert_msg(try_player(false, 2, row) == rows[i].error, "row %u", i);
	}
	play(true, 1, item(LONG, 0, 0));
	expect(LONG, 0);
	for (unsigned i = 0; i < LENGTH(rows); i++)
		if (rows[i].error != 0)
			ck_assert_int_eq(splice(item(SHORT, 0, 0), &rows[i].item), rows[i].error);
	ck_assert_int_eq(control(TD_PLAYER_ACTION_COUNT, 0), -TD_EINVALID);
	expect_run(LONG, 1, 3); // none of it was heard
}
END_TEST

START_TEST(as_many_items_as_there_is_room_for)
{
	const struct td_play_item *row[TD_PLAY_ITEM_MAX + 1];
	struct td_command command = { .kind = TD_COMMAND_PLAYER_CREATE };

	for (unsigned i = 0; i < TD_PLAY_ITEM_MAX; i++)
		row[i] = item(i % 2 ? LONG : SHORT, 0, 20);
	ck_assert_int_eq(try_player(false, TD_PLAY_ITEM_MAX, row), 0);
	listen(1);
	for (unsigned i = 0; i < TD_PLAY_ITEM_MAX; i++)
		expect(i % 2 ? LONG : SHORT, 0);
	expect_end(TD_PLAYER_END_PLAYED, TD_PLAY_ITEM_MAX);
	command.u.player_create.context = context;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	command.u.player_create.item_count = TD_PLAY_ITEM_MAX + 1;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("player_sequence");
	TCase *tcase = tcase_create("player_sequence");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, items_follow_each_other);
	tcase_add_test(tcase, every_codec_hears_the_same_frame);
	tcase_add_test(tcase, a_loop_begins_again_with_the_first_item);
	tcase_add_test(tcase, whoever_comes_later_hears_what_is_played_now);
	tcase_add_test(tcase, a_pause_keeps_the_place_and_the_time);
	tcase_add_test(tcase, seeking);
	tcase_add_test(tcase, after_a_splice_the_music_goes_on_where_it_was);
	tcase_add_test(tcase, seek_and_pause_within_a_splice);
	tcase_add_test(tcase, stopped_at_once);
	tcase_add_test(tcase, what_cannot_be_played_is_refused);
	tcase_add_test(tcase, as_many_items_as_there_is_room_for);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// MIX as it sounds: every telephone feature is an edit of the matrix, and each is listened to.
#include <stdlib.h>

#include "choir.h"

#define UNITY TD_GAIN_UNITY

static struct world world;
static struct choir choir;
static struct td_context_id context;
static struct choir_voice *a, *b, *c;

static void open_world(void)
{
	struct world_options options = { .workers = 1, .streams = 32 };

	choir_begin(&choir, &world, &options);
	context = world_context(&world);
}

static void close_world(void)
{
	choir_end(&choir);
	world_close(&world);
}

static void edit(const struct choir_voice *from, const struct choir_voice *to, int32_t gain)
{
	ck_assert_int_eq(choir_edit(&choir, context, from, to, gain), 0);
}

// Everybody on the floor.
static void confer(struct choir_voice *voice)
{
	edit(voice, NULL, UNITY);
	edit(NULL, voice, UNITY);
}

static void three(uint8_t codec_a, uint8_t codec_b, uint8_t codec_c)
{
	a = choir_add(&choir, context, codec_a, 20);
	b = choir_add(&choir, context, codec_b, 20);
	c = choir_add(&choir, context, codec_c, 20);
}

START_TEST(conference_of_three)
{
	three(TD_CODEC_PCMU, TD_CODEC_PCMU, TD_CODEC_PCMA);
	confer(a);
	confer(b);
	confer(c);
	choir_sing(&choir, 600);
	choir_hears(&choir, a, 0, 1, 1);
	choir_hears(&choir, b, 1, 0, 1);
	choir_hears(&choir, c, 1, 1, 0);
	ck_assert_uint_eq(a->breaks + b->breaks + c->breaks, 0);
	ck_assert_uint_ge(a->packets, 29);
}
END_TEST

// Monitor, whisper, barge: the two of the call are forwarded to each other until they are mixed.
START_TEST(supervisor_comes_in_by_degrees)
{
	three(TD_CODEC_PCMU, TD_CODEC_PCMU, TD_CODEC_PCMU);
	edit(a, b, UNITY);
	edit(b, a, UNITY);
	choir_sing(&choir, 300);
	choir_hears(&choir, a, 0, 1, 0);
	edit(a, c, UNITY); // monitor
	edit(b, c, UNITY);
	choir_sing(&choir, 600);
	choir_hears(&choir, c, 1, 1, 0);
	choir_hears(&choir, a, 0, 1, 0);
	choir_hears(&choir, b, 1, 0, 0);
	ck_assert_int_eq(world.region.streams[a->party.id.v & TD_HANDLE_INDEX_MASK].hears,
			 TD_HEARS_FORWARD);
	edit(c, b, UNITY); // whisper to b
	choir_sing(&choir, 600);
	choir_hears(&choir, a, 0, 1, 0);
	choir_hears(&choir, b, 1, 0, 1);
	edit(c, a, UNITY); // barge
	choir_sing(&choir, 600);
	choir_hears(&choir, a, 0, 1, 1);
	choir_hears(&choir, b, 1, 0, 1);
	choir_hears(&choir, c, 1, 1, 0);
	edit(b, a, TD_GAIN_FOLLOW); // take over
	edit(b, c, TD_GAIN_FOLLOW);
	edit(a, b, TD_GAIN_FOLLOW);
	edit(c, b, TD_GAIN_FOLLOW);
	choir_sing(&choir, 600);
	choir_hears(&choir, a, 0, 0, 1);
	choir_hears(&choir, c, 1, 0, 0);
	ck_assert_uint_eq(a->breaks + b->breaks + c->breaks, 0);
}
END_TEST

START_TEST(mute_deaf_volume_and_private_exclusion)
{
	three(TD_CODEC_PCMU, TD_CODEC_PCMA, TD_CODEC_PCMU);
	confer(a);
	confer(b);
	confer(c);
	edit(a, NULL, 0); // mute
	edit(NULL, b, 0); // deaf
	choir_sing(&choir, 600);
	choir_hears(&choir, a, 0, 1, 1);
	choir_hears(&choir, b, 0, 0, 0);
	choir_hears(&choir, c, 0, 1, 0);
	edit(a, NULL, UNITY / 2); // volume of what it says
	edit(NULL, b, UNITY / 4); // and of what it hears
	choir_sing(&choir, 600);
	choir_hears(&choir, b, 0.125, 0, 0.25);
	choir_hears(&choir, c, 0.5, 1, 0);
	edit(a, c, 0); // c is spared a
	edit(c, a, UNITY * 2);
	choir_sing(&choir, 600);
	choir_hears(&choir, c, 0, 1, 0);
	choir_hears(&choir, a, 0, 1, 2);
	edit(a, c, TD_GAIN_FOLLOW);
	edit(c, c, UNITY); // an echo
	choir_sing(&choir, 600);
	choir_hears(&choir, c, 0.5, 1, 1);
}
END_TEST

static const uint8_t all_codecs[] = { TD_CODEC_PCMU,   TD_CODEC_PCMA,   TD_CODEC_G722,
				      TD_CODEC_L16_8,  TD_CODEC_L16_16, TD_CODEC_L16_32,
				      TD_CODEC_L16_48, TD_CODEC_OPUS,   TD_CODEC_GSM,
				      TD_CODEC_G729 };

static bool is_coarse(const struct choir_voice *voice)
{
	return voice->codec->id == TD_CODEC_GSM || voice->codec->id == TD_CODEC_G729;
}

// A call between any two codecs just works.
START_TEST(every_codec_to_every_codec)
{
	uint32_t ptime = all_codecs[_i] == TD_CODEC_L16_48 ? 10 : 20;
	double least, most;
	bool coarse;

	for (unsigned i = 0; i < sizeof all_codecs; i++) {
		if (td_codec_get((enum td_codec_id)all_codecs[_i]) == NULL ||
		    td_codec_get((enum td_codec_id)all_codecs[i]) == NULL)
			continue; // G.729 is in some builds only
		a = choir_add(&choir, context, all_codecs[_i], ptime);
		b = choir_add(&choir, context, all_codecs[i],
			      all_codecs[i] == TD_CODEC_L16_48 ? 10 : 20);
		edit(a, b, UNITY);
		edit(b, a, UNITY);
		choir_sing(&choir, 700);
		// Parametric coders do not keep the level of a steady tone as well.
		coarse = is_coarse(a) || is_coarse(b);
		least = coarse ? 0.7 : 0.85;
		most = coarse ? 1.2 : 1.15;
		for (unsigned j = 0; j < 2; j++) {
			double gain = choir_gain(j ? b : a, (j ? a : b)->phase_hz, 200);

			ck_assert_msg(gain > least && gain < most, "%s to %s: %.3f",
				      (j ? a : b)->codec->name, (j ? b : a)->codec->name, gain);
		}
		ck_assert_uint_eq(a->breaks + b->breaks, 0);
		choir_end(&choir);
		world_close(&world);
		open_world();
	}
}
END_TEST

START_TEST(packet_times_are_converted)
{
	static const uint8_t ptimes[] = { 10, 20, 30, 40, 60 };

	for (unsigned i = 0; i < sizeof ptimes; i++) {
		a = choir_add(&choir, context, TD_CODEC_PCMU, ptimes[_i]);
		b = choir_add(&choir, context, TD_CODEC_PCMU, ptimes[i]);
		edit(a, b, UNITY);
		edit(b, a, UNITY);
		choir_sing(&choir, 1200);
		choir_hears(&choir, a, 0, 1);
		choir_hears(&choir, b, 1, 0);
		ck_assert_uint_le(abs((int)b->packets - 1200 / ptimes[i]), 12);
		ck_assert_uint_eq(a->breaks + b->breaks, 0);
		choir_end(&choir);
		world_close(&world);
		open_world();
	}
}
END_TEST

// Listeners who hear the same in the same codec get one and the same payload.
START_TEST(listeners_share_one_encoder)
{
	struct choir_voice *listeners[4];

	a = choir_add(&choir, context, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, context, TD_CODEC_PCMU, 20);
	confer(a);
	confer(b);
	for (unsigned i = 0; i < 4; i++) {
		listeners[i] = choir_add(&choir, context, TD_CODEC_PCMA, 20);
		edit(NULL, listeners[i], UNITY);
	}
	choir_sing(&choir, 600);
	for (unsigned i = 0; i < 4; i++) {
		choir_hears(&choir, listeners[i], 1, 1, 0, 0, 0, 0);
		ck_assert_uint_eq(
			world.region.streams[listeners[i]->party.id.v & TD_HANDLE_INDEX_MASK].hears,
			TD_HEARS_SHARED);
		ck_assert_mem_eq(listeners[i]->heard, listeners[0]->heard,
				 listeners[0]->heard_count * sizeof(int16_t));
	}
}
END_TEST

static unsigned loud_samples(const struct choir_voice *voice)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < voice->heard_count; i++)
		count += abs(voice->heard[i]) > 5000;
	return count;
}

// Music to one who hears somebody else too, and to one who hears nothing else; then paused.
START_TEST(players_are_mixed)
{
	struct td_player_id music;
	struct td_command command = { .kind = TD_COMMAND_PLAYER_CONTROL };
	uint32_t packets;

	three(TD_CODEC_PCMU, TD_CODEC_PCMU, TD_CODEC_PCMU);
	music = world_player(&world, context, 1, true);
	edit(a, b, UNITY);
	ck_assert_int_eq(world_player_gain(&world, context, music, b->party.id, UNITY), 0);
	ck_assert_int_eq(world_player_gain(&world, context, music, c->party.id, UNITY), 0);
	choir_sing(&choir, 600);
	ck_assert_double_gt(choir_gain(b, a->phase_hz, 200), 0.8);
	ck_assert_uint_gt(loud_samples(b), 500); // a alone never is
	ck_assert_uint_gt(loud_samples(c), 500);
	command.u.player_control.player = music;
	command.u.player_control.action = TD_PLAYER_PAUSE;
	world_do(&world, &command);
	packets = c->packets;
	b->heard_count = 0;
	choir_sing(&choir, 600);
	choir_hears(&choir, b, 1, 0, 0);
	ck_assert_uint_eq(loud_samples(b), 0);
	ck_assert_uint_eq(c->packets, packets);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mix");
	TCase *tcase = tcase_create("mix");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	frame_environment();
	tcase_add_checked_fixture(tcase, open_world, close_world);
	tcase_add_test(tcase, conference_of_three);
	tcase_add_test(tcase, supervisor_comes_in_by_degrees);
	tcase_add_test(tcase, mute_deaf_volume_and_private_exclusion);
	tcase_add_loop_test(tcase, every_codec_to_every_codec, 0, sizeof all_codecs);
	tcase_add_loop_test(tcase, packet_times_are_converted, 0, 5);
	tcase_add_test(tcase, listeners_share_one_encoder);
	tcase_add_test(tcase, players_are_mixed);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

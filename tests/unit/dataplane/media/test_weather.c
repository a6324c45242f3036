// What networks and telephones do to packets, heard through the engine: loss, jitter, disorder,
// senders that start anew, pauses with comfort noise, and the features of an ordinary call.
#include <math.h>
#include <stdlib.h>

#include "choir.h"
#include "codecs/comfort_noise.h"

#define UNITY      TD_GAIN_UNITY
#define NOISE_TYPE 13
#define QUEUE_MAX  64

static struct world world;
static struct choir choir;
static struct td_context_id context;
static struct choir_voice *a, *b, *c;

// Packets on their way.
static struct {
	struct frame frame;
	uint32_t due_ms;
	bool waits;
} queue[QUEUE_MAX];

static uint32_t random_state;

static uint32_t random_below(uint32_t bound)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % bound;
}

static void setup(void)
{
	struct world_options options = { .workers = 1, .streams = 32 };

	choir_begin(&choir, &world, &options);
	memset(queue, 0, sizeof queue);
	random_state = 1;
	context = world_context(&world);
	a = choir_add(&choir, context, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, context, TD_CODEC_PCMA, 20);
	c = choir_add(&choir, context, TD_CODEC_PCMU, 20);
}

static void teardown(void)
{
	choir_end(&choir);
	world_close(&world);
}

static void edit(const struct choir_voice *from, const struct choir_voice *to, int32_t gain)
{
	ck_assert_int_eq(choir_edit(&choir, context, from, to, gain), 0);
}

static void both(const struct choir_voice *x, const struct choir_voice *y, int32_t gain)
{
	edit(x, y, gain);
	edit(y, x, gain);
}

static double rms(const struct choir_voice *voice, uint32_t ms)
{
	uint32_t count = voice->hz / 1000 * ms;
	double sum = 0;

	if (voice->heard_count < count)
		return 0;
	for (uint32_t i = voice->heard_count - count; i < voice->heard_count; i++)
		sum += (double)voice->heard[i] * voice->heard[i];
	return sqrt(sum / count);
}

// The longest time without any sound in the last `ms` that were heard.
static uint32_t longest_silence_ms(const struct choir_voice *voice, uint32_t ms)
{
	uint32_t count = voice->hz / 1000 * ms, run = 0, longest = 0;

	ck_assert_uint_ge(voice->heard_count, count);
	for (uint32_t i = voice->heard_count - count; i < voice->heard_count; i++) {
		run = abs(voice->heard[i]) < 200 ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	return longest / (voice->hz / 1000);
}

static void lossy(struct choir *on, struct choir_voice *voice, const struct frame *frame)
{
	(void)voice;
	if (random_below(100) >= 5)
		choir_deliver(on, frame);
}

static void twice(struct choir *on, struct choir_voice *voice, const struct frame *frame)
{
	(void)voice;
	choir_deliver(on, frame);
	if (random_below(3) == 0)
		choir_deliver(on, frame);
}

// Up to 60 ms on the way, so that they overtake each other.
static void shaky(struct choir *on, struct choir_voice *voice, const struct frame *frame)
{
	(void)voice;
	for (unsigned i = 0; i < QUEUE_MAX; i++) {
		if (queue[i].waits)
			continue;
		queue[i].frame = *frame;
		queue[i].due_ms = on->now_ms + random_below(61);
		queue[i].waits = true;
		return;
	}
	ck_abort_msg("no room for a packet on its way");
}

// As choir_sing, with what has been on its way long enough arriving.
static void sing(uint32_t ms)
{
	for (uint32_t t = 0; t < ms; t += 20) {
		choir_sing(&choir, 20);
		for (unsigned i = 0; i < QUEUE_MAX; i++) {
			if (!queue[i].waits || queue[i].due_ms > choir.now_ms)
				continue;
			choir_deliver(&choir, &queue[i].frame);
			queue[i].waits = false;
		}
	}
}

// b hears a and c mixed; a's packets have a hard time, c's not.
static void mix_for_b(void)
{
	edit(a, b, UNITY);
	edit(c, b, UNITY);
}

START_TEST(loss_is_concealed)
{
	mix_for_b();
	a->network = lossy;
	sing(600);
	for (unsigned i = 0; i < 10; i++) {
		sing(400);
		ck_assert_double_gt(choir_gain(b, a->phase_hz, 400), 0.7);
		ck_assert_double_lt(choir_gain(b, a->phase_hz, 400), 1.1);
		ck_assert_double_gt(choir_gain(b, c->phase_hz, 400), 0.95);
		ck_assert_uint_lt(longest_silence_ms(b, 400), 5);
	}
	ck_assert_uint_eq(b->breaks + b->stalls, 0);
}
END_TEST

START_TEST(duplicates_are_heard_once)
{
	mix_for_b();
	a->network = twice;
	sing(1000);
	choir_hears(&choir, b, 1, 0, 1);
	ck_assert_uint_gt(world_drop(&world, TD_DROP_RTP_DUPLICATE), 5);
}
END_TEST

START_TEST(jitter_and_disorder)
{
	uint32_t whole = 0;

	mix_for_b();
	a->network = shaky;
	sing(2000); // it learns
	for (unsigned i = 0; i < 10; i++) {
		sing(400);
		whole += choir_gain(b, a->phase_hz, 200) > 0.8;
		ck_assert_double_gt(choir_gain(b, c->phase_hz, 200), 0.95);
	}
	// Where its delay is adapted a tone is out of step for a moment.
	ck_assert_uint_ge(whole, 8);
	ck_assert_uint_eq(b->breaks + b->stalls, 0);
}
END_TEST

// A sender that starts anew, with another SSRC and numbers from elsewhere.
START_TEST(another_ssrc_is_heard_at_once)
{
	static const uint32_t jumps[] = { 160, 0x7fffffff, 0x80000000u, 12345678 };

	c->silent = true;
	mix_for_b();
	sing(1000);
	for (unsigned i = 0; i < 4; i++) {
		a->party.ssrc += 77;
		a->party.sequence = (uint16_t)(a->party.sequence + 20000);
		a->party.timestamp += jumps[i];
		sing(400);
		ck_assert_uint_le(longest_silence_ms(b, 400), 40);
		sing(400);
		choir_hears(&choir, b, 1, 0, 0);
	}
	ck_assert_uint_eq(b->breaks + b->stalls, 0);
}
END_TEST

static void say_noise(struct choir_voice *voice, uint8_t level)
{
	struct frame frame;

	world_frame(&voice->party, 1, &frame);
	frame.bytes[frame.l4 + 9] = NOISE_TYPE;
	frame.bytes[frame.l4 + 8 + TD_RTP_HEADER_BYTES] = level;
	frame_checksums(&frame);
	choir_deliver(&choir, &frame);
	voice->party.sequence++;
}

static void negotiate_noise(const struct choir_voice *voice, bool taken)
{
	struct td_command command = world_set_remote(&voice->party, (uint8_t)voice->codec->id);
	struct td_command_stream_set_remote *set = &command.u.stream_set_remote;

	set->settings = (struct td_codec_settings){ .complexity = 5, .bitrate_bps = 128000 };
	set->cn_payload_type = taken ? NOISE_TYPE : TD_PAYLOAD_TYPE_NONE;
	set->cn_payload_type_rx = NOISE_TYPE;
	world_do(&world, &command);
}

// A pause of a's: one packet says how its background sounds, then nothing comes for a second.
static void pause_of_a(uint8_t level)
{
	say_noise(a, level);
	a->away = true;
	sing(1000);
	a->party.timestamp += 8000;
	a->away = false;
}

START_TEST(comfort_noise_in_a_mix)
{
	double loud, faint;

	c->silent = true;
	negotiate_noise(a, true);
	mix_for_b();
	sing(600);
	pause_of_a(30); // dBov: some 1,000
	loud = rms(b, 400);
	ck_assert_double_gt(loud, 500);
	ck_assert_double_lt(loud, 1600);
	ck_assert_double_lt(choir_gain(b, a->phase_hz, 400), 0.1);
	sing(600);
	choir_hears(&choir, b, 1, 0, 0);
	pause_of_a(70);
	faint = rms(b, 400);
	ck_assert_double_lt(faint, 40);
	sing(600);
	choir_hears(&choir, b, 1, 0, 0);
	ck_assert_uint_eq(b->breaks + b->stalls, 0);
}
END_TEST

// Forwarded it stays what it is, for those who take it; for others it leaves no hole.
START_TEST(comfort_noise_forwarded)
{
	uint32_t noises = 0;

	for (unsigned taken = 0; taken < 2; taken++) {
		negotiate_noise(a, true);
		negotiate_noise(c, taken);
		edit(a, c, UNITY);
		sing(400);
		for (unsigned i = 0; i < 5; i++) {
			uint16_t last = c->last_sequence;

			say_noise(a, 40);
			for (uint32_t j = 0; j < world.out_count; j++) {
				const struct world_sent *sent = &world.out[j];

				if (sent->is_rtcp || sent->rtp.payload_type != NOISE_TYPE)
					continue;
				noises++;
				ck_assert_uint_eq(sent->rtp.sequence, (uint16_t)(last + 1));
				ck_assert_uint_eq(sent->rtp.payload_len, 1);
				ck_assert_uint_eq(sent->udp_payload[12], 40);
				c->last_sequence = sent->rtp.sequence;
			}
			world_clear(&world);
			a->party.timestamp += 800;
			sing(100);
		}
		ck_assert_uint_eq(noises, taken ? 5 : 0);
		choir_hears(&choir, c, 1, 0, 0);
	}
	ck_assert_uint_eq(c->breaks + c->stalls, 0);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SINK_NO_CN_PT), 5);
}
END_TEST

static void hold(struct td_player_id music, const struct choir_voice *held,
		 const struct choir_voice *other, bool on)
{
	both(held, other, on ? 0 : UNITY);
	ck_assert_int_eq(world_player_gain(&world, context, music, held->party.id, on ? UNITY : 0),
			 0);
}

// Hold with music, a consultation meanwhile, three of them, and the one who called leaves.
START_TEST(hold_consult_and_three_way)
{
	struct td_player_id music = world_player(&world, context, 1, true);
	uint32_t quiet;

	both(a, b, UNITY);
	sing(600);
	choir_hears(&choir, a, 0, 1, 0);
	hold(music, a, b, true);
	quiet = b->packets;
	sing(600);
	ck_assert_double_gt(rms(a, 400), 3000); // the prompt is loud
	ck_assert_double_lt(choir_gain(a, b->phase_hz, 400), 0.1);
	ck_assert_uint_le(b->packets - quiet, 2);
	both(b, c, UNITY);
	sing(600);
	choir_hears(&choir, b, 0, 0, 1);
	choir_hears(&choir, c, 0, 1, 0);
	ck_assert_double_gt(rms(a, 400), 3000);
	hold(music, a, b, false);
	both(a, c, UNITY);
	sing(600);
	choir_hears(&choir, a, 0, 1, 1);
	choir_hears(&choir, b, 1, 0, 1);
	choir_hears(&choir, c, 1, 1, 0);
	both(b, a, TD_GAIN_FOLLOW);
	both(b, c, TD_GAIN_FOLLOW);
	quiet = b->packets;
	sing(600);
	choir_hears(&choir, a, 0, 0, 1);
	choir_hears(&choir, c, 1, 0, 0);
	ck_assert_uint_le(b->packets - quiet, 2);
	ck_assert_uint_eq(a->breaks + b->breaks + c->breaks, 0);
	ck_assert_uint_eq(a->stalls + b->stalls + c->stalls, 0);
}
END_TEST

// "This call is recorded": said to one of them, while both talk on.
START_TEST(announcement_to_one_side)
{
	struct td_player_id announcement;
	double alone;

	both(a, c, UNITY);
	sing(600);
	alone = rms(c, 200);
	announcement = world_player(&world, context, 1, false);
	ck_assert_int_eq(world_player_gain(&world, context, announcement, a->party.id, UNITY / 4),
			 0);
	sing(600);
	choir_hears(&choir, a, 0, 0, 1);
	choir_hears(&choir, c, 1, 0, 0);
	ck_assert_double_gt(rms(a, 200), 1.1 * alone);
	ck_assert_double_eq_tol(rms(c, 200), alone, 0.03 * alone);
	sing(800); // it is over, and has 50 frames
	ck_assert_double_eq_tol(rms(a, 200), alone, 0.05 * alone);
	choir_hears(&choir, a, 0, 0, 1);
	ck_assert_uint_eq(a->breaks + c->breaks + a->stalls + c->stalls, 0);
}
END_TEST

// What one hears is unbroken whatever is edited around it.
START_TEST(edits_elsewhere_are_not_heard)
{
	edit(a, b, UNITY);
	edit(a, c, UNITY);
	sing(600);
	for (unsigned i = 0; i < 20; i++) {
		struct td_stream_id guest = world_stream(&world, context, NULL);
		struct td_command command = { .kind = TD_COMMAND_STREAM_DESTROY };

		edit(c, a, i % 2 ? UNITY : 0);
		ck_assert_int_eq(world_gain(&world, context, guest, a->party.id, UNITY), 0);
		sing(40);
		command.u.stream_destroy = guest;
		world_do(&world, &command);
		sing(60);
		ck_assert_double_eq_tol(choir_gain(b, a->phase_hz, 100), 1, 0.03);
		ck_assert_double_eq_tol(rms(b, 100), CHOIR_LEVEL / sqrt(2), 60);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("weather");
	TCase *tcase = tcase_create("weather");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, loss_is_concealed);
	tcase_add_test(tcase, duplicates_are_heard_once);
	tcase_add_test(tcase, jitter_and_disorder);
	tcase_add_test(tcase, another_ssrc_is_heard_at_once);
	tcase_add_test(tcase, comfort_noise_in_a_mix);
	tcase_add_test(tcase, comfort_noise_forwarded);
	tcase_add_test(tcase, hold_consult_and_three_way);
	tcase_add_test(tcase, announcement_to_one_side);
	tcase_add_test(tcase, edits_elsewhere_are_not_heard);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

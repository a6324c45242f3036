// Digits through the engine: as events, as tones, converted both ways, spared, and sent.
#include <stdlib.h>
#include <string.h>

#include "choir.h"
#include "codecs/detect.h"
#include "codecs/tone.h"

#define UNITY TD_GAIN_UNITY

static struct world world;
static struct choir choir;
static struct td_context_id context;
static struct choir_voice *a, *b, *c;

static void open_world(void)
{
	struct world_options options = { .workers = 1, .streams = 32, .tones = true };

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

// A voice whose peer takes telephone-events, or not.
static struct choir_voice *add(bool events)
{
	struct choir_voice *voice = choir_add(&choir, context, TD_CODEC_PCMU, 20);
	struct td_command command = world_set_remote(&voice->party, TD_CODEC_PCMU);

	command.u.stream_set_remote.ptime_ms = 20;
	command.u.stream_set_remote.payload_type = 96;
	command.u.stream_set_remote.payload_type_rx = 96;
	if (!events) {
		command.u.stream_set_remote.event_payload_type = TD_PAYLOAD_TYPE_NONE;
		command.u.stream_set_remote.event_payload_type_rx = TD_PAYLOAD_TYPE_NONE;
	}
	world_do(&world, &command);
	voice->silent = true;
	return voice;
}

static void tune(const struct choir_voice *voice, uint32_t detect, uint32_t flags)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_TUNE };

	command.u.stream_tune.stream = voice->party.id;
	command.u.stream_tune.detect = detect;
	command.u.stream_tune.flags = flags;
	world_do(&world, &command);
}

// What one party received, taken down as digits: from event packets and from the audio.
struct ear {
	struct td_event_rx rx;
	struct td_detect detect;
	char events[32], tones[32];
	uint32_t event_ms;
};

static void ear_init(struct ear *ear)
{
	memset(ear, 0, sizeof *ear);
	td_event_rx_init(&ear->rx, 8000, 8000);
	ck_assert_int_eq(td_detect_init(&ear->detect, 8000, TD_DETECT_DTMF), 0);
}

static void hear_audio(struct ear *ear, const struct world_sent *sent)
{
	struct td_detected heard[TD_DETECTED_MAX];
	int16_t pcm[480];
	size_t count;

	count = td_detect_block(
		&ear->detect, pcm,
		(size_t)td_codec_get(TD_CODEC_PCMU)
			->decode(NULL, sent->udp_payload + 12, sent->rtp.payload_len, pcm, 480),
		heard, TD_DETECTED_MAX);
	for (size_t i = 0; i < count; i++)
		if (!heard[i].ended)
			ear->tones[strlen(ear->tones)] = heard[i].digit;
}

static void hear_event(struct ear *ear, const struct world_sent *sent)
{
	struct td_digit_report reports[TD_EVENT_RX_REPORT_MAX];
	uint32_t count = td_event_rx_packet(&ear->rx, sent->rtp.timestamp, sent->rtp.marker,
					    sent->udp_payload + 12, sent->rtp.payload_len,
					    world.now_ns, reports);

	for (uint32_t i = 0; i < count; i++) {
		if (reports[i].kind != TD_DIGIT_END)
			continue;
		ear->events[strlen(ear->events)] = reports[i].digit;
		ear->event_ms = reports[i].duration_ms;
	}
}

// 20 ms of the world; what `voices` say is said by the caller before.
static void step(struct ear *ears, struct choir_voice *const *voices, unsigned count)
{
	world_ticks(&world, 20);
	for (uint32_t i = 0; i < world.out_count; i++) {
		const struct world_sent *sent = &world.out[i];

		for (unsigned j = 0; !sent->is_rtcp && j < count; j++) {
			if (sent->destination.port_be != __builtin_bswap16(voices[j]->party.port))
				continue;
			if (sent->rtp.payload_type == 101)
				hear_event(&ears[j], sent);
			else
				hear_audio(&ears[j], sent);
		}
	}
	world_clear(&world);
}

// One packet of `voice`: an event, or samples of a tone, or silence.
static void say(struct choir_voice *voice, const uint8_t *payload, uint32_t bytes, uint8_t type,
		uint32_t timestamp)
{
	struct frame frame;
	uint8_t was = voice->party.payload_type;
	uint32_t audio = voice->party.timestamp;

	voice->party.payload_type = type;
	voice->party.timestamp = timestamp;
	world_frame(&voice->party, bytes, &frame);
	memcpy(frame.bytes + frame.l4 + 8 + TD_RTP_HEADER_BYTES, payload, bytes);
	frame_checksums(&frame);
	world_send(&world, &frame);
	voice->party.payload_type = was;
	voice->party.timestamp = audio + 160;
	voice->party.sequence++;
}

static void say_audio(struct choir_voice *voice, const int16_t *pcm)
{
	uint8_t payload[160];
	int16_t silence[160] = { 0 };

	voice->codec->encode(NULL, pcm != NULL ? pcm : silence, 160, payload, 160);
	say(voice, payload, 160, 96, voice->party.timestamp);
}

// `digits` by `voice` as events or as tones, 100 ms each with 100 ms between, all others silent.
static void dial(struct choir_voice *voice, const char *digits, bool as_events, struct ear *ears,
		 struct choir_voice *const *voices, unsigned count)
{
	struct td_event_tx tx;
	struct td_event_packet packet;
	int16_t pcm[160];
	uint64_t sample = 0;

	td_event_tx_init(&tx, 8000, 8000);
	ck_assert_int_eq(td_event_tx_start(&tx, digits, 100, 100), 0);
	for (unsigned tick = 0; tick < 40 + 10 * strlen(digits); tick++) {
		bool made = false;

		for (unsigned j = 0; j < count; j++)
			if (voices[j] != voice)
				say_audio(voices[j], NULL);
		if (tick >= 20)
			made = td_event_tx_tick(&tx, voice->party.timestamp, &packet);
		if (made && as_events) {
			say(voice, packet.payload, 4, 101, packet.timestamp);
		} else if (made && !(packet.payload[1] & 0x80)) {
			ck_assert_int_eq(
				td_tone_render(td_tone_dtmf("0123456789*#ABCD"[packet.payload[0]]),
					       8000, sample, pcm, 160),
				0);
			sample += 160;
			say_audio(voice, pcm);
		} else {
			say_audio(voice, NULL);
		}
		step(ears, voices, count);
	}
}

static void expect_digit_events(const char *digits, bool inband)
{
	struct td_event event;

	for (; *digits != '\0'; digits++) {
		ck_assert(world_event(&world, TD_EVENT_DIGIT, &event));
		ck_assert_int_eq(event.u.digit.digit, *digits);
		ck_assert_int_eq(event.u.digit.inband, inband);
		ck_assert_uint_ge(event.u.digit.duration_ms, 60);
		ck_assert_uint_le(event.u.digit.duration_ms, 140);
		ck_assert_uint_eq(event.u.digit.stream.v, a->party.id.v);
	}
	ck_assert(!world_event(&world, TD_EVENT_DIGIT, &event));
}

// a, b and c hear each other, and somebody takes down what each of them gets.
static void all_on_the_floor(struct ear ears[3], struct choir_voice *voices[3])
{
	voices[0] = a;
	voices[1] = b;
	voices[2] = c;
	for (unsigned i = 0; i < 3; i++) {
		ear_init(&ears[i]);
		edit(voices[i], NULL, UNITY);
		edit(NULL, voices[i], UNITY);
	}
}

START_TEST(events_reach_each_listener_as_it_can)
{
	struct ear ears[3];
	struct choir_voice *voices[3];
	struct td_event event;

	a = add(true);
	b = add(true);
	c = add(false);
	all_on_the_floor(ears, voices);
	while (world_event(&world, TD_EVENT_DIGIT, &event))
		;
	dial(a, "159#", true, ears, voices, 3);
	ck_assert_str_eq(ears[0].events, "");
	ck_assert_str_eq(ears[0].tones, "");
	ck_assert_str_eq(ears[1].events, "159#");
	ck_assert_str_eq(ears[1].tones, "");
	ck_assert_str_eq(ears[2].events, "");
	ck_assert_str_eq(ears[2].tones, "159#");
	ck_assert_uint_ge(ears[1].event_ms, 80);
	ck_assert_uint_le(ears[1].event_ms, 160);
	expect_digit_events("159#", false);
	ck_assert_uint_eq(world.region.workers[0].digits_lost, 0);
}
END_TEST

START_TEST(tones_are_converted_and_taken_out)
{
	struct ear ears[3];
	struct choir_voice *voices[3];

	a = add(false);
	b = add(true);
	c = add(false);
	all_on_the_floor(ears, voices);
	tune(a, TD_DETECT_DTMF, TD_TUNE_CONVERT);
	dial(a, "2580", false, ears, voices, 3);
	ck_assert_str_eq(ears[1].events, "2580");
	ck_assert_str_eq(ears[1].tones, "");
	ck_assert_str_eq(ears[2].events, "");
	ck_assert_str_eq(ears[2].tones, "2580");
	expect_digit_events("2580", true);
}
END_TEST

// Card numbers: one member is spared the digits, however they come.
START_TEST(digits_are_spared)
{
	for (unsigned as_events = 0; as_events < 2; as_events++) {
		struct ear ears[3];
		struct choir_voice *voices[3];

		a = add(true);
		b = add(true);
		c = add(true);
		all_on_the_floor(ears, voices);
		tune(a, TD_DETECT_DTMF, 0);
		tune(c, 0, TD_TUNE_NO_DIGITS);
		dial(a, "42", as_events, ears, voices, 3);
		ck_assert_str_eq(as_events ? ears[1].events : ears[1].tones, "42");
		ck_assert_str_eq(ears[2].events, "");
		ck_assert_str_eq(ears[2].tones, "");
		close_world();
		open_world();
	}
}
END_TEST

START_TEST(forwarded_events_are_spared_too)
{
	struct ear ears[2];
	struct choir_voice *voices[2];

	a = add(true);
	b = add(true);
	voices[0] = a, voices[1] = b;
	ear_init(&ears[0]);
	ear_init(&ears[1]);
	edit(a, b, UNITY);
	dial(a, "1", true, ears, voices, 2);
	expect_digit_events("1", false);
	tune(b, 0, TD_TUNE_NO_DIGITS);
	dial(a, "2", true, ears, voices, 2);
	expect_digit_events("2", false);
	tune(b, 0, 0);
	dial(a, "3", true, ears, voices, 2);
	expect_digit_events("3", false);
	ck_assert_str_eq(ears[1].events, "13");
}
END_TEST

static int send_digits(const struct choir_voice *voice, const char *digits, uint32_t how)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_DIGITS };

	command.u.stream_digits.stream = voice->party.id;
	command.u.stream_digits.how = how;
	strncpy(command.u.stream_digits.digits, digits, TD_DIGITS_MAX);
	return world_command(&world, &command).result;
}

START_TEST(digits_are_sent)
{
	struct ear ears[2];
	struct choir_voice *voices[2];

	a = add(true);
	b = add(false);
	voices[0] = a, voices[1] = b;
	ear_init(&ears[0]);
	ear_init(&ears[1]);
	edit(a, b, UNITY);
	edit(b, a, UNITY);
	ck_assert_int_eq(send_digits(a, "", TD_DIGITS_AUTO), -TD_EINVALID);
	ck_assert_int_eq(send_digits(a, "12x", TD_DIGITS_AUTO), -TD_EINVALID);
	ck_assert_int_eq(send_digits(b, "1", TD_DIGITS_EVENT), -TD_ESTATE);
	ck_assert_int_eq(send_digits(a, "1234567890*#ABCD", TD_DIGITS_AUTO), 0);
	ck_assert_int_eq(send_digits(b, "1234567890*#ABCD", TD_DIGITS_AUTO), 0);
	ck_assert_int_eq(send_digits(a, "1", TD_DIGITS_AUTO), -TD_EBUSY);
	for (unsigned tick = 0; tick < 200; tick++) {
		say_audio(a, NULL);
		say_audio(b, NULL);
		step(ears, voices, 2);
	}
	ck_assert_str_eq(ears[0].events, "1234567890*#ABCD");
	ck_assert_str_eq(ears[0].tones, "");
	ck_assert_str_eq(ears[1].tones, "1234567890*#ABCD");
	ck_assert_int_eq(send_digits(a, "7", TD_DIGITS_TONE), 0);
	for (unsigned tick = 0; tick < 20; tick++)
		step(ears, voices, 2);
	ck_assert_str_eq(ears[0].tones, "7");
	ck_assert_int_eq(send_digits(a, "8", TD_DIGITS_AUTO), 0); // the stream ends meanwhile
}
END_TEST

// Who has been sent no audio yet is told of both.
START_TEST(a_digit_twice_before_all_else)
{
	struct ear ears[1];
	struct choir_voice *voices[1];

	a = add(true);
	voices[0] = a;
	ear_init(&ears[0]);
	ck_assert_int_eq(send_digits(a, "11", TD_DIGITS_AUTO), 0);
	for (unsigned tick = 0; tick < 30; tick++)
		step(ears, voices, 1);
	ck_assert_str_eq(ears[0].events, "11");
}
END_TEST

START_TEST(a_digit_ends_a_player)
{
	struct ear ears[2];
	struct choir_voice *voices[2];
	struct td_command command = { .kind = TD_COMMAND_PLAYER_CREATE };
	struct td_event event;

	a = add(true);
	b = add(true);
	voices[0] = a, voices[1] = b;
	ear_init(&ears[0]);
	ear_init(&ears[1]);
	command.u.player_create.context = context;
	command.u.player_create.loop = 1;
	command.u.player_create.item_count = 1;
	command.u.player_create.items[0].prompt = 1;
	command.u.player_create.stop_stream = a->party.id;
	command.u.player_create.stop_digits = td_digit_bit('#') | td_digit_bit('5');
	event = world_do(&world, &command);
	ck_assert_int_eq(world_player_gain(&world, context, event.u.player, a->party.id, UNITY), 0);
	dial(a, "12", true, ears, voices, 2);
	ck_assert(!world_event(&world, TD_EVENT_PLAYER_END, &event));
	dial(a, "#", true, ears, voices, 2);
	ck_assert(world_event(&world, TD_EVENT_PLAYER_END, &event));
	ck_assert_uint_eq(event.u.player_end.reason, TD_PLAYER_END_DIGIT);
	ck_assert_int_eq(event.u.player_end.digit, '#');
	ck_assert_uint_gt(event.u.player_end.frames, 60);
}
END_TEST

START_TEST(tones_are_told)
{
	struct ear ears[1];
	struct choir_voice *voices[1];
	const struct td_tone_plan *busy = td_tone_find("etsi.busy");
	struct td_event event;
	int16_t pcm[160];

	a = add(true);
	voices[0] = a;
	ear_init(&ears[0]);
	tune(a, TD_DETECT_PROGRESS | TD_DETECT_FAX, 0);
	for (unsigned tick = 0; tick < 300; tick++) {
		ck_assert_int_eq(td_tone_render(busy, 8000, tick * 160ull, pcm, 160), 0);
		say_audio(a, pcm);
		step(ears, voices, 1);
	}
	ck_assert(world_event(&world, TD_EVENT_TONE, &event));
	ck_assert_uint_eq(event.u.tone.tone, TD_TONE_BUSY);
	ck_assert_uint_eq(event.u.tone.ended, 0);
	ck_assert_uint_eq(event.u.tone.stream.v, a->party.id.v);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("digits");
	TCase *tcase = tcase_create("digits");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, open_world, close_world);
	tcase_add_test(tcase, events_reach_each_listener_as_it_can);
	tcase_add_test(tcase, tones_are_converted_and_taken_out);
	tcase_add_test(tcase, digits_are_spared);
	tcase_add_test(tcase, forwarded_events_are_spared_too);
	tcase_add_test(tcase, digits_are_sent);
	tcase_add_test(tcase, a_digit_twice_before_all_else);
	tcase_add_test(tcase, a_digit_ends_a_player);
	tcase_add_test(tcase, tones_are_told);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

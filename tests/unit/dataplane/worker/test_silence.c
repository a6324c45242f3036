// Turns of a worker that forwards, mixes every codec, plays, loses, hears noise and digits and is
// edited meanwhile: it takes nothing from the heap, gives nothing back, and asks nothing of the
// kernel. The port is made of rings, so there is no driver whose calls would be excused.
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "codecs/codec.h"
#include "media/prompts.h"
#include "rig.h"
#include "silence.h"
#include "td_role.h"

#define VOICES   16
#define SECONDS  3
#define NOISE_PT 13
#define EVENT_PT 101
#define LOUDNESS 4000.0
#define MUSIC_HZ 16000u

struct voice {
	struct td_stream_id id;
	uint16_t port, peer_port, sequence;
	uint32_t timestamp, ptime_ms, said;
	const struct td_codec *codec;
	void *encoder;
	bool mute; // sends nothing
};

static struct rig rig;
static struct frame frame;
static struct td_prompts *prompts;
static struct voice voices[VOICES];
static unsigned voice_count;
static uint64_t heard;

static const struct td_codec_settings settings = { .complexity = 2, .flags = TD_CODEC_FEC };

static void on_turn(bool begins)
{
	if (begins)
		silence_begin();
	else
		silence_end();
}

static void check_silence(const char *where)
{
	struct silence seen = silence_get();

	ck_assert_msg(seen.allocations == 0, "%s: %lu calls of the allocator", where,
		      (unsigned long)seen.allocations);
	ck_assert_msg(seen.calls == 0, "%s: %lu system calls, the last one number %d", where,
		      (unsigned long)seen.calls, seen.last_call);
}

static void open_prompts(void)
{
	static int16_t pcm[MUSIC_HZ];
	char reason[TD_PROMPT_REASON_MAX];

	for (unsigned i = 0; i < MUSIC_HZ; i++)
		pcm[i] = (int16_t)lrint(LOUDNESS * sin(i * 0.2));
	ck_assert_int_eq(
		td_prompts_create(1u << TD_CODEC_PCMU | 1u << TD_CODEC_G722 | 1u << TD_CODEC_OPUS,
				  &settings, &prompts),
		0);
	ck_assert_int_eq(td_prompts_add(prompts, "music", pcm, MUSIC_HZ, MUSIC_HZ, reason), 0);
}

static void setup(void)
{
	voice_count = 0;
	heard = 0;
	memset(voices, 0, sizeof voices);
	open_prompts();
	rig_open_with(&rig, 1, prompts);
	rig_run(&rig, 6001); // past the announcements
	rig_flush(&rig);
	ck_assert(silence_open());
	rig.on_turn = on_turn;
}

static void teardown(void)
{
	rig.on_turn = NULL;
	rig_close(&rig);
	td_prompts_destroy(prompts);
	for (unsigned i = 0; i < voice_count; i++)
		free(voices[i].encoder);
}

static struct voice *join(struct td_context_id context, enum td_codec_id codec, uint8_t ptime_ms)
{
	struct td_event_stream_created created = rig_stream(&rig, context);
	struct td_command command = { .kind = TD_COMMAND_STREAM_SET_REMOTE };
	struct voice *voice = &voices[voice_count];

	*voice = (struct voice){ .id = created.stream,
				 .port = __builtin_bswap16(created.local.port_be),
				 .peer_port = (uint16_t)(40000 + 2 * voice_count),
				 .ptime_ms = ptime_ms,
				 .codec = td_codec_get(codec) };
	voice_count++;
	if (voice->codec->encoder_bytes > 0) {
		ck_assert_int_eq(posix_memalign(&voice->encoder, TD_CODEC_STATE_ALIGN,
						voice->codec->encoder_bytes),
				 0);
		ck_assert_int_eq(voice->codec->encoder_init(voice->encoder, voice->codec->sample_hz,
							    &settings),
				 0);
	}
	command.u.stream_set_remote = (struct td_command_stream_set_remote){
		.stream = voice->id,
		.remote = frame_endpoint("10.77.0.9", voice->peer_port),
		.codec = (uint8_t)codec,
		.payload_type = 96,
		.payload_type_rx = 96,
		.event_payload_type = EVENT_PT,
		.event_payload_type_rx = EVENT_PT,
		.cn_payload_type = NOISE_PT,
		.cn_payload_type_rx = NOISE_PT,
		.ptime_ms = ptime_ms,
		.settings = settings,
	};
	ck_assert_int_eq(rig_command(&rig, &command).result, 0);
	// It is asked for, and answers.
	frame_arp(&frame, 2, frame_peer_mac, "10.77.0.9", "10.77.0.2");
	rig_inject(&rig, &frame);
	rig_run(&rig, 1);
	return voice;
}

static void edit(struct td_context_id context, struct td_member from, struct td_member to,
		 int32_t gain)
{
	struct td_command command = { .kind = TD_COMMAND_MATRIX_EDIT };

	command.u.matrix_edit.context = context;
	command.u.matrix_edit.cell_count = 1;
	command.u.matrix_edit.cells[0] = (struct td_cell){ from, to, gain };
	ck_assert_int_eq(rig_command(&rig, &command).result, 0);
}

static struct td_member member(const struct voice *voice)
{
	return (struct td_member){ TD_MEMBER_STREAM, voice->id.v };
}

static const struct td_member on_floor = { TD_MEMBER_FLOOR, 0 };

static void confer(struct td_context_id context, const struct voice *voice)
{
	edit(context, member(voice), on_floor, TD_GAIN_UNITY);
	edit(context, on_floor, member(voice), TD_GAIN_UNITY);
}

static void send(struct voice *voice, uint8_t type, const uint8_t *payload, uint32_t bytes)
{
	uint32_t timestamp_be = __builtin_bswap32(voice->timestamp);
	uint8_t *rtp;

	frame_udp(&frame, "10.77.0.9", voice->peer_port, "10.77.0.2", voice->port, 12 + bytes);
	rtp = frame.bytes + frame.l4 + 8;
	rtp[0] = 0x80;
	rtp[1] = type;
	rtp[2] = (uint8_t)(voice->sequence >> 8);
	rtp[3] = (uint8_t)voice->sequence;
	memcpy(rtp + 4, &timestamp_be, 4);
	memset(rtp + 8, 0x11, 3);
	rtp[11] = (uint8_t)voice->port;
	memcpy(rtp + 12, payload, bytes);
	frame_checksums(&frame);
	rig_inject(&rig, &frame);
}

static void say_audio(struct voice *voice)
{
	uint32_t samples = voice->codec->sample_hz / 1000u * voice->ptime_ms;
	uint8_t payload[TD_RTP_PAYLOAD_MAX];
	int16_t pcm[2880];
	int bytes;

	for (uint32_t i = 0; i < samples; i++)
		pcm[i] = (int16_t)lrint(LOUDNESS * sin((voice->said * samples + i) * 0.1));
	bytes = voice->codec->encode(voice->encoder, pcm, samples, payload, sizeof payload);
	ck_assert_int_gt(bytes, 0);
	send(voice, 96, payload, (uint32_t)bytes);
}

// The next packet of a voice that is, by turns, lost, late, repeated, noise, a digit, or audio.
static void say(struct voice *voice)
{
	static const uint8_t noise[] = { 40, 10, 200 }, digit[] = { 5, 10, 0, 160 };
	uint32_t turn = voice->said % 50u;

	if (turn == 20 || turn == 21)
		send(voice, NOISE_PT, noise, sizeof noise);
	else if (turn >= 30 && turn < 34)
		send(voice, EVENT_PT, digit, sizeof digit);
	else if (turn != 7 && (turn < 22 || turn > 25))
		say_audio(voice);
	if (turn == 12)
		say_audio(voice); // again
	voice->said++;
	voice->sequence++;
	voice->timestamp += voice->codec->clock_hz / 1000u * voice->ptime_ms;
	if (turn == 15)
		voice->sequence = (uint16_t)(voice->sequence - 2); // two that come once more
	if (turn == 17)
		voice->sequence = (uint16_t)(voice->sequence + 2);
}

static void run(unsigned ms)
{
	for (unsigned i = 0; i < ms; i++) {
		for (unsigned j = 0; j < voice_count; j++)
			if (!voices[j].mute && (i + j) % voices[j].ptime_ms == 0)
				say(&voices[j]);
		rig_run(&rig, 1);
		heard += rig_flush(&rig);
	}
}

START_TEST(test_watch)
{
	void *volatile memory;
	struct silence seen;

	silence_begin();
	memory = malloc(10);
	silence_end();
	free(memory);
	seen = silence_get();
	ck_assert_uint_eq(seen.allocations, 1);
	ck_assert_uint_eq(seen.calls, 0);
	silence_begin();
	syscall(SYS_getppid);
	silence_end();
	seen = silence_get();
	ck_assert_uint_eq(seen.calls, 1);
	ck_assert_int_eq(seen.last_call, SYS_getppid);
	ck_assert(silence_open());
}
END_TEST

START_TEST(test_forward)
{
	struct td_context_id context = rig_context(&rig);
	struct voice *a = join(context, TD_CODEC_PCMU, 20), *b = join(context, TD_CODEC_PCMU, 20);

	edit(context, member(a), member(b), TD_GAIN_UNITY);
	edit(context, member(b), member(a), TD_GAIN_UNITY);
	run(SECONDS * 1000);
	ck_assert_uint_gt(rig.region.workers[0].forwarded, SECONDS * 50);
	check_silence("forward");
}
END_TEST

START_TEST(test_mix)
{
	static const struct {
		enum td_codec_id codec;
		uint8_t ptime_ms;
	} kinds[] = {
		{ TD_CODEC_PCMU, 20 },   { TD_CODEC_PCMA, 30 },   { TD_CODEC_G722, 20 },
		{ TD_CODEC_GSM, 20 },    { TD_CODEC_L16_8, 20 },  { TD_CODEC_L16_16, 20 },
		{ TD_CODEC_L16_32, 20 }, { TD_CODEC_L16_48, 10 }, { TD_CODEC_OPUS, 20 },
		{ TD_CODEC_OPUS, 60 },   { TD_CODEC_G722, 40 },   { TD_CODEC_G729, 20 },
	};
	struct td_context_id context = rig_context(&rig);
	unsigned joined = 0;

	for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (td_codec_get(kinds[i].codec) != NULL) {
			confer(context, join(context, kinds[i].codec, kinds[i].ptime_ms));
			joined++;
		}
	run(SECONDS * 1000);
	ck_assert_uint_gt(heard, joined * SECONDS * 15);
	// Muted, louder, without the narrow ones, and one of them gone.
	edit(context, member(&voices[0]), on_floor, 0);
	edit(context, on_floor, member(&voices[1]), TD_GAIN_UNITY * 2);
	edit(context, member(&voices[2]), member(&voices[3]), TD_GAIN_UNITY / 2);
	run(500);
	for (unsigned i = 0; i < 4; i++) {
		struct td_command command = { .kind = TD_COMMAND_STREAM_DESTROY };

		voices[i].mute = true;
		command.u.stream_destroy = voices[i].id;
		ck_assert_int_eq(rig_command(&rig, &command).result, 0);
	}
	run(500);
	check_silence("mix");
}
END_TEST

START_TEST(test_play)
{
	static const enum td_codec_id codecs[] = { TD_CODEC_PCMU, TD_CODEC_G722, TD_CODEC_OPUS,
						   TD_CODEC_PCMA, TD_CODEC_L16_16 };
	struct td_context_id context = rig_context(&rig);
	struct td_command command = { .kind = TD_COMMAND_PLAYER_CREATE };
	struct td_event event;
	struct voice *voice;

	command.u.player_create.context = context;
	command.u.player_create.item_count = 1;
	command.u.player_create.loop = 1;
	event = rig_command(&rig, &command);
	ck_assert_int_eq(event.result, 0);
	for (unsigned i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
		voice = join(context, codecs[i], 20);
		edit(context, (struct td_member){ TD_MEMBER_PLAYER, event.u.player.v },
		     member(voice), TD_GAIN_UNITY);
		// The second one also hears the first one: music in a mix.
		if (i == 1)
			edit(context, member(&voices[0]), member(voice), TD_GAIN_UNITY);
	}
	run(SECONDS * 1000);
	ck_assert_uint_gt(heard, voice_count * SECONDS * 45);
	command = (struct td_command){ .kind = TD_COMMAND_CONTEXT_DESTROY };
	command.u.context_destroy = context;
	ck_assert_int_eq(rig_command(&rig, &command).result, 0);
	for (unsigned i = 0; i < voice_count; i++)
		voices[i].mute = true;
	run(100);
	check_silence("play");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("silence");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (!silence_open()) {
		srunner_free(runner);
		return 77; // a kernel of before 5.11
	}
	frame_environment();
	srunner_set_fork_status(runner, CK_NOFORK);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_watch);
	tcase_add_test(tests, test_forward);
	tcase_add_test(tests, test_mix);
	tcase_add_test(tests, test_play);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

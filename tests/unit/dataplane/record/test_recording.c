// One recording in every codec: what each side said is in its channel, at its time, at the right rate.
#include <check.h>
#include <fcntl.h>
#include <math.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../codecs/signal.h"
#include "codecs/codec.h"
#include "codecs/wav.h"
#include "record/recording.h"
#include "rig.h"
#include "scratch.h"

#define MS          1000000ull
#define START_NS    RIG_START_NS
#define SECONDS     4
#define SAMPLES_MAX (SECONDS * 48000)
#define STATE_BYTES (64 * 1024)

// Somebody who speaks, one packet after the other.
struct party {
	const struct td_codec *codec;
	uint8_t side;
	uint32_t ssrc, rate_hz, timestamp, ms;
	uint16_t sequence, offered;
	alignas(TD_CODEC_STATE_ALIGN) uint8_t encoder[STATE_BYTES];
	int16_t sound[SAMPLES_MAX];
};

static struct party left, right;
static int16_t channels[2][SAMPLES_MAX];

static void setup(void)
{
	rig_open(&(struct td_command_record_start){ .name = "a.wav", .owner = 42 }, NULL);
}

static void set_codec(struct party *party, enum td_codec_id id)
{
	static const struct td_codec_settings settings = { .bitrate_bps = 32000, .complexity = 3 };

	party->codec = td_codec_get(id);
	party->rate_hz = party->codec->sample_hz;
	signal_voice(party->sound, SECONDS * party->rate_hz, party->rate_hz);
	// Syllables, so that a sound can be found in time: 300 ms each, with a pause.
	for (uint32_t i = 0; i < SECONDS * party->rate_hz; i++) {
		double at = fmod((double)i / party->rate_hz + 0.1 * party->side, 0.45);

		party->sound[i] = (int16_t)(at < 0.3 ? party->sound[i] * sin(M_PI * at / 0.3) : 0);
	}
	if (party->codec->encoder_init)
		ck_assert_int_eq(
			party->codec->encoder_init(party->encoder, party->rate_hz, &settings), 0);
}

static void set_party(struct party *party, uint8_t side, enum td_codec_id id)
{
	party->side = side;
	party->ssrc = 7u + side;
	party->timestamp = 0xfffff000u; // wraps before long
	party->ms = 0;
	set_codec(party, id);
}

// Says the next 20 ms; `lost`: but nobody hears it.
static void say(struct party *party, bool lost)
{
	uint32_t ms = party->codec->ptime_max_ms < 20 ? 10 : 20;

	for (uint32_t done = 0; done < 20; done += ms) {
		uint32_t samples = party->rate_hz / 1000 * ms;
		struct td_tap_record record = { .arrival_ns = START_NS + party->ms * MS,
						.tap = 1,
						.ssrc = party->ssrc,
						.sequence = party->sequence++,
						.offered = ++party->offered,
						.timestamp = party->timestamp,
						.side = party->side,
						.codec = (uint8_t)party->codec->id };
		int bytes = party->codec->encode(party->encoder,
						 party->sound + party->ms * party->rate_hz / 1000,
						 samples, record.payload, sizeof record.payload);

		ck_assert_int_gt(bytes, 0);
		record.payload_len = (uint16_t)bytes;
		if (lost)
			party->offered--;
		else
			td_recording_add(&rig.recording, &record);
		party->timestamp += party->codec->clock_hz / 1000 * ms;
		party->ms += ms;
	}
	if (party->side == TD_TAP_LEFT)
		td_recording_flush(&rig.recording, START_NS + party->ms * MS);
}

// Closes the recording and reads its two channels; answers the frames.
static size_t read_back(uint32_t rate_hz)
{
	static uint8_t bytes[SAMPLES_MAX * 4 + TD_WAV_HEADER_BYTES];
	char path[SCRATCH_MAX + 20], reason[TD_WAV_REASON_MAX];
	struct td_wav wav;
	ssize_t size;
	int fd;

	rig_finish(START_NS + left.ms * MS);
	snprintf(path, sizeof path, "%s/a.wav", rig.folder);
	fd = open(path, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	size = read(fd, bytes, sizeof bytes);
	close(fd);
	ck_assert_int_eq(td_wav_parse(bytes, (size_t)size, &wav, reason), 0);
	ck_assert_uint_eq(wav.sample_hz, rate_hz);
	ck_assert_uint_eq(rig.closed.u.recording.duration_ms, wav.frames * 1000 / rate_hz);
	for (size_t i = 0; i < wav.frames; i++)
		for (int side = 0; side < 2; side++)
			memcpy(&channels[side][i], wav.data + 4 * i + 2 * side, 2);
	return wav.frames;
}

// That the party is heard in its channel from `from_ms` for `ms`, within 40 ms of when it spoke.
static void check_heard(const struct party *party, uint32_t rate_hz, uint32_t from_ms, uint32_t ms,
			double enough)
{
	static int16_t wanted[SAMPLES_MAX];
	size_t from = from_ms * (rate_hz / 1000), count = ms * (rate_hz / 1000);
	struct td_resampler *resampler;
	double alike;

	ck_assert_int_eq(td_resampler_create(party->rate_hz, rate_hz, &resampler), 0);
	for (uint32_t at = 0; at < SECONDS * 50; at++)
		td_resampler_process(resampler, party->sound + at * party->rate_hz / 50,
				     party->rate_hz / 50, wanted + at * rate_hz / 50);
	td_resampler_destroy(resampler);
	alike = signal_correlation(wanted + from, channels[party->side] + from, count,
				   rate_hz / 25);
	ck_assert_msg(alike > enough, "side %u, %s from %u ms: correlation %.3f", party->side,
		      party->codec->name, from_ms, alike);
}

static const enum td_codec_id ids[] = { TD_CODEC_PCMU,   TD_CODEC_PCMA,   TD_CODEC_G722,
					TD_CODEC_GSM,    TD_CODEC_L16_8,  TD_CODEC_L16_16,
					TD_CODEC_L16_32, TD_CODEC_L16_48, TD_CODEC_OPUS };
#define IDS (int)(sizeof ids / sizeof ids[0])

// Every codec against PCMA on the other side.
START_TEST(every_codec_is_recorded)
{
	uint32_t rate_hz;

	if (!td_codec_get(ids[_i]))
		return;
	set_party(&left, TD_TAP_LEFT, ids[_i]);
	set_party(&right, TD_TAP_RIGHT, TD_CODEC_PCMA);
	while (left.ms < 3000) {
		say(&right, false);
		say(&left, false);
	}
	rate_hz = left.codec->sample_hz > 8000 ? 16000 : 8000;
	ck_assert_uint_ge(read_back(rate_hz), 2990 * rate_hz / 1000);
	check_heard(&left, rate_hz, 200, 1000, 0.85);
	check_heard(&left, rate_hz, 1500, 1400, 0.85);
	check_heard(&right, rate_hz, 200, 1000, 0.85);
	check_heard(&right, rate_hz, 1500, 1400, 0.85);
	ck_assert_uint_eq(rig.closed.u.recording.packets_late[0], 0);
	ck_assert_uint_eq(rig.closed.u.recording.packets_written[1], 150);
}
END_TEST

// Nothing but G.711: what is in the file is what was decoded, sample by sample.
START_TEST(narrowband_is_kept_bit_for_bit)
{
	static int16_t pcm[3 * 8000];
	static uint8_t law[3 * 8000];

	set_party(&left, TD_TAP_LEFT, TD_CODEC_PCMU);
	set_party(&right, TD_TAP_RIGHT, TD_CODEC_PCMA);
	while (left.ms < 3000) {
		say(&right, false);
		say(&left, false);
	}
	ck_assert_uint_eq(read_back(8000), 3 * 8000);
	for (int side = 0; side < 2; side++) {
		const struct party *party = side ? &right : &left;

		party->codec->encode(NULL, party->sound, 3 * 8000, law, sizeof law);
		party->codec->decode(NULL, law, sizeof law, pcm, 3 * 8000);
		ck_assert_mem_eq(channels[side], pcm, sizeof pcm);
	}
}
END_TEST

// The wideband party is heard only after half a second: the file is wide, and what came before too.
START_TEST(a_wide_party_in_time_widens)
{
	set_party(&left, TD_TAP_LEFT, TD_CODEC_PCMU);
	set_party(&right, TD_TAP_RIGHT, TD_CODEC_OPUS);
	while (left.ms < 3000) {
		say(&right, left.ms < 500);
		say(&left, false);
	}
	ck_assert_uint_eq(read_back(16000), 3 * 16000);
	check_heard(&left, 16000, 0, 520, 0.95); // across the seam
	check_heard(&left, 16000, 0, 2900, 0.95);
	check_heard(&right, 16000, 600, 2300, 0.85);
	for (int i = 0; i < 480 * 16; i++)
		ck_assert_int_eq(channels[1][i], 0);
}
END_TEST

// The phone changes its codec when the file has begun: its rate stays and nobody is lost.
START_TEST(a_codec_change_is_converted)
{
	static const enum td_codec_id after[] = { TD_CODEC_OPUS, TD_CODEC_L16_16, TD_CODEC_GSM,
						  TD_CODEC_PCMA };

	set_party(&left, TD_TAP_LEFT, TD_CODEC_PCMU);
	set_party(&right, TD_TAP_RIGHT, TD_CODEC_PCMA);
	while (left.ms < 1500) {
		say(&right, false);
		say(&left, false);
	}
	set_codec(&left, after[_i]);
	while (left.ms < 3500) {
		say(&right, false);
		say(&left, false);
	}
	ck_assert_uint_ge(read_back(8000), 3490 * 8);
	check_heard(&left, 8000, 1600, 1800, 0.85);
	check_heard(&right, 8000, 200, 3000, 0.9);
	ck_assert_uint_eq(rig.closed.u.recording.packets_late[0], 0);
}
END_TEST

START_TEST(a_wide_recording_takes_narrow_later)
{
	set_party(&left, TD_TAP_LEFT, TD_CODEC_OPUS);
	set_party(&right, TD_TAP_RIGHT, TD_CODEC_PCMA);
	while (left.ms < 3500) {
		if (left.ms == 1500)
			set_codec(&left, TD_CODEC_GSM);
		if (left.ms == 2500)
			left.ssrc++; // a decoder that begins again
		say(&right, false);
		say(&left, false);
	}
	ck_assert_uint_ge(read_back(16000), 3490 * 16);
	check_heard(&left, 16000, 1700, 700, 0.85);
	check_heard(&left, 16000, 2600, 800, 0.8);
	check_heard(&right, 16000, 200, 3000, 0.9);
}
END_TEST

START_TEST(lost_is_silence_of_its_length)
{
	set_party(&left, TD_TAP_LEFT, TD_CODEC_OPUS);
	set_party(&right, TD_TAP_RIGHT, TD_CODEC_GSM);
	while (left.ms < 3000) {
		say(&right, left.ms >= 1000 && left.ms < 1200);
		say(&left, left.ms >= 2000 && left.ms < 2100);
	}
	read_back(16000);
	ck_assert_uint_eq(rig.closed.u.recording.gap_samples[0], 100 * 16);
	ck_assert_uint_eq(rig.closed.u.recording.gap_samples[1], 200 * 16);
	check_heard(&left, 16000, 2200, 700, 0.85);
	check_heard(&right, 16000, 1300, 1600, 0.85);
	for (int i = 1005 * 16; i < 1195 * 16; i++)
		ck_assert_int_eq(channels[1][i], 0);
}
END_TEST

// A new SSRC is a new sender: nothing of the old one's sound is in it.
START_TEST(another_sender_begins_anew)
{
	static int16_t pcm[2][TD_TIMELINE_PACKET_MAX];
	struct td_voice used = { 0 }, fresh = { 0 };
	uint8_t payload[33];

	set_party(&left, TD_TAP_LEFT, TD_CODEC_GSM);
	for (uint32_t n = 0; n < 20; n++) {
		ck_assert_int_eq(left.codec->encode(left.encoder, left.sound + n * 160, 160,
						    payload, sizeof payload),
				 33);
		ck_assert_uint_eq(td_voice_hear(&used, left.codec, 1, 16000, payload, 33, pcm[0]),
				  320);
	}
	td_voice_hear(&used, left.codec, 1, 16000, payload, 33, pcm[0]);
	td_voice_hear(&fresh, left.codec, 2, 16000, payload, 33, pcm[1]);
	ck_assert(memcmp(pcm[0], pcm[1], 320 * sizeof(int16_t)) != 0);
	td_voice_hear(&used, left.codec, 3, 16000, payload, 33, pcm[0]);
	ck_assert_mem_eq(pcm[0], pcm[1], 320 * sizeof(int16_t));
	td_voice_fini(&used);
	td_voice_fini(&fresh);
}
END_TEST

START_TEST(the_sidecar_knows)
{
	json_t *sidecar, *track, *gap, *sha;

	set_party(&left, TD_TAP_LEFT, TD_CODEC_PCMU);
	set_party(&right, TD_TAP_RIGHT, TD_CODEC_PCMA);
	td_take_note(&rig.recording.take, "call", "c41");
	td_take_note(&rig.recording.take, "call", "c42");
	while (left.ms < 3000) {
		if (left.ms == 1500)
			right.offered += 2; // which the ring had no room for
		say(&right, left.ms >= 1500 && left.ms < 1540);
		say(&left, left.ms >= 2000 && left.ms < 2100);
	}
	read_back(8000);
	ck_assert_uint_eq(rig.closed.u.recording.packets_received[1], 150);
	ck_assert_uint_eq(rig.closed.u.recording.packets_written[1], 148);
	sidecar = rig_sidecar("a.wav");
	ck_assert_str_eq(json_string_value(json_object_get(sidecar, "state")), "incomplete");
	ck_assert_str_eq(json_string_value(json_object_get(sidecar, "began")),
			 "2023-11-14T22:13:20.000Z");
	ck_assert_int_eq(rig_number(sidecar, "duration_ms"), 3000);
	ck_assert_str_eq(
		json_string_value(json_object_get(json_object_get(sidecar, "notes"), "call")),
		"c42");
	track = json_array_get(json_object_get(sidecar, "tracks"), 1);
	ck_assert_int_eq(rig_number(track, "packets_refused"), 2);
	ck_assert_int_eq(rig_number(track, "packets_received"), 150);
	ck_assert_str_eq(json_string_value(json_array_get(json_object_get(track, "codecs"), 0)),
			 "PCMA");
	gap = json_array_get(json_object_get(sidecar, "gaps"), 1);
	ck_assert_int_eq(rig_number(gap, "at_ms"), 2000);
	ck_assert_int_eq(rig_number(gap, "ms"), 100);
	ck_assert_int_eq(rig_number(gap, "packets_lost"), 5);
	ck_assert_int_eq(rig_number(gap, "track"), 1);
	sha = json_object_get(json_array_get(json_object_get(sidecar, "files"), 0), "sha256");
	ck_assert_int_eq(rig_number(sha, "from"), TD_WAV_HEADER_BYTES);
	ck_assert_int_eq(rig_number(sha, "bytes"), 3000 * 8 * 4);
	json_decref(sidecar);
}
END_TEST

static void control(enum td_record_action action)
{
	struct td_command_record_control command = { .action = action, .text = "here" };

	td_recording_control(&rig.recording, &command, START_NS + left.ms * MS);
}

static bool silent(int side, uint32_t from_ms, uint32_t to_ms)
{
	for (uint32_t i = from_ms * 8; i < to_ms * 8; i++)
		if (channels[side][i] != 0)
			return false;
	return true;
}

// Masked: silence of its length. Paused: not there, and what follows is in time on both sides.
START_TEST(pauses)
{
	bool mask = _i == 1;
	json_t *sidecar, *marks;
	size_t frames;

	set_party(&left, TD_TAP_LEFT, TD_CODEC_PCMU);
	set_party(&right, TD_TAP_RIGHT, TD_CODEC_PCMA);
	while (left.ms < 3500) {
		if (left.ms == 1000)
			control(mask ? TD_RECORD_MASK : TD_RECORD_PAUSE);
		if (left.ms == 1500)
			control(TD_RECORD_MARK);
		if (left.ms == 2000)
			control(TD_RECORD_RESUME);
		say(&right, false);
		say(&left, false);
	}
	frames = read_back(8000);
	ck_assert_uint_eq(frames, mask ? 3500 * 8 : 2500 * 8);
	if (mask) {
		ck_assert(silent(0, 1000, 2000) && silent(1, 1000, 2000));
		check_heard(&left, 8000, 2000, 1400, 0.95);
	} else {
		memmove(&channels[0][2000 * 8], &channels[0][1000 * 8], 1500 * 8 * 2);
		memmove(&channels[1][2000 * 8], &channels[1][1000 * 8], 1500 * 8 * 2);
		check_heard(&left, 8000, 2000, 1400, 0.95);
		check_heard(&right, 8000, 2000, 1400, 0.95);
	}
	ck_assert_uint_eq(rig.closed.u.recording.packets_received[0],
			  rig.closed.u.recording.packets_written[0]);
	ck_assert_uint_eq(rig.closed.u.recording.gap_samples[0], 0);
	sidecar = rig_sidecar("a.wav");
	ck_assert_str_eq(json_string_value(json_object_get(sidecar, "state")), "complete");
	marks = json_object_get(sidecar, "marks");
	ck_assert_int_eq(json_array_size(marks), 2);
	ck_assert_int_eq(rig_number(json_array_get(marks, 0), "at_ms"), 1000);
	ck_assert_int_eq(rig_number(json_array_get(marks, 0), "ms"), 1000);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(marks, 1), "text")),
			 "here");
	json_decref(sidecar);
}
END_TEST

// What a phone sends in another order than it said it: no other sound comes of it.
START_TEST(disorder_is_put_right)
{
	struct td_tap_record kept;
	static int16_t right_way[3 * 8000];

	for (int round = 0; round < 2; round++) {
		uint16_t offered = 0;

		set_party(&left, TD_TAP_LEFT, TD_CODEC_GSM);
		while (left.ms < 3000) {
			struct td_tap_record record = { .arrival_ns = START_NS + left.ms * MS,
							.tap = 1,
							.ssrc = 7,
							.timestamp = left.ms * 8,
							.sequence = (uint16_t)(left.ms / 20),
							.codec = TD_CODEC_GSM,
							.payload_len = 33 };

			left.codec->encode(left.encoder, left.sound + left.ms * 8, 160,
					   record.payload, sizeof record.payload);
			if (round == 1 && left.ms % 100 == 40) {
				kept = record;
			} else {
				record.offered = ++offered;
				td_recording_add(&rig.recording, &record);
				kept.offered = offered + 1;
				if (round == 1 && left.ms % 100 == 80) {
					td_recording_add(&rig.recording, &kept);
					offered++;
				}
			}
			left.ms += 20;
			td_recording_flush(&rig.recording, START_NS + left.ms * MS);
		}
		ck_assert_uint_eq(read_back(8000), 3 * 8000);
		if (round == 1)
			break;
		memcpy(right_way, channels[0], sizeof right_way);
		rig_close();
		setup();
	}
	for (int i = 0; i < 3 * 8000; i++)
		ck_assert_msg(right_way[i] == channels[0][i], "sample %d", i);
	ck_assert_uint_eq(rig.closed.u.recording.packets_written[0], 150);
}
END_TEST

// Whatever the codec says it is: the recorder survives it, and goes on.
START_TEST(garbage_is_survived)
{
	uint32_t seed = 1;

	for (int n = 0; n < 3000; n++) {
		struct td_tap_record record = { .arrival_ns = START_NS + n * MS, .tap = 1 };

		for (size_t i = 0; i < sizeof record.payload; i++) {
			seed = seed * 1664525 + 1013904223;
			record.payload[i] = (uint8_t)(seed >> 24);
		}
		record.payload_len = (uint16_t)(n % 5 ? seed >> 22 : TD_RTP_PAYLOAD_MAX);
		record.codec = (uint8_t)((seed >> 8) % (TD_CODEC_COUNT + 3));
		record.side = (uint8_t)((seed >> 16) % 3);
		record.ssrc = (seed >> 20) % 3;
		record.timestamp = (uint32_t)n * 8 + (n % 7 ? 0 : seed);
		record.sequence = (uint16_t)(n % 11 ? n : (int)seed);
		td_recording_add(&rig.recording, &record);
		td_recording_flush(&rig.recording, START_NS + n * MS);
	}
	rig_finish(START_NS + 3000 * MS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("recording");
	TCase *tcase = tcase_create("recording"), *alone = tcase_create("no recording");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, rig_close);
	tcase_add_loop_test(tcase, every_codec_is_recorded, 0, IDS);
	tcase_add_test(tcase, narrowband_is_kept_bit_for_bit);
	tcase_add_test(tcase, a_wide_party_in_time_widens);
	tcase_add_loop_test(tcase, a_codec_change_is_converted, 0, 4);
	tcase_add_test(tcase, a_wide_recording_takes_narrow_later);
	tcase_add_test(tcase, lost_is_silence_of_its_length);
	tcase_add_test(tcase, the_sidecar_knows);
	tcase_add_loop_test(tcase, pauses, 0, 2);
	tcase_add_test(tcase, disorder_is_put_right);
	tcase_add_test(tcase, garbage_is_survived);
	tcase_add_test(alone, another_sender_begins_anew);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, alone);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

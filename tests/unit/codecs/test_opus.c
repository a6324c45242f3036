// Opus through the table against libopus driven directly; its settings, loss and redundancy.
#include <check.h>
#include <math.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <opus.h>

#include "codecs/codec.h"
#include "signal.h"
#include "td_limits.h"

#define SECONDS     3
#define STATE_BYTES (64 * 1024)
#define RATE_HZ     16000
#define FRAME       (RATE_HZ / 50)
#define FRAMES      (SECONDS * 50)

alignas(TD_CODEC_STATE_ALIGN) static uint8_t encoder[STATE_BYTES], decoder[STATE_BYTES];
static int16_t sound[SECONDS * 48000], heard[SECONDS * 48000];
static uint8_t payloads[FRAMES][TD_RTP_PAYLOAD_MAX];
static int lengths[FRAMES];
static const struct td_codec *codec;

static void set_up(void)
{
	codec = td_codec_get(TD_CODEC_OPUS);
	ck_assert_uint_le(codec->encoder_bytes, STATE_BYTES);
	ck_assert_uint_le(codec->decoder_bytes, STATE_BYTES);
	ck_assert_int_le(opus_encoder_get_size(1), (int)codec->encoder_bytes);
	ck_assert_int_le(opus_decoder_get_size(1), (int)codec->decoder_bytes);
}

// Codes three seconds at 16 kHz; answers the bytes of all.
static int encode_all(const struct td_codec_settings *settings)
{
	int total = 0;

	ck_assert_int_eq(codec->encoder_init(encoder, RATE_HZ, settings), 0);
	for (int n = 0; n < FRAMES; n++) {
		lengths[n] = codec->encode(encoder, sound + n * FRAME, FRAME, payloads[n],
					   TD_RTP_PAYLOAD_MAX);
		ck_assert_int_ge(lengths[n], 0);
		total += lengths[n];
	}
	return total;
}

START_TEST(packets_are_the_librarys)
{
	static const uint32_t rates[] = { 8000, 16000, 48000 };
	static const uint32_t lasting_ms[] = { 10, 20, 40, 60 };
	const struct td_codec_settings settings = {
		.bitrate_bps = 24000, .complexity = 5, .flags = TD_CODEC_FEC, .loss_percent = 10
	};
	uint32_t rate = rates[_i / 4], samples = rate / 1000 * lasting_ms[_i % 4];
	int error;
	OpusEncoder *theirs = opus_encoder_create((int)rate, 1, OPUS_APPLICATION_VOIP, &error);
	OpusDecoder *back = opus_decoder_create((int)rate, 1, &error);

	opus_encoder_ctl(theirs, OPUS_SET_BITRATE(24000));
	opus_encoder_ctl(theirs, OPUS_SET_COMPLEXITY(5));
	opus_encoder_ctl(theirs, OPUS_SET_INBAND_FEC(1));
	opus_encoder_ctl(theirs, OPUS_SET_PACKET_LOSS_PERC(10));
	signal_voice(sound, SECONDS * rate, rate);
	ck_assert_int_eq(codec->encoder_init(encoder, rate, &settings), 0);
	ck_assert_int_eq(codec->decoder_init(decoder, rate), 0);
	for (uint32_t at = 0; at + samples <= SECONDS * rate; at += samples) {
		static int16_t pcm[2880], wanted_pcm[2880];
		uint8_t ours[TD_RTP_PAYLOAD_MAX], wanted[TD_RTP_PAYLOAD_MAX];
		int bytes = codec->encode(encoder, sound + at, samples, ours, sizeof ours);

		ck_assert_int_eq(bytes, opus_encode(theirs, sound + at, (int)samples, wanted,
						    sizeof wanted));
		ck_assert_mem_eq(ours, wanted, (size_t)bytes);
		ck_assert_int_eq(codec->duration(ours, (size_t)bytes),
				 (int)lasting_ms[_i % 4] * 48);
		ck_assert_int_eq(codec->decode(decoder, ours, (size_t)bytes, pcm, samples),
				 (int)samples);
		ck_assert_int_eq(opus_decode(back, wanted, bytes, wanted_pcm, (int)samples, 0),
				 (int)samples);
		ck_assert_mem_eq(pcm, wanted_pcm, samples * sizeof pcm[0]);
	}
	opus_encoder_destroy(theirs);
	opus_decoder_destroy(back);
}
END_TEST

START_TEST(settings_take_effect)
{
	struct td_codec_settings settings = { .bitrate_bps = 12000, .complexity = 5 };
	int low, high;

	signal_voice(sound, SECONDS * RATE_HZ, RATE_HZ);
	low = encode_all(&settings);
	settings.bitrate_bps = 32000;
	high = encode_all(&settings);
	ck_assert_msg(high > 2 * low, "%d and %d bytes", low, high);
	settings.flags = TD_CODEC_CBR;
	encode_all(&settings);
	for (int n = 0; n < FRAMES; n++)
		ck_assert_int_eq(lengths[n], 32000 / 8 / 50);
	ck_assert_int_eq(opus_packet_get_bandwidth(payloads[FRAMES - 1]), OPUS_BANDWIDTH_WIDEBAND);
	settings.max_hz = 8000;
	encode_all(&settings);
	ck_assert_int_eq(opus_packet_get_bandwidth(payloads[FRAMES - 1]),
			 OPUS_BANDWIDTH_NARROWBAND);
}
END_TEST

START_TEST(settings_out_of_range_are_refused)
{
	static const struct {
		struct td_codec_settings settings;
		int result;
	} rows[] = {
		{ { .bitrate_bps = 5999 }, -TD_EINVALID },
		{ { .bitrate_bps = 6000 }, 0 },
		{ { .bitrate_bps = 510000 }, 0 },
		{ { .bitrate_bps = 510001 }, -TD_EINVALID },
		{ { .bitrate_bps = UINT32_MAX }, -TD_EINVALID },
		{ { .complexity = 10 }, 0 },
		{ { .complexity = 11 }, -TD_EINVALID },
		{ { .loss_percent = 100 }, 0 },
		{ { .loss_percent = 101 }, -TD_EINVALID },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ck_assert_int_eq(codec->encoder_init(encoder, RATE_HZ, &rows[i].settings),
				 rows[i].result);
	ck_assert_int_eq(codec->encoder_init(encoder, 32000, &rows[1].settings), -TD_EUNSUPPORTED);
}
END_TEST

START_TEST(silence_is_not_sent_with_dtx)
{
	struct td_codec_settings settings = { .complexity = 5, .flags = TD_CODEC_DTX };
	int sent = 0;

	memset(sound, 0, sizeof sound);
	encode_all(&settings);
	for (int n = 0; n < FRAMES; n++)
		sent += lengths[n] > 0;
	ck_assert_msg(sent > 0 && sent < FRAMES / 3, "%d of %d sent", sent, FRAMES);
	settings.flags = 0;
	encode_all(&settings);
	for (int n = 0; n < FRAMES; n++)
		ck_assert_int_gt(lengths[n], 0);
}
END_TEST

// A vowel that goes on for ever is noise to the encoder, and noise gets no redundancy: syllables.
static void make_speech(void)
{
	signal_voice(sound, SECONDS * RATE_HZ, RATE_HZ);
	for (int i = 0; i < SECONDS * RATE_HZ; i++) {
		double loud = 0.5 - 0.5 * cos(2 * M_PI * 4 * i / RATE_HZ);

		sound[i] = (int16_t)(sound[i] * loud);
	}
}

// Every fifth packet is lost. The redundancy of the next one is nearer to it than a guess is, and a
// guess is nearer than silence (0 dB).
START_TEST(redundancy_recovers)
{
	struct td_codec_settings settings = {
		.bitrate_bps = 32000, .complexity = 5, .flags = TD_CODEC_FEC, .loss_percent = 20
	};
	static int16_t whole[SECONDS * RATE_HZ];
	double db[2];
	int recovered = 0;

	make_speech();
	encode_all(&settings);
	codec->decoder_init(decoder, RATE_HZ);
	for (int n = 0; n < FRAMES; n++)
		codec->decode(decoder, payloads[n], (size_t)lengths[n], whole + n * FRAME, FRAME);
	for (int use = 0; use < 2; use++) {
		double signal = 0, noise = 0;

		codec->decoder_init(decoder, RATE_HZ);
		for (int n = 0; n < FRAMES; n++) {
			int16_t *to = heard + n * FRAME;
			const int16_t *said = whole + n * FRAME;
			bool lost = n % 5 == 4 && n + 1 < FRAMES;
			int done = 0;

			if (lost && use)
				done = codec->recover(decoder, payloads[n + 1],
						      (size_t)lengths[n + 1], to, FRAME);
			recovered += done == FRAME;
			if (lost && done == 0)
				done = codec->conceal(decoder, to, FRAME);
			if (!lost)
				done = codec->decode(decoder, payloads[n], (size_t)lengths[n], to,
						     FRAME);
			ck_assert_int_eq(done, FRAME);
			for (int i = 0; lost && n > 25 && i < FRAME; i++) {
				double wanted = said[i];

				signal += wanted * wanted;
				noise += (wanted - to[i]) * (wanted - to[i]);
			}
		}
		db[use] = 10 * log10(signal / noise);
	}
	ck_assert_int_gt(recovered, FRAMES / 5 * 2 / 3); // the pauses have none
	ck_assert_msg(db[0] > 0 && db[1] > db[0] + 3, "concealed %.1f dB, recovered %.1f dB", db[0],
		      db[1]);
}
END_TEST

START_TEST(no_redundancy_is_said)
{
	struct td_codec_settings settings = { .bitrate_bps = 32000, .complexity = 5 };
	int16_t pcm[FRAME];

	make_speech();
	encode_all(&settings);
	codec->decoder_init(decoder, RATE_HZ);
	for (int n = 0; n < FRAMES; n++) {
		ck_assert_int_eq(
			codec->recover(decoder, payloads[n], (size_t)lengths[n], pcm, FRAME), 0);
		codec->decode(decoder, payloads[n], (size_t)lengths[n], pcm, FRAME);
	}
	ck_assert_int_eq(codec->recover(decoder, payloads[0], 0, pcm, FRAME), -TD_EMALFORMED);
	ck_assert_int_eq(codec->conceal(decoder, pcm, 5761), -TD_EINVALID);
}
END_TEST

START_TEST(stereo_is_heard_in_mono)
{
	static int16_t stereo[2 * SECONDS * RATE_HZ];
	OpusEncoder *theirs;
	int error;

	signal_voice(sound, SECONDS * RATE_HZ, RATE_HZ);
	for (int i = 0; i < SECONDS * RATE_HZ; i++)
		stereo[2 * i] = stereo[2 * i + 1] = sound[i];
	theirs = opus_encoder_create(RATE_HZ, 2, OPUS_APPLICATION_VOIP, &error);
	opus_encoder_ctl(theirs, OPUS_SET_FORCE_CHANNELS(2));
	opus_encoder_ctl(theirs, OPUS_SET_BITRATE(48000));
	codec->decoder_init(decoder, RATE_HZ);
	for (int n = 0; n < FRAMES; n++) {
		int bytes = opus_encode(theirs, stereo + 2 * n * FRAME, FRAME, payloads[0],
					TD_RTP_PAYLOAD_MAX);

		ck_assert_int_eq(opus_packet_get_nb_channels(payloads[0]), 2);
		ck_assert_int_eq(codec->decode(decoder, payloads[0], (size_t)bytes,
					       heard + n * FRAME, FRAME),
				 FRAME);
	}
	opus_encoder_destroy(theirs);
	ck_assert(signal_correlation(sound + RATE_HZ, heard + RATE_HZ, RATE_HZ, 400) > 0.9);
}
END_TEST

// The framing of RFC 6716 section 3.2, rule by rule; each row breaks or keeps one.
START_TEST(framing_is_checked)
{
	static const struct {
		const char *what;
		uint8_t bytes[8];
		uint8_t size;
		int ticks;
	} rows[] = {
		{ "nothing", { 0 }, 0, -TD_EMALFORMED },
		{ "code 0, no data: a frame that was not coded", { 0x08 }, 1, 960 },
		{ "code 0, 60 ms SILK", { 0x18, 1 }, 2, 2880 },
		{ "code 0, 2.5 ms CELT", { 0x80, 1 }, 2, 120 },
		{ "code 1, odd", { 0x09, 1 }, 2, -TD_EMALFORMED },
		{ "code 1, two frames", { 0x09, 1, 2 }, 3, 1920 },
		{ "code 2, no length", { 0x0a }, 1, -TD_EMALFORMED },
		{ "code 2, length beyond the end", { 0x0a, 5, 1 }, 3, -TD_EMALFORMED },
		{ "code 2, two frames", { 0x0a, 1, 1, 2 }, 4, 1920 },
		{ "code 3, no count", { 0x0b }, 1, -TD_EMALFORMED },
		{ "code 3, no frames", { 0x0b, 0 }, 2, -TD_EMALFORMED },
		{ "code 3, 6 frames of 20 ms", { 0x0b, 6, 1, 2, 3, 4, 5, 6 }, 8, 5760 },
		{ "code 3, 7 frames: over 120 ms",
		  { 0x0b, 7, 1, 2, 3, 4, 5, 6 },
		  8,
		  -TD_EMALFORMED },
		{ "code 3, 3 frames of 60 ms", { 0x1b, 3, 1, 2, 3 }, 5, -TD_EMALFORMED },
		{ "code 3, does not divide", { 0x0b, 2, 1, 2, 3 }, 5, -TD_EMALFORMED },
		{ "code 3, padding beyond the end", { 0x0b, 0x41, 9, 1 }, 4, -TD_EMALFORMED },
		{ "code 3, padding", { 0x0b, 0x41, 2, 1, 0, 0 }, 6, 960 },
	};
	static int16_t pcm[5760];

	codec->decoder_init(decoder, 48000);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int ticks = codec->duration(rows[i].bytes, rows[i].size);
		int samples = codec->decode(decoder, rows[i].bytes, rows[i].size, pcm, 5760);

		ck_assert_msg(ticks == rows[i].ticks, "%s: %d", rows[i].what, ticks);
		ck_assert_msg(samples == rows[i].ticks, "%s: decodes to %d", rows[i].what, samples);
	}
}
END_TEST

START_TEST(lengths_opus_lacks_are_refused)
{
	static const uint32_t lasting_ms[] = { 5, 30, 50, 70, 80, 120 };
	const struct td_codec_settings settings = { .complexity = 0 };

	codec->encoder_init(encoder, RATE_HZ, &settings);
	for (size_t i = 0; i < sizeof lasting_ms / sizeof lasting_ms[0]; i++)
		ck_assert_int_eq(codec->encode(encoder, sound, lasting_ms[i] * RATE_HZ / 1000,
					       payloads[0], TD_RTP_PAYLOAD_MAX),
				 -TD_EINVALID);
	ck_assert_int_eq(codec->encode(encoder, sound, 0, payloads[0], TD_RTP_PAYLOAD_MAX),
			 -TD_EINVALID);
	ck_assert_int_eq(codec->encode(encoder, sound, FRAME + 1, payloads[0], TD_RTP_PAYLOAD_MAX),
			 -TD_EINVALID);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("opus");
	TCase *tcase = tcase_create("opus");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_loop_test(tcase, packets_are_the_librarys, 0, 12);
	tcase_add_test(tcase, settings_take_effect);
	tcase_add_test(tcase, settings_out_of_range_are_refused);
	tcase_add_test(tcase, silence_is_not_sent_with_dtx);
	tcase_add_test(tcase, redundancy_recovers);
	tcase_add_test(tcase, no_redundancy_is_said);
	tcase_add_test(tcase, stereo_is_heard_in_mono);
	tcase_add_test(tcase, framing_is_checked);
	tcase_add_test(tcase, lengths_opus_lacks_are_refused);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// G.729 through the table against bcg729 driven directly; comfort noise and loss. Where the build has
// no G.729 the table must say so.
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"

#ifdef TD_G729
#include <bcg729/decoder.h>
#include <bcg729/encoder.h>

#include "signal.h"

#define FRAMES  200
#define SAMPLES 80
#define BYTES   10

static void *encoder_place[8], *decoder_place[8];
static void *const encoder = encoder_place, *const decoder = decoder_place;
static int16_t sound[FRAMES * SAMPLES];
static const struct td_codec_settings plain;
static const struct td_codec *codec;

static void set_up(void)
{
	codec = td_codec_get(TD_CODEC_G729);
	ck_assert_uint_le(codec->encoder_bytes, sizeof encoder_place);
	ck_assert_uint_le(codec->decoder_bytes, sizeof decoder_place);
	signal_voice(sound, FRAMES * SAMPLES, 8000);
	ck_assert_int_eq(codec->encoder_init(encoder, 8000, &plain), 0);
	ck_assert_int_eq(codec->decoder_init(decoder, 8000), 0);
}

static void tear_down(void)
{
	codec->encoder_fini(encoder);
	codec->decoder_fini(decoder);
}

START_TEST(frames_are_the_librarys)
{
	bcg729EncoderChannelContextStruct *theirs = initBcg729EncoderChannel(0);
	bcg729DecoderChannelContextStruct *back = initBcg729DecoderChannel();

	for (int n = 0; n < FRAMES; n += 2) {
		uint8_t ours[2 * BYTES], wanted[2 * BYTES], bytes;
		int16_t pcm[2 * SAMPLES], wanted_pcm[2 * SAMPLES];

		ck_assert_int_eq(
			codec->encode(encoder, sound + n * SAMPLES, 2 * SAMPLES, ours, sizeof ours),
			2 * BYTES);
		ck_assert_int_eq(codec->decode(decoder, ours, sizeof ours, pcm, 2 * SAMPLES),
				 2 * SAMPLES);
		for (int i = 0; i < 2; i++) {
			bcg729Encoder(theirs, sound + (n + i) * SAMPLES, wanted + i * BYTES,
				      &bytes);
			ck_assert_uint_eq(bytes, BYTES);
			bcg729Decoder(back, wanted + i * BYTES, BYTES, 0, 0, 0,
				      wanted_pcm + i * SAMPLES);
		}
		ck_assert_mem_eq(ours, wanted, sizeof ours);
		ck_assert_mem_eq(pcm, wanted_pcm, sizeof pcm);
	}
	closeBcg729EncoderChannel(theirs);
	closeBcg729DecoderChannel(back);
}
END_TEST

// A peer with annex B: its noise frames are two bytes at the end of a packet, then it says nothing.
START_TEST(comfort_noise_is_heard)
{
	static int16_t noise[FRAMES * SAMPLES];
	bcg729EncoderChannelContextStruct *theirs = initBcg729EncoderChannel(1);
	int16_t pcm[SAMPLES];
	uint32_t seed = 1;
	int noises = 0, nothings = 0;
	const int counted = FRAMES - FRAMES / 2 - 1;
	double level = 0;

	for (int i = 0; i < FRAMES * SAMPLES; i++) {
		seed = seed * 1664525 + 1013904223;
		noise[i] = (int16_t)((int32_t)(seed >> 16) % 200 - 100);
	}
	for (int n = 0; n < FRAMES; n++) {
		uint8_t frame[BYTES], bytes;

		bcg729Encoder(theirs, noise + n * SAMPLES, frame, &bytes);
		noises += bytes == 2;
		nothings += bytes == 0;
		if (bytes > 0) {
			ck_assert_int_eq(codec->duration(frame, bytes), SAMPLES);
			ck_assert_int_eq(codec->decode(decoder, frame, bytes, pcm, SAMPLES),
					 SAMPLES);
		} else {
			ck_assert_int_eq(codec->conceal(decoder, pcm, SAMPLES), SAMPLES);
		}
		if (n > FRAMES / 2)
			level += signal_level_db(pcm, SAMPLES) / counted;
	}
	ck_assert_int_gt(noises, 0);
	ck_assert_int_gt(nothings, FRAMES / 10);
	ck_assert_msg(fabs(level - signal_level_db(noise, FRAMES * SAMPLES)) < 6, "%.1f dB of %.1f",
		      level, signal_level_db(noise, FRAMES * SAMPLES));
	closeBcg729EncoderChannel(theirs);
}
END_TEST

START_TEST(lengths_are_checked)
{
	static const struct {
		size_t bytes;
		int samples;
	} rows[] = {
		{ 0, -TD_EMALFORMED },
		{ 1, -TD_EMALFORMED },
		{ 2, 80 },
		{ 3, -TD_EMALFORMED },
		{ 9, -TD_EMALFORMED },
		{ 10, 80 },
		{ 11, -TD_EMALFORMED },
		{ 12, 160 },
		{ 14, -TD_EMALFORMED },
		{ 20, 160 },
		{ 22, 240 },
		{ 60, 480 },
	};
	uint8_t payload[60] = { 0 };
	int16_t pcm[480];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		ck_assert_int_eq(codec->duration(payload, rows[i].bytes), rows[i].samples);
		ck_assert_int_eq(codec->decode(decoder, payload, rows[i].bytes, pcm, 480),
				 rows[i].samples);
	}
	ck_assert_int_eq(codec->encode(encoder, sound, SAMPLES + 1, payload, sizeof payload),
			 -TD_EINVALID);
	ck_assert_int_eq(codec->conceal(decoder, pcm, SAMPLES + 1), -TD_EINVALID);
}
END_TEST

START_TEST(loss_is_concealed)
{
	double signal = 0, wrong = 0;
	int lost = 0;

	for (int n = 0; n < FRAMES; n++) {
		uint8_t frame[BYTES];
		int16_t pcm[SAMPLES];

		codec->encode(encoder, sound + n * SAMPLES, SAMPLES, frame, BYTES);
		if (n > 20 && n % 7 == 0) {
			ck_assert_int_eq(codec->conceal(decoder, pcm, SAMPLES), SAMPLES);
			signal += signal_level_db(sound + n * SAMPLES, SAMPLES);
			wrong += signal_level_db(pcm, SAMPLES);
			lost++;
		} else {
			codec->decode(decoder, frame, BYTES, pcm, SAMPLES);
		}
	}
	// Not silence and not a bang: within 6 dB of what was said.
	ck_assert(fabs(signal - wrong) < 6 * lost);
}
END_TEST
#else
START_TEST(absent_is_no_row)
{
	ck_assert_ptr_null(td_codec_get(TD_CODEC_G729));
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("g729");
	TCase *tcase = tcase_create("g729");
	SRunner *runner;
	int failed;

#ifdef TD_G729
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, frames_are_the_librarys);
	tcase_add_test(tcase, comfort_noise_is_heard);
	tcase_add_test(tcase, lengths_are_checked);
	tcase_add_test(tcase, loss_is_concealed);
#else
	tcase_add_test(tcase, absent_is_no_row);
#endif
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

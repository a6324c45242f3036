// GSM through the table against spandsp driven directly, and the frames of RFC 3551.
#include <check.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include <spandsp.h>

#include "codecs/codec.h"
#include "signal.h"

#define FRAMES  150
#define SAMPLES 160
#define BYTES   33

alignas(TD_CODEC_STATE_ALIGN) static uint8_t encoder[4096], decoder[4096];
static int16_t sound[FRAMES * SAMPLES];
static const struct td_codec_settings plain;
static const struct td_codec *codec;

static void set_up(void)
{
	codec = td_codec_get(TD_CODEC_GSM);
	ck_assert_uint_le(codec->encoder_bytes, sizeof encoder);
	signal_voice(sound, FRAMES * SAMPLES, 8000);
	ck_assert_int_eq(codec->encoder_init(encoder, 8000, &plain), 0);
	ck_assert_int_eq(codec->decoder_init(decoder, 8000), 0);
}

START_TEST(frames_are_the_librarys)
{
	gsm0610_state_t *theirs = gsm0610_init(NULL, GSM0610_PACKING_VOIP);
	gsm0610_state_t *back = gsm0610_init(NULL, GSM0610_PACKING_VOIP);

	for (int n = 0; n < FRAMES; n++) {
		uint8_t ours[BYTES], wanted[BYTES];
		int16_t pcm[SAMPLES], wanted_pcm[SAMPLES];

		ck_assert_int_eq(codec->encode(encoder, sound + n * SAMPLES, SAMPLES, ours, BYTES),
				 BYTES);
		gsm0610_encode(theirs, wanted, sound + n * SAMPLES, SAMPLES);
		ck_assert_mem_eq(ours, wanted, BYTES);
		ck_assert_uint_eq(ours[0] >> 4, 0xd);
		ck_assert_int_eq(codec->decode(decoder, ours, BYTES, pcm, SAMPLES), SAMPLES);
		gsm0610_decode(back, wanted_pcm, wanted, BYTES);
		ck_assert_mem_eq(pcm, wanted_pcm, sizeof pcm);
	}
	gsm0610_free(theirs);
	gsm0610_free(back);
}
END_TEST

// Three frames in a packet are the same three frames in three packets.
START_TEST(frames_follow_one_another)
{
	alignas(TD_CODEC_STATE_ALIGN) static uint8_t other[4096];
	uint8_t whole[3 * BYTES], part[3 * BYTES];
	int16_t pcm[3 * SAMPLES], pcm_part[3 * SAMPLES];

	codec->encoder_init(other, 8000, &plain);
	ck_assert_int_eq(codec->encode(encoder, sound, 3 * SAMPLES, whole, sizeof whole),
			 3 * BYTES);
	for (int n = 0; n < 3; n++)
		ck_assert_int_eq(
			codec->encode(other, sound + n * SAMPLES, SAMPLES, part + n * BYTES, BYTES),
			BYTES);
	ck_assert_mem_eq(whole, part, sizeof whole);
	ck_assert_int_eq(codec->duration(whole, sizeof whole), 3 * SAMPLES);
	ck_assert_int_eq(codec->decode(decoder, whole, sizeof whole, pcm, 3 * SAMPLES),
			 3 * SAMPLES);
	codec->decoder_init(other, 8000);
	for (int n = 0; n < 3; n++)
		codec->decode(other, part + n * BYTES, BYTES, pcm_part + n * SAMPLES, SAMPLES);
	ck_assert_mem_eq(pcm, pcm_part, sizeof pcm);
	// Room for two is no room for three.
	ck_assert_int_eq(codec->decode(decoder, whole, sizeof whole, pcm, 3 * SAMPLES - 1),
			 -TD_EFULL);
	ck_assert_int_eq(codec->encode(encoder, sound, 3 * SAMPLES, whole, sizeof whole - 1),
			 -TD_EFULL);
}
END_TEST

START_TEST(what_is_no_frame_is_refused)
{
	uint8_t payload[3 * BYTES];
	int16_t pcm[3 * SAMPLES];

	ck_assert_int_eq(codec->encode(encoder, sound, SAMPLES - 1, payload, sizeof payload),
			 -TD_EINVALID);
	ck_assert_int_eq(codec->encode(encoder, sound, 2 * SAMPLES, payload, sizeof payload),
			 2 * BYTES);
	payload[BYTES] ^= 0x80; // the second frame's signature
	ck_assert_int_eq(codec->decode(decoder, payload, 2 * BYTES, pcm, 3 * SAMPLES),
			 -TD_EMALFORMED);
	ck_assert_int_eq(codec->duration(payload, 2 * BYTES), -TD_EMALFORMED);
	ck_assert_int_eq(codec->duration(payload, BYTES), SAMPLES);
	ck_assert_int_eq(codec->duration(payload, 65), -TD_EMALFORMED); // the WAV49 packing
	ck_assert_int_eq(codec->duration(payload, 0), -TD_EMALFORMED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gsm");
	TCase *tcase = tcase_create("gsm");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_test(tcase, frames_are_the_librarys);
	tcase_add_test(tcase, frames_follow_one_another);
	tcase_add_test(tcase, what_is_no_frame_is_refused);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

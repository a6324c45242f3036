// G.711 against spandsp, exhaustively: every code, every sample.
#include <check.h>
#include <stdlib.h>

#include <spandsp.h>

#include "codecs/codec.h"
#include "codecs/g711.h"

#define ALL_SAMPLES 65536

static int16_t pcm[ALL_SAMPLES];
static uint8_t law[ALL_SAMPLES];

static void every_sample(void)
{
	for (int i = 0; i < ALL_SAMPLES; i++)
		pcm[i] = (int16_t)(i - 32768);
}

START_TEST(ulaw_encode_is_bit_exact)
{
	every_sample();
	td_g711_ulaw_encode(law, pcm, ALL_SAMPLES);
	for (int i = 0; i < ALL_SAMPLES; i++)
		ck_assert_msg(law[i] == linear_to_ulaw(pcm[i]), "sample %d: %#x, spandsp %#x",
			      pcm[i], law[i], linear_to_ulaw(pcm[i]));
}
END_TEST

START_TEST(alaw_encode_is_bit_exact)
{
	every_sample();
	td_g711_alaw_encode(law, pcm, ALL_SAMPLES);
	for (int i = 0; i < ALL_SAMPLES; i++)
		ck_assert_msg(law[i] == linear_to_alaw(pcm[i]), "sample %d: %#x, spandsp %#x",
			      pcm[i], law[i], linear_to_alaw(pcm[i]));
}
END_TEST

START_TEST(decode_is_bit_exact)
{
	uint8_t codes[256];
	int16_t ours[256];

	for (int i = 0; i < 256; i++)
		codes[i] = (uint8_t)i;
	td_g711_ulaw_decode(ours, codes, 256);
	for (int i = 0; i < 256; i++)
		ck_assert_int_eq(ours[i], ulaw_to_linear((uint8_t)i));
	td_g711_alaw_decode(ours, codes, 256);
	for (int i = 0; i < 256; i++)
		ck_assert_int_eq(ours[i], alaw_to_linear((uint8_t)i));
}
END_TEST

// Lengths that do not fill a vector, at addresses that are not aligned, touch nothing else.
START_TEST(odd_lengths_write_nothing_beyond)
{
	for (size_t count = 0; count < 70; count++) {
		uint8_t out[80];

		for (size_t i = 0; i < sizeof out; i++)
			out[i] = 0x5c;
		td_g711_ulaw_encode(out + 1, pcm + 3, count);
		ck_assert_uint_eq(out[0], 0x5c);
		ck_assert_uint_eq(out[count + 1], 0x5c);
		for (size_t i = 0; i < count; i++)
			ck_assert_uint_eq(out[i + 1], linear_to_ulaw(pcm[i + 3]));
	}
}
END_TEST

START_TEST(table_refuses_what_does_not_fit)
{
	const struct td_codec *codec = td_codec_get(TD_CODEC_PCMA);
	uint8_t payload[4];
	int16_t samples[4] = { 0 };

	ck_assert_ptr_nonnull(codec);
	ck_assert_int_eq(codec->encode(NULL, samples, 5, payload, 4), -TD_EFULL);
	ck_assert_int_eq(codec->encode(NULL, samples, 4, payload, 4), 4);
	ck_assert_int_eq(codec->decode(NULL, payload, 5, samples, 4), -TD_EFULL);
	ck_assert_int_eq(codec->decode(NULL, payload, 4, samples, 4), 4);
	ck_assert_ptr_null(td_codec_get(TD_CODEC_NONE));
	ck_assert_ptr_null(td_codec_get(TD_CODEC_COUNT));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("g711");
	TCase *tcase = tcase_create("laws");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, ulaw_encode_is_bit_exact);
	tcase_add_test(tcase, alaw_encode_is_bit_exact);
	tcase_add_test(tcase, decode_is_bit_exact);
	tcase_add_test(tcase, odd_lengths_write_nothing_beyond);
	tcase_add_test(tcase, table_refuses_what_does_not_fit);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

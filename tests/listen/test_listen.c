// The listening tool has to hear what is there and, more important, must not hear what is not.

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "correlate.h"
#include "wav.h"

#define RATE 8000

// Something like speech: noise through a resonance, in bursts with pauses. Any seed is a different
// speaker saying something else.
static void speak(double *x, size_t count, unsigned seed)
{
	double a = 0, b = 0;
	uint32_t random = seed * 2654435761u + 1;

	for (size_t i = 0; i < count; i++) {
		double envelope =
			fabs(sin(2 * M_PI * (double)i / RATE * (1.3 + 0.2 * (seed % 5)))) > 0.3;
		double next;

		random = random * 1664525u + 1013904223u;
		next = 1.6 * a - 0.9 * b +
		       envelope * ((double)(random >> 8) / (1 << 24) - 0.5) * 0.1;
		b = a;
		a = next;
		x[i] = next * 2;
	}
}

// Mu-law companding to 8 bits and back, by the formula rather than the switch's tables.
static double companded(double x)
{
	double y = copysign(log1p(255 * fmin(fabs(x), 1)) / log1p(255), x);

	y = round(y * 127) / 127;
	return copysign(expm1(fabs(y) * log1p(255)) / 255, y);
}

START_TEST(test_finds_a_shifted_quiet_companded_copy)
{
	static const long lags[] = { 0, 1, 159, 8000, 40000 };
	static double said[10 * RATE], heard[20 * RATE];
	struct td_listen_match match;

	speak(said, 10 * RATE, 1);
	for (size_t row = 0; row < sizeof lags / sizeof lags[0]; row++) {
		speak(heard, 20 * RATE, 2);
		for (size_t i = 0; i < 10 * RATE; i++)
			heard[(size_t)lags[row] + i] = companded(0.25 * said[i]) + 0.01;
		ck_assert_int_eq(
			td_listen_correlate(said, 10 * RATE, heard, 20 * RATE, RATE, 1, &match), 0);
		ck_assert_double_eq_tol(match.lag_s, (double)lags[row] / RATE, 1e-9);
		ck_assert_double_gt(match.correlation, 0.98);
		ck_assert_double_eq(match.coverage, 1);
	}
}
END_TEST

START_TEST(test_finds_the_middle_of_a_speech)
{
	static double said[20 * RATE];
	struct td_listen_match match;

	speak(said, 20 * RATE, 3);
	ck_assert_int_eq(
		td_listen_correlate(said, 20 * RATE, said + 7 * RATE, 5 * RATE, RATE, 1, &match),
		0);
	ck_assert_double_eq_tol(match.lag_s, -7, 1e-9);
	ck_assert_double_gt(match.correlation, 0.9999);
	ck_assert_double_eq_tol(match.overlap_s, 5, 1e-9);
}
END_TEST

START_TEST(test_different_speech_does_not_match)
{
	static double said[10 * RATE], heard[10 * RATE];
	struct td_listen_match match;

	for (unsigned seed = 10; seed < 14; seed++) {
		speak(said, 10 * RATE, seed);
		speak(heard, 10 * RATE, seed + 100);
		ck_assert_int_eq(
			td_listen_correlate(said, 10 * RATE, heard, 10 * RATE, RATE, 1, &match), 0);
		ck_assert_double_lt(match.correlation, 0.5);
		ck_assert_double_lt(match.coverage, 0.1);
	}
}
END_TEST

START_TEST(test_a_hole_lowers_the_coverage)
{
	static double said[10 * RATE], heard[10 * RATE];
	struct td_listen_match match;

	speak(said, 10 * RATE, 4);
	memcpy(heard, said, sizeof heard);
	memset(heard + 5 * RATE, 0, 5 * RATE * sizeof *heard);
	ck_assert_int_eq(td_listen_correlate(said, 10 * RATE, heard, 10 * RATE, RATE, 1, &match),
			 0);
	ck_assert_double_eq_tol(match.coverage, 0.5, 0.06);
}
END_TEST

START_TEST(test_a_lost_packet_costs_little)
{
	static double said[10 * RATE], heard[10 * RATE];
	size_t lost_at = 6 * RATE, frame = RATE / 50;
	struct td_listen_match match;

	speak(said, 10 * RATE, 5);
	memcpy(heard, said, lost_at * sizeof *heard);
	memcpy(heard + lost_at, said + lost_at + frame,
	       (10 * RATE - lost_at - frame) * sizeof *heard);
	ck_assert_int_eq(
		td_listen_correlate(said, 10 * RATE, heard, 10 * RATE - frame, RATE, 1, &match), 0);
	ck_assert_double_ge(match.coverage, 0.9);
}
END_TEST

// A pitch period is left out again and again, as a jitter buffer does that shrinks: no common lag fits
// all, but each piece is near its place.
START_TEST(test_adrift)
{
	static double said[10 * RATE], heard[10 * RATE], other[10 * RATE];
	struct td_listen_match match;
	size_t at = 0, every = RATE, cut = 61;

	speak(said, 10 * RATE, 9);
	speak(other, 10 * RATE, 10);
	for (size_t i = 0; i < 10 * RATE; i++)
		if (i % every >= cut)
			heard[at++] = said[i];
	ck_assert_int_eq(td_listen_correlate(said, 10 * RATE, heard, at, RATE, 1, &match), 0);
	ck_assert_double_lt(match.correlation, 0.5);
	ck_assert_double_ge(td_listen_adrift(said, 10 * RATE, heard, at, RATE, match.lag_s, 0.2),
			    0.8);
	// Not as far as that; half of it silent; and somebody else.
	ck_assert_double_lt(td_listen_adrift(said, 10 * RATE, heard, at, RATE, match.lag_s, 0.005),
			    0.5);
	memset(heard + at / 2, 0, (at - at / 2) * sizeof *heard);
	ck_assert_double_lt(td_listen_adrift(said, 10 * RATE, heard, at, RATE, match.lag_s, 0.2),
			    0.6);
	ck_assert_double_lt(td_listen_adrift(said, 10 * RATE, other, at, RATE, match.lag_s, 0.2),
			    0.1);
}
END_TEST

// Two voices at once, and a jitter buffer that grew by a frame in the middle and gave back a little
// less: the common lag fits a part only, and both are there all the same.
START_TEST(test_two_voices_that_shift)
{
	static double one[8 * RATE], two[8 * RATE], third[8 * RATE], heard[8 * RATE];
	static const long shifts[] = { 0, 160, 47 };
	struct td_listen_match match;

	speak(one, 8 * RATE, 11);
	speak(two, 8 * RATE, 12);
	speak(third, 8 * RATE, 13);
	for (size_t i = 0; i < 4 * RATE; i++) {
		size_t from = (size_t)((long)(i + RATE) - shifts[i * 3 / (4 * RATE)]);

		heard[i] = one[from] + two[from];
	}
	ck_assert_int_eq(td_listen_correlate(one, 8 * RATE, heard, 4 * RATE, RATE, 1, &match), 0);
	ck_assert_double_lt(match.correlation, 0.5);
	ck_assert_double_gt(match.near, 0.5);
	ck_assert_int_eq(td_listen_correlate(two, 8 * RATE, heard, 4 * RATE, RATE, 1, &match), 0);
	ck_assert_double_gt(match.near, 0.5);
	ck_assert_int_eq(td_listen_correlate(third, 8 * RATE, heard, 4 * RATE, RATE, 1, &match), 0);
	ck_assert_double_lt(match.near, 0.4);
}
END_TEST

START_TEST(test_inverted_is_not_heard)
{
	static double said[4 * RATE], heard[4 * RATE];
	struct td_listen_match match;

	speak(said, 4 * RATE, 6);
	for (size_t i = 0; i < 4 * RATE; i++)
		heard[i] = -said[i];
	ck_assert_int_eq(td_listen_correlate(said, 4 * RATE, heard, 4 * RATE, RATE, 1, &match), 0);
	ck_assert_double_lt(match.coverage, 0.1);
}
END_TEST

START_TEST(test_silence_and_shortness_are_refused)
{
	static double said[4 * RATE], zero[4 * RATE];
	struct td_listen_match match;

	speak(said, 4 * RATE, 7);
	ck_assert_int_eq(td_listen_correlate(said, 4 * RATE, zero, 4 * RATE, RATE, 1, &match), -1);
	ck_assert_int_eq(td_listen_correlate(zero, 4 * RATE, said, 4 * RATE, RATE, 1, &match), -1);
	ck_assert_int_eq(td_listen_correlate(said, 4 * RATE, said, 0, RATE, 1, &match), -1);
	ck_assert_int_eq(td_listen_correlate(said, RATE, said, RATE, RATE, 1.001, &match), -1);
	ck_assert_int_eq(td_listen_correlate(said, RATE, said, RATE, RATE, 1, &match), 0);
}
END_TEST

START_TEST(test_level)
{
	static double tone[2 * RATE];
	struct td_listen_level level;

	for (size_t i = 0; i < RATE; i++)
		tone[i] = sin(2 * M_PI * 1000 * (double)i / RATE);
	td_listen_level(tone, 2 * RATE, RATE, &level);
	ck_assert_double_eq_tol(level.rms_dbfs, -6.02, 0.01);
	ck_assert_double_eq_tol(level.peak_dbfs, 0, 0.01);
	ck_assert_double_eq_tol(level.silence, 0.5, 1e-9);
	ck_assert_double_eq_tol(level.seconds, 2, 1e-9);
	td_listen_level(tone, 0, RATE, &level);
	ck_assert_double_eq(level.silence, 1);
}
END_TEST

static const uint8_t stereo[] = { 'R',  'I',  'F',  'F',  44,   0,    0,    0,    'W', 'A', 'V',
				  'E',  'f',  'm',  't',  ' ',  16,   0,    0,    0,   1,   0,
				  2,    0,    0x40, 0x1f, 0,    0,    0,    0x7d, 0,   0,   4,
				  0,    16,   0,    'd',  'a',  't',  'a',  8,    0,   0,   0,
				  0x00, 0x40, 0x00, 0xc0, 0x00, 0x20, 0x00, 0xe0 };

START_TEST(test_wav_channels)
{
	struct td_listen_wav wav;
	char error[256];

	ck_assert_int_eq(td_listen_wav_parse(stereo, sizeof stereo, 0, &wav, error), 0);
	ck_assert_uint_eq(wav.count, 2);
	ck_assert_uint_eq(wav.rate_hz, 8000);
	ck_assert_double_eq(wav.samples[0], 0.5);
	ck_assert_double_eq(wav.samples[1], 0.25);
	td_listen_wav_free(&wav);
	ck_assert_int_eq(td_listen_wav_parse(stereo, sizeof stereo, 1, &wav, error), 0);
	ck_assert_double_eq(wav.samples[0], -0.5);
	td_listen_wav_free(&wav);
	ck_assert_int_eq(td_listen_wav_parse(stereo, sizeof stereo, -1, &wav, error), 0);
	ck_assert_double_eq(wav.samples[0], 0);
	td_listen_wav_free(&wav);
	ck_assert_int_eq(td_listen_wav_parse(stereo, sizeof stereo, 2, &wav, error), -1);
}
END_TEST

START_TEST(test_wav_still_growing)
{
	uint8_t bytes[sizeof stereo];
	struct td_listen_wav wav;
	char error[256];

	memcpy(bytes, stereo, sizeof stereo);
	memset(bytes + 40, 0, 4);
	ck_assert_int_eq(td_listen_wav_parse(bytes, sizeof bytes, 0, &wav, error), 0);
	ck_assert_uint_eq(wav.count, 2);
	td_listen_wav_free(&wav);
}
END_TEST

START_TEST(test_wav_cut_at_every_byte)
{
	char error[256];

	for (size_t length = 0; length < sizeof stereo; length++) {
		// Its own allocation, so that a sanitizer sees one byte too many.
		uint8_t *bytes = malloc(length ? length : 1);
		struct td_listen_wav wav;
		int result;

		memcpy(bytes, stereo, length);
		result = td_listen_wav_parse(bytes, length, 0, &wav, error);
		// From the data chunk's header on, what is there can be read.
		ck_assert_int_eq(result, length >= 44 ? 0 : -1);
		if (!result)
			ck_assert_uint_eq(wav.count, (length - 44) / 4);
		td_listen_wav_free(&wav);
		free(bytes);
	}
}
END_TEST

START_TEST(test_wav_refuses_other_formats)
{
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = {
		{ 20, 7 }, { 22, 0 }, { 22, 3 }, { 34, 8 }, { 0, 'X' }, { 8, 'X' }, { 16, 15 }
	};

	for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
		uint8_t bytes[sizeof stereo];
		struct td_listen_wav wav;
		char error[256];

		memcpy(bytes, stereo, sizeof stereo);
		bytes[rows[row].at] = rows[row].value;
		ck_assert_int_eq(td_listen_wav_parse(bytes, sizeof bytes, 0, &wav, error), -1);
		ck_assert_str_ne(error, "");
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("listen");
	TCase *cases = tcase_create("listen");
	SRunner *runner;
	int failed;

	tcase_set_timeout(cases, 60);
	tcase_add_test(cases, test_finds_a_shifted_quiet_companded_copy);
	tcase_add_test(cases, test_finds_the_middle_of_a_speech);
	tcase_add_test(cases, test_different_speech_does_not_match);
	tcase_add_test(cases, test_a_hole_lowers_the_coverage);
	tcase_add_test(cases, test_a_lost_packet_costs_little);
	tcase_add_test(cases, test_adrift);
	tcase_add_test(cases, test_two_voices_that_shift);
	tcase_add_test(cases, test_inverted_is_not_heard);
	tcase_add_test(cases, test_silence_and_shortness_are_refused);
	tcase_add_test(cases, test_level);
	tcase_add_test(cases, test_wav_channels);
	tcase_add_test(cases, test_wav_still_growing);
	tcase_add_test(cases, test_wav_cut_at_every_byte);
	tcase_add_test(cases, test_wav_refuses_other_formats);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// DTMF in the audio: all digits, levels, twist, noise, rates; lengths; and what is no digit.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/tone.h"
#include "hearing.h"

#define DIGITS "0123456789*#ABCD"

static struct hearing hearing;
static char text[HEARING_REPORTS_MAX];
static const uint32_t rates[] = { 8000, 16000, 32000, 48000 };

// All sixteen, 60 ms each and 60 ms apart, the low group at `dbm0`, the high one `twist_db` above.
static void all_digits(uint32_t rate_hz, double dbm0, double twist_db)
{
	hearing_begin(&hearing, rate_hz);
	hearing_silence(&hearing, 73);
	for (int i = 0; DIGITS[i]; i++) {
		const struct td_tone_part *part = &td_tone_dtmf(DIGITS[i])->parts[0];

		hearing_sines(&hearing, 60, (double)part->hz[0], dbm0, (double)part->hz[1],
			      dbm0 + twist_db);
		hearing_silence(&hearing, 60);
	}
	hearing_silence(&hearing, 100);
}

START_TEST(levels_and_rates)
{
	for (size_t r = 0; r < 4; r++)
		for (int dbm0 = -3; dbm0 >= -30; dbm0 -= 3) {
			all_digits(rates[r], dbm0, 0);
			hearing_listen(&hearing, TD_DETECT_DTMF);
			ck_assert_msg(strcmp(hearing_digits(&hearing, text), DIGITS) == 0,
				      "%d dBm0 at %u Hz: %s", dbm0, rates[r], text);
			ck_assert_uint_eq(hearing.count, 32);
		}
}
END_TEST

START_TEST(twist_both_ways)
{
	static const double twists_db[] = { -6.5, -4, 0, 4 };

	for (size_t i = 0; i < 4; i++) {
		all_digits(8000, -12, twists_db[i]);
		hearing_companded(&hearing);
		hearing_listen(&hearing, TD_DETECT_DTMF);
		ck_assert_msg(strcmp(hearing_digits(&hearing, text), DIGITS) == 0,
			      "twist %.1f dB: %s", twists_db[i], text);
	}
	all_digits(8000, -12, -8);
	hearing_listen(&hearing, TD_DETECT_DTMF);
	ck_assert_uint_ge(strlen(hearing_digits(&hearing, text)), 15); // 0 is at the limit
	// ITU-T Q.24 allows 8 dB one way and 4 dB the other at most, so much more is no digit.
	all_digits(8000, -15, 9);
	hearing_listen(&hearing, TD_DETECT_DTMF);
	ck_assert_str_eq(hearing_digits(&hearing, text), "");
	all_digits(8000, -6, -13);
	hearing_listen(&hearing, TD_DETECT_DTMF);
	ck_assert_str_eq(hearing_digits(&hearing, text), "");
}
END_TEST

START_TEST(noise_twenty_decibels_below)
{
	for (size_t r = 0; r < 4; r++)
		for (uint32_t seed = 0; seed < 8; seed++) {
			all_digits(rates[r], -13, 0); // both together: -10
			hearing_add_noise(&hearing, -30, seed);
			hearing_listen(&hearing, TD_DETECT_DTMF);
			ck_assert_msg(strcmp(hearing_digits(&hearing, text), DIGITS) == 0,
				      "noise %u at %u Hz: %s", seed, rates[r], text);
		}
}
END_TEST

START_TEST(begins_and_ends_with_length_and_level)
{
	static const uint32_t lengths_ms[] = { 50, 60, 80, 100, 250, 1000, 8000 };

	for (size_t i = 0; i < sizeof lengths_ms / sizeof *lengths_ms; i++)
		for (uint32_t lead_ms = 100; lead_ms < 113; lead_ms += 3) {
			const struct td_detected *begin = &hearing.reports[0];
			const struct td_detected *end = &hearing.reports[1];
			double begun_ms, ended_ms;

			hearing_begin(&hearing, 16000);
			hearing_silence(&hearing, lead_ms);
			hearing_sines(&hearing, lengths_ms[i], 770, -12, 1336, -12);
			hearing_silence(&hearing, 200);
			hearing_listen(&hearing, TD_DETECT_DTMF);
			ck_assert_uint_eq(hearing.count, 2);
			ck_assert(!begin->ended && end->ended);
			ck_assert_int_eq(begin->digit, '5');
			ck_assert_int_eq(end->digit, '5');
			ck_assert_int_le(abs((int)begin->volume - 9), 1);
			ck_assert_uint_eq(end->volume, begin->volume);
			ck_assert_msg(abs((int)end->duration_ms - (int)lengths_ms[i]) <= 14,
				      "%u ms were called %u", lengths_ms[i], end->duration_ms);
			begun_ms = (double)begin->sample / 16 - lead_ms;
			ended_ms = (double)end->sample / 16 - lead_ms - lengths_ms[i];
			ck_assert_msg(begun_ms > 10 && begun_ms < 60, "known after %.0f", begun_ms);
			ck_assert_msg(ended_ms > 0 && ended_ms < 60, "over after %.0f", ended_ms);
		}
}
END_TEST

// A short interruption is the same digit; the same digit after a pause is another.
START_TEST(repeated_digits)
{
	hearing_begin(&hearing, 8000);
	for (int i = 0; i < 10; i++) {
		hearing_silence(&hearing, 50);
		hearing_tone(&hearing, "dtmf.7", 50, 0);
	}
	hearing_silence(&hearing, 200);
	hearing_listen(&hearing, TD_DETECT_DTMF);
	ck_assert_str_eq(hearing_digits(&hearing, text), "7777777777");
}
END_TEST

START_TEST(other_sounds_are_no_digits)
{
	static const char *const names[] = { "us.dial",  "us.ringback", "us.busy", "us.sit",
					     "etsi.sit", "etsi.dial",   "us.beep" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		hearing_begin(&hearing, 8000);
		hearing_tone(&hearing, names[i], 5000, 0);
		hearing_listen(&hearing, TD_DETECT_DTMF);
		ck_assert_uint_eq(hearing.count, 0);
	}
	hearing_begin(&hearing, 8000); // 15 ms are too short, one frequency is too few
	for (int i = 0; i < 50; i++) {
		hearing_sines(&hearing, 15, 697, -10, 1209, -10);
		hearing_silence(&hearing, 60);
		hearing_sines(&hearing, 100, 697, -10, 0, 0);
		hearing_silence(&hearing, 60);
	}
	hearing_listen(&hearing, TD_DETECT_DTMF);
	ck_assert_uint_eq(hearing.count, 0);
}
END_TEST

// Blocks of any size hear the same, at the same place within one block of 20 ms.
START_TEST(blocks_of_any_size)
{
	static const uint32_t sizes[] = { 1, 7, 80, 160, 161, 480, 4801, HEARING_SAMPLES_MAX };

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		all_digits(48000, -10, 0);
		hearing_listen_in(&hearing, TD_DETECT_DTMF, sizes[i]);
		ck_assert_str_eq(hearing_digits(&hearing, text), DIGITS);
	}
}
END_TEST

START_TEST(init_refuses_and_room_is_kept)
{
	static struct td_detect detect, copy;
	struct td_detected out[3];

	memset(out, 0x55, sizeof out);
	ck_assert_int_eq(td_detect_init(&detect, 44100, TD_DETECT_DTMF), -TD_EINVALID);
	ck_assert_int_eq(td_detect_init(&detect, 0, TD_DETECT_DTMF), -TD_EINVALID);
	ck_assert_int_eq(td_detect_init(&detect, 8000, 16), -TD_EINVALID);
	all_digits(8000, -10, 0);
	ck_assert_int_eq(td_detect_init(&detect, 8000, 0), 0);
	ck_assert_uint_eq(td_detect_block(&detect, hearing.pcm, hearing.samples, out, 3), 0);
	ck_assert_int_eq(td_detect_init(&detect, 8000, TD_DETECT_DTMF), 0);
	ck_assert_uint_eq(td_detect_block(&detect, hearing.pcm, 1600, out, 0), 0);
	// It is plain data: a copy goes on where it was, wherever it lies.
	copy = detect;
	memset(&detect, 0xff, sizeof detect);
	ck_assert_uint_eq(
		td_detect_block(&copy, hearing.pcm + 1600, hearing.samples - 1600, out, 2), 2);
	ck_assert_int_eq(((char *)&out[2])[0], 0x55);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("detect_digits");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, levels_and_rates);
	tcase_add_test(tcase, twist_both_ways);
	tcase_add_test(tcase, noise_twenty_decibels_below);
	tcase_add_test(tcase, begins_and_ends_with_length_and_level);
	tcase_add_test(tcase, repeated_digits);
	tcase_add_test(tcase, other_sounds_are_no_digits);
	tcase_add_test(tcase, blocks_of_any_size);
	tcase_add_test(tcase, init_refuses_and_room_is_kept);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// Speech and music are none of it; and the parts beneath: the decimator's response, the spectrum.
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocations.h"
#include "codecs/decimate.h"
#include "codecs/spectrum.h"
#include "hearing.h"

#define ALL (TD_DETECT_DTMF | TD_DETECT_FAX | TD_DETECT_PROGRESS | TD_DETECT_BEEP)

static struct hearing hearing;

static void nothing_heard(const char *what, uint32_t seed)
{
	if (hearing.count)
		hearing_dump(&hearing);
	ck_assert_msg(hearing.count == 0, "%s, seed %u: %u reports", what, seed, hearing.count);
}

// Five minutes by fifteen speakers; through G.711 every other time.
START_TEST(five_minutes_of_speech)
{
	for (uint32_t seed = 0; seed < 15; seed++) {
		hearing_begin(&hearing, 8000);
		hearing_speech(&hearing, 20000, seed);
		if (seed % 2)
			hearing_companded(&hearing);
		hearing_listen(&hearing, ALL);
		nothing_heard("speech", seed);
	}
}
END_TEST

START_TEST(speech_in_wideband)
{
	static const uint32_t rates[] = { 16000, 32000, 48000 };

	for (uint32_t seed = 100; seed < 106; seed++) {
		hearing_begin(&hearing, rates[seed % 3]);
		hearing_speech(&hearing, 20000, seed);
		hearing_listen(&hearing, ALL);
		nothing_heard("wideband speech", seed);
	}
}
END_TEST

// Two voices in thirds and sixths with overtones, as music on hold has them.
START_TEST(music)
{
	static const int scale[] = { 0, 2, 4, 5, 7, 9, 11, 12 };

	for (uint32_t seed = 0; seed < 6; seed++) {
		uint32_t random = seed + 1;

		hearing_begin(&hearing, 8000);
		while (hearing.samples < 8000 * 20) {
			uint32_t at = hearing.samples, length;
			double low, high;

			random = random * 1664525u + 1013904223u;
			low = 220 * pow(2, scale[random >> 29] / 12.0);
			high = low * (random >> 20 & 1 ? 1.25 : 5.0 / 3);
			length = 150 + (random >> 10) % 500;
			hearing_sines(&hearing, length, low, -16, high, -18);
			for (uint32_t i = at; i < hearing.samples; i++) {
				double t = (i - at) / 8000.0;
				double more = 1200 * sin(4 * M_PI * low * t) +
					      900 * sin(6 * M_PI * high * t);

				hearing.pcm[i] = (int16_t)((hearing.pcm[i] + more) * exp(-3 * t));
			}
		}
		hearing_listen(&hearing, ALL);
		nothing_heard("music", seed);
	}
}
END_TEST

START_TEST(silence_noise_and_extremes)
{
	for (int kind = 0; kind < 5; kind++) {
		hearing_begin(&hearing, 8000);
		hearing_silence(&hearing, 10000);
		for (uint32_t i = 0; i < hearing.samples; i++)
			hearing.pcm[i] = (int16_t)(kind == 1   ? INT16_MIN
						   : kind == 2 ? INT16_MAX
						   : kind == 3 ? (i % 2 ? INT16_MAX : INT16_MIN)
							       : 0);
		if (kind == 4)
			hearing_add_noise(&hearing, -10, 1);
		hearing_listen(&hearing, ALL);
		nothing_heard("kind", (uint32_t)kind);
	}
}
END_TEST

// Bits of everything in random order: what begins ends before it begins again, and the heap is not
// touched.
START_TEST(reports_take_turns_without_a_heap)
{
	static const char *const names[] = { "etsi.dial", "etsi.busy", "us.busy", "us.sit",
					     "dtmf.1",    "dtmf.D",    "us.beep", "etsi.ringback" };
	bool open[TD_TONE_COUNT], seen[TD_TONE_COUNT] = { false };
	unsigned allocations = 0;
	char digit;

	for (uint32_t seed = 0; seed < 40; seed++) {
		uint32_t random = seed + 1, rate = 8000u << seed % 2;
		unsigned before;

		hearing_begin(&hearing, rate);
		while (hearing.samples < rate * 20) {
			uint32_t ms;

			random = random * 1664525u + 1013904223u;
			ms = 20 + (random >> 8) % (random >> 31 ? 200 : 2600);
			if (random >> 20 & 1)
				hearing_tone(&hearing, names[random >> 28 & 7], ms, -6);
			else if (random >> 21 & 1)
				hearing_sines(&hearing, ms, random >> 22 & 1 ? 1100 : 2100, -15, 0,
					      0);
			else if (random >> 22 & 1)
				hearing_speech(&hearing, ms, random);
			else
				hearing_silence(&hearing, ms);
		}
		before = allocations_count;
		hearing_listen(&hearing, ALL);
		allocations += allocations_count - before;
		memset(open, 0, sizeof open);
		digit = '\0';
		for (uint32_t i = 0; i < hearing.count; i++) {
			const struct td_detected *r = &hearing.reports[i];

			ck_assert(i == 0 || r->sample >= r[-1].sample);
			ck_assert_uint_le(r->sample, hearing.samples);
			if (r->kind == TD_DETECTED_DIGIT) {
				ck_assert_int_eq(digit, r->ended ? r->digit : '\0');
				digit = r->ended ? '\0' : r->digit;
				continue;
			}
			ck_assert_uint_lt(r->tone, TD_TONE_COUNT);
			ck_assert_int_eq(open[r->tone], r->ended);
			open[r->tone] = !r->ended;
			seen[r->tone] = true;
		}
	}
	ck_assert_uint_eq(allocations, 0);
	for (uint32_t tone = TD_TONE_NONE + 1; tone < TD_TONE_BUSY; tone++)
		ck_assert_msg(seen[tone], "nothing of %s was in it", td_tone_name(tone));
}
END_TEST

static double level_db(const int16_t *pcm, size_t count)
{
	double sum = 1e-9;

	for (size_t i = 0; i < count; i++)
		sum += (double)pcm[i] * pcm[i];
	return 10 * log10(sum / (double)count);
}

// What the header promises, measured with sines through blocks of odd sizes.
START_TEST(decimator_passes_and_stops)
{
	static int16_t out[8000];

	for (uint32_t factor = 2; factor <= 6; factor += 2) {
		uint32_t rate = 8000 * factor;

		for (uint32_t hz = 100; hz < rate / 2; hz += 100) {
			struct td_decimate decimate;
			size_t count = 0;
			double gain_db;

			// What folds onto the band below 2.6 kHz, and the band itself.
			if ((hz + 2600) % 8000 > 5200)
				continue;
			hearing_begin(&hearing, rate);
			hearing_sines(&hearing, 500, hz, -6, 0, 0);
			td_decimate_init(&decimate, factor);
			for (uint32_t at = 0; at < hearing.samples; at += 479)
				count += td_decimate_block(
					&decimate, hearing.pcm + at,
					hearing.samples - at < 479 ? hearing.samples - at : 479,
					out + count);
			ck_assert_uint_eq(count, 4000);
			gain_db = level_db(out + 100, 3800) -
				  level_db(hearing.pcm + 1000, hearing.samples - 2000);
			ck_assert_msg(hz <= 2600 ? fabs(gain_db) < 0.5 : gain_db < -45,
				      "factor %u at %u Hz: %.2f dB", factor, hz, gain_db);
		}
	}
}
END_TEST

START_TEST(spectrum_measures)
{
	td_spectrum_init();
	for (uint32_t step = 0; step < 424; step++) {
		double hz = 200 + 7.3 * step;
		float window[TD_SPECTRUM_SAMPLES];
		struct td_spectrum s;

		hearing_begin(&hearing, 8000);
		hearing_sines(&hearing, 40, hz, -20, hz < 2500 ? hz + 300 : 0, -26);
		for (int i = 0; i < TD_SPECTRUM_SAMPLES; i++)
			window[i] = hearing.pcm[i + 13];
		td_spectrum_of(window, &s);
		ck_assert_msg(fabs((double)s.peaks[0].hz - hz) < 2, "%.1f Hz is %.1f", hz,
			      (double)s.peaks[0].hz);
		if (hz >= 2500) {
			ck_assert(s.peaks[0].share > 0.99f);
			ck_assert(fabsf(s.dbm0 + 20) < 0.1f);
			continue;
		}
		ck_assert(fabs((double)s.peaks[1].hz - hz - 300) < 2);
		// A quarter of the power: 0.8 and 0.2, together 0.97 dB more.
		ck_assert(fabsf(s.peaks[0].share - 0.8f) < 0.02f);
		ck_assert(fabsf(s.peaks[1].share - 0.2f) < 0.02f);
		ck_assert(fabsf(s.dbm0 + 19.03f) < 0.1f);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("detect_speech");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, five_minutes_of_speech);
	tcase_add_test(tcase, speech_in_wideband);
	tcase_add_test(tcase, music);
	tcase_add_test(tcase, silence_noise_and_extremes);
	tcase_add_test(tcase, reports_take_turns_without_a_heap);
	tcase_add_test(tcase, decimator_passes_and_stops);
	tcase_add_test(tcase, spectrum_measures);
	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

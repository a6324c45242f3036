// Time-scaling at every rate: the length asked for, no seam, and hands off where nothing is alike.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "rtp/stretch.h"

#define RATE_MAX 48000
#define ROOM     (RATE_MAX / 1000 * 80)

static const uint32_t rates[] = { 8000, 16000, 32000, 48000 };
static int16_t pcm[ROOM], before[ROOM];

static void tone(uint32_t rate, uint32_t samples, double pitch)
{
	for (uint32_t i = 0; i < samples; i++) {
		double phase = 2.0 * M_PI * pitch * i / rate;

		pcm[i] = (int16_t)(6000 * sin(phase) + 3000 * sin(2 * phase + 1) +
				   2000 * sin(3 * phase + 2));
	}
	memcpy(before, pcm, samples * sizeof pcm[0]);
}

static void noise(uint32_t samples, uint32_t loud)
{
	uint32_t seed = 12345;

	for (uint32_t i = 0; i < samples; i++) {
		seed = seed * 1664525u + 1013904223u;
		pcm[i] = (int16_t)((int32_t)(seed >> 16) % (int32_t)loud - (int32_t)loud / 2);
	}
	memcpy(before, pcm, samples * sizeof pcm[0]);
}

static int32_t roughness(const int16_t *from, uint32_t samples)
{
	int32_t most = 0;

	for (uint32_t i = 2; i < samples; i++) {
		int32_t bend = abs(from[i] - 2 * from[i - 1] + from[i - 2]);

		most = bend > most ? bend : most;
	}
	return most;
}

START_TEST(voiced)
{
	for (uint32_t r = 0; r < 4; r++) {
		for (uint32_t tenths = 700; tenths < 3900; tenths += 37) {
			uint32_t ms = rates[r] / 1000, samples = 40 * ms, cut, more;
			double pitch = tenths / 10.0, period = rates[r] / pitch;

			tone(rates[r], samples, pitch);
			cut = td_stretch_shrink(pcm, samples, rates[r], samples, false);
			ck_assert_msg(cut != 0, "%u Hz, pitch %.1f", rates[r], pitch);
			// Whole periods, to a sample of the coarse search.
			ck_assert_msg(fabs(cut / period - round(cut / period)) < 0.06 + 1 / period,
				      "%u Hz, pitch %.1f: %u", rates[r], pitch, cut);
			ck_assert_uint_le(cut, 15 * ms);
			ck_assert_int_eq(pcm[0], before[0]);
			ck_assert_int_eq(pcm[samples - cut - 1], before[samples - 1]);
			ck_assert_int_le(roughness(pcm, samples - cut),
					 roughness(before, samples) * 5 / 4 + 100);

			tone(rates[r], samples, pitch);
			more = td_stretch_grow(pcm, samples, rates[r], samples, false);
			ck_assert(more != 0 && more <= 15 * ms);
			ck_assert_int_eq(pcm[0], before[0]);
			ck_assert_int_eq(pcm[samples + more - 1], before[samples - 1]);
			ck_assert_int_le(roughness(pcm, samples + more),
					 roughness(before, samples) * 5 / 4 + 100);
		}
	}
}
END_TEST

START_TEST(nothing_alike)
{
	uint32_t untouched = 0;

	for (uint32_t r = 0; r < 4; r++) {
		uint32_t samples = rates[r] / 1000 * 40;

		noise(samples, 20000);
		ck_assert_uint_eq(td_stretch_shrink(pcm, samples, rates[r], samples, false), 0);
		ck_assert_uint_eq(td_stretch_grow(pcm, samples, rates[r], samples, false), 0);
		untouched += memcmp(pcm, before, samples * sizeof pcm[0]) == 0;
	}
	ck_assert_uint_eq(untouched, 4);
}
END_TEST

START_TEST(quiet)
{
	for (uint32_t r = 0; r < 4; r++) {
		uint32_t ms = rates[r] / 1000, samples = 40 * ms;

		// Whatever is asked for, as long as there is something left to fade into.
		for (uint32_t cut = 3 * ms; cut <= 40 * ms; cut += ms / 2) {
			uint32_t most = cut > 35 * ms ? 35 * ms : cut;

			noise(samples, 100);
			ck_assert_uint_eq(td_stretch_shrink(pcm, samples, rates[r], cut, false),
					  most);
		}
		noise(samples, 100);
		ck_assert_uint_eq(td_stretch_grow(pcm, samples, rates[r], samples, false), 15 * ms);
	}
}
END_TEST

START_TEST(bounds)
{
	for (uint32_t r = 0; r < 4; r++) {
		uint32_t ms = rates[r] / 1000;

		for (uint32_t most = 0; most < 20 * ms; most += 3) {
			tone(rates[r], 40 * ms, 200);
			ck_assert_uint_le(td_stretch_shrink(pcm, 40 * ms, rates[r], most, true),
					  most);
			tone(rates[r], 40 * ms, 200);
			ck_assert_uint_le(td_stretch_grow(pcm, 40 * ms, rates[r], most, true),
					  most);
		}
		for (uint32_t samples = 0; samples < 10 * ms; samples += 3) {
			tone(rates[r], samples + 1, 200);
			ck_assert_uint_le(
				2 * td_stretch_grow(pcm, samples, rates[r], ROOM / 2, true),
				samples);
			tone(rates[r], samples + 1, 200);
			ck_assert_uint_le(td_stretch_shrink(pcm, samples, rates[r], samples, true),
					  samples);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stretch");
	TCase *tcase = tcase_create("stretch");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, voiced);
	tcase_add_test(tcase, nothing_alike);
	tcase_add_test(tcase, quiet);
	tcase_add_test(tcase, bounds);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

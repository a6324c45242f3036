// Concealment on a sine and on something like a voice, with packets taken out.
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/plc.h"
#include "signal.h"

#define SECONDS     2
#define SAMPLES_MAX (SECONDS * TD_PLC_RATE_MAX)

static const uint32_t rates[] = { 8000, 16000, 32000, 48000 };

static int16_t clean[SAMPLES_MAX], heard[SAMPLES_MAX];
static struct td_plc plc;

// Plays `clean` in frames of `frame` samples, of which every `every`th (and the `burst` - 1 behind
// it) is lost; answers the SNR over the lost samples in dB.
static double play(uint32_t rate, uint32_t frame, uint32_t every, uint32_t burst)
{
	double signal = 0, noise = 0;

	td_plc_init(&plc, rate);
	for (uint32_t n = 0; (n + 1) * frame <= SECONDS * rate; n++) {
		int16_t *to = heard + n * frame;
		const int16_t *from = clean + n * frame;

		if (n < every || n % every >= burst) {
			memcpy(to, from, frame * sizeof *to);
			td_plc_good(&plc, to, frame);
			continue;
		}
		td_plc_conceal(&plc, to, frame);
		for (uint32_t i = 0; i < frame; i++) {
			signal += (double)from[i] * from[i];
			noise += (double)(from[i] - to[i]) * (from[i] - to[i]);
		}
	}
	return 10 * log10(signal / noise);
}

static int largest_step(const int16_t *pcm, uint32_t samples)
{
	int most = 0;

	for (uint32_t i = 1; i < samples; i++)
		most = abs(pcm[i] - pcm[i - 1]) > most ? abs(pcm[i] - pcm[i - 1]) : most;
	return most;
}

static double energy(const int16_t *pcm, uint32_t samples)
{
	double sum = 0;

	for (uint32_t i = 0; i < samples; i++)
		sum += (double)pcm[i] * pcm[i];
	return sum / samples;
}

START_TEST(nothing_lost_is_nothing_changed)
{
	uint32_t rate = rates[_i];

	signal_voice(clean, SECONDS * rate, rate);
	for (uint32_t frame_ms = 10; frame_ms <= 60; frame_ms += 10) {
		play(rate, frame_ms * rate / 1000, UINT32_MAX, 1);
		ck_assert_mem_eq(heard, clean, SECONDS * 960 / frame_ms * frame_ms * rate / 1000);
	}
}
END_TEST

// Silence in place of the lost would have an SNR of 0 dB.
START_TEST(lost_frames_are_better_than_silence)
{
	uint32_t rate = rates[_i];
	double sine, voice, burst;
	int step;

	signal_sine(clean, SECONDS * rate, rate, 187, 8000);
	step = largest_step(clean, SECONDS * rate);
	sine = play(rate, rate / 50, 5, 1);
	ck_assert_msg(sine > 15, "%u Hz, sine: %.1f dB", rate, sine);
	ck_assert_int_le(largest_step(heard, SECONDS * rate), step + step / 4);
	signal_voice(clean, SECONDS * rate, rate);
	step = largest_step(clean, SECONDS * rate);
	voice = play(rate, rate / 50, 5, 1);
	ck_assert_msg(voice > 6, "%u Hz, voice: %.1f dB", rate, voice);
	ck_assert_int_le(largest_step(heard, SECONDS * rate), step + step / 4);
	burst = play(rate, rate / 50, 10, 2);
	ck_assert_msg(burst > 3, "%u Hz, voice, 40 ms: %.1f dB", rate, burst);
	ck_assert_int_le(largest_step(heard, SECONDS * rate), step + step / 4);
}
END_TEST

// Every other 10 ms lost: the next erasure finds a history without a hole.
START_TEST(half_of_it_lost_is_still_better)
{
	uint32_t rate = rates[_i];
	double voice;

	signal_voice(clean, SECONDS * rate, rate);
	voice = play(rate, rate / 100, 2, 1);
	ck_assert_msg(voice > 6, "%u Hz: %.1f dB", rate, voice);
}
END_TEST

// Two tones that share no period: where the cycle grows longer, and where it closes, nothing jumps.
START_TEST(cycles_join_without_a_step)
{
	static int16_t other[SAMPLES_MAX];
	uint32_t rate = rates[_i], erased = 3 * rate / 50;
	int step;

	signal_sine(clean, SECONDS * rate, rate, 187, 6000);
	signal_sine(other, SECONDS * rate, rate, 263, 6000);
	for (uint32_t i = 0; i < SECONDS * rate; i++)
		clean[i] = (int16_t)(clean[i] + other[i]);
	step = largest_step(clean, SECONDS * rate);
	for (uint32_t start = 0; start < rate / 50; start += rate / 1000) {
		td_plc_init(&plc, rate);
		memcpy(heard, clean + start, rate / 10 * sizeof heard[0]);
		td_plc_good(&plc, heard, rate / 10);
		heard[0] = heard[rate / 10 - 1];
		td_plc_conceal(&plc, heard + 1, erased);
		ck_assert_int_le(largest_step(heard, erased + 1), step + step / 4);
	}
}
END_TEST

START_TEST(long_erasures_fade_to_silence)
{
	uint32_t rate = rates[_i], block = rate / 100;
	double before, last;

	signal_voice(clean, SECONDS * rate, rate);
	play(rate, rate / 50, UINT32_MAX, 1);
	before = energy(heard + rate, rate / 10);
	td_plc_conceal(&plc, heard, 8 * block);
	last = energy(heard, block);
	ck_assert_msg(last > before / 2 && last < before * 2, "%.0f after %.0f", last, before);
	last = before;
	for (uint32_t n = 1; n < 6; n++) {
		double now = energy(heard + n * block, block);
		double gain = 1.1 - 0.2 * n; // in the middle of this block

		ck_assert_msg(now < 2 * before * gain * gain, "block %u: %.0f of %.0f", n, now,
			      before);
		ck_assert(now > 0 || n == 5);
	}
	for (uint32_t i = 6 * block; i < 8 * block; i++)
		ck_assert_int_eq(heard[i], 0);
	// What comes after silence is faded in.
	memcpy(heard + 8 * block, clean + 8 * block, 2 * block * sizeof heard[0]);
	td_plc_good(&plc, heard + 8 * block, 2 * block);
	ck_assert_int_le(abs(heard[8 * block]), abs(clean[8 * block]) / (int)block + 1);
	ck_assert_mem_eq(heard + 9 * block, clean + 9 * block, block * sizeof heard[0]);
}
END_TEST

// The erasure is one sound however it is asked for.
START_TEST(pieces_make_the_same_whole)
{
	static int16_t pieces[SAMPLES_MAX];
	uint32_t rate = rates[_i], whole = rate / 1000 * 70;
	struct td_plc other;

	signal_voice(clean, SECONDS * rate, rate);
	play(rate, rate / 50, UINT32_MAX, 1);
	other = plc;
	td_plc_conceal(&plc, heard, whole);
	for (uint32_t at = 0, n = 1; at < whole; at += n, n = 1 + n % 7) {
		n = n > whole - at ? whole - at : n;
		td_plc_conceal(&other, pieces + at, n);
	}
	ck_assert_mem_eq(heard, pieces, whole * sizeof heard[0]);
}
END_TEST

// Full scale, square, noise, silence, and frames shorter than any overlap.
START_TEST(hostile_sound_stays_in_range)
{
	uint32_t rate = rates[_i], seed = 1;

	for (uint32_t kind = 0; kind < 4; kind++) {
		td_plc_init(&plc, rate);
		td_plc_conceal(&plc, heard, rate / 50);
		for (uint32_t i = 0; i < rate / 50; i++)
			ck_assert_int_eq(heard[i], 0);
		for (uint32_t i = 0, n = 1; i + n < rate; i += n, n = (n * 7 + 3) % 500 + 1) {
			for (uint32_t j = 0; j < n; j++) {
				seed = seed * 1664525 + 1013904223;
				heard[i + j] =
					(int16_t)(kind == 0   ? INT16_MIN
						  : kind == 1 ? ((i + j) / 23 % 2 ? INT16_MAX
										  : INT16_MIN)
						  : kind == 2 ? (int16_t)(seed >> 16)
							      : 0);
			}
			if (n % 3 == 0)
				td_plc_conceal(&plc, heard + i, n);
			else
				td_plc_good(&plc, heard + i, n);
			if (kind == 3)
				ck_assert_int_eq(largest_step(heard + i, n), 0);
		}
		ck_assert_uint_le(plc.write_idx, plc.history_samples);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("plc");
	TCase *tcase = tcase_create("plc");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, nothing_lost_is_nothing_changed, 0, 4);
	tcase_add_loop_test(tcase, lost_frames_are_better_than_silence, 0, 4);
	tcase_add_loop_test(tcase, half_of_it_lost_is_still_better, 0, 4);
	tcase_add_loop_test(tcase, cycles_join_without_a_step, 0, 4);
	tcase_add_loop_test(tcase, long_erasures_fade_to_silence, 0, 4);
	tcase_add_loop_test(tcase, pieces_make_the_same_whole, 0, 4);
	tcase_add_loop_test(tcase, hostile_sound_stays_in_range, 0, 4);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

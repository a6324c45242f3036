// Every pair of rates: tones come through at their level, images and aliases do not, counts are exact.
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "allocations.h"
#include "codecs/resample.h"
#include "signal.h"

static const uint32_t rates[] = { 8000, 16000, 32000, 48000 };

#define PAIRS 16

static int16_t in[48000], out[48000];
static uint32_t from_hz, to_hz, lower_hz;
static struct td_resampler *resampler;

static void set_pair(int pair)
{
	from_hz = rates[pair / 4];
	to_hz = rates[pair % 4];
	lower_hz = from_hz < to_hz ? from_hz : to_hz;
	ck_assert_int_eq(td_resampler_create(from_hz, to_hz, &resampler), 0);
}

// One second of one tone through it, in blocks of 20 ms.
static void convert(double hz)
{
	signal_sine(in, from_hz, from_hz, hz, 16000);
	td_resampler_reset(resampler);
	for (uint32_t n = 0; n < 50; n++)
		ck_assert_uint_eq(td_resampler_process(resampler, in + n * from_hz / 50,
						       from_hz / 50, out + n * to_hz / 50),
				  to_hz / 50);
}

// The level of `hz` in the second half of what came out, against `in_hz` in what went in.
static double change_db(double in_hz, double hz)
{
	return signal_tone_db(out + to_hz / 2, to_hz / 2, to_hz, hz) -
	       signal_tone_db(in + from_hz / 2, from_hz / 2, from_hz, in_hz);
}

START_TEST(tones_keep_their_level)
{
	set_pair(_i);
	for (uint32_t percent = 2; percent <= 40; percent += 2) {
		double hz = percent * lower_hz / 100.0;

		convert(hz);
		ck_assert_msg(fabs(change_db(hz, hz)) < 0.1, "%u to %u: %.0f Hz: %.2f dB", from_hz,
			      to_hz, hz, change_db(hz, hz));
	}
	td_resampler_destroy(resampler);
}
END_TEST

START_TEST(images_and_aliases_stay_out)
{
	set_pair(_i);
	for (uint32_t percent = 5; percent <= 40 && from_hz != to_hz; percent += 5) {
		// Up: the mirror image of a tone above the old band. Down: a tone above the new
		// band that would be folded into it.
		double hz = percent * lower_hz / 100.0;
		double in_hz = from_hz < to_hz ? hz : to_hz - hz;
		double ghost_hz = from_hz < to_hz ? from_hz - hz : hz;

		convert(in_hz);
		// At 32 to 48 kHz and back the ghost may be above what the lower rate can hold.
		if (in_hz < from_hz / 2.0 && ghost_hz < to_hz / 2.0)
			ck_assert_msg(change_db(in_hz, ghost_hz) < -60,
				      "%u to %u: %.0f Hz at %.0f Hz: %.1f dB", from_hz, to_hz,
				      in_hz, ghost_hz, change_db(in_hz, ghost_hz));
	}
	td_resampler_destroy(resampler);
}
END_TEST

// However the blocks are cut, the counts are exact and the sound is the same; a minute later too.
START_TEST(blocks_are_exact_and_do_not_drift)
{
	static int16_t again[48000];
	uint32_t ms = 0;

	set_pair(_i);
	convert(440);
	td_resampler_reset(resampler);
	for (uint32_t block = 10; ms + block <= 1000; block = block % 60 + 10) {
		size_t made =
			td_resampler_process(resampler, in + ms * from_hz / 1000,
					     block * from_hz / 1000, again + ms * to_hz / 1000);

		ck_assert_uint_eq(made, block * to_hz / 1000);
		ms += block;
	}
	ck_assert_mem_eq(again, out, ms * to_hz / 1000 * sizeof out[0]);
	for (uint32_t second = 0; second < 60; second++)
		for (uint32_t n = 0; n < 50; n++)
			td_resampler_process(resampler, in + n * from_hz / 50, from_hz / 50,
					     again + n * to_hz / 50);
	// 440 Hz is whole periods a second, so every second but the first is the same.
	ck_assert_mem_eq(again + to_hz / 2, out + to_hz / 2, to_hz / 2 * sizeof out[0]);
	td_resampler_destroy(resampler);
}
END_TEST

// Blocks of odd lengths: never more than the number rounded up, and the whole is the same sound.
START_TEST(odd_blocks_lose_nothing)
{
	static int16_t again[48000 + 8];
	uint32_t taken = 0, made = 0;

	set_pair(_i);
	convert(440);
	td_resampler_reset(resampler);
	for (uint32_t n = 1; taken < from_hz; n = n % 137 + 1) {
		uint32_t most;
		size_t did;

		n = n > from_hz - taken ? from_hz - taken : n;
		most = (n * to_hz + from_hz - 1) / from_hz;
		again[made + most] = 0x5c5c;
		did = td_resampler_process(resampler, in + taken, n, again + made);
		ck_assert_uint_le(did, most);
		ck_assert_int_eq(again[made + most], 0x5c5c);
		taken += n;
		made += (uint32_t)did;
	}
	ck_assert_uint_eq(made, to_hz);
	ck_assert_mem_eq(again, out, made * sizeof out[0]);
	td_resampler_destroy(resampler);
}
END_TEST

// Lengths at which the library's own pieces end just before the block does.
START_TEST(every_length_is_taken)
{
	set_pair(_i);
	for (uint32_t n = 0; n <= TD_RESAMPLE_SAMPLES_MAX; n += n % 3 + 1) {
		size_t most = ((size_t)n * to_hz + from_hz - 1) / from_hz;

		ck_assert_uint_le(td_resampler_process(resampler, in, n, out), most);
	}
	td_resampler_destroy(resampler);
}
END_TEST

START_TEST(latency_is_as_stated)
{
	uint32_t latency, first = 0, most = 0;

	set_pair(_i);
	memset(in, 0, sizeof in);
	in[from_hz / 100] = 30000; // a click at 10 ms
	td_resampler_reset(resampler);
	td_resampler_process(resampler, in, from_hz / 25, out);
	for (uint32_t i = 0; i < to_hz / 25; i++)
		if ((uint32_t)abs(out[i]) > most) {
			most = (uint32_t)abs(out[i]);
			first = i;
		}
	latency = td_resampler_latency_us(resampler);
	ck_assert_int_le(abs((int)(first * 1000000ull / to_hz) - (int)(10000 + latency)), 130);
	ck_assert_uint_le(latency, 3000);
	td_resampler_destroy(resampler);
}
END_TEST

START_TEST(full_scale_saturates)
{
	set_pair(_i);
	for (uint32_t i = 0; i < from_hz / 50; i++)
		in[i] = i % 40 < 20 ? INT16_MAX : INT16_MIN;
	for (uint32_t n = 0; n < 3; n++)
		td_resampler_process(resampler, in, from_hz / 50, out);
	for (uint32_t i = 1; i < to_hz / 50;
	     i++) // wrapping would show as a fall from top to bottom
		ck_assert(!(out[i - 1] > 32000 && out[i] < -32000 && to_hz > from_hz));
	td_resampler_destroy(resampler);
}
END_TEST

START_TEST(process_allocates_nothing)
{
	unsigned before;

	set_pair(_i);
	before = allocations_count;
	for (uint32_t n = 0; n < 50; n++)
		td_resampler_process(resampler, in, from_hz / 50, out);
	td_resampler_reset(resampler);
	td_resampler_process(resampler, in, from_hz * 60 / 1000, out);
	ck_assert_uint_eq(allocations_count, before);
	td_resampler_destroy(resampler);
}
END_TEST

START_TEST(other_rates_are_refused)
{
	static const uint32_t wrong[] = { 0, 1, 7999, 11025, 44100, 96000 };

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		ck_assert_int_eq(td_resampler_create(wrong[i], 8000, &resampler), -TD_EUNSUPPORTED);
		ck_assert_ptr_null(resampler);
		ck_assert_int_eq(td_resampler_create(8000, wrong[i], &resampler), -TD_EUNSUPPORTED);
	}
	td_resampler_destroy(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("resample");
	TCase *tcase = tcase_create("pairs");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, tones_keep_their_level, 0, PAIRS);
	tcase_add_loop_test(tcase, images_and_aliases_stay_out, 0, PAIRS);
	tcase_add_loop_test(tcase, blocks_are_exact_and_do_not_drift, 0, PAIRS);
	tcase_add_loop_test(tcase, odd_blocks_lose_nothing, 0, PAIRS);
	tcase_add_loop_test(tcase, every_length_is_taken, 0, PAIRS);
	tcase_add_loop_test(tcase, latency_is_as_stated, 0, PAIRS);
	tcase_add_loop_test(tcase, full_scale_saturates, 0, PAIRS);
	tcase_add_loop_test(tcase, process_allocates_nothing, 0, PAIRS);
	tcase_add_test(tcase, other_rates_are_refused);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// The arithmetic of mixing against a plain one in 64 bits: every gain, odd counts, nothing beyond
// the end written, and saturation at both ends.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "codecs/mix_kernel.h"

#define COUNT_MAX 971 // a little more than 20 ms at 48 kHz, and odd
#define GUARD     8
#define GUARD_SUM 0x5a5a5a5a
#define GUARD_PCM 0x5a5a

static int32_t sum[COUNT_MAX + GUARD], out32[COUNT_MAX + GUARD];
static int64_t exact[COUNT_MAX];
static int16_t pcm[COUNT_MAX], out[COUNT_MAX + GUARD];

static const size_t counts[] = { 0,  1,  2,   3,   7,   8,   15,  16,  17,
				 31, 33, 159, 160, 161, 320, 480, 960, COUNT_MAX };

static const int32_t gains[] = { 0,    1,     2,     1000,   2048, 4095,  4096,  4097,
				 8192, 16384, 32767, 262128, -1,   -4096, -4097, -262128 };

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

// xorshift (Marsaglia 2003): the same numbers in every run.
static uint32_t next_random(void)
{
	static uint32_t state = 2463534242u;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static int16_t any_sample(void)
{
	switch (next_random() % 8u) {
	case 0: return INT16_MAX;
	case 1: return INT16_MIN;
	case 2: return 0;
	default: return (int16_t)((int32_t)(next_random() % 65536u) - 32768);
	}
}

static void fill(int32_t scale)
{
	for (unsigned i = 0; i < COUNT_MAX; i++) {
		pcm[i] = any_sample();
		sum[i] = (int32_t)((int64_t)any_sample() * scale);
		exact[i] = sum[i];
	}
	for (unsigned i = 0; i < COUNT_MAX + GUARD; i++) {
		if (i >= COUNT_MAX)
			sum[i] = GUARD_SUM;
		out32[i] = GUARD_SUM;
		out[i] = GUARD_PCM;
	}
}

static int16_t clipped(int64_t value)
{
	return value > INT16_MAX ? INT16_MAX : value < INT16_MIN ? INT16_MIN : (int16_t)value;
}

START_TEST(cleared)
{
	for (unsigned c = 0; c < LENGTH(counts); c++) {
		fill(3);
		td_mix_clear(sum, counts[c]);
		for (size_t i = 0; i < COUNT_MAX; i++)
			if (sum[i] != (i < counts[c] ? 0 : exact[i]))
				ck_abort_msg("%zu of %zu", i, counts[c]);
	}
}
END_TEST

START_TEST(added)
{
	for (unsigned c = 0; c < LENGTH(counts); c++) {
		fill(1000);
		td_mix_add(sum, pcm, counts[c]);
		for (size_t i = 0; i < COUNT_MAX; i++)
			if (sum[i] != exact[i] + (i < counts[c] ? pcm[i] : 0))
				ck_abort_msg("%zu of %zu", i, counts[c]);
		ck_assert_int_eq(sum[COUNT_MAX], GUARD_SUM);
	}
}
END_TEST

// Within one of the exact value; unity is exact.
START_TEST(added_with_a_gain)
{
	for (unsigned g = 0; g < LENGTH(gains); g++) {
		for (unsigned c = 0; c < LENGTH(counts); c++) {
			fill(1000);
			td_mix_add_gain(sum, pcm, gains[g], counts[c]);
			for (size_t i = 0; i < COUNT_MAX; i++) {
				double expected = (double)exact[i];

				if (i < counts[c])
					expected += (double)pcm[i] * gains[g] / 4096.0;
				if (fabs(sum[i] - expected) >=
				    (gains[g] == 4096 || i >= counts[c] ? 0.5 : 1.01))
					ck_abort_msg("gain %d, %zu of %zu: %d, %f", gains[g], i,
						     counts[c], sum[i], expected);
			}
			ck_assert_int_eq(sum[COUNT_MAX], GUARD_SUM);
		}
	}
}
END_TEST

START_TEST(saturated)
{
	static const int32_t scales[] = { 1, 2, 100, 65535 };

	for (unsigned s = 0; s < LENGTH(scales); s++) {
		for (unsigned c = 0; c < LENGTH(counts); c++) {
			fill(scales[s]);
			td_mix_saturate(out, sum, counts[c]);
			for (size_t i = 0; i < COUNT_MAX; i++)
				if (out[i] != (i < counts[c] ? clipped(exact[i]) : GUARD_PCM))
					ck_abort_msg("%zu of %zu", i, counts[c]);
			td_mix_minus(out, sum, pcm, counts[c]);
			for (size_t i = 0; i < COUNT_MAX; i++)
				if (out[i] !=
				    (i < counts[c] ? clipped(exact[i] - pcm[i]) : GUARD_PCM))
					ck_abort_msg("minus, %zu of %zu", i, counts[c]);
		}
	}
}
END_TEST

// What a listener hears of the floor: hear * (sum - talk * own), a plain product each.
START_TEST(without_oneself)
{
	static const int32_t talks[] = { 1, 2048, 4096, 10000, 32767 };
	static const int32_t hears[] = { 1, 2048, 4096, 32767 };

	for (unsigned t = 0; t < LENGTH(talks); t++)
		for (unsigned h = 0; h < LENGTH(hears); h++)
			for (unsigned own = 0; own < 2; own++) {
				fill(50);
				td_mix_without(out32, sum, own ? pcm : NULL, talks[t], hears[h],
					       COUNT_MAX);
				for (size_t i = 0; i < COUNT_MAX; i++) {
					double rest = (double)exact[i], gain = hears[h] / 4096.0;

					if (own)
						rest -= (double)pcm[i] * talks[t] / 4096.0;
					// Within one before the gain and one after it.
					if (fabs(out32[i] - rest * gain) > gain + 1.01)
						ck_abort_msg("talk %d, hear %d: %d, %f", talks[t],
							     hears[h], out32[i], rest * gain);
				}
				ck_assert_int_eq(out32[COUNT_MAX], GUARD_SUM);
			}
}
END_TEST

// Nothing is left of whoever is left out, whatever the gain it was added with.
START_TEST(alone_one_hears_nothing)
{
	for (unsigned g = 0; g < LENGTH(gains); g++) {
		fill(0);
		td_mix_add_gain(sum, pcm, gains[g], COUNT_MAX);
		td_mix_without(out32, sum, pcm, gains[g], 32767, COUNT_MAX);
		for (size_t i = 0; i < COUNT_MAX; i++)
			if (out32[i] != 0)
				ck_abort_msg("gain %d: %d is left", gains[g], out32[i]);
	}
}
END_TEST

// As many as the header says fit into a sum.
START_TEST(a_full_house_does_not_wrap)
{
	for (unsigned i = 0; i < COUNT_MAX; i++)
		pcm[i] = i % 2 ? INT16_MAX : INT16_MIN;
	td_mix_clear(sum, COUNT_MAX);
	for (unsigned voice = 0; voice < 16384; voice++)
		td_mix_add_gain(sum, pcm, 4 * 4096, COUNT_MAX);
	td_mix_saturate(out, sum, COUNT_MAX);
	for (size_t i = 0; i < COUNT_MAX; i++)
		ck_assert_int_eq(out[i], pcm[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mix_kernel");
	TCase *tcase = tcase_create("mix_kernel");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, cleared);
	tcase_add_test(tcase, added);
	tcase_add_test(tcase, added_with_a_gain);
	tcase_add_test(tcase, saturated);
	tcase_add_test(tcase, without_oneself);
	tcase_add_test(tcase, alone_one_hears_nothing);
	tcase_add_test(tcase, a_full_house_does_not_wrap);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

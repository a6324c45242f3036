// The tones, measured: frequencies, levels, cadence to the sample, and nothing else in them.
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spandsp.h>

#include "codecs/tone.h"

#define RATE_MAX    48000
#define SECONDS_MAX 20
#define HZ_MAX      1900 // of all tones
#define DIGITS      "0123456789*#ABCD"

static const uint32_t rates[] = { 8000, 16000, 32000, 48000 };
#define RATE_COUNT (sizeof rates / sizeof *rates)

static int16_t pcm[RATE_MAX * SECONDS_MAX];
static int16_t again[RATE_MAX * SECONDS_MAX];

// What the sources say, written down a second time and in another way than in the code.
struct expected {
	const char *name;
	double hz[6]; // two for each burst, 0: none; a single pair is for all bursts
	double dbm0;
	uint32_t on_off_ms[8];
};

static const struct expected table[] = {
	{ "etsi.dial", { 425 }, -10, { 1000 } },
	{ "etsi.ringback", { 425 }, -10, { 1000, 4000 } },
	{ "etsi.busy", { 425 }, -10, { 500, 500 } },
	{ "etsi.congestion", { 425 }, -10, { 200, 200 } },
	{ "etsi.call-waiting", { 425 }, -10, { 200, 600, 200, 3000 } },
	{ "etsi.confirm", { 425 }, -10, { 200, 200 } },
	{ "etsi.beep", { 1400 }, -16, { 500, 14500 } },
	{ "etsi.sit", { 950, 0, 1400, 0, 1800, 0 }, -10, { 330, 0, 330, 0, 330, 1010 } },
	{ "us.dial", { 350, 440 }, -13, { 1000 } },
	{ "us.ringback", { 440, 480 }, -19, { 2000, 4000 } },
	{ "us.busy", { 480, 620 }, -24, { 500, 500 } },
	{ "us.congestion", { 480, 620 }, -24, { 250, 250 } },
	{ "us.call-waiting", { 440 }, -13, { 300, 9700 } },
	{ "us.confirm", { 350, 440 }, -13, { 100, 100, 100, 100, 300, 300 } },
	{ "us.beep", { 1400 }, -16, { 500, 14500 } },
	{ "us.sit", { 985.2, 0, 1370.6, 0, 1776.7, 0 }, -16, { 380, 0, 274, 0, 380, 1006 } },
};
#define EXPECTED_COUNT (sizeof table / sizeof *table)

// Least squares of two sines at given frequencies: their levels in dBm0, and the rest in dB below
// the signal.
struct fit {
	double dbm0[2], rest_db;
};

static void solve(double *a, double *b, int n)
{
	for (int i = 0; i < n; i++)
		for (int j = i + 1; j < n; j++) {
			double f = a[j * n + i] / a[i * n + i];

			for (int k = i; k < n; k++)
				a[j * n + k] -= f * a[i * n + k];
			b[j] -= f * b[i];
		}
	for (int i = n - 1; i >= 0; i--) {
		for (int k = i + 1; k < n; k++)
			b[i] -= a[i * n + k] * b[k];
		b[i] /= a[i * n + i];
	}
}

static struct fit fit_sines(const int16_t *x, uint32_t count, uint32_t rate, const double hz[2])
{
	int n = hz[1] > 0 ? 4 : 2;
	double gram[16] = { 0 }, right[4] = { 0 }, basis[4], total = 0, rest = 0, sum[4];
	struct fit fit = { .dbm0 = { -200, -200 } };

	for (int pass = 0; pass < 2; pass++)
		for (uint32_t t = 0; t < count; t++) {
			double model = 0;

			for (int i = 0; i < n; i++) {
				double phase = 2 * M_PI * hz[i / 2] * t / rate;

				basis[i] = i % 2 ? sin(phase) : cos(phase);
			}
			for (int i = 0; pass == 0 && i < n; i++) {
				right[i] += basis[i] * x[t];
				for (int j = 0; j < n; j++)
					gram[i * n + j] += basis[i] * basis[j];
			}
			if (pass == 0 && t == count - 1) {
				memcpy(sum, right, sizeof sum);
				solve(gram, sum, n);
			}
			for (int i = 0; pass == 1 && i < n; i++)
				model += sum[i] * basis[i];
			if (pass == 1) {
				total += (double)x[t] * x[t];
				rest += (x[t] - model) * (x[t] - model);
			}
		}
	for (int i = 0; i < n; i += 2)
		fit.dbm0[i / 2] = 20 * log10(hypot(sum[i], sum[i + 1]) / 32767) + TD_TONE_FULL_DBM0;
	fit.rest_db = 10 * log10((rest + 1e-9) / (total + 1e-9));
	return fit;
}

static void check_burst(const struct expected *e, uint32_t rate, uint32_t first, uint32_t count,
			const double hz[2])
{
	// The steady middle, and at most 200 ms of it: that tells 0.5 % of these frequencies apart.
	uint32_t ramp = TD_TONE_RAMP_MS * rate / 1000;
	uint32_t length = count - 2 * ramp < rate / 5 ? count - 2 * ramp : rate / 5;
	struct fit fit = fit_sines(pcm + first + ramp, length, rate, hz);

	ck_assert_msg(fit.rest_db < -50, "%s at %u: the rest is at %.1f dB", e->name, rate,
		      fit.rest_db);
	for (int i = 0; i < 2; i++) {
		double off[2] = { hz[0], hz[1] };

		if (hz[i] == 0)
			continue;
		ck_assert_msg(fabs(fit.dbm0[i] - e->dbm0) < 0.5, "%s at %u: %.2f dBm0", e->name,
			      rate, fit.dbm0[i]);
		// 0.5 % beside the frequency the fit is worse: it is this one and no other.
		for (int side = -1; side <= 1; side += 2) {
			off[i] = hz[i] * (1 + side * 0.005);
			ck_assert_msg(fit_sines(pcm + first + ramp, length, rate, off).rest_db >
					      fit.rest_db + 10,
				      "%s at %u is not at %.1f Hz", e->name, rate, hz[i]);
		}
	}
}

static int sounds(const int16_t *x, uint32_t count)
{
	while (count > 0 && x[count - 1] == 0)
		count--;
	return count > 0;
}

START_TEST(measured_tone)
{
	const struct expected *e = &table[_i % EXPECTED_COUNT];
	uint32_t rate = rates[_i / EXPECTED_COUNT], at = 0, period;
	const struct td_tone_plan *plan = td_tone_find(e->name);

	ck_assert_ptr_nonnull(plan);
	period = td_tone_period_samples(plan, rate);
	ck_assert_uint_le(period * 2, RATE_MAX * SECONDS_MAX * 2);
	ck_assert_int_eq(td_tone_render(plan, rate, 0, pcm, period), 0);
	for (uint32_t part = 0; part < 8; part++) {
		uint32_t count = e->on_off_ms[part] * (rate / 1000);

		if (part % 2 == 0 && count > 0) {
			const double *hz = &e->hz[e->hz[2] > 0 ? part : 0];

			check_burst(e, rate, at, count, hz);
			// It sounds from its first sample to its last, but for what rounds to zero
			// at the foot of the ramps: an eighth of a millisecond.
			ck_assert(sounds(pcm + at, rate / 8000 + 1));
			ck_assert(sounds(pcm + at + count - rate / 8000 - 1, rate / 8000 + 1));
		}
		ck_assert(part % 2 == 0 || !sounds(pcm + at, count));
		at += count;
	}
	ck_assert_uint_eq(at, period);
}
END_TEST

// The loop's seam: a steady tone fits two periods as one sine; a cadenced one begins and ends low.
START_TEST(loops_without_a_click)
{
	for (size_t i = 0; i < td_tone_count(); i++)
		for (size_t r = 0; r < RATE_COUNT; r++) {
			const struct td_tone_plan *plan = td_tone_at(i);
			uint32_t period = td_tone_period_samples(plan, rates[r]);
			const double hz[2] = { (double)plan->parts[0].hz[0],
					       (double)plan->parts[0].hz[1] };

			ck_assert_uint_gt(period, 0);
			ck_assert_uint_eq(period % (rates[r] / 50), 0);
			if (plan->parts[1].ms > 0)
				continue;
			ck_assert_int_eq(td_tone_render(plan, rates[r], 0, pcm, period), 0);
			memcpy(pcm + period, pcm, period * sizeof *pcm);
			ck_assert(
				fit_sines(pcm + period - rates[r] / 20, rates[r] / 10, rates[r], hz)
					.rest_db < -60);
		}
}
END_TEST

// No sample jumps further than the frequencies allow: an edge without a ramp would.
START_TEST(edges_rise_and_fall)
{
	for (size_t i = 0; i < td_tone_count(); i++) {
		const struct td_tone_plan *plan = td_tone_at(i);
		uint32_t period = td_tone_period_samples(plan, 48000);
		double peak = 0;
		int step_max = 0;

		ck_assert_int_eq(td_tone_render(plan, 48000, 0, pcm, period), 0);
		for (uint32_t t = 0; t < period; t++) {
			int step = abs(pcm[(t + 1) % period] - pcm[t]);

			step_max = step > step_max ? step : step_max;
		}
		for (int p = 0; p < TD_TONE_PART_MAX; p++) {
			double here = 0;

			for (int f = 0; f < 2; f++)
				if (plan->parts[p].hz[f] > 0)
					here += 32767 * pow(10, ((double)plan->parts[p].dbm0[f] -
								 TD_TONE_FULL_DBM0) /
									20);
			peak = here > peak ? here : peak;
		}
		ck_assert_msg(step_max < 2 * M_PI * HZ_MAX / 48000 * peak + 2, "%s: a step of %d",
			      plan->name, step_max);
	}
}
END_TEST

START_TEST(pieces_are_the_whole)
{
	const struct td_tone_plan *plan = td_tone_find("us.confirm");
	uint32_t period = td_tone_period_samples(plan, 8000);
	static const uint32_t pieces[] = { 1, 7, 160, 799, 800, 801, 6400 };

	ck_assert_int_eq(td_tone_render(plan, 8000, 0, pcm, 3 * period), 0);
	ck_assert_mem_eq(pcm, pcm + period, 2 * period * sizeof *pcm);
	for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
		memset(again, 0x55, sizeof again);
		for (uint32_t at = 0; at < 2 * period; at += pieces[p])
			ck_assert_int_eq(td_tone_render(plan, 8000, at + 7ull * period, again + at,
							pieces[p]),
					 0);
		ck_assert_mem_eq(pcm, again, 2 * period * sizeof *pcm);
	}
	again[0] = 77;
	ck_assert_int_eq(td_tone_render(plan, 8000, 0, again, 0), 0);
	ck_assert_int_eq(again[0], 77);
}
END_TEST

START_TEST(names_and_rates)
{
	static const uint32_t bad[] = { 0, 1, 7999, 8001, 11025, 44100, 48001, 56000, 96000 };

	ck_assert_uint_eq(td_tone_count(), EXPECTED_COUNT + 16);
	for (size_t i = 0; i < td_tone_count(); i++)
		ck_assert_ptr_eq(td_tone_find(td_tone_at(i)->name), td_tone_at(i));
	ck_assert_ptr_null(td_tone_at(td_tone_count()));
	ck_assert_ptr_null(td_tone_find(""));
	ck_assert_ptr_null(td_tone_find("busy"));
	ck_assert_ptr_null(td_tone_find("us."));
	ck_assert_ptr_null(td_tone_dtmf('\0'));
	ck_assert_ptr_null(td_tone_dtmf('a'));
	for (int c = 1; c < 256; c++)
		ck_assert_int_eq(td_tone_dtmf((char)c) != NULL, strchr(DIGITS, c) != NULL);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		ck_assert_uint_eq(td_tone_period_samples(td_tone_at(0), bad[i]), 0);
		ck_assert_int_eq(td_tone_render(td_tone_at(0), bad[i], 0, pcm, 10), -TD_EINVALID);
	}
}
END_TEST

// spandsp's receiver is the judge: 50 ms of each digit and 50 ms of silence.
START_TEST(digits_are_understood)
{
	char heard[32] = "";
	dtmf_rx_state_t *rx = dtmf_rx_init(NULL, NULL, NULL);

	memset(pcm, 0, sizeof pcm);
	for (int i = 0; DIGITS[i]; i++)
		ck_assert_int_eq(
			td_tone_render(td_tone_dtmf(DIGITS[i]), 8000, 0, pcm + i * 800, 400), 0);
	dtmf_rx(rx, pcm, 16 * 800 + 800);
	ck_assert_uint_eq(dtmf_rx_get(rx, heard, 31), 16);
	ck_assert_str_eq(heard, DIGITS);
	dtmf_rx_free(rx);
}
END_TEST

// ITU-T Q.23: within 1.5 % is asked, we are exact; and 2 dB between the groups.
START_TEST(digits_are_exact)
{
	static const int low[] = { 941, 697, 697, 697, 770, 770, 770, 852,
				   852, 852, 941, 941, 697, 770, 852, 941 };
	static const int high[] = { 1336, 1209, 1336, 1477, 1209, 1336, 1477, 1209,
				    1336, 1477, 1209, 1477, 1633, 1633, 1633, 1633 };

	for (int i = 0; i < 16; i++) {
		double hz[2] = { low[i], high[i] };
		struct fit fit;

		ck_assert_int_eq(td_tone_render(td_tone_dtmf(DIGITS[i]), 8000, 0, pcm, 800), 0);
		fit = fit_sines(pcm, 800, 8000, hz);
		ck_assert(fabs(fit.dbm0[0] + 9) < 0.1 && fabs(fit.dbm0[1] + 7) < 0.1);
		ck_assert(fit.rest_db < -60);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tone");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, measured_tone, 0, EXPECTED_COUNT * RATE_COUNT);
	tcase_add_test(tcase, loops_without_a_click);
	tcase_add_test(tcase, edges_rise_and_fall);
	tcase_add_test(tcase, pieces_are_the_whole);
	tcase_add_test(tcase, names_and_rates);
	tcase_add_test(tcase, digits_are_understood);
	tcase_add_test(tcase, digits_are_exact);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

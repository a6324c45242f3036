#include "codecs/spectrum.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "codecs/tone.h"
#include "td_assert.h"

#define N          TD_SPECTRUM_SAMPLES
#define HALF       128 // points of the complex transform, N / 2
#define LOG2_HALF  7
#define BIN_HZ     ((float)TD_SPECTRUM_RATE_HZ / N)
#define BIN_FIRST  5   // 156 Hz
#define BIN_END    110 // 3,438 Hz
#define PEAK_REACH 2   // a Hann-windowed sine has 99.9 % of its power within two bins
// One-sided sum of a Hann-windowed sine of amplitude A: 3 N^2 A^2 / 32.
#define SINE_POWER (3.0f * N * N / 32 * 32767 * 32767)

_Static_assert(2 * HALF == N && 1 << LOG2_HALF == HALF, "one transform for two real halves");

static float hann[N];
// e^(-2 pi i k / HALF) and, for taking the two real halves apart, e^(-2 pi i k / N).
static float turn_re[HALF / 2], turn_im[HALF / 2];
static float split_re[HALF], split_im[HALF];
static uint8_t reversed[HALF];
static bool ready;

void td_spectrum_init(void)
{
	if (ready)
		return;
	for (int i = 0; i < N; i++)
		hann[i] = (float)(0.5 - 0.5 * cos(2 * M_PI * i / N));
	for (int k = 0; k < HALF / 2; k++) {
		turn_re[k] = (float)cos(2 * M_PI * k / HALF);
		turn_im[k] = (float)-sin(2 * M_PI * k / HALF);
	}
	for (int k = 0; k < HALF; k++) {
		split_re[k] = (float)cos(2 * M_PI * k / N);
		split_im[k] = (float)-sin(2 * M_PI * k / N);
		for (int bit = 0; bit < LOG2_HALF; bit++)
			if (k & 1 << bit)
				reversed[k] |= (uint8_t)(1 << (LOG2_HALF - 1 - bit));
	}
	ready = true;
}

// Decimation in frequency, in place; the result stands in bit-reversed order.
static void transform(float *restrict re, float *restrict im)
{
	float w_re[HALF / 2], w_im[HALF / 2];

	for (int span = HALF / 2, stride = 1; span > 0; span /= 2, stride *= 2) {
		for (int j = 0; j < span; j++) {
			w_re[j] = turn_re[j * stride];
			w_im[j] = turn_im[j * stride];
		}
		for (int block = 0; block < HALF; block += 2 * span) {
			float *a_re = re + block, *a_im = im + block;
			float *b_re = a_re + span, *b_im = a_im + span;

			for (int j = 0; j < span; j++) {
				float d_re = a_re[j] - b_re[j], d_im = a_im[j] - b_im[j];

				a_re[j] += b_re[j];
				a_im[j] += b_im[j];
				b_re[j] = d_re * w_re[j] - d_im * w_im[j];
				b_im[j] = d_re * w_im[j] + d_im * w_re[j];
			}
		}
	}
}

// Power of the bins BIN_FIRST - PEAK_REACH to BIN_END + PEAK_REACH of the real signal whose even
// samples were `re` and odd ones `im`.
static void bin_powers(const float *re, const float *im, float *power)
{
	for (int k = BIN_FIRST - PEAK_REACH; k < BIN_END + PEAK_REACH; k++) {
		int a = reversed[k], b = reversed[HALF - k];
		float even_re = (re[a] + re[b]) * 0.5f, even_im = (im[a] - im[b]) * 0.5f;
		float odd_re = (im[a] + im[b]) * 0.5f, odd_im = (re[b] - re[a]) * 0.5f;
		float x_re = even_re + odd_re * split_re[k] - odd_im * split_im[k];
		float x_im = even_im + odd_re * split_im[k] + odd_im * split_re[k];

		power[k] = x_re * x_re + x_im * x_im;
	}
}

// The strongest bin and its neighbours, which are taken out.
static struct td_spectrum_peak take_peak(float *power, float total)
{
	struct td_spectrum_peak peak;
	int top = BIN_FIRST;
	float sum = 0, ratio;

	for (int k = BIN_FIRST; k < BIN_END; k++)
		if (power[k] > power[top])
			top = k;
	// Between the two largest bins of a Hann-windowed sine (Grandke 1983).
	if (power[top + 1] > power[top - 1]) {
		ratio = sqrtf(power[top + 1] / (power[top] + 1e-9f));
		peak.hz = BIN_HZ * ((float)top + (2 * ratio - 1) / (ratio + 1));
	} else {
		ratio = sqrtf(power[top - 1] / (power[top] + 1e-9f));
		peak.hz = BIN_HZ * ((float)top - (2 * ratio - 1) / (ratio + 1));
	}
	for (int k = top - PEAK_REACH; k <= top + PEAK_REACH; k++) {
		sum += power[k];
		power[k] = 0;
	}
	peak.share = fminf(sum / total, 1);
	return peak;
}

void td_spectrum_of(const float samples[TD_SPECTRUM_SAMPLES], struct td_spectrum *out)
{
	float re[HALF], im[HALF], power[HALF] = { 0 };
	float total = 1e-3f, band = 1e-3f, band_sum = 0;

	TD_ASSERT(ready);
	for (int i = 0; i < HALF; i++) {
		re[i] = samples[2 * i] * hann[2 * i];
		im[i] = samples[2 * i + 1] * hann[2 * i + 1];
	}
	transform(re, im);
	bin_powers(re, im, power);
	for (int k = BIN_FIRST; k < BIN_END; k++)
		total += power[k];
	for (int k = TD_SPECTRUM_BAND_FIRST; k < TD_SPECTRUM_BAND_END; k++) {
		band += power[k];
		band_sum += power[k] * (float)k;
	}
	out->band_hz = BIN_HZ * band_sum / band;
	out->dbm0 = 10 * log10f(total / SINE_POWER) + (float)TD_TONE_FULL_DBM0;
	for (int i = 0; i < TD_SPECTRUM_PEAKS; i++)
		out->peaks[i] = take_peak(power, total);
}

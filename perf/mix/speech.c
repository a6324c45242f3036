#include "mix/speech.h"

#include <math.h>

#define HARMONICS 24
#define TURN      (2.0 * M_PI)

// How strong a partial of this frequency is, with two formants at `first` and `second` Hz.
static double formants(double hz, double first, double second)
{
	double a = (hz - first) / 150.0, b = (hz - second) / 250.0;

	return 1.0 / (1.0 + a * a) + 0.5 / (1.0 + b * b) + 0.02;
}

void td_speech_make(int16_t *pcm, uint32_t samples, uint32_t sample_hz, uint32_t seed)
{
	double phase = 0, base = 110.0 + 20.0 * (seed % 6u);

	for (uint32_t i = 0; i < samples; i++) {
		double t = (double)i / sample_hz, sum = 0;
		double pitch = base * (1.0 + 0.1 * sin(TURN * 0.7 * t) + 0.02 * sin(TURN * 5 * t));
		double syllable = sin(M_PI * fmod(t * 4.0, 1.0));
		double first = 500 + 250 * sin(TURN * 1.3 * t), second = 1600 + 500 * sin(TURN * t);

		phase = fmod(phase + pitch / sample_hz, 1.0);
		for (int k = 1; k <= HARMONICS && k * pitch < sample_hz * 0.45; k++)
			sum += formants(k * pitch, first, second) * sin(TURN * k * phase);
		seed = seed * 1664525u + 1013904223u;
		sum += 0.02 * ((double)(seed >> 8) / (1u << 24) - 0.5);
		pcm[i] = (int16_t)lrint(3500.0 * syllable * sum);
	}
}

double td_speech_likeness(const int16_t *a, uint32_t a_samples, const int16_t *b,
			  uint32_t b_samples)
{
	double best = 0;

	for (uint32_t lag = 0; lag < a_samples; lag++) {
		double ab = 0, aa = 1, bb = 1;
		uint32_t at = lag;

		for (uint32_t i = 0; i < b_samples; i++) {
			ab += (double)a[at] * b[i];
			aa += (double)a[at] * a[at];
			bb += (double)b[i] * b[i];
			at = at + 1u == a_samples ? 0 : at + 1u;
		}
		ab /= sqrt(aa * bb);
		best = ab > best ? ab : best;
	}
	return best;
}

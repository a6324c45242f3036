#include "signal.h"

#include <math.h>

void signal_sine(int16_t *pcm, size_t samples, uint32_t rate_hz, double hz, double level)
{
	for (size_t i = 0; i < samples; i++)
		pcm[i] = (int16_t)lrint(level * sin(2 * M_PI * hz * (double)i / rate_hz));
}

void signal_voice(int16_t *pcm, size_t samples, uint32_t rate_hz)
{
	static const double formants[] = { 700, 1220, 2600 }, widths[] = { 80, 90, 120 };
	double y[3][2] = { { 0 } }, phase = 0;

	for (size_t i = 0; i < samples; i++) {
		double t = (double)i / rate_hz, hz = 120 + 10 * sin(2 * M_PI * 0.7 * t), x;

		phase += hz / rate_hz;
		phase -= floor(phase);
		x = phase < 0.4 ? sin(2 * M_PI * phase / 0.4) : 0;
		for (int f = 0; f < 3; f++) {
			double r = exp(-M_PI * widths[f] / rate_hz);
			double out = (1 - r) * x +
				     2 * r * cos(2 * M_PI * formants[f] / rate_hz) * y[f][0] -
				     r * r * y[f][1];

			y[f][1] = y[f][0];
			y[f][0] = out;
			x = out * 0.5 + x * 0.5;
		}
		pcm[i] = (int16_t)(9000 * x);
	}
}

double signal_snr_db(const int16_t *wanted, const int16_t *got, size_t samples)
{
	double signal = 1e-9, noise = 1e-9;

	for (size_t i = 0; i < samples; i++) {
		double wrong = (double)wanted[i] - got[i];

		signal += (double)wanted[i] * wanted[i];
		noise += wrong * wrong;
	}
	return 10 * log10(signal / noise);
}

double signal_correlation(const int16_t *wanted, const int16_t *got, size_t samples,
			  size_t delay_max)
{
	double best = -1;

	for (size_t delay = 0; delay <= delay_max; delay++) {
		double ab = 0, aa = 1e-9, bb = 1e-9;

		for (size_t i = 0; i + delay < samples; i++) {
			double a = wanted[i], b = got[i + delay];

			ab += a * b;
			aa += a * a;
			bb += b * b;
		}
		best = fmax(best, ab / sqrt(aa * bb));
	}
	return best;
}

double signal_level_db(const int16_t *pcm, size_t samples)
{
	double sum = 1e-9;

	for (size_t i = 0; i < samples; i++)
		sum += (double)pcm[i] * pcm[i];
	return 10 * log10(sum / (double)samples) - 20 * log10(32767);
}

double signal_tone_db(const int16_t *pcm, size_t samples, uint32_t rate_hz, double hz)
{
	double re = 0, im = 0, weights = 0;

	// A Blackman-Harris window: side lobes 92 dB down, so that a strong tone hides no weak one.
	for (size_t i = 0; i < samples; i++) {
		double w = 2 * M_PI * (double)i / (double)samples,
		       angle = 2 * M_PI * hz * (double)i / rate_hz;
		double weight =
			0.35875 - 0.48829 * cos(w) + 0.14128 * cos(2 * w) - 0.01168 * cos(3 * w);

		re += weight * pcm[i] * cos(angle);
		im += weight * pcm[i] * sin(angle);
		weights += weight;
	}
	// Of a sine's root mean square, as signal_level_db: amplitude 2 |X| / N, over sqrt 2.
	return 20 * log10(sqrt(2) * hypot(re, im) / weights + 1e-9) - 20 * log10(32767);
}

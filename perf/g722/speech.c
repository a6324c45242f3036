#include "speech.h"

#include <math.h>

#define RATE_HZ  16000
#define FORMANTS 4

static double random_unit(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (double)(*seed >> 40) / (double)(1u << 24);
}

// What the mouth does for 40 to 200 ms.
struct syllable {
	size_t samples_left;
	double pitch_hz, voiced, level;
	double formants_hz[FORMANTS];
};

static void next_syllable(struct syllable *syllable, double pitch_hz, uint64_t *seed)
{
	static const double least_hz[FORMANTS] = { 250, 800, 2200, 3500 };
	static const double range_hz[FORMANTS] = { 600, 1400, 1000, 2500 };
	double kind = random_unit(seed);

	syllable->samples_left = (size_t)(RATE_HZ * (0.04 + 0.16 * random_unit(seed)));
	syllable->pitch_hz = pitch_hz * (0.8 + 0.4 * random_unit(seed));
	syllable->voiced = kind < 0.6 ? 1 : 0;
	syllable->level = kind < 0.8 ? 0.2 + 0.8 * random_unit(seed) : 0;
	for (int i = 0; i < FORMANTS; i++)
		syllable->formants_hz[i] = least_hz[i] + range_hz[i] * random_unit(seed);
}

void td_speech_make(int16_t *pcm, size_t samples, uint32_t speaker)
{
	uint64_t seed = speaker * 977 + 1;
	double pitch_hz = 90 + 150 * random_unit(&seed), phase = 0, level = 0;
	double formants_hz[FORMANTS] = { 500, 1500, 2500, 4000 }, y[FORMANTS][2] = { { 0 } };
	struct syllable syllable = { 0 };

	for (size_t i = 0; i < samples; i++) {
		double x, sum = 0;

		if (syllable.samples_left-- == 0)
			next_syllable(&syllable, pitch_hz, &seed);
		phase = fmod(phase + syllable.pitch_hz / RATE_HZ, 1);
		x = syllable.voiced > 0 ? (phase < 0.4 ? sin(M_PI * phase / 0.4) : 0) - 0.25
					: 0.5 * (random_unit(&seed) - 0.5);
		// 15 ms from one position to the next.
		level += (syllable.level - level) / 240;
		for (int f = 0; f < FORMANTS; f++) {
			double r = exp(-M_PI * (60 + 40 * f) / RATE_HZ), out;

			formants_hz[f] += (syllable.formants_hz[f] - formants_hz[f]) / 240;
			out = (1 - r) * x +
			      2 * r * cos(2 * M_PI * formants_hz[f] / RATE_HZ) * y[f][0] -
			      r * r * y[f][1];
			y[f][1] = y[f][0];
			y[f][0] = out;
			sum += out / (1 + f);
		}
		x = 14000 * level * sum + 20 * (random_unit(&seed) - 0.5);
		pcm[i] = (int16_t)(x > 16000 ? 16000 : x < -16000 ? -16000 : x);
	}
}

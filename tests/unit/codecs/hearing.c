#include "hearing.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/g711.h"
#include "codecs/tone.h"

#define AMPLITUDE(dbm0) (32767 * pow(10, ((dbm0)-TD_TONE_FULL_DBM0) / 20))

void hearing_begin(struct hearing *hearing, uint32_t rate_hz)
{
	hearing->rate_hz = rate_hz;
	hearing->samples = 0;
	hearing->count = 0;
}

static int16_t *extend(struct hearing *hearing, uint32_t samples)
{
	int16_t *at = hearing->pcm + hearing->samples;

	ck_assert_uint_le(hearing->samples + samples, HEARING_SAMPLES_MAX);
	hearing->samples += samples;
	memset(at, 0, samples * sizeof *at);
	return at;
}

void hearing_silence(struct hearing *hearing, uint32_t ms)
{
	extend(hearing, ms * hearing->rate_hz / 1000);
}

void hearing_sines(struct hearing *hearing, uint32_t ms, double hz_a, double dbm0_a, double hz_b,
		   double dbm0_b)
{
	uint32_t samples = ms * hearing->rate_hz / 1000;
	int16_t *pcm = extend(hearing, samples);
	double step = 2 * M_PI / hearing->rate_hz;

	for (uint32_t i = 0; i < samples; i++) {
		double sample = AMPLITUDE(dbm0_a) * sin(step * hz_a * i);

		if (hz_b > 0)
			sample += AMPLITUDE(dbm0_b) * sin(step * hz_b * i);
		pcm[i] = (int16_t)lrint(fmin(fmax(sample, INT16_MIN), INT16_MAX));
	}
}

void hearing_tone(struct hearing *hearing, const char *name, uint32_t ms, double db)
{
	uint32_t samples = ms * hearing->rate_hz / 1000;
	int16_t *pcm = extend(hearing, samples);
	double gain = pow(10, db / 20);

	ck_assert_ptr_nonnull(td_tone_find(name));
	ck_assert_int_eq(td_tone_render(td_tone_find(name), hearing->rate_hz, 0, pcm, samples), 0);
	for (uint32_t i = 0; i < samples; i++)
		pcm[i] = (int16_t)lrint(fmin(fmax(gain * pcm[i], INT16_MIN), INT16_MAX));
}

// ---- Speech ----

struct speaker {
	uint32_t random;
	uint32_t rate_hz;
	double phase;   // of the vocal cords, 0 to 1
	double z[3][2]; // resonators
	double formants[3];
	double base_hz;
};

static double chance(struct speaker *s)
{
	s->random = s->random * 1664525u + 1013904223u;
	return (s->random >> 8) / 16777216.0;
}

static double resonate(struct speaker *s, int which, double in, double hz, double width_hz)
{
	double r = exp(-M_PI * width_hz / s->rate_hz);
	double c = 2 * r * cos(2 * M_PI * hz / s->rate_hz);
	double out = in * (1 - r) + c * s->z[which][0] - r * r * s->z[which][1];

	s->z[which][1] = s->z[which][0];
	s->z[which][0] = out;
	return out;
}

// One sound of the speaker: `voice` and `breath` say how much of which source there is.
static void utter(struct speaker *s, int16_t *pcm, uint32_t samples, const double target[3],
		  double voice, double breath, double hz_from, double hz_to)
{
	for (uint32_t i = 0; i < samples; i++) {
		double part = (double)i / samples, rise = fmin(part, 1 - part) * 6;
		double hz = hz_from + (hz_to - hz_from) * part +
			    2 * sin(2 * M_PI * 5.5 * i / s->rate_hz);
		double source, sum = 0;

		s->phase += hz / s->rate_hz;
		s->phase -= floor(s->phase);
		// Rosenberg's pulse: opens for 40 % of the period, closes for 16 %.
		source = s->phase < 0.40   ? 0.5 - 0.5 * cos(M_PI * s->phase / 0.40)
			 : s->phase < 0.56 ? cos(M_PI / 2 * (s->phase - 0.40) / 0.16)
					   : 0;
		source = voice * (source - 0.3) + breath * (chance(s) - 0.5);
		for (int f = 0; f < 3; f++) {
			s->formants[f] += (target[f] - s->formants[f]) * 40 / s->rate_hz;
			sum += resonate(s, f, source, s->formants[f], 60 + 40 * f) * (3 - f);
		}
		pcm[i] = (int16_t)lrint(fmin(fmax(sum * fmin(rise, 1) * 9000, -30000), 30000));
	}
}

void hearing_speech(struct hearing *hearing, uint32_t ms, uint32_t seed)
{
	// Peterson and Barney 1952, men and women between.
	static const double vowels[][3] = {
		{ 290, 2500, 3150 }, { 410, 2200, 2800 }, { 570, 2000, 2700 }, { 760, 1850, 2600 },
		{ 790, 1150, 2500 }, { 580, 880, 2550 },  { 450, 1090, 2450 }, { 330, 910, 2450 },
		{ 680, 1290, 2550 }, { 490, 1480, 1800 },
	};
	struct speaker s = { .random = seed * 2654435761u + 1,
			     .rate_hz = hearing->rate_hz,
			     .formants = { 500, 1500, 2500 } };
	uint32_t left = ms * hearing->rate_hz / 1000;

	s.base_hz = 85 + 180 * chance(&s);
	while (left > 0) {
		const double *vowel = vowels[(int)(chance(&s) * 10) % 10];
		double hz = s.base_hz * (0.8 + 0.5 * chance(&s));
		double kind = chance(&s);
		uint32_t length = (uint32_t)((50 + 250 * chance(&s)) * hearing->rate_hz / 1000);
		int16_t *pcm;

		length = length < left ? length : left;
		left -= length;
		pcm = extend(hearing, length);
		if (kind < 0.65)
			utter(&s, pcm, length, vowel, 1, 0.02, hz, hz * (0.75 + 0.4 * chance(&s)));
		else if (kind < 0.8)
			utter(&s, pcm, length, (double[]){ 900, 2600, 3300 }, 0, 1, 100, 100);
	}
}

void hearing_add_noise(struct hearing *hearing, double dbm0, uint32_t seed)
{
	// A sine of amplitude A has the power of noise of standard deviation A / sqrt(2).
	double deviation = AMPLITUDE(dbm0) / sqrt(2);
	uint32_t random = seed * 2654435761u + 1;

	for (uint32_t i = 0; i < hearing->samples; i++) {
		double sum = 0;

		for (int k = 0; k < 12; k++) { // twelve uniform ones: a deviation of 1
			random = random * 1664525u + 1013904223u;
			sum += (random >> 8) / 16777216.0 - 0.5;
		}
		sum = hearing->pcm[i] + deviation * sum;
		hearing->pcm[i] = (int16_t)lrint(fmin(fmax(sum, INT16_MIN), INT16_MAX));
	}
}

void hearing_companded(struct hearing *hearing)
{
	static uint8_t law[HEARING_SAMPLES_MAX];

	td_g711_ulaw_encode(law, hearing->pcm, hearing->samples);
	td_g711_ulaw_decode(hearing->pcm, law, hearing->samples);
}

void hearing_listen_in(struct hearing *hearing, uint32_t wanted, uint32_t block_samples)
{
	static struct td_detect detect;

	hearing->count = 0;
	// Check's own assertions allocate, and a test counts that nothing else does.
	if (td_detect_init(&detect, hearing->rate_hz, wanted) != 0)
		abort();
	for (uint32_t at = 0; at < hearing->samples; at += block_samples) {
		uint32_t left = hearing->samples - at;

		hearing->count += (uint32_t)td_detect_block(
			&detect, hearing->pcm + at, left < block_samples ? left : block_samples,
			hearing->reports + hearing->count, HEARING_REPORTS_MAX - hearing->count);
	}
	if (hearing->count >= HEARING_REPORTS_MAX)
		abort();
}

void hearing_listen(struct hearing *hearing, uint32_t wanted)
{
	hearing_listen_in(hearing, wanted, hearing->rate_hz / 50);
}

const char *hearing_digits(const struct hearing *hearing, char text[HEARING_REPORTS_MAX])
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < hearing->count && count < HEARING_REPORTS_MAX - 1; i++)
		if (hearing->reports[i].kind == TD_DETECTED_DIGIT && !hearing->reports[i].ended)
			text[count++] = hearing->reports[i].digit;
	text[count] = '\0';
	return text;
}

const struct td_detected *hearing_find(const struct hearing *hearing, enum td_tone tone, bool ended)
{
	for (uint32_t i = 0; i < hearing->count; i++)
		if (hearing->reports[i].kind == TD_DETECTED_TONE &&
		    hearing->reports[i].tone == tone && hearing->reports[i].ended == ended)
			return &hearing->reports[i];
	return NULL;
}

uint32_t hearing_count(const struct hearing *hearing, enum td_tone tone, bool ended)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < hearing->count; i++)
		count += hearing->reports[i].kind == TD_DETECTED_TONE &&
			 hearing->reports[i].tone == tone && hearing->reports[i].ended == ended;
	return count;
}

void hearing_dump(const struct hearing *hearing)
{
	for (uint32_t i = 0; i < hearing->count; i++) {
		const struct td_detected *r = &hearing->reports[i];

		fprintf(stderr, "%8.3f s %s %s%s %u ms\n", (double)r->sample / hearing->rate_hz,
			r->ended ? "end" : "begin",
			r->kind == TD_DETECTED_DIGIT ? (char[]){ r->digit, '\0' }
						     : td_tone_name(r->tone),
			r->kind == TD_DETECTED_DIGIT ? " (digit)" : "", r->duration_ms);
	}
}

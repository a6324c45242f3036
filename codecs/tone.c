#include "codecs/tone.h"

#include <math.h>
#include <string.h>

#include "td_assert.h"

#define RATE_STEP_HZ 8000u
#define RATE_MAX_HZ  48000u

#define SILENCE(ms)                                                                                \
	{                                                                                          \
		(ms), { 0, 0 },                                                                    \
		{                                                                                  \
			0, 0                                                                       \
		}                                                                                  \
	}
#define ONE(ms, f, dbm0)                                                                           \
	{                                                                                          \
		(ms), { (f), 0 },                                                                  \
		{                                                                                  \
			(dbm0), 0                                                                  \
		}                                                                                  \
	}
#define TWO(ms, f, g, dbm0)                                                                        \
	{                                                                                          \
		(ms), { (f), (g) },                                                                \
		{                                                                                  \
			(dbm0), (dbm0)                                                             \
		}                                                                                  \
	}
// ITU-T Q.23's pairs; the high group 2 dB above the low one (ETSI ES 201 235-2, and what Q.24's
// receivers all accept), together -4.9 dBm0.
#define DIGIT(name, low, high)                                                                     \
	{                                                                                          \
		"dtmf." name,                                                                      \
		{                                                                                  \
			{                                                                          \
				1000, { (low), (high) },                                           \
				{                                                                  \
					-9, -7                                                     \
				}                                                                  \
			}                                                                          \
		}                                                                                  \
	}

static const struct td_tone_plan plans[] = {
	// ITU-T E.180 and its supplement 2; ETSI TR 101 041-2; 3GPP TS 22.001 annex F has the same
	// frequencies and cadences.
	{ "etsi.dial", { ONE(1000, 425, -10) } },
	{ "etsi.ringback", { ONE(1000, 425, -10), SILENCE(4000) } },
	{ "etsi.busy", { ONE(500, 425, -10), SILENCE(500) } },
	{ "etsi.congestion", { ONE(200, 425, -10), SILENCE(200) } },
	{ "etsi.sit",
	  { ONE(330, 950, -10), ONE(330, 1400, -10), ONE(330, 1800, -10), SILENCE(1010) } },
	{ "etsi.call-waiting",
	  { ONE(200, 425, -10), SILENCE(600), ONE(200, 425, -10), SILENCE(3000) } },
	{ "etsi.confirm", { ONE(200, 425, -10), SILENCE(200) } },
	{ "etsi.beep", { ONE(500, 1400, -16), SILENCE(14500) } },
	// The precise tone plan (Bellcore GR-506-CORE); us.sit is its "vacant code".
	{ "us.dial", { TWO(1000, 350, 440, -13) } },
	{ "us.ringback", { TWO(2000, 440, 480, -19), SILENCE(4000) } },
	{ "us.busy", { TWO(500, 480, 620, -24), SILENCE(500) } },
	{ "us.congestion",
	  {
		  TWO(250, 480, 620, -24),
		  SILENCE(250),
	  } },
	{ "us.sit",
	  { ONE(380, 985.2f, -16), ONE(274, 1370.6f, -16), ONE(380, 1776.7f, -16),
	    SILENCE(1006) } },
	{ "us.call-waiting", { ONE(300, 440, -13), SILENCE(9700) } },
	{ "us.confirm",
	  { TWO(100, 350, 440, -13), SILENCE(100), TWO(100, 350, 440, -13), SILENCE(100),
	    TWO(300, 350, 440, -13), SILENCE(300) } },
	{ "us.beep", { ONE(500, 1400, -16), SILENCE(14500) } },
	DIGIT("0", 941, 1336),
	DIGIT("1", 697, 1209),
	DIGIT("2", 697, 1336),
	DIGIT("3", 697, 1477),
	DIGIT("4", 770, 1209),
	DIGIT("5", 770, 1336),
	DIGIT("6", 770, 1477),
	DIGIT("7", 852, 1209),
	DIGIT("8", 852, 1336),
	DIGIT("9", 852, 1477),
	DIGIT("*", 941, 1209),
	DIGIT("#", 941, 1477),
	DIGIT("A", 697, 1633),
	DIGIT("B", 770, 1633),
	DIGIT("C", 852, 1633),
	DIGIT("D", 941, 1633),
};

#define PLAN_COUNT (sizeof plans / sizeof *plans)

size_t td_tone_count(void)
{
	return PLAN_COUNT;
}

const struct td_tone_plan *td_tone_at(size_t idx)
{
	return idx < PLAN_COUNT ? &plans[idx] : NULL;
}

const struct td_tone_plan *td_tone_find(const char *name)
{
	for (size_t i = 0; i < PLAN_COUNT; i++)
		if (strcmp(plans[i].name, name) == 0)
			return &plans[i];
	return NULL;
}

const struct td_tone_plan *td_tone_dtmf(char digit)
{
	const char name[] = { 'd', 't', 'm', 'f', '.', digit, '\0' };

	return digit == '\0' ? NULL : td_tone_find(name);
}

static uint32_t part_count(const struct td_tone_plan *plan)
{
	uint32_t count = 0;

	while (count < TD_TONE_PART_MAX && plan->parts[count].ms > 0)
		count++;
	return count;
}

static uint32_t rate_per_ms(uint32_t rate_hz)
{
	return rate_hz % RATE_STEP_HZ == 0 && rate_hz <= RATE_MAX_HZ ? rate_hz / 1000 : 0;
}

uint32_t td_tone_period_samples(const struct td_tone_plan *plan, uint32_t rate_hz)
{
	uint32_t ms = 0;

	for (uint32_t i = 0; i < part_count(plan); i++)
		ms += plan->parts[i].ms;
	return ms * rate_per_ms(rate_hz);
}

// A raised cosine over the ramp at both ends of the part, 1 between.
static double envelope(uint32_t position, uint32_t length, uint32_t ramp)
{
	uint32_t from_end = length - 1 - position;
	uint32_t edge = position < from_end ? position : from_end;

	if (edge >= ramp)
		return 1;
	return 0.5 - 0.5 * cos(M_PI * (edge + 1) / (ramp + 1));
}

// Samples position.. of one part of `length` samples.
static void render_part(const struct td_tone_part *part, uint32_t rate_hz, uint32_t ramp,
			uint32_t position, uint32_t length, int16_t *pcm, size_t samples)
{
	double step[TD_TONE_FREQUENCIES], amplitude[TD_TONE_FREQUENCIES];

	for (uint32_t f = 0; f < TD_TONE_FREQUENCIES; f++) {
		step[f] = 2 * M_PI * (double)part->hz[f] / rate_hz;
		amplitude[f] =
			part->hz[f] > 0
				? 32767 * pow(10, ((double)part->dbm0[f] - TD_TONE_FULL_DBM0) / 20)
				: 0;
	}
	for (size_t i = 0; i < samples; i++) {
		uint32_t at = position + (uint32_t)i;
		double sum = 0;

		for (uint32_t f = 0; f < TD_TONE_FREQUENCIES; f++)
			sum += amplitude[f] * sin(step[f] * at);
		pcm[i] = (int16_t)lrint(sum * envelope(at, length, ramp));
	}
}

int td_tone_render(const struct td_tone_plan *plan, uint32_t rate_hz, uint64_t first_sample,
		   int16_t *pcm, size_t samples)
{
	uint32_t per_ms = rate_per_ms(rate_hz);
	uint32_t period = td_tone_period_samples(plan, rate_hz);
	uint32_t count = part_count(plan);
	// A steady tone has no edges.
	uint32_t ramp = count > 1 ? TD_TONE_RAMP_MS * per_ms : 0;
	uint32_t position, part = 0;

	if (per_ms == 0)
		return -TD_EINVALID;
	TD_ASSERT(period > 0);
	position = (uint32_t)(first_sample % period);
	while (position >= plan->parts[part].ms * per_ms)
		position -= plan->parts[part++].ms * per_ms;
	while (samples > 0) {
		uint32_t length = plan->parts[part].ms * per_ms;
		size_t now = length - position < samples ? length - position : samples;

		render_part(&plan->parts[part], rate_hz, ramp, position, length, pcm, now);
		pcm += now;
		samples -= now;
		position = 0;
		part = (part + 1) % count;
	}
	return 0;
}

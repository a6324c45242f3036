#include "rtp/comfort_noise.h"

#include <math.h>
#include <string.h>

#define FULL_SCALE     32768.0f
#define REFLECTION_MAX 0.98f // beyond, a sender has not measured noise, and it would ring
#define GAIN_SPEED     (1.0f / 128.0f)
#define INAUDIBLE      0.25f
#define LEVEL_MASK     0x7fu

void td_comfort_noise_init(struct td_comfort_noise *noise, uint32_t seed)
{
	memset(noise, 0, sizeof *noise);
	noise->seed = seed | 1u;
}

void td_comfort_noise_describe(struct td_comfort_noise *noise, const uint8_t *payload, uint32_t len)
{
	float power = 1.0f;

	if (len == 0) {
		td_comfort_noise_end(noise);
		return;
	}
	noise->order = len - 1u;
	if (noise->order > TD_COMFORT_NOISE_ORDER_MAX)
		noise->order = TD_COMFORT_NOISE_ORDER_MAX;
	for (uint32_t i = 0; i < noise->order; i++) {
		// RFC 3389 section 3.2: k = 258 (N - 127) / 32768.
		float k = 258.0f * (float)((int)payload[i + 1u] - 127) / FULL_SCALE;

		k = k > REFLECTION_MAX ? REFLECTION_MAX : k;
		k = k < -REFLECTION_MAX ? -REFLECTION_MAX : k;
		noise->reflection[i] = k;
		power *= 1.0f - k * k;
	}
	// Uniform noise in [-1, 1) has a power of 1/3, and the lattice has one of 1 / power.
	noise->gain_wanted = FULL_SCALE * powf(10.0f, -(float)(payload[0] & LEVEL_MASK) / 20.0f) *
			     sqrtf(3.0f * power);
}

void td_comfort_noise_end(struct td_comfort_noise *noise)
{
	noise->gain_wanted = 0.0f;
}

// One sample of the lattice.
static float shape(struct td_comfort_noise *noise, float sample)
{
	for (uint32_t i = noise->order; i-- > 0;) {
		sample -= noise->reflection[i] * noise->memory[i];
		noise->memory[i + 1u] = noise->memory[i] + noise->reflection[i] * sample;
	}
	noise->memory[0] = sample;
	return sample;
}

bool td_comfort_noise_add(struct td_comfort_noise *noise, int16_t *pcm, uint32_t samples)
{
	if (noise->gain < INAUDIBLE && noise->gain_wanted < INAUDIBLE) {
		memset(noise->memory, 0, sizeof noise->memory);
		noise->gain = 0.0f;
		return false;
	}
	for (uint32_t i = 0; i < samples; i++) {
		float white, sum;

		noise->seed = noise->seed * 1664525u + 1013904223u; // Knuth, TAOCP 3.3.4
		white = (float)(int32_t)noise->seed * (1.0f / 2147483648.0f);
		noise->gain += (noise->gain_wanted - noise->gain) * GAIN_SPEED;
		sum = (float)pcm[i] + shape(noise, white * noise->gain);
		sum = sum > (float)INT16_MAX ? (float)INT16_MAX : sum;
		pcm[i] = (int16_t)(sum < (float)INT16_MIN ? (float)INT16_MIN : sum);
	}
	return true;
}

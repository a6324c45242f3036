#include "codecs/comfort_noise.h"

#include <math.h>
#include <string.h>

#define OVERLOAD      32768.0f // rms of 0 dBov: a square wave that fills the range
#define STEP          (258.0f / 32768.0f)
#define MIDDLE        127 // the byte of a coefficient of 0
#define COEFFICIENTS  255 // bytes 0 to 254; 255 is reserved
#define AVERAGED_MAX  16
#define FOLLOW        0.008f // of the way to the new level, a sample
#define INAUDIBLE     0.25f
#define WHITEN        1.0001f // a floor under the spectrum, so that the recursion stays sound
#define UNIFORM_SCALE (1.7320508f / 2147483648.0f) // rms 1 of a uniform 32-bit number

void td_noise_meter_init(struct td_noise_meter *meter)
{
	memset(meter, 0, sizeof *meter);
}

void td_noise_meter_add(struct td_noise_meter *meter, const int16_t *pcm, size_t samples)
{
	float weight;

	if (samples <= TD_COMFORT_NOISE_ORDER_MAX)
		return;
	if (meter->blocks < AVERAGED_MAX)
		meter->blocks++;
	weight = 1.0f / (float)meter->blocks;
	for (size_t lag = 0; lag <= TD_COMFORT_NOISE_ORDER_MAX; lag++) {
		float sum = 0;

		for (size_t i = lag; i < samples; i++)
			sum += (float)pcm[i] * (float)pcm[i - lag];
		// Over what was summed, not over the block: no tilt from the window.
		sum /= (float)(samples - lag);
		meter->correlation[lag] += weight * (sum - meter->correlation[lag]);
	}
}

// Levinson-Durbin: the reflection coefficients of an autocorrelation.
static void reflect(const float *r, uint32_t order, float *k)
{
	float a[TD_COMFORT_NOISE_ORDER_MAX + 1] = { 1 }, error = r[0] * WHITEN;

	for (uint32_t m = 1; m <= order; m++) {
		float sum = r[m], old[TD_COMFORT_NOISE_ORDER_MAX + 1];

		for (uint32_t i = 1; i < m; i++)
			sum += a[i] * r[m - i];
		k[m - 1] = error > 0 ? -sum / error : 0;
		// Rounding, or a background that is a tone, may leave the unit circle.
		if (!(fabsf(k[m - 1]) < 1))
			k[m - 1] = k[m - 1] < 0 ? -0.999f : 0.999f;
		memcpy(old, a, sizeof old);
		for (uint32_t i = 1; i < m; i++)
			a[i] = old[i] + k[m - 1] * old[m - i];
		a[m] = k[m - 1];
		error *= 1 - k[m - 1] * k[m - 1];
	}
}

int td_noise_meter_write(const struct td_noise_meter *meter, uint32_t order, uint8_t *payload,
			 size_t payload_max)
{
	float k[TD_COMFORT_NOISE_ORDER_MAX], level;

	if (order > TD_COMFORT_NOISE_ORDER_MAX)
		return -TD_EINVALID;
	if (meter->blocks == 0)
		return -TD_EEMPTY;
	if (payload_max < 1 + order)
		return -TD_EFULL;
	level = -10 * log10f(meter->correlation[0] / (OVERLOAD * OVERLOAD) + 1e-13f);
	payload[0] = (uint8_t)(level < 0                            ? 0
			       : level > TD_COMFORT_NOISE_LEVEL_MAX ? TD_COMFORT_NOISE_LEVEL_MAX
								    : lrintf(level));
	reflect(meter->correlation, order, k);
	for (uint32_t i = 0; i < order; i++) {
		long byte = MIDDLE + lrintf(k[i] / STEP);

		payload[1 + i] = (uint8_t)(byte < 0                  ? 0
					   : byte > COEFFICIENTS - 1 ? COEFFICIENTS - 1
								     : byte);
	}
	return (int)(1 + order);
}

void td_comfort_noise_init(struct td_comfort_noise *noise, uint32_t seed)
{
	memset(noise, 0, sizeof *noise);
	noise->seed = seed;
}

void td_comfort_noise_describe(struct td_comfort_noise *noise, const uint8_t *payload, size_t bytes)
{
	if (bytes == 0) {
		td_comfort_noise_end(noise);
		return;
	}
	noise->order = bytes - 1 < TD_COMFORT_NOISE_ORDER_MAX ? (uint32_t)bytes - 1
							      : TD_COMFORT_NOISE_ORDER_MAX;
	for (uint32_t i = 0; i < noise->order; i++) {
		uint8_t byte = payload[1 + i] < COEFFICIENTS ? payload[1 + i] : COEFFICIENTS - 1;

		noise->k[i] = STEP * (float)(byte - MIDDLE);
		noise->c[i] = sqrtf(1 - noise->k[i] * noise->k[i]);
	}
	noise->target = OVERLOAD * powf(10, -(float)(payload[0] & TD_COMFORT_NOISE_LEVEL_MAX) / 20);
}

void td_comfort_noise_end(struct td_comfort_noise *noise)
{
	noise->target = 0;
}

// One sample through the lattice. Each section turns (forward, delayed) by an angle whose sine is k:
// what comes out has the power of what went in.
static float shape(struct td_comfort_noise *noise, float forward)
{
	uint32_t order = noise->order;

	for (uint32_t m = order; m-- > 0;) {
		float back = noise->delayed[m], into = forward;

		forward = noise->c[m] * into - noise->k[m] * back;
		if (m + 1 < order)
			noise->delayed[m + 1] = noise->k[m] * into + noise->c[m] * back;
	}
	if (order > 0)
		noise->delayed[0] = forward;
	return forward;
}

bool td_comfort_noise_add(struct td_comfort_noise *noise, int16_t *pcm, size_t samples)
{
	if (noise->gain < INAUDIBLE && noise->target < INAUDIBLE) {
		noise->gain = 0;
		return false;
	}
	for (size_t n = 0; n < samples; n++) {
		float sum;

		noise->seed = noise->seed * 1664525u + 1013904223u; // Knuth, TAOCP 3.3.4
		noise->gain += FOLLOW * (noise->target - noise->gain);
		sum = (float)pcm[n] +
		      noise->gain * shape(noise, (float)(int32_t)noise->seed * UNIFORM_SCALE);
		sum = sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum;
		pcm[n] = (int16_t)lrintf(sum);
	}
	return true;
}

// Comfort noise as the sender describes it (RFC 3389): a level and the shape of a spectrum.
//
//   payload: | level, -dBov | reflection coefficients, one byte each, as many as there are |
//
// White noise through the all-pole lattice of these coefficients. The level follows a change within
// some 30 ms, from silence at the beginning and to silence at the end, so it never clicks. Pure;
// caller's memory; two streams never sound alike when their seeds differ.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TD_COMFORT_NOISE_ORDER_MAX 10u // RFC 3389 lets there be more; what is beyond is not heard

struct td_comfort_noise {
	uint32_t seed;
	uint32_t order;
	float gain, gain_wanted; // of the white noise
	float reflection[TD_COMFORT_NOISE_ORDER_MAX];
	float memory[TD_COMFORT_NOISE_ORDER_MAX + 1u];
};

void td_comfort_noise_init(struct td_comfort_noise *noise, uint32_t seed);

// What a payload says is to be heard from now on. No bytes at all: nothing.
void td_comfort_noise_describe(struct td_comfort_noise *noise, const uint8_t *payload,
			       uint32_t len);

// It is to die away.
void td_comfort_noise_end(struct td_comfort_noise *noise);

// Adds `samples` of it to pcm. False: it has died away, and nothing was added.
bool td_comfort_noise_add(struct td_comfort_noise *noise, int16_t *pcm, uint32_t samples);

// Comfort noise, RFC 3389: the background of a pause as a level and a few reflection coefficients.
//
//   blocks of a pause --add--> meter --write--> [ level | k1 | k2 ... ] --describe--> noise --add--> PCM
//
//   level byte L: -L dB of overload, rms 32768      coefficient byte N: k = 258 (N - 127) / 32768
//
// k is of the predictor A(z) = 1 + sum a_i z^-i, so k1 = -R(1)/R(0): below 127 for what rumbles, above
// for what hisses. (The RFC leaves the sign open; this is WebRTC's. bcg729 has the other one: there a
// rumble becomes a hiss at the right level.) The noise runs through a normalised lattice, whose power
// is that of its input whatever the coefficients are or were: no bytes and no change of them can make
// it loud. It follows a change of level within some 30 ms, from silence at the beginning and to
// silence at the end, so it never clicks.
// Both structs lie in the caller's memory; pure; any thread. The rate is that of the codec beside it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "td_error.h"

#define TD_COMFORT_NOISE_ORDER_MAX 12
#define TD_COMFORT_NOISE_BYTES_MAX (1 + TD_COMFORT_NOISE_ORDER_MAX)
#define TD_COMFORT_NOISE_LEVEL_MAX 127

// The measure of a background: averaged autocorrelation, of about the last 300 ms.
struct td_noise_meter {
	uint32_t blocks; // averaged so far
	float correlation[TD_COMFORT_NOISE_ORDER_MAX + 1];
};

struct td_comfort_noise {
	uint32_t seed;
	uint32_t order;
	float gain, target; // rms now, and where it goes
	float k[TD_COMFORT_NOISE_ORDER_MAX];
	float c[TD_COMFORT_NOISE_ORDER_MAX]; // sqrt(1 - k^2)
	float delayed[TD_COMFORT_NOISE_ORDER_MAX];
};

void td_noise_meter_init(struct td_noise_meter *meter);

// Adds one block, 10 to 60 ms of what the caller holds to be a pause.
void td_noise_meter_add(struct td_noise_meter *meter, const int16_t *pcm, size_t samples);

// Writes the payload: 1 + `order` bytes, order 0 (the level alone) to TD_COMFORT_NOISE_ORDER_MAX.
// Answers the bytes; -TD_EEMPTY before the first block, -TD_EINVALID, -TD_EFULL.
TD_MUST_CHECK int td_noise_meter_write(const struct td_noise_meter *meter, uint32_t order,
				       uint8_t *payload, size_t payload_max);

// Silent until it is described. Streams with different seeds do not hum in unison.
void td_comfort_noise_init(struct td_comfort_noise *noise, uint32_t seed);

// What a received payload says is to be heard from now on; no bytes at all: nothing. Coefficients
// beyond the order this knows are ignored, as the RFC has it.
void td_comfort_noise_describe(struct td_comfort_noise *noise, const uint8_t *payload,
			       size_t bytes);

// It is to die away.
void td_comfort_noise_end(struct td_comfort_noise *noise);

// Adds `samples` of it to pcm. False: it has died away, and nothing was added.
bool td_comfort_noise_add(struct td_comfort_noise *noise, int16_t *pcm, size_t samples);

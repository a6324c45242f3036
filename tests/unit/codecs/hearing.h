// Lets a detector hear sounds made to order, at any rate, and keeps what it said.
#pragma once

#include <stdint.h>

#include "codecs/detect.h"
#include "td_command.h"
#include "td_event.h"

#define HEARING_SAMPLES_MAX (48000 * 24)
#define HEARING_REPORTS_MAX 256

struct hearing {
	uint32_t rate_hz;
	uint32_t samples; // in pcm
	int16_t pcm[HEARING_SAMPLES_MAX];
	uint32_t count;
	struct td_detected reports[HEARING_REPORTS_MAX];
};

// An empty recording.
void hearing_begin(struct hearing *hearing, uint32_t rate_hz);
void hearing_silence(struct hearing *hearing, uint32_t ms);
// Up to two sines, with the phase going on from 0; hz 0: none.
void hearing_sines(struct hearing *hearing, uint32_t ms, double hz_a, double dbm0_a, double hz_b,
		   double dbm0_b);
// The tone of this name for so long, its level changed by `db`.
void hearing_tone(struct hearing *hearing, const char *name, uint32_t ms, double db);
// Syllables of a made-up language by a made-up speaker; the same seed says the same. At the rate
// of the recording; its peaks are near -10 dBm0.
void hearing_speech(struct hearing *hearing, uint32_t ms, uint32_t seed);
// White noise over all there is so far.
void hearing_add_noise(struct hearing *hearing, double dbm0, uint32_t seed);
// Through G.711 mu-law and back.
void hearing_companded(struct hearing *hearing);

// All of it in blocks of 20 ms (or of `block_samples`) to a new detector.
void hearing_listen(struct hearing *hearing, uint32_t wanted);
void hearing_listen_in(struct hearing *hearing, uint32_t wanted, uint32_t block_samples);

// The digits that began, in order; the caller's memory.
const char *hearing_digits(const struct hearing *hearing, char text[HEARING_REPORTS_MAX]);
// How many reports there are of this tone beginning, or ending.
uint32_t hearing_count(const struct hearing *hearing, enum td_tone tone, bool ended);
// The first of them, or NULL.
const struct td_detected *hearing_find(const struct hearing *hearing, enum td_tone tone,
				       bool ended);
// All reports on stderr, for a failing test.
void hearing_dump(const struct hearing *hearing);

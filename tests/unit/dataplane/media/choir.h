// Parties that each hold a tone of their own, and an ear that tells how loud each of them is heard.
//
//   party i sings 300 + 200 i Hz in its codec --> world --> what party j receives, decoded, gives
//   heard[i][j] by projection on each tone: the gain matrix as it sounds
//
// All voices have the same level; tones are whole cycles of 20 ms, so they are orthogonal over any
// whole number of frames.
#pragma once

#include "codecs/codec.h"
#include "world.h"

#define CHOIR_MAX    8
#define CHOIR_LEVEL  3000.0
#define CHOIR_PROMPT 0 // the prompt that sings for players

struct choir;

struct choir_voice {
	struct world_party party;
	const struct td_codec *codec;
	void *encoder, *decoder;
	uint32_t hz, ptime_ms;
	double phase_hz;
	uint32_t sung;     // samples since the beginning
	bool silent, away; // sends silence; sends nothing
	// What the network makes of a packet: choir_deliver now, later, twice or never. NULL: now.
	void (*network)(struct choir *choir, struct choir_voice *voice, const struct frame *frame);
	int16_t heard[48000]; // the last ones it received, at hz
	uint32_t heard_count, packets;
	uint16_t last_sequence;
	uint32_t last_timestamp, breaks; // of the numbering of what it received
	uint32_t stalls;                 // packets of no later time than the one before
};

struct choir {
	struct world *world;
	struct choir_voice voices[CHOIR_MAX];
	uint32_t count, now_ms;
	struct td_context_id context;
};

// A new world, and in it nobody who sings yet.
void choir_begin(struct choir *choir, struct world *world, const struct world_options *options);
// One more voice with this codec; its address is 10.77.0.10, 20 or 30 in turn.
struct choir_voice *choir_add(struct choir *choir, struct td_context_id context, uint8_t codec,
			      uint32_t ptime_ms);
void choir_end(struct choir *choir);
void choir_deliver(struct choir *choir, const struct frame *frame);
// Everybody sings and hears for so long; a multiple of 20 ms.
void choir_sing(struct choir *choir, uint32_t ms);
// How loud `to` has heard the tone of phase_hz in the last `ms`: 1.0 is unity.
double choir_gain(const struct choir_voice *to, double phase_hz, uint32_t ms);
// Sets cells of the context: talk (to NULL), hear (from NULL) or a pair. The command's result.
int choir_edit(struct choir *choir, struct td_context_id context, const struct choir_voice *from,
	       const struct choir_voice *to, int32_t gain_q12);
// They hear each other as loud as they are.
void choir_both(struct choir *choir, struct td_context_id context, const struct choir_voice *x,
		const struct choir_voice *y);
// Asserts that `to` hears exactly these gains of all voices, within 10 % and -30 dB of silence.
#define choir_hears(choir, to, ...)                                                                \
	choir_check((choir), (to), (const double[]){ __VA_ARGS__ }, __FILE__, __LINE__)
void choir_check(const struct choir *choir, const struct choir_voice *to, const double *gains,
		 const char *file, int line);

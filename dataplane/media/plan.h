// The plan compiler: a gain matrix in, who is sent what out.
//
//   NOTHING   hears nobody
//   FORWARD   hears exactly one stream, at unity gain, of the same codec and packet time, whose
//             digits it takes as they are: packets are rewritten and sent    --> a route
//   PLAY      hears exactly one player, at unity gain: its encoded frames    --> a route
//             (one that is fed live has none, and is mixed)
//   MIX       anything else                                                  --> a mix
//   SHARED    a mix that several listeners hear alike, in the same codec: encoded once
//
// What a mix is made of, in samples x of the sources:
//
//   floor = sum of talk[s] * x[s]          (sources with talk[s] != 0)
//   mix   = hear * (floor - talk[self] * x[self]) + sum of cell.gain * x[cell.source]
//
// where `cell.gain` is what a cell of the matrix says beyond the floor. So a listener who hears the
// whole floor costs one subtraction, however many there are.
//
// A codec that is not yet known (TD_CODEC_NONE) forwards to and from all, and neither speaks nor
// hears in a mix; the matrix is compiled again when it becomes known. A plan is immutable and one
// piece of memory: made on the main thread, read by the context's worker until it reports the plan
// after it applied. Pure; scratch memory is the caller's.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/matrix.h"
#include "td_stats.h"

#define TD_SOURCE_NONE UINT32_MAX
#define TD_LET_NONE    UINT32_MAX // no inlet, no outlet

struct td_resampler;

// One feed and all who hear it and nothing else.
struct td_plan_route {
	uint32_t feed;
	uint32_t sink_first, sink_count; // in route_sinks
};

// Whose samples the mixes need, or a detector.
struct td_plan_source {
	uint32_t feed;
	uint32_t slot;
	uint32_t inlet;                 // of a stream; filled in by the engine
	uint32_t inlet_hz;              // what its decoder makes; likewise
	int16_t talk_q12;               // into the floor; 0: only in cells
	uint8_t codec;                  // of a stream
	uint8_t detect;                 // TD_DETECT_*
	uint8_t tune;                   // TD_TUNE_*
	struct td_resampler *resampler; // from inlet_hz to the plan's rate; NULL: they are the same
	void *decoder;                  // ready; NULL: the inlet's own memory does
};

struct td_plan_cell {
	uint32_t source;
	int32_t gain_q12; // may be negative: less than the floor gives
};

// One encoder: what it codes and who gets it.
struct td_plan_mix {
	uint32_t self; // source whose part of the floor is left out, TD_SOURCE_NONE
	uint32_t cell_first, cell_count;
	uint32_t sink_first, sink_count; // in mix_sinks; the first one's outlet codes for all
	uint32_t outlet, outlet_hz;      // filled in by the engine
	int16_t hear_q12;                // 0: nothing of the floor
	uint8_t codec, ptime_ms;
	bool events;    // its listeners take telephone-events
	bool no_digits; // and are to be spared them
	struct td_codec_settings settings;
	struct td_resampler *resampler; // from the plan's rate to outlet_hz
	void *encoder;                  // likewise
};

struct td_plan {
	uint32_t rate_hz; // of the samples; 0: there is nothing to mix or to detect
	uint32_t seat_count, route_count, route_sink_count;
	uint32_t source_count, mix_count, cell_count, mix_sink_count;
	bool floor;                 // somebody hears it
	bool detects;               // somebody is listened to by a detector
	struct td_plan_seat *seats; // by slot
	struct td_plan_route *routes;
	uint32_t *route_sinks; // stream indexes
	struct td_plan_source *sources;
	struct td_plan_mix *mixes;
	struct td_plan_cell *cells;
	uint32_t *mix_sinks; // stream indexes
	void *garbage;       // the engine's: what may be freed together with this plan
};

// What the plan means for one member. Two plans of a context that have the same seat at a slot
// mean the same for it, so that an edit touches only those whom it concerns.
struct td_plan_seat {
	uint32_t feed;      // the member, TD_FEED_NONE: a hole
	uint32_t fed_by;    // whom it hears: a feed, TD_FEED_MIX, or TD_FEED_NONE
	uint32_t inlet_key; // what its inlet decodes, 0: it needs none; filled in by the engine
	uint8_t hears;      // enum td_hears
	uint8_t ptime_ms;
};

struct td_plan_scratch;

// Room for the largest matrix, used again for every compilation. NULL: no memory.
struct td_plan_scratch *td_plan_scratch_create(void);
void td_plan_scratch_destroy(struct td_plan_scratch *scratch);

// A plan of its own memory, to be freed with free() while it has no garbage. -TD_EMEMORY.
// `playable`: bit c set when players have their frames in codec c; others hear them in a mix.
TD_MUST_CHECK int td_plan_compile(const struct td_matrix *matrix, uint32_t playable,
				  struct td_plan_scratch *scratch, struct td_plan **out);

// The highest PCM rate worth keeping of a stream's or player's audio: 8000, 16000 or 48000.
uint32_t td_plan_member_hz(const struct td_matrix_member *member);

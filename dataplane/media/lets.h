// Inlets and outlets: where a stream's packets become samples, and samples its packets.
//
//   packets --> inlet: jitter buffer, decoder, concealment --> 20 ms of PCM --> mixes
//   a mix   --> outlet: packet time, encoder --> payload, sent to all who hear that mix
//
// Two pools, sized at start by what may be mixed at once and touched only where they are used. The
// main thread gives them out (provision.c); from the plan that first names one to the stream's end
// only the stream's worker reads or writes it. A listener that codes for others and leaves has its
// outlet taken over by one of them. What not every tick of every stream touches has
// arrays of its own, by the same index: codec states, each with room for the largest, detectors, and
// what waits for longer packets than a tick's. So the hot parts lie close together.
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "codecs/codec.h"
#include "codecs/detect.h"
#include "rtp/playout.h"
#include "td_error.h"
#include "td_limits.h"

#define TD_MIX_RATE_MAX    48000u
#define TD_TICKS_PER_S     50u
#define TD_MIX_SAMPLES_MAX (TD_MIX_RATE_MAX / TD_TICKS_PER_S) // of one tick
#define TD_OUTLET_MS_MAX   60u
#define TD_OUTLET_GAP_NS   30000000ull // a tick was missed: what an outlet has kept is stale

struct td_inlet {
	uint32_t key;          // td_plan_seat.inlet_key of the plan it was last made ready for
	uint32_t detect_key;   // what its detector is ready for: TD_DETECT_*, and the rate
	uint32_t digit_frames; // how long the digit has been
	char digit;            // that is being said: an event, or heard in the samples; NUL: none
	bool digit_heard;      // in the samples
	bool active;           // a plan names it
	bool tail;             // its resampler holds the end of something
	alignas(TD_CACHE_LINE) struct td_playout playout;
};

struct td_outlet {
	alignas(TD_CACHE_LINE) const struct td_codec *codec; // NULL: not ready
	void *encoder;
	uint64_t last_ns; // of the tick it was last used in
	uint32_t hz;      // the encoder's
	uint32_t waiting; // samples kept for the next packet
	uint32_t step;    // RTP ticks from the last packet's timestamp to the next one's
	bool marker;      // the next packet begins a talk spurt
	struct td_codec_settings settings;
};

_Static_assert(sizeof(struct td_outlet) == TD_CACHE_LINE, "an outlet is one cache line");

struct td_outlet_waiting {
	int16_t pcm[TD_MIX_RATE_MAX / 1000u * TD_OUTLET_MS_MAX];
};

struct td_lets {
	struct td_inlet *inlets;
	struct td_outlet *outlets;
	struct td_detect *detectors;         // by inlet
	uint8_t *decoders, *encoders;        // states, by inlet, by outlet
	struct td_outlet_waiting *waiting;   // by outlet
	size_t decoder_bytes, encoder_bytes; // strides
	uint32_t count;                      // of each
};

// -TD_EMEMORY.
TD_MUST_CHECK int td_lets_create(uint32_t count, struct td_lets *lets);
void td_lets_destroy(struct td_lets *lets);

static inline struct td_inlet *td_lets_inlet(const struct td_lets *lets, uint32_t index)
{
	return &lets->inlets[index];
}

static inline struct td_outlet *td_lets_outlet(const struct td_lets *lets, uint32_t index)
{
	return &lets->outlets[index];
}

// Makes an inlet ready for what its plan says, empty. The key is td_plan_seat.inlet_key; `decoder`
// is a state that main has made ready, NULL: the inlet's own memory becomes one.
void td_inlet_begin(const struct td_lets *lets, uint32_t index, uint32_t key, void *decoder);
// An outlet that has nothing to do but go on coding as it did at the tick before. False: it is made
// ready by td_outlet_begin.
static inline bool td_outlet_goes_on(struct td_outlet *outlet, enum td_codec_id codec, uint32_t hz,
				     const struct td_codec_settings *settings, uint64_t now_ns)
{
	uint64_t gap_ns = now_ns - outlet->last_ns;

	outlet->last_ns = now_ns;
	return gap_ns < TD_OUTLET_GAP_NS && outlet->codec != NULL && outlet->codec->id == codec &&
	       outlet->hz == hz && memcmp(&outlet->settings, settings, sizeof *settings) == 0;
}
// Makes an outlet ready to code at `hz`, from the beginning; `encoder` likewise.
void td_outlet_begin(const struct td_lets *lets, uint32_t index, enum td_codec_id codec,
		     uint32_t hz, const struct td_codec_settings *settings, void *encoder);

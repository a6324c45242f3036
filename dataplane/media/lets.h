// Inlets and outlets: where a stream's packets become samples, and samples its packets.
//
//   packets --> inlet: jitter buffer, decoder, concealment --> 20 ms of PCM --> mixes
//   a mix   --> outlet: packet time, encoder --> payload, sent to all who hear that mix
//
// Two pools, sized at start by what may be mixed at once and touched only where they are used. The
// main thread gives them out (provision.c); from the plan that first names one to the stream's end
// only the stream's worker reads or writes it. Each has room behind it for the largest codec state.
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codecs/codec.h"
#include "codecs/detect.h"
#include "rtp/playout.h"
#include "td_error.h"
#include "td_limits.h"

#define TD_MIX_RATE_MAX    48000u
#define TD_TICKS_PER_S     50u
#define TD_MIX_SAMPLES_MAX (TD_MIX_RATE_MAX / TD_TICKS_PER_S) // of one tick
#define TD_OUTLET_MS_MAX   60u

struct td_inlet {
	struct td_playout playout;
	const struct td_codec *codec;
	void *decoder;
	uint32_t key;          // td_plan_seat.inlet_key of the plan it was last made ready for
	bool active;           // a plan names it
	uint32_t detect_key;   // what its detector is ready for: TD_DETECT_*, and the rate
	uint32_t digit_frames; // how long the digit has been
	char digit;            // that is being said: an event, or heard in the samples; NUL: none
	bool digit_heard;      // in the samples
	int16_t pcm[TD_MIX_SAMPLES_MAX];
};

struct td_outlet {
	const struct td_codec *codec; // NULL: not ready
	void *encoder;
	uint64_t last_ns; // of the tick it was last used in
	uint32_t hz;      // the encoder's
	uint32_t waiting; // samples kept for the next packet
	uint32_t step;    // RTP ticks from the last packet's timestamp to the next one's
	bool marker;      // the next packet begins a talk spurt
	struct td_codec_settings settings;
	int16_t pcm[TD_MIX_RATE_MAX / 1000u * TD_OUTLET_MS_MAX];
};

struct td_lets {
	uint8_t *inlets, *outlets;
	struct td_detect *detectors;      // by inlet
	size_t inlet_bytes, outlet_bytes; // strides
	uint32_t count;                   // of each
};

// -TD_EMEMORY.
TD_MUST_CHECK int td_lets_create(uint32_t count, struct td_lets *lets);
void td_lets_destroy(struct td_lets *lets);

static inline struct td_inlet *td_lets_inlet(const struct td_lets *lets, uint32_t index)
{
	return (struct td_inlet *)(lets->inlets + index * lets->inlet_bytes);
}

static inline struct td_outlet *td_lets_outlet(const struct td_lets *lets, uint32_t index)
{
	return (struct td_outlet *)(lets->outlets + index * lets->outlet_bytes);
}

// Makes an inlet ready for what its plan says, empty. The key is td_plan_seat.inlet_key; `decoder`
// is a state that main has made ready, NULL: the inlet's own memory becomes one.
void td_inlet_begin(struct td_inlet *inlet, uint32_t key, void *decoder);
// Makes an outlet ready to code at `hz`, if it is not already doing just that; `encoder` likewise.
void td_outlet_begin(struct td_outlet *outlet, enum td_codec_id codec, uint32_t hz,
		     const struct td_codec_settings *settings, void *encoder, uint64_t now_ns);

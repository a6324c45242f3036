// What one worker's mixing keeps between the passes of a tick (mix.c); private to the media room.
//
// Lanes: codecs that code many streams at once in one vector register (codecs/g722_lanes.h) get
// their frames gathered here until there are enough, or until the pass is over.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codecs/g722_lanes.h"
#include "codecs/resample.h"
#include "media/lets.h"
#include "media/plan.h"
#include "media/worker_state.h"

#define TD_LANE_SAMPLES (16000u / TD_TICKS_PER_S)
#define TD_LANE_BYTES   160u
#define TD_LANE_RATES   2 // G.722 at 16 kHz, and its narrow band at 8 kHz

// A source whose frame waits for its decoding.
struct td_decode_lane {
	const struct td_plan_source *source;
	struct td_inlet *inlet;
	int16_t *pcm; // where it goes, in the plan's rate
	uint32_t at;  // in `ready`
};

// A mix whose frame waits for its coding.
struct td_encode_lane {
	const struct td_plan *plan;
	const struct td_plan_mix *mix;
	struct td_outlet *outlet;
	uint32_t feed;
};

struct td_decode_lanes {
	uint32_t count;
	struct td_decode_lane lanes[TD_G722_LANES];
	const uint8_t *payload[TD_G722_LANES];
	int16_t resampled[TD_G722_LANES][TD_LANE_SAMPLES]; // what goes elsewhere afterwards
};

struct td_encode_lanes {
	uint32_t count;
	struct td_encode_lane lanes[TD_G722_LANES];
	int16_t pcm[TD_G722_LANES][TD_LANE_SAMPLES];
};

struct td_mixer {
	const int16_t **ready; // by source, over all contexts of the slot; NULL: silent
	const int16_t **made;  // the same, whatever a digit has made of it since
	uint32_t ready_count;
	uint32_t room_at; // where the sources of the context at hand begin
	int16_t *pcm;     // 20 ms of every source of the slot, one after the other
	size_t pcm_bytes;
	uint32_t pcm_at;
	uint32_t sent;
	struct td_stage_clock *stages; // the worker's
	int32_t floor[TD_MIX_SAMPLES_MAX], sum[TD_MIX_SAMPLES_MAX];
	int16_t out[TD_MIX_SAMPLES_MAX], resampled[TD_MIX_SAMPLES_MAX];
	struct td_decode_lanes decode[TD_LANE_RATES];
	struct td_encode_lanes encode[TD_LANE_RATES];
};

// mix.c: how loud a mix has a source, Q12.
int32_t td_mix_gain(const struct td_plan *plan, const struct td_plan_mix *mix, uint32_t source);
// mix.c: an inlet's decoder has answered; `pcm` is what it made. In the plan's rate, it is ready.
void td_mix_ready(struct td_mixer *mixer, const struct td_decode_lane *lane, int16_t *pcm,
		  int decoded);

// lanes.c: true when the frame waits with others; td_mix_ready is called for it then.
bool td_lanes_decode(struct td_mixer *mixer, const struct td_decode_lane *lane,
		     const struct td_playout_job *job);
void td_lanes_decode_rest(struct td_mixer *mixer);
// True when the samples wait with others to be coded and sent.
bool td_lanes_encode(struct td_media_worker *worker, const struct td_encode_lane *lane,
		     const int16_t *pcm, uint32_t samples, uint64_t now_ns, struct td_tx *tx);
void td_lanes_encode_rest(struct td_media_worker *worker, uint64_t now_ns, struct td_tx *tx);

// outlet.c: 20 ms of a mix, in the plan's rate: coded and sent as its listeners' packet time says.
void td_outlet_push(struct td_media_worker *worker, const struct td_encode_lane *lane,
		    const int16_t *pcm, uint32_t samples, uint64_t now_ns, struct td_tx *tx);
// A packet is coded: `bytes` of it (0: nothing is to be sent, negative: it could not be coded).
void td_outlet_send(struct td_media_worker *worker, const struct td_encode_lane *lane,
		    const uint8_t *payload, int bytes, uint32_t samples, uint64_t now_ns,
		    struct td_tx *tx);

// Frames of G.722, gathered and coded sixteen at a time.
#include <string.h>

#include "media/mix.h"

static unsigned rate_index(uint32_t hz)
{
	return hz == 16000u ? 0 : 1u;
}

static void decode(struct td_mixer *mixer, struct td_decode_lanes *lanes)
{
	struct td_g722_decoder *states[TD_G722_LANES] = { NULL };
	int16_t *pcm[TD_G722_LANES] = { NULL };
	uint32_t count = lanes->count;
	enum td_stage before;
	size_t samples;

	for (uint32_t i = 0; i < count; i++) {
		states[i] = lanes->lanes[i].inlet->playout.decoder;
		pcm[i] = lanes->lanes[i].source->resampler != NULL ? lanes->resampled[i]
								   : lanes->lanes[i].pcm;
	}
	before = td_stage_enter(mixer->stages, TD_STAGE_DECODE);
	td_stage_count(mixer->stages, TD_STAGE_DECODE, count);
	samples = td_g722_decode_lanes(states, lanes->payload, pcm, count, TD_LANE_BYTES);
	lanes->count = 0;
	td_stage_enter(mixer->stages, before);
	for (uint32_t i = 0; i < count; i++)
		td_mix_ready(mixer, &lanes->lanes[i], pcm[i], (int)samples);
}

bool td_lanes_decode(struct td_mixer *mixer, const struct td_decode_lane *lane,
		     const struct td_playout_job *job)
{
	struct td_decode_lanes *lanes = &mixer->decode[rate_index(lane->source->inlet_hz)];

	if (lane->source->codec != TD_CODEC_G722 || job->len != TD_LANE_BYTES)
		return false;
	lanes->payload[lanes->count] = job->payload;
	lanes->lanes[lanes->count++] = *lane;
	if (lanes->count == TD_G722_LANES)
		decode(mixer, lanes);
	return true;
}

void td_lanes_decode_rest(struct td_mixer *mixer)
{
	for (unsigned i = 0; i < TD_LANE_RATES; i++)
		if (mixer->decode[i].count > 0)
			decode(mixer, &mixer->decode[i]);
}

static void encode(struct td_media_worker *worker, struct td_encode_lanes *lanes, uint32_t samples,
		   uint64_t now_ns, struct td_tx *tx)
{
	struct td_g722_encoder *states[TD_G722_LANES] = { NULL };
	uint8_t payloads[TD_G722_LANES][TD_LANE_BYTES], *payload[TD_G722_LANES] = { NULL };
	const int16_t *pcm[TD_G722_LANES] = { NULL };
	uint32_t count = lanes->count;
	enum td_stage before;
	size_t bytes;

	for (uint32_t i = 0; i < count; i++) {
		states[i] = lanes->lanes[i].outlet->encoder;
		pcm[i] = lanes->pcm[i];
		payload[i] = payloads[i];
	}
	before = td_stage_enter(&worker->stages, TD_STAGE_ENCODE);
	td_stage_count(&worker->stages, TD_STAGE_ENCODE, count);
	bytes = td_g722_encode_lanes(states, pcm, payload, count, samples);
	lanes->count = 0;
	td_stage_enter(&worker->stages, before);
	for (uint32_t i = 0; i < count; i++)
		td_outlet_send(worker, &lanes->lanes[i], payload[i], (int)bytes, samples, now_ns,
			       tx);
}

bool td_lanes_encode(struct td_media_worker *worker, const struct td_encode_lane *lane,
		     const int16_t *pcm, uint32_t samples, uint64_t now_ns, struct td_tx *tx)
{
	struct td_encode_lanes *lanes = &worker->mixer->encode[rate_index(lane->mix->outlet_hz)];

	if (lane->mix->codec != TD_CODEC_G722 || samples != lane->mix->outlet_hz / TD_TICKS_PER_S)
		return false;
	memcpy(lanes->pcm[lanes->count], pcm, samples * sizeof *pcm);
	lanes->lanes[lanes->count++] = *lane;
	if (lanes->count == TD_G722_LANES)
		encode(worker, lanes, samples, now_ns, tx);
	return true;
}

void td_lanes_encode_rest(struct td_media_worker *worker, uint64_t now_ns, struct td_tx *tx)
{
	static const uint32_t samples[TD_LANE_RATES] = { TD_LANE_SAMPLES, TD_LANE_SAMPLES / 2u };

	for (unsigned i = 0; i < TD_LANE_RATES; i++)
		if (worker->mixer->encode[i].count > 0)
			encode(worker, &worker->mixer->encode[i], samples[i], now_ns, tx);
}

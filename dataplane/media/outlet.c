// The sending end of a mix: packet time, encoder, and all who hear it.
#include <string.h>

#include "media/mix.h"
#include "media/send.h"
#include "media/sender.h"

#define AHEAD 4u // listeners

void td_outlet_send(struct td_media_worker *worker, const struct td_encode_lane *lane,
		    const uint8_t *payload, int bytes, uint32_t samples, uint64_t now_ns,
		    struct td_tx *tx)
{
	struct td_outlet *outlet = lane->outlet;
	const uint32_t *sinks = &lane->plan->mix_sinks[lane->mix->sink_first];
	uint32_t count = lane->mix->sink_count;
	uint32_t ticks = samples / (outlet->hz / 1000u) * (outlet->codec->clock_hz / 1000u);
	struct td_frame frame = { .payload = payload, .step = outlet->step };
	uint32_t sent = 0;
	enum td_stage before;

	if (bytes <= 0) {
		if (outlet->step != 0)         // else the first packet goes by the clock anyway
			outlet->step += ticks; // a pause that the coder has found, or made
		outlet->marker = true;
		return;
	}
	frame.bytes = (uint32_t)bytes;
	frame.marker = outlet->marker;
	before = td_stage_enter(&worker->stages, TD_STAGE_SEND);
	td_frame_seal(&frame);
	for (uint32_t i = 0; i < count; i++) {
		if (i + 2u * AHEAD < count)
			td_media_send_expect(worker, sinks[i + 2u * AHEAD]);
		if (i + AHEAD < count)
			td_media_send_soon(worker, sinks[i + AHEAD]);
		sent += td_media_send(worker, sinks[i], lane->feed, &frame, now_ns, tx);
	}
	worker->mixer->sent += sent;
	td_stage_count(&worker->stages, TD_STAGE_SEND, sent);
	td_stage_enter(&worker->stages, before);
	outlet->step = ticks;
	outlet->marker = false;
}

static void code(struct td_media_worker *worker, const struct td_encode_lane *lane,
		 const int16_t *pcm, uint32_t samples, uint64_t now_ns, struct td_tx *tx)
{
	const struct td_outlet *outlet = lane->outlet;
	uint8_t payload[TD_RTP_PAYLOAD_MAX];
	enum td_stage before;
	int bytes;

	if (td_lanes_encode(worker, lane, pcm, samples, now_ns, tx))
		return;
	before = td_stage_enter(&worker->stages, TD_STAGE_ENCODE);
	td_stage_count(&worker->stages, TD_STAGE_ENCODE, 1);
	bytes = outlet->codec->encode(outlet->encoder, pcm, samples, payload, sizeof payload);
	td_stage_enter(&worker->stages, before);
	td_outlet_send(worker, lane, payload, bytes, samples, now_ns, tx);
}

// Where nobody has said how long its packets are, a tick each, or less if that is too much for one.
static uint32_t packet_ms(const struct td_plan_mix *mix, const struct td_codec *codec)
{
	if (mix->ptime_ms != 0)
		return mix->ptime_ms;
	return codec->ptime_max_ms < TD_FRAME_MS ? codec->ptime_max_ms : TD_FRAME_MS;
}

void td_outlet_push(struct td_media_worker *worker, const struct td_encode_lane *lane,
		    const int16_t *pcm, uint32_t samples, uint64_t now_ns, struct td_tx *tx)
{
	struct td_outlet *outlet = lane->outlet;
	uint32_t packet = outlet->hz / 1000u * packet_ms(lane->mix, outlet->codec);
	int16_t *waiting;

	if (lane->mix->resampler != NULL) {
		enum td_stage before = td_stage_enter(&worker->stages, TD_STAGE_RESAMPLE);

		td_stage_count(&worker->stages, TD_STAGE_RESAMPLE, 1);
		samples = (uint32_t)td_resampler_process(lane->mix->resampler, pcm, samples,
							 worker->mixer->resampled);
		pcm = worker->mixer->resampled;
		td_stage_enter(&worker->stages, before);
	}
	if (outlet->waiting == 0 && samples == packet) {
		code(worker, lane, pcm, samples, now_ns, tx);
		return;
	}
	waiting = worker->lets->waiting[lane->mix->outlet].pcm;
	memcpy(waiting + outlet->waiting, pcm, samples * sizeof *pcm);
	outlet->waiting += samples;
	for (pcm = waiting; outlet->waiting >= packet; pcm += packet) {
		code(worker, lane, pcm, packet, now_ns, tx);
		outlet->waiting -= packet;
	}
	memmove(waiting, pcm, outlet->waiting * sizeof *pcm);
}

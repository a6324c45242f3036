// Digits that are heard: whom they concern.
#include "media/digits.h"

#include <string.h>

#include "codecs/mix_kernel.h"
#include "media/digit_senders.h"
#include "media/mix.h"
#include "td_event.h"

static void end_players(struct td_media_worker *worker, const struct td_worker_context *context,
			uint32_t stream, char digit)
{
	uint32_t index = context->first_player;

	for (; index != TD_INDEX_END; index = worker->players[index].next_in_context) {
		struct td_player *player = &worker->players[index];

		if (player->stop_stream == stream && (player->stop_digits & td_digit_bit(digit)))
			td_player_end(player, TD_PLAYER_END_DIGIT, digit);
	}
}

static void tell_digit(struct td_media_worker *worker, uint32_t stream,
		       const struct td_digit_report *report, bool heard, uint64_t now_ns)
{
	struct td_event event = { .kind = TD_EVENT_DIGIT };

	if (worker->cold[stream].hush || worker->cold[stream].digit_hushed)
		return; // it was said in private, or part of it
	event.u.digit.stream = worker->cold[stream].id;
	event.u.digit.context = worker->cold[stream].context;
	event.u.digit.duration_ms = report->duration_ms;
	event.u.digit.digit = report->digit;
	event.u.digit.inband = heard;
	event.u.digit.volume = report->volume;
	// A full ring is counted in events_lost.
	(void)!td_media_event(worker, &event, now_ns, false);
}

static const struct td_plan_source *source_of(const struct td_plan *plan, uint32_t stream)
{
	for (uint32_t i = 0; i < plan->source_count; i++)
		if (plan->sources[i].feed == stream)
			return &plan->sources[i];
	return NULL;
}

// Its listeners who take events get the digit as one.
static void pass_on(struct td_media_worker *worker, const struct td_plan *plan, uint32_t source,
		    const struct td_digit_report *report)
{
	for (uint32_t i = 0; i < plan->mix_count; i++) {
		const struct td_plan_mix *mix = &plan->mixes[i];

		if (!mix->events || mix->no_digits || td_mix_gain(plan, mix, source) == 0)
			continue;
		for (uint32_t j = 0; j < mix->sink_count; j++)
			td_digit_sender_press(worker, plan->mix_sinks[mix->sink_first + j],
					      plan->sources[source].feed, report->digit,
					      report->volume);
	}
}

// What a digit in a stream's samples means to those who hear them mixed.
static void begin_in_mixes(struct td_media_worker *worker, struct td_worker_context *context,
			   uint32_t stream, const struct td_digit_report *report, bool heard)
{
	const struct td_plan_source *source;
	struct td_inlet *inlet;

	if (!(worker->streams[stream].rx.flags & TD_RX_INLET) || context->plan == NULL)
		return;
	source = source_of(context->plan, stream);
	if (source == NULL)
		return;
	inlet = td_lets_inlet(worker->lets, source->inlet);
	if (inlet->digit != '\0')
		return; // said both ways at once: the first one counts
	inlet->digit = report->digit;
	inlet->digit_heard = heard;
	inlet->digit_frames = 0;
	context->digit_count++;
	if (!heard || (source->tune & TD_TUNE_CONVERT))
		pass_on(worker, context->plan, (uint32_t)(source - context->plan->sources), report);
}

void td_digits_forget(struct td_media_worker *worker, uint32_t stream)
{
	const struct td_stream_cold *cold = &worker->cold[stream];
	struct td_worker_context *context = &worker->contexts[td_handle_index(cold->context.v)];
	struct td_inlet *inlet;

	if (!(worker->streams[stream].rx.flags & TD_RX_INLET))
		return;
	inlet = td_lets_inlet(worker->lets, cold->inlet);
	if (inlet->digit == '\0')
		return;
	inlet->digit = '\0';
	context->digit_count--;
	td_digit_senders_release(worker, stream);
}

static void on_digit(struct td_media_worker *worker, uint32_t stream,
		     const struct td_digit_report *report, bool heard, uint64_t now_ns)
{
	struct td_worker_context *context =
		&worker->contexts[td_handle_index(worker->cold[stream].context.v)];

	if (report->kind == TD_DIGIT_BEGIN) {
		worker->cold[stream].digit_hushed = worker->cold[stream].hush;
		// A player's end names the digit.
		if (!worker->cold[stream].hush)
			end_players(worker, context, stream, report->digit);
		begin_in_mixes(worker, context, stream, report, heard);
		return;
	}
	tell_digit(worker, stream, report, heard, now_ns);
	td_digits_forget(worker, stream);
}

void td_digits_packet(struct td_media_worker *worker, const struct td_forward *fw,
		      const uint8_t *payload, uint64_t now_ns)
{
	uint32_t stream = fw->packet->stream, count;
	struct td_digit_report reports[TD_EVENT_RX_REPORT_MAX];

	if (fw->verdict == TD_RTP_FRESH && td_event_rx_flush(&worker->cold[stream].digits, reports))
		on_digit(worker, stream, reports, false, now_ns);
	count = td_event_rx_packet(&worker->cold[stream].digits, fw->timestamp, fw->marker != 0,
				   payload, fw->payload_len, now_ns, reports);
	for (uint32_t i = 0; i < count; i++)
		on_digit(worker, stream, &reports[i], false, now_ns);
}

void td_digits_poll(struct td_media_worker *worker, uint32_t stream, uint64_t now_ns)
{
	struct td_digit_report report;

	if (td_event_rx_poll(&worker->cold[stream].digits, now_ns, &report))
		on_digit(worker, stream, &report, false, now_ns);
}

static void tell_tone(struct td_media_worker *worker, uint32_t stream,
		      const struct td_detected *detected, uint64_t now_ns)
{
	struct td_event event = { .kind = TD_EVENT_TONE };

	if (worker->cold[stream].hush)
		return;
	event.u.tone.stream = worker->cold[stream].id;
	event.u.tone.context = worker->cold[stream].context;
	event.u.tone.tone = detected->tone;
	event.u.tone.ended = detected->ended;
	// A full ring is counted in events_lost.
	(void)!td_media_event(worker, &event, now_ns, false);
}

// One source's detector hears its next 20 ms.
static void detect(struct td_media_worker *worker, const struct td_plan *plan,
		   const struct td_plan_source *source, const int16_t *pcm, uint64_t now_ns)
{
	static const int16_t silence[TD_MIX_SAMPLES_MAX];
	struct td_inlet *inlet = td_lets_inlet(worker->lets, source->inlet);
	struct td_detect *detector = &worker->lets->detectors[source->inlet];
	uint32_t key = plan->rate_hz << 8 | source->detect;
	struct td_detected heard[TD_DETECTED_MAX];
	size_t count;

	if (inlet->detect_key != key &&
	    td_detect_init(detector, plan->rate_hz, source->detect) != 0)
		return;
	inlet->detect_key = key;
	count = td_detect_block(detector, pcm != NULL ? pcm : silence,
				plan->rate_hz / TD_TICKS_PER_S, heard, TD_DETECTED_MAX);
	for (size_t i = 0; i < count; i++) {
		struct td_digit_report report = { .digit = heard[i].digit,
						  .volume = heard[i].volume,
						  .duration_ms = heard[i].duration_ms };

		report.kind = heard[i].ended ? TD_DIGIT_END : TD_DIGIT_BEGIN;
		if (heard[i].kind == TD_DETECTED_DIGIT)
			on_digit(worker, source->feed, &report, true, now_ns);
		else
			tell_tone(worker, source->feed, &heard[i], now_ns);
	}
}

// A digit is no speech: an event's own time is silent, and one that is converted is taken out.
static void take_out(const struct td_media_worker *worker, const struct td_plan_source *source,
		     const int16_t **ready)
{
	struct td_inlet *inlet = td_lets_inlet(worker->lets, source->inlet);

	if (inlet->digit == '\0')
		return;
	inlet->digit_frames++;
	if (!inlet->digit_heard || (source->tune & TD_TUNE_CONVERT))
		*ready = NULL;
}

void td_digits_prepare(struct td_media_worker *worker, struct td_worker_context *context,
		       const int16_t **ready, uint64_t now_ns)
{
	const struct td_plan *plan = context->plan;

	for (uint32_t i = 0; plan->detects && i < plan->source_count; i++)
		if (plan->sources[i].detect != 0)
			detect(worker, plan, &plan->sources[i], ready[i], now_ns);
	for (uint32_t i = 0; context->digit_count > 0 && i < plan->source_count; i++)
		if (!(plan->sources[i].feed & TD_FEED_PLAYER))
			take_out(worker, &plan->sources[i], &ready[i]);
}

// The samples of a digit's tone, as far as it has sounded.
static const int16_t *tone_of(const struct td_media_worker *worker, const struct td_inlet *inlet,
			      uint32_t rate_hz)
{
	int code = td_telephone_event_code(inlet->digit);
	const struct td_prompt *tone = code < 0 ? NULL : worker->digit_prompts.tones[code];

	if (tone == NULL)
		return NULL;
	return td_prompt_samples(tone, rate_hz, inlet->digit_frames % tone->frame_count);
}

void td_digits_mix(const struct td_media_worker *worker, const struct td_plan *plan,
		   const struct td_plan_mix *mix, int32_t *sum, uint32_t samples)
{
	const struct td_mixer *mixer = worker->mixer;

	for (uint32_t i = 0; i < plan->source_count; i++) {
		const struct td_plan_source *source = &plan->sources[i];
		const struct td_inlet *inlet;
		const int16_t *tone = NULL;
		int32_t gain_q12;

		if (source->feed & TD_FEED_PLAYER)
			continue;
		inlet = td_lets_inlet(worker->lets, source->inlet);
		gain_q12 = inlet->digit == '\0' ? 0 : td_mix_gain(plan, mix, i);
		if (gain_q12 == 0)
			continue;
		if (!inlet->digit_heard || (source->tune & TD_TUNE_CONVERT)) {
			if (!mix->events && !mix->no_digits)
				tone = tone_of(worker, inlet, plan->rate_hz);
		} else if (mix->no_digits) {
			tone = mixer->made[mixer->room_at +
					   i]; // it is in the sum, and is taken out again
			gain_q12 = -gain_q12;
		}
		if (tone != NULL)
			td_mix_add_gain(sum, tone, gain_q12, samples);
	}
}

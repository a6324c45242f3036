// MIX: the contexts of one slot, in three passes over all of them, so that codecs which work on
// many streams at once get many.
//
//   gather   every source's next 20 ms: inlets pull and decode, players lend their samples
//   mix      floor, then each mix: floor less self, own cells, saturated
//   send     coded once a mix, sent to all who hear it
//
// Nothing here depends on who is in which context; the plan says it all.
#include "media/mix.h"

#include <stdlib.h>
#include <string.h>

#include <rte_prefetch.h>

#include "base/pages.h"
#include "codecs/mix_kernel.h"
#include "media/send.h"
#include "td_assert.h"

#define AHEAD      6u  // sources, mixes
#define PLAN_LINES 10u // of a plan for three or four
#define PCM_ALIGN  (TD_CACHE_LINE / sizeof(int16_t))

struct td_mixer *td_mixer_create(uint32_t inlet_count, uint32_t player_count,
				 struct td_stage_clock *stages)
{
	size_t sources = (size_t)inlet_count + player_count;
	struct td_mixer *mixer = calloc(1, sizeof *mixer);

	if (mixer == NULL)
		return NULL;
	mixer->stages = stages;
	mixer->pcm_bytes = inlet_count * TD_MIX_SAMPLES_MAX * sizeof *mixer->pcm;
	mixer->pcm = td_pages_take(mixer->pcm_bytes);
	mixer->ready = calloc(sources + 1u, sizeof *mixer->ready);
	mixer->made = calloc(sources + 1u, sizeof *mixer->made);
	if (mixer->ready != NULL && mixer->made != NULL && mixer->pcm != NULL)
		return mixer;
	td_mixer_destroy(mixer);
	return NULL;
}

void td_mixer_destroy(struct td_mixer *mixer)
{
	if (mixer != NULL) {
		td_pages_give(mixer->pcm, mixer->pcm_bytes);
		free(mixer->ready);
		free(mixer->made);
	}
	free(mixer);
}

// The samples of a source are there, in the plan's rate.
static void be_ready(struct td_mixer *mixer, const struct td_decode_lane *lane, const int16_t *pcm,
		     uint32_t samples)
{
	if (lane->source->resampler != NULL) {
		enum td_stage before = td_stage_enter(mixer->stages, TD_STAGE_RESAMPLE);

		td_stage_count(mixer->stages, TD_STAGE_RESAMPLE, 1);
		td_resampler_process(lane->source->resampler, pcm, samples, lane->pcm);
		td_stage_enter(mixer->stages, before);
	}
	mixer->ready[lane->at] = mixer->made[lane->at] = lane->pcm;
}

void td_mix_ready(struct td_mixer *mixer, const struct td_decode_lane *lane, int16_t *pcm,
		  int decoded)
{
	td_playout_decoded(&lane->inlet->playout, pcm, decoded);
	be_ready(mixer, lane, pcm, lane->source->inlet_hz / TD_TICKS_PER_S);
}

// A frame of a codec that is not coded with others.
static void decode(struct td_mixer *mixer, const struct td_decode_lane *lane,
		   const struct td_playout_job *job, int16_t *pcm, uint32_t samples)
{
	struct td_playout *playout = &lane->inlet->playout;
	enum td_stage before = td_stage_enter(mixer->stages, TD_STAGE_DECODE);
	int decoded =
		playout->codec->decode(playout->decoder, job->payload, job->len, pcm, samples);

	td_stage_count(mixer->stages, TD_STAGE_DECODE, 1);
	td_stage_enter(mixer->stages, before);
	td_mix_ready(mixer, lane, pcm, decoded);
}

static void gather_inlet(struct td_media_worker *worker, const struct td_plan_source *source,
			 uint32_t plan_samples, uint64_t now_ns, uint32_t at)
{
	struct td_mixer *mixer = worker->mixer;
	struct td_inlet *inlet = td_lets_inlet(worker->lets, source->inlet);
	struct td_playout *playout = &inlet->playout;
	struct td_decode_lane lane = { source, inlet, mixer->pcm + mixer->pcm_at, at };
	uint32_t samples = source->inlet_hz / TD_TICKS_PER_S;
	int16_t *pcm = source->resampler != NULL ? mixer->resampled : lane.pcm;
	enum td_playout_pull pulled;
	struct td_playout_job job;

	TD_ASSERT(worker->lets->inlets != NULL);
	pulled = td_playout_pull(playout, now_ns, pcm, samples, &job);
	if (pulled == TD_PLAYOUT_SILENT && (source->resampler == NULL || !inlet->tail))
		return; // `pcm` is silence: what the resampler still holds of the last word follows it
	if (source->resampler != NULL)
		inlet->tail = pulled != TD_PLAYOUT_SILENT;
	mixer->pcm_at += (uint32_t)((plan_samples + PCM_ALIGN - 1u) & ~(PCM_ALIGN - 1u));
	if (pulled != TD_PLAYOUT_DECODE)
		be_ready(mixer, &lane, pcm, samples);
	else if (!td_lanes_decode(mixer, &lane, &job))
		decode(mixer, &lane, &job, pcm, samples);
}

static const struct td_playout *playout_of(const struct td_media_worker *worker,
					   const struct td_plan_source *source)
{
	if (source->feed & TD_FEED_PLAYER)
		return NULL;
	return &td_lets_inlet(worker->lets, source->inlet)->playout;
}

// What the sources ahead will touch, in two steps.
static void expect_source(const struct td_media_worker *worker, const struct td_plan *plan,
			  uint32_t i)
{
	const struct td_playout *playout;

	if (i >= plan->source_count)
		return;
	playout = playout_of(worker, &plan->sources[i]);
	if (playout != NULL)
		td_playout_expect(playout);
}

static void expect_packet(const struct td_media_worker *worker, const struct td_plan *plan,
			  uint32_t i)
{
	const struct td_playout *playout;

	if (i >= plan->source_count)
		return;
	playout = playout_of(worker, &plan->sources[i]);
	if (playout != NULL)
		td_playout_expect_packet(playout);
}

// The same of the first sources of rooms whose turn is soon: the next one, and the one after it.
static void expect_sources(const struct td_media_worker *worker, const struct td_plan *next,
			   const struct td_plan *second)
{
	for (uint32_t i = 0; second != NULL && i < AHEAD; i++)
		expect_source(worker, second, i);
	for (uint32_t i = 0; next != NULL && i < AHEAD / 2u; i++)
		expect_packet(worker, next, i);
}

// What a player lends to a mix; NULL: it is silent.
static const int16_t *player_samples(const struct td_media_worker *worker,
				     const struct td_player *player, uint32_t rate_hz)
{
	const struct td_prompt *prompt;
	uint32_t frame;

	if (player->live != NULL)
		return td_live_look(player->live, rate_hz);
	prompt = td_player_now(player, worker->prompts, &frame);
	return prompt != NULL ? td_prompt_samples(prompt, rate_hz, frame) : NULL;
}

static void gather(struct td_media_worker *worker, const struct td_plan *plan, uint64_t now_ns)
{
	struct td_mixer *mixer = worker->mixer;
	uint32_t samples = plan->rate_hz / TD_TICKS_PER_S;

	for (uint32_t i = 0; i < plan->source_count; i++) {
		const struct td_plan_source *source = &plan->sources[i];
		uint32_t at = mixer->ready_count++;

		mixer->ready[at] = mixer->made[at] = NULL;
		expect_source(worker, plan, i + AHEAD);
		expect_packet(worker, plan, i + AHEAD / 2u);
		if (!(source->feed & TD_FEED_PLAYER))
			gather_inlet(worker, source, samples, now_ns, at);
		else
			mixer->ready[at] = player_samples(
				worker, &worker->players[source->feed & ~TD_FEED_PLAYER],
				plan->rate_hz);
	}
}

static void make_floor(const struct td_plan *plan, const int16_t *const *ready, int32_t *floor,
		       uint32_t samples)
{
	td_mix_clear(floor, samples);
	for (uint32_t i = 0; i < plan->source_count; i++)
		if (plan->sources[i].talk_q12 != 0 && ready[i] != NULL)
			td_mix_add_gain(floor, ready[i], plan->sources[i].talk_q12, samples);
}

int32_t td_mix_gain(const struct td_plan *plan, const struct td_plan_mix *mix, uint32_t source)
{
	int32_t gain_q12 = 0;

	if (mix->self != source)
		gain_q12 = td_matrix_floor_gain(plan->sources[source].talk_q12, mix->hear_q12);
	for (uint32_t i = 0; i < mix->cell_count; i++)
		if (plan->cells[mix->cell_first + i].source == source)
			gain_q12 += plan->cells[mix->cell_first + i].gain_q12;
	return gain_q12;
}

// One mix, saturated. `digits`: somebody's digit may have to be added, or taken out.
static void make_mix(const struct td_media_worker *worker, const struct td_plan *plan,
		     const struct td_plan_mix *mix, const int16_t *const *ready, bool digits,
		     uint32_t samples)
{
	struct td_mixer *mixer = worker->mixer;
	const int16_t *own = mix->self != TD_SOURCE_NONE ? ready[mix->self] : NULL;
	int32_t own_q12 = own != NULL ? plan->sources[mix->self].talk_q12 : 0;

	if (mix->cell_count == 0 && !digits && mix->hear_q12 == TD_GAIN_UNITY &&
	    (own == NULL || own_q12 == TD_GAIN_UNITY)) {
		if (own == NULL)
			td_mix_saturate(mixer->out, mixer->floor, samples);
		else
			td_mix_minus(mixer->out, mixer->floor, own, samples);
		return;
	}
	if (mix->hear_q12 != 0)
		td_mix_without(mixer->sum, mixer->floor, own, own_q12, mix->hear_q12, samples);
	else
		td_mix_clear(mixer->sum, samples);
	for (uint32_t i = 0; i < mix->cell_count; i++) {
		const struct td_plan_cell *cell = &plan->cells[mix->cell_first + i];

		if (ready[cell->source] != NULL)
			td_mix_add_gain(mixer->sum, ready[cell->source], cell->gain_q12, samples);
	}
	if (digits)
		td_digits_mix(worker, plan, mix, mixer->sum, samples);
	td_mix_saturate(mixer->out, mixer->sum, samples);
}

// What the mixes ahead will touch: the outlet, and the sending half of the first listener.
static void expect_mix(const struct td_media_worker *worker, const struct td_plan *plan, uint32_t i)
{
	if (i + AHEAD < plan->mix_count)
		td_media_send_expect(worker, plan->mix_sinks[plan->mixes[i + AHEAD].sink_first]);
	if (i + AHEAD / 2u >= plan->mix_count)
		return;
	td_media_send_soon(worker, plan->mix_sinks[plan->mixes[i + AHEAD / 2u].sink_first]);
	rte_prefetch0(td_lets_outlet(worker->lets, plan->mixes[i + AHEAD / 2u].outlet));
}

// The same of the first mixes of rooms whose turn is soon: the next one, and the one after it.
static void expect_mixes(const struct td_media_worker *worker, const struct td_plan *next,
			 const struct td_plan *second)
{
	for (uint32_t i = 0; second != NULL && i < AHEAD && i < second->mix_count; i++)
		td_media_send_expect(worker, second->mix_sinks[second->mixes[i].sink_first]);
	for (uint32_t i = 0; next != NULL && i < AHEAD / 2u && i < next->mix_count; i++) {
		td_media_send_soon(worker, next->mix_sinks[next->mixes[i].sink_first]);
		rte_prefetch0(td_lets_outlet(worker->lets, next->mixes[i].outlet));
	}
}

// The floor, and then each mix from it.
static void make_mixes(struct td_media_worker *worker, struct td_worker_context *context,
		       const int16_t **ready, uint64_t now_ns, struct td_tx *tx)
{
	struct td_mixer *mixer = worker->mixer;
	const struct td_plan *plan = context->plan;
	uint32_t samples = plan->rate_hz / TD_TICKS_PER_S;
	struct td_encode_lane lane = { .plan = plan };

	lane.feed = TD_FEED_MIX | td_handle_index(context->id.v);
	if (plan->detects || context->digit_count > 0)
		td_digits_prepare(worker, context, ready, now_ns);
	if (plan->floor)
		make_floor(plan, ready, mixer->floor, samples);
	for (uint32_t i = 0; i < plan->mix_count; i++) {
		expect_mix(worker, plan, i);
		lane.mix = &plan->mixes[i];
		lane.outlet = td_lets_outlet(worker->lets, lane.mix->outlet);
		if (!td_outlet_goes_on(lane.outlet, (enum td_codec_id)lane.mix->codec,
				       lane.mix->outlet_hz, &lane.mix->settings, now_ns))
			td_outlet_begin(worker->lets, lane.mix->outlet,
					(enum td_codec_id)lane.mix->codec, lane.mix->outlet_hz,
					&lane.mix->settings, lane.mix->encoder);
		make_mix(worker, plan, lane.mix, ready, context->digit_count > 0, samples);
		td_outlet_push(worker, &lane, mixer->out, samples, now_ns, tx);
	}
}

// The contexts of a slot as they are walked through: what comes after the one at hand.
struct walk {
	uint32_t index;                      // at hand; TD_INDEX_END: all done
	const struct td_plan *next, *second; // NULL: none
};

// Every step asks for what the steps after it will read: the third context, the second one's plan.
static void look_ahead(const struct td_media_worker *worker, struct walk *walk)
{
	uint32_t next = worker->contexts[walk->index].next, second = TD_INDEX_END, third;

	walk->next = walk->second = NULL;
	if (next == TD_INDEX_END)
		return;
	walk->next = worker->contexts[next].plan;
	second = worker->contexts[next].next;
	if (second == TD_INDEX_END)
		return;
	walk->second = worker->contexts[second].plan;
	third = worker->contexts[second].next;
	if (third == TD_INDEX_END)
		return;
	for (uint32_t line = 0; line < PLAN_LINES; line++)
		rte_prefetch0((const uint8_t *)worker->contexts[third].plan + line * TD_CACHE_LINE);
	if (worker->contexts[third].next != TD_INDEX_END)
		rte_prefetch0(&worker->contexts[worker->contexts[third].next]);
}

uint32_t td_media_mix(struct td_media_worker *worker, uint32_t slot, uint64_t now_ns,
		      struct td_tx *tx)
{
	struct td_mixer *mixer = worker->mixer;
	struct walk walk = { .index = worker->slot_contexts[slot] };
	enum td_stage before = td_stage_enter(&worker->stages, TD_STAGE_JITTER);
	uint32_t first = 0;

	mixer->ready_count = 0;
	mixer->pcm_at = 0;
	mixer->sent = 0;
	for (; walk.index != TD_INDEX_END; walk.index = worker->contexts[walk.index].next) {
		look_ahead(worker, &walk);
		expect_sources(worker, walk.next, walk.second);
		gather(worker, worker->contexts[walk.index].plan, now_ns);
	}
	td_lanes_decode_rest(mixer);
	td_stage_count(&worker->stages, TD_STAGE_JITTER, mixer->ready_count);
	td_stage_enter(&worker->stages, TD_STAGE_MIX);
	walk.index = worker->slot_contexts[slot];
	for (; walk.index != TD_INDEX_END; walk.index = worker->contexts[walk.index].next) {
		struct td_worker_context *context = &worker->contexts[walk.index];

		look_ahead(worker, &walk);
		expect_mixes(worker, walk.next, walk.second);
		mixer->room_at = first;
		td_level_mixed(worker, context->plan, mixer->ready + first, now_ns);
		make_mixes(worker, context, mixer->ready + first, now_ns, tx);
		first += context->plan->source_count;
		td_stage_count(&worker->stages, TD_STAGE_MIX, context->plan->mix_count);
	}
	td_lanes_encode_rest(worker, now_ns, tx);
	td_stage_enter(&worker->stages, before);
	return mixer->sent;
}

// What a plan needs before a worker can run it: inlets, outlets and resamplers.
//
// An inlet or outlet, once given, stays with its stream until the stream is gone: whoever was in a
// conference is likely to be in one again. A resampler stays while the rates stay, so that an edit
// is never heard.
#include <stdlib.h>

#include "codecs/codec.h"
#include "codecs/resample.h"
#include "media/engine_state.h"
#include "td_assert.h"

// The rate a codec is run at for samples of `rate_hz`: that one if it can, else the next one up,
// else its best.
static uint32_t native_hz(const struct td_codec *codec, uint32_t rate_hz)
{
	for (unsigned i = 0; codec->rates[i] != 0; i++)
		if (codec->rates[i] >= rate_hz)
			return codec->rates[i];
	return codec->sample_hz;
}

static int take(uint32_t *stack, uint32_t *count, uint32_t *let)
{
	if (*let != TD_LET_NONE)
		return 0;
	if (*count == 0)
		return -TD_EFULL;
	*let = stack[--*count];
	return 0;
}

// The stream's resampler if it fits, else a new one that lies with the plan until it is adopted.
static int resampler_for(struct td_plan *plan, const struct td_engine_resampler *has,
			 uint32_t from_hz, uint32_t to_hz, struct td_resampler **out)
{
	struct td_engine_resampler *made;
	int error;

	*out = NULL;
	if (from_hz == to_hz)
		return 0;
	if (has != NULL && has->from_hz == from_hz && has->to_hz == to_hz) {
		*out = has->resampler;
		return 0;
	}
	made = malloc(sizeof *made);
	if (made == NULL)
		return -TD_EMEMORY;
	*made = (struct td_engine_resampler){ NULL, from_hz, to_hz, plan->garbage };
	error = td_resampler_create(from_hz, to_hz, &made->resampler);
	if (error != 0) {
		free(made);
		return error;
	}
	plan->garbage = made;
	*out = made->resampler;
	return 0;
}

static int provide_source(struct td_engine *engine, struct td_plan *plan,
			  struct td_plan_source *source)
{
	struct td_plan_seat *seat = &plan->seats[source->slot];
	const struct td_codec *codec;
	struct td_engine_stream *stream;
	int error;

	if (source->feed & TD_FEED_PLAYER)
		return 0;
	stream = &engine->streams[source->feed];
	codec = td_codec_get((enum td_codec_id)source->codec);
	error = take(engine->free_inlets, &engine->free_inlet_count, &stream->inlet);
	if (error != 0)
		return error;
	source->inlet = stream->inlet;
	source->inlet_hz = native_hz(codec, plan->rate_hz);
	seat->inlet_key = (uint32_t)source->codec << 24 | source->inlet_hz;
	return resampler_for(plan, stream->in, source->inlet_hz, plan->rate_hz, &source->resampler);
}

static struct td_engine_stream *stream_of_mix(struct td_engine *engine, const struct td_plan *plan,
					      const struct td_plan_mix *mix)
{
	return &engine->streams[plan->mix_sinks[mix->sink_first]];
}

static int provide_mix(struct td_engine *engine, struct td_plan *plan, struct td_plan_mix *mix)
{
	struct td_engine_stream *stream = stream_of_mix(engine, plan, mix);
	const struct td_codec *codec = td_codec_get((enum td_codec_id)mix->codec);
	int error = take(engine->free_outlets, &engine->free_outlet_count, &stream->outlet);

	if (error != 0)
		return error;
	mix->outlet = stream->outlet;
	mix->outlet_hz = native_hz(codec, plan->rate_hz);
	return resampler_for(plan, stream->out, plan->rate_hz, mix->outlet_hz, &mix->resampler);
}

// Lets are numbers that nobody else has: whoever holds one that was free before has just got it.
static void give_back(uint32_t *let, const uint32_t *stack, uint32_t *count, uint32_t before)
{
	if (*let != TD_LET_NONE && *count < before && stack[*count] == *let) {
		*let = TD_LET_NONE;
		++*count;
	}
}

// Backwards through the plan, so that the last one given is the first one back.
static void give_all_back(struct td_engine *engine, const struct td_plan *plan, uint32_t inlets,
			  uint32_t outlets)
{
	for (uint32_t i = plan->mix_count; i > 0; i--)
		give_back(&stream_of_mix(engine, plan, &plan->mixes[i - 1u])->outlet,
			  engine->free_outlets, &engine->free_outlet_count, outlets);
	for (uint32_t i = plan->source_count; i > 0; i--)
		if (!(plan->sources[i - 1u].feed & TD_FEED_PLAYER))
			give_back(&engine->streams[plan->sources[i - 1u].feed].inlet,
				  engine->free_inlets, &engine->free_inlet_count, inlets);
}

int td_engine_provision(struct td_engine *engine, struct td_plan *plan, struct td_provision *before)
{
	int error = 0;

	*before = (struct td_provision){ engine->free_inlet_count, engine->free_outlet_count };
	for (uint32_t i = 0; error == 0 && i < plan->source_count; i++)
		error = provide_source(engine, plan, &plan->sources[i]);
	for (uint32_t i = 0; error == 0 && i < plan->mix_count; i++)
		error = provide_mix(engine, plan, &plan->mixes[i]);
	if (error != 0)
		td_engine_provision_undo(engine, plan, before);
	return error;
}

void td_engine_provision_undo(struct td_engine *engine, struct td_plan *plan,
			      const struct td_provision *before)
{
	give_all_back(engine, plan, before->inlets, before->outlets);
	td_engine_plan_free(plan);
}

// The newest of the plan's own becomes the stream's, if it is the one. What the stream had may be
// in use by an older plan until this one is applied: it goes with this one, which outlives that.
static void adopt(struct td_engine_resampler **made, struct td_engine_resampler **has,
		  const struct td_resampler *resampler, struct td_plan *plan)
{
	struct td_engine_resampler *fresh = *made;

	if (fresh == NULL || fresh->resampler != resampler)
		return;
	*made = fresh->next;
	if (*has != NULL) {
		(*has)->next = plan->garbage;
		plan->garbage = *has;
	}
	fresh->next = NULL;
	*has = fresh;
}

// Backwards: the last one made lies on top.
void td_engine_provision_adopt(struct td_engine *engine, struct td_plan *plan)
{
	struct td_engine_resampler *made = plan->garbage;

	plan->garbage = NULL;
	for (uint32_t i = plan->mix_count; i > 0; i--) {
		const struct td_plan_mix *mix = &plan->mixes[i - 1u];

		adopt(&made, &stream_of_mix(engine, plan, mix)->out, mix->resampler, plan);
	}
	for (uint32_t i = plan->source_count; i > 0; i--) {
		const struct td_plan_source *source = &plan->sources[i - 1u];

		if (!(source->feed & TD_FEED_PLAYER))
			adopt(&made, &engine->streams[source->feed].in, source->resampler, plan);
	}
	TD_ASSERT(made == NULL);
}

struct td_engine_stream *td_engine_provision_heir(struct td_engine *engine,
						  const struct td_plan *plan, uint32_t stream)
{
	for (uint32_t i = 0; plan != NULL && i < plan->mix_count; i++) {
		const uint32_t *sinks = &plan->mix_sinks[plan->mixes[i].sink_first];

		if (sinks[0] == stream)
			return plan->mixes[i].sink_count > 1 &&
					       engine->streams[sinks[1]].outlet == TD_LET_NONE
				       ? &engine->streams[sinks[1]]
				       : NULL;
	}
	return NULL;
}

void td_engine_provision_exchange(struct td_engine_stream *a, struct td_engine_stream *b)
{
	struct td_engine_resampler *out = a->out;
	uint32_t outlet = a->outlet;

	a->outlet = b->outlet;
	a->out = b->out;
	b->outlet = outlet;
	b->out = out;
}

static void end_resampler(struct td_engine_resampler **has)
{
	if (*has == NULL)
		return;
	td_resampler_destroy((*has)->resampler);
	free(*has);
	*has = NULL;
}

void td_engine_provision_end(struct td_engine *engine, struct td_engine_stream *stream)
{
	if (stream->inlet != TD_LET_NONE)
		engine->free_inlets[engine->free_inlet_count++] = stream->inlet;
	if (stream->outlet != TD_LET_NONE)
		engine->free_outlets[engine->free_outlet_count++] = stream->outlet;
	stream->inlet = stream->outlet = TD_LET_NONE;
	end_resampler(&stream->in);
	end_resampler(&stream->out);
}

// What a plan needs before a worker can run it: inlets, outlets and resamplers.
//
// An inlet or outlet, once given, stays with its stream until the stream is gone or others are in want
// of it: whoever was in a conference is likely to be in one again. A resampler stays while the rates stay, so that an edit
// is never heard.
#include <stdlib.h>

#include "codecs/codec.h"
#include "codecs/resample.h"
#include "media/engine_state.h"

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

static struct td_engine_made *new_made(void)
{
	return calloc(1, sizeof(struct td_engine_made));
}

void td_engine_made_free(struct td_engine_made *made)
{
	if (made == NULL)
		return;
	td_resampler_destroy(made->resampler);
	if (made->state != NULL)
		made->fini(made->state);
	free(made->state);
	free(made);
}

// What is made for a plan is the stream's at once. What it had before may still be in use by an older
// plan: it goes with this one, which outlives that, unless this one never comes into force.
static void keep(struct td_engine_made **has, struct td_engine_made *made, struct td_plan *plan)
{
	if (*has != NULL) {
		(*has)->next = plan->garbage;
		(*has)->home = has;
		plan->garbage = *has;
	}
	*has = made;
}

// A resampler between these rates: the stream's if it fits. NULL where none is needed.
static int provide_resampler(struct td_engine_made **has, uint32_t from_hz, uint32_t to_hz,
			     struct td_plan *plan, struct td_resampler **out)
{
	struct td_engine_made *made;
	int error;

	*out = NULL;
	if (from_hz == to_hz)
		return 0;
	if (*has == NULL || (*has)->from_hz != from_hz || (*has)->to_hz != to_hz) {
		made = new_made();
		if (made == NULL)
			return -TD_EMEMORY;
		error = td_resampler_create(from_hz, to_hz, &made->resampler);
		if (error != 0) {
			free(made);
			return error;
		}
		made->from_hz = from_hz;
		made->to_hz = to_hz;
		keep(has, made, plan);
	}
	*out = (*has)->resampler;
	return 0;
}

// Memory for the state of a codec that takes more by itself, made ready here: workers never do.
static int new_state(const struct td_codec *codec, size_t bytes, struct td_engine_made **out)
{
	struct td_engine_made *made = new_made();

	if (made == NULL)
		return -TD_EMEMORY;
	made->codec = codec;
	if (posix_memalign(&made->state, TD_CODEC_STATE_ALIGN, bytes) != 0) {
		free(made);
		return -TD_EMEMORY;
	}
	*out = made;
	return 0;
}

static int finish_state(struct td_engine_made *made, int error, void (*fini)(void *state))
{
	if (error != 0) {
		free(made->state);
		free(made);
	} else {
		made->fini = fini;
	}
	return error;
}

static int provide_decoder(struct td_engine_kit *kit, const struct td_codec *codec, uint32_t hz,
			   struct td_plan *plan, void **out)
{
	struct td_engine_made *made;
	int error;

	*out = NULL;
	if (codec->decoder_fini == NULL)
		return 0;
	if (kit->decoder == NULL || kit->decoder->codec != codec) {
		error = new_state(codec, codec->decoder_bytes, &made);
		if (error == 0)
			error = finish_state(made, codec->decoder_init(made->state, hz),
					     codec->decoder_fini);
		if (error != 0)
			return error;
		keep(&kit->decoder, made, plan);
	}
	*out = kit->decoder->state;
	return 0;
}

static int provide_encoder(struct td_engine_kit *kit, const struct td_codec *codec,
			   const struct td_plan_mix *mix, struct td_plan *plan, void **out)
{
	struct td_engine_made *made;
	int error;

	*out = NULL;
	if (codec->encoder_fini == NULL)
		return 0;
	if (kit->encoder == NULL || kit->encoder->codec != codec) {
		error = new_state(codec, codec->encoder_bytes, &made);
		if (error == 0)
			error = finish_state(
				made,
				codec->encoder_init(made->state, mix->outlet_hz, &mix->settings),
				codec->encoder_fini);
		if (error != 0)
			return error;
		keep(&kit->encoder, made, plan);
	}
	*out = kit->encoder->state;
	return 0;
}

static struct td_engine_kit *kit_of(const struct td_engine *engine,
				    const struct td_engine_stream *stream)
{
	return &engine->kits[stream - engine->streams];
}

static int provide_source(struct td_engine *engine, struct td_plan *plan,
			  struct td_plan_source *source)
{
	const struct td_codec *codec;
	struct td_engine_stream *stream;
	struct td_engine_kit *kit;
	int error;

	if (source->feed & TD_FEED_PLAYER)
		return 0;
	stream = &engine->streams[source->feed];
	kit = kit_of(engine, stream);
	codec = td_codec_get((enum td_codec_id)source->codec);
	error = take(engine->free_inlets, &engine->free_inlet_count, &stream->inlet);
	if (error != 0)
		return error;
	source->inlet = stream->inlet;
	source->inlet_hz = native_hz(codec, plan->rate_hz);
	plan->seats[source->slot].inlet_key = (uint32_t)source->codec << 24 | source->inlet_hz;
	error = provide_decoder(kit, codec, source->inlet_hz, plan, &source->decoder);
	return error != 0 ? error
			  : provide_resampler(&kit->in, source->inlet_hz, plan->rate_hz, plan,
					      &source->resampler);
}

static struct td_engine_stream *stream_of_mix(struct td_engine *engine, const struct td_plan *plan,
					      const struct td_plan_mix *mix)
{
	return &engine->streams[plan->mix_sinks[mix->sink_first]];
}

static int provide_mix(struct td_engine *engine, struct td_plan *plan, struct td_plan_mix *mix)
{
	struct td_engine_stream *stream = stream_of_mix(engine, plan, mix);
	struct td_engine_kit *kit = kit_of(engine, stream);
	const struct td_codec *codec = td_codec_get((enum td_codec_id)mix->codec);
	int error = take(engine->free_outlets, &engine->free_outlet_count, &stream->outlet);

	if (error != 0)
		return error;
	mix->outlet = stream->outlet;
	mix->outlet_hz = native_hz(codec, plan->rate_hz);
	error = provide_encoder(kit, codec, mix, plan, &mix->encoder);
	return error != 0 ? error
			  : provide_resampler(&kit->out, plan->rate_hz, mix->outlet_hz, plan,
					      &mix->resampler);
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
	while (plan->garbage != NULL) {
		struct td_engine_made *was = plan->garbage;

		plan->garbage = was->next;
		td_engine_made_free(*was->home);
		*was->home = was;
	}
	give_all_back(engine, plan, before->inlets, before->outlets);
	td_engine_plan_free(plan);
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

void td_engine_provision_exchange(struct td_engine *engine, struct td_engine_stream *a,
				  struct td_engine_stream *b)
{
	struct td_engine_kit *kit_a = kit_of(engine, a), *kit_b = kit_of(engine, b);
	struct td_engine_made *out = kit_a->out, *encoder = kit_a->encoder;
	uint32_t outlet = a->outlet;

	a->outlet = b->outlet;
	kit_a->out = kit_b->out;
	kit_a->encoder = kit_b->encoder;
	b->outlet = outlet;
	kit_b->out = out;
	kit_b->encoder = encoder;
}

// Codes for a mix of the plan.
static bool codes(const struct td_plan *plan, uint32_t stream)
{
	for (uint32_t i = 0; plan != NULL && i < plan->mix_count; i++)
		if (plan->mix_sinks[plan->mixes[i].sink_first] == stream)
			return true;
	return false;
}

// What one stream holds without need; a worker may still be reading what an edit has just replaced.
static uint32_t reclaim_from(struct td_engine *engine, uint32_t index)
{
	struct td_engine_stream *stream = &engine->streams[index];
	const struct td_engine_context *context = &engine->contexts[stream->context];
	const struct td_plan *plan = context->plan;
	bool heard;
	uint32_t count = 0;

	if (stream->state != TD_OBJECT_LIVE || context->editing || context->plans_out > 0)
		return 0;
	heard = plan != NULL && stream->slot < plan->seat_count &&
		plan->seats[stream->slot].inlet_key != 0;
	if (stream->inlet != TD_LET_NONE && !heard) {
		engine->free_inlets[engine->free_inlet_count++] = stream->inlet;
		stream->inlet = TD_LET_NONE;
		count++;
	}
	if (stream->outlet != TD_LET_NONE && !codes(plan, index)) {
		engine->free_outlets[engine->free_outlet_count++] = stream->outlet;
		stream->outlet = TD_LET_NONE;
		count++;
	}
	return count;
}

uint32_t td_engine_provision_reclaim(struct td_engine *engine)
{
	uint32_t count = 0;

	for (uint32_t i = 0; !engine->transit.active && i < engine->capacity[TD_POOL_STREAM]; i++)
		count += reclaim_from(engine, i);
	return count;
}

// Where nothing was made nothing is written: there may be no memory yet.
static void end(struct td_engine_made **made)
{
	if (*made == NULL)
		return;
	td_engine_made_free(*made);
	*made = NULL;
}

void td_engine_provision_end(struct td_engine *engine, struct td_engine_stream *stream)
{
	struct td_engine_kit *kit = kit_of(engine, stream);

	if (stream->inlet != TD_LET_NONE)
		engine->free_inlets[engine->free_inlet_count++] = stream->inlet;
	if (stream->outlet != TD_LET_NONE)
		engine->free_outlets[engine->free_outlet_count++] = stream->outlet;
	stream->inlet = stream->outlet = TD_LET_NONE;
	end(&kit->in);
	end(&kit->out);
	end(&kit->decoder);
	end(&kit->encoder);
}

// The engine's memory: taken once, sized by the options, given back at the end.
#include "media/engine.h"

#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>

#include "base/pages.h"
#include "media/engine_state.h"
#include "media/prompts.h"
#include "td_region.h"

#define RECORD_EVENT_SLOTS 1024u
#define FORK_EVENT_SLOTS   1024u
#define FORK_LINES         65536u // 4 MiB a worker
#define MIXED_DEFAULT      4096u

static uint32_t at_most(uint32_t value, uint32_t max)
{
	return value < max ? value : max;
}

// Zeroed, and all of it there: for what is used from the beginning.
static void *take_lines(size_t count, size_t bytes)
{
	size_t total = (count * bytes + TD_CACHE_LINE - 1) & ~(size_t)(TD_CACHE_LINE - 1);
	void *memory = NULL;

	if (posix_memalign(&memory, 2 * TD_CACHE_LINE, total) != 0)
		return NULL;
	memset(memory, 0, total);
	return memory;
}

// A td_ring in private memory, both ends attached.
static int ring_create(uint32_t slots, uint32_t slot_bytes, void **memory,
		       struct td_ring_view *producer, struct td_ring_view *consumer)
{
	size_t bytes = td_ring_bytes(slots, slot_bytes);
	int error;

	*memory = take_lines(1, bytes);
	if (*memory == NULL)
		return -TD_EMEMORY;
	td_ring_format(*memory, slots, slot_bytes);
	error = td_ring_attach(producer, *memory, bytes, slot_bytes, 1);
	return error != 0 ? error : td_ring_attach(consumer, *memory, bytes, slot_bytes, 0);
}

static int create_pools(struct td_engine *engine)
{
	const uint32_t max[TD_POOL_COUNT] = { TD_CONTEXT_MAX, TD_STREAM_MAX, TD_PLAYER_MAX,
					      TD_TAP_MAX,
					      at_most(engine->options.fork_count, TD_FORK_MAX) };
	uint32_t total = 0;

	for (unsigned i = 0; i < TD_POOL_COUNT; i++) {
		int error;

		engine->capacity[i] =
			at_most(engine->options.stream_count, max[i] != 0 ? max[i] : 1u);
		total += engine->capacity[i];
		error = td_id_pool_init(&engine->pools[i], engine->capacity[i]);
		if (error != 0)
			return error;
	}
	// Zeroed by the kernel as they are used, where they are large.
	engine->contexts = calloc(engine->capacity[TD_POOL_CONTEXT], sizeof *engine->contexts);
	engine->streams = calloc(engine->capacity[TD_POOL_STREAM], sizeof *engine->streams);
	engine->tappings = calloc(engine->capacity[TD_POOL_STREAM], sizeof *engine->tappings);
	engine->kits = calloc(engine->capacity[TD_POOL_STREAM], sizeof *engine->kits);
	engine->players = calloc(engine->capacity[TD_POOL_PLAYER], sizeof *engine->players);
	engine->taps = calloc(engine->capacity[TD_POOL_TAP], sizeof *engine->taps);
	engine->forks = calloc(engine->capacity[TD_POOL_FORK] + 1u, sizeof *engine->forks);
	engine->tap_flags = calloc(engine->capacity[TD_POOL_TAP], sizeof *engine->tap_flags);
	engine->gone = calloc(total, sizeof *engine->gone);
	engine->scratch = td_plan_scratch_create();
	engine->reset.marked = calloc(engine->capacity[TD_POOL_CONTEXT], sizeof(bool));
	if (engine->contexts == NULL || engine->streams == NULL || engine->tappings == NULL ||
	    engine->kits == NULL || engine->players == NULL || engine->taps == NULL ||
	    engine->tap_flags == NULL || engine->forks == NULL || engine->gone == NULL ||
	    engine->scratch == NULL || engine->reset.marked == NULL)
		return -TD_EMEMORY;
	return 0;
}

static int create_lets(struct td_engine *engine)
{
	uint32_t count = engine->options.mixed_count;
	int error;

	count = at_most(count != 0 ? count : MIXED_DEFAULT, engine->options.stream_count);
	error = td_lets_create(count, &engine->lets);
	if (error != 0)
		return error;
	engine->free_inlets = take_lines(count, sizeof *engine->free_inlets);
	engine->free_outlets = take_lines(count, sizeof *engine->free_outlets);
	if (engine->free_inlets == NULL || engine->free_outlets == NULL)
		return -TD_EMEMORY;
	// The lowest ones first: what is in use lies close together.
	for (uint32_t i = 0; i < count; i++)
		engine->free_inlets[i] = engine->free_outlets[i] = count - 1u - i;
	engine->free_inlet_count = engine->free_outlet_count = count;
	return 0;
}

static int create_arrays(struct td_engine *engine)
{
	uint32_t streams = engine->capacity[TD_POOL_STREAM];

	// The hot array is the one that deserves reserved pages.
	engine->hot = rte_zmalloc("td_streams", streams * sizeof *engine->hot, 2 * TD_CACHE_LINE);
	engine->cold = td_pages_take(streams * sizeof *engine->cold);
	engine->worker_contexts =
		td_pages_take(engine->capacity[TD_POOL_CONTEXT] * sizeof *engine->worker_contexts);
	engine->worker_players =
		td_pages_take(engine->capacity[TD_POOL_PLAYER] * sizeof *engine->worker_players);
	engine->stream_taps = td_pages_take(streams * sizeof *engine->stream_taps);
	engine->candidates = td_pages_take(streams * sizeof *engine->candidates);
	engine->strangers = td_pages_take(streams * sizeof *engine->strangers);
	engine->protections = td_pages_take_secret(streams * sizeof *engine->protections);
	engine->workers = take_lines(engine->options.worker_count, sizeof *engine->workers);
	if (engine->hot == NULL || engine->cold == NULL || engine->stream_taps == NULL ||
	    engine->candidates == NULL || engine->strangers == NULL ||
	    engine->worker_contexts == NULL || engine->worker_players == NULL ||
	    engine->protections == NULL || engine->workers == NULL)
		return -TD_EMEMORY;
	return create_lets(engine);
}

static void fill_worker(struct td_engine *engine, uint32_t index)
{
	const struct td_engine_options *options = &engine->options;
	struct td_media_worker *worker = &engine->workers[index];

	worker->streams = engine->hot;
	worker->cold = engine->cold;
	worker->taps = engine->stream_taps;
	worker->candidates = engine->candidates;
	worker->strangers = engine->strangers;
	worker->contexts = engine->worker_contexts;
	worker->players = engine->worker_players;
	worker->neighbours = options->neighbours;
	worker->stats = &options->region->workers[index];
	td_stage_clock_init(&worker->stages, worker->stats, rte_get_tsc_hz());
	worker->pool = options->pool;
	worker->prompts = options->prompts;
	worker->index = index;
	worker->mirrors = options->region->streams;
	worker->tap_flags = engine->tap_flags;
	worker->realtime_offset_ns = options->realtime_offset_ns;
	worker->random = td_engine_random(engine) | 1u; // xorshift must not begin at 0
	for (unsigned slot = 0; slot < TD_MEDIA_SLOTS; slot++)
		worker->slot_first[slot] = worker->slot_contexts[slot] =
			worker->slot_senders[slot] = TD_INDEX_END;
	worker->lets = &engine->lets;
	worker->protections = engine->protections;
	worker->moving = TD_INDEX_END;
	td_digit_prompts_find(options->prompts, &worker->digit_prompts);
}

static int create_worker(struct td_engine *engine, uint32_t index)
{
	const struct td_engine_options *options = &engine->options;
	struct td_media_worker *worker = &engine->workers[index];
	struct td_engine_worker_link *link = &engine->links[index];
	int error = 0;

	fill_worker(engine, index);
	worker->owned = take_lines(engine->capacity[TD_POOL_STREAM], sizeof *worker->owned);
	worker->mixer = td_mixer_create(engine->lets.count, engine->capacity[TD_POOL_PLAYER],
					&worker->stages);
	worker->senders = take_lines(TD_DIGIT_SENDER_MAX, sizeof *worker->senders);
	worker->parked = take_lines(TD_PARK_MAX, sizeof *worker->parked);
	if (worker->parked == NULL || worker->owned == NULL || worker->mixer == NULL ||
	    worker->senders == NULL)
		return -TD_EMEMORY;
	for (uint32_t i = 0; i < TD_DIGIT_SENDER_MAX; i++)
		worker->senders[i].next = i + 1u < TD_DIGIT_SENDER_MAX ? i + 1u : TD_INDEX_END;
	error = td_protector_create(options->srtp, &worker->protector);
	if (error != 0)
		return error;
	error = td_tap_ring_create(options->tap_lines != 0 ? options->tap_lines : TD_TAP_LINES,
				   &worker->tap_ring);
	if (error == 0 && options->fork_count > 0)
		error = td_tap_ring_create(FORK_LINES, &worker->fork_ring);
	if (error != 0)
		return error;
	error = ring_create(TD_CHANGE_SLOTS, sizeof(struct td_change), &link->change_memory,
			    &link->changes, &worker->changes);
	if (error != 0)
		return error;
	error = ring_create(TD_NOTE_SLOTS, sizeof(struct td_note), &link->note_memory,
			    &worker->notes, &link->notes);
	if (error != 0)
		return error;
	return td_region_attach_events(options->region, index + 1u, 1, &worker->events);
}

static int build(struct td_engine *engine)
{
	int error = create_pools(engine);

	if (error == 0)
		error = create_arrays(engine);
	if (error == 0)
		error = td_region_attach_events(engine->options.region, 0, 1, &engine->events);
	if (error == 0)
		error = ring_create(RECORD_EVENT_SLOTS, sizeof(struct td_event),
				    &engine->record_memory, &engine->record_events_in,
				    &engine->record_events_out);
	if (error == 0 && engine->options.fork_count > 0)
		error = ring_create(FORK_EVENT_SLOTS, sizeof(struct td_event), &engine->fork_memory,
				    &engine->fork_events_in, &engine->fork_events_out);
	for (uint32_t i = 0; error == 0 && i < engine->options.worker_count; i++)
		error = create_worker(engine, i);
	return error;
}

int td_engine_create(const struct td_engine_options *options, struct td_engine **out)
{
	struct td_engine *engine;
	int error;

	if (options->worker_count == 0 || options->worker_count > TD_WORKER_MAX ||
	    options->stream_count == 0 || options->stream_count > TD_STREAM_MAX ||
	    options->worker_count > options->region->worker_count ||
	    options->stream_count > options->region->stream_count)
		return -TD_EINVALID;
	engine = calloc(1, sizeof *engine);
	if (engine == NULL)
		return -TD_EMEMORY;
	engine->options = *options;
	engine->random = options->seed;
	engine->playable = 1u << TD_CODEC_NONE;
	if (options->prompts != NULL)
		engine->playable |= options->prompts->codecs;
	error = build(engine);
	if (error != 0) {
		td_engine_destroy(engine);
		return error;
	}
	*out = engine;
	return 0;
}

// Keys may be on their way in it.
static void free_changes(void *memory)
{
	if (memory != NULL)
		explicit_bzero(memory, td_ring_bytes(TD_CHANGE_SLOTS, sizeof(struct td_change)));
	free(memory);
}

static void destroy_worker(struct td_engine *engine, uint32_t index)
{
	if (engine->workers != NULL) {
		struct td_media_worker *worker = &engine->workers[index];

		rte_pktmbuf_free_bulk(worker->stash, worker->stash_count);
		rte_pktmbuf_free_bulk(worker->byes, worker->bye_count);
		for (uint32_t i = 0; i < worker->parked_count; i++)
			rte_pktmbuf_free(worker->parked[i].mbuf);
		free(worker->parked);
		td_mixer_destroy(worker->mixer);
		td_protector_destroy(worker->protector);
		free(worker->senders);
		free(engine->workers[index].owned);
		td_tap_ring_destroy(engine->workers[index].tap_ring);
		td_tap_ring_destroy(engine->workers[index].fork_ring);
	}
	free_changes(engine->links[index].change_memory);
	free(engine->links[index].note_memory);
}

// A plan is where it was last handed to: with a worker, on its way there, or on its way back.
static void drain_changes(struct td_engine *engine, uint32_t worker)
{
	struct td_change change;

	while (engine->workers != NULL && engine->links[worker].note_memory != NULL &&
	       td_ring_pop(&engine->workers[worker].changes, &change) == 0) {
		td_engine_plan_free(change.plan);
		if (change.kind == TD_CHANGE_STREAM_MOVE)
			td_engine_plan_free(change.u.move.plan);
	}
}

static void destroy_contexts(struct td_engine *engine)
{
	if (engine->streams != NULL)
		for (uint32_t i = 0; i < engine->capacity[TD_POOL_STREAM]; i++)
			if (engine->streams[i].state == TD_OBJECT_LIVE ||
			    engine->streams[i].state == TD_OBJECT_DYING)
				td_engine_provision_end(engine, &engine->streams[i]);
	if (engine->transit.active && engine->transit.kind == TD_CHANGE_STREAM_LEAVE)
		td_engine_plan_free(engine->transit.arrive.plan);
	for (uint32_t i = 0; i < engine->capacity[TD_POOL_CONTEXT]; i++) {
		if (engine->worker_contexts != NULL)
			td_engine_plan_free(engine->worker_contexts[i].plan);
		if (engine->contexts != NULL)
			td_matrix_fini(&engine->contexts[i].matrix);
	}
}

static void drain_notes(struct td_engine *engine, struct td_engine_worker_link *link)
{
	struct td_note note;

	while (link->note_memory != NULL && td_ring_pop(&link->notes, &note) == 0)
		if (note.kind == TD_NOTE_PLAN)
			td_engine_plan_gone(engine, &note);
}

void td_engine_destroy(struct td_engine *engine)
{
	if (engine == NULL)
		return;
	for (uint32_t i = 0; i < engine->options.worker_count; i++)
		drain_notes(engine, &engine->links[i]);
	for (uint32_t i = 0; i < engine->options.worker_count; i++)
		drain_changes(engine, i);
	destroy_contexts(engine);
	for (uint32_t i = 0; i < engine->options.worker_count; i++)
		destroy_worker(engine, i);
	for (unsigned i = 0; i < TD_POOL_COUNT; i++)
		td_id_pool_fini(&engine->pools[i]);
	rte_free(engine->hot);
	td_pages_give(engine->stream_taps,
		      engine->capacity[TD_POOL_STREAM] * sizeof *engine->stream_taps);
	td_pages_give(engine->candidates,
		      engine->capacity[TD_POOL_STREAM] * sizeof *engine->candidates);
	td_pages_give(engine->strangers,
		      engine->capacity[TD_POOL_STREAM] * sizeof *engine->strangers);
	td_pages_give(engine->cold, engine->capacity[TD_POOL_STREAM] * sizeof *engine->cold);
	td_pages_give(engine->worker_contexts,
		      engine->capacity[TD_POOL_CONTEXT] * sizeof *engine->worker_contexts);
	td_pages_give(engine->worker_players,
		      engine->capacity[TD_POOL_PLAYER] * sizeof *engine->worker_players);
	td_pages_give(engine->protections,
		      engine->capacity[TD_POOL_STREAM] * sizeof *engine->protections);
	td_lets_destroy(&engine->lets);
	td_plan_scratch_destroy(engine->scratch);
	free(engine->free_inlets);
	free(engine->free_outlets);
	free(engine->workers);
	free(engine->record_memory);
	free(engine->fork_memory);
	free(engine->contexts);
	free(engine->streams);
	free(engine->tappings);
	free(engine->kits);
	free(engine->players);
	free(engine->taps);
	free(engine->forks);
	free(engine->tap_flags);
	free(engine->gone);
	free(engine->reset.marked);
	free(engine);
}

struct td_media_worker *td_engine_worker(struct td_engine *engine, uint32_t worker)
{
	return &engine->workers[worker];
}

struct td_tap_ring *td_engine_tap_ring(struct td_engine *engine, uint32_t worker)
{
	return engine->workers[worker].tap_ring;
}

enum td_srtp_engine_kind td_engine_srtp(const struct td_engine *engine)
{
	return engine->workers[0].protector->srtp.machine->kind;
}

struct td_tap_ring *td_engine_fork_ring(struct td_engine *engine, uint32_t worker)
{
	return engine->workers[worker].fork_ring;
}

struct td_stage_clock *td_media_stages(struct td_media_worker *worker)
{
	return &worker->stages;
}

struct td_stream *td_media_streams(struct td_media_worker *worker)
{
	return worker->streams;
}

void td_engine_count(const struct td_engine *engine, struct td_engine_counts *counts)
{
	counts->contexts = engine->live[TD_POOL_CONTEXT];
	counts->streams = engine->live[TD_POOL_STREAM] - engine->ear_count;
	counts->players = engine->live[TD_POOL_PLAYER];
	counts->taps = engine->live[TD_POOL_TAP];
	counts->forks = engine->live[TD_POOL_FORK];
	counts->waiting = engine->gone_count;
}

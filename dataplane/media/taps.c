// Which tap is on which stream, from the main thread's side: attaching, detaching, ending.
#include <string.h>

#include "base/pages.h"
#include "media/engine_state.h"
#include "td_assert.h"

int td_engine_tap_take(struct td_engine *engine, struct td_engine_context *context,
		       struct td_tap_id *id)
{
	int error = context->tap_count == TD_TAPS_PER_CONTEXT
			    ? -TD_EFULL
			    : td_engine_take(engine, TD_POOL_TAP, &id->v);

	if (error != 0)
		return error;
	engine->taps[td_handle_index(id->v)] = (struct td_engine_tap){
		.handle = id->v,
		.context = td_handle_index(context->handle),
		.first_stream = TD_INDEX_NONE,
		.state = TD_OBJECT_LIVE,
	};
	context->taps[context->tap_count++] = id->v;
	// Relaxed: no stream has it yet, and it reaches workers with the change that attaches one.
	atomic_store_explicit(&engine->tap_flags[td_handle_index(id->v)], 0, memory_order_relaxed);
	return 0;
}

static void forget(struct td_engine_context *context, uint32_t handle)
{
	for (unsigned i = 0; i < context->tap_count; i++) {
		if (context->taps[i] != handle)
			continue;
		context->taps[i] = context->taps[--context->tap_count];
		return;
	}
}

void td_engine_tap_untake(struct td_engine *engine, struct td_tap_id id)
{
	struct td_engine_tap *tap = &engine->taps[td_handle_index(id.v)];

	TD_ASSERT(tap->stream_count == 0);
	forget(&engine->contexts[tap->context], id.v);
	tap->state = TD_OBJECT_FREE;
	td_engine_untake(engine, TD_POOL_TAP, id.v);
}

bool td_engine_tap_room(struct td_engine *engine, uint32_t changes)
{
	for (uint32_t i = 0; i < engine->options.worker_count; i++)
		if (!td_engine_change_room(engine, i, changes))
			return false;
	return true;
}

static struct td_engine_tapping *tappings_of(const struct td_engine *engine,
					     const struct td_engine_stream *stream)
{
	return engine->tappings[stream - engine->streams].of;
}

static struct td_engine_tapping *tapping_of(const struct td_engine *engine,
					    const struct td_engine_stream *stream, uint32_t tap)
{
	struct td_engine_tapping *tappings = tappings_of(engine, stream);

	for (unsigned i = 0; i < TD_STREAM_TAP_MAX; i++)
		if (tappings[i].tap == tap)
			return &tappings[i];
	return NULL;
}

int td_engine_tap_admits(const struct td_engine *engine, const struct td_engine_tap *tap,
			 const struct td_engine_stream *stream, uint32_t track)
{
	const struct td_engine_tapping *tappings = tappings_of(engine, stream);
	bool room = false;

	if (track >= tap->track_count)
		return -TD_EINVALID;
	for (unsigned i = 0; i < TD_STREAM_TAP_MAX; i++) {
		if (tappings[i].tap == tap->handle)
			return -TD_EBUSY;
		room |= tappings[i].tap == 0;
	}
	return room && tap->stream_count < TD_TAP_STREAM_MAX ? 0 : -TD_EFULL;
}

static TD_MAIN void tell_worker(struct td_engine *engine, enum td_change_kind kind,
				const struct td_engine_tap *tap,
				const struct td_engine_stream *stream, uint32_t track,
				const struct td_command *command)
{
	const struct td_engine_context *context = &engine->contexts[stream->context];
	struct td_change change;

	td_engine_change_begin(&change, kind, command, context);
	change.object = td_handle_index(stream->handle);
	change.u.tap.id.v = tap->handle;
	change.u.tap.track = (uint8_t)track;
	td_engine_change_push(engine, context->worker, &change);
}

void td_engine_tap_attach(struct td_engine *engine, struct td_engine_tap *tap,
			  struct td_engine_stream *stream, uint32_t track,
			  const struct td_command *command)
{
	struct td_engine_tapping *tapping = tapping_of(engine, stream, 0);

	TD_ASSERT(tapping != NULL);
	*tapping = (struct td_engine_tapping){ .tap = tap->handle,
					       .next_stream = tap->first_stream,
					       .track = (uint8_t)track };
	tap->first_stream = td_handle_index(stream->handle);
	tap->stream_count++;
	td_pages_touch(&engine->stream_taps[tap->first_stream], sizeof *engine->stream_taps);
	tell_worker(engine, TD_CHANGE_TAP_ATTACH, tap, stream, track, command);
}

static TD_MAIN void leave(struct td_engine *engine, const struct td_engine_tap *tap,
			  const struct td_engine_stream *stream, struct td_engine_tapping *tapping,
			  const struct td_command *command)
{
	tapping->leaving = true;
	tell_worker(engine, TD_CHANGE_TAP_DETACH, tap, stream, tapping->track, command);
}

int td_engine_tap_detach(struct td_engine *engine, struct td_engine_tap *tap,
			 struct td_engine_stream *stream, const struct td_command *command)
{
	struct td_engine_tapping *tapping = tapping_of(engine, stream, tap->handle);

	if (tapping == NULL || tapping->leaving)
		return -TD_ENOT_FOUND;
	leave(engine, tap, stream, tapping, command);
	return 0;
}

// No record of it follows any more. The handle stays taken until the recorder has finished, so that
// records of another tap cannot be taken for this one's.
static TD_MAIN void end(struct td_engine *engine, struct td_engine_tap *tap, uint64_t now_ns)
{
	struct td_tap_id id = { .v = tap->handle };
	struct td_event event = { .kind = TD_EVENT_DONE, .request_id = tap->stop_request };

	engine->options.recorder.close(engine->options.recorder.user, id);
	if (tap->stop_request == 0)
		return;
	event.command = tap->stop_command;
	event.u.tap = id;
	// A full ring is counted by the ring itself; control sees the deadline pass.
	(void)!td_engine_post(engine, &event, now_ns);
}

void td_engine_tap_stop(struct td_engine *engine, struct td_engine_tap *tap,
			const struct td_command *command, uint64_t now_ns)
{
	uint32_t index, next;

	TD_ASSERT(tap->state == TD_OBJECT_LIVE);
	tap->state = TD_OBJECT_DYING;
	tap->stop_request = command != NULL ? command->request_id : 0;
	tap->stop_command = command != NULL ? command->kind : 0;
	forget(&engine->contexts[tap->context], tap->handle);
	for (index = tap->first_stream; index != TD_INDEX_NONE; index = next) {
		struct td_engine_stream *stream = &engine->streams[index];
		struct td_engine_tapping *tapping = tapping_of(engine, stream, tap->handle);

		TD_ASSERT(tapping != NULL);
		next = tapping->next_stream;
		if (!tapping->leaving)
			leave(engine, tap, stream, tapping, NULL);
	}
	if (tap->stream_count == 0)
		end(engine, tap, now_ns);
}

static void unlink_stream(struct td_engine *engine, struct td_engine_tap *tap, uint32_t stream,
			  const struct td_engine_tapping *tapping)
{
	uint32_t *link = &tap->first_stream;

	while (*link != stream) {
		struct td_engine_tapping *before =
			tapping_of(engine, &engine->streams[*link], tap->handle);

		TD_ASSERT(before != NULL);
		link = &before->next_stream;
	}
	*link = tapping->next_stream;
	tap->stream_count--;
}

void td_engine_tap_detached(struct td_engine *engine, uint32_t handle, uint32_t stream,
			    uint64_t now_ns)
{
	struct td_engine_tap *tap = &engine->taps[td_handle_index(handle)];
	struct td_engine_tapping *tapping = tapping_of(engine, &engine->streams[stream], handle);

	TD_ASSERT(tap->handle == handle && tapping != NULL);
	unlink_stream(engine, tap, stream, tapping);
	memset(tapping, 0, sizeof *tapping);
	if (tap->state == TD_OBJECT_DYING && tap->stream_count == 0)
		end(engine, tap, now_ns);
}

void td_engine_taps_leave(struct td_engine *engine, const struct td_engine_stream *stream)
{
	struct td_engine_tapping *tappings = tappings_of(engine, stream);

	for (unsigned i = 0; i < TD_STREAM_TAP_MAX; i++)
		if (tappings[i].tap != 0)
			tappings[i].leaving = true;
}

void td_engine_taps_of_gone(struct td_engine *engine, uint32_t stream, uint64_t now_ns)
{
	const struct td_engine_tapping *tappings = engine->tappings[stream].of;

	for (unsigned i = 0; i < TD_STREAM_TAP_MAX; i++)
		if (tappings[i].tap != 0)
			td_engine_tap_detached(engine, tappings[i].tap, stream, now_ns);
}

// Commands about recordings: taps on two streams of a context.
#include <string.h>

#include "media/engine_state.h"
#include "td_assert.h"

// A name below the recordings folder: printable, relative, no step out of it, ends in ".wav".
static bool name_is_safe(const char name[TD_FILE_NAME_MAX])
{
	size_t len = strnlen(name, TD_FILE_NAME_MAX);

	if (len < 5 || len == TD_FILE_NAME_MAX || name[0] == '/' ||
	    memcmp(name + len - 4, ".wav", 4) != 0 || strstr(name, "..") != NULL)
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '\\')
			return false;
	return true;
}

static int check_start(struct td_engine *engine, const struct td_command_record_start *start,
		       struct td_engine_context *context, struct td_engine_stream *sides[2])
{
	uint32_t index = td_handle_index(context->handle);

	sides[0] = td_engine_find_stream(engine, start->left.v);
	sides[1] = td_engine_find_stream(engine, start->right.v);
	if (sides[0] == NULL || sides[1] == NULL || sides[0]->context != index ||
	    sides[1]->context != index)
		return -TD_ESTALE;
	if (sides[0] == sides[1] || !name_is_safe(start->name))
		return -TD_EINVALID;
	if (engine->options.recorder.open == NULL)
		return -TD_EUNSUPPORTED;
	if (sides[0]->tap != TD_INDEX_NONE || sides[1]->tap != TD_INDEX_NONE)
		return -TD_EBUSY;
	if (!td_engine_change_room(engine, context->worker, 1))
		return -TD_EBUSY;
	return context->tap_count == TD_TAPS_PER_CONTEXT ? -TD_EFULL : 0;
}

static TD_MAIN void begin(struct td_engine *engine, const struct td_command *command,
			  struct td_engine_context *context, struct td_engine_stream *sides[2],
			  uint32_t handle)
{
	uint32_t index = td_handle_index(handle);
	struct td_engine_tap *tap = &engine->taps[index];
	struct td_change change;

	*tap = (struct td_engine_tap){ .handle = handle,
				       .context = td_handle_index(context->handle),
				       .state = TD_OBJECT_LIVE };
	for (unsigned side = 0; side < 2; side++) {
		tap->sides[side] = td_handle_index(sides[side]->handle);
		sides[side]->tap = index;
	}
	context->taps[context->tap_count++] = handle;
	td_engine_change_begin(&change, TD_CHANGE_RECORD_START, command, context);
	change.u.record.id.v = handle;
	change.u.record.left = tap->sides[0];
	change.u.record.right = tap->sides[1];
	td_engine_change_push(engine, context->worker, &change);
}

int td_engine_record_start(struct td_engine *engine, const struct td_command *command)
{
	const struct td_command_record_start *start = &command->u.record_start;
	struct td_engine_context *context = td_engine_find_context(engine, start->context.v);
	struct td_engine_stream *sides[2];
	struct td_tap_id id;
	int error;

	if (context == NULL)
		return -TD_ESTALE;
	error = check_start(engine, start, context, sides);
	if (error != 0)
		return error;
	error = td_engine_take(engine, TD_POOL_TAP, &id.v);
	if (error != 0)
		return error;
	error = engine->options.recorder.open(engine->options.recorder.user, id, start);
	if (error != 0) {
		td_engine_untake(engine, TD_POOL_TAP, id.v);
		return error;
	}
	begin(engine, command, context, sides, id.v);
	return 0;
}

static void forget_tap(struct td_engine_context *context, uint32_t handle)
{
	for (unsigned i = 0; i < context->tap_count; i++) {
		if (context->taps[i] != handle)
			continue;
		context->taps[i] = context->taps[--context->tap_count];
		return;
	}
}

int td_engine_record_stop(struct td_engine *engine, const struct td_command *command)
{
	struct td_engine_tap *tap = td_engine_find_tap(engine, command->u.record_stop.v);
	struct td_engine_context *context;
	struct td_change change;

	if (tap == NULL)
		return -TD_ESTALE;
	context = &engine->contexts[tap->context];
	if (!td_engine_change_room(engine, context->worker, 1))
		return -TD_EBUSY;
	tap->state = TD_OBJECT_DYING;
	forget_tap(context, tap->handle);
	td_engine_change_begin(&change, TD_CHANGE_RECORD_STOP, command, context);
	change.u.record.id.v = tap->handle;
	change.u.record.left = tap->sides[0];
	change.u.record.right = tap->sides[1];
	for (unsigned side = 0; side < 2; side++)
		if (tap->sides[side] != TD_INDEX_NONE)
			engine->streams[tap->sides[side]].tap = TD_INDEX_NONE;
	td_engine_change_push(engine, context->worker, &change);
	return 0;
}

// The last record is in the tap ring. The handle stays taken until the recorder reports the file
// closed, so that records of another recording cannot be taken for this one's.
void td_engine_record_stopped(struct td_engine *engine, uint32_t handle)
{
	struct td_engine_tap *tap = &engine->taps[td_handle_index(handle)];
	struct td_tap_id id = { .v = handle };

	TD_ASSERT(tap->handle == handle && tap->state == TD_OBJECT_DYING);
	engine->options.recorder.close(engine->options.recorder.user, id);
}

int td_engine_record_event(struct td_engine *engine, const struct td_event *event)
{
	return td_ring_push(&engine->record_events_in, event);
}

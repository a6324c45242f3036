// Commands about recordings: taps on two streams of a context.
#include <string.h>

#include "media/engine_state.h"
#include "td_assert.h"

static bool ends_in(const char *name, size_t len, const char *suffix)
{
	size_t suffix_len = strlen(suffix);

	return len > suffix_len && memcmp(name + len - suffix_len, suffix, suffix_len) == 0;
}

// A name below the recordings folder: printable, relative, no step out of it, its format's suffix.
static bool name_is_safe(const char name[TD_FILE_NAME_MAX], uint8_t format)
{
	size_t len = strnlen(name, TD_FILE_NAME_MAX);

	if (len == TD_FILE_NAME_MAX || name[0] == '/' || strstr(name, "..") != NULL ||
	    !ends_in(name, len, format == TD_RECORD_OPUS ? ".opus" : ".wav"))
		return false;
	for (size_t i = 0; i < len; i++)
		if (name[i] <= ' ' || name[i] > '~' || name[i] == '\\')
			return false;
	return true;
}

static unsigned track_count_of(const struct td_command_record_start *start)
{
	return start->track_count == 0 ? 2 : start->track_count;
}

static struct td_stream_id track_of(const struct td_command_record_start *start, unsigned track)
{
	if (track < 2)
		return track == 0 ? start->left : start->right;
	return start->more[track - 2];
}

static int find_tracks(struct td_engine *engine, const struct td_command_record_start *start,
		       uint32_t context, struct td_engine_stream *tracks[TD_TRACK_MAX])
{
	for (unsigned i = 0; i < track_count_of(start); i++) {
		tracks[i] = td_engine_find_stream(engine, track_of(start, i).v);
		if (tracks[i] == NULL || tracks[i]->context != context)
			return -TD_ESTALE;
		for (unsigned j = 0; j < i; j++)
			if (tracks[j] == tracks[i])
				return -TD_EINVALID;
	}
	return 0;
}

static bool form_is_known(const struct td_command_record_start *start)
{
	unsigned count = track_count_of(start);

	if (count < 2 || count > TD_TRACK_MAX || start->format > TD_RECORD_OPUS)
		return false;
	return start->mono == 0 || (start->mono == 1 && start->format == TD_RECORD_WAV);
}

static int check_start(struct td_engine *engine, const struct td_command_record_start *start,
		       const struct td_engine_context *context,
		       struct td_engine_stream *tracks[TD_TRACK_MAX])
{
	int error;

	if (!form_is_known(start))
		return -TD_EINVALID;
	error = find_tracks(engine, start, td_handle_index(context->handle), tracks);
	if (error != 0)
		return error;
	if (!name_is_safe(start->name, start->format))
		return -TD_EINVALID;
	if (engine->options.recorder.open == NULL)
		return -TD_EUNSUPPORTED;
	for (unsigned i = 0; i < track_count_of(start); i++)
		if (tracks[i]->tap != TD_INDEX_NONE)
			return -TD_EBUSY;
	if (!td_engine_change_room(engine, context->worker, 1))
		return -TD_EBUSY;
	return context->tap_count == TD_TAPS_PER_CONTEXT ? -TD_EFULL : 0;
}

void td_engine_record_describe(const struct td_engine_tap *tap, struct td_change *change)
{
	change->u.record.id.v = tap->handle;
	change->u.record.track_count = tap->track_count;
	memcpy(change->u.record.tracks, tap->tracks, sizeof tap->tracks);
}

static TD_MAIN void begin(struct td_engine *engine, const struct td_command *command,
			  struct td_engine_context *context,
			  struct td_engine_stream *tracks[TD_TRACK_MAX], uint32_t handle)
{
	uint32_t index = td_handle_index(handle);
	struct td_engine_tap *tap = &engine->taps[index];
	struct td_change change;

	*tap = (struct td_engine_tap){ .handle = handle,
				       .context = td_handle_index(context->handle),
				       .track_count = track_count_of(&command->u.record_start),
				       .state = TD_OBJECT_LIVE };
	for (unsigned track = 0; track < tap->track_count; track++) {
		tap->tracks[track] = td_handle_index(tracks[track]->handle);
		tracks[track]->tap = index;
	}
	context->taps[context->tap_count++] = handle;
	td_engine_change_begin(&change, TD_CHANGE_RECORD_START, command, context);
	td_engine_record_describe(tap, &change);
	td_engine_change_push(engine, context->worker, &change);
}

int td_engine_record_start(struct td_engine *engine, const struct td_command *command)
{
	const struct td_command_record_start *start = &command->u.record_start;
	struct td_engine_context *context = td_engine_find_context(engine, start->context.v);
	struct td_engine_stream *tracks[TD_TRACK_MAX];
	struct td_tap_id id;
	int error;

	if (context == NULL)
		return -TD_ESTALE;
	error = check_start(engine, start, context, tracks);
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
	begin(engine, command, context, tracks, id.v);
	return 0;
}

static bool is_text(const char *text, size_t room)
{
	return text[0] != '\0' && strnlen(text, room) < room;
}

int td_engine_record_note(struct td_engine *engine, const struct td_command *command)
{
	const struct td_command_record_note *note = &command->u.record_note;
	int error;

	if (td_engine_find_tap(engine, note->tap.v) == NULL)
		return -TD_ESTALE;
	if (!is_text(note->key, sizeof note->key) ||
	    strnlen(note->text, sizeof note->text) == sizeof note->text)
		return -TD_EINVALID;
	if (engine->options.recorder.note == NULL)
		return -TD_EUNSUPPORTED;
	error = engine->options.recorder.note(engine->options.recorder.user, note);
	return error != 0 ? error : TD_ANSWERED;
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
	td_engine_record_describe(tap, &change);
	for (unsigned track = 0; track < tap->track_count; track++)
		if (tap->tracks[track] != TD_INDEX_NONE)
			engine->streams[tap->tracks[track]].tap = TD_INDEX_NONE;
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

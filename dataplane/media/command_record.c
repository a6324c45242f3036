// Commands about recordings: taps on streams, wherever those are.
#include <string.h>

#include "media/engine_state.h"

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

// The streams it begins with; NULL: the track has none yet.
static int find_tracks(struct td_engine *engine, const struct td_command_record_start *start,
		       struct td_engine_stream *tracks[TD_TRACK_MAX])
{
	for (unsigned i = 0; i < track_count_of(start); i++) {
		struct td_stream_id id = track_of(start, i);

		tracks[i] = td_engine_find_stream(engine, id.v);
		if (tracks[i] == NULL && id.v != 0)
			return -TD_ESTALE;
		for (unsigned j = 0; j < i; j++)
			if (tracks[i] != NULL && tracks[j] == tracks[i])
				return -TD_EINVALID;
	}
	return 0;
}

static bool form_is_known(const struct td_command_record_start *start)
{
	unsigned count = track_count_of(start);

	if (count < 2 || count > TD_TRACK_MAX || start->format > TD_RECORD_OPUS)
		return false;
	if (start->mono > 1 || start->stereo > 1 || start->mono + start->stereo > 1)
		return false;
	return start->mono + start->stereo == 0 || start->format == TD_RECORD_WAV;
}

static TD_MAIN int check_start(struct td_engine *engine,
			       const struct td_command_record_start *start,
			       const struct td_engine_context *context,
			       struct td_engine_stream *tracks[TD_TRACK_MAX])
{
	int error;

	if (context == NULL)
		return -TD_ESTALE;
	if (!form_is_known(start))
		return -TD_EINVALID;
	error = find_tracks(engine, start, tracks);
	if (error != 0)
		return error;
	if (!name_is_safe(start->name, start->format))
		return -TD_EINVALID;
	if (engine->options.recorder.open == NULL)
		return -TD_EUNSUPPORTED;
	return td_engine_tap_room(engine, TD_TRACK_MAX) ? 0 : -TD_EBUSY;
}

// The worker of the last stream answers; where there is none yet, main does.
static TD_MAIN int attach_all(struct td_engine *engine, const struct td_command *command,
			      struct td_engine_tap *tap,
			      struct td_engine_stream *tracks[TD_TRACK_MAX], uint64_t now_ns)
{
	struct td_event event = { .kind = TD_EVENT_DONE, .request_id = command->request_id };
	unsigned count = track_count_of(&command->u.record_start);

	while (count > 0 && tracks[count - 1u] == NULL)
		count--;
	for (unsigned i = 0; i < count; i++)
		if (tracks[i] != NULL)
			td_engine_tap_attach(engine, tap, tracks[i], i,
					     i + 1u == count ? command : NULL);
	if (count > 0)
		return 0;
	event.command = command->kind;
	event.u.tap.v = tap->handle;
	// A full ring is counted by the ring itself; control sees the deadline pass.
	(void)!td_engine_post(engine, &event, now_ns);
	return 0;
}

int td_engine_record_start(struct td_engine *engine, const struct td_command *command,
			   uint64_t now_ns)
{
	const struct td_command_record_start *start = &command->u.record_start;
	const struct td_engine_recorder *recorder = &engine->options.recorder;
	struct td_engine_context *context = td_engine_find_context(engine, start->context.v);
	struct td_engine_stream *tracks[TD_TRACK_MAX] = { NULL };
	struct td_engine_tap *tap;
	struct td_tap_id id;
	int error = check_start(engine, start, context, tracks);

	if (error == 0)
		error = td_engine_tap_take(engine, context, &id);
	if (error != 0)
		return error;
	tap = &engine->taps[td_handle_index(id.v)];
	tap->track_count = (uint8_t)track_count_of(start);
	for (unsigned i = 0; i < tap->track_count && error == 0; i++)
		if (tracks[i] != NULL)
			error = td_engine_tap_admits(engine, tap, tracks[i], i);
	if (error == 0)
		error = recorder->open(recorder->user, id, start);
	if (error != 0) {
		td_engine_tap_untake(engine, id);
		return error;
	}
	return attach_all(engine, command, tap, tracks, now_ns);
}

int td_engine_record_stop(struct td_engine *engine, const struct td_command *command,
			  uint64_t now_ns)
{
	struct td_engine_tap *tap = td_engine_find_tap(engine, command->u.record_stop.v);

	if (tap == NULL)
		return -TD_ESTALE;
	if (!td_engine_tap_room(engine, tap->stream_count))
		return -TD_EBUSY;
	td_engine_tap_stop(engine, tap, command, now_ns);
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

int td_engine_record_attach(struct td_engine *engine, const struct td_command *command)
{
	const struct td_command_record_track *track = &command->u.record_track;
	struct td_engine_tap *tap = td_engine_find_tap(engine, track->tap.v);
	struct td_engine_stream *stream = td_engine_find_stream(engine, track->stream.v);
	int error;

	if (tap == NULL || stream == NULL)
		return -TD_ESTALE;
	error = td_engine_tap_admits(engine, tap, stream, track->track);
	if (error != 0)
		return error;
	if (!td_engine_tap_room(engine, 1))
		return -TD_EBUSY;
	td_engine_tap_attach(engine, tap, stream, track->track, command);
	return 0;
}

int td_engine_record_detach(struct td_engine *engine, const struct td_command *command)
{
	const struct td_command_record_track *track = &command->u.record_track;
	struct td_engine_tap *tap = td_engine_find_tap(engine, track->tap.v);
	struct td_engine_stream *stream = td_engine_find_stream(engine, track->stream.v);

	if (tap == NULL || stream == NULL)
		return -TD_ESTALE;
	if (!td_engine_tap_room(engine, 1))
		return -TD_EBUSY;
	return td_engine_tap_detach(engine, tap, stream, command);
}

int td_engine_record_control(struct td_engine *engine, const struct td_command *command,
			     uint64_t now_ns)
{
	static const uint8_t set[TD_RECORD_ACTION_COUNT] = {
		[TD_RECORD_PAUSE] = TD_TAP_PAUSED, [TD_RECORD_MASK] = TD_TAP_MASKED
	};
	static const uint8_t kept[TD_RECORD_ACTION_COUNT] = { [TD_RECORD_PAUSE] = TD_TAP_MASKED,
							      [TD_RECORD_MASK] = TD_TAP_PAUSED,
							      [TD_RECORD_MARK] = UINT8_MAX };
	const struct td_command_record_control *control = &command->u.record_control;
	const struct td_engine_recorder *recorder = &engine->options.recorder;
	const struct td_engine_tap *tap = td_engine_find_tap(engine, control->tap.v);
	_Atomic uint8_t *flags = &engine->tap_flags[td_handle_index(control->tap.v)];
	uint8_t now;

	if (tap == NULL)
		return -TD_ESTALE;
	if (control->action >= TD_RECORD_ACTION_COUNT ||
	    strnlen(control->text, sizeof control->text) == sizeof control->text)
		return -TD_EINVALID;
	now = atomic_load_explicit(flags, memory_order_relaxed);
	now = (uint8_t)((now & kept[control->action]) | set[control->action]);
	// Relaxed: only this thread writes it, and a worker reads nothing else by it.
	atomic_store_explicit(flags, now, memory_order_relaxed);
	if (recorder->control != NULL)
		recorder->control(recorder->user, control, now_ns);
	return TD_ANSWERED;
}

int td_engine_record_event(struct td_engine *engine, const struct td_event *event)
{
	return td_ring_push(&engine->record_events_in, event);
}

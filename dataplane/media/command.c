// Commands: dispatch, deadlines, and the answers that come from the main thread.
#include "media/engine_state.h"

int td_engine_post(struct td_engine *engine, struct td_event *event, uint64_t now_ns)
{
	event->time_ns = now_ns;
	event->thread = 0;
	event->sequence = ++engine->event_sequence;
	return td_ring_push(&engine->events, event);
}

static TD_MAIN int execute(struct td_engine *engine, const struct td_command *command,
			   uint64_t now_ns)
{
	switch ((enum td_command_kind)command->kind) {
	case TD_COMMAND_PING: return TD_ANSWERED;
	case TD_COMMAND_RESET: return td_engine_reset_start(engine, command, now_ns);
	case TD_COMMAND_CONTEXT_CREATE: return td_engine_context_create(engine, command);
	case TD_COMMAND_CONTEXT_DESTROY: return td_engine_context_destroy(engine, command, now_ns);
	case TD_COMMAND_STREAM_CREATE: return td_engine_stream_create(engine, command, now_ns);
	case TD_COMMAND_STREAM_SET_REMOTE: return td_engine_stream_set_remote(engine, command);
	case TD_COMMAND_STREAM_DESTROY: return td_engine_stream_destroy(engine, command, now_ns);
	case TD_COMMAND_PLAYER_CREATE: return td_engine_player_create(engine, command);
	case TD_COMMAND_PLAYER_CONTROL: return td_engine_player_control(engine, command);
	case TD_COMMAND_PLAYER_DESTROY: return td_engine_player_destroy(engine, command);
	case TD_COMMAND_MATRIX_EDIT: return td_engine_matrix_edit(engine, command);
	case TD_COMMAND_RECORD_START: return td_engine_record_start(engine, command, now_ns);
	case TD_COMMAND_RECORD_STOP: return td_engine_record_stop(engine, command, now_ns);
	case TD_COMMAND_RECORD_NOTE: return td_engine_record_note(engine, command);
	case TD_COMMAND_RECORD_ATTACH: return td_engine_record_attach(engine, command);
	case TD_COMMAND_RECORD_DETACH: return td_engine_record_detach(engine, command);
	case TD_COMMAND_RECORD_CONTROL: return td_engine_record_control(engine, command, now_ns);
	case TD_COMMAND_CONTEXT_PRIVACY: return td_engine_context_privacy(engine, command);
	case TD_COMMAND_STREAM_TUNE: return td_engine_stream_tune(engine, command);
	case TD_COMMAND_STREAM_DIGITS: return td_engine_stream_digits(engine, command);
	case TD_COMMAND_STREAM_MOVE: return td_engine_stream_move(engine, command);
	case TD_COMMAND_CONTEXT_MOVE: return td_engine_context_move(engine, command);
	case TD_COMMAND_FORK_START: return td_engine_fork_start(engine, command);
	case TD_COMMAND_FORK_STOP: return td_engine_fork_stop(engine, command);
	case TD_COMMAND_NONE:
	case TD_COMMAND_KIND_COUNT: break;
	}
	return -TD_EINVALID;
}

// One that is refused, however early, leaves nothing for those behind it to mean.
static TD_MAIN void forget_latest(struct td_engine *engine, uint32_t kind)
{
	if (kind == TD_COMMAND_CONTEXT_CREATE || kind == TD_COMMAND_RESET)
		engine->latest_context = 0;
	if (kind == TD_COMMAND_STREAM_CREATE || kind == TD_COMMAND_RESET)
		engine->latest_stream = 0;
}

void td_engine_command(struct td_engine *engine, const struct td_command *command, uint64_t now_ns)
{
	struct td_event event = { .kind = TD_EVENT_DONE };
	int result;

	forget_latest(engine, command->kind);
	if (now_ns > command->deadline_ns)
		result = -TD_ETIMEOUT;
	else if (engine->transit.active)
		result = -TD_EBUSY;
	else
		result = execute(engine, command, now_ns);
	if (result == 0 || (result == TD_ANSWERED && command->kind == TD_COMMAND_RESET))
		return; // the answer comes from the worker, or with the last context
	event.request_id = command->request_id;
	event.command = command->kind;
	event.result = result == TD_ANSWERED ? 0 : result;
	// A full ring is counted by the ring itself; control sees the deadline pass.
	(void)!td_engine_post(engine, &event, now_ns);
}

static TD_MAIN void on_note(struct td_engine *engine, const struct td_note *note, uint64_t now_ns)
{
	switch ((enum td_note_kind)note->kind) {
	case TD_NOTE_CONTEXT_GONE: td_engine_context_gone(engine, note->handle, now_ns); break;
	case TD_NOTE_STREAM_GONE: td_engine_stream_gone(engine, note->handle, now_ns); break;
	case TD_NOTE_PLAYER_GONE: td_engine_player_gone(engine, note->handle); break;
	case TD_NOTE_TAP_DETACHED:
		td_engine_tap_detached(engine, note->handle, note->object, now_ns);
		break;
	case TD_NOTE_FORK_DETACHED:
		td_engine_fork_detached(engine, note->handle, note->object);
		break;
	case TD_NOTE_FORK_STOPPED: td_engine_fork_stopped(engine, note->handle); break;
	case TD_NOTE_RELEASED:
		for (unsigned i = 0; i < TD_RELEASED_MAX; i++)
			td_engine_release_next_hop(engine, note->released[i]);
		break;
	case TD_NOTE_LEARNED: td_engine_stream_learned(engine, note); break;
	case TD_NOTE_LEFT: td_engine_transit_left(engine); break;
	case TD_NOTE_PLAN: td_engine_plan_gone(engine, note); break;
	}
}

static TD_MAIN uint32_t take_notes(struct td_engine *engine, uint32_t worker, uint64_t now_ns)
{
	struct td_note note;
	uint32_t count = 0;

	while (count < TD_NOTE_SLOTS && td_ring_pop(&engine->links[worker].notes, &note) == 0) {
		on_note(engine, &note, now_ns);
		count++;
	}
	return count;
}

static TD_MAIN uint32_t take_record_events(struct td_engine *engine, uint64_t now_ns)
{
	struct td_event event;
	uint32_t count = 0;

	while (td_ring_pop(&engine->record_events_out, &event) == 0) {
		uint32_t handle = event.u.recording.tap.v;
		struct td_engine_tap *tap = &engine->taps[td_handle_index(handle)];

		(void)!td_engine_post(engine, &event, now_ns);
		count++;
		if (event.kind != TD_EVENT_RECORD_CLOSED || tap->handle != handle ||
		    tap->state != TD_OBJECT_DYING)
			continue;
		tap->state = TD_OBJECT_GONE;
		td_engine_retire(engine, TD_POOL_TAP, handle);
	}
	return count;
}

uint32_t td_engine_housekeep(struct td_engine *engine, uint64_t now_ns)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < engine->options.worker_count; i++)
		count += take_notes(engine, i, now_ns);
	count += take_record_events(engine, now_ns);
	count += td_engine_fork_events(engine, now_ns);
	count += td_engine_transit_continue(engine);
	if (!engine->transit.active)
		count += td_engine_reset_continue(engine, now_ns);
	return count + td_engine_reclaim(engine, now_ns);
}

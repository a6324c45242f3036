// Commands about contexts: create, destroy, reset, and the gain matrix.
#include <string.h>

#include "media/engine_state.h"
#include "td_assert.h"

static uint32_t idlest_worker(const struct td_engine *engine)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < engine->options.worker_count; i++)
		if (engine->links[i].load < engine->links[best].load)
			best = i;
	return best;
}

int td_engine_context_create(struct td_engine *engine, const struct td_command *command)
{
	uint32_t worker = idlest_worker(engine), handle;
	struct td_engine_context *context;
	struct td_change change;
	int error;

	if (!td_engine_change_room(engine, worker, 1))
		return -TD_EBUSY;
	error = td_engine_take(engine, TD_POOL_CONTEXT, &handle);
	if (error != 0)
		return error;
	context = &engine->contexts[td_handle_index(handle)];
	memset(context, 0, sizeof *context);
	context->handle = handle;
	context->state = TD_OBJECT_LIVE;
	context->worker = (uint8_t)worker;
	engine->links[worker].load++;
	engine->latest_context = handle;
	td_engine_change_begin(&change, TD_CHANGE_CONTEXT_CREATE, command, context);
	td_engine_change_push(engine, worker, &change);
	return 0;
}

static TD_MAIN void close_member(struct td_engine *engine, const struct td_matrix_member *member,
				 uint64_t now_ns)
{
	switch ((enum td_member_kind)member->kind) {
	case TD_MEMBER_STREAM:
		td_engine_stream_close(engine, &engine->streams[member->feed], now_ns);
		break;
	case TD_MEMBER_PLAYER:
		engine->players[member->feed & ~TD_FEED_PLAYER].state = TD_OBJECT_DYING;
		break;
	case TD_MEMBER_FLOOR:
	case TD_MEMBER_NONE: break;
	}
}

uint32_t td_engine_context_changes(struct td_engine *engine,
				   const struct td_engine_context *context)
{
	uint32_t count = 1;

	for (unsigned i = 0; i < context->fork_count; i++)
		count += td_engine_fork_changes(engine, context->forks[i]);
	for (unsigned i = 0; i < context->tap_count; i++)
		count += engine->taps[td_handle_index(context->taps[i])].stream_count;
	return count;
}

void td_engine_context_end(struct td_engine *engine, struct td_engine_context *context,
			   const struct td_command *command, uint64_t now_ns)
{
	struct td_change change;

	while (context->tap_count > 0)
		td_engine_tap_stop(engine, &engine->taps[td_handle_index(context->taps[0])], NULL,
				   now_ns);
	td_engine_fork_stop_all(engine, context);
	for (uint32_t slot = 0; slot < context->matrix.slots; slot++)
		close_member(engine, &context->matrix.members[slot], now_ns);
	context->state = TD_OBJECT_DYING;
	td_engine_change_begin(&change, TD_CHANGE_CONTEXT_DESTROY, command, context);
	td_engine_change_push(engine, context->worker, &change);
}

int td_engine_context_destroy(struct td_engine *engine, const struct td_command *command,
			      uint64_t now_ns)
{
	struct td_engine_context *context =
		td_engine_find_context(engine, command->u.context_destroy.v);

	if (context == NULL)
		return -TD_ESTALE;
	if (!td_engine_tap_room(engine, td_engine_context_changes(engine, context)))
		return -TD_EBUSY;
	td_engine_context_end(engine, context, command, now_ns);
	return 0;
}

static TD_MAIN void reset_answer(struct td_engine *engine, int result, uint64_t now_ns)
{
	struct td_event event = { .kind = TD_EVENT_DONE, .result = result };

	event.request_id = engine->reset.request_id;
	event.command = TD_COMMAND_RESET;
	event.u.reset_count = engine->reset.count;
	engine->reset.request_id = 0;
	// A full ring is counted by the ring itself; control sees the deadline pass.
	(void)!td_engine_post(engine, &event, now_ns);
}

void td_engine_context_gone(struct td_engine *engine, uint32_t handle, uint64_t now_ns)
{
	uint32_t index = td_handle_index(handle);
	struct td_engine_context *context = &engine->contexts[index];

	TD_ASSERT(context->handle == handle && context->state == TD_OBJECT_DYING);
	for (uint32_t slot = 0; slot < context->matrix.slots; slot++) {
		const struct td_matrix_member *member = &context->matrix.members[slot];
		uint32_t object = member->feed & ~TD_FEED_PLAYER;

		if (member->kind == TD_MEMBER_STREAM)
			td_engine_stream_gone(engine, engine->streams[object].handle, now_ns);
		if (member->kind == TD_MEMBER_PLAYER)
			td_engine_player_gone(engine, engine->players[object].handle);
	}
	td_matrix_fini(&context->matrix);
	context->plan = NULL; // the worker has noted it
	context->state = TD_OBJECT_GONE;
	engine->links[context->worker].load--;
	td_engine_retire(engine, TD_POOL_CONTEXT, handle);
	if (engine->reset.request_id == 0 || !engine->reset.marked[index])
		return;
	engine->reset.marked[index] = false;
	if (--engine->reset.doomed == 0)
		reset_answer(engine, 0, now_ns);
}

int td_engine_reset_start(struct td_engine *engine, const struct td_command *command,
			  uint64_t now_ns)
{
	struct td_engine_reset *reset = &engine->reset;

	// A control process may have died and come back while one was under way: the new one takes
	// over what is left of it.
	if (reset->request_id != 0)
		reset_answer(engine, -TD_EBUSY, now_ns);
	reset->request_id = command->request_id;
	reset->cursor = 0;
	for (uint32_t i = 0; i < engine->capacity[TD_POOL_CONTEXT]; i++) {
		if (reset->marked[i] || engine->contexts[i].state != TD_OBJECT_LIVE)
			continue;
		reset->marked[i] = true;
		reset->doomed++;
	}
	reset->count = reset->doomed;
	if (reset->doomed == 0)
		reset_answer(engine, 0, now_ns);
	else
		(void)td_engine_reset_continue(engine, now_ns);
	return TD_ANSWERED; // by main, now or when the last context is gone
}

bool td_engine_reset_continue(struct td_engine *engine, uint64_t now_ns)
{
	struct td_engine_reset *reset = &engine->reset;
	uint32_t before = reset->cursor;

	if (reset->request_id == 0)
		return false;
	for (; reset->cursor < engine->capacity[TD_POOL_CONTEXT]; reset->cursor++) {
		struct td_engine_context *context = &engine->contexts[reset->cursor];

		if (!reset->marked[reset->cursor] || context->state != TD_OBJECT_LIVE)
			continue;
		if (!td_engine_tap_room(engine, td_engine_context_changes(engine, context)))
			break; // goes on at the next housekeeping
		td_engine_context_end(engine, context, NULL, now_ns);
	}
	return reset->cursor != before;
}

int td_engine_matrix_edit(struct td_engine *engine, const struct td_command *command)
{
	const struct td_command_matrix_edit *edit = &command->u.matrix_edit;
	struct td_engine_context *context = td_engine_find_context(engine, edit->context.v);
	struct td_edit made;
	struct td_change change;
	int error;

	if (context == NULL)
		return -TD_ESTALE;
	if (!td_engine_change_room(engine, context->worker, 1))
		return -TD_EBUSY;
	error = td_engine_edit_begin(context, &made);
	if (error != 0)
		return error;
	error = td_engine_edit_cells(engine, &made, edit->cells, edit->cell_count);
	if (error != 0) {
		td_engine_edit_abort(engine, &made);
		return error;
	}
	td_engine_change_begin(&change, TD_CHANGE_PLAN, command, context);
	error = td_engine_edit_commit(engine, &made, &change);
	if (error != 0)
		return error;
	td_engine_change_push(engine, context->worker, &change);
	return 0;
}

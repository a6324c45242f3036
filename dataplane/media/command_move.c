// Commands that move: a stream to another context, a context to another worker.
#include "media/engine_state.h"

// The stream as a member of its new context, in an edit of it, with what is known of it.
static int enter(struct td_edit *to, const struct td_matrix_member *was, uint32_t *slot)
{
	int error = td_matrix_add(&to->matrix, TD_MEMBER_STREAM, was->feed, slot);
	struct td_matrix_member *member;

	if (error != 0)
		return error;
	member = &to->matrix.members[*slot];
	*member = *was;
	member->talk_q12 = member->hear_q12 = 0;
	return 0;
}

// Both edits prepared, or neither. The stream counts as a member of the new context meanwhile.
static TD_MAIN int prepare(struct td_engine *engine, struct td_engine_stream *stream,
			   const struct td_command_stream_move *move, struct td_edit *from,
			   struct td_edit *to)
{
	const struct td_engine_stream was = *stream;
	uint32_t slot;
	int error = enter(to, &from->matrix.members[was.slot], &slot);

	if (error != 0)
		return error;
	td_matrix_remove(&from->matrix, was.slot);
	stream->context = td_handle_index(to->context->handle);
	stream->slot = slot;
	error = td_engine_edit_cells(engine, to, move->cells, move->cell_count);
	if (error == 0)
		error = td_engine_edit_prepare(engine, to);
	if (error == 0)
		error = td_engine_edit_prepare(engine, from);
	if (error == 0)
		return 0;
	stream->context = was.context; // an inlet that was given stays given
	stream->slot = was.slot;
	return error;
}

static TD_MAIN int begin_both(struct td_engine *engine, struct td_engine_context *from_context,
			      struct td_engine_context *to_context, struct td_edit *from,
			      struct td_edit *to)
{
	int error = td_engine_edit_begin(from_context, from);

	if (error != 0)
		return error;
	error = td_engine_edit_begin(to_context, to);
	if (error != 0)
		td_engine_edit_abort(engine, from);
	return error;
}

// To a context of the same worker it is one change; to another worker it is a journey.
static TD_MAIN void set_out(struct td_engine *engine, const struct td_engine_context *from_context,
			    const struct td_engine_context *to_context, struct td_change *change)
{
	struct td_engine_transit *transit = &engine->transit;

	if (from_context->worker == to_context->worker) {
		td_engine_change_push(engine, from_context->worker, change);
		return;
	}
	transit->kind = TD_CHANGE_STREAM_LEAVE;
	transit->active = true;
	transit->left = false;
	transit->from = from_context->worker;
	transit->to = to_context->worker;
	transit->arrive = *change;
	transit->arrive.kind = TD_CHANGE_STREAM_ARRIVE;
	transit->arrive.context.v = to_context->handle;
	transit->arrive.plan = change->u.move.plan;
	engine->links[transit->from].load--;
	engine->links[transit->to].load++;
	change->kind = TD_CHANGE_STREAM_LEAVE;
	change->request_id = 0;
	td_engine_change_push(engine, transit->from, change);
}

int td_engine_stream_move(struct td_engine *engine, const struct td_command *command)
{
	const struct td_command_stream_move *move = &command->u.stream_move;
	struct td_engine_stream *stream = td_engine_find_stream(engine, move->stream.v);
	struct td_engine_context *to_context = td_engine_find_context(engine, move->context.v);
	struct td_engine_context *from_context;
	struct td_edit from, to;
	struct td_change change;
	int error;

	if (stream == NULL || to_context == NULL)
		return -TD_ESTALE;
	from_context = &engine->contexts[stream->context];
	if (from_context == to_context)
		return -TD_EINVALID;
	if (from_context->matrix.private && from_context->matrix.members[stream->slot].party)
		return -TD_ESTATE; // what it says would be heard
	if (!td_engine_change_room(engine, from_context->worker, 1))
		return -TD_EBUSY;
	error = begin_both(engine, from_context, to_context, &from, &to);
	if (error != 0)
		return error;
	td_engine_change_begin(&change, TD_CHANGE_STREAM_MOVE, command, from_context);
	error = prepare(engine, stream, move, &from, &to);
	if (error != 0) {
		td_engine_edit_abort(engine, &to);
		td_engine_edit_abort(engine, &from);
		return error;
	}
	change.object = td_handle_index(stream->handle);
	td_engine_fork_expect(engine, to_context, change.object);
	change.u.move.to.v = to_context->handle;
	change.u.move.plan = td_engine_edit_adopt(&to);
	change.plan = td_engine_edit_adopt(&from);
	set_out(engine, from_context, to_context, &change);
	return 0;
}

int td_engine_context_move(struct td_engine *engine, const struct td_command *command)
{
	const struct td_command_context_move *move = &command->u.context_move;
	struct td_engine_context *context = td_engine_find_context(engine, move->context.v);
	struct td_engine_transit *transit = &engine->transit;
	struct td_change change;

	if (context == NULL)
		return -TD_ESTALE;
	if (move->worker >= engine->options.worker_count)
		return -TD_EINVALID;
	if (!td_engine_change_room(engine, context->worker, 1))
		return -TD_EBUSY;
	if (move->worker == context->worker) {
		td_engine_change_begin(&change, TD_CHANGE_PLAN, command, context);
		td_engine_change_push(engine, context->worker, &change);
		return 0; // it is there already; its worker says so
	}
	td_engine_change_begin(&transit->arrive, TD_CHANGE_CONTEXT_ARRIVE, command, context);
	transit->kind = TD_CHANGE_CONTEXT_LEAVE;
	transit->active = true;
	transit->left = false;
	transit->from = context->worker;
	transit->to = (uint8_t)move->worker;
	td_engine_change_begin(&change, TD_CHANGE_CONTEXT_LEAVE, NULL, context);
	td_engine_change_push(engine, transit->from, &change);
	return 0;
}

bool td_engine_in_transit(const struct td_engine *engine)
{
	return engine->transit.active;
}

void td_engine_transit_left(struct td_engine *engine)
{
	engine->transit.left = true;
}

static TD_MAIN void publish(struct td_engine *engine, uint32_t stream, uint8_t worker)
{
	const struct td_engine_stream *entry = &engine->streams[stream];

	if (!entry->ear)
		td_demux_publish(engine->options.demux, entry->local, entry->port, worker, stream);
}

// Packets are looked up for the new worker from now on. Returns how many streams they are.
static TD_MAIN uint32_t publish_all(struct td_engine *engine, struct td_engine_transit *transit)
{
	struct td_engine_context *context =
		&engine->contexts[td_handle_index(transit->arrive.context.v)];
	uint32_t count = 0;

	if (transit->kind == TD_CHANGE_STREAM_LEAVE) {
		publish(engine, transit->arrive.object, transit->to);
		return 0; // counted with the command
	}
	context->worker = transit->to;
	for (uint32_t slot = 0; slot < context->matrix.slots; slot++) {
		if (context->matrix.members[slot].kind != TD_MEMBER_STREAM)
			continue;
		publish(engine, context->matrix.members[slot].feed, transit->to);
		count++;
	}
	return count + 1u; // and the context
}

bool td_engine_transit_continue(struct td_engine *engine)
{
	struct td_engine_transit *transit = &engine->transit;
	struct td_change unpark = { .kind = TD_CHANGE_UNPARK };
	uint32_t load;

	if (!transit->active || !transit->left || !td_engine_change_room(engine, transit->to, 1) ||
	    !td_engine_change_room(engine, transit->from, 1))
		return false;
	load = publish_all(engine, transit);
	engine->links[transit->from].load -= load;
	engine->links[transit->to].load += load;
	td_engine_change_push(engine, transit->to, &transit->arrive);
	td_engine_change_push(engine, transit->from, &unpark);
	transit->active = false;
	return true;
}

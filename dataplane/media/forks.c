// Which fork is on which stream, from the main thread's side: telling workers, letting go, ending.
#include <string.h>

#include "base/pages.h"
#include "media/engine_state.h"
#include "td_assert.h"

bool td_engine_fork_takes_all(const struct td_engine_fork *fork)
{
	return fork->capture && fork->stream_count == 0;
}

void td_engine_fork_tell(struct td_engine *engine, enum td_change_kind kind,
			 const struct td_engine_fork *fork, uint32_t track)
{
	uint32_t stream = fork->streams[track];
	const struct td_engine_context *context =
		&engine->contexts[engine->streams[stream].context];
	struct td_change change;

	td_engine_change_begin(&change, kind, NULL, context);
	change.object = stream;
	change.u.fork.id.v = fork->handle;
	change.u.fork.capture = fork->capture;
	change.u.fork.track = (uint8_t)track;
	td_engine_change_push(engine, context->worker, &change);
}

void td_engine_fork_part(const struct td_engine *engine, const struct td_engine_fork *fork,
			 struct td_change *change)
{
	change->u.fork.id.v = fork->handle;
	change->u.fork.player.v =
		fork->player != TD_INDEX_NONE ? engine->players[fork->player].handle : 0;
	change->u.fork.ear.id.v =
		fork->ear != TD_INDEX_NONE ? engine->streams[fork->ear].handle : 0;
	change->u.fork.capture = td_engine_fork_takes_all(fork);
}

void td_engine_fork_expect(struct td_engine *engine, const struct td_engine_context *context,
			   uint32_t stream)
{
	if (context->captured)
		td_pages_touch(&engine->stream_taps[stream], sizeof *engine->stream_taps);
}

void td_engine_fork_expect_all(struct td_engine *engine, struct td_engine_context *context)
{
	context->captured = true;
	for (uint32_t slot = 0; slot < context->matrix.slots; slot++)
		if (context->matrix.members[slot].kind == TD_MEMBER_STREAM)
			td_engine_fork_expect(engine, context, context->matrix.members[slot].feed);
}

uint32_t td_engine_fork_changes(const struct td_engine *engine, uint32_t handle)
{
	return engine->forks[td_handle_index(handle)].stream_count + 1u;
}

// Those that are being destroyed are let go of with that.
static TD_MAIN void leave_streams(struct td_engine *engine, struct td_engine_fork *fork)
{
	fork->state = TD_OBJECT_DYING;
	for (uint32_t i = 0; i < fork->stream_count; i++)
		if (fork->streams[i] != TD_INDEX_NONE &&
		    engine->streams[fork->streams[i]].state == TD_OBJECT_LIVE)
			td_engine_fork_tell(engine, TD_CHANGE_FORK_DETACH, fork, i);
}

static void forget_fork(const struct td_engine *engine, struct td_engine_context *context,
			uint32_t handle)
{
	for (unsigned i = 0; i < context->fork_count; i++) {
		if (context->forks[i] != handle)
			continue;
		if (td_engine_fork_takes_all(&engine->forks[td_handle_index(handle)]))
			context->captured = false;
		context->forks[i] = context->forks[--context->fork_count];
		return;
	}
}

// Player and ear in one plan, so that it fails as a whole or not at all.
static TD_MAIN int leave_context(struct td_engine *engine, struct td_engine_context *context,
				 const struct td_engine_fork *fork, struct td_change *change)
{
	uint32_t slots[2], count = 0;
	int error;

	if (fork->player != TD_INDEX_NONE)
		slots[count++] = engine->players[fork->player].slot;
	if (fork->ear != TD_INDEX_NONE)
		slots[count++] = engine->streams[fork->ear].slot;
	error = count > 0 ? td_engine_members_remove(engine, context, slots, count, change) : 0;
	if (error != 0)
		return error;
	if (fork->player != TD_INDEX_NONE)
		engine->players[fork->player].state = TD_OBJECT_DYING;
	if (fork->ear != TD_INDEX_NONE)
		engine->streams[fork->ear].state = TD_OBJECT_DYING;
	return 0;
}

int td_engine_fork_stop(struct td_engine *engine, const struct td_command *command)
{
	struct td_engine_fork *fork = td_engine_find_fork(engine, command->u.fork_stop.v);
	struct td_engine_context *context;
	struct td_change change;
	int error;

	if (fork == NULL)
		return -TD_ESTALE;
	context = &engine->contexts[fork->context];
	if (!td_engine_tap_room(engine, td_engine_fork_changes(engine, fork->handle)))
		return -TD_EBUSY;
	td_engine_change_begin(&change, TD_CHANGE_FORK_STOP, command, context);
	td_engine_fork_part(engine, fork, &change);
	error = leave_context(engine, context, fork, &change);
	if (error != 0)
		return error;
	leave_streams(engine, fork);
	forget_fork(engine, context, fork->handle);
	td_engine_change_push(engine, context->worker, &change);
	return 0;
}

void td_engine_fork_stop_all(struct td_engine *engine, struct td_engine_context *context)
{
	for (unsigned i = 0; i < context->fork_count; i++) {
		struct td_engine_fork *fork = &engine->forks[td_handle_index(context->forks[i])];
		struct td_change change;

		leave_streams(engine, fork);
		td_engine_change_begin(&change, TD_CHANGE_FORK_STOP, NULL, context);
		td_engine_fork_part(engine, fork, &change);
		change.u.fork.keep_player = true;
		td_engine_change_push(engine, context->worker, &change);
	}
	context->fork_count = 0;
}

// Once nothing is held, the last record is on its ring and the player has let go. The handle stays taken
// until the forker reports the fork closed, so that nothing of another one can be taken for this one's.
static TD_MAIN void let_go(struct td_engine *engine, struct td_engine_fork *fork)
{
	struct td_fork_id id = { .v = fork->handle };

	TD_ASSERT(fork->held > 0);
	if (--fork->held > 0)
		return;
	TD_ASSERT(fork->state == TD_OBJECT_DYING); // its part in its context goes with a stop
	engine->options.forker.close(engine->options.forker.user, id);
}

void td_engine_fork_stopped(struct td_engine *engine, uint32_t handle)
{
	struct td_engine_fork *fork = &engine->forks[td_handle_index(handle)];

	TD_ASSERT(fork->handle == handle);
	let_go(engine, fork);
}

static TD_MAIN void let_go_of(struct td_engine *engine, struct td_engine_fork *fork,
			      uint32_t stream)
{
	for (uint32_t i = 0; i < fork->stream_count; i++) {
		if (fork->streams[i] != stream)
			continue;
		fork->streams[i] = TD_INDEX_NONE;
		engine->streams[stream].fork_count--;
		let_go(engine, fork);
		return;
	}
}

void td_engine_fork_detached(struct td_engine *engine, uint32_t handle, uint32_t stream)
{
	struct td_engine_fork *fork = &engine->forks[td_handle_index(handle)];

	TD_ASSERT(fork->handle == handle);
	let_go_of(engine, fork, stream);
}

void td_engine_forks_of_gone(struct td_engine *engine, uint32_t stream)
{
	// Only where there are any: every other stream's end costs nothing here.
	for (uint32_t i = 0;
	     engine->streams[stream].fork_count > 0 && i < engine->capacity[TD_POOL_FORK]; i++)
		if (engine->forks[i].state == TD_OBJECT_LIVE ||
		    engine->forks[i].state == TD_OBJECT_DYING)
			let_go_of(engine, &engine->forks[i], stream);
}

int td_engine_fork_event(struct td_engine *engine, const struct td_event *event)
{
	return td_ring_push(&engine->fork_events_in, event);
}

uint32_t td_engine_fork_events(struct td_engine *engine, uint64_t now_ns)
{
	struct td_event event;
	uint32_t count = 0;

	while (engine->fork_memory != NULL && td_ring_pop(&engine->fork_events_out, &event) == 0) {
		uint32_t handle = event.u.fork.fork.v;
		struct td_engine_fork *fork = &engine->forks[td_handle_index(handle)];

		(void)!td_engine_post(engine, &event, now_ns);
		count++;
		if (event.kind != TD_EVENT_FORK_CLOSED || fork->handle != handle ||
		    fork->state != TD_OBJECT_DYING)
			continue;
		fork->state = TD_OBJECT_GONE;
		td_engine_retire(engine, TD_POOL_FORK, handle);
	}
	return count;
}

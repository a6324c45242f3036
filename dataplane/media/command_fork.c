// Commands about live forks: copies of what streams say, and a player where the far end may speak.
#include <string.h>

#include "base/pages.h"
#include "media/engine_state.h"
#include "td_assert.h"

static bool is_label(const char *text, size_t max, bool may_be_empty)
{
	size_t len = strnlen(text, max);

	if (len == max || (len == 0 && !may_be_empty))
		return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
	       len;
}

static int check_words(const struct td_command_fork_start *start)
{
	bool capture = start->what == TD_FORK_CAPTURE;

	if (start->what > TD_FORK_CAPTURE || start->stream_count == 0 ||
	    start->stream_count > TD_FORK_STREAM_MAX ||
	    memchr(start->destination, '\0', sizeof start->destination) == NULL ||
	    !is_label(start->call, sizeof start->call, false))
		return -TD_EINVALID;
	for (uint32_t i = 0; i < start->stream_count; i++)
		if (!is_label(start->tracks[i], sizeof start->tracks[i], capture))
			return -TD_EINVALID;
	return 0;
}

// Each stream is there once, in whatever context, and has room for one fork more.
static int check_streams(struct td_engine *engine, const struct td_command_fork_start *start)
{
	for (uint32_t i = 0; i < start->stream_count; i++) {
		const struct td_engine_stream *stream =
			td_engine_find_stream(engine, start->streams[i].v);

		if (stream == NULL)
			return -TD_ESTALE;
		if (stream->fork_count == TD_FORKS_PER_STREAM)
			return -TD_EFULL;
		for (uint32_t j = 0; j < i; j++)
			if (start->streams[j].v == start->streams[i].v)
				return -TD_EINVALID;
	}
	return 0;
}

// Its player becomes a member whom nobody hears yet. *player is its index.
static TD_MAIN int add_player(struct td_engine *engine, struct td_engine_context *context,
			      uint32_t *player)
{
	uint32_t handle, slot;
	int error = td_engine_take(engine, TD_POOL_PLAYER, &handle);

	if (error != 0)
		return error;
	*player = td_handle_index(handle);
	error = td_matrix_add(&context->matrix, TD_MEMBER_PLAYER, TD_FEED_PLAYER | *player, &slot);
	if (error != 0) {
		td_engine_untake(engine, TD_POOL_PLAYER, handle);
		return error;
	}
	context->matrix.members[slot].live = true;
	context->matrix.members[slot].rate_khz = 16;
	engine->players[*player] =
		(struct td_engine_player){ .handle = handle,
					   .context = td_handle_index(context->handle),
					   .slot = slot,
					   .live = true,
					   .state = TD_OBJECT_LIVE };
	return 0;
}

static TD_MAIN void tell_stream(struct td_engine *engine, enum td_change_kind kind,
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

static void begin_part(const struct td_engine *engine, const struct td_engine_fork *fork,
		       struct td_change *change)
{
	change->u.fork.id.v = fork->handle;
	change->u.fork.player.v =
		fork->player != TD_INDEX_NONE ? engine->players[fork->player].handle : 0;
}

// From here on nothing fails.
static TD_MAIN void begin(struct td_engine *engine, const struct td_command *command,
			  struct td_engine_context *context, uint32_t handle, uint32_t player,
			  struct td_live *live)
{
	const struct td_command_fork_start *start = &command->u.fork_start;
	struct td_engine_fork *fork = &engine->forks[td_handle_index(handle)];
	struct td_change change;

	*fork = (struct td_engine_fork){ .handle = handle,
					 .context = td_handle_index(context->handle),
					 .player = player,
					 .stream_count = start->stream_count,
					 .held = start->stream_count + 1u,
					 .capture = start->what == TD_FORK_CAPTURE,
					 .state = TD_OBJECT_LIVE };
	for (uint32_t i = 0; i < start->stream_count; i++) {
		fork->streams[i] = td_handle_index(start->streams[i].v);
		engine->streams[fork->streams[i]].fork_count++;
		td_pages_touch(&engine->stream_taps[fork->streams[i]], sizeof *engine->stream_taps);
		tell_stream(engine, TD_CHANGE_FORK_ATTACH, fork, i);
	}
	context->forks[context->fork_count++] = handle;
	td_engine_change_begin(&change, TD_CHANGE_FORK_START, command, context);
	begin_part(engine, fork, &change);
	change.u.fork.live = live;
	td_engine_change_push(engine, context->worker, &change);
}

static TD_MAIN int open_fork(struct td_engine *engine, const struct td_command *command,
			     struct td_engine_context *context, uint32_t handle)
{
	const struct td_engine_forker *forker = &engine->options.forker;
	struct td_fork_id id = { .v = handle };
	uint32_t player = TD_INDEX_NONE;
	struct td_live *live = NULL;
	int error = forker->open(forker->user, id, &command->u.fork_start, &live);

	if (error != 0) {
		td_engine_untake(engine, TD_POOL_FORK, handle);
		return error;
	}
	if (live != NULL)
		error = add_player(engine, context, &player);
	if (error != 0) {
		// It has been opened: the handle comes back with its CLOSED event.
		engine->forks[td_handle_index(handle)] =
			(struct td_engine_fork){ .handle = handle, .state = TD_OBJECT_DYING };
		forker->close(forker->user, id);
		return error;
	}
	begin(engine, command, context, handle, player, live);
	return 0;
}

int td_engine_fork_start(struct td_engine *engine, const struct td_command *command)
{
	const struct td_command_fork_start *start = &command->u.fork_start;
	struct td_engine_context *context = td_engine_find_context(engine, start->context.v);
	uint32_t handle;
	int error = check_words(start);

	if (error != 0)
		return error;
	if (context == NULL)
		return -TD_ESTALE;
	if (engine->options.forker.open == NULL || engine->options.fork_count == 0)
		return -TD_EUNSUPPORTED;
	error = check_streams(engine, start);
	if (error != 0)
		return error;
	if (context->fork_count == TD_FORKS_PER_CONTEXT)
		return -TD_EFULL;
	if (!td_engine_tap_room(engine, start->stream_count + 1u))
		return -TD_EBUSY;
	error = td_engine_take(engine, TD_POOL_FORK, &handle);
	return error != 0 ? error : open_fork(engine, command, context, handle);
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
			tell_stream(engine, TD_CHANGE_FORK_DETACH, fork, i);
}

static void forget_fork(struct td_engine_context *context, uint32_t handle)
{
	for (unsigned i = 0; i < context->fork_count; i++) {
		if (context->forks[i] != handle)
			continue;
		context->forks[i] = context->forks[--context->fork_count];
		return;
	}
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
	begin_part(engine, fork, &change);
	if (fork->player != TD_INDEX_NONE) {
		error = td_engine_member_remove(engine, context, engine->players[fork->player].slot,
						&change);
		if (error != 0)
			return error;
		engine->players[fork->player].state = TD_OBJECT_DYING;
	}
	leave_streams(engine, fork);
	forget_fork(context, fork->handle);
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
		begin_part(engine, fork, &change);
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

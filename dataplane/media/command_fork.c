// Commands about live forks: copies of what streams say or what is heard in a context, and a player where
// the far end may speak.
#include <string.h>

#include "base/pages.h"
#include "codecs/codec.h"
#include "media/engine_state.h"
#include "td_assert.h"

#define MIX_MS 20u // of a packet of the mix

static bool is_label(const char *text, size_t max, bool may_be_empty)
{
	size_t len = strnlen(text, max);

	if (len == max || (len == 0 && !may_be_empty))
		return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
	       len;
}

// One frame of the mix is one packet of this codec.
static bool is_mix_codec(uint32_t id)
{
	const struct td_codec *codec = td_codec_get((enum td_codec_id)id);

	return codec != NULL && codec->ptime_max_ms >= MIX_MS && codec->encoder_fini == NULL &&
	       (codec->frame_ms == 0 || MIX_MS % codec->frame_ms == 0);
}

static int check_count(const struct td_command_fork_start *start)
{
	uint32_t least = start->what == TD_FORK_CAPTURE ? 0 : 1;
	bool floor = start->what == TD_FORK_FLOOR;

	if (start->what > TD_FORK_FLOOR || start->stream_count < least ||
	    start->stream_count > TD_FORK_STREAM_MAX)
		return -TD_EINVALID;
	if (floor && (start->stream_count != 1 || start->streams[0].v != 0))
		return -TD_EINVALID;
	return floor && !is_mix_codec(start->codec) ? -TD_ECODEC : 0;
}

static int check_words(const struct td_command_fork_start *start)
{
	bool capture = start->what == TD_FORK_CAPTURE;
	int error = check_count(start);

	if (error != 0)
		return error;
	if (memchr(start->destination, '\0', sizeof start->destination) == NULL ||
	    !is_label(start->call, sizeof start->call, false))
		return -TD_EINVALID;
	for (uint32_t i = 0; i < start->stream_count; i++)
		if (!is_label(start->tracks[i], sizeof start->tracks[i], capture))
			return -TD_EINVALID;
	return 0;
}

// How many streams it hears where they are.
static uint32_t streams_of(const struct td_command_fork_start *start)
{
	return start->what == TD_FORK_FLOOR ? 0 : start->stream_count;
}

// Each stream is there once, in whatever context, and has room for one fork more.
static int check_streams(struct td_engine *engine, const struct td_command_fork_start *start)
{
	for (uint32_t i = 0; i < streams_of(start); i++) {
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

static TD_MAIN void forget_player(struct td_engine *engine, struct td_engine_context *context,
				  uint32_t player)
{
	td_matrix_remove(&context->matrix, engine->players[player].slot);
	td_engine_untake(engine, TD_POOL_PLAYER, engine->players[player].handle);
	engine->players[player].state = TD_OBJECT_FREE;
}

// The member that hears the floor, and not what the fork says itself.
static int enter_ear(struct td_matrix *matrix, uint32_t ear, uint32_t codec, uint32_t player_slot,
		     uint32_t *slot)
{
	int error = td_matrix_add(matrix, TD_MEMBER_STREAM, ear, slot);

	if (error != 0)
		return error;
	matrix->members[*slot].codec = (uint8_t)codec;
	matrix->members[*slot].ptime_ms = MIX_MS;
	matrix->members[*slot].ear = true;
	error = td_matrix_set(matrix, TD_SLOT_NONE, *slot, TD_GAIN_UNITY);
	if (error == 0 && player_slot != TD_SLOT_NONE)
		error = td_matrix_set(matrix, player_slot, *slot, 0);
	return error;
}

static TD_MAIN int place_ear(struct td_engine *engine, struct td_engine_context *context,
			     uint32_t ear, const struct td_engine_fork *fork, uint32_t codec,
			     struct td_change *change)
{
	struct td_edit edit;
	int error = td_engine_edit_begin(context, &edit);
	uint32_t slot;

	if (error != 0)
		return error;
	error = enter_ear(&edit.matrix, ear, codec,
			  fork->player != TD_INDEX_NONE ? engine->players[fork->player].slot
							: TD_SLOT_NONE,
			  &slot);
	if (error != 0) {
		td_engine_edit_abort(engine, &edit);
		return error;
	}
	engine->streams[ear].slot = slot;
	return td_engine_edit_commit(engine, &edit, change);
}

// A stream without a port. The change gets it, and the plan in which it hears.
static TD_MAIN int add_ear(struct td_engine *engine, struct td_engine_context *context,
			   struct td_engine_fork *fork, uint32_t codec, struct td_change *change)
{
	struct td_change_stream *made = &change->u.fork.ear;
	struct td_engine_stream *stream;
	uint32_t handle;
	int error = td_engine_take(engine, TD_POOL_STREAM, &handle);

	if (error != 0)
		return error;
	stream = &engine->streams[td_handle_index(handle)];
	td_engine_stream_init(stream, handle, context, TD_SLOT_NONE);
	stream->ear = true;
	error = place_ear(engine, context, td_handle_index(handle), fork, codec, change);
	if (error != 0) {
		stream->state = TD_OBJECT_FREE;
		td_engine_untake(engine, TD_POOL_STREAM, handle);
		return error;
	}
	fork->ear = td_handle_index(handle);
	engine->ear_count++;
	engine->links[context->worker].load++;
	td_pages_touch(&engine->stream_taps[fork->ear], sizeof *engine->stream_taps);
	*made = (struct td_change_stream){ .id.v = handle };
	td_engine_stream_draw(engine, made);
	change->u.fork.codec = (uint8_t)codec;
	return 0;
}

// From here on nothing fails.
static TD_MAIN void begin(struct td_engine *engine, const struct td_command_fork_start *start,
			  struct td_engine_context *context, struct td_engine_fork *fork,
			  struct td_change *change)
{
	for (uint32_t i = 0; i < fork->stream_count; i++) {
		fork->streams[i] = td_handle_index(start->streams[i].v);
		engine->streams[fork->streams[i]].fork_count++;
		td_pages_touch(&engine->stream_taps[fork->streams[i]], sizeof *engine->stream_taps);
		td_engine_fork_tell(engine, TD_CHANGE_FORK_ATTACH, fork, i);
	}
	if (td_engine_fork_takes_all(fork))
		td_engine_fork_expect_all(engine, context);
	context->forks[context->fork_count++] = fork->handle;
	td_engine_fork_part(engine, fork, change);
	td_engine_change_push(engine, context->worker, change);
}

static TD_MAIN int open_fork(struct td_engine *engine, const struct td_command *command,
			     struct td_engine_context *context, uint32_t handle)
{
	const struct td_command_fork_start *start = &command->u.fork_start;
	const struct td_engine_forker *forker = &engine->options.forker;
	struct td_engine_fork *fork = &engine->forks[td_handle_index(handle)];
	struct td_fork_id id = { .v = handle };
	struct td_live *live = NULL;
	struct td_change change;
	int error = forker->open(forker->user, id, start, &live);

	if (error != 0) {
		td_engine_untake(engine, TD_POOL_FORK, handle);
		return error;
	}
	*fork = (struct td_engine_fork){ .handle = handle,
					 .context = td_handle_index(context->handle),
					 .player = TD_INDEX_NONE,
					 .ear = TD_INDEX_NONE,
					 .stream_count = streams_of(start),
					 .held = streams_of(start) + 1u,
					 .capture = start->what == TD_FORK_CAPTURE,
					 .state = TD_OBJECT_LIVE };
	td_engine_change_begin(&change, TD_CHANGE_FORK_START, command, context);
	change.u.fork.live = live;
	if (live != NULL)
		error = add_player(engine, context, &fork->player);
	if (error == 0 && start->what == TD_FORK_FLOOR)
		error = add_ear(engine, context, fork, start->codec, &change);
	if (error == 0) {
		begin(engine, start, context, fork, &change);
		return 0;
	}
	if (fork->player != TD_INDEX_NONE)
		forget_player(engine, context, fork->player);
	// It has been opened: the handle comes back with its CLOSED event.
	*fork = (struct td_engine_fork){ .handle = handle, .state = TD_OBJECT_DYING };
	forker->close(forker->user, id);
	return error;
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
	if (context->captured && start->what == TD_FORK_CAPTURE && start->stream_count == 0)
		return -TD_EEXISTS;
	if (!td_engine_tap_room(engine, streams_of(start) + 1u))
		return -TD_EBUSY;
	error = td_engine_take(engine, TD_POOL_FORK, &handle);
	return error != 0 ? error : open_fork(engine, command, context, handle);
}

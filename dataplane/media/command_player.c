// Commands about players.
#include <string.h>

#include "media/engine_state.h"
#include "media/prompts.h"
#include "td_assert.h"

// One item in frames. -TD_ENOT_FOUND; -TD_EINVALID when it begins or ends beyond the prompt.
static int check_item(const struct td_prompts *prompts, const struct td_play_item *item,
		      struct td_sequence_item *out)
{
	uint32_t frames;

	if (prompts == NULL || item->prompt >= prompts->count)
		return -TD_ENOT_FOUND;
	frames = prompts->entries[item->prompt].frame_count;
	out->prompt = item->prompt;
	out->first = item->offset_ms / TD_PROMPT_FRAME_MS;
	if (out->first >= frames)
		return -TD_EINVALID;
	out->count =
		item->length_ms / TD_PROMPT_FRAME_MS + (item->length_ms % TD_PROMPT_FRAME_MS != 0);
	if (item->length_ms == 0)
		out->count = frames - out->first;
	return out->count <= frames - out->first ? 0 : -TD_EINVALID;
}

static int check_items(const struct td_engine *engine, const struct td_play_item *items,
		       uint32_t count, struct td_change_player *out)
{
	if (count == 0 || count > TD_PLAY_ITEM_MAX)
		return -TD_EINVALID;
	for (uint32_t i = 0; i < count; i++) {
		int error = check_item(engine->options.prompts, &items[i], &out->items[i]);

		if (error != 0)
			return error;
	}
	out->item_count = (uint16_t)count;
	return 0;
}

// The stream whose digits end it; -TD_ESTALE when it is not in the same context.
static int check_stop(struct td_engine *engine, const struct td_engine_context *context,
		      const struct td_command_player_create *create, struct td_change_player *out)
{
	const struct td_engine_stream *stream;

	out->stop_stream = TD_INDEX_END;
	out->stop_digits = create->stop_digits;
	if (create->stop_stream.v == 0)
		return 0;
	stream = td_engine_find_stream(engine, create->stop_stream.v);
	if (stream == NULL || stream->context != td_handle_index(context->handle))
		return -TD_ESTALE;
	out->stop_stream = td_handle_index(stream->handle);
	return 0;
}

static int check_create(struct td_engine *engine, const struct td_engine_context *context,
			const struct td_command_player_create *create, struct td_change_player *out)
{
	int error = check_items(engine, create->items, create->item_count, out);

	if (error != 0)
		return error;
	if (create->loop > 1)
		return -TD_EINVALID;
	out->loop = create->loop;
	return check_stop(engine, context, create, out);
}

static uint16_t best_khz(const struct td_engine *engine, const struct td_change_player *made)
{
	uint32_t hz = 0;

	for (uint32_t i = 0; i < made->item_count; i++) {
		const struct td_prompt *prompt =
			&engine->options.prompts->entries[made->items[i].prompt];

		if (prompt->sample_hz > hz)
			hz = prompt->sample_hz;
	}
	return (uint16_t)(hz / 1000u);
}

int td_engine_player_create(struct td_engine *engine, const struct td_command *command)
{
	const struct td_command_player_create *create = &command->u.player_create;
	struct td_engine_context *context = td_engine_find_context(engine, create->context.v);
	struct td_change change;
	uint32_t handle, slot;
	int error;

	if (context == NULL)
		return -TD_ESTALE;
	if (!td_engine_change_room(engine, context->worker, 1))
		return -TD_EBUSY;
	td_engine_change_begin(&change, TD_CHANGE_PLAYER_CREATE, command, context);
	error = check_create(engine, context, create, &change.u.player);
	if (error == 0)
		error = td_engine_take(engine, TD_POOL_PLAYER, &handle);
	if (error != 0)
		return error;
	error = td_matrix_add(&context->matrix, TD_MEMBER_PLAYER,
			      TD_FEED_PLAYER | td_handle_index(handle), &slot);
	if (error != 0) {
		td_engine_untake(engine, TD_POOL_PLAYER, handle);
		return error;
	}
	context->matrix.members[slot].rate_khz = best_khz(engine, &change.u.player);
	engine->players[td_handle_index(handle)] =
		(struct td_engine_player){ .handle = handle,
					   .context = td_handle_index(context->handle),
					   .slot = slot,
					   .state = TD_OBJECT_LIVE };
	change.object = td_handle_index(handle);
	change.u.player.id.v = handle;
	td_engine_change_push(engine, context->worker, &change);
	return 0;
}

int td_engine_player_control(struct td_engine *engine, const struct td_command *command)
{
	const struct td_command_player_control *control = &command->u.player_control;
	struct td_engine_player *player = td_engine_find_player(engine, control->player.v);
	struct td_engine_context *context;
	struct td_change change;
	int error;

	if (player == NULL)
		return -TD_ESTALE;
	if (player->live)
		return -TD_ESTATE; // its far end says what it plays
	if (control->action >= TD_PLAYER_ACTION_COUNT)
		return -TD_EINVALID;
	context = &engine->contexts[player->context];
	if (!td_engine_change_room(engine, context->worker, 1))
		return -TD_EBUSY;
	td_engine_change_begin(&change, TD_CHANGE_PLAYER_CONTROL, command, context);
	if (control->action == TD_PLAYER_SPLICE) {
		error = check_items(engine, control->items, control->item_count, &change.u.player);
		if (error != 0)
			return error;
	}
	change.object = td_handle_index(player->handle);
	change.u.player.action = control->action;
	change.u.player.frame = control->position_ms / TD_PROMPT_FRAME_MS;
	td_engine_change_push(engine, context->worker, &change);
	return 0;
}

int td_engine_player_destroy(struct td_engine *engine, const struct td_command *command)
{
	struct td_engine_player *player =
		td_engine_find_player(engine, command->u.player_destroy.v);
	struct td_engine_context *context;
	struct td_change change;
	int error;

	if (player == NULL)
		return -TD_ESTALE;
	if (player->live)
		return -TD_ESTATE; // it goes with its fork
	context = &engine->contexts[player->context];
	if (!td_engine_change_room(engine, context->worker, 1))
		return -TD_EBUSY;
	td_engine_change_begin(&change, TD_CHANGE_PLAYER_DESTROY, command, context);
	change.object = td_handle_index(player->handle);
	error = td_engine_member_remove(engine, context, player->slot, &change);
	if (error != 0)
		return error;
	player->state = TD_OBJECT_DYING;
	td_engine_change_push(engine, context->worker, &change);
	return 0;
}

void td_engine_player_gone(struct td_engine *engine, uint32_t handle)
{
	struct td_engine_player *player = &engine->players[td_handle_index(handle)];

	TD_ASSERT(player->handle == handle && player->state == TD_OBJECT_DYING);
	player->state = TD_OBJECT_GONE;
	td_engine_retire(engine, TD_POOL_PLAYER, handle);
}

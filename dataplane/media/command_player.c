// Commands about players.
#include <string.h>

#include "media/engine_state.h"
#include "media/prompts.h"
#include "td_assert.h"

#define FRAME_MS 20u

// Where to begin, in frames. -TD_ENOT_FOUND, -TD_EINVALID beyond the end of what does not loop.
static int first_frame(const struct td_engine *engine,
		       const struct td_command_player_create *create, uint32_t *frame)
{
	const struct td_prompts *prompts = engine->options.prompts;

	if (prompts == NULL || create->items[0].prompt >= prompts->count)
		return -TD_ENOT_FOUND;
	*frame = create->items[0].offset_ms / FRAME_MS;
	if (create->loop > 1 || create->item_count != 1)
		return -TD_EINVALID;
	if (create->loop)
		*frame %= prompts->entries[create->items[0].prompt].frame_count;
	return *frame < prompts->entries[create->items[0].prompt].frame_count ? 0 : -TD_EINVALID;
}

static TD_MAIN void push_with_plan(struct td_engine *engine,
				   const struct td_engine_context *context,
				   struct td_change *change)
{
	struct td_plan plan;
	int error = td_plan_compile(&context->matrix, &plan);

	TD_ASSERT(error == 0); // a member that nobody hears was added, or one taken away
	td_engine_change_plan(context, &plan, change);
	td_engine_change_push(engine, context->worker, change);
}

int td_engine_player_create(struct td_engine *engine, const struct td_command *command)
{
	const struct td_command_player_create *create = &command->u.player_create;
	struct td_engine_context *context = td_engine_find_context(engine, create->context.v);
	struct td_engine_player *player;
	struct td_change change;
	uint32_t frame, handle;
	unsigned slot;
	int error;

	if (context == NULL)
		return -TD_ESTALE;
	error = first_frame(engine, create, &frame);
	if (error != 0)
		return error;
	slot = td_engine_member_slot(context);
	if (slot == TD_PLAN_MEMBER_MAX)
		return -TD_EFULL;
	if (!td_engine_change_room(engine, context->worker, 1))
		return -TD_EBUSY;
	error = td_engine_take(engine, TD_POOL_PLAYER, &handle);
	if (error != 0)
		return error;
	player = &engine->players[td_handle_index(handle)];
	*player = (struct td_engine_player){ .handle = handle,
					     .context = td_handle_index(context->handle),
					     .slot = (uint8_t)slot,
					     .state = TD_OBJECT_LIVE };
	td_engine_member_add(context, slot, TD_MEMBER_PLAYER, handle);
	td_engine_change_begin(&change, TD_CHANGE_PLAYER_CREATE, command, context);
	change.u.player.id.v = handle;
	change.u.player.prompt = create->items[0].prompt;
	change.u.player.frame = frame;
	change.u.player.loop = create->loop;
	push_with_plan(engine, context, &change);
	return 0;
}

int td_engine_player_destroy(struct td_engine *engine, const struct td_command *command)
{
	struct td_engine_player *player =
		td_engine_find_player(engine, command->u.player_destroy.v);
	struct td_engine_context *context;
	struct td_change change;

	if (player == NULL)
		return -TD_ESTALE;
	context = &engine->contexts[player->context];
	if (!td_engine_change_room(engine, context->worker, 1))
		return -TD_EBUSY;
	player->state = TD_OBJECT_DYING;
	td_engine_member_remove(context, player->slot);
	td_engine_change_begin(&change, TD_CHANGE_PLAYER_DESTROY, command, context);
	change.object = td_handle_index(player->handle);
	push_with_plan(engine, context, &change);
	return 0;
}

void td_engine_player_gone(struct td_engine *engine, uint32_t handle)
{
	struct td_engine_player *player = &engine->players[td_handle_index(handle)];

	TD_ASSERT(player->handle == handle && player->state == TD_OBJECT_DYING);
	player->state = TD_OBJECT_GONE;
	td_engine_retire(engine, TD_POOL_PLAYER, handle);
}

// Commands about players, and what each makes of the player.
#include <string.h>

#include "steps.h"

// One item, in frames; 0, or why it cannot be played.
static int some_item(struct td_play_item *item, uint32_t *frames)
{
	static const uint32_t frame_counts[] = { 5, 50 }; // of the world's prompts
	uint8_t byte = step_byte(), length = step_byte();

	item->prompt = byte & 15u ? byte & 1u : 7u;
	item->offset_ms = (uint32_t)(byte >> 4) * 20u;
	item->length_ms = length < 200 ? length % 8u * 13u : length * 20u;
	if (length >= 250)
		item->length_ms = UINT32_MAX - (length - 250u);
	if (item->prompt > 1)
		return -TD_ENOT_FOUND;
	if (item->offset_ms / 20u >= frame_counts[item->prompt])
		return -TD_EINVALID;
	*frames = (uint32_t)((item->length_ms + 19ull) / 20u);
	if (item->length_ms == 0)
		*frames = frame_counts[item->prompt] - item->offset_ms / 20u;
	return *frames + item->offset_ms / 20u <= frame_counts[item->prompt] ? 0 : -TD_EINVALID;
}

static int some_items(struct td_play_item *items, uint32_t *count, uint32_t *lengths)
{
	int error = 0;

	*count = step_byte() % 5u;
	if (*count == 0)
		*count = step_byte() & 1u ? 0 : TD_PLAY_ITEM_MAX + 1u;
	if (*count == 0 || *count > TD_PLAY_ITEM_MAX)
		return -TD_EINVALID;
	for (uint32_t i = 0; i < *count; i++) {
		int bad = some_item(&items[i], &lengths[i]);

		error = error != 0 ? error : bad;
	}
	return error;
}

// Any digit of a stream of its context ends it.
static int stop_by(struct td_command_player_create *create, const struct stage_player *made,
		   int expected)
{
	uint8_t byte = step_byte();
	const struct stage_party *party = step_party(byte);

	create->stop_digits = 0xffff;
	create->stop_stream.v = party != NULL ? party->party.id.v : stage_dead(STAGE_STREAM, byte);
	if (expected == 0 && (party == NULL || party->context != made->context))
		return -TD_ESTALE;
	return expected;
}

void step_create_player(void)
{
	struct td_command command = { .kind = TD_COMMAND_PLAYER_CREATE };
	struct td_command_player_create *create = &command.u.player_create;
	struct stage_player made = { .live = true };
	uint32_t i = 0, count;
	struct stage_context *context = step_context(step_byte(), &made.context);
	int expected = some_items(create->items, &count, made.lengths);
	struct td_event event;

	create->context.v =
		context != NULL ? context->id.v : stage_dead(STAGE_CONTEXT, step_byte());
	create->item_count = (uint16_t)count;
	create->loop = step_byte() % 3u;
	if (expected == 0 && create->loop > 1)
		expected = -TD_EINVALID;
	made.stoppable = step_byte() % 4u == 1u;
	if (made.stoppable)
		expected = stop_by(create, &made, expected);
	while (i < STAGE_PLAYERS && stage.players[i].live)
		i++;
	if (i == STAGE_PLAYERS)
		return;
	event = stage_command(&command);
	must(event.result == (context == NULL ? -TD_ESTALE : expected));
	if (event.result != 0)
		return;
	made.id = event.u.player;
	made.loop = create->loop != 0;
	made.item_count = count;
	stage.players[i] = made;
	must(oracle_add(&context->oracle, TD_MEMBER_PLAYER, made.id.v) != ORACLE_NONE);
}

static void seek(struct stage_player *player, uint32_t frame)
{
	bool spliced = player->splice_count > 0;
	uint32_t length =
		spliced ? player->splice_lengths[player->splice_at] : player->lengths[player->at];
	uint32_t *at = spliced ? &player->splice_frame : &player->frame;

	*at = frame < length ? frame : length - 1u;
}

static void apply_control(struct stage_player *player, const struct td_command_player_control *done,
			  const uint32_t *lengths)
{
	switch ((enum td_player_action)done->action) {
	case TD_PLAYER_PAUSE: player->paused = true; break;
	case TD_PLAYER_RESUME: player->paused = false; break;
	case TD_PLAYER_SEEK: seek(player, done->position_ms / 20u); break;
	case TD_PLAYER_SPLICE:
		player->splice_count = done->item_count;
		player->splice_at = player->splice_frame = 0;
		memcpy(player->splice_lengths, lengths, sizeof player->splice_lengths);
		break;
	case TD_PLAYER_STOP:
		if (!player->ended)
			player->reason = TD_PLAYER_END_STOPPED;
		player->ended = true;
		break;
	case TD_PLAYER_ACTION_COUNT: break;
	}
}

void step_control_player(void)
{
	struct td_command command = { .kind = TD_COMMAND_PLAYER_CONTROL };
	struct td_command_player_control *control = &command.u.player_control;
	struct stage_player *player = step_player(step_byte());
	uint32_t lengths[TD_PLAY_ITEM_MAX] = { 0 };
	int expected = 0, result;

	control->player.v = player != NULL ? player->id.v : stage_dead(STAGE_PLAYER, step_byte());
	control->action = step_byte() % (TD_PLAYER_ACTION_COUNT + 1u);
	if (control->action == TD_PLAYER_SEEK)
		control->position_ms = step_byte() * 16u;
	if (control->action == TD_PLAYER_SPLICE)
		expected = some_items(control->items, &control->item_count, lengths);
	if (control->action == TD_PLAYER_ACTION_COUNT)
		expected = -TD_EINVALID;
	result = stage_command(&command).result;
	must(result == (player == NULL ? -TD_ESTALE : expected));
	if (result == 0)
		apply_control(player, control, lengths);
}

void step_destroy_player(void)
{
	struct td_command command = { .kind = TD_COMMAND_PLAYER_DESTROY };
	struct stage_player *player = step_player(step_byte());

	command.u.player_destroy.v =
		player != NULL ? player->id.v : stage_dead(STAGE_PLAYER, step_byte());
	must(stage_command(&command).result == (player != NULL ? 0 : -TD_ESTALE));
	if (player == NULL)
		return;
	oracle_remove(&stage.contexts[player->context].oracle, TD_MEMBER_PLAYER, player->id.v);
	stage_bury(STAGE_PLAYER, player->id.v);
	player->live = false;
}

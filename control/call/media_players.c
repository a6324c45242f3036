// Players of a context: the music, and announcements.
#include "call/media_inside.h"
#include "td_log.h"

static bool announces_to(const struct td_media *media, const struct td_leg *leg)
{
	const struct td_announcement *said = &media->announcement;

	if (said->state != TD_ANNOUNCEMENT_PLAYING)
		return false;
	if (media->conference)
		return said->to == leg;
	return leg->media.slot != TD_MEDIA_SLOT_NONE && (said->slots & 1u << leg->media.slot);
}

int16_t td_media_player_gain(const struct td_media *media, const struct td_leg *leg,
			     uint32_t player)
{
	bool announced = announces_to(media, leg);

	// Whoever is told something is spared the music meanwhile.
	if (player == TD_MEDIA_MUSIC)
		return announced ? 0 : leg->media.player_wanted[TD_MEDIA_MUSIC];
	if (player == TD_MEDIA_ANNOUNCE)
		return announced ? leg->media.player_wanted[TD_MEDIA_ANNOUNCE] : 0;
	return 0;
}

static void touch_all(struct td_media *media)
{
	struct td_list *it;

	if (media->announcement.to) {
		td_media_touch(media->announcement.to);
		return;
	}
	if (media->conference)
		return; // the floor's cell is the player's, not theirs
	TD_LIST_FOREACH (it, &media->members)
		td_media_touch(TD_LIST_ENTRY(it, struct td_leg, media.member));
}

static void retire_music(struct td_media *media)
{
	media->players[TD_MEDIA_OLD] = media->players[TD_MEDIA_MUSIC];
	media->players[TD_MEDIA_OLD].floor_wanted = 0;
	for (int i = 0; i < TD_MEDIA_SLOT_MAX; i++) {
		struct td_leg *leg = media->slots[i];

		if (!leg)
			continue;
		leg->media.player[TD_MEDIA_OLD] = leg->media.player[TD_MEDIA_MUSIC];
		leg->media.player[TD_MEDIA_MUSIC] = 0;
		td_media_touch(leg);
	}
}

static bool next_music(struct td_media *media, struct td_command *command)
{
	struct td_media_player *now = &media->players[TD_MEDIA_MUSIC];

	if (now->prompt == media->prompt_wanted &&
	    (now->prompt == TD_MEDIA_NO_PROMPT || now->loops == media->prompt_loops))
		return false;
	if (media->players[TD_MEDIA_OLD].id.v != 0)
		return false; // its end comes first
	if (now->id.v != 0)
		retire_music(media);
	*now = (struct td_media_player){ .prompt = media->prompt_wanted,
					 .loops = media->prompt_loops,
					 .floor_wanted = now->floor_wanted };
	if (now->prompt == TD_MEDIA_NO_PROMPT)
		return false;
	command->kind = TD_COMMAND_PLAYER_CREATE;
	command->u.player_create = (struct td_command_player_create){
		.context = media->context,
		.loop = now->loops,
		.item_count = 1,
		.items = { { .prompt = now->prompt } },
	};
	return true;
}

static void copy_items(const struct td_announcement *from, struct td_play_item *items)
{
	for (uint32_t i = 0; i < from->item_count; i++)
		items[i] = from->items[i];
}

static bool next_announcement(struct td_media *media, struct td_command *command)
{
	struct td_announcement *said = &media->announcement;
	struct td_player_id music = media->players[TD_MEDIA_MUSIC].id;

	if (said->state != TD_ANNOUNCEMENT_WANTED)
		return false;
	said->state = TD_ANNOUNCEMENT_STARTING;
	if (said->splice && music.v != 0) {
		command->kind = TD_COMMAND_PLAYER_CONTROL;
		command->u.player_control = (struct td_command_player_control){
			.player = music,
			.action = TD_PLAYER_SPLICE,
			.item_count = said->item_count,
		};
		copy_items(said, command->u.player_control.items);
		return true;
	}
	said->splice = false;
	command->kind = TD_COMMAND_PLAYER_CREATE;
	command->u.player_create = (struct td_command_player_create){
		.context = media->context,
		.item_count = (uint16_t)said->item_count,
	};
	copy_items(said, command->u.player_create.items);
	return true;
}

bool td_media_next_player(struct td_media *media, struct td_command *command, uint32_t *player)
{
	*player = TD_MEDIA_MUSIC;
	if (next_music(media, command))
		return true;
	*player = TD_MEDIA_ANNOUNCE;
	return next_announcement(media, command);
}

// A player whose cells are still in the matrix is silenced first: an edit that named it afterwards
// would name a dead handle.
static bool silent(const struct td_media *media, uint32_t player)
{
	if (media->players[player].floor != 0)
		return false;
	if (media->announcement.to && media->announcement.to->media.player[player] != 0)
		return false;
	for (int i = 0; i < TD_MEDIA_SLOT_MAX; i++) {
		if (media->slots[i] && media->slots[i]->media.player[player] != 0)
			return false;
	}
	return true;
}

bool td_media_next_player_end(struct td_media *media, struct td_command *command, uint32_t *player)
{
	static const uint32_t ending[] = { TD_MEDIA_OLD, TD_MEDIA_ANNOUNCE };

	for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++) {
		const struct td_media_player *one = &media->players[ending[i]];

		if (one->id.v == 0 || one->ending || !silent(media, ending[i]))
			continue;
		if (ending[i] == TD_MEDIA_ANNOUNCE &&
		    media->announcement.state != TD_ANNOUNCEMENT_OVER)
			continue;
		command->kind = TD_COMMAND_PLAYER_DESTROY;
		command->u.player_destroy = one->id;
		*player = ending[i];
		return true;
	}
	return false;
}

static void music_created(struct td_media *media, const struct td_event *event)
{
	struct td_media_player *music = &media->players[TD_MEDIA_MUSIC];
	struct td_call *call = media->call;

	if (event->result == 0) {
		music->id = event->u.player;
		return;
	}
	// A call can do without: it goes on in silence.
	td_warn(call ? call->id : "conference", "prompt %u cannot be played: %s", music->prompt,
		td_error_text(event->result));
	if (call && call->state == TD_CALL_GREETING && !music->loops)
		td_call_post(media->calls, call, TD_CALL_GREETING_OVER);
}

void td_media_player_created(struct td_media *media, uint32_t player, const struct td_event *event)
{
	struct td_announcement *said = &media->announcement;

	if (player == TD_MEDIA_MUSIC) {
		music_created(media, event);
		return;
	}
	if (event->result != 0)
		td_warn(media->call ? media->call->id : "conference",
			"an announcement cannot be played: %s", td_error_text(event->result));
	if (event->result != 0 || event->command == TD_COMMAND_PLAYER_CONTROL) {
		said->state = TD_ANNOUNCEMENT_NONE;
		said->to = NULL;
		return;
	}
	media->players[player].id = event->u.player;
	// Whoever it was for may have gone meanwhile.
	if (said->state == TD_ANNOUNCEMENT_STARTING)
		said->state = TD_ANNOUNCEMENT_PLAYING;
	if (media->conference && !said->to && said->state == TD_ANNOUNCEMENT_PLAYING)
		media->players[player].floor_wanted = TD_GAIN_UNITY;
	touch_all(media);
}

void td_media_player_gone(struct td_media *media, uint32_t player)
{
	media->players[player] = (struct td_media_player){ .prompt = TD_MEDIA_NO_PROMPT };
	if (player != TD_MEDIA_ANNOUNCE)
		return;
	media->announcement.state = TD_ANNOUNCEMENT_NONE;
	media->announcement.to = NULL;
}

void td_media_announcement_over(struct td_media *media)
{
	struct td_announcement *said = &media->announcement;

	touch_all(media);
	media->players[TD_MEDIA_ANNOUNCE].floor_wanted = 0;
	if (said->state == TD_ANNOUNCEMENT_WANTED)
		said->state = TD_ANNOUNCEMENT_NONE;
	else if (said->state != TD_ANNOUNCEMENT_NONE && !said->splice)
		said->state = TD_ANNOUNCEMENT_OVER;
	said->to = NULL;
}

void td_media_player_ended(struct td_calls *calls, const struct td_event_player_end *ended)
{
	struct td_media *media = td_media_find(calls, ended->context);

	if (!media)
		return;
	if (media->call && media->call->state == TD_CALL_GREETING &&
	    media->players[TD_MEDIA_MUSIC].id.v == ended->player.v)
		td_call_post(calls, media->call, TD_CALL_GREETING_OVER);
	if (media->players[TD_MEDIA_ANNOUNCE].id.v != ended->player.v ||
	    media->announcement.state != TD_ANNOUNCEMENT_PLAYING)
		return;
	// `to` stays until its cell is off.
	media->announcement.state = TD_ANNOUNCEMENT_OVER;
	media->players[TD_MEDIA_ANNOUNCE].floor_wanted = 0;
	touch_all(media);
	td_media_step(media);
}

// True when exactly these parties, and nobody else, hear the music.
static bool music_is_theirs(const struct td_media *media, uint32_t slots)
{
	uint32_t hearing = 0;

	for (int i = 0; i < TD_MEDIA_SLOT_MAX; i++) {
		if (media->slots[i] && media->slots[i]->media.player_wanted[TD_MEDIA_MUSIC] != 0)
			hearing |= 1u << i;
	}
	return hearing != 0 && hearing == slots && media->players[TD_MEDIA_MUSIC].id.v != 0 &&
	       media->players[TD_MEDIA_MUSIC].loops;
}

int td_media_announce(struct td_media *media, const struct td_play_item *items, uint32_t count,
		      uint32_t slots, struct td_leg *to)
{
	struct td_announcement *said = &media->announcement;

	if (said->state != TD_ANNOUNCEMENT_NONE)
		return -TD_EBUSY;
	if (count == 0 || count > TD_PLAY_ITEM_MAX)
		return -TD_EINVALID;
	*said = (struct td_announcement){
		.state = TD_ANNOUNCEMENT_WANTED,
		.splice = media->call && music_is_theirs(media, slots),
		.slots = slots,
		.to = to,
		.item_count = count,
	};
	for (uint32_t i = 0; i < count; i++)
		said->items[i] = items[i];
	return 0;
}

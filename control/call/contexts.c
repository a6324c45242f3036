// Copying contexts out.
#include "call/contexts.h"

#include <string.h>

#include "call/conference.h"
#include "call/manager.h"

static void describe(const struct td_media *media, struct td_context_info *out)
{
	static const char *const uses[TD_MEDIA_PLAYERS] = { "music", "music", "announcement" };

	memset(out, 0, sizeof *out);
	out->id = media->context;
	if (media->call)
		td_inspect_put(out->call, sizeof out->call, media->call->id);
	else
		td_inspect_put(out->conference, sizeof out->conference,
			       td_conference_name(media->conference));
	out->members = media->member_count;
	out->recording = media->recording.state == TD_RECORDING_RUNNING;
	for (uint32_t i = 0; i < TD_MEDIA_PLAYERS; i++) {
		if (media->players[i].id.v == 0)
			continue;
		out->players[out->player_count++] =
			(struct td_context_player_info){ media->players[i].id, uses[i],
							 media->players[i].prompt };
	}
}

static bool owns(const struct td_media *media, struct td_player_id id)
{
	for (uint32_t i = 0; i < TD_MEDIA_PLAYERS; i++) {
		if (media->players[i].id.v == id.v)
			return true;
	}
	return false;
}

static bool visit(const struct td_media *media, unsigned *count,
		  bool (*fn)(void *user, const struct td_context_info *info), void *user)
{
	struct td_context_info info;

	if (media->context.v == 0)
		return true;
	describe(media, &info);
	++*count;
	return fn(user, &info);
}

unsigned td_contexts_foreach(struct td_calls *calls,
			     bool (*fn)(void *user, const struct td_context_info *info), void *user)
{
	unsigned count = 0;
	bool more = true;

	for (uint32_t i = 0; i < calls->call_slots.count && more; i++) {
		if (td_slots_live(&calls->call_slots, i))
			more = visit(&calls->calls[i].media, &count, fn, user);
	}
	for (uint32_t i = 0; i < calls->conference_slots.count && more; i++) {
		if (td_slots_live(&calls->conference_slots, i))
			more = visit(&calls->conferences[i].media, &count, fn, user);
	}
	return count;
}

int td_contexts_get(struct td_calls *calls, struct td_context_id id, struct td_context_info *out)
{
	const struct td_media *media = id.v ? td_media_find(calls, id) : NULL;

	if (!media)
		return -TD_ENOT_FOUND;
	describe(media, out);
	return 0;
}

void td_contexts_members(struct td_calls *calls, struct td_context_id id,
			 bool (*fn)(void *user, const struct td_member_info *info), void *user)
{
	const struct td_media *media = id.v ? td_media_find(calls, id) : NULL;
	struct td_member_info info;
	struct td_list *it;

	if (!media)
		return;
	TD_LIST_FOREACH (it, &media->members) {
		const struct td_leg *leg = TD_LIST_ENTRY(it, struct td_leg, media.member);

		if (leg->media.stream.v == 0 || leg->media.at != media)
			continue;
		td_member_describe(leg, &info);
		if (media->call)
			info.seat[0] = '\0';
		if (!fn(user, &info))
			return;
	}
}

bool td_contexts_own_player(struct td_calls *calls, struct td_player_id id)
{
	for (uint32_t i = 0; i < calls->call_slots.count; i++) {
		if (td_slots_live(&calls->call_slots, i) && owns(&calls->calls[i].media, id))
			return true;
	}
	for (uint32_t i = 0; i < calls->conference_slots.count; i++) {
		if (td_slots_live(&calls->conference_slots, i) &&
		    owns(&calls->conferences[i].media, id))
			return true;
	}
	return false;
}

struct walk {
	bool (*fn)(void *user, const struct td_cell *cell);
	void *user;
	bool more;
};

static void tell(struct walk *walk, struct td_member from, struct td_member to, int32_t gain)
{
	const struct td_cell cell = { from, to, gain };

	if (gain != 0 && walk->more)
		walk->more = walk->fn(walk->user, &cell);
}

static void tell_players(struct walk *walk, const struct td_media *media, const struct td_leg *leg)
{
	const struct td_member to = { TD_MEMBER_STREAM, leg->media.stream.v };

	for (uint32_t i = 0; i < TD_MEDIA_PLAYERS; i++)
		tell(walk, (struct td_member){ TD_MEMBER_PLAYER, media->players[i].id.v }, to,
		     leg->media.player[i]);
}

static void tell_pairs(struct walk *walk, const struct td_media *media)
{
	for (int i = 0; i < TD_MEDIA_SLOT_MAX; i++) {
		const struct td_leg *from = media->slots[i];

		for (int k = 0; from && k < TD_MEDIA_SLOT_MAX; k++) {
			const struct td_leg *to = media->slots[k];

			if (to)
				tell(walk,
				     (struct td_member){ TD_MEMBER_STREAM, from->media.stream.v },
				     (struct td_member){ TD_MEMBER_STREAM, to->media.stream.v },
				     media->cells[i][k]);
		}
	}
}

static void tell_floor(struct walk *walk, const struct td_leg *leg)
{
	const struct td_member floor = { TD_MEMBER_FLOOR, 0 };
	const struct td_member member = { TD_MEMBER_STREAM, leg->media.stream.v };

	tell(walk, member, floor, leg->media.talk);
	tell(walk, floor, member, leg->media.hear);
}

void td_contexts_cells(struct td_calls *calls, struct td_context_id id,
		       bool (*fn)(void *user, const struct td_cell *cell), void *user)
{
	const struct td_media *media = id.v ? td_media_find(calls, id) : NULL;
	struct walk walk = { fn, user, true };
	struct td_list *it;

	if (!media)
		return;
	for (uint32_t i = 0; i < TD_MEDIA_PLAYERS; i++)
		tell(&walk, (struct td_member){ TD_MEMBER_PLAYER, media->players[i].id.v },
		     (struct td_member){ TD_MEMBER_FLOOR, 0 }, media->players[i].floor);
	if (media->call)
		tell_pairs(&walk, media);
	TD_LIST_FOREACH (it, &media->members) {
		const struct td_leg *leg = TD_LIST_ENTRY(it, struct td_leg, media.member);

		if (leg->media.stream.v == 0 || leg->media.at != media)
			continue;
		tell_players(&walk, media, leg);
		tell_floor(&walk, leg);
	}
}

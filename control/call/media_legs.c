// Legs in contexts: their streams are made, moved, told their remote, and ended.
#include <string.h>

#include "call/media_inside.h"
#include "td_assert.h"

void td_media_touch(struct td_leg *leg)
{
	struct td_leg_media *media = &leg->media;

	if (media->room && td_list_empty(&media->work))
		td_list_push_back(&media->room->work, &media->work);
}

void td_media_set_at(struct td_leg *leg, struct td_media *media)
{
	struct td_leg_media *mine = &leg->media;

	if (mine->at && mine->at != mine->room)
		mine->at->guest_count--;
	mine->at = media;
	if (media && media != mine->room)
		media->guest_count++;
}

void td_media_enter(struct td_media *room, struct td_leg *leg)
{
	struct td_leg_media *media = &leg->media;
	struct td_media *at = media->at;

	if (room == media->room)
		return;
	td_media_set_at(leg, NULL);
	if (media->room) {
		// First: it touches the leg once more.
		if (media->room->announcement.to == leg)
			td_media_announcement_over(media->room);
		td_list_remove(&media->member);
		td_list_remove(&media->work);
		media->room->member_count--;
	}
	media->room = room;
	memset(media->player_wanted, 0, sizeof media->player_wanted);
	media->talk_wanted = media->hear_wanted = 0;
	if (room) {
		td_list_push_back(&room->members, &media->member);
		room->member_count++;
	}
	td_media_set_at(leg, at);
	td_media_touch(leg);
}

bool td_media_take_slot(struct td_media *media, struct td_leg *leg)
{
	for (uint8_t i = 0; i < TD_MEDIA_SLOT_MAX; i++) {
		if (media->slots[i])
			continue;
		media->slots[i] = leg;
		leg->media.slot = i;
		return true;
	}
	leg->media.slot = TD_MEDIA_SLOT_NONE;
	return false;
}

void td_media_give_slot(struct td_media *media, struct td_leg *leg)
{
	uint8_t slot = leg->media.slot;

	if (slot == TD_MEDIA_SLOT_NONE)
		return;
	TD_ASSERT(media->slots[slot] == leg);
	td_media_forget_cells(media, leg);
	for (int i = 0; i < TD_MEDIA_SLOT_MAX; i++)
		media->cells_wanted[slot][i] = media->cells_wanted[i][slot] = 0;
	media->announcement.slots &= ~(1u << slot);
	media->slots[slot] = NULL;
	leg->media.slot = TD_MEDIA_SLOT_NONE;
}

// Whatever a session description says later, nothing plain is to come or go.
static bool must_be_protected(const struct td_leg *leg)
{
	const struct td_call *call = leg->call;
	const struct td_config *config = call->calls->config;
	enum td_srtp_policy policy =
		leg->outbound ? config->agents[leg->agent].srtp : call->trunk->config->srtp;

	return policy == TD_SRTP_POLICY_REQUIRE;
}

static const struct td_context_id latest_context = { TD_HANDLE_LATEST };
static const struct td_stream_id latest_stream = { TD_HANDLE_LATEST };

static void fill_create(const struct td_media *media, const struct td_leg *leg,
			struct td_command *command)
{
	command->kind = TD_COMMAND_STREAM_CREATE;
	command->u.stream_create = (struct td_command_stream_create){
		.context = media->context.v ? media->context : latest_context,
		.family = leg->media.family,
		.owner = leg->call->key,
		// Where its media will come from; before an answer only its signalling says.
		.toward = leg->agreed.remote.family == leg->media.family ? leg->agreed.remote
									 : leg->peer,
		.flags = must_be_protected(leg) ? TD_STREAM_PROTECTED : 0,
	};
}

static uint8_t dscp_of(const struct td_leg *leg)
{
	const struct td_config *config = leg->call->calls->config;
	int own = -1;

	if (leg->agent != TD_LEG_AGENT_NONE)
		own = config->agents[leg->agent].dscp;
	else if (leg->call->trunk)
		own = leg->call->trunk->config->dscp;
	return own >= 0 ? (uint8_t)own : config->quality.dscp;
}

static void fill_remote(const struct td_leg *leg, struct td_command *command)
{
	const struct td_sdp_agreed *agreed = &leg->agreed;

	command->kind = TD_COMMAND_STREAM_SET_REMOTE;
	command->u.stream_set_remote = (struct td_command_stream_set_remote){
		.stream = leg->media.stream.v ? leg->media.stream : latest_stream,
		.remote = agreed->remote,
		.remote_rtcp = agreed->remote_rtcp,
		.flags = (leg->media.learn ? TD_REMOTE_LEARN : 0u) |
			 (agreed->rtcp_mux ? TD_REMOTE_RTCP_MUX : 0u) |
			 (agreed->rtcp_reduced ? TD_REMOTE_RTCP_REDUCED : 0u),
		.codec = (uint8_t)agreed->codec,
		.payload_type = agreed->payload_type,
		.payload_type_rx = agreed->payload_type_rx,
		.event_payload_type = agreed->event_payload_type,
		.event_payload_type_rx = agreed->event_payload_type_rx,
		.event_clock_khz = (uint8_t)(agreed->event_clock_hz / 1000u),
		.ptime_ms = agreed->ptime_ms,
		.dscp = dscp_of(leg),
		.cn_payload_type = agreed->cn_payload_type,
		.cn_payload_type_rx = agreed->cn_payload_type_rx,
		.settings = agreed->settings,
		.signalling = leg->peer,
		.srtp_rx = agreed->srtp_rx,
		.srtp_tx = agreed->srtp_tx,
	};
}

bool td_media_next_remote(const struct td_leg *leg, struct td_command *command)
{
	const struct td_leg_media *mine = &leg->media;

	if (!mine->remote_known || mine->remote_applied == mine->remote_serial)
		return false;
	fill_remote(leg, command);
	return true;
}

static void fill_move(struct td_media *media, const struct td_leg *leg, struct td_command *command)
{
	struct td_command_stream_move *move = &command->u.stream_move;

	command->kind = TD_COMMAND_STREAM_MOVE;
	move->stream = leg->media.stream;
	move->context = media->context;
	move->cell_count = td_media_first_cells(media, leg, move->cells);
}

static bool next_of(struct td_media *media, struct td_leg *leg, struct td_command *command)
{
	const struct td_leg_media *mine = &leg->media;

	if (mine->waits > 0)
		return false;
	if (!mine->wanted) {
		if (mine->stream.v == 0 || mine->ending)
			return false;
		command->kind = TD_COMMAND_STREAM_DESTROY;
		command->u.stream_destroy = mine->stream;
		return true;
	}
	if (!media->context_wanted || mine->failed)
		return false;
	if (mine->stream.v == 0)
		fill_create(media, leg, command);
	else if (mine->at == media)
		return td_media_next_remote(leg, command);
	else if (media->context.v != 0) // a move needs to know where to
		fill_move(media, leg, command);
	return command->kind != 0;
}

bool td_media_leg_settled(const struct td_media *media, const struct td_leg *leg)
{
	const struct td_leg_media *mine = &leg->media;

	if (mine->waits > 0 || mine->ending)
		return false;
	if (!mine->wanted)
		return mine->stream.v == 0;
	if (mine->failed)
		return true;
	for (uint32_t i = 0; i < TD_MEDIA_PLAYERS; i++) {
		if (mine->player[i] != td_media_player_gain(media, leg, i))
			return false;
	}
	return mine->stream.v != 0 && mine->at == media && mine->talk == mine->talk_wanted &&
	       mine->hear == mine->hear_wanted;
}

bool td_media_next_leg(struct td_media *media, struct td_command *command, struct td_leg **leg)
{
	struct td_list *it, *after;

	TD_LIST_FOREACH_SAFE (it, after, &media->work) {
		struct td_leg *one = TD_LIST_ENTRY(it, struct td_leg, media.work);

		if (next_of(media, one, command)) {
			*leg = one;
			return true;
		}
		if (td_media_leg_settled(media, one))
			td_list_remove(&one->media.work);
	}
	return false;
}

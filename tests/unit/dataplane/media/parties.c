// Who is in a world: contexts, parties, players, who hears whom, and what a party says.
#include <string.h>

#include "rtp/header.h"
#include "world.h"

struct td_context_id world_context(struct world *world)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_CREATE };

	return world_do(world, &command).u.context;
}

struct td_stream_id world_stream(struct world *world, struct td_context_id context,
				 struct td_endpoint *local)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_CREATE };
	struct td_event event;

	command.u.stream_create.context = context;
	command.u.stream_create.family = TD_FAMILY_IPV4;
	command.u.stream_create.owner = 77;
	event = world_do(world, &command);
	if (local != NULL)
		*local = event.u.stream_created.local;
	return event.u.stream_created.stream;
}

struct td_command world_set_remote(const struct world_party *party, uint8_t codec)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_SET_REMOTE };
	struct td_command_stream_set_remote *set = &command.u.stream_set_remote;

	set->stream = party->id;
	set->remote = frame_endpoint(party->addr, party->port);
	set->codec = codec;
	set->payload_type = party->payload_type;
	set->payload_type_rx = party->payload_type;
	set->event_payload_type = 101;
	set->event_payload_type_rx = 101;
	set->cn_payload_type = TD_PAYLOAD_TYPE_NONE;
	set->cn_payload_type_rx = TD_PAYLOAD_TYPE_NONE;
	set->ptime_ms = 20;
	set->dscp = 46;
	return command;
}

void world_party(struct world *world, struct td_context_id context, const char *addr, uint16_t port,
		 uint32_t ssrc, struct world_party *party)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_CREATE };
	struct td_event event;

	memset(party, 0, sizeof *party);
	command.u.stream_create.context = context;
	command.u.stream_create.family = frame_endpoint(addr, 0).family;
	event = world_do(world, &command);
	party->id = event.u.stream_created.stream;
	party->local = event.u.stream_created.local;
	party->addr = addr;
	party->port = port;
	party->ssrc = ssrc;
	party->sequence = (uint16_t)(ssrc * 31);
	party->timestamp = ssrc * 977;
	command = world_set_remote(party, TD_CODEC_PCMU);
	world_do(world, &command);
}

struct td_player_id world_player(struct world *world, struct td_context_id context, uint32_t prompt,
				 bool loop)
{
	struct td_command command = { .kind = TD_COMMAND_PLAYER_CREATE };

	command.u.player_create.context = context;
	command.u.player_create.item_count = 1;
	command.u.player_create.items[0].prompt = prompt;
	command.u.player_create.loop = loop;
	return world_do(world, &command).u.player;
}

static int edit(struct world *world, struct td_context_id context, uint32_t from_kind,
		uint32_t from, struct td_stream_id to, int32_t gain)
{
	struct td_command command = { .kind = TD_COMMAND_MATRIX_EDIT };
	struct td_cell *cell = &command.u.matrix_edit.cells[0];

	command.u.matrix_edit.context = context;
	command.u.matrix_edit.cell_count = 1;
	cell->from = (struct td_member){ .kind = from_kind, .handle = from };
	cell->to = (struct td_member){ .kind = TD_MEMBER_STREAM, .handle = to.v };
	cell->gain_q12 = gain;
	return world_command(world, &command).result;
}

int world_gain(struct world *world, struct td_context_id context, struct td_stream_id from,
	       struct td_stream_id to, int32_t gain)
{
	return edit(world, context, TD_MEMBER_STREAM, from.v, to, gain);
}

int world_player_gain(struct world *world, struct td_context_id context, struct td_player_id from,
		      struct td_stream_id to, int32_t gain)
{
	return edit(world, context, TD_MEMBER_PLAYER, from.v, to, gain);
}

void world_connect(struct world *world, struct td_context_id context, const struct world_party *a,
		   const struct world_party *b)
{
	ck_assert_int_eq(world_gain(world, context, a->id, b->id, TD_GAIN_UNITY), 0);
	ck_assert_int_eq(world_gain(world, context, b->id, a->id, TD_GAIN_UNITY), 0);
}

void world_frame(const struct world_party *party, uint32_t payload_len, struct frame *frame)
{
	frame_udp(frame, party->addr, party->port,
		  party->local.family == TD_FAMILY_IPV6 ? "fd77::2" : "10.77.0.2",
		  __builtin_bswap16(party->local.port_be), TD_RTP_HEADER_BYTES + payload_len);
	td_rtp_write(frame->bytes + frame->l4 + 8, party->payload_type, 0, party->sequence,
		     party->timestamp, party->ssrc);
	frame_checksums(frame);
}

void world_say(struct world *world, struct world_party *party)
{
	struct frame frame;

	world_frame(party, 160, &frame);
	ck_assert(world_send(world, &frame));
	party->sequence++;
	party->timestamp += 160;
}

void world_open_apart(struct world *world, const struct world_options *options,
		      struct td_context_id *context, struct world_party *a, struct world_party *b)
{
	world_open(world, options);
	*context = world_context(world);
	world_party(world, *context, "10.77.0.10", 4000, 0xaaaa, a);
	world_party(world, *context, "10.77.0.20", 6000, 0xbbbb, b);
}

void world_open_two(struct world *world, const struct world_options *options,
		    struct td_context_id *context, struct world_party *a, struct world_party *b)
{
	world_open_apart(world, options, context, a, b);
	world_connect(world, *context, a, b);
}

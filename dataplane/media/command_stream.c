// Commands about streams: create, remote side, destroy; and the next hops they hold.
#include <string.h>

#include "base/pages.h"
#include "codecs/codec.h"
#include "media/engine_state.h"
#include "td_assert.h"

void td_engine_release_next_hop(struct td_engine *engine, uint32_t next_hop)
{
	if (next_hop != TD_NEIGHBOUR_NONE)
		td_neighbour_put(engine->options.neighbours, next_hop);
}

void td_engine_stream_draw(struct td_engine *engine, struct td_change_stream *out)
{
	out->ssrc = (uint32_t)td_engine_random(engine);
	out->timestamp = (uint32_t)td_engine_random(engine);
	// Not near its wrap, which a peer that misses the first packets could not tell (RFC 3711
	// section 3.3.1).
	out->sequence = (uint16_t)(td_engine_random(engine) & 0x7fffu);
}

static void describe(struct td_engine *engine, const struct td_engine_stream *stream,
		     const struct td_command_stream_create *create, struct td_change_stream *out)
{
	out->id.v = stream->handle;
	td_engine_stream_draw(engine, out);
	out->owner = create->owner;
	out->local = stream->local;
	out->local_port_be = __builtin_bswap16(stream->port);
	out->cname = td_engine_random(engine);
	out->protected = (create->flags & TD_STREAM_PROTECTED) != 0;
}

void td_engine_stream_init(struct td_engine_stream *stream, uint32_t handle,
			   const struct td_engine_context *context, uint32_t slot)
{
	memset(stream, 0, sizeof *stream);
	stream->handle = handle;
	stream->context = td_handle_index(context->handle);
	stream->slot = slot;
	stream->inlet = stream->outlet = TD_LET_NONE;
	stream->next_hop = TD_NEIGHBOUR_NONE;
	stream->rtcp_next_hop = TD_NEIGHBOUR_NONE;
	stream->learned_next_hop = TD_NEIGHBOUR_NONE;
	stream->state = TD_OBJECT_LIVE;
}

// How well a local address suits: on the peer's link, else through a gateway, else by family alone.
static unsigned local_rank(const struct td_local *local, const struct td_endpoint *toward)
{
	if (toward->family != local->addr.family)
		return 0;
	if (td_local_on_link(local, toward))
		return 2;
	return local->gateway.family != TD_FAMILY_NONE;
}

// The best address that has a port pair left. -TD_EUNSUPPORTED when we have none of that family.
static TD_MAIN int take_port(struct td_engine *engine,
			     const struct td_command_stream_create *create, uint64_t now_ns,
			     uint8_t *local, uint16_t *port)
{
	const struct td_locals *locals = engine->options.locals;
	uint32_t best_free = 0;
	unsigned best_rank = 0;
	bool any = false;

	for (uint32_t i = 0; i < locals->count; i++) {
		unsigned rank = local_rank(&locals->entries[i], &create->toward);
		uint32_t free = td_demux_port_free_count(engine->options.demux, i);

		if (locals->entries[i].addr.family != create->family)
			continue;
		if (!any || (free > 0 && best_free == 0) ||
		    (free > 0 && (rank > best_rank || (rank == best_rank && free > best_free)))) {
			*local = (uint8_t)i;
			best_rank = rank;
			best_free = free;
		}
		any = true;
	}
	if (!any)
		return -TD_EUNSUPPORTED;
	return td_demux_port_take(engine->options.demux, *local, now_ns, port);
}

int td_engine_stream_create(struct td_engine *engine, const struct td_command *command,
			    uint64_t now_ns)
{
	const struct td_command_stream_create *create = &command->u.stream_create;
	struct td_engine_context *context = td_engine_find_context(
		engine,
		create->context.v == TD_HANDLE_LATEST ? engine->latest_context : create->context.v);
	struct td_engine_stream *stream;
	struct td_change change;
	uint8_t local = TD_LOCAL_NONE;
	uint16_t port;
	uint32_t handle, slot;
	int error;

	if (context == NULL)
		return -TD_ESTALE;
	if (create->family != TD_FAMILY_IPV4 && create->family != TD_FAMILY_IPV6)
		return -TD_EINVALID;
	if (create->flags & ~TD_STREAM_PROTECTED)
		return -TD_EINVALID;
	if (!td_engine_change_room(engine, context->worker, 1))
		return -TD_EBUSY;
	error = td_engine_take(engine, TD_POOL_STREAM, &handle);
	if (error != 0)
		return error;
	error = td_matrix_add(&context->matrix, TD_MEMBER_STREAM, td_handle_index(handle), &slot);
	if (error == 0) {
		error = take_port(engine, create, now_ns, &local, &port);
		if (error != 0)
			td_matrix_remove(&context->matrix, slot);
	}
	if (error != 0) {
		td_engine_untake(engine, TD_POOL_STREAM, handle);
		return error;
	}
	stream = &engine->streams[td_handle_index(handle)];
	td_engine_stream_init(stream, handle, context, slot);
	stream->local = local;
	stream->port = port;
	engine->latest_stream = handle;
	td_engine_fork_expect(engine, context, td_handle_index(handle));
	engine->links[context->worker].load++;
	td_engine_change_begin(&change, TD_CHANGE_STREAM_CREATE, command, context);
	describe(engine, stream, create, &change.u.stream);
	// Nobody hears it yet and it hears nobody: the plan stays.
	td_engine_change_push(engine, context->worker, &change);
	// Packets that come before the worker has applied it find a dead stream: port_closed.
	td_demux_publish(engine->options.demux, local, port, context->worker,
			 td_handle_index(handle));
	return 0;
}

static uint32_t clock_khz_of(uint8_t codec)
{
	return td_codec_clock_hz((enum td_codec_id)codec) / 1000u;
}

// A payload type beside the codec's own, or none.
static bool is_beside(uint8_t payload_type, uint8_t codec_payload_type)
{
	return payload_type == TD_PAYLOAD_TYPE_NONE ||
	       (payload_type <= 127 && payload_type != codec_payload_type);
}

static bool remote_is_valid(const struct td_engine *engine, const struct td_engine_stream *stream,
			    const struct td_command_stream_set_remote *set)
{
	uint8_t family = engine->options.locals->entries[stream->local].addr.family;

	return (set->remote.port_be == 0 || set->remote.family == family) &&
	       (set->remote_rtcp.port_be == 0 || set->remote_rtcp.family == family) &&
	       set->payload_type <= 127 && set->payload_type_rx <= 127 &&
	       is_beside(set->event_payload_type, TD_PAYLOAD_TYPE_NONE) &&
	       is_beside(set->event_payload_type_rx, set->payload_type_rx) &&
	       is_beside(set->cn_payload_type, set->payload_type) &&
	       is_beside(set->cn_payload_type_rx, set->payload_type_rx) && set->dscp <= 63 &&
	       (set->event_clock_khz == 0 ||
		clock_khz_of(set->codec) % set->event_clock_khz == 0) &&
	       !(set->flags & ~(TD_REMOTE_LEARN | TD_REMOTE_RTCP_MUX | TD_REMOTE_RTCP_REDUCED));
}

// RFC 3605: without an attribute RTCP is on the next port; with mux on the same.
static void fill_rtcp(struct td_command_stream_set_remote *set)
{
	uint16_t port = __builtin_bswap16(set->remote.port_be);

	if (set->flags & TD_REMOTE_RTCP_MUX) {
		set->remote_rtcp = set->remote;
	} else if (set->remote_rtcp.port_be == 0) {
		set->remote_rtcp = set->remote;
		set->remote_rtcp.port_be = set->remote.port_be == 0 || port == 65535
						   ? 0
						   : __builtin_bswap16((uint16_t)(port + 1u));
	}
}

// References the next hops of both addresses, or none.
static TD_MAIN int get_next_hops(struct td_engine *engine, const struct td_engine_stream *stream,
				 struct td_change_remote *remote)
{
	const struct td_command_stream_set_remote *set = &remote->set;
	int error;

	remote->next_hop = TD_NEIGHBOUR_NONE;
	remote->rtcp_next_hop = TD_NEIGHBOUR_NONE;
	if (set->remote.port_be == 0)
		return 0;
	error = td_neighbour_get(engine->options.neighbours, stream->local, &set->remote,
				 &remote->next_hop);
	if (error != 0 || set->remote_rtcp.port_be == 0 ||
	    td_endpoint_same_addr(&set->remote, &set->remote_rtcp))
		return error;
	error = td_neighbour_get(engine->options.neighbours, stream->local, &set->remote_rtcp,
				 &remote->rtcp_next_hop);
	if (error != 0)
		td_engine_release_next_hop(engine, remote->next_hop);
	return error;
}

// A packet of the codec can last so long. 0: nobody has said, then the engine's own time holds.
static bool lasts(const struct td_codec *codec, uint8_t ptime_ms)
{
	if (ptime_ms == 0)
		return true;
	if (ptime_ms < 10 || ptime_ms > codec->ptime_max_ms)
		return false;
	if (codec->ptime_tens != 0)
		return ptime_ms % 10u == 0 && (codec->ptime_tens >> ptime_ms / 10u & 1u) != 0;
	return codec->frame_ms == 0 || ptime_ms % codec->frame_ms == 0;
}

// Codes in that way at all: a worker starts the encoder with these settings and asks no more.
static int check_coding(const struct td_command_stream_set_remote *set)
{
	const struct td_codec *codec = td_codec_get((enum td_codec_id)set->codec);
	uint32_t bitrate_bps = set->settings.bitrate_bps;

	if (codec == NULL)
		return -TD_ECODEC;
	if (!lasts(codec, set->ptime_ms))
		return -TD_EINVALID;
	if (bitrate_bps != 0 && codec->bitrate_max_bps != 0 &&
	    (bitrate_bps < codec->bitrate_min_bps || bitrate_bps > codec->bitrate_max_bps))
		return -TD_EINVALID;
	return set->settings.complexity > 10 || set->settings.loss_percent > 100 ? -TD_EINVALID : 0;
}

// What the matrix knows of a stream. True when it is news.
static bool describe_member(struct td_matrix_member *member,
			    const struct td_command_stream_set_remote *set)
{
	struct td_matrix_member was = *member;

	member->codec = set->codec;
	member->ptime_ms = set->ptime_ms;
	member->events = set->event_payload_type != TD_PAYLOAD_TYPE_NONE;
	member->event_khz = set->event_clock_khz != 0 ? set->event_clock_khz
						      : (uint8_t)clock_khz_of(set->codec);
	member->settings = set->settings;
	return was.codec != member->codec || was.ptime_ms != member->ptime_ms ||
	       was.events != member->events || was.event_khz != member->event_khz ||
	       memcmp(&was.settings, &member->settings, sizeof was.settings) != 0;
}

// The plan that follows from what is known of the stream now; none when nobody hears or is heard.
static TD_MAIN int replan(struct td_engine *engine, struct td_engine_context *context,
			  const struct td_engine_stream *stream,
			  const struct td_command_stream_set_remote *set, struct td_change *change)
{
	struct td_edit edit;
	int error;

	if (context->plan == NULL) {
		(void)describe_member(&context->matrix.members[stream->slot], set);
		return 0;
	}
	error = td_engine_edit_begin(context, &edit);
	if (error != 0)
		return error;
	if (describe_member(&edit.matrix.members[stream->slot], set))
		return td_engine_edit_commit(engine, &edit, change);
	td_engine_edit_abort(engine, &edit);
	return 0;
}

static TD_MAIN int prepare_remote(struct td_engine *engine, struct td_engine_stream *stream,
				  const struct td_command_stream_set_remote *set,
				  struct td_change *change)
{
	uint32_t index = td_handle_index(stream->handle);
	int error = remote_is_valid(engine, stream, set) ? check_coding(set) : -TD_EINVALID;

	if (error != 0)
		return error;
	error = td_protection_check(set);
	if (error != 0)
		return error;
	if (set->srtp_rx.suite != TD_SRTP_NONE || set->srtp_tx.suite != TD_SRTP_NONE)
		td_pages_touch(&engine->protections[index], sizeof *engine->protections);
	if (set->flags & TD_REMOTE_LEARN)
		td_pages_touch(&engine->candidates[index], sizeof *engine->candidates);
	change->u.remote.set = *set;
	fill_rtcp(&change->u.remote.set);
	return get_next_hops(engine, stream, &change->u.remote);
}

int td_engine_stream_set_remote(struct td_engine *engine, const struct td_command *command)
{
	const struct td_command_stream_set_remote *set = &command->u.stream_set_remote;
	struct td_engine_stream *stream = td_engine_find_stream(
		engine, set->stream.v == TD_HANDLE_LATEST ? engine->latest_stream : set->stream.v);
	struct td_engine_context *context;
	struct td_change change;
	int error;

	if (stream == NULL)
		return -TD_ESTALE;
	context = &engine->contexts[stream->context];
	if (!td_engine_change_room(engine, context->worker, 1))
		return -TD_EBUSY;
	td_engine_change_begin(&change, TD_CHANGE_STREAM_REMOTE, command, context);
	change.object = td_handle_index(stream->handle);
	error = prepare_remote(engine, stream, set, &change);
	if (error != 0)
		return error;
	error = replan(engine, context, stream, set, &change);
	if (error != 0) {
		td_engine_release_next_hop(engine, change.u.remote.next_hop);
		td_engine_release_next_hop(engine, change.u.remote.rtcp_next_hop);
		return error;
	}
	change.u.remote.released[0] = stream->next_hop;
	change.u.remote.released[1] = stream->rtcp_next_hop;
	change.u.remote.released[2] = stream->learned_next_hop;
	stream->next_hop = change.u.remote.next_hop;
	stream->rtcp_next_hop = change.u.remote.rtcp_next_hop;
	stream->learned_next_hop = TD_NEIGHBOUR_NONE;
	td_engine_change_push(engine, context->worker, &change);
	explicit_bzero(&change.u.remote.set, sizeof change.u.remote.set);
	return 0;
}

void td_engine_stream_learned(struct td_engine *engine, const struct td_note *note)
{
	struct td_engine_stream *stream = td_engine_find_stream(engine, note->handle);
	struct td_engine_context *context;
	struct td_change change;
	uint32_t next_hop;

	if (stream == NULL || engine->transit.active)
		return;
	context = &engine->contexts[stream->context];
	// What cannot be answered now is asked again by the worker's sweep.
	if (!td_engine_change_room(engine, context->worker, 1) ||
	    td_neighbour_get(engine->options.neighbours, stream->local, &note->remote, &next_hop) !=
		    0)
		return;
	td_engine_change_begin(&change, TD_CHANGE_STREAM_NEXT_HOP, NULL, context);
	change.object = td_handle_index(stream->handle);
	change.u.next_hop.remote = note->remote;
	change.u.next_hop.next_hop = next_hop;
	change.u.next_hop.released = stream->learned_next_hop;
	stream->learned_next_hop = next_hop;
	td_engine_change_push(engine, context->worker, &change);
}

void td_engine_stream_close(struct td_engine *engine, struct td_engine_stream *stream,
			    uint64_t now_ns)
{
	if (!stream->ear) {
		td_demux_unpublish(engine->options.demux, stream->local, stream->port);
		td_demux_port_give(engine->options.demux, stream->local, stream->port, now_ns);
	}
	stream->state = TD_OBJECT_DYING;
	td_engine_taps_leave(engine, stream);
}

int td_engine_stream_destroy(struct td_engine *engine, const struct td_command *command,
			     uint64_t now_ns)
{
	struct td_engine_stream *stream =
		td_engine_find_stream(engine, command->u.stream_destroy.v);
	struct td_engine_context *context;
	struct td_change change;
	int error;

	if (stream == NULL)
		return -TD_ESTALE;
	context = &engine->contexts[stream->context];
	if (!td_engine_change_room(engine, context->worker, 1))
		return -TD_EBUSY;
	td_engine_change_begin(&change, TD_CHANGE_STREAM_DESTROY, command, context);
	change.object = td_handle_index(stream->handle);
	error = td_engine_member_remove(engine, context, stream->slot, &change);
	if (error != 0)
		return error;
	td_engine_stream_close(engine, stream, now_ns);
	td_engine_change_push(engine, context->worker, &change);
	return 0;
}

void td_engine_stream_gone(struct td_engine *engine, uint32_t handle, uint64_t now_ns)
{
	struct td_engine_stream *stream = &engine->streams[td_handle_index(handle)];

	TD_ASSERT(stream->handle == handle && stream->state == TD_OBJECT_DYING);
	td_engine_release_next_hop(engine, stream->next_hop);
	td_engine_release_next_hop(engine, stream->rtcp_next_hop);
	td_engine_release_next_hop(engine, stream->learned_next_hop);
	td_engine_provision_end(engine, stream);
	td_engine_taps_of_gone(engine, td_handle_index(handle), now_ns);
	td_engine_forks_of_gone(engine, td_handle_index(handle));
	stream->state = TD_OBJECT_GONE;
	engine->ear_count -= stream->ear;
	engine->links[engine->contexts[stream->context].worker].load--;
	td_engine_retire(engine, TD_POOL_STREAM, handle);
}

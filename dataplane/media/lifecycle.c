// Streams and players come and go on their worker: the fields they begin and end with.
#include "media/fork_taps.h"
#include "media/sender.h"
#include "media/worker_state.h"
#include "td_assert.h"

void td_media_enter_context(struct td_media_worker *worker, struct td_context_id id,
			    uint32_t stream)
{
	struct td_worker_context *context = &worker->contexts[td_handle_index(id.v)];
	struct td_stream_cold *cold = &worker->cold[stream];

	cold->context = id;
	worker->streams[stream].level.context = td_handle_index(id.v);
	cold->previous = TD_INDEX_END;
	cold->next = context->first_stream;
	if (cold->next != TD_INDEX_END)
		worker->cold[cold->next].previous = stream;
	context->first_stream = stream;
	td_media_hush_stream(worker, stream, context->hush);
	context->load++;
	worker->slot_load[context->slot]++;
	if (context->capture != TD_CAPTURE_NONE)
		td_fork_follow(worker, stream, true);
}

// Its index may be another's one day, whose digits end nothing here.
static void stop_no_player(struct td_media_worker *worker, uint32_t index, uint32_t stream)
{
	for (; index != TD_PLAYER_NONE; index = worker->players[index].next_in_context)
		if (worker->players[index].stop_stream == stream)
			worker->players[index].stop_stream = TD_INDEX_END;
}

void td_media_leave_context(struct td_media_worker *worker, uint32_t stream)
{
	struct td_stream_cold *cold = &worker->cold[stream];
	struct td_worker_context *context = &worker->contexts[td_handle_index(cold->context.v)];

	stop_no_player(worker, context->first_player, stream);
	if (context->capture != TD_CAPTURE_NONE)
		td_fork_follow(worker, stream, false);
	if (cold->next != TD_INDEX_END)
		worker->cold[cold->next].previous = cold->previous;
	if (cold->previous != TD_INDEX_END)
		worker->cold[cold->previous].next = cold->next;
	else
		context->first_stream = cold->next;
	context->load--;
	worker->slot_load[context->slot]--;
}

static uint32_t taps_on(const struct td_media_worker *worker, uint32_t stream)
{
	return worker->streams[stream].rx.flags & TD_RX_TAPPED
		       ? td_stream_taps_of(worker, stream)->count
		       : 0;
}

void td_media_own(struct td_media_worker *worker, uint32_t stream)
{
	worker->cold[stream].position = worker->owned_count;
	worker->owned[worker->owned_count++] = stream;
	worker->protector->guarded += worker->streams[stream].rx.guard != TD_GUARD_NONE;
	worker->stats->streams++;
	worker->stats->taps += taps_on(worker, stream);
}

void td_media_disown(struct td_media_worker *worker, uint32_t stream)
{
	uint32_t position = worker->cold[stream].position;
	uint32_t last = worker->owned[--worker->owned_count];

	TD_ASSERT(worker->owned[position] == stream);
	worker->owned[position] = last;
	worker->cold[last].position = position;
	worker->protector->guarded -= worker->streams[stream].rx.guard != TD_GUARD_NONE;
	worker->stats->streams--;
	worker->stats->taps -= taps_on(worker, stream);
}

void td_media_stream_begin(struct td_media_worker *worker, const struct td_change_stream *create)
{
	uint32_t index = td_handle_index(create->id.v);
	struct td_stream *hot = &worker->streams[index];
	struct td_stream_cold *cold = &worker->cold[index];

	memset(hot, 0, sizeof *hot);
	memset(cold, 0, sizeof *cold);
	worker->streams[index].level = (struct td_level){ 0 };
	td_rtp_source_init(&hot->rx.source, &cold->source);
	hot->rx.sink = TD_SINK_NONE;
	hot->rx.payload_type = TD_PAYLOAD_TYPE_NONE;
	hot->rx.event_payload_type = TD_PAYLOAD_TYPE_NONE;
	hot->rx.flags = TD_RX_LIVE;
	hot->tx.feed = TD_FEED_NONE;
	hot->tx.flags = TD_TX_FORCED;
	hot->tx.stream = index & TD_HANDLE_INDEX_MASK;
	cold->tx_slot = index;
	hot->tx.ssrc = create->ssrc;
	hot->tx.last_sequence = create->sequence;
	hot->tx.last_timestamp = create->timestamp;
	hot->tx.payload_type = TD_PAYLOAD_TYPE_NONE;
	hot->tx.event_payload_type = TD_PAYLOAD_TYPE_NONE;
	cold->id = create->id;
	cold->owner = create->owner;
	cold->local = create->local;
	cold->local_port_be = create->local_port_be;
	cold->cname = create->cname;
	cold->clock_khz = 8;
	cold->fed_by = TD_FEED_NONE;
	cold->event_payload_type = TD_PAYLOAD_TYPE_NONE;
	cold->cn_payload_type = TD_PAYLOAD_TYPE_NONE;
	cold->cn_payload_type_rx = TD_PAYLOAD_TYPE_NONE;
	cold->digit_sender = TD_INDEX_END;
	worker->strangers[index] = 0;
	td_event_rx_init(&cold->digits, 8000, 8000);
	td_protection_begin(worker, index, create->protected);
}

void td_media_stream_create(struct td_media_worker *worker, struct td_context_id context,
			    const struct td_change_stream *create)
{
	uint32_t index = td_handle_index(create->id.v);

	td_media_stream_begin(worker, create);
	td_media_enter_context(worker, context, index);
	td_media_own(worker, index);
}

void td_media_stream_rehome(struct td_media_worker *worker, uint32_t stream,
			    struct td_context_id to)
{
	td_digits_leave(worker, stream);
	td_media_leave_context(worker, stream);
	td_media_enter_context(worker, to, stream);
	td_digits_enter(worker, stream);
}

void td_media_stream_destroy(struct td_media_worker *worker, uint32_t stream)
{
	struct td_stream_cold *cold = &worker->cold[stream];

	td_digits_stop(worker, stream);
	td_media_rtcp_bye(worker, stream, worker->sweep_ns);
	td_media_leave_context(worker, stream);
	td_media_disown(worker, stream);
	td_protection_end(worker, stream);
	worker->streams[stream].rx.guard = TD_GUARD_NONE;
	worker->streams[stream].rx.flags = 0;
	worker->streams[stream].rx.key = 0;
	worker->streams[stream].tx.flags = 0;
	cold->id.v = 0;
	td_media_mirror_clear(worker, stream);
}

// The accepted sender, if there is one already, becomes the hot key.
static void set_key(struct td_stream_rx *rx, const struct td_stream_cold *cold, bool ipv6)
{
	const struct td_endpoint *from = &cold->lock.accepted;

	rx->flags &= (uint8_t) ~(TD_RX_IPV6 | TD_RX_STEADY);
	rx->strict = 0; // until somebody has been turned away
	if (ipv6)
		rx->flags |= TD_RX_IPV6;
	rx->key = cold->lock.rank == TD_LOCK_NOBODY
			  ? 0
			  : td_packet_sender(td_packet_key(from), from->port_be, from->family);
}

// What counts time by the RTP clock, or by that of events, begins anew when the clock is another one.
static void set_clock(struct td_stream *hot, struct td_stream_cold *cold, uint8_t codec,
		      uint8_t event_khz)
{
	uint8_t khz = (uint8_t)(td_codec_clock_hz((enum td_codec_id)codec) / 1000u);

	event_khz = event_khz != 0 ? event_khz : khz;
	if (khz != cold->clock_khz)
		cold->source.timed = false;
	if (khz != cold->clock_khz || event_khz != cold->digits.clock_khz)
		td_event_rx_init(&cold->digits, event_khz * 1000u, khz * 1000u);
	cold->clock_khz = khz;
	hot->rx.flags = (uint8_t)((hot->rx.flags & ~TD_RX_48K) | (khz == 48 ? TD_RX_48K : 0u));
	hot->rx.codec = codec & 0x1fu;
}

void td_media_spare_digits(struct td_media_worker *worker, uint32_t stream)
{
	const struct td_stream_cold *cold = &worker->cold[stream];

	td_media_tx(worker, stream)->event_payload_type =
		cold->tune & TD_TUNE_NO_DIGITS ? TD_PAYLOAD_TYPE_NONE : cold->event_payload_type;
}

void td_media_stream_remote(struct td_media_worker *worker, uint32_t stream,
			    const struct td_change_remote *remote, uint64_t now_ns)
{
	struct td_stream *hot = &worker->streams[stream];
	struct td_stream_cold *cold = &worker->cold[stream];
	struct td_stream_tx *tx = td_media_tx(worker, stream);
	const struct td_command_stream_set_remote *set = &remote->set;
	const struct td_source_lock_terms terms = {
		.remote = set->remote,
		.remote_rtcp = set->remote_rtcp,
		.signalling = set->signalling,
		.learn = (set->flags & TD_REMOTE_LEARN) != 0,
	};
	bool accepted_elsewhere;

	td_protection_set(worker, stream, set);
	td_source_lock_set(&cold->lock, &terms, now_ns);
	hot->rx.flags = (uint8_t)((hot->rx.flags & ~TD_RX_MUX) |
				  (set->flags & TD_REMOTE_RTCP_MUX ? TD_RX_MUX : 0u));
	cold->rtcp_reduced = (set->flags & TD_REMOTE_RTCP_REDUCED) != 0;
	set_key(&hot->rx, cold,
		td_stream_local(cold, worker->neighbours->locals).family == TD_FAMILY_IPV6);
	hot->rx.payload_type = set->payload_type_rx;
	hot->rx.event_payload_type = set->event_payload_type_rx;
	tx->payload_type = set->payload_type;
	cold->event_payload_type = set->event_payload_type;
	cold->cn_payload_type = set->cn_payload_type;
	cold->cn_payload_type_rx = set->cn_payload_type_rx;
	cold->ptime_ms = set->ptime_ms;
	worker->streams[stream].level.look_ms = set->ptime_ms * TD_LEVEL_EVERY;
	set_clock(hot, cold, set->codec, set->event_clock_khz);
	td_media_spare_digits(worker, stream);
	cold->dscp = set->dscp;
	cold->sdp_next_hop = remote->next_hop;
	cold->rtcp_next_hop = remote->rtcp_next_hop;
	accepted_elsewhere = cold->lock.rank != TD_LOCK_NOBODY &&
			     !td_endpoint_same_addr(&cold->lock.accepted, &set->remote);
	cold->learned_pending = false;
	td_sender_set_target(tx, cold, worker->neighbours->locals, remote->next_hop,
			     cold->lock.rank != TD_LOCK_NOBODY && !accepted_elsewhere);
	if (accepted_elsewhere)
		td_media_note_learned(worker, stream);
	if (cold->rtcp_due_ns == 0)
		cold->rtcp_due_ns = now_ns + 1000000000ull; // an early first report: RTT soon
}

void td_media_stream_next_hop(struct td_media_worker *worker, uint32_t stream,
			      const struct td_change_next_hop *change)
{
	struct td_stream_cold *cold = &worker->cold[stream];

	// By now another sender may have been adopted: then this answer is to an old question.
	if (!cold->learned_pending || !td_endpoint_equal(td_stream_remote(cold), &change->remote))
		return;
	cold->learned_pending = false;
	td_sender_set_target(td_media_tx(worker, stream), cold, worker->neighbours->locals,
			     change->next_hop, true);
}

uint8_t td_media_emptiest_slot(const struct td_media_worker *worker)
{
	uint8_t best = 0;

	for (uint8_t slot = 1; slot < TD_MEDIA_SLOTS; slot++)
		if (worker->slot_load[slot] < worker->slot_load[best])
			best = slot;
	return best;
}

void td_media_player_link(struct td_media_worker *worker, uint32_t index, uint8_t slot)
{
	struct td_player *player = &worker->players[index];

	player->slot = slot;
	player->previous = TD_PLAYER_NONE;
	player->next = worker->slot_first[slot];
	if (player->next != TD_PLAYER_NONE)
		worker->players[player->next].previous = index;
	worker->slot_first[slot] = index;
	worker->stats->players++;
}

void td_media_player_unlink(struct td_media_worker *worker, uint32_t index)
{
	struct td_player *player = &worker->players[index];

	if (player->next != TD_PLAYER_NONE)
		worker->players[player->next].previous = player->previous;
	if (player->previous != TD_PLAYER_NONE)
		worker->players[player->previous].next = player->next;
	else
		worker->slot_first[player->slot] = player->next;
	worker->stats->players--;
}

static void player_enter(struct td_media_worker *worker, struct td_worker_context *context,
			 uint32_t index)
{
	struct td_player *player = &worker->players[index];

	player->previous_in_context = TD_PLAYER_NONE;
	player->next_in_context = context->first_player;
	if (player->next_in_context != TD_PLAYER_NONE)
		worker->players[player->next_in_context].previous_in_context = index;
	context->first_player = index;
	td_media_player_link(worker, index, context->slot);
}

void td_media_player_create(struct td_media_worker *worker, struct td_context_id id,
			    const struct td_change_player *create)
{
	uint32_t index = td_handle_index(create->id.v);
	struct td_worker_context *context = &worker->contexts[td_handle_index(id.v)];
	struct td_player *player = &worker->players[index];

	*player = (struct td_player){
		.loop = create->loop != 0,
		.stop_digits = create->stop_digits,
		.stop_stream = create->stop_stream,
		.id = create->id,
		.context = id,
		.live = create->live,
	};
	player->main.count = create->item_count;
	memcpy(player->main.items, create->items, sizeof player->main.items);
	player_enter(worker, context, index);
}

void td_media_player_destroy(struct td_media_worker *worker, uint32_t index)
{
	struct td_player *player = &worker->players[index];

	td_media_player_unlink(worker, index);
	if (player->next_in_context != TD_PLAYER_NONE)
		worker->players[player->next_in_context].previous_in_context =
			player->previous_in_context;
	if (player->previous_in_context != TD_PLAYER_NONE)
		worker->players[player->previous_in_context].next_in_context =
			player->next_in_context;
	else
		worker->contexts[td_handle_index(player->context.v)].first_player =
			player->next_in_context;
	player->id.v = 0;
}

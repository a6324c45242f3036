// PLAY: the players of one slot, one frame each to every listener.
#include <rte_prefetch.h>

#include "media/sender.h"
#include "media/worker_state.h"
#include "rtp/header.h"

#define FRAME_UDP_BYTES (8u + TD_RTP_HEADER_BYTES + TD_PROMPT_FRAME_SAMPLES)
#define FRAME_ROOM      (TD_L2_MAX + 40u)

// Puts one frame of payload into the sink's stream. False when it cannot be sent.
static bool write_frame(struct td_media_worker *worker, uint32_t sink, uint32_t feed,
			const uint8_t *payload, struct rte_mbuf *mbuf, uint64_t now_ns)
{
	struct td_stream_tx *tx = td_media_tx(worker, sink);
	struct td_stream_cold *cold = &worker->cold[sink];
	uint8_t *udp = (uint8_t *)mbuf->buf_addr + mbuf->data_off, *start;
	bool fresh = td_sender_must_resync(tx, feed, 0);
	uint16_t len_be = __builtin_bswap16(FRAME_UDP_BYTES), checksum;
	uint64_t sum;

	start = td_sender_headers(worker->neighbours, tx, cold, udp, FRAME_UDP_BYTES, &sum);
	if (start == NULL)
		return false;
	if (fresh) {
		td_sender_resync(tx, cold, feed, 0, 0, 0, now_ns);
		tx->last_timestamp = tx->timestamp_offset;
	} else {
		tx->last_timestamp += TD_PROMPT_FRAME_SAMPLES;
	}
	tx->last_sequence++;
	tx->last_ns = now_ns;
	td_rtp_write(udp + 8, tx->payload_type, fresh, tx->last_sequence, tx->last_timestamp,
		     tx->ssrc);
	memcpy(udp + 8 + TD_RTP_HEADER_BYTES, payload, TD_PROMPT_FRAME_SAMPLES);
	memcpy(udp + 4, &len_be, 2);
	sum += (uint64_t)len_be + len_be + (uint32_t)__builtin_bswap16(17);
	sum = td_checksum_add(sum, udp + 8, FRAME_UDP_BYTES - 8u);
	checksum = (uint16_t)~td_checksum_fold(sum);
	checksum = checksum == 0 ? 0xffffu : checksum;
	memcpy(udp + 6, &checksum, 2);
	mbuf->data_off = (uint16_t)(start - (uint8_t *)mbuf->buf_addr);
	mbuf->data_len = (uint16_t)(udp + FRAME_UDP_BYTES - start);
	mbuf->pkt_len = mbuf->data_len;
	tx->packets++;
	tx->octets += TD_PROMPT_FRAME_SAMPLES;
	return true;
}

static bool play_to(struct td_media_worker *worker, const struct td_player *player, uint32_t sink,
		    uint32_t feed, uint64_t now_ns, struct td_tx *tx)
{
	const struct td_stream_tx *to = td_media_tx(worker, sink);
	const uint8_t *payload = player->prompt->payload[worker->streams[sink].rx.codec];
	struct rte_mbuf *mbuf;

	if (!(to->flags & TD_TX_READY) || payload == NULL ||
	    !td_media_reachable(worker, to->next_hop))
		return false; // nothing was made, so nothing is dropped
	mbuf = rte_pktmbuf_alloc(worker->pool);
	if (mbuf == NULL) {
		worker->stats->drops[TD_DROP_POOL_EMPTY]++;
		return false;
	}
	mbuf->data_off = FRAME_ROOM;
	payload += (size_t)player->frame * TD_PROMPT_FRAME_SAMPLES;
	if (!write_frame(worker, sink, feed, payload, mbuf, now_ns)) {
		td_media_drop(worker, mbuf, TD_DROP_NEIGHBOUR_UNRESOLVED);
		return false;
	}
	worker->stats->originated++;
	td_tx_push(tx, td_neighbour_port(worker->neighbours, to->next_hop), mbuf);
	return true;
}

static void advance(struct td_player *player)
{
	player->frame++;
	if (player->frame < player->prompt->frame_count)
		return;
	player->frame = 0;
	player->ended = !player->loop;
}

// Says once that a prompt is over; again at the next tick while control's ring is full.
static void tell_end(struct td_media_worker *worker, struct td_player *player, uint64_t now_ns)
{
	struct td_event event = { .kind = TD_EVENT_PLAYER_END };

	event.u.player_end.player = player->id;
	event.u.player_end.context = player->context;
	player->told = td_media_event(worker, &event, now_ns, true) == 0;
}

static uint32_t play(struct td_media_worker *worker, uint32_t index, uint64_t now_ns,
		     struct td_tx *tx)
{
	struct td_player *player = &worker->players[index];
	uint32_t sent = 0;

	for (uint32_t i = 0; i < player->sink_count && !player->ended; i++)
		sent += play_to(worker, player, player->sinks[i], TD_FEED_PLAYER | index, now_ns,
				tx);
	if (!player->ended)
		advance(player);
	if (player->ended && !player->told)
		tell_end(worker, player, now_ns);
	return sent;
}

static void prefetch_next(const struct td_media_worker *worker, const struct td_player *player)
{
	const struct td_player *next;

	if (player->next == TD_PLAYER_NONE)
		return;
	next = &worker->players[player->next];
	rte_prefetch0(next);
	rte_prefetch0(next->sinks);
}

uint32_t td_media_tick(struct td_media_worker *worker, uint32_t slot, uint64_t now_ns,
		       struct td_tx *tx)
{
	uint32_t sent = 0, index = worker->slot_first[slot];

	while (index != TD_PLAYER_NONE) {
		prefetch_next(worker, &worker->players[index]);
		sent += play(worker, index, now_ns, tx);
		index = worker->players[index].next;
	}
	return sent;
}

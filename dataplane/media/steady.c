// STEADY: the short way for the next packet of a steady stream, as vectors.
//
//   admit_next --> send_next, one packet after the other
//        |             \-> td_forward_guarded, if it was opened or will be sealed
//        |                     \-> td_forward_admitted, if this listener is not as always
//        \-> td_forward_any, if this packet is not simply next
//
// The rx line of the speaker and the tx line of its only listener lie side by side (placement.c)
// and both were asked for when the packet was looked up.
//
// All of it is one function to the compiler, so what its parts tell each other stays in registers. It
// asks few questions, each of all that could be different at once, and computes again only what is
// different in each packet of a run: of the UDP checksum, what the RTP header's first words add. The
// rest of it has been found out by the packet before that went the long way (settle in forward.c), and
// whatever changes it takes TD_RX_STEADY or TD_TX_STEADY away.
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "media/fork_taps.h"
#include "media/sender.h"
#include "media/worker_state.h"
#include "rtp/header.h"

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define HOT         static inline __attribute__((always_inline))

// Of a header's first word: version 2 without padding, extension or CSRCs; the payload type.
#define PLAIN_MASK       0xff7f0000u
#define PLAIN            0x80000000u
#define KEPT             0x80800000u // the version, the marker
#define PAYLOAD_TYPE_BIT 16

// Of a plain RTP header, as numbers.
struct header {
	uint32_t first, timestamp, ssrc;
};

// The accepted sender's next packet of the negotiated type, nothing special.
HOT bool admit_next(struct td_stream_rx *rx, const struct td_packet *packet,
		    const uint32_t arrival[2], uint64_t now_ns, struct header *header)
{
	const uint8_t *rtp = packet->payload;
	uint32_t payload_len = packet->payload_len - (uint32_t)TD_RTP_HEADER_BYTES;

	header->first = td_rtp_load32(rtp);
	header->ssrc = td_rtp_load32(rtp + 8);
	if (UNLIKELY(payload_len > TD_RTP_PAYLOAD_MAX || !(rx->flags & TD_RX_STEADY) ||
		     packet->sender != rx->key ||
		     (header->first & PLAIN_MASK) !=
			     (PLAIN | (uint32_t)rx->payload_type << PAYLOAD_TYPE_BIT) ||
		     !td_rtp_source_next(&rx->source, header->ssrc, (uint16_t)header->first)))
		return false;
	header->timestamp = td_rtp_load32(rtp + 4);
	td_rtp_source_time(&rx->source, header->timestamp, arrival[(rx->flags & TD_RX_48K) != 0]);
	rx->last_ns = now_ns;
	rx->octets += payload_len;
	rx->packets++;
	return true;
}

// The same for those who take any packet.
HOT struct td_forward forward_of(struct td_packet *packet, const struct header *header,
				 uint32_t sink)
{
	return (struct td_forward){
		.packet = packet,
		.sink = sink,
		.ssrc = header->ssrc,
		.timestamp = header->timestamp,
		.sequence = (uint16_t)header->first,
		.payload_len = (uint16_t)(packet->payload_len - TD_RTP_HEADER_BYTES),
		.kind = TD_PAYLOAD_AUDIO,
		.verdict = TD_RTP_NEXT,
		.marker = (header->first >> 23) & 1u,
	};
}

// 0 when the listener is as it was for the packet before, and so is the frame.
HOT uint32_t differs(const struct td_packet *packet, const struct td_stream_tx *tx, uint32_t ssrc)
{
	return (uint32_t)(tx->flags ^ (TD_TX_READY | TD_TX_STEADY)) | (tx->payload_type & 0x80u) |
	       (uint32_t)(~packet->flags & TD_PACKET_PLAIN) | (tx->feed ^ packet->stream) |
	       (tx->feed_ssrc ^ ssrc);
}

// Addresses, numbers and checksums become the listener's; ports and addresses lie in one word as they do
// in the frame. The layer-2 header is there already.
HOT void rewrite_next(const struct td_packet *packet, struct td_stream_tx *tx,
		      const struct header *header, uint64_t now_ns)
{
	uint8_t *udp = packet->payload - 8;
	uint32_t timestamp = header->timestamp + tx->timestamp_offset;
	uint16_t sequence = (uint16_t)(header->first + tx->sequence_offset), checksum;
	uint32_t first =
		(header->first & KEPT) | sequence | (uint32_t)tx->payload_type << PAYLOAD_TYPE_BIT;
	// Of numbers in host order: eight bits up, it is the sum of the words as they lie in memory.
	uint64_t step =
		((0xffffffffull << 1) + first + timestamp - header->first - header->timestamp) << 8;

	memcpy(&checksum, udp + 6, sizeof checksum);
	td_sender_headers4(tx, udp, (uint16_t)(packet->payload_len + 8u));
	checksum = td_checksum_add_step(checksum, step + tx->checksum_step);
	memcpy(udp + 6, &checksum, sizeof checksum);
	td_rtp_store32(udp + 8, first);
	td_rtp_store32(udp + 12, timestamp);
	td_rtp_store32(udp + 16, tx->ssrc);
	tx->packets++;
	tx->octets += packet->payload_len - (uint32_t)TD_RTP_HEADER_BYTES;
	tx->last_sequence = sequence;
	tx->last_timestamp = timestamp;
	tx->last_ns = now_ns;
}

// False: it is still as it was, for td_forward_admitted.
HOT bool send_next(const struct td_neighbours *neighbours, const struct td_packet *packet,
		   struct td_stream_tx *tx, const struct header *header, uint64_t now_ns,
		   struct td_tx *wire)
{
	uint32_t next_hop = tx->next_hop;

	if (UNLIKELY(differs(packet, tx, header->ssrc) != 0) ||
	    UNLIKELY(!td_neighbour_write_plain(neighbours, next_hop, packet->l3)))
		return false;
	rewrite_next(packet, tx, header, now_ns);
	if (packet->mbuf->ol_flags != 0)
		packet->mbuf->ol_flags = 0;
	td_tx_push(wire, td_neighbour_port(neighbours, next_hop), packet->mbuf);
	return true;
}

// What is copied for listeners besides the parties is on its way while the vector is looked at: who they
// are, and the payload behind its first line.
static __attribute__((noinline)) void expect_tapped(const struct td_media_worker *worker,
						    const struct td_packet *packets, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *payload = packets[i].payload;

		if (!(worker->streams[packets[i].stream].rx.flags & TD_RX_TAPPED))
			continue;
		rte_prefetch0(td_stream_taps_of(worker, packets[i].stream));
		rte_prefetch0(payload + TD_CACHE_LINE);
		rte_prefetch0(payload + 2 * TD_CACHE_LINE);
		rte_prefetch0(payload + packets[i].payload_len - 1);
	}
}

// What comes after admit_next, for those besides the party. Not inlined: the words above then stay in
// registers.
static __attribute__((noinline)) void tap_copy(struct td_media_worker *worker,
					       struct td_packet *packet, uint64_t now_ns)
{
	const uint8_t *rtp = packet->payload;
	const struct header header = { td_rtp_load32(rtp), td_rtp_load32(rtp + 4),
				       td_rtp_load32(rtp + 8) };
	const struct td_forward fw = forward_of(packet, &header, TD_SINK_NONE);

	td_fork_packet_in(worker, packet, now_ns);
	td_media_tap(worker, &fw, rtp + TD_RTP_HEADER_BYTES, now_ns);
}

// The same for the listener.
static __attribute__((noinline)) void send_admitted(struct td_media_worker *worker,
						    struct td_packet *packet, uint32_t sink,
						    uint64_t now_ns, struct td_tx *tx)
{
	const uint8_t *rtp = packet->payload;

	if (td_forward_guarded(worker, packet, sink, now_ns, tx)) {
		worker->stats->forwarded++;
	} else {
		const struct header header = { td_rtp_load32(rtp), td_rtp_load32(rtp + 4),
					       td_rtp_load32(rtp + 8) };
		const struct td_forward fw = forward_of(packet, &header, sink);

		td_forward_admitted(worker, &fw, now_ns, tx);
	}
}

// Packets of a vector that are for inlets wait for its end: meanwhile what they will touch is on its
// way. Whatever else may reach an inlet lets them go first.
struct waiting {
	struct td_forward packets[TD_MEDIA_VECTOR];
	struct td_inlet *inlets[TD_MEDIA_VECTOR];
	uint32_t count;
};

static __attribute__((noinline)) void put_waiting(struct td_media_worker *worker,
						  struct waiting *waiting, uint64_t now_ns)
{
	struct rte_mbuf *mbufs[TD_MEDIA_VECTOR];
	uint32_t count = waiting->count;
	enum td_stage before = td_stage_enter(&worker->stages, TD_STAGE_JITTER);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t stream = waiting->packets[i].packet->stream;

		waiting->inlets[i] = td_lets_inlet(worker->lets, worker->cold[stream].inlet);
		td_playout_expect(&waiting->inlets[i]->playout);
	}
	for (uint32_t i = 0; i < count; i++)
		td_playout_expect_room(&waiting->inlets[i]->playout);
	for (uint32_t i = 0; i < count; i++) {
		struct td_packet *packet = waiting->packets[i].packet;

		td_media_inlet_put(worker, &waiting->packets[i],
				   packet->payload + TD_RTP_HEADER_BYTES, now_ns);
		mbufs[i] = packet->mbuf;
	}
	rte_pktmbuf_free_bulk(mbufs, count);
	worker->stats->consumed += count;
	waiting->count = 0;
	td_stage_enter(&worker->stages, before);
}

// Those of a vector that are not sent on. Not in the frame of rtp_vector itself, whose own few words
// then lie close together, as near as an instruction of the short form reaches.
struct aside {
	struct waiting waiting;
	struct rte_mbuf *strangers[TD_MEDIA_VECTOR];
	uint32_t stranger_count;
};

static __attribute__((noinline)) void drop_strangers(struct td_media_worker *worker,
						     struct aside *aside)
{
	worker->stats->drops[TD_DROP_SOURCE_MISMATCH] += aside->stranger_count;
	rte_pktmbuf_free_bulk(aside->strangers, aside->stranger_count);
}

static __attribute__((noinline)) void rtp_vector(struct td_media_worker *worker,
						 struct td_packet *packets, uint32_t n,
						 uint64_t now_ns, struct aside *aside,
						 struct td_tx *tx)
{
	const uint32_t arrival[2] = { td_media_arrival(8, now_ns), td_media_arrival(48, now_ns) };
	const struct td_neighbours *neighbours = worker->neighbours;
	struct td_stream *streams = worker->streams;
	struct waiting *waiting = &aside->waiting;
	uint32_t forwarded = 0;

	waiting->count = 0;
	aside->stranger_count = 0;
	if (worker->stats->taps + worker->stats->forks > 0)
		expect_tapped(worker, packets, n);
	for (uint32_t i = 0; i < n; i++) {
		struct td_packet *packet = &packets[i];
		struct td_stream_rx *rx = &streams[packet->stream].rx;
		struct header header;

		if (UNLIKELY(!admit_next(rx, packet, arrival, now_ns, &header))) {
			if (td_media_is_stranger(worker, packet)) {
				worker->strangers[packet->stream]++;
				aside->strangers[aside->stranger_count++] = packet->mbuf;
				continue;
			}
			if (waiting->count > 0)
				put_waiting(worker, waiting, now_ns);
			td_forward_any(worker, packet, now_ns, tx);
			continue;
		}
		if (UNLIKELY(td_level_is_turn(packet)))
			td_level_keep(worker, packet->stream, packet->payload + TD_RTP_HEADER_BYTES,
				      packet->payload_len - (uint32_t)TD_RTP_HEADER_BYTES);
		if (UNLIKELY(rx->flags & TD_RX_TAPPED))
			tap_copy(worker, packet, now_ns);
		if (UNLIKELY(rx->sink == TD_SINK_INLET)) {
			waiting->packets[waiting->count++] =
				forward_of(packet, &header, TD_SINK_INLET);
			rte_prefetch0(&worker->cold[packet->stream].inlet);
			continue;
		}
		if (LIKELY(send_next(neighbours, packet, &streams[rx->sink].tx, &header, now_ns,
				     tx)))
			forwarded++;
		else
			send_admitted(worker, packet, rx->sink, now_ns, tx);
	}
	worker->stats->forwarded += forwarded;
	if (waiting->count > 0)
		put_waiting(worker, waiting, now_ns);
	if (UNLIKELY(aside->stranger_count > 0))
		drop_strangers(worker, aside);
}

void td_media_rtp(struct td_media_worker *worker, struct td_packet *packets, uint32_t n,
		  uint64_t now_ns, struct td_tx *tx)
{
	enum td_stage before = td_stage_enter(&worker->stages, TD_STAGE_FORWARD);
	struct aside aside;

	while (n > 0) {
		uint32_t step = n < TD_MEDIA_VECTOR ? n : TD_MEDIA_VECTOR, left = step;

		if (worker->protector->guarded > 0)
			left = td_protect_open(worker, packets, step, false, now_ns);
		td_stage_count(&worker->stages, TD_STAGE_FORWARD, left);
		td_level_expect(worker);
		rtp_vector(worker, packets, left, now_ns, &aside, tx);
		td_level_look(worker, now_ns);
		td_protect_flush(worker, tx);
		packets += step;
		n -= step;
	}
	td_tap_publish(worker->tap_ring);
	td_stage_enter(&worker->stages, before);
}

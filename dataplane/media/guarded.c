// GUARDED: the short way of a steady stream's next packet (steady.c) that was opened, or will be sealed.
//
// Either way its UDP checksum is made anew, here or when it is sealed, so nothing is asked about the one
// it came with. Everything else is as it is there.
#include <rte_mbuf.h>

#include "media/sender.h"
#include "media/worker_state.h"
#include "net/parse_plain.h"
#include "rtp/header.h"

// Of a header's first word: the version, the marker.
#define KEPT             0x80800000u
#define PAYLOAD_TYPE_BIT 16

// A plain RTP header, as numbers.
struct header {
	uint32_t first, timestamp, ssrc;
};

// The frame as it came, and as it goes, but for a checksum: what TD_PACKET_PLAIN says.
static inline bool is_untagged4(const struct td_packet *packet)
{
	return packet->l2_len == TD_PLAIN_L3 && packet->l3_len == TD_PLAIN_UDP - TD_PLAIN_L3 &&
	       packet->family == TD_FAMILY_IPV4 &&
	       packet->mbuf->data_len == packet->payload_len + TD_PLAIN_BYTES;
}

static inline bool is_as_always(const struct td_stream_tx *tx, const struct td_packet *packet,
				uint32_t ssrc)
{
	return (tx->flags & ~TD_TX_SEALED) == (TD_TX_READY | TD_TX_STEADY) &&
	       tx->payload_type <= 127 && tx->feed == packet->stream && tx->feed_ssrc == ssrc;
}

// What has just been written is not read back: a load wider than its stores waits until they have
// reached the cache. Numbers count as they lie in memory.
static uint16_t checksum_of(const struct td_packet *packet, const struct td_stream_tx *tx,
			    const struct header *header)
{
	uint16_t udp_len = (uint16_t)(packet->payload_len + 8u), checksum;
	uint64_t sum = (uint64_t)tx->source_be + tx->destination_be + tx->source_port_be +
		       tx->destination_port_be;

	sum += 2ull * __builtin_bswap16(udp_len) + (uint32_t)__builtin_bswap16(17);
	sum += (uint64_t)__builtin_bswap32(header->first) + __builtin_bswap32(header->timestamp) +
	       __builtin_bswap32(header->ssrc);
	sum = td_checksum_add(sum, packet->payload + TD_RTP_HEADER_BYTES,
			      packet->payload_len - TD_RTP_HEADER_BYTES);
	checksum = (uint16_t)~td_checksum_fold(sum);
	return checksum == 0 ? 0xffffu : checksum;
}

// Everything but the checksum, and the layer-2 header, which is there. Answers the header that goes out.
static inline struct header rewrite(const struct td_packet *packet, struct td_stream_tx *tx,
				    const struct header *in, uint64_t now_ns)
{
	uint8_t *rtp = packet->payload;
	uint16_t sequence = (uint16_t)(in->first + tx->sequence_offset);
	const struct header out = { .first = (in->first & KEPT) | sequence |
					     (uint32_t)tx->payload_type << PAYLOAD_TYPE_BIT,
				    .timestamp = in->timestamp + tx->timestamp_offset,
				    .ssrc = tx->ssrc };

	td_sender_headers4(tx, rtp - 8, (uint16_t)(packet->payload_len + 8u));
	td_rtp_store32(rtp, out.first);
	td_rtp_store32(rtp + 4, out.timestamp);
	td_rtp_store32(rtp + 8, out.ssrc);
	tx->packets++;
	tx->octets += packet->payload_len - (uint32_t)TD_RTP_HEADER_BYTES;
	tx->last_sequence = sequence;
	tx->last_timestamp = out.timestamp;
	tx->last_ns = now_ns;
	return out;
}

bool td_forward_guarded(struct td_media_worker *worker, const struct td_packet *packet,
			uint32_t sink, uint64_t now_ns, struct td_tx *wire)
{
	struct td_stream_tx *tx = &worker->streams[sink].tx;
	uint8_t *rtp = packet->payload;
	const struct header in = { td_rtp_load32(rtp), td_rtp_load32(rtp + 4),
				   td_rtp_load32(rtp + 8) };
	uint32_t next_hop = tx->next_hop, sealed = tx->flags & TD_TX_SEALED;
	uint16_t checksum;
	struct header out;

	if (!(sealed | (packet->flags & TD_PACKET_OPENED)) || !is_as_always(tx, packet, in.ssrc) ||
	    !is_untagged4(packet) ||
	    !td_neighbour_write_plain(worker->neighbours, next_hop, packet->l3))
		return false;
	out = rewrite(packet, tx, &in, now_ns);
	packet->mbuf->ol_flags = 0;
	if (sealed) {
		td_protect_push(worker, tx->stream, packet->mbuf, rtp - 8, false,
				td_neighbour_port(worker->neighbours, next_hop), wire);
		return true;
	}
	checksum = checksum_of(packet, tx, &out);
	memcpy(rtp - 2, &checksum, sizeof checksum);
	td_tx_push(wire, td_neighbour_port(worker->neighbours, next_hop), packet->mbuf);
	return true;
}

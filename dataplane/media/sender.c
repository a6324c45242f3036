// A stream's sending half: targets, numbering, IPv6 headers.
#include "media/sender.h"

#include "td_assert.h"

_Static_assert(TD_STREAM_MAX <= 1u << 20 && TD_NEIGHBOUR_MAX <= 1u << 12,
	       "a stream and a next hop fit their bits of td_stream_tx");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "headers are written as words");

// The sum of the IPv4 header's words that are the same in every packet.
static uint16_t ip_sum(const struct td_stream_tx *tx)
{
	uint64_t sum = (0x45u | (uint32_t)tx->tos << 8) + 0x0040u + (64u | 17u << 8);

	return td_checksum_fold(sum + tx->source_be + tx->destination_be);
}

void td_sender_set_target(struct td_stream_tx *tx, const struct td_stream_cold *cold,
			  const struct td_locals *locals, uint32_t next_hop, bool ready)
{
	const struct td_endpoint *remote = td_stream_remote(cold);
	bool ipv6 = remote->family == TD_FAMILY_IPV6;

	TD_ASSERT(next_hop == TD_NEIGHBOUR_NONE || next_hop < TD_NEIGHBOUR_MAX);
	tx->flags = (uint8_t)((tx->flags & ~(TD_TX_READY | TD_TX_IPV6 | TD_TX_STEADY)) |
			      (ipv6 ? TD_TX_IPV6 : 0u));
	tx->source_port_be = cold->local_port_be;
	tx->destination_port_be = remote->port_be;
	memcpy(&tx->source_be, locals->entries[cold->local].addr.addr, 4);
	memcpy(&tx->destination_be, remote->addr, 4);
	tx->tos = (uint8_t)(cold->dscp << 2);
	tx->ip_sum = ip_sum(tx);
	if (!ready || next_hop == TD_NEIGHBOUR_NONE || remote->port_be == 0)
		return;
	tx->next_hop = next_hop % TD_NEIGHBOUR_MAX;
	tx->flags |= TD_TX_READY;
}

static uint32_t elapsed_units(const struct td_stream_tx *tx, const struct td_stream_cold *cold,
			      uint64_t now_ns)
{
	if (tx->last_ns == 0 || now_ns < tx->last_ns)
		return 0;
	return (uint32_t)((now_ns - tx->last_ns) * cold->clock_khz / 1000000u);
}

void td_sender_resync(struct td_stream_tx *tx, struct td_stream_cold *cold, uint32_t feed,
		      uint32_t feed_ssrc, uint16_t sequence, uint32_t timestamp, uint64_t now_ns)
{
	uint32_t step = elapsed_units(tx, cold, now_ns), least = TD_FRAME_MS * cold->clock_khz;

	if (step < least)
		step = least;
	cold->floor_sequence = tx->last_sequence;
	tx->feed = feed;
	tx->feed_ssrc = feed_ssrc;
	tx->flags &= (uint8_t) ~(TD_TX_FORCED | TD_TX_STEADY);
	tx->sequence_offset = (uint16_t)(tx->last_sequence + 1u - sequence);
	tx->timestamp_offset = tx->last_timestamp + step - timestamp;
}

uint32_t td_sender_timestamp(const struct td_stream_tx *tx, const struct td_stream_cold *cold,
			     uint64_t now_ns)
{
	return tx->last_timestamp + elapsed_units(tx, cold, now_ns);
}

uint8_t *td_sender_headers6(const struct td_neighbours *neighbours, const struct td_stream_tx *tx,
			    const struct td_stream_cold *cold, uint8_t *udp, uint16_t udp_len,
			    uint64_t *sum)
{
	uint8_t *l3 = udp - 40;
	uint16_t len_be = __builtin_bswap16(udp_len);
	uint32_t ports = tx->source_port_be | (uint32_t)tx->destination_port_be << 16;
	uint32_t l2_len = td_neighbour_write_l2(neighbours, tx->next_hop, l3);

	if (l2_len == 0)
		return NULL;
	// RFC 8200 section 3: version, traffic class, flow label 0; length, UDP, hop limit 64.
	l3[0] = (uint8_t)(0x60u | tx->tos >> 4);
	l3[1] = (uint8_t)(tx->tos << 4);
	l3[2] = 0;
	l3[3] = 0;
	memcpy(l3 + 4, &len_be, 2);
	l3[6] = 17;
	l3[7] = 64;
	memcpy(l3 + 8, neighbours->locals->entries[cold->local].addr.addr, 16);
	memcpy(l3 + 24, td_stream_remote(cold)->addr, 16);
	memcpy(udp, &ports, sizeof ports);
	*sum = td_checksum_add(ports, l3 + 8, 32);
	return l3 - l2_len;
}

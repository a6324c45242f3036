// What a stream sends: numbering that never breaks, and the headers in front of it.
//
//   | Ethernet [VLAN] | IPv4 or IPv6 | UDP | RTP ...
//   ^ written backwards from the UDP header, so a received packet keeps its payload where it is
//
// Numbering: out = in + offset. td_sender_resync chooses the offsets when the feeder changes:
//   sequence number  := last + 1
//   timestamp        := last + max(time since the last audio packet, one frame)
// Worker; borrows everything.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "media/stream.h"
#include "media/stream_cold.h"
#include "net/checksum.h"
#include "net/neighbour.h"

#define TD_FRAME_MS 20u // the tick, and the least a timestamp goes on by when the feeder changes

// From td_stream_remote and the next hop to the hot words; ready when there is somewhere to send to.
void td_sender_set_target(struct td_stream_tx *tx, const struct td_stream_cold *cold,
			  const struct td_locals *locals, uint32_t next_hop, bool ready);

void td_sender_resync(struct td_stream_tx *tx, struct td_stream_cold *cold, uint32_t feed,
		      uint32_t feed_ssrc, uint16_t sequence, uint32_t timestamp, uint64_t now_ns);

// The RTP timestamp that belongs to `now_ns`, for an SR.
uint32_t td_sender_timestamp(const struct td_stream_tx *tx, const struct td_stream_cold *cold,
			     uint64_t now_ns);

uint8_t *td_sender_headers6(const struct td_neighbours *neighbours, const struct td_stream_tx *tx,
			    const struct td_stream_cold *cold, uint8_t *udp, uint16_t udp_len,
			    uint64_t *sum);

static inline bool td_sender_must_resync(const struct td_stream_tx *tx, uint32_t feed,
					 uint32_t feed_ssrc)
{
	return ((tx->feed ^ feed) | (tx->feed_ssrc ^ feed_ssrc) | (tx->flags & TD_TX_FORCED)) != 0;
}

static inline uint16_t td_sender_ip_checksum(const struct td_stream_tx *tx, uint16_t total_be)
{
	uint32_t sum = (uint32_t)tx->ip_sum + total_be; // 17 bits: one carry to take back

	return (uint16_t) ~((sum & 0xffffu) + (sum >> 16));
}

// Writes ports and the IPv4 header in front of the UDP header of `udp_len` bytes at `udp`.
static inline void td_sender_headers4(const struct td_stream_tx *tx, uint8_t *udp, uint16_t udp_len)
{
	uint8_t *l3 = udp - 20;
	uint16_t total_be = __builtin_bswap16((uint16_t)(udp_len + 20u));
	uint32_t ports = tx->source_port_be | (uint32_t)tx->destination_port_be << 16;
	uint64_t words[3];

	// Little-endian words as they lie in memory: version, length, DSCP, DF; TTL 64, UDP,
	// checksum, source; destination and the UDP header's ports.
	words[0] = 0x45u | (uint64_t)tx->tos << 8 | (uint64_t)total_be << 16 | 0x0040ull << 48;
	words[1] = 64u | 17u << 8 | (uint64_t)td_sender_ip_checksum(tx, total_be) << 16 |
		   (uint64_t)tx->source_be << 32;
	words[2] = tx->destination_be | (uint64_t)ports << 32;
	// One at a time: a compiler that gathers them for a wide copy waits for its own stores.
	memcpy(l3, &words[0], 8);
	memcpy(l3 + 8, &words[1], 8);
	memcpy(l3 + 16, &words[2], 8);
}

// Writes ports, IP and layer 2 in front of the UDP header of `udp_len` bytes at `udp`. Returns
// where the frame begins, or NULL when the next hop is unresolved and nothing was written. *sum
// gets the unfolded sum of addresses and ports, which the UDP checksum covers.
static inline uint8_t *td_sender_headers(const struct td_neighbours *neighbours,
					 const struct td_stream_tx *tx,
					 const struct td_stream_cold *cold, uint8_t *udp,
					 uint16_t udp_len, uint64_t *sum)
{
	uint8_t *l3 = udp - 20;
	uint32_t l2_len;

	if (__builtin_expect(tx->flags & TD_TX_IPV6, 0))
		return td_sender_headers6(neighbours, tx, cold, udp, udp_len, sum);
	l2_len = td_neighbour_write_l2(neighbours, tx->next_hop, l3);
	if (__builtin_expect(l2_len == 0, 0))
		return NULL;
	td_sender_headers4(tx, udp, udp_len);
	*sum = (uint64_t)tx->source_be + tx->destination_be + tx->source_port_be +
	       ((uint64_t)tx->destination_port_be << 16);
	return l3 - l2_len;
}

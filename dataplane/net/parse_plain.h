// The short way through the parser: a plain IPv4/UDP frame for us, in a few whole words.
//
//   0    6      12     14          22                30          34                     42
//   | to | from | 0800 | 45 len .. | ttl 17 sum from | to (word) | ports, length, sum    | payload
//
// True only for frames that td_parse_frame would take too, with the very same result: no VLAN, no
// IP options, no padding, nothing that the card has found wrong. Anything else is left as it is for
// td_parse_frame, which knows why. For ports without VLAN; td_parse_burst is its only user.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_mbuf.h>

#include "net/checksum.h"
#include "net/local.h"
#include "net/packet.h"
#include "net/port.h"

#define TD_PLAIN_L3    14u
#define TD_PLAIN_UDP   34u
#define TD_PLAIN_BYTES 42u // before the payload

// What the card may have said about a frame, and what it may say here; nothing is fine, too.
#define TD_PLAIN_RX_MASK                                                                           \
	(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK)
#define TD_PLAIN_RX_GOOD (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)

// Words as they lie in memory. At 0: to whom, and that the sender is no group.
#define TD_PLAIN_TO_MASK 0x0001ffffffffffffull
// At 12: IPv4, a header of 20 bytes, the length.
#define TD_PLAIN_IPV4_MASK    0x0000ffff00ffffffull
#define TD_PLAIN_IPV4         0x0000000000450008ull
#define TD_PLAIN_LENGTH_SHIFT 32
// At 20: no fragment, none to come; UDP.
#define TD_PLAIN_PROTOCOL_MASK 0xff00ff3fu
#define TD_PLAIN_PROTOCOL_UDP  0x11000000u

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fields are cut out of whole words");

// What the packets of a vector have in common.
struct td_plain_vector {
	const struct td_locals *locals;
	uint64_t mac;   // the port's own, in the lower six bytes as they lie in memory
	uint64_t shape; // td_packet.shape, of the local address before the first
	uint8_t in_port;
};

_Static_assert(TD_LOCAL_SLOT_INDEX == TD_PACKET_SHAPE_LOCAL,
	       "a local address's slot is added to shape");

static inline struct td_plain_vector td_plain_vector(const struct td_locals *locals,
						     const struct td_port *port, uint32_t in_port)
{
	const struct td_packet packet = { .l3_len = TD_PLAIN_UDP - TD_PLAIN_L3,
					  .l2_len = TD_PLAIN_L3,
					  .in_port = (uint8_t)in_port,
					  .kind = TD_PACKET_UDP,
					  .flags = TD_PACKET_PLAIN };
	struct td_plain_vector vector = { .locals = locals,
					  .shape = packet.shape - (1ull << TD_PACKET_SHAPE_LOCAL),
					  .in_port = (uint8_t)in_port };

	memcpy(&vector.mac, port->mac, sizeof port->mac);
	return vector;
}

static inline uint16_t td_plain_load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint32_t td_plain_load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline uint64_t td_plain_load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

// From a station to `mac`, untagged; UDP over IPv4, whole; both fill the frame of `len` bytes exactly;
// the header's checksum is right.
static inline bool td_plain_headers(const uint8_t *frame, uint32_t len, uint64_t mac)
{
	uint64_t total_be = __builtin_bswap16((uint16_t)(len - TD_PLAIN_L3));
	uint16_t udp_len_be = __builtin_bswap16((uint16_t)(len - TD_PLAIN_UDP));

	return ((td_plain_load64(frame) ^ mac) & TD_PLAIN_TO_MASK) == 0 &&
	       (td_plain_load64(frame + 12) & TD_PLAIN_IPV4_MASK) ==
		       (TD_PLAIN_IPV4 | total_be << TD_PLAIN_LENGTH_SHIFT) &&
	       (td_plain_load32(frame + 20) & TD_PLAIN_PROTOCOL_MASK) == TD_PLAIN_PROTOCOL_UDP &&
	       td_plain_load16(frame + TD_PLAIN_UDP + 4) == udp_len_be &&
	       td_checksum_is_right20(td_plain_load64(frame + TD_PLAIN_L3),
				      td_plain_load64(frame + TD_PLAIN_L3 + 8),
				      td_plain_load32(frame + TD_PLAIN_L3 + 16));
}

static inline bool td_parse_plain(const struct td_plain_vector *vector, struct rte_mbuf *mbuf,
				  struct td_packet *packet)
{
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	uint64_t rx = mbuf->ol_flags & TD_PLAIN_RX_MASK, local;
	uint32_t len = mbuf->data_len, source;

	if (len < TD_PLAIN_BYTES || mbuf->nb_segs != 1 || (rx != 0 && rx != TD_PLAIN_RX_GOOD) ||
	    !td_plain_headers(frame, len, vector->mac))
		return false;
	source = td_plain_load32(frame + TD_PLAIN_L3 + 12);
	local = td_locals_slot4(vector->locals, td_plain_load32(frame + TD_PLAIN_L3 + 16));
	if (local == 0 || td_locals_slot_port(local) != vector->in_port ||
	    !td_locals_source4_valid(vector->locals, source))
		return false;
	packet->mbuf = mbuf;
	packet->l3 = frame + TD_PLAIN_L3;
	packet->payload = frame + TD_PLAIN_BYTES;
	packet->sender =
		td_packet_sender(source, td_plain_load16(frame + TD_PLAIN_UDP), TD_FAMILY_IPV4);
	packet->stream = 0;
	packet->payload_len = (uint16_t)(len - TD_PLAIN_BYTES);
	packet->local_port_be = td_plain_load16(frame + TD_PLAIN_UDP + 2);
	packet->shape = vector->shape + (local & TD_LOCAL_SLOT_INDEX_MASK);
	if (__builtin_expect(td_plain_load16(frame + TD_PLAIN_UDP + 6) == 0, 0))
		packet->flags = TD_PACKET_CHECKSUM_ABSENT;
	if (rx != 0)
		packet->flags |= TD_PACKET_CHECKSUM_VERIFIED;
	return true;
}

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
#define TD_PLAIN_RX_GOOD      (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)

#define TD_PLAIN_MAC          0x0000ffffffffffffull
#define TD_PLAIN_GROUP        0x0001000000000000ull // in the word at 0: the sender is a group
#define TD_PLAIN_ETHERTYPE    0x0008u               // IPv4, as it lies in memory
#define TD_PLAIN_IPV4_MASK    0xff00000000003fffull // of the word at 14, read as on the wire
#define TD_PLAIN_IPV4         0x4500000000000000ull // 20 bytes; no fragment, none to come
#define TD_PLAIN_PROTOCOL     0xff00ull             // of the word at 22, as it lies in memory
#define TD_PLAIN_PROTOCOL_UDP 0x1100ull

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fields are cut out of whole words");

static inline uint64_t td_plain_load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

// Layer 2: from a station, to `mac`, untagged, IPv4. 0 when it is.
static inline uint64_t td_plain_ethernet(const uint8_t *frame, uint64_t mac)
{
	uint64_t first = td_plain_load64(frame);
	uint16_t ethertype_be;

	memcpy(&ethertype_be, frame + 12, sizeof ethertype_be);
	return ((first ^ mac) & TD_PLAIN_MAC) | (first & TD_PLAIN_GROUP) |
	       (ethertype_be ^ TD_PLAIN_ETHERTYPE);
}

// The IPv4 header's words, its checksum, and that it and UDP fill the frame of `len` bytes exactly.
// `udp` is the word at 34, read as on the wire. 0 when all is right.
static inline uint64_t td_plain_ipv4(uint64_t head, uint64_t middle, uint32_t destination,
				     uint64_t udp, uint32_t len)
{
	uint64_t wire = __builtin_bswap64(head);
	uint64_t sum = (head & UINT32_MAX) + (head >> 32) + (middle & UINT32_MAX) + (middle >> 32);

	return ((wire & TD_PLAIN_IPV4_MASK) ^ TD_PLAIN_IPV4) |
	       ((middle & TD_PLAIN_PROTOCOL) ^ TD_PLAIN_PROTOCOL_UDP) |
	       ((wire >> 32 & 0xffff) ^ (len - TD_PLAIN_L3)) |
	       ((udp >> 16 & 0xffff) ^ (len - TD_PLAIN_UDP)) |
	       (td_checksum_fold(sum + destination) ^ 0xffffu);
}

// `mac`: the port's own, in the lower six bytes as they lie in memory.
static inline bool td_parse_plain(const struct td_locals *locals, uint32_t in_port, uint64_t mac,
				  struct rte_mbuf *mbuf, struct td_packet *packet)
{
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	uint64_t rx = mbuf->ol_flags & TD_PLAIN_RX_MASK, middle, udp, local;
	uint32_t len = mbuf->data_len, source, destination;

	if (len < TD_PLAIN_BYTES || mbuf->nb_segs != 1 || (rx != 0 && rx != TD_PLAIN_RX_GOOD))
		return false;
	middle = td_plain_load64(frame + TD_PLAIN_L3 + 8);
	memcpy(&destination, frame + TD_PLAIN_L3 + 16, sizeof destination);
	udp = __builtin_bswap64(td_plain_load64(frame + TD_PLAIN_UDP));
	source = (uint32_t)(middle >> 32);
	local = td_locals_slot4(locals, destination);
	// One decision for all: what comes in from outside cannot make it a hard one to foresee.
	if ((td_plain_ethernet(frame, mac) |
	     td_plain_ipv4(td_plain_load64(frame + TD_PLAIN_L3), middle, destination, udp, len) |
	     (uint64_t)(local == 0) | (td_locals_slot_port(local) ^ in_port)) != 0 ||
	    !td_locals_source4_valid(locals, source))
		return false;
	packet->mbuf = mbuf;
	packet->l3 = frame + TD_PLAIN_L3;
	packet->payload = frame + TD_PLAIN_BYTES;
	packet->source_key = source;
	packet->stream = 0;
	packet->payload_len = (uint16_t)(len - TD_PLAIN_BYTES);
	packet->source_port_be = __builtin_bswap16((uint16_t)(udp >> 48));
	packet->local_port_be = __builtin_bswap16((uint16_t)(udp >> 32));
	packet->l3_len = TD_PLAIN_UDP - TD_PLAIN_L3;
	packet->l2_len = TD_PLAIN_L3;
	packet->family = TD_FAMILY_IPV4;
	packet->in_port = (uint8_t)in_port;
	packet->local = td_locals_slot_index(local);
	packet->kind = TD_PACKET_UDP;
	packet->flags = (uint8_t)((rx ? TD_PACKET_CHECKSUM_VERIFIED : 0u) |
				  (udp & 0xffff ? 0u : TD_PACKET_CHECKSUM_ABSENT));
	return true;
}

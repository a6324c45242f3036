// What the parser found out about one received frame, so that no later stage parses again.
//
//   | Ethernet [VLAN] | IPv4 or IPv6 | UDP | payload ...
//   ^ l2              ^ l3           ^ l4  ^ payload
//
// A vector of these travels through the stages of one worker; `mbuf` owns the bytes, and whoever
// holds the td_packet holds the mbuf: each stage hands it on, sends it, or frees it under exactly
// one drop counter. Frames are always one segment; every length here has been checked against it,
// and trailing Ethernet padding has been trimmed from the mbuf.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <rte_mbuf.h>

#include "td_endpoint.h"

enum td_packet_kind {
	TD_PACKET_UDP,
	TD_PACKET_ARP,
	TD_PACKET_ICMP,
	TD_PACKET_ICMPV6,
};

#define TD_PACKET_CHECKSUM_ABSENT   0x01u // UDP over IPv4 with checksum 0: there is none to check
#define TD_PACKET_CHECKSUM_VERIFIED 0x02u // the NIC says that the layer-4 checksum is right
#define TD_PACKET_OPENED            0x04u // was SRTP: its checksum field is 0 and waits for a new one
// The frame as it came is what most are: 14 bytes of Ethernet, 20 of IPv4, UDP with a checksum.
#define TD_PACKET_PLAIN 0x08u
#define TD_PACKET_LOOK  0x10u // its turn has come to be looked into, if it is RTP

// How many packets lie between asking for a cache line and needing it: about as much work as a miss
// takes, and no more misses at once than a core can have under way.
#define TD_PACKET_AHEAD 24

// Into the payload of one RTP packet in so many somebody will look (media/level.h): at another turn
// for each stream, by its sequence number. A power of two of 256 at most.
#define TD_PACKET_LOOK_EVERY 16u

static inline uint16_t td_packet_load16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

// Written and read as whole words where it can be: who waits for a word that has been stored in pieces
// waits until they have all reached the cache.
struct td_packet {
	struct rte_mbuf *mbuf;
	uint8_t *l3;      // IPv4 or IPv6 header
	uint8_t *payload; // after the UDP (or ICMP-carrying IP) header
	// Who sent it, in one word: td_packet_sender().
	union {
		uint64_t sender;
		struct {
			uint8_t family; // enum td_family
			uint8_t nothing;
			uint16_t source_port_be;
			// The source address squeezed into 32 bits: all of an IPv4 address as it
			// lies in memory; the four words of an IPv6 address xored. Equal addresses
			// have equal keys, so it is a first compare that needs no other cache line;
			// for IPv4 it is the only one needed.
			uint32_t source_key;
		};
	};
	uint32_t stream; // index: who listens at this port
	uint16_t payload_len;
	uint16_t local_port_be;
	union {
		uint64_t shape; // all of it in one word
		struct {
			uint16_t l3_len; // with options or extension headers
			uint8_t l2_len;  // 14, or 18 with a VLAN tag
			uint8_t in_port; // dataplane port index, not DPDK's
			uint8_t local;   // index of the local address it was sent to (net/local.h)
			uint8_t kind;    // enum td_packet_kind
			uint8_t flags;   // TD_PACKET_*
			uint8_t owner;   // whose it is and whether it is RTCP: td_demux_owner()
		};
	};
};

// The packet's stream is known: whether it is its turn. Reads four bytes of whatever payload there is.
static inline bool td_packet_is_looked_into(const struct td_packet *packet)
{
	return (packet->payload[3] + packet->stream) % TD_PACKET_LOOK_EVERY == 0;
}

#define TD_PACKET_SHAPE_LOCAL 32 // where the local address lies in it

_Static_assert(sizeof(struct td_packet) == 48, "a vector of 32 stays within 1.5 KiB");

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ &&
		       offsetof(struct td_packet, sender) % 8 == 0,
	       "td_packet_sender puts the fields where they lie");

// td_packet.sender of these: equal words are equal senders, but for IPv6 addresses of equal keys.
// Never 0, as no packet has family 0.
static inline uint64_t td_packet_sender(uint32_t source_key, uint16_t port_be, uint8_t family)
{
	return (uint64_t)source_key << 32 | (uint64_t)port_be << 16 | family;
}

#define TD_IPV4_SOURCE_OFFSET 12
#define TD_IPV6_SOURCE_OFFSET 8

static inline uint32_t td_packet_key6(const uint8_t addr[16])
{
	uint32_t w[4];

	memcpy(w, addr, sizeof w);
	return w[0] ^ w[1] ^ w[2] ^ w[3];
}

// The key td_packet.source_key would have for a packet from this address.
static inline uint32_t td_packet_key(const struct td_endpoint *ep)
{
	uint32_t key;

	if (ep->family == TD_FAMILY_IPV6)
		return td_packet_key6(ep->addr);
	memcpy(&key, ep->addr, sizeof key);
	return key;
}

static inline uint8_t *td_packet_udp(const struct td_packet *packet)
{
	return packet->l3 + packet->l3_len;
}

// Writes out where the packet came from, address and port.
static inline void td_packet_source(const struct td_packet *packet, struct td_endpoint *out)
{
	memset(out, 0, sizeof *out);
	if (packet->family == TD_FAMILY_IPV6)
		memcpy(out->addr, packet->l3 + TD_IPV6_SOURCE_OFFSET, 16);
	else
		memcpy(out->addr, packet->l3 + TD_IPV4_SOURCE_OFFSET, 4);
	out->port_be = packet->source_port_be;
	out->family = packet->family;
}

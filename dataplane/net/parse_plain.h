// The short way through the parser: a plain IPv4/UDP frame for us, in a few whole words.
//
//   0        6        12    14                         34                42
//   | to     | from   | 0800| 45 tos len id frag ttl 17 | ports len sum  | payload ...
//   |---- word ----|        |---- word ---|---- word ---|-w-|--- word ---|
//            |---- word ----|                           (of the header)
//
// True only for frames that td_parse_frame would take too, with the very same result: no VLAN, no
// IP options, no padding, nothing that the card has found wrong. Anything else is left untouched
// for td_parse_frame, which knows why. Inlined into td_parse_burst; parse.c is its only user.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_mbuf.h>

#include "net/checksum.h"
#include "net/local.h"
#include "net/packet.h"
#include "net/port.h"

#define TD_PLAIN_L3         14u
#define TD_PLAIN_UDP        34u
#define TD_PLAIN_PAYLOAD    42u

// What the card says about checksums and tags, and the two things it may say here.
#define TD_PLAIN_RX_MASK                                                                           \
	(RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK)
#define TD_PLAIN_RX_GOOD    (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)

#define TD_PLAIN_MAC_MASK   0x0000ffffffffffffull
#define TD_PLAIN_GROUP      0x0100000000000000ull // of the word at 0: the sender is a group
// Of the word at 14: version 4 with 20 bytes of header, no fragment.
#define TD_PLAIN_IPV4_MASK  0xff3f0000000000ffull
#define TD_PLAIN_IPV4       0x0000000000000045ull

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fields are cut out of whole words");

static inline uint64_t td_plain_load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

// The port's own address in the lower six bytes.
static inline uint64_t td_plain_mac(const struct td_port *port)
{
	uint64_t mac = 0;

	memcpy(&mac, port->mac, sizeof port->mac);
	return mac;
}

// Layer 2: from a station to us, untagged, IPv4.
static inline bool td_plain_ethernet(const uint8_t *frame, uint64_t mac)
{
	uint64_t first = td_plain_load64(frame);
	uint16_t ethertype_be;

	memcpy(&ethertype_be, frame + 12, sizeof ethertype_be);
	return (((first & TD_PLAIN_MAC_MASK) ^ mac) | (first & (1ull << 48)) |
		(uint64_t)(ethertype_be ^ 0x0008u)) == 0;
}

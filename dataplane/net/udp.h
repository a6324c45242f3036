// Puts UDP, IP and Ethernet headers before a payload: for packets of our own (players, RTCP).
//
// The mbuf holds just the payload and has TD_UDP_ROOM bytes of headroom (a fresh one has). IPv4 goes
// out with DF and identification 0 (RFC 6864 atomic datagrams), TTL and hop limit 64.
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>

#include "net/neighbour.h"
#include "net/packet.h"
#include "td_endpoint.h"
#include "td_error.h"

#define TD_UDP_ROOM (TD_L2_MAX + 40 + 8)

struct td_udp_flow {
	struct td_endpoint source, destination; // same family
	uint32_t next_hop;
	uint8_t dscp;
};

// 0: the mbuf is a frame for td_neighbour_port(flow->next_hop). -TD_ENOT_FOUND: next hop not
// resolved, the mbuf is as it was and still the caller's.
TD_MUST_CHECK int td_udp_encapsulate(const struct td_neighbours *neighbours,
				     const struct td_udp_flow *flow, struct rte_mbuf *mbuf);

// Verifies the UDP checksum of a parsed packet (one we consume; forwarded ones keep theirs end to
// end). True when right, absent over IPv4, or already verified by the NIC.
bool td_udp_checksum_ok(const struct td_packet *packet);

// From frames to td_packets: Ethernet, VLAN, ARP, IPv4, IPv6, UDP, ICMP, all of it validated.
//
//   rx vector --> td_parse_burst --> UDP vector    (media), each with its port's entry
//                                \-> other vector  (ARP, ICMP, ICMPv6: net/answer.h)
//                                 \-> freed, one named drop counter each
//
// A vector at a time with the next frames' bytes already on their way into the cache. Bounds: a
// vector is at most TD_PARSE_VECTOR frames; IPv6 extension headers are walked at most
// TD_EXTENSION_MAX deep. Fragments are refused: telephony never needs them.
#pragma once

#include <stdint.h>

#include "net/demux.h"
#include "net/local.h"
#include "net/packet.h"
#include "net/port.h"
#include "td_limits.h"
#include "td_stats.h"

#define TD_PARSE_VECTOR  64
#define TD_EXTENSION_MAX 4

// Immutable while workers run.
struct td_parse_env {
	const struct td_locals *locals;
	const struct td_port *ports;  // by dataplane port index
	const struct td_demux *demux; // NULL: who listens is not looked up
	// What is needed first of the stream a packet is for: element [index] of an array.
	const uint8_t *streams;
	uint32_t stream_bytes;
	bool looked_into; // the payloads that td_packet_is_looked_into
};

#define TD_PARSE_RTP_BYTES 12u // of a plain RTP header

// Somebody will look into the packet, at the line of samples behind the one with the headers. A branch
// that is guessed wrong each time that it is taken, and still cheaper than asking for something of every
// packet; and nobody has to find out again.
static inline void td_parse_expect_look(struct td_packet *packet)
{
	packet->flags |= TD_PACKET_LOOK;
	rte_prefetch0(packet->payload + TD_PARSE_RTP_BYTES + TD_CACHE_LINE - 1u);
}

// Looks up who listens, some time after td_parse_expect: packet->stream and packet->owner become what
// the port's entry says (net/demux.h), and what that stream needs first is on its way into the cache.
static inline void td_parse_lookup(const struct td_parse_env *env, struct td_packet *packet)
{
	uint32_t entry = td_demux_lookup(env->demux, packet->local,
					 __builtin_bswap16(packet->local_port_be));
	uint32_t index = td_demux_stream(entry);
	const uint8_t *stream = env->streams + (size_t)index * env->stream_bytes;

	packet->stream = index;
	packet->owner = td_demux_owner(entry);
	rte_prefetch0(stream);
	rte_prefetch0(stream + TD_CACHE_LINE); // of the one that listens (media/placement.c)
	if (env->looked_into && __builtin_expect(td_packet_is_looked_into(packet), 0))
		td_parse_expect_look(packet);
}

static inline void td_parse_expect(const struct td_parse_env *env, const struct td_packet *packet)
{
	td_demux_prefetch(env->demux, packet->local, __builtin_bswap16(packet->local_port_be));
}

// Takes `count` frames that came in on `in_port`. Good ones come out in `udp` and `other` (room for
// TD_PARSE_VECTOR each), the UDP ones looked up; the rest are freed and counted in stats->drops. All
// are counted as received. Returns the UDP count.
uint32_t td_parse_burst(const struct td_parse_env *env, uint32_t in_port, struct rte_mbuf **mbufs,
			uint32_t count, struct td_packet *udp, struct td_packet *other,
			uint32_t *other_count, struct td_worker_stats *stats);

// One frame: 0 and *packet, or the drop counter it belongs under as 1 + enum td_drop. Frees
// nothing. td_parse_burst is a loop over this, with a short way for the plain case.
int td_parse_frame(const struct td_parse_env *env, uint32_t in_port, struct rte_mbuf *mbuf,
		   struct td_packet *packet);

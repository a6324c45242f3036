#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "net/checksum.h"
#include "net/parse.h"
#include "net/parse_plain.h"
#include "td_assert.h"

#define DROP(name)           (1 + (int)TD_DROP_##name)

#define IPV4_HEADER_MIN      20u
#define IPV6_HEADER_BYTES    40u
#define UDP_HEADER_BYTES     8u

#define PROTOCOL_ICMP        1
#define PROTOCOL_UDP         17
#define PROTOCOL_ICMPV6      58
#define EXTENSION_HOP_BY_HOP 0
#define EXTENSION_ROUTING    43
#define EXTENSION_FRAGMENT   44
#define EXTENSION_OPTIONS    60

// A stream's lines mostly lie on a page whose address is not at hand either, and who asks for a line
// waits for that. Of packets looked up one behind the other these waits are the same; parsing one in
// between, a core does not see that far.
#define LOOKUP_GROUP 8

static inline uint16_t load16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline void trim(struct rte_mbuf *mbuf, const uint8_t *end)
{
	uint16_t len = (uint16_t)(end - rte_pktmbuf_mtod(mbuf, const uint8_t *));

	mbuf->data_len = len;
	mbuf->pkt_len = len;
}

static int parse_udp(struct td_packet *packet, uint8_t *l4, uint32_t len)
{
	uint64_t rx = packet->mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
	uint16_t udp_len;

	if (len < UDP_HEADER_BYTES)
		return DROP(UDP_LENGTH);
	udp_len = load16(l4 + 4);
	if (udp_len < UDP_HEADER_BYTES || udp_len > len)
		return DROP(UDP_LENGTH);
	if (rx == RTE_MBUF_F_RX_L4_CKSUM_BAD)
		return DROP(UDP_CHECKSUM);
	if (rx == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		packet->flags |= TD_PACKET_CHECKSUM_VERIFIED;
	if (load16(l4 + 6) == 0) {
		// RFC 8200 section 8.1: over IPv6 the checksum is not optional.
		if (packet->family == TD_FAMILY_IPV6)
			return DROP(UDP_CHECKSUM);
		packet->flags |= TD_PACKET_CHECKSUM_ABSENT;
	} else if (packet->l2_len + packet->l3_len == TD_PLAIN_UDP &&
		   packet->family == TD_FAMILY_IPV4) {
		packet->flags |= TD_PACKET_PLAIN;
	}
	memcpy(&packet->source_port_be, l4, 2);
	memcpy(&packet->local_port_be, l4 + 2, 2);
	packet->payload = l4 + UDP_HEADER_BYTES;
	packet->payload_len = (uint16_t)(udp_len - UDP_HEADER_BYTES);
	packet->kind = TD_PACKET_UDP;
	trim(packet->mbuf, l4 + udp_len);
	return 0;
}

static int parse_icmp(struct td_packet *packet, uint8_t *l4, uint32_t len, enum td_packet_kind kind)
{
	packet->payload = l4;
	packet->payload_len = (uint16_t)len;
	packet->kind = (uint8_t)kind;
	trim(packet->mbuf, l4 + len);
	return 0;
}

static int check_ipv4(const uint8_t *ip, uint32_t len, uint64_t ol_flags, uint32_t *header_len,
		      uint32_t *total_len)
{
	uint64_t rx = ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

	if (len < IPV4_HEADER_MIN)
		return DROP(IPV4_LENGTH);
	*header_len = (ip[0] & 0x0fu) * 4u;
	if (ip[0] >> 4 != 4 || *header_len < IPV4_HEADER_MIN)
		return DROP(IPV4_HEADER);
	*total_len = load16(ip + 2);
	if (*total_len < *header_len || *total_len > len)
		return DROP(IPV4_LENGTH);
	if (rx == RTE_MBUF_F_RX_IP_CKSUM_BAD ||
	    (rx != RTE_MBUF_F_RX_IP_CKSUM_GOOD &&
	     td_checksum_fold(td_checksum_add(0, ip, *header_len)) != 0xffff))
		return DROP(IPV4_CHECKSUM);
	// More fragments, or an offset.
	if (load16(ip + 6) & 0x3fff)
		return DROP(IP_FRAGMENT);
	return 0;
}

static int parse_ipv4(const struct td_parse_env *env, struct td_packet *packet, uint32_t len)
{
	uint8_t *ip = packet->l3;
	uint32_t header_len, total_len, destination;
	int drop = check_ipv4(ip, len, packet->mbuf->ol_flags, &header_len, &total_len);

	if (drop)
		return drop;
	memcpy(&packet->source_key, ip + TD_IPV4_SOURCE_OFFSET, 4);
	memcpy(&destination, ip + 16, 4);
	packet->local = td_locals_find4(env->locals, destination);
	if (packet->local == TD_LOCAL_NONE ||
	    env->locals->entries[packet->local].port != packet->in_port)
		return DROP(IP_NOT_OURS);
	if (!td_locals_source4_valid(env->locals, packet->source_key))
		return DROP(IP_SOURCE);
	packet->family = TD_FAMILY_IPV4;
	packet->l3_len = (uint16_t)header_len;
	switch (ip[9]) {
	case PROTOCOL_UDP: return parse_udp(packet, ip + header_len, total_len - header_len);
	case PROTOCOL_ICMP:
		return parse_icmp(packet, ip + header_len, total_len - header_len, TD_PACKET_ICMP);
	default: return DROP(IP_PROTOCOL);
	}
}

// Options we do not know are fine when they say "skip over me" (RFC 8200 section 4.2).
static bool options_skippable(const uint8_t *options, uint32_t len)
{
	uint32_t i = 0;

	while (i < len) {
		if (options[i] == 0) { // Pad1
			i++;
			continue;
		}
		if (i + 2 > len || (options[i] & 0xc0) != 0)
			return false;
		i += 2u + options[i + 1];
	}
	return i == len;
}

// Walks to the upper-layer header: *offset is where it starts, *protocol what it is.
static int walk_extensions(const uint8_t *ip, uint32_t len, uint32_t *offset, uint8_t *protocol)
{
	*offset = IPV6_HEADER_BYTES;
	*protocol = ip[6];
	for (uint32_t depth = 0;; depth++) {
		const uint8_t *extension = ip + *offset;
		uint8_t kind = *protocol;
		uint32_t bytes;

		if (kind == EXTENSION_FRAGMENT)
			return DROP(IP_FRAGMENT);
		if (kind != EXTENSION_HOP_BY_HOP && kind != EXTENSION_OPTIONS &&
		    kind != EXTENSION_ROUTING)
			return 0;
		// Hop-by-hop options come first or not at all.
		if (depth == TD_EXTENSION_MAX || (kind == EXTENSION_HOP_BY_HOP && depth > 0))
			return DROP(IPV6_EXTENSION);
		if (*offset + 8 > len)
			return DROP(IPV6_EXTENSION);
		bytes = (extension[1] + 1u) * 8u;
		if (*offset + bytes > len)
			return DROP(IPV6_EXTENSION);
		// A routing header that still routes is not for a host; RFC 5095.
		if (kind == EXTENSION_ROUTING ? extension[3] != 0
					      : !options_skippable(extension + 2, bytes - 2))
			return DROP(IPV6_EXTENSION);
		*protocol = extension[0];
		*offset += bytes;
	}
}

static bool is_unspecified6(const uint8_t *addr)
{
	static const uint8_t zero[16];

	return memcmp(addr, zero, 16) == 0;
}

static bool source6_valid(const struct td_locals *locals, const uint8_t *addr)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	static const uint8_t zero[15];

	if (addr[0] == 0xff || memcmp(addr, mapped, 12) == 0)
		return false;
	if (addr[15] == 1 && memcmp(addr, zero, 15) == 0)
		return false;
	return td_locals_find6(locals, addr) == TD_LOCAL_NONE;
}

// The local address a multicast solicitation is meant for; ff02::1 is for any of this port.
static uint8_t find_multicast6(const struct td_locals *locals, uint8_t port, const uint8_t *dst)
{
	static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
	static const uint8_t solicited[13] = { 0xff, 0x02, [11] = 1, [12] = 0xff };

	for (uint32_t i = 0; i < locals->count; i++) {
		const struct td_local *local = &locals->entries[i];

		if (local->addr.family != TD_FAMILY_IPV6 || local->port != port)
			continue;
		if (memcmp(dst, all_nodes, 16) == 0 ||
		    (memcmp(dst, solicited, 13) == 0 &&
		     memcmp(dst + 13, local->addr.addr + 13, 3) == 0))
			return (uint8_t)i;
	}
	return TD_LOCAL_NONE;
}

static int parse_ipv6(const struct td_parse_env *env, struct td_packet *packet, uint32_t len)
{
	uint8_t *ip = packet->l3;
	const uint8_t *source = ip + TD_IPV6_SOURCE_OFFSET, *destination = ip + 24;
	uint32_t total, offset;
	uint8_t protocol;
	int drop;

	if (len < IPV6_HEADER_BYTES || ip[0] >> 4 != 6)
		return DROP(IPV6_HEADER);
	total = IPV6_HEADER_BYTES + load16(ip + 4);
	if (total > len)
		return DROP(IPV6_HEADER);
	packet->local = destination[0] == 0xff
				? find_multicast6(env->locals, packet->in_port, destination)
				: td_locals_find6(env->locals, destination);
	if (packet->local == TD_LOCAL_NONE ||
	    env->locals->entries[packet->local].port != packet->in_port)
		return DROP(IP_NOT_OURS);
	if (!source6_valid(env->locals, source))
		return DROP(IP_SOURCE);
	// A unicast datagram in a link multicast is not for us; the opposite is (RFC 6085).
	if (destination[0] != 0xff && (ip[-(int)packet->l2_len] & 1u))
		return DROP(MAC_NOT_OURS);
	drop = walk_extensions(ip, total, &offset, &protocol);
	if (drop)
		return drop;
	packet->source_key = td_packet_key6(source);
	packet->family = TD_FAMILY_IPV6;
	packet->l3_len = (uint16_t)offset;
	if (protocol == PROTOCOL_ICMPV6)
		return parse_icmp(packet, ip + offset, total - offset, TD_PACKET_ICMPV6);
	// Only address resolution comes from nowhere, only ICMPv6 goes to groups.
	if (is_unspecified6(source))
		return DROP(IP_SOURCE);
	if (destination[0] == 0xff)
		return DROP(IP_NOT_OURS);
	if (protocol == PROTOCOL_UDP)
		return parse_udp(packet, ip + offset, total - offset);
	return DROP(IP_PROTOCOL);
}

// The VLAN a frame belongs to must be the port's; a priority tag (VID 0) is no VLAN.
static int parse_vlan(const struct td_port *port, struct rte_mbuf *mbuf, const uint8_t *frame,
		      uint32_t len, uint32_t *l2_len, uint16_t *ethertype)
{
	uint16_t vid = 0;

	*l2_len = RTE_ETHER_HDR_LEN;
	*ethertype = load16(frame + 12);
	if (mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
		vid = mbuf->vlan_tci & 0x0fff;
	if (*ethertype == RTE_ETHER_TYPE_VLAN) {
		*l2_len += 4;
		if (len < *l2_len)
			return DROP(FRAME_SHORT);
		vid = load16(frame + 14) & 0x0fff;
		*ethertype = load16(frame + 16);
	}
	return vid == port->vlan ? 0 : DROP(VLAN_UNKNOWN);
}

static inline bool mac_is(const uint8_t *mac, const uint8_t *own)
{
	return memcmp(mac, own, 6) == 0;
}

static int parse_arp(struct td_packet *packet, uint32_t len)
{
	packet->kind = TD_PACKET_ARP;
	packet->payload = packet->l3;
	packet->payload_len = (uint16_t)len;
	return 0;
}

int td_parse_frame(const struct td_parse_env *env, uint32_t in_port, struct rte_mbuf *mbuf,
		   struct td_packet *packet)
{
	const struct td_port *port = &env->ports[in_port];
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	uint32_t len = mbuf->data_len, l2_len;
	uint16_t ethertype;
	bool unicast;
	int drop;

	if (mbuf->nb_segs != 1)
		return DROP(FRAME_MULTISEGMENT);
	if (len < RTE_ETHER_HDR_LEN)
		return DROP(FRAME_SHORT);
	unicast = mac_is(frame, port->mac);
	if (!unicast && !(frame[0] & 1u))
		return DROP(MAC_NOT_OURS);
	if (frame[6] & 1u)
		return DROP(MAC_SOURCE);
	drop = parse_vlan(port, mbuf, frame, len, &l2_len, &ethertype);
	if (drop)
		return drop;
	*packet = (struct td_packet){
		.mbuf = mbuf,
		.l3 = frame + l2_len,
		.l2_len = (uint8_t)l2_len,
		.in_port = (uint8_t)in_port,
	};
	switch (ethertype) {
	case RTE_ETHER_TYPE_IPV4:
		// RFC 1122 3.3.6: a unicast datagram in a link broadcast is not for us.
		return unicast ? parse_ipv4(env, packet, len - l2_len) : DROP(MAC_NOT_OURS);
	case RTE_ETHER_TYPE_IPV6:
		// Groups we are not a member of are the parser's IP_NOT_OURS.
		return parse_ipv6(env, packet, len - l2_len);
	case RTE_ETHER_TYPE_ARP: return parse_arp(packet, len - l2_len);
	default: return DROP(ETHERTYPE);
	}
}

// Returns how many bytes they have.
static inline uint64_t prefetch_frames(struct rte_mbuf **mbufs, uint32_t count)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < count; i++)
		rte_prefetch0(mbufs[i]);
	for (uint32_t i = 0; i < count; i++) {
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], const void *));
		bytes += mbufs[i]->pkt_len;
	}
	return bytes;
}

// The long way for one of a vector. True: it is UDP, and in *packet; else it is in `other`, or gone.
static __attribute__((noinline)) bool parse_any(const struct td_parse_env *env, uint32_t in_port,
						struct rte_mbuf *mbuf, struct td_packet *packet,
						struct td_packet *other, uint32_t *other_count,
						struct td_worker_stats *stats)
{
	int drop = td_parse_frame(env, in_port, mbuf, packet);

	if (drop != 0) {
		stats->drops[drop - 1]++;
		rte_pktmbuf_free(mbuf);
		return false;
	}
	if (packet->kind == TD_PACKET_UDP)
		return true;
	other[(*other_count)++] = *packet;
	return false;
}

// Returns `end`.
static inline struct td_packet *look_up(const struct td_parse_env *env, struct td_packet *packet,
					struct td_packet *end)
{
	for (; packet < end; packet++)
		td_parse_lookup(env, packet);
	return end;
}

uint32_t td_parse_burst(const struct td_parse_env *env, uint32_t in_port, struct rte_mbuf **mbufs,
			uint32_t count, struct td_packet *udp, struct td_packet *other,
			uint32_t *other_count, struct td_worker_stats *stats)
{
	const struct td_port *port = &env->ports[in_port];
	const struct td_plain_vector vector = td_plain_vector(env->locals, port, in_port);
	bool untagged = port->vlan == 0, lookup = env->demux != NULL;
	struct td_packet *packet = udp, *first = udp; // of those that have not been looked up

	TD_ASSERT(count <= TD_PARSE_VECTOR);
	*other_count = 0;
	stats->rx_packets += count;
	stats->rx_bytes += prefetch_frames(mbufs, count);
	for (uint32_t i = 0; i < count; i++) {
		if (__builtin_expect(!untagged || !td_parse_plain(&vector, mbufs[i], packet), 0) &&
		    !parse_any(env, in_port, mbufs[i], packet, other, other_count, stats))
			continue;
		if (lookup)
			td_parse_expect(env, packet);
		packet++;
		if (lookup && packet - first == TD_PACKET_AHEAD + LOOKUP_GROUP)
			first = look_up(env, first, first + LOOKUP_GROUP);
	}
	if (lookup)
		look_up(env, first, packet);
	return (uint32_t)(packet - udp);
}

#include "net/udp.h"
#include "net/checksum.h"

#define IPV4_BYTES   20u
#define IPV6_BYTES   40u
#define UDP_BYTES    8u
#define PROTOCOL_UDP 17

static inline void store16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void write_ipv4(uint8_t *ip, const struct td_udp_flow *flow, uint32_t udp_len)
{
	uint16_t checksum;

	memset(ip, 0, IPV4_BYTES);
	ip[0] = 0x45;
	ip[1] = (uint8_t)(flow->dscp << 2);
	store16(ip + 2, IPV4_BYTES + udp_len);
	ip[6] = 0x40; // do not fragment
	ip[8] = 64;
	ip[9] = PROTOCOL_UDP;
	memcpy(ip + 12, flow->source.addr, 4);
	memcpy(ip + 16, flow->destination.addr, 4);
	checksum = (uint16_t)~td_checksum_fold(td_checksum_add(0, ip, IPV4_BYTES));
	memcpy(ip + 10, &checksum, 2);
}

static void write_ipv6(uint8_t *ip, const struct td_udp_flow *flow, uint32_t udp_len)
{
	memset(ip, 0, 8);
	ip[0] = (uint8_t)(0x60 | flow->dscp >> 2);
	ip[1] = (uint8_t)(flow->dscp << 6);
	store16(ip + 4, udp_len);
	ip[6] = PROTOCOL_UDP;
	ip[7] = 64;
	memcpy(ip + 8, flow->source.addr, 16);
	memcpy(ip + 24, flow->destination.addr, 16);
}

// The unfolded sum over pseudo-header and datagram (RFC 768, RFC 8200 section 8.1).
static uint64_t udp_sum(const uint8_t *addresses, uint32_t addresses_bytes, const uint8_t *udp,
			uint32_t udp_len)
{
	uint8_t tail[4] = { 0, PROTOCOL_UDP, (uint8_t)(udp_len >> 8), (uint8_t)udp_len };
	uint64_t sum = td_checksum_add(0, addresses, addresses_bytes);

	sum = td_checksum_add(sum, tail, sizeof tail);
	return td_checksum_add(sum, udp, udp_len);
}

int td_udp_encapsulate(const struct td_neighbours *neighbours, const struct td_udp_flow *flow,
		       struct rte_mbuf *mbuf)
{
	bool v6 = flow->destination.family == TD_FAMILY_IPV6;
	uint32_t ip_bytes = v6 ? IPV6_BYTES : IPV4_BYTES;
	uint32_t udp_len = UDP_BYTES + mbuf->data_len, l2_len;
	uint8_t *udp = rte_pktmbuf_mtod(mbuf, uint8_t *) - UDP_BYTES, *ip = udp - ip_bytes;
	uint16_t checksum;

	l2_len = td_neighbour_write_l2(neighbours, flow->next_hop, ip);
	if (l2_len == 0)
		return -TD_ENOT_FOUND;
	if (v6)
		write_ipv6(ip, flow, udp_len);
	else
		write_ipv4(ip, flow, udp_len);
	memcpy(udp, &flow->source.port_be, 2);
	memcpy(udp + 2, &flow->destination.port_be, 2);
	store16(udp + 4, udp_len);
	memset(udp + 6, 0, 2);
	checksum = (uint16_t)~td_checksum_fold(
		udp_sum(v6 ? ip + 8 : ip + 12, v6 ? 32 : 8, udp, udp_len));
	if (checksum == 0)
		checksum = 0xffff;
	memcpy(udp + 6, &checksum, 2);
	rte_pktmbuf_prepend(mbuf, (uint16_t)(l2_len + ip_bytes + UDP_BYTES));
	return 0;
}

bool td_udp_checksum_ok(const struct td_packet *packet)
{
	bool v6 = packet->family == TD_FAMILY_IPV6;
	const uint8_t *addresses =
		packet->l3 + (v6 ? TD_IPV6_SOURCE_OFFSET : TD_IPV4_SOURCE_OFFSET);

	if (packet->flags & (TD_PACKET_CHECKSUM_ABSENT | TD_PACKET_CHECKSUM_VERIFIED))
		return true;
	return td_checksum_fold(udp_sum(addresses, v6 ? 32 : 8, td_packet_udp(packet),
					UDP_BYTES + packet->payload_len)) == 0xffff;
}

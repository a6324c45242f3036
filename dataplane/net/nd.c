#include "net/nd.h"
#include "net/checksum.h"
#include "net/ethernet.h"

#define SOLICIT            135
#define ADVERTISE          136
#define MESSAGE_BYTES      24u // type, code, checksum, flags, target
#define OPTION_SOURCE_LINK 1
#define OPTION_TARGET_LINK 2
#define WITH_OPTION_BYTES  32u
#define IPV6_HEADER_BYTES  40u
#define FLAG_SOLICITED     0x40
#define FLAG_OVERRIDE      0x20
#define PROTOCOL_ICMP6     58

static const uint8_t unspecified[16];
static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };

static bool mac_usable(const uint8_t *mac)
{
	static const uint8_t zero[6];

	return !(mac[0] & 1u) && memcmp(mac, zero, 6) != 0;
}

// RFC 4861 section 7.1: false when any option is malformed. *mac is the link address in the first
// option of `kind`, or NULL.
static bool walk_options(const uint8_t *message, uint32_t len, uint8_t kind, const uint8_t **mac)
{
	uint32_t i = MESSAGE_BYTES;

	*mac = NULL;
	while (i < len) {
		uint32_t bytes;

		if (i + 2 > len || message[i + 1] == 0)
			return false;
		bytes = message[i + 1] * 8u;
		if (i + bytes > len)
			return false;
		if (message[i] == kind && bytes == 8 && !*mac)
			*mac = message + i + 2;
		i += bytes;
	}
	return !*mac || mac_usable(*mac);
}

static void endpoint6(struct td_endpoint *out, const uint8_t *ip)
{
	*out = (struct td_endpoint){ .family = TD_FAMILY_IPV6 };
	memcpy(out->addr, ip, 16);
}

static void multicast_mac(uint8_t mac[6], const uint8_t *group)
{
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, group + 12, 4);
}

// Writes IPv6 and ICMPv6 headers at `ip`, checksum and all; the message's target and option are in
// place already.
static void finish(uint8_t *ip, const uint8_t *source, const uint8_t *destination, uint8_t type,
		   uint8_t flags)
{
	static const uint8_t fixed[8] = {
		0x60, 0, 0, 0, 0, WITH_OPTION_BYTES, PROTOCOL_ICMP6, 255
	};
	static const uint8_t tail[8] = { [3] = WITH_OPTION_BYTES, [7] = PROTOCOL_ICMP6 };
	uint8_t *icmp = ip + IPV6_HEADER_BYTES;
	uint64_t sum;
	uint16_t checksum;

	memcpy(ip, fixed, sizeof fixed);
	memmove(ip + 24, destination, 16);
	memcpy(ip + 8, source, 16);
	memset(icmp, 0, 8);
	icmp[0] = type;
	icmp[4] = flags;
	sum = td_checksum_add(0, ip + 8, 32);
	sum = td_checksum_add(sum, tail, sizeof tail);
	checksum = (uint16_t)~td_checksum_fold(td_checksum_add(sum, icmp, WITH_OPTION_BYTES));
	memcpy(icmp + 2, &checksum, 2);
}

static void write_message(uint8_t *icmp, const uint8_t *target, uint8_t option, const uint8_t *mac)
{
	memmove(icmp + 8, target, 16);
	icmp[24] = option;
	icmp[25] = 1;
	memcpy(icmp + 26, mac, 6);
}

static void set_len(struct rte_mbuf *mbuf, const uint8_t *end)
{
	mbuf->data_len = (uint16_t)(end - rte_pktmbuf_mtod(mbuf, const uint8_t *));
	mbuf->pkt_len = mbuf->data_len;
}

static void write_answer(const struct td_answer_env *env, struct td_packet *packet,
			 const struct td_local *local)
{
	const struct td_port *port = &env->ports[packet->in_port];
	uint8_t *ip = packet->l3, *frame = ip - packet->l2_len;
	bool probe = memcmp(ip + 8, unspecified, 16) == 0;
	uint8_t to_mac[6];

	// Whoever only probes whether the address is free has none yet: all nodes get the answer.
	memcpy(to_mac, frame + 6, 6);
	if (probe)
		multicast_mac(to_mac, all_nodes);
	td_ethernet_reply(frame, port, to_mac);
	write_message(ip + IPV6_HEADER_BYTES, local->addr.addr, OPTION_TARGET_LINK, port->mac);
	finish(ip, local->addr.addr, probe ? all_nodes : ip + 8, ADVERTISE,
	       (uint8_t)(FLAG_OVERRIDE | (probe ? 0 : FLAG_SOLICITED)));
	set_len(packet->mbuf, ip + IPV6_HEADER_BYTES + WITH_OPTION_BYTES);
}

static TD_WORKER enum td_answer receive_solicit(const struct td_answer_env *env,
						struct td_packet *packet, const uint8_t *option_mac,
						enum td_drop *drop)
{
	const uint8_t *source = packet->l3 + TD_IPV6_SOURCE_OFFSET;
	const uint8_t *target = packet->payload + 8;
	bool probe = memcmp(source, unspecified, 16) == 0;
	struct td_endpoint sender;
	uint8_t index;

	// Section 7.1.1: a probe goes to the solicited-node group and carries no link address.
	if (probe && (option_mac || packet->l3[24] != 0xff))
		return TD_ANSWER_DROP;
	*drop = TD_DROP_ICMP_IGNORED;
	index = td_locals_find6(env->locals, target);
	if (index == TD_LOCAL_NONE || env->locals->entries[index].port != packet->in_port)
		return TD_ANSWER_DROP;
	if (!probe && option_mac) {
		endpoint6(&sender, source);
		td_neighbour_learn(env->neighbours, packet->in_port, &sender, option_mac,
				   TD_LEARN_OVERRIDE);
	}
	// The answer needs 32 bytes where a solicitation without option has 24, and goes where the
	// message stands, so any extension headers before it end here.
	if (rte_pktmbuf_tailroom(packet->mbuf) < WITH_OPTION_BYTES)
		return TD_ANSWER_DROP;
	write_answer(env, packet, &env->locals->entries[index]);
	return TD_ANSWER_SEND;
}

static TD_WORKER enum td_answer receive_advertise(const struct td_answer_env *env,
						  struct td_packet *packet,
						  const uint8_t *option_mac, enum td_drop *drop)
{
	const uint8_t *icmp = packet->payload, *frame = packet->l3 - packet->l2_len;
	struct td_endpoint target;
	uint32_t flags = 0;

	// Section 7.1.2: what goes to a group answers nobody.
	if (icmp[8] == 0xff || (packet->l3[24] == 0xff && (icmp[4] & FLAG_SOLICITED)))
		return TD_ANSWER_DROP;
	*drop = TD_DROP_IP_SOURCE;
	if (td_locals_find6(env->locals, icmp + 8) != TD_LOCAL_NONE)
		return TD_ANSWER_DROP;
	if (icmp[4] & FLAG_SOLICITED)
		flags |= TD_LEARN_SOLICITED;
	if (icmp[4] & FLAG_OVERRIDE)
		flags |= TD_LEARN_OVERRIDE;
	endpoint6(&target, icmp + 8);
	td_neighbour_learn(env->neighbours, packet->in_port, &target,
			   option_mac ? option_mac : frame + 6, flags);
	return TD_ANSWER_CONSUME;
}

enum td_answer td_nd_receive(const struct td_answer_env *env, struct td_packet *packet,
			     enum td_drop *drop)
{
	const uint8_t *icmp = packet->payload, *mac;
	bool solicit = icmp[0] == SOLICIT;

	*drop = TD_DROP_ICMP_MALFORMED;
	if (packet->payload_len < MESSAGE_BYTES || icmp[1] != 0 || packet->l3[7] != 255 ||
	    icmp[8] == 0xff)
		return TD_ANSWER_DROP;
	if (!walk_options(icmp, packet->payload_len,
			  solicit ? OPTION_SOURCE_LINK : OPTION_TARGET_LINK, &mac))
		return TD_ANSWER_DROP;
	return solicit ? receive_solicit(env, packet, mac, drop)
		       : receive_advertise(env, packet, mac, drop);
}

static void write_own(const struct td_port *port, const uint8_t *to_mac, const uint8_t *source,
		      const uint8_t *destination, const uint8_t *target, uint8_t type,
		      struct rte_mbuf *mbuf)
{
	uint8_t *ip = td_ethernet_write(rte_pktmbuf_mtod(mbuf, uint8_t *), port, to_mac, 0x86dd);

	write_message(ip + IPV6_HEADER_BYTES, target,
		      type == SOLICIT ? OPTION_SOURCE_LINK : OPTION_TARGET_LINK, port->mac);
	finish(ip, source, destination, type, type == SOLICIT ? 0 : FLAG_OVERRIDE);
	set_len(mbuf, ip + IPV6_HEADER_BYTES + WITH_OPTION_BYTES);
}

void td_nd_solicit(const struct td_answer_env *env, const struct td_neighbour_question *question,
		   struct rte_mbuf *mbuf)
{
	const uint8_t *target = question->target.addr;
	uint8_t group[16] = { 0xff, 0x02, [11] = 1, [12] = 0xff };
	uint8_t mac[6];

	memcpy(group + 13, target + 13, 3);
	multicast_mac(mac, group);
	write_own(&env->ports[question->port], question->unicast ? question->mac : mac,
		  env->locals->entries[question->local].addr.addr,
		  question->unicast ? target : group, target, SOLICIT, mbuf);
}

void td_nd_announce(const struct td_answer_env *env, const struct td_local *local,
		    struct rte_mbuf *mbuf)
{
	uint8_t mac[6];

	multicast_mac(mac, all_nodes);
	write_own(&env->ports[local->port], mac, local->addr.addr, all_nodes, local->addr.addr,
		  ADVERTISE, mbuf);
}

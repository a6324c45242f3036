#include "net/arp.h"
#include "net/ethernet.h"

#define OPCODE_REQUEST 1
#define OPCODE_REPLY   2

// Offsets into the ARP packet.
#define AT_OPCODE     6
#define AT_SENDER_MAC 8
#define AT_SENDER_IP  14
#define AT_TARGET_MAC 18
#define AT_TARGET_IP  24

static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t fixed[6] = { 0, 1, 0x08, 0x00, 6, 4 }; // Ethernet, IPv4, lengths

static bool mac_usable(const uint8_t *mac)
{
	static const uint8_t zero[6];

	return !(mac[0] & 1u) && memcmp(mac, zero, 6) != 0;
}

static void endpoint4(struct td_endpoint *out, const uint8_t *ip)
{
	*out = (struct td_endpoint){ .family = TD_FAMILY_IPV4 };
	memcpy(out->addr, ip, 4);
}

static bool well_formed(const struct td_packet *packet)
{
	const uint8_t *arp = packet->payload;

	if (packet->payload_len < TD_ARP_BYTES || memcmp(arp, fixed, sizeof fixed) != 0)
		return false;
	if (arp[AT_OPCODE] != 0 ||
	    (arp[AT_OPCODE + 1] != OPCODE_REQUEST && arp[AT_OPCODE + 1] != OPCODE_REPLY))
		return false;
	return mac_usable(arp + AT_SENDER_MAC);
}

static void write_reply(const struct td_answer_env *env, struct td_packet *packet)
{
	const struct td_port *port = &env->ports[packet->in_port];
	uint8_t *arp = packet->payload;
	uint8_t asked[4];

	memcpy(asked, arp + AT_TARGET_IP, 4);
	td_ethernet_reply(arp - packet->l2_len, port, arp + AT_SENDER_MAC);
	arp[AT_OPCODE + 1] = OPCODE_REPLY;
	memcpy(arp + AT_TARGET_MAC, arp + AT_SENDER_MAC, 10);
	memcpy(arp + AT_SENDER_MAC, port->mac, 6);
	memcpy(arp + AT_SENDER_IP, asked, 4);
	packet->mbuf->data_len = (uint16_t)(packet->l2_len + TD_ARP_BYTES);
	packet->mbuf->pkt_len = packet->mbuf->data_len;
}

enum td_answer td_arp_receive(const struct td_answer_env *env, struct td_packet *packet,
			      enum td_drop *drop)
{
	const uint8_t *arp = packet->payload;
	struct td_endpoint sender;
	uint32_t target_be, sender_be;
	uint8_t local;
	bool reply, for_us;

	*drop = TD_DROP_ARP_MALFORMED;
	if (!well_formed(packet))
		return TD_ANSWER_DROP;
	reply = arp[AT_OPCODE + 1] == OPCODE_REPLY;
	memcpy(&target_be, arp + AT_TARGET_IP, 4);
	memcpy(&sender_be, arp + AT_SENDER_IP, 4);
	*drop = TD_DROP_IP_SOURCE;
	if (td_locals_find4(env->locals, sender_be) != TD_LOCAL_NONE)
		return TD_ANSWER_DROP;
	local = td_locals_find4(env->locals, target_be);
	for_us = local != TD_LOCAL_NONE && env->locals->entries[local].port == packet->in_port;
	endpoint4(&sender, arp + AT_SENDER_IP);
	// A reply to us was asked for; an announcement (target = sender) or a request also tells.
	if (sender_be != 0 && (for_us || target_be == sender_be))
		td_neighbour_learn(env->neighbours, packet->in_port, &sender, arp + AT_SENDER_MAC,
				   TD_LEARN_OVERRIDE | (reply && for_us ? TD_LEARN_SOLICITED : 0u));
	if (!for_us && target_be != sender_be) {
		*drop = TD_DROP_ARP_NOT_OURS;
		return TD_ANSWER_DROP;
	}
	if (reply || !for_us)
		return TD_ANSWER_CONSUME;
	write_reply(env, packet);
	return TD_ANSWER_SEND;
}

static void write_request(const struct td_port *port, const uint8_t *destination,
			  const uint8_t *sender_ip, const uint8_t *target_ip, struct rte_mbuf *mbuf)
{
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	uint8_t *arp = td_ethernet_write(frame, port, destination, 0x0806);

	memcpy(arp, fixed, sizeof fixed);
	arp[AT_OPCODE] = 0;
	arp[AT_OPCODE + 1] = OPCODE_REQUEST;
	memcpy(arp + AT_SENDER_MAC, port->mac, 6);
	memcpy(arp + AT_SENDER_IP, sender_ip, 4);
	memset(arp + AT_TARGET_MAC, 0, 6);
	memcpy(arp + AT_TARGET_IP, target_ip, 4);
	mbuf->data_len = (uint16_t)(arp + TD_ARP_BYTES - frame);
	mbuf->pkt_len = mbuf->data_len;
}

void td_arp_request(const struct td_answer_env *env, const struct td_neighbour_question *question,
		    struct rte_mbuf *mbuf)
{
	write_request(&env->ports[question->port], question->unicast ? question->mac : broadcast,
		      env->locals->entries[question->local].addr.addr, question->target.addr, mbuf);
}

void td_arp_announce(const struct td_answer_env *env, const struct td_local *local,
		     struct rte_mbuf *mbuf)
{
	write_request(&env->ports[local->port], broadcast, local->addr.addr, local->addr.addr,
		      mbuf);
}

#include "net/answer.h"
#include "net/arp.h"
#include "net/icmp.h"
#include "td_assert.h"

enum td_answer td_answer_packet(const struct td_answer_env *env, struct td_packet *packet,
				enum td_drop *drop)
{
	TD_ASSERT(packet->kind != TD_PACKET_UDP);
	switch ((enum td_packet_kind)packet->kind) {
	case TD_PACKET_ARP: return td_arp_receive(env, packet, drop);
	case TD_PACKET_ICMP: return td_icmp_receive(env, packet, drop);
	case TD_PACKET_ICMPV6: return td_icmpv6_receive(env, packet, drop);
	case TD_PACKET_UDP: break;
	}
	return TD_ANSWER_DROP;
}

// ICMP and ICMPv6 echo: ping finds the dataplane's addresses (RFC 792, RFC 4443).
//
// Everything else but neighbour discovery is ignored under its counter: errors about our packets
// change nothing, for anybody can forge them.
#pragma once

#include "net/answer.h"
#include "net/packet.h"

// As td_answer_packet.
enum td_answer td_icmp_receive(const struct td_answer_env *env, struct td_packet *packet,
			       enum td_drop *drop);
enum td_answer td_icmpv6_receive(const struct td_answer_env *env, struct td_packet *packet,
				 enum td_drop *drop) TD_WORKER;

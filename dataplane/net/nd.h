// Neighbour discovery for IPv6: answer, ask, announce (RFC 4861).
//
// A solicitation for one of our addresses is answered in its own frame; advertisements update the
// neighbour table. Every message is held to section 7.1: hop limit 255, code 0, a right checksum,
// no option of length zero.
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>

#include "net/answer.h"
#include "net/neighbour.h"
#include "net/packet.h"

// As td_answer_packet, for an ICMPv6 packet of type 135 or 136 whose checksum is right.
enum td_answer td_nd_receive(const struct td_answer_env *env, struct td_packet *packet,
			     enum td_drop *drop) TD_WORKER;

// Makes the empty mbuf a solicitation for question->target.
void td_nd_solicit(const struct td_answer_env *env, const struct td_neighbour_question *question,
		   struct rte_mbuf *mbuf);

// Makes the empty mbuf an unsolicited advertisement of one of our IPv6 addresses to all nodes.
void td_nd_announce(const struct td_answer_env *env, const struct td_local *local,
		    struct rte_mbuf *mbuf);

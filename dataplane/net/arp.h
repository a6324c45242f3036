// ARP for IPv4 over Ethernet: answer, ask, announce (RFC 826, RFC 5227).
//
// A request for one of our addresses is answered in its own frame; a reply, or an announcement,
// updates the neighbour table. Requests come from the housekeeping worker when a next hop is due;
// every address is announced once when its port starts.
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>

#include "net/answer.h"
#include "net/neighbour.h"
#include "net/packet.h"

#define TD_ARP_BYTES 28

// As td_answer_packet.
enum td_answer td_arp_receive(const struct td_answer_env *env, struct td_packet *packet,
			      enum td_drop *drop) TD_WORKER;

// Makes the empty mbuf a request for question->target.
void td_arp_request(const struct td_answer_env *env, const struct td_neighbour_question *question,
		    struct rte_mbuf *mbuf);

// Makes the empty mbuf an announcement of one of our IPv4 addresses (RFC 5227 section 2.3).
void td_arp_announce(const struct td_answer_env *env, const struct td_local *local,
		     struct rte_mbuf *mbuf);

// What a host must answer where the dataplane owns the address: ARP, ICMP echo, ND, ICMPv6 echo.
//
//   td_packet (ARP, ICMP, ICMPv6) -> SEND:    the same mbuf is now the answer, for the same port
//                                    CONSUME: it taught us something; free the mbuf
//                                    DROP:    free the mbuf under *drop
//
// Answers are built in the frame that asked, so they need no memory and cannot be amplified: one
// small frame out for one in. Nothing here keeps state but the neighbour table.
#pragma once

#include "net/local.h"
#include "net/neighbour.h"
#include "net/packet.h"
#include "net/port.h"
#include "td_stats.h"

enum td_answer { TD_ANSWER_SEND, TD_ANSWER_CONSUME, TD_ANSWER_DROP };

// Immutable while workers run, but for the neighbour table.
struct td_answer_env {
	const struct td_locals *locals;
	const struct td_port *ports; // by dataplane port index
	struct td_neighbours *neighbours;
};

// Dispatches on packet->kind, which is not TD_PACKET_UDP.
enum td_answer td_answer_packet(const struct td_answer_env *env, struct td_packet *packet,
				enum td_drop *drop) TD_WORKER;

// Many RTP flows paced evenly over a port, each packet followed from sending to receiving.
//
//   every turn: the packets that are due, flow after flow  -->  device under test
//               what has come: flow and number are in the payload, or in the RTP header
//
// All flows send once in 20 ms, evenly spread over them. Flows 2i and 2i + 1 are the two parties of
// call i; what party 2i says is due at party 2i + 1. One thread, which rests between turns unless
// it is told to poll. A device that transcodes leaves no probe: then sequence numbers as they
// arrive say what is lost, and no latency is measured.
#pragma once

#include <stdint.h>

#include "flow.h"
#include "histogram.h"
#include "link.h"

struct td_attach;

struct td_blast {
	struct td_link *link;
	struct td_srtp_engine *srtp;
	struct td_flow *flows;
	uint32_t flow_count;
	uint8_t peer_mac[6];
	int calls;      // flows come in pairs; else what returns is what was sent
	int transcoded; // payloads do not survive
	int busy_poll;
	int pid;                                   // the process whose CPU time is taken; 0: none
	struct td_attach *attach;                  // NULL: nobody made calls on a dataplane
	void (*between)(struct td_attach *attach); // called before each rest; NULL: nothing to do
	double seconds;
	uint32_t times;               // every flow so many times as fast as speech
	double loss, duplicate, swap; // probabilities a packet, of what the generator does itself
};

struct td_blast_result {
	uint64_t sent, received, duplicates, late, foreign;
	uint64_t damaged;           // came with a UDP checksum that is not right: not received
	uint64_t unopened;          // SRTP that proved not to be from who has the key
	uint64_t withheld, doubled; // by the generator itself
	uint64_t refused;           // the device did not take them
	uint64_t lost;              // sent and not received, or refused
	uint32_t flows_hurt, worst; // flows that lost any, and how many the worst of them lost
	uint64_t events_sent, events_received;
	double behind_ms; // the furthest the sender fell behind its pace
	double busy;      // share of the time that the generator had something to do
	double cpu_s;     // user and system time of `pid` while it was measured
	struct td_histogram latency;
};

// Sends for `seconds`, after a second of warm-up that is not counted.
void td_blast_run(const struct td_blast *blast, struct td_blast_result *result);

// How many packets a second the same flows make, send, receive and account for when the device is
// a ring and no pace is kept: what the generator could do at best on this core.
double td_blast_ceiling_pps(const struct td_blast *blast, uint16_t ring_port);

// Many RTP flows paced evenly over a wire port, each packet followed from sending to receiving.
//
//   every millisecond: the packets that are due, flow after flow  -->  device under test
//   arrivals: flow and number are in the payload; latency = kernel receive time - send time
//
// Flow f sends from `from` to `to`; what comes back carries the same payload whatever was rewritten
// around it. One thread.
#pragma once

#include <stdint.h>

#include "histogram.h"
#include "td_endpoint.h"
#include "wire_port.h"

struct td_flow {
	struct td_endpoint from, to; // IPv4
	uint32_t ssrc, timestamp;
	uint16_t sequence;
};

struct td_flows_result {
	uint64_t sent, received, foreign;
	uint64_t lost;  // sent and not received, or not even sent
	double late_ms; // the furthest the sender fell behind its pace
	double cpu_s;   // user and system time of the process under test while it was measured
	struct td_histogram latency;
};

// Sends `pps` packets a second over all flows for `seconds`, after a second of warm-up that is not
// counted. `pid`: the process whose CPU time is taken.
void td_flows_run(struct td_wire_port *port, struct td_flow *flows, uint32_t flow_count,
		  const uint8_t peer_mac[6], uint32_t pps, double seconds, int pid,
		  struct td_flows_result *result);

// The dataplane's network as the config describes it: packet memory, ports, addresses, next hops,
// port table. Built and taken down by the main thread around the life of the workers.
#pragma once

#include <stdint.h>

#include <rte_mempool.h>

#include "config/config.h"
#include "net/demux.h"
#include "net/host_hops.h"
#include "net/local.h"
#include "net/neighbour.h"
#include "net/port.h"
#include "td_error.h"

struct td_network {
	struct rte_mempool *pool;
	struct td_port ports[TD_PORT_MAX];
	uint32_t port_count;
	struct td_locals locals;
	struct td_neighbours *neighbours;
	struct td_demux *demux;
	const struct td_config_dataplane *config; // borrowed
	struct td_port_stats
		*stats; // where it is told what the ports do, port_count; NULL: nowhere
	uint64_t counted_ns;
	// Of the ports that are shared with the host:
	struct td_host_hops hops;
	struct td_xdp_gate_counts warned[TD_PORT_MAX]; // what was last warned of
	bool lost[TD_PORT_MAX];                        // the host has taken something back
	uint64_t watched_ns;
};

// 0, or -TD_E* with one sentence in `reason`; then nothing is left open.
TD_MUST_CHECK int td_network_open(const struct td_config_dataplane *config, uint64_t seed,
				  struct td_network *network, char reason[TD_PORT_REASON_MAX]);
// In every turn of the main loop: counts what the ports do, once a second; keeps the shared ones' next
// hops, and looks after their gates.
// Returns how much it did.
uint32_t td_network_turn(struct td_network *network, uint64_t now_ns) TD_MAIN;
void td_network_close(struct td_network *network);

// What one worker has to send, gathered per port and flushed as bursts.
//
//   td_tx_push -> [ vector of port 0 ] --flush--> rte_eth_tx_burst on this worker's queue
//                 [ vector of port 1 ] --flush--> ring to the worker that has a queue there
//
// A port with fewer transmit queues than workers is served by the workers that have one; the
// others hand their mbufs over on a ring, so a queue has one user and no lock. The pushed mbuf
// belongs to the td_tx; what the driver or the ring refuses is freed under TD_DROP_TX_FULL.
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>

#include "td_limits.h"
#include "td_stats.h"

#define TD_TX_VECTOR 64

struct rte_ring;
struct td_stage_clock;

struct td_tx_port {
	struct rte_mbuf *mbufs[TD_TX_VECTOR];
	uint32_t count;
	uint16_t dpdk_port;
	uint16_t queue;
	struct rte_ring *handover; // set: we have no queue here, the ring's consumer has
};

struct td_tx {
	struct td_tx_port ports[TD_PORT_MAX];
	uint32_t port_count;
	struct td_worker_stats *stats;
	struct td_stage_clock *stages; // NULL: nobody times the turns
};

// Sends what is gathered for one port. Workers only.
void td_tx_flush_port(struct td_tx *tx, uint32_t port);
// Sends what is gathered for all; returns how many packets it had.
uint32_t td_tx_flush(struct td_tx *tx);

// Takes the mbuf.
static inline void td_tx_push(struct td_tx *tx, uint32_t port, struct rte_mbuf *mbuf)
{
	struct td_tx_port *out = &tx->ports[port];

	out->mbufs[out->count++] = mbuf;
	if (out->count == TD_TX_VECTOR)
		td_tx_flush_port(tx, port);
}

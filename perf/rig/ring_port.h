// DPDK ports made of rings: what a benchmark puts in is received, what is sent comes out again.
#pragma once

#include <stdint.h>

#include <rte_mempool.h>

#include "td_limits.h"

#define TD_RING_PORT_SLOTS 16384

struct rte_ring;

struct td_ring_port {
	uint16_t dpdk_port;        // not configured yet
	struct rte_ring *in, *out; // the same ring when it loops back; of the first queue
	uint16_t queues;
	struct rte_ring *ins[TD_WORKER_MAX], *outs[TD_WORKER_MAX]; // by queue
};

// `name` is unique in the process. With `loop` what is sent is received again. Exits with a
// sentence when it cannot be made.
struct td_ring_port td_ring_port_create(const char *name, int loop);
// The same with several queues, not looped; what is received may be put in by several threads.
struct td_ring_port td_ring_port_create_queues(const char *name, uint16_t queues);
// Configures and starts it for direct use.
void td_ring_port_start(const struct td_ring_port *port, struct rte_mempool *pool);
// Frees every packet that is in its rings.
void td_ring_port_empty(const struct td_ring_port *port);

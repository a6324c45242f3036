// A DPDK port whose transmit side is its receive side: what is sent comes back, nothing else does.
#pragma once

#include <stdint.h>

#include <rte_mempool.h>

#define TD_RING_PORT_SLOTS 16384

// One ring, one receive and one transmit queue. `name` is unique in the process. The DPDK port is
// not configured yet. Exits with a sentence when it cannot be made.
uint16_t td_ring_port_create(const char *name);
// Configures and starts it for direct use.
void td_ring_port_start(uint16_t port, struct rte_mempool *pool);
// Frees every packet that is in the ring; returns how many there were.
uint64_t td_ring_port_empty(uint16_t port);

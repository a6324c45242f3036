// The generator's own end: one queue pair of a DPDK port, and ARP for the addresses it plays.
//
// Whatever the EAL was told to open will do: net_ring, memif, AF_XDP, AF_PACKET, a NIC. No kernel
// owns the addresses, so requests for them are answered here. One thread; exits with a sentence
// when the port cannot be opened, since a generator without one has nothing to say.
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>

#include "net/port.h"

#define TD_LINK_BURST 32

struct td_link {
	struct td_port port;
	struct rte_mempool *pool;
	uint32_t first_addr, addr_count; // ours, host order
};

// Starts the DPDK port. `pool` must outlive the link.
void td_link_open(struct td_link *link, uint16_t dpdk_port, struct rte_mempool *pool,
		  uint32_t first_addr, uint32_t addr_count);
void td_link_close(struct td_link *link);

// Sends what the device takes within a millisecond and frees the rest; returns how many it took.
unsigned td_link_send(struct td_link *link, struct rte_mbuf **mbufs, unsigned count);

// Takes what has come, at most TD_LINK_BURST, without what ARP is about; the caller frees them.
unsigned td_link_receive(struct td_link *link, struct rte_mbuf **mbufs);

// Asks by ARP who has `addr` (host order) and waits up to five seconds. 0 or -TD_ETIMEOUT.
TD_MUST_CHECK int td_link_resolve(struct td_link *link, uint32_t addr, uint8_t mac[6]);

#include "ring_port.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "forward: %s failed\n", what);
	exit(2);
}

uint16_t td_ring_port_create(const char *name)
{
	struct rte_ring *ring;
	int port;

	ring = rte_ring_create(name, TD_RING_PORT_SLOTS, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	must(ring != NULL, "rte_ring_create");
	port = rte_eth_from_rings(name, &ring, 1, &ring, 1, 0);
	must(port >= 0, "rte_eth_from_rings");
	return (uint16_t)port;
}

void td_ring_port_start(uint16_t port, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = { 0 };

	must(rte_eth_dev_configure(port, 1, 1, &conf) == 0, "rte_eth_dev_configure");
	must(rte_eth_rx_queue_setup(port, 0, 1024, 0, NULL, pool) == 0, "rx queue");
	must(rte_eth_tx_queue_setup(port, 0, 1024, 0, NULL) == 0, "tx queue");
	must(rte_eth_dev_start(port) == 0, "rte_eth_dev_start");
}

uint64_t td_ring_port_empty(uint16_t port)
{
	struct rte_mbuf *mbufs[32];
	uint64_t total = 0;
	uint16_t count;

	while ((count = rte_eth_rx_burst(port, 0, mbufs, 32)) > 0) {
		rte_pktmbuf_free_bulk(mbufs, count);
		total += count;
	}
	return total;
}

#include "rig/ring_port.h"

#include <stdio.h>
#include <stdlib.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ring.h>

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "perf: %s failed\n", what);
	exit(2);
}

static struct rte_ring *make_ring(const char *name, const char *direction, unsigned queue,
				  unsigned flags)
{
	char full[RTE_RING_NAMESIZE];
	struct rte_ring *ring;

	snprintf(full, sizeof full, "%s-%s%u", name, direction, queue);
	ring = rte_ring_create(full, TD_RING_PORT_SLOTS, 0, flags);
	must(ring != NULL, "rte_ring_create");
	return ring;
}

static void make_port(struct td_ring_port *port, const char *name)
{
	int made = rte_eth_from_rings(name, port->ins, port->queues, port->outs, port->queues, 0);

	must(made >= 0, "rte_eth_from_rings");
	port->dpdk_port = (uint16_t)made;
	port->in = port->ins[0];
	port->out = port->outs[0];
}

struct td_ring_port td_ring_port_create(const char *name, int loop)
{
	struct td_ring_port port = { .queues = 1 };

	port.ins[0] = make_ring(name, "in", 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	port.outs[0] =
		loop ? port.ins[0] : make_ring(name, "out", 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
	make_port(&port, name);
	return port;
}

struct td_ring_port td_ring_port_create_queues(const char *name, uint16_t queues)
{
	struct td_ring_port port = { .queues = queues };

	for (unsigned queue = 0; queue < queues; queue++) {
		port.ins[queue] = make_ring(name, "in", queue, RING_F_SC_DEQ);
		port.outs[queue] = make_ring(name, "out", queue, RING_F_SP_ENQ | RING_F_SC_DEQ);
	}
	make_port(&port, name);
	return port;
}

void td_ring_port_start(const struct td_ring_port *port, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = { 0 };

	must(rte_eth_dev_configure(port->dpdk_port, 1, 1, &conf) == 0, "rte_eth_dev_configure");
	must(rte_eth_rx_queue_setup(port->dpdk_port, 0, 1024, 0, NULL, pool) == 0, "rx queue");
	must(rte_eth_tx_queue_setup(port->dpdk_port, 0, 1024, 0, NULL) == 0, "tx queue");
	must(rte_eth_dev_start(port->dpdk_port) == 0, "rte_eth_dev_start");
}

static void empty_ring(struct rte_ring *ring)
{
	void *mbuf;

	while (rte_ring_dequeue(ring, &mbuf) == 0)
		rte_pktmbuf_free(mbuf);
}

void td_ring_port_empty(const struct td_ring_port *port)
{
	for (unsigned queue = 0; queue < port->queues; queue++) {
		empty_ring(port->ins[queue]);
		empty_ring(port->outs[queue]);
	}
}

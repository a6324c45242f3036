// One network port of the dataplane: a DPDK device brought up from the config.
//
//   AF_XDP, AF_PACKET: vdev on a kernel interface     PCI: device by address
//     either is ours alone; AF_XDP can also share it with the host (net/xdp_gate.h)
//   net_ring, memif: vdev between local processes; net_ring is also how tests feed frames in
//
// Opened and closed by the main thread before and after the workers run. Every worker gets a
// transmit queue if the device has that many; rx_queue q is polled by worker q modulo workers. A
// device that cannot be opened is an error with one sentence that names the remedy.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "net/xdp_gate.h"
#include "td_endpoint.h"
#include "td_error.h"
#include "td_limits.h"
#include "td_stats.h"

enum td_port_kind {
	TD_PORT_KIND_AF_XDP,
	TD_PORT_KIND_AF_PACKET,
	TD_PORT_KIND_PCI,
	TD_PORT_KIND_NET_RING,
	TD_PORT_KIND_MEMIF,
};

#define TD_PORT_REASON_MAX 320

// A port whose interface and addresses stay the host's: what the dataplane takes of it.
struct td_port_share {
	const struct td_endpoint *addresses;
	unsigned address_count;
	uint16_t udp_first, udp_last;
};

struct td_port_spec {
	const char *name;
	enum td_port_kind kind;
	const char *device; // interface, PCI address, memif socket path
	uint16_t vlan;
	uint16_t rx_queues;
	uint16_t workers;                  // transmit queues wanted
	const struct td_port_share *share; // NULL: the device is ours
};

struct td_port {
	char name[TD_PORT_NAME_MAX];
	char vdev[64]; // the device to remove at close; empty when it was there before us
	enum td_port_kind kind;
	uint16_t dpdk_port;
	uint16_t rx_queues, tx_queues;
	uint16_t vlan;
	uint8_t mac[6];
	bool rx_checksum; // the NIC verifies layer-4 checksums
	bool started;
	bool shared;
	struct td_xdp_gate gate; // of a shared one
};

// Opens and starts the device. `pool` feeds its receive queues and must outlive it. 0, or -TD_E*
// with one sentence in `reason`.
TD_MUST_CHECK int td_port_open(const struct td_port_spec *spec, struct rte_mempool *pool,
			       struct td_port *port, char reason[TD_PORT_REASON_MAX]);

// The same for a DPDK port that exists already (rte_eth_from_rings in tests and benchmarks).
TD_MUST_CHECK int td_port_adopt(const struct td_port_spec *spec, uint16_t dpdk_port,
				struct rte_mempool *pool, struct td_port *port,
				char reason[TD_PORT_REASON_MAX]);

void td_port_close(struct td_port *port);

// Everything of `out` but its name, as the device and the gate have it now: system calls, for the
// main thread.
void td_port_count(const struct td_port *port, struct td_port_stats *out);

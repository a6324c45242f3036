#include <stdio.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#include "net/interface.h"
#include "net/port.h"
#include "td_assert.h"

#define DESCRIPTORS  1024
#define XDP_MTU_SURE 3000 // of a page of 4,096 bytes, less what drivers want around a frame

__attribute__((format(printf, 3, 4))) static int refuse(char reason[TD_PORT_REASON_MAX], int error,
							const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, TD_PORT_REASON_MAX, format, args);
	va_end(args);
	return error;
}

static uint16_t queues_given(uint16_t wanted, uint16_t max)
{
	return wanted < max ? wanted : max;
}

static void device_config(const struct td_port_spec *spec, const struct rte_eth_dev_info *info,
			  struct td_port *port, struct rte_eth_conf *conf)
{
	uint64_t rx = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;

	memset(conf, 0, sizeof *conf);
	conf->rxmode.offloads = rx & info->rx_offload_capa;
	port->rx_checksum = (conf->rxmode.offloads & RTE_ETH_RX_OFFLOAD_UDP_CKSUM) != 0;
	if (info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE)
		conf->txmode.offloads = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	port->rx_queues = queues_given(spec->rx_queues, info->max_rx_queues);
	port->tx_queues = queues_given(spec->workers, info->max_tx_queues);
	if (port->rx_queues > 1) {
		conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf->rx_adv_conf.rss_conf.rss_hf =
			(RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP) & info->flow_type_rss_offloads;
		if (conf->rx_adv_conf.rss_conf.rss_hf == 0)
			conf->rxmode.mq_mode = RTE_ETH_MQ_RX_NONE;
	}
}

static int set_up_queues(struct td_port *port, struct rte_mempool *pool)
{
	uint16_t rx_count = DESCRIPTORS, tx_count = DESCRIPTORS;
	int error = rte_eth_dev_adjust_nb_rx_tx_desc(port->dpdk_port, &rx_count, &tx_count);

	for (uint16_t queue = 0; queue < port->rx_queues && !error; queue++)
		error = rte_eth_rx_queue_setup(port->dpdk_port, queue, rx_count, SOCKET_ID_ANY,
					       NULL, pool);
	for (uint16_t queue = 0; queue < port->tx_queues && !error; queue++)
		error = rte_eth_tx_queue_setup(port->dpdk_port, queue, tx_count, SOCKET_ID_ANY,
					       NULL);
	return error;
}

// A driver that keeps a frame for XDP in one page refuses an MTU beyond it, by a number alone.
static void xdp_remedy(const char *device, char *out, size_t bytes)
{
	unsigned mtu = td_interface_mtu(device);

	if (mtu <= XDP_MTU_SURE)
		snprintf(
			out, bytes,
			"; see that no other program holds the interface, or set driver: af_packet");
	else
		snprintf(
			out, bytes,
			"; the MTU of %s is %u, more than XDP takes of most drivers: \"ip link set %s "
			"mtu 1500\" (at both ends of a veth pair), or set driver: af_packet",
			device, mtu, device);
}

// What usually is wrong when a device does not open or start.
static const char *remedy(const struct td_port_spec *spec, char out[TD_PORT_REASON_MAX])
{
	out[0] = '\0';
	switch (spec->kind) {
	case TD_PORT_KIND_AF_XDP: xdp_remedy(spec->device, out, TD_PORT_REASON_MAX); break;
	case TD_PORT_KIND_AF_PACKET: return "; see that the interface is up";
	case TD_PORT_KIND_MEMIF: return "; see that the folder of the socket exists";
	case TD_PORT_KIND_PCI: return "; try fewer queues or more dataplane.memory_mb";
	case TD_PORT_KIND_NET_RING: break;
	}
	return out;
}

int td_port_adopt(const struct td_port_spec *spec, uint16_t dpdk_port, struct rte_mempool *pool,
		  struct td_port *port, char reason[TD_PORT_REASON_MAX])
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf;
	struct rte_ether_addr mac;
	char text[TD_PORT_REASON_MAX];
	int error;

	TD_ASSERT(spec->rx_queues >= 1 && spec->workers >= 1);
	snprintf(port->name, sizeof port->name, "%s", spec->name);
	port->kind = spec->kind;
	port->dpdk_port = dpdk_port;
	port->vlan = spec->vlan;
	port->shared = spec->share != NULL;
	error = rte_eth_dev_info_get(dpdk_port, &info);
	if (!error) {
		device_config(spec, &info, port, &conf);
		error = rte_eth_dev_configure(dpdk_port, port->rx_queues, port->tx_queues, &conf);
	}
	if (!error)
		error = set_up_queues(port, pool);
	if (!error)
		error = rte_eth_macaddr_get(dpdk_port, &mac);
	if (!error)
		error = rte_eth_dev_start(dpdk_port);
	if (error)
		return refuse(reason, -TD_EIO,
			      "port %s: device %s does not start with %u receive and %u transmit "
			      "queues: %s%s",
			      spec->name, spec->device, port->rx_queues, port->tx_queues,
			      rte_strerror(-error), remedy(spec, text));
	memcpy(port->mac, mac.addr_bytes, sizeof port->mac);
	port->started = true;
	// What else a shared interface receives is the host's to say.
	if (port->shared)
		return 0;
	// Neighbour discovery comes in by multicast; a driver that cannot filter has nothing to set.
	error = rte_eth_allmulticast_enable(dpdk_port);
	if (error && error != -ENOTSUP)
		return refuse(reason, -TD_EIO, "port %s: device %s refuses multicast: %s",
			      spec->name, spec->device, rte_strerror(-error));
	return 0;
}

// The virtual device's driver prefix and arguments for each kind that has one.
static int vdev_arguments(const struct td_port_spec *spec, bool native, char *args, size_t size,
			  const char **driver)
{
	switch (spec->kind) {
	case TD_PORT_KIND_AF_XDP:
		*driver = "net_af_xdp";
		// busy_budget=0: the kernel's own soft-irq feeds us; busy polling would make every
		// empty poll a system call.
		// In the generic path there is nothing to map, and drivers need not be asked.
		return snprintf(args, size,
				"iface=%s,start_queue=0,queue_count=%u,busy_budget=0,force_copy=%d",
				spec->device, spec->rx_queues, spec->share && !native);
	case TD_PORT_KIND_AF_PACKET:
		*driver = "net_af_packet";
		return snprintf(
			args, size,
			"iface=%s,qpairs=%u,blocksz=65536,framesz=2048,framecnt=2048,qdisc_bypass=1",
			spec->device, spec->rx_queues);
	case TD_PORT_KIND_MEMIF:
		*driver = "net_memif";
		return snprintf(args, size, "role=server,socket=%s,socket-abstract=no",
				spec->device);
	case TD_PORT_KIND_NET_RING: *driver = "net_ring"; return 0;
	case TD_PORT_KIND_PCI: break;
	}
	*driver = "";
	return 0;
}

static int create_vdev(const struct td_port_spec *spec, struct td_port *port, uint16_t *dpdk_port,
		       char reason[TD_PORT_REASON_MAX])
{
	char args[256] = "", text[TD_PORT_REASON_MAX];
	const char *driver;
	int error;

	vdev_arguments(spec, port->gate.native, args, sizeof args, &driver);
	snprintf(port->vdev, sizeof port->vdev, "%s_%s", driver, spec->name);
	error = rte_vdev_init(port->vdev, args);
	if (error) {
		port->vdev[0] = '\0';
		return refuse(reason, -TD_EIO, "port %s: %s cannot be opened on %s: %s%s",
			      spec->name, driver, spec->device, rte_strerror(-error),
			      remedy(spec, text));
	}
	error = rte_eth_dev_get_port_by_name(port->vdev, dpdk_port);
	TD_ASSERT(!error);
	return 0;
}

static int probe_pci(const struct td_port_spec *spec, uint16_t *dpdk_port,
		     char reason[TD_PORT_REASON_MAX])
{
	if (rte_eth_dev_get_port_by_name(spec->device, dpdk_port) == 0)
		return 0;
	if (rte_dev_probe(spec->device) == 0 &&
	    rte_eth_dev_get_port_by_name(spec->device, dpdk_port) == 0)
		return 0;
	return refuse(reason, -TD_ENOT_FOUND,
		      "port %s: no network device at PCI address %s that DPDK can drive: see "
		      "\"dpdk-devbind.py --status\", and bind it to vfio-pci",
		      spec->name, spec->device);
}

static enum td_interface_need need_of(const struct td_port_spec *spec)
{
	if (spec->share)
		return TD_INTERFACE_SHARED;
	return spec->kind == TD_PORT_KIND_AF_XDP ? TD_INTERFACE_AF_XDP : TD_INTERFACE_AF_PACKET;
}

static int open_gate(const struct td_port_spec *spec, struct td_xdp_gate *gate,
		     char reason[TD_PORT_REASON_MAX])
{
	const struct td_xdp_gate_spec gate_spec = {
		.port_name = spec->name,
		.device = spec->device,
		.addresses = spec->share->addresses,
		.address_count = spec->share->address_count,
		.port_first = spec->share->udp_first,
		.port_last = spec->share->udp_last,
	};

	return td_xdp_gate_open(&gate_spec, gate, reason, TD_PORT_REASON_MAX);
}

static int open_device(const struct td_port_spec *spec, struct td_port *port, uint16_t *dpdk_port,
		       char reason[TD_PORT_REASON_MAX])
{
	int error = 0;

	if (spec->kind == TD_PORT_KIND_PCI)
		return probe_pci(spec, dpdk_port, reason);
	if (spec->kind == TD_PORT_KIND_AF_XDP || spec->kind == TD_PORT_KIND_AF_PACKET)
		error = td_interface_prepare(spec->name, spec->device, need_of(spec),
					     spec->rx_queues, reason, TD_PORT_REASON_MAX);
	if (!error && spec->share)
		error = open_gate(spec, &port->gate, reason);
	return error ? error : create_vdev(spec, port, dpdk_port, reason);
}

int td_port_open(const struct td_port_spec *spec, struct rte_mempool *pool, struct td_port *port,
		 char reason[TD_PORT_REASON_MAX])
{
	uint16_t dpdk_port = RTE_MAX_ETHPORTS;
	int error;

	TD_ASSERT(!spec->share || spec->kind == TD_PORT_KIND_AF_XDP);
	*port = (struct td_port){ 0 };
	error = open_device(spec, port, &dpdk_port, reason);
	if (!error)
		error = td_port_adopt(spec, dpdk_port, pool, port, reason);
	// A libxdp that does not know our program for what it is would put its own there.
	if (!error && spec->share && !td_xdp_gate_attached(&port->gate))
		error = refuse(
			reason, -TD_EIO,
			"port %s: another XDP program has taken the place of ours on %s: see "
			"which one with \"ip link show %s\"",
			spec->name, spec->device, spec->device);
	if (error)
		td_port_close(port);
	return error;
}

void td_port_close(struct td_port *port)
{
	if (port->started && rte_eth_dev_stop(port->dpdk_port) == 0)
		port->started = false;
	// First the kernel has its frames back, then the sockets go.
	td_xdp_gate_close(&port->gate);
	if (port->vdev[0])
		rte_vdev_uninit(port->vdev);
	port->vdev[0] = '\0';
}

void td_port_count(const struct td_port *port, struct td_port_stats *out)
{
	struct td_xdp_gate_counts gate;
	struct rte_eth_stats stats;

	if (rte_eth_stats_get(port->dpdk_port, &stats) == 0) {
		out->rx_packets = stats.ipackets;
		out->tx_packets = stats.opackets;
		out->rx_missed = stats.imissed;
		out->rx_no_buffer = stats.rx_nombuf;
		out->rx_errors = stats.ierrors;
		out->tx_errors = stats.oerrors;
	}
	out->shared = port->shared;
	if (!port->shared)
		return;
	td_xdp_gate_count(&port->gate, &gate);
	out->gate_taken = gate.taken;
	out->gate_no_queue = gate.no_queue;
	out->gate_fragments = gate.fragments;
}

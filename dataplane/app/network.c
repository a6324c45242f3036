#include <stdio.h>

#include <rte_errno.h>
#include <rte_mbuf.h>

#include "app/hush.h"
#include "app/network.h"
#include "net/host_check.h"
#include "net/interface.h"
#include "td_log.h"
#include "worker/steer.h"

// Enough for every descriptor of a queue on both sides, the workers' caches and what is under way.
#define MBUFS_BASE      8192u
#define MBUFS_PER_QUEUE 8192u // AF_XDP alone fills 4096 a queue
#define MBUF_CACHE      256u
#define COUNT_NS        1000000000ull
#define WATCH_NS        10000000000ull // between two looks at what the gates left to the kernel

static enum td_port_kind kind_of(enum td_port_driver driver)
{
	switch (driver) {
	case TD_PORT_AF_XDP: return TD_PORT_KIND_AF_XDP;
	case TD_PORT_AF_PACKET: return TD_PORT_KIND_AF_PACKET;
	case TD_PORT_PCI: return TD_PORT_KIND_PCI;
	case TD_PORT_NET_RING: return TD_PORT_KIND_NET_RING;
	case TD_PORT_MEMIF: return TD_PORT_KIND_MEMIF;
	}
	// Not reached: the config loader checks the driver.
	return TD_PORT_KIND_NET_RING;
}

// As configured; where it says nothing about a shared interface, all that the interface has.
static uint16_t queues_of(const struct td_config_port *config)
{
	unsigned all;

	if (config->queues > 0)
		return config->queues;
	all = td_interface_receive_queues(config->device);
	return (uint16_t)(all < TD_WORKER_MAX ? all : TD_WORKER_MAX);
}

static int create_pool(const struct td_config_dataplane *config, struct td_network *network,
		       char reason[TD_PORT_REASON_MAX])
{
	uint32_t count = MBUFS_BASE;

	for (unsigned i = 0; i < config->ports_count; i++)
		count += MBUFS_PER_QUEUE * queues_of(&config->ports[i]);
	network->pool =
		rte_pktmbuf_pool_create("packets", count - 1, MBUF_CACHE, TD_STEER_PRIVATE_BYTES,
					RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (network->pool)
		return 0;
	snprintf(
		reason, TD_PORT_REASON_MAX,
		"%u packet buffers do not fit in dataplane.memory_mb %u (%s): raise it by at least %u",
		count, config->memory_mb, rte_strerror(rte_errno), count / 400);
	return -TD_EMEMORY;
}

static int add_addresses(const struct td_config_port *config, uint32_t port,
			 struct td_network *network, char reason[TD_PORT_REASON_MAX])
{
	for (unsigned i = 0; i < config->addresses_count; i++) {
		struct td_local local = {
			.addr = config->parsed[i].addr,
			.prefix_bits = config->parsed[i].prefix_bits,
			.port = (uint8_t)port,
		};
		int error;

		local.gateway = local.addr.family == TD_FAMILY_IPV6 ? config->gateway6_parsed
								    : config->gateway_parsed;
		error = td_locals_add(&network->locals, &local);
		if (error) {
			snprintf(
				reason, TD_PORT_REASON_MAX,
				"port %s: address %s cannot be used: %s; see that its gateway is on the "
				"same network",
				config->name, config->addresses[i], td_error_text(error));
			return error;
		}
	}
	return 0;
}

// What another program has among the media ports is lost to it while we run; it may be a leftover,
// and we may be starting again under calls, so this is no reason to stay away.
static void warn_of_sockets(const struct td_config_port *port, const struct td_port_share *share)
{
	static const char *const tables[] = { "/proc/net/udp", "/proc/net/udp6" };
	uint16_t example = 0;
	unsigned found = 0;

	for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
		found += td_host_sockets_among(tables[i], share->addresses, share->address_count,
					       share->udp_first, share->udp_last, &example);
	if (found > 0)
		td_warn(NULL,
			"port %s: other programs use %u UDP port%s of the media range, such as %u, and "
			"get nothing there while Tandem runs: see \"ss -ulpn\", and move "
			"rtp_port_first and _last or them",
			port->name, found, found == 1 ? "" : "s", example);
}

static void share_of(const struct td_config_dataplane *config, const struct td_config_port *port,
		     struct td_endpoint addresses[TD_LOCAL_ADDR_MAX], struct td_port_share *share)
{
	for (unsigned i = 0; i < port->addresses_count; i++)
		addresses[i] = port->parsed[i].addr;
	*share = (struct td_port_share){
		.addresses = addresses,
		.address_count = port->addresses_count,
		.udp_first = config->rtp_port_first,
		.udp_last = config->rtp_port_last,
	};
}

static int check_host(const struct td_config_port *port, const struct td_port_share *share,
		      char reason[TD_PORT_REASON_MAX])
{
	int error = td_host_check_addresses(port->name, port->device, share->addresses,
					    share->address_count, reason, TD_PORT_REASON_MAX);

	if (!error)
		error = td_host_check_ports(port->name, share->udp_first, share->udp_last, reason,
					    TD_PORT_REASON_MAX);
	if (!error)
		warn_of_sockets(port, share);
	return error;
}

static int open_port(const struct td_config_dataplane *config, uint32_t index,
		     struct td_network *network, char reason[TD_PORT_REASON_MAX])
{
	const struct td_config_port *port_config = &config->ports[index];
	struct td_port *port = &network->ports[index];
	struct td_endpoint addresses[TD_LOCAL_ADDR_MAX];
	struct td_port_share share = { 0 };
	struct td_port_spec spec = {
		.name = port_config->name,
		.kind = kind_of(port_config->driver),
		.device = port_config->device,
		.vlan = port_config->vlan,
		.rx_queues = queues_of(port_config),
		.workers = config->workers,
		.share = port_config->share ? &share : NULL,
	};
	struct td_link_source source = { .vlan = port_config->vlan };
	int error = 0;

	share_of(config, port_config, addresses, &share);
	if (spec.share)
		error = check_host(port_config, &share, reason);
	if (!error)
		error = td_port_open(&spec, network->pool, port, reason);
	if (error)
		return error;
	network->port_count++;
	memcpy(source.mac, port->mac, sizeof source.mac);
	td_neighbours_set_source(network->neighbours, index, &source);
	if (spec.share)
		td_neighbours_leave_to_host(network->neighbours, index);
	return 0;
}

// Follows the kernel's routes and neighbours for the ports that are shared, if there are any.
static int follow_host(struct td_network *network, char reason[TD_PORT_REASON_MAX])
{
	unsigned interfaces[TD_PORT_MAX] = { 0 };
	bool any = false;
	int error = 0;

	for (uint32_t i = 0; i < network->port_count; i++) {
		if (!network->ports[i].shared)
			continue;
		interfaces[i] = network->ports[i].gate.interface;
		any = true;
		if (!network->ports[i].gate.native)
			td_info(NULL,
				"port %s: the interface's driver does not take the XDP program; the kernel's "
				"generic path does, at some more CPU per packet",
				network->ports[i].name);
	}
	if (any)
		error = td_host_hops_open(&network->hops, network->neighbours, interfaces);
	if (error)
		snprintf(reason, TD_PORT_REASON_MAX,
			 "the kernel's routes and neighbours cannot be followed: %m");
	return error;
}

int td_network_open(const struct td_config_dataplane *config, uint64_t seed,
		    struct td_network *network, char reason[TD_PORT_REASON_MAX])
{
	int error;

	*network = (struct td_network){ .config = config };
	td_hush_libraries();
	error = create_pool(config, network, reason);
	for (uint32_t i = 0; i < config->ports_count && !error; i++)
		error = add_addresses(&config->ports[i], i, network, reason);
	if (!error) {
		error = td_neighbours_create(&network->locals, &network->neighbours);
		if (!error)
			error = td_demux_create(network->locals.count, config->rtp_port_first,
						config->rtp_port_last, seed, &network->demux);
		if (error)
			snprintf(reason, TD_PORT_REASON_MAX, "the port tables: %s",
				 td_error_text(error));
	}
	for (uint32_t i = 0; i < config->ports_count && !error; i++)
		error = open_port(config, i, network, reason);
	if (!error)
		error = follow_host(network, reason);
	if (error)
		td_network_close(network);
	return error;
}

// Media that the gate could not give us is nobody's: an operator has to know.
static void watch_gate(struct td_network *network, uint32_t index)
{
	struct td_port *port = &network->ports[index];
	struct td_xdp_gate_counts now, *before = &network->warned[index];

	td_xdp_gate_count(&port->gate, &now);
	if (now.fragments > before->fragments)
		td_warn(NULL,
			"port %s: %llu fragments of UDP have come to the media addresses and were left to "
			"the kernel; media in fragments is not heard: see the peers' packet time and MTU",
			port->name, (unsigned long long)now.fragments);
	if (now.no_queue > before->no_queue)
		td_warn(NULL,
			"port %s: %llu packets of media came in on a receive queue that Tandem does not "
			"serve: was it given more queues since the start? Start again",
			port->name, (unsigned long long)now.no_queue);
	*before = now;
}

// What a host may do at any time to an interface that is its own, and what then stops our media.
static void watch_host(struct td_network *network, uint32_t index)
{
	const struct td_config_port *config = &network->config->ports[index];
	const struct td_port *port = &network->ports[index];
	struct td_endpoint addresses[TD_LOCAL_ADDR_MAX];
	char reason[TD_PORT_REASON_MAX];
	struct td_port_share share;
	bool attached = td_xdp_gate_attached(&port->gate), lost;

	share_of(network->config, config, addresses, &share);
	lost = !attached ||
	       td_host_check_addresses(config->name, config->device, share.addresses,
				       share.address_count, reason, sizeof reason) != 0;
	if (lost && !network->lost[index] && attached)
		td_warn(NULL, "the host has changed: %s", reason);
	else if (lost && !network->lost[index])
		td_warn(NULL,
			"port %s: our XDP program is no longer on %s, so no media comes in: did the "
			"interface go? Start again when it is back",
			config->name, config->device);
	network->lost[index] = lost;
}

static void watch_shared(struct td_network *network)
{
	for (uint32_t i = 0; i < network->port_count; i++) {
		if (!network->ports[i].shared)
			continue;
		watch_gate(network, i);
		watch_host(network, i);
	}
}

static void count_ports(struct td_network *network, uint64_t now_ns)
{
	if (!network->stats || now_ns - network->counted_ns < COUNT_NS)
		return;
	network->counted_ns = now_ns;
	for (uint32_t i = 0; i < network->port_count; i++)
		td_port_count(&network->ports[i], &network->stats[i]);
}

uint32_t td_network_turn(struct td_network *network, uint64_t now_ns)
{
	count_ports(network, now_ns);
	if (!network->hops.table)
		return 0;
	if (now_ns - network->watched_ns >= WATCH_NS) {
		network->watched_ns = now_ns;
		watch_shared(network);
	}
	return td_host_hops_turn(&network->hops, now_ns);
}

void td_network_close(struct td_network *network)
{
	td_host_hops_close(&network->hops);
	while (network->port_count > 0)
		td_port_close(&network->ports[--network->port_count]);
	td_demux_destroy(network->demux);
	td_neighbours_destroy(network->neighbours);
	rte_mempool_free(network->pool);
	*network = (struct td_network){ 0 };
}

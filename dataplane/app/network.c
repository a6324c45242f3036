#include <stdio.h>

#include <rte_errno.h>
#include <rte_mbuf.h>

#include "app/hush.h"
#include "app/network.h"
#include "worker/steer.h"

// Enough for every descriptor of a queue on both sides, the workers' caches and what is under way.
#define MBUFS_BASE      8192u
#define MBUFS_PER_QUEUE 8192u // AF_XDP alone fills 4096 a queue
#define MBUF_CACHE      256u

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

static int create_pool(const struct td_config_dataplane *config, struct td_network *network,
		       char reason[TD_PORT_REASON_MAX])
{
	uint32_t count = MBUFS_BASE;

	for (unsigned i = 0; i < config->ports_count; i++)
		count += MBUFS_PER_QUEUE * config->ports[i].queues;
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

static int open_port(const struct td_config_dataplane *config, uint32_t index,
		     struct td_network *network, char reason[TD_PORT_REASON_MAX])
{
	const struct td_config_port *port_config = &config->ports[index];
	struct td_port *port = &network->ports[index];
	struct td_port_spec spec = {
		.name = port_config->name,
		.kind = kind_of(port_config->driver),
		.device = port_config->device,
		.vlan = port_config->vlan,
		.rx_queues = port_config->queues,
		.workers = config->workers,
	};
	struct td_link_source source = { .vlan = port_config->vlan };
	int error = td_port_open(&spec, network->pool, port, reason);

	if (error)
		return error;
	network->port_count++;
	memcpy(source.mac, port->mac, sizeof source.mac);
	td_neighbours_set_source(network->neighbours, index, &source);
	return 0;
}

int td_network_open(const struct td_config_dataplane *config, uint64_t seed,
		    struct td_network *network, char reason[TD_PORT_REASON_MAX])
{
	int error;

	*network = (struct td_network){ 0 };
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
	if (error)
		td_network_close(network);
	return error;
}

void td_network_close(struct td_network *network)
{
	while (network->port_count > 0)
		td_port_close(&network->ports[--network->port_count]);
	td_demux_destroy(network->demux);
	td_neighbours_destroy(network->neighbours);
	rte_mempool_free(network->pool);
	*network = (struct td_network){ 0 };
}

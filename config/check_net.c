// Ports, listeners and trunks: addresses parse, belong where they are, and are used once.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/address.h"
#include "config/check.h"

#define SIP_PORT 5060

static int check_rtp_range(struct td_config_check *check)
{
	const struct td_config_dataplane *plane = &check->config->dataplane;
	char found[16];

	snprintf(found, sizeof found, "%u", plane->rtp_port_first);
	if (plane->rtp_port_first % 2 != 0)
		return td_config_wrong(check, found, "an even port (RTP even, RTCP odd)",
				       "dataplane.rtp_port_first");
	snprintf(found, sizeof found, "%u", plane->rtp_port_last);
	if (plane->rtp_port_last <= plane->rtp_port_first)
		return td_config_wrong(check, found, "more than rtp_port_first",
				       "dataplane.rtp_port_last");
	return 0;
}

// "0000:3b:00.0", the domain optional.
static bool is_pci_address(const char *text)
{
	unsigned domain, bus, device, function;
	int end = -1;

	if (sscanf(text, "%4x:%2x:%2x.%1u%n", &domain, &bus, &device, &function, &end) != 4) {
		end = -1;
		if (sscanf(text, "%2x:%2x.%1u%n", &bus, &device, &function, &end) != 3)
			return false;
	}
	return end > 0 && text[end] == '\0' && device < 32 && function < 8;
}

static int check_device(struct td_config_check *check, unsigned index)
{
	const struct td_config_port *port = &check->config->dataplane.ports[index];
	const char *expected = NULL;

	switch (port->driver) {
	case TD_PORT_AF_XDP:
	case TD_PORT_AF_PACKET:
		if (strlen(port->device) > 15 || strpbrk(port->device, "/ \t,="))
			expected = "a network interface's name, at most 15 characters";
		break;
	case TD_PORT_PCI:
		if (!is_pci_address(port->device))
			expected = "a PCI address such as 0000:3b:00.0";
		break;
	case TD_PORT_NET_RING:
	case TD_PORT_MEMIF:
		if (strpbrk(port->device, " \t,="))
			expected = "a name or path without spaces, commas and equal signs";
		break;
	default: break;
	}
	if (expected)
		return td_config_wrong(check, TD_FOUND(port->device), expected,
				       "dataplane.ports[%u].device", index);
	for (unsigned i = 0; i < index; i++)
		if (strcmp(check->config->dataplane.ports[i].device, port->device) == 0)
			return td_config_wrong(check, TD_FOUND(port->device),
					       "a device no other port has",
					       "dataplane.ports[%u].device", index);
	return 0;
}

// Whether one of the first `count` addresses of the ports up to `last` is this one.
static bool is_taken(const struct td_config_dataplane *plane, unsigned last, unsigned count,
		     const struct td_endpoint *addr)
{
	for (unsigned p = 0; p <= last; p++) {
		unsigned limit = p == last ? count : plane->ports[p].addresses_count;

		for (unsigned a = 0; a < limit; a++)
			if (td_endpoint_same_addr(&plane->ports[p].parsed[a].addr, addr))
				return true;
	}
	return false;
}

static int check_addresses(struct td_config_check *check, unsigned index)
{
	struct td_config_port *port = &check->config->dataplane.ports[index];

	port->parsed = calloc(port->addresses_count, sizeof *port->parsed);
	if (!port->parsed)
		return -TD_EMEMORY;
	for (unsigned i = 0; i < port->addresses_count; i++) {
		struct td_config_address *own = &port->parsed[i];
		const char *text = port->addresses[i], *expected = NULL;

		if (td_address_parse_prefix(text, &own->addr, &own->prefix_bits) != 0)
			expected = "an address with its prefix, such as 10.77.0.2/24";
		else if (!td_address_is_host(&own->addr))
			expected = "an address a host can have";
		else if (is_taken(&check->config->dataplane, index, i, &own->addr))
			expected = "an address that is not given twice";
		if (expected)
			return td_config_wrong(check, TD_FOUND(text), expected,
					       "dataplane.ports[%u].addresses[%u]", index, i);
	}
	return 0;
}

static int check_gateway(struct td_config_check *check, unsigned index, const char *key,
			 const char *text, enum td_family family, struct td_endpoint *out)
{
	const struct td_config_port *port = &check->config->dataplane.ports[index];
	bool near = false;

	if (!text || !*text)
		return 0;
	if (td_endpoint_parse_addr(text, out) != 0 || out->family != family)
		return td_config_wrong(check, TD_FOUND(text),
				       family == TD_FAMILY_IPV4 ? "an IPv4 address"
								: "an IPv6 address",
				       "dataplane.ports[%u].%s", index, key);
	for (unsigned i = 0; i < port->addresses_count; i++)
		near |= td_address_in_prefix(out, &port->parsed[i].addr,
					     port->parsed[i].prefix_bits);
	// fe80::1 is on every link, whatever prefixes the port has.
	near |= family == TD_FAMILY_IPV6 && out->addr[0] == 0xfe && (out->addr[1] & 0xc0) == 0x80;
	if (!near)
		return td_config_wrong(check, TD_FOUND(text),
				       "an address in the network of one of the port's addresses",
				       "dataplane.ports[%u].%s", index, key);
	return 0;
}

// A shared interface: all that the host decides is the host's.
static int check_share(struct td_config_check *check, unsigned index)
{
	struct td_config_port *port = &check->config->dataplane.ports[index];
	char vlan[16];

	if (!port->share) {
		if (port->queues == 0)
			port->queues = 1;
		return 0;
	}
	if (port->driver != TD_PORT_AF_XDP)
		return td_config_wrong(check, "true", "share with driver af_xdp only",
				       "dataplane.ports[%u].share", index);
	snprintf(vlan, sizeof vlan, "%u", port->vlan);
	if (port->vlan != 0)
		return td_config_wrong(
			check, vlan,
			"no vlan where share is true: name the VLAN's own interface as "
			"device, such as eth0.10",
			"dataplane.ports[%u].vlan", index);
	if (port->gateway && *port->gateway)
		return td_config_wrong(check, TD_FOUND(port->gateway),
				       "no gateway where share is true: the host routes",
				       "dataplane.ports[%u].gateway", index);
	if (port->gateway6 && *port->gateway6)
		return td_config_wrong(check, TD_FOUND(port->gateway6),
				       "no gateway where share is true: the host routes",
				       "dataplane.ports[%u].gateway6", index);
	return 0;
}

int td_config_check_dataplane(struct td_config_check *check)
{
	struct td_config_dataplane *plane = &check->config->dataplane;
	unsigned addresses = 0;
	int rc = check_rtp_range(check);

	for (unsigned i = 0; rc == 0 && i < plane->ports_count; i++) {
		struct td_config_port *port = &plane->ports[i];

		addresses += port->addresses_count;
		if (addresses > TD_LOCAL_ADDR_MAX)
			return td_config_wrong(check, "more than 32 addresses over all ports",
					       "at most 32", "dataplane.ports[%u].addresses", i);
		rc = check_device(check, i);
		if (rc == 0)
			rc = check_share(check, i);
		if (rc == 0)
			rc = check_addresses(check, i);
		if (rc == 0)
			rc = check_gateway(check, i, "gateway", port->gateway, TD_FAMILY_IPV4,
					   &port->gateway_parsed);
		if (rc == 0)
			rc = check_gateway(check, i, "gateway6", port->gateway6, TD_FAMILY_IPV6,
					   &port->gateway6_parsed);
	}
	return rc;
}

// "off" is a family of none.
static int check_metrics(struct td_config_check *check)
{
	struct td_config_metrics *metrics = &check->config->metrics;

	metrics->listen_parsed = (struct td_endpoint){ 0 };
	if (strcmp(metrics->listen, "off") == 0)
		return 0;
	if (td_address_parse_endpoint(metrics->listen, &metrics->listen_parsed) != 0)
		return td_config_wrong(check, TD_FOUND(metrics->listen),
				       "an address and port, such as 127.0.0.1:9105, or off",
				       "metrics.listen");
	if (!td_address_is_loopback(&metrics->listen_parsed))
		return td_config_wrong(
			check, TD_FOUND(metrics->listen),
			"a loopback address (127.0.0.1 or ::1): anybody may read the metrics",
			"metrics.listen");
	return 0;
}

int td_config_check_listeners(struct td_config_check *check)
{
	struct td_config_sip *sip = &check->config->sip;
	struct td_config_api *api = &check->config->api;

	if (td_address_parse_endpoint(sip->listen, &sip->listen_parsed) != 0)
		return td_config_wrong(check, TD_FOUND(sip->listen),
				       "an address and port, such as 10.77.0.1:5060 or [::]:5060",
				       "sip.listen");
	if (td_address_parse_endpoint(api->listen, &api->listen_parsed) != 0)
		return td_config_wrong(check, TD_FOUND(api->listen),
				       "an address and port, such as 127.0.0.1:5048", "api.listen");
	if (!td_address_is_loopback(&api->listen_parsed))
		return td_config_wrong(check, TD_FOUND(api->listen),
				       "a loopback address (127.0.0.1 or ::1): the API has no TLS",
				       "api.listen");
	return check_metrics(check);
}

static int check_trunk_addresses(struct td_config_check *check, unsigned index)
{
	struct td_config_trunk *trunk = &check->config->trunks[index];

	trunk->parsed = calloc(trunk->addresses_count, sizeof *trunk->parsed);
	if (!trunk->parsed)
		return -TD_EMEMORY;
	for (unsigned i = 0; i < trunk->addresses_count; i++) {
		const char *text = trunk->addresses[i];

		if (td_endpoint_parse_addr(text, &trunk->parsed[i]) != 0 ||
		    !td_address_is_host(&trunk->parsed[i]))
			return td_config_wrong(check, TD_FOUND(text),
					       "a numeric address without a port",
					       "trunks[%u].addresses[%u]", index, i);
		for (unsigned t = 0; t <= index; t++) {
			const struct td_config_trunk *other = &check->config->trunks[t];
			unsigned limit = t == index ? i : other->addresses_count;

			for (unsigned a = 0; a < limit; a++)
				if (td_endpoint_same_addr(&other->parsed[a], &trunk->parsed[i]))
					return td_config_wrong(check, TD_FOUND(text),
							       "an address only one trunk has",
							       "trunks[%u].addresses[%u]", index,
							       i);
		}
	}
	return 0;
}

static int check_trunk_peer(struct td_config_check *check, unsigned index)
{
	struct td_config_trunk *trunk = &check->config->trunks[index];

	if (!trunk->peer || !*trunk->peer) {
		trunk->peer_parsed = trunk->parsed[0];
		trunk->peer_parsed.port_be = htons(SIP_PORT);
		return 0;
	}
	if (td_address_parse_endpoint(trunk->peer, &trunk->peer_parsed) != 0 ||
	    !td_address_is_host(&trunk->peer_parsed))
		return td_config_wrong(check, TD_FOUND(trunk->peer),
				       "an address and port, such as 192.0.2.10:5060",
				       "trunks[%u].peer", index);
	return 0;
}

int td_config_check_trunks(struct td_config_check *check)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < check->config->trunks_count; i++) {
		rc = check_trunk_addresses(check, i);
		if (rc == 0)
			rc = check_trunk_peer(check, i);
	}
	return rc;
}

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/host_check.h"

static bool endpoint_of(const struct sockaddr *address, struct td_endpoint *out)
{
	*out = (struct td_endpoint){ 0 };
	if (address && address->sa_family == AF_INET) {
		out->family = TD_FAMILY_IPV4;
		memcpy(out->addr, &((const struct sockaddr_in *)(const void *)address)->sin_addr,
		       4);
	} else if (address && address->sa_family == AF_INET6) {
		out->family = TD_FAMILY_IPV6;
		memcpy(out->addr, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
		       16);
	}
	return out->family != TD_FAMILY_NONE;
}

// Whether the interface has the address; what it has besides is added to `others`.
static bool has_address(const struct ifaddrs *list, const char *device,
			const struct td_endpoint *wanted, char *others, size_t others_bytes)
{
	size_t used = 0;

	others[0] = '\0';
	for (const struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
		char text[TD_ENDPOINT_TEXT_MAX];
		struct td_endpoint own;

		if (strcmp(entry->ifa_name, device) != 0 || !endpoint_of(entry->ifa_addr, &own))
			continue;
		if (td_endpoint_same_addr(&own, wanted))
			return true;
		if (own.family == wanted->family && used < others_bytes)
			used += (size_t)snprintf(others + used, others_bytes - used, "%s%s",
						 used ? ", " : "",
						 td_endpoint_addr_text(&own, text));
	}
	return false;
}

int td_host_check_addresses(const char *port_name, const char *device,
			    const struct td_endpoint *addresses, unsigned count, char *reason,
			    size_t reason_bytes)
{
	struct ifaddrs *list = NULL;
	int error = getifaddrs(&list) == 0 ? 0 : -TD_EIO;

	if (error)
		snprintf(reason, reason_bytes, "port %s: the kernel does not list addresses: %m",
			 port_name);
	for (unsigned i = 0; i < count && !error; i++) {
		char others[160], text[TD_ENDPOINT_TEXT_MAX];

		if (has_address(list, device, &addresses[i], others, sizeof others))
			continue;
		snprintf(
			reason, reason_bytes,
			"port %s: share is true, but %s is no address of interface %s (it has %s): name "
			"one that the host has",
			port_name, td_endpoint_addr_text(&addresses[i], text), device,
			*others ? others : "none of that family");
		error = -TD_ENOT_FOUND;
	}
	freeifaddrs(list);
	return error;
}

// True when `port` is in a list such as "8080,20000-29999".
static bool list_has(const char *list, unsigned port)
{
	while (*list >= '0' && *list <= '9') {
		char *end;
		unsigned long low = strtoul(list, &end, 10), high = low;

		if (*end == '-')
			high = strtoul(end + 1, &end, 10);
		if (port >= low && port <= high)
			return true;
		list = *end == ',' ? end + 1 : end;
	}
	return false;
}

uint16_t td_host_port_in_use_by_kernel(const char *range, const char *reserved, uint16_t first,
				       uint16_t last)
{
	unsigned low, high;

	if (sscanf(range, "%u %u", &low, &high) != 2)
		return 0;
	for (unsigned port = first; port <= last; port++)
		if (port >= low && port <= high && !list_has(reserved, port))
			return (uint16_t)port;
	return 0;
}

static void read_line(const char *path, char *line, size_t bytes)
{
	FILE *file = fopen(path, "re");

	line[0] = '\0';
	if (!file)
		return;
	if (!fgets(line, (int)bytes, file))
		line[0] = '\0';
	fclose(file);
}

int td_host_check_ports(const char *port_name, uint16_t first, uint16_t last, char *reason,
			size_t reason_bytes)
{
	char range[64], reserved[4096];
	uint16_t port;

	read_line("/proc/sys/net/ipv4/ip_local_port_range", range, sizeof range);
	read_line("/proc/sys/net/ipv4/ip_local_reserved_ports", reserved, sizeof reserved);
	port = td_host_port_in_use_by_kernel(range, reserved, first, last);
	if (port == 0)
		return 0;
	range[strcspn(range, "\n")] = '\0';
	range[strcspn(range, "\t")] = '-';
	snprintf(
		reason, reason_bytes,
		"port %s: media port %u is one that the kernel gives its clients (%s), whose answers "
		"would be lost: move rtp_port_first and _last, or keep them from it with \"sysctl -w "
		"net.ipv4.ip_local_reserved_ports=%u-%u\"",
		port_name, port, range, first, last);
	return -TD_EINVALID;
}

// One line of the kernel's table: "  12: 0100007F:13C4 00000000:0000 07 ...". The address is
// printed as 32-bit words of this machine.
static bool read_socket(const char *line, struct td_endpoint *local, uint16_t *port)
{
	char address[33];
	unsigned number;
	size_t words;

	if (sscanf(line, " %*d: %32[0-9A-F]:%4X", address, &number) != 2)
		return false;
	words = strlen(address) / 8;
	*local = (struct td_endpoint){ .family = words == 4 ? TD_FAMILY_IPV6 : TD_FAMILY_IPV4 };
	for (size_t i = 0; i < words; i++) {
		char text[9] = { 0 };
		uint32_t word;

		memcpy(text, address + 8 * i, 8);
		word = (uint32_t)strtoul(text, NULL, 16);
		memcpy(local->addr + 4 * i, &word, sizeof word);
	}
	*port = (uint16_t)number;
	return true;
}

static bool hears(const struct td_endpoint *local, const struct td_endpoint *addresses,
		  unsigned count)
{
	static const uint8_t any[16];

	if (memcmp(local->addr, any, sizeof any) == 0)
		return true;
	for (unsigned i = 0; i < count; i++)
		if (td_endpoint_same_addr(local, &addresses[i]))
			return true;
	return false;
}

unsigned td_host_sockets_among(const char *table, const struct td_endpoint *addresses,
			       unsigned count, uint16_t first, uint16_t last, uint16_t *example)
{
	FILE *file = fopen(table, "re");
	char line[512];
	unsigned found = 0;

	if (!file)
		return 0;
	while (fgets(line, sizeof line, file)) {
		struct td_endpoint local;
		uint16_t port;

		if (!read_socket(line, &local, &port) || port < first || port > last ||
		    !hears(&local, addresses, count))
			continue;
		*example = port;
		found++;
	}
	fclose(file);
	return found;
}

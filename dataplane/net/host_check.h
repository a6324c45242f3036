// Before the dataplane shares an interface: is what it will take really free to take?
//
//   addresses    must be the host's own, on that interface: the kernel answers for them
//   media ports  must not be those the kernel gives its own clients (a DNS answer would end here)
//   sockets      that another program has bound among the media ports will hear nothing any more
//
// Start-up only, main thread. Nothing of the host is changed: what is wrong is said, with the
// remedy.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "td_endpoint.h"
#include "td_error.h"

// -TD_ENOT_FOUND with a sentence when one of the addresses is not on the interface.
TD_MUST_CHECK int td_host_check_addresses(const char *port_name, const char *device,
					  const struct td_endpoint *addresses, unsigned count,
					  char *reason, size_t reason_bytes);

// -TD_EINVALID with a sentence when the kernel may give one of these UDP ports to any program.
TD_MUST_CHECK int td_host_check_ports(const char *port_name, uint16_t first, uint16_t last,
				      char *reason, size_t reason_bytes);

// The pure part of it. `range` and `reserved` are what the kernel's ip_local_port_range and
// ip_local_reserved_ports say. The first port of [first, last] that is in the range and not
// reserved, or 0.
uint16_t td_host_port_in_use_by_kernel(const char *range, const char *reserved, uint16_t first,
				       uint16_t last);

// How many UDP sockets other programs have on these addresses and ports; the port of one of them.
// `table` is a file of the kernel's such as /proc/net/udp or /proc/net/udp6.
unsigned td_host_sockets_among(const char *table, const struct td_endpoint *addresses,
			       unsigned count, uint16_t first, uint16_t last, uint16_t *example);

// Addresses as they are written in the config file.
//
// Numeric only: a switch that waits for a name server before it starts is no switch. Pure; any
// thread; nothing is allocated.
#pragma once

#include "td_endpoint.h"
#include "td_error.h"

// "192.0.2.1:5060" or "[2001:db8::1]:5060", port 1 to 65535. 0 or -TD_EMALFORMED.
TD_MUST_CHECK int td_address_parse_endpoint(const char *text, struct td_endpoint *out);

// "10.77.0.2/24" or "fd77::2/64"; the port stays 0. 0 or -TD_EMALFORMED.
TD_MUST_CHECK int td_address_parse_prefix(const char *text, struct td_endpoint *out,
					  uint8_t *prefix_bits);

// Whether `addr` lies in the network of `local`/`prefix_bits`.
bool td_address_in_prefix(const struct td_endpoint *addr, const struct td_endpoint *local,
			  uint8_t prefix_bits);

bool td_address_is_loopback(const struct td_endpoint *addr);

// Whether a host can have this address: not unspecified, multicast, broadcast or reserved.
bool td_address_is_host(const struct td_endpoint *addr);

// A transport address that crosses the shared memory: fixed size, no pointers, no libc sockaddr.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum td_family { TD_FAMILY_NONE, TD_FAMILY_IPV4, TD_FAMILY_IPV6 };

struct td_endpoint {
	uint8_t addr[16]; // network order; IPv4 uses the first four bytes, the rest are zero
	uint16_t port_be;
	uint8_t family; // enum td_family
	uint8_t reserved;
};

_Static_assert(sizeof(struct td_endpoint) == 20, "crosses the shared memory");

#define TD_ENDPOINT_TEXT_MAX 56 // "[v6]:port" and the NUL

// Writes "a.b.c.d:port" or "[v6]:port" (or "none") into text and returns it.
const char *td_endpoint_text(const struct td_endpoint *ep, char text[TD_ENDPOINT_TEXT_MAX]);
// The address alone.
const char *td_endpoint_addr_text(const struct td_endpoint *ep, char text[TD_ENDPOINT_TEXT_MAX]);

// Parses a numeric IPv4 or IPv6 address without a port. 0 or -TD_EMALFORMED; never resolves names.
int td_endpoint_parse_addr(const char *text, struct td_endpoint *out);

bool td_endpoint_same_addr(const struct td_endpoint *a, const struct td_endpoint *b);
bool td_endpoint_equal(const struct td_endpoint *a, const struct td_endpoint *b);

// struct td_endpoint to and from what the socket calls take.
//
// On a socket of family AF_INET6 an IPv4 peer travels as ::ffff:a.b.c.d (RFC 4291 2.5.5.2) and is
// shown as IPv4. Pure.
#pragma once

#include <sys/socket.h>

#include "td_endpoint.h"
#include "td_error.h"

// Fills `out` for a socket of `socket_family` (AF_INET or AF_INET6); -TD_EINVALID when that socket
// cannot reach such an address.
TD_MUST_CHECK int td_address_to_sockaddr(const struct td_endpoint *ep, int socket_family,
					 struct sockaddr_storage *out, socklen_t *len);

// -TD_EMALFORMED for a family that is neither.
TD_MUST_CHECK int td_address_from_sockaddr(const struct sockaddr_storage *in,
					   struct td_endpoint *out);

// Opening a UDP socket so that it fails with a sentence an operator can act on.
//
// Non-blocking, close-on-exec, with a large receive buffer, datagrams fragmented rather than refused
// when they exceed the path MTU, and the kernel's own drops reported (SO_RXQ_OVFL). [::] also takes
// IPv4; any other IPv6 address only IPv6. The address is not shared: a second process is told so.
#pragma once

#include "td_endpoint.h"
#include "td_error.h"

#define TD_UDP_REASON_MAX    256
#define TD_UDP_RECEIVE_BYTES (4 << 20) // SO_RCVBUF asked for: a second of hard retransmission

// 0 with the socket and where it is bound; else what td_udp_open returns. The caller closes *fd.
TD_MUST_CHECK int td_udp_socket_open(const struct td_endpoint *listen, int *fd,
				     struct td_endpoint *local, char reason[TD_UDP_REASON_MAX]);

// The local address the kernel would send from to reach `to` (port_be 0): what Via and SDP say
// when the socket is bound to a wildcard. -TD_ENOT_FOUND when there is no route.
TD_MUST_CHECK int td_udp_socket_route(const struct td_endpoint *to, struct td_endpoint *from);

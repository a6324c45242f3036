// A kernel interface the dataplane is about to take: is it there, may we, is it up.
//
// Start-up only, main thread. Every refusal is one sentence with the remedy.
#pragma once

#include <stddef.h>

#include "td_error.h"

// For a capability check: what opening a raw driver on an interface needs.
enum td_interface_need { TD_INTERFACE_AF_PACKET, TD_INTERFACE_AF_XDP, TD_INTERFACE_SHARED };

// 0: not known.
unsigned td_interface_mtu(const char *device);

// Over how many receive queues the interface spreads what comes in; at least 1.
unsigned td_interface_receive_queues(const char *device);

// Checks that `device` exists, has `queues` queues and that this process may open it, and sets it
// up (and receiving all groups, for neighbour discovery). One that is shared with the host is not
// touched: it must be an Ethernet interface, up, and `queues` all of its queues. -TD_ENOT_FOUND, -TD_EDENIED, -TD_EINVALID,
// -TD_EUNSUPPORTED, -TD_EIO.
TD_MUST_CHECK int td_interface_prepare(const char *port_name, const char *device,
				       enum td_interface_need need, unsigned queues, char *reason,
				       size_t reason_bytes);

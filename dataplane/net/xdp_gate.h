// The XDP program that lets a host keep its interface: loaded, attached, taken away.
//
//   NIC queue q -> [ xdp_gate.bpf.c ] -- UDP to our addresses and media ports --> AF_XDP socket q
//                         '------------- everything else ----------------------> the kernel
//
// Attached by a BPF link, which lives as long as the process holds its descriptor: however the
// process ends, the kernel takes the program off the interface at that moment. Open the gate before
// the AF_XDP device, which finds the program there and puts its sockets into its map; close it
// before the device, so that the kernel has all frames again before the sockets go. Main thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "td_endpoint.h"
#include "td_error.h"

struct bpf_object;

struct td_xdp_gate_spec {
	const char *port_name;
	const char *device;
	const struct td_endpoint *addresses; // the host's own, on this interface
	unsigned address_count;
	uint16_t port_first, port_last; // UDP, both included
};

struct td_xdp_gate {
	struct bpf_object *object; // NULL: closed
	int link_fd;               // -1: not attached
	int program_fd;
	int counters_fd;
	uint32_t program_id;
	unsigned interface;
	bool native; // in the driver; else in the kernel's generic path, at the cost of a copy
};

// What has become of frames since the gate was opened.
struct td_xdp_gate_counts {
	uint64_t taken, no_queue, fragments;
};

// Loads the program without attaching it. -TD_EUNSUPPORTED, -TD_EDENIED or -TD_EMEMORY with a
// sentence. For tests, and the first half of td_xdp_gate_open.
TD_MUST_CHECK int td_xdp_gate_load(const struct td_xdp_gate_spec *spec, struct td_xdp_gate *gate,
				   char *reason, size_t reason_bytes);

// Loads and attaches it: in the driver where that works, else in the generic path. -TD_EEXISTS when
// another XDP program is there, else as above, or -TD_EIO.
TD_MUST_CHECK int td_xdp_gate_open(const struct td_xdp_gate_spec *spec, struct td_xdp_gate *gate,
				   char *reason, size_t reason_bytes);

// True while it is our program that runs on the interface.
bool td_xdp_gate_attached(const struct td_xdp_gate *gate);

void td_xdp_gate_count(const struct td_xdp_gate *gate, struct td_xdp_gate_counts *counts);

// A gate that is closed already may be closed again.
void td_xdp_gate_close(struct td_xdp_gate *gate);

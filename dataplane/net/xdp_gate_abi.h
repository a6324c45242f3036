// What the XDP program (xdp_gate.bpf.c) and its loader (xdp_gate.c) both know: the shape of its
// maps. Compiled for the kernel's machine too, so it includes the kernel's types only.
#pragma once

#include <linux/types.h>

// A local address as it lies in the packet; of IPv4 the last twelve bytes are zero.
struct td_xdp_gate_address {
	__u8 bytes[16];
	__u32 version; // 4 or 6
};

// Counters, one word a CPU each.
enum td_xdp_gate_counter {
	TD_XDP_GATE_TAKEN,    // media that the dataplane was to get
	TD_XDP_GATE_NO_QUEUE, // of these, on a receive queue without a socket: left with the kernel
	TD_XDP_GATE_FRAGMENT, // fragments of UDP to our addresses: left with the kernel
	TD_XDP_GATE_COUNTERS
};

#define TD_XDP_GATE_ADDRESS_MAX 32
#define TD_XDP_GATE_QUEUE_MAX   64

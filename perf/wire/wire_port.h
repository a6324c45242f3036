// One end of a veth pair as a packet socket: whole frames in and out, receive times by the kernel.
//
// The host's stack does not own the address used here, so nothing else answers for it: ARP
// requests are answered by this port, and frames that are not ours are ignored. Linux only, one
// thread; exits with a sentence on errors.
#pragma once

#include <stdint.h>

#define TD_WIRE_BATCH     64
#define TD_WIRE_FRAME_MAX 320

struct td_wire_port {
	int fd;
	uint8_t mac[6];
	uint32_t addr_be; // ours
};

struct td_wire_frame {
	uint32_t length;
	uint64_t time_ns; // CLOCK_REALTIME of reception
	uint8_t bytes[TD_WIRE_FRAME_MAX];
};

void td_wire_port_open(struct td_wire_port *port, const char *interface, uint32_t addr_be);

// Sends `count` frames (at most TD_WIRE_BATCH); returns how many the kernel took.
unsigned td_wire_port_send(struct td_wire_port *port, const struct td_wire_frame *frames,
			   unsigned count);

// Takes what has come, ARP requests for our address answered and left out; returns how many.
unsigned td_wire_port_receive(struct td_wire_port *port, struct td_wire_frame *frames,
			      unsigned count);

// Asks by ARP who has `addr_be` and waits up to five seconds.
void td_wire_port_resolve(struct td_wire_port *port, uint32_t addr_be, uint8_t mac[6]);

// Writes the Ethernet header of a frame we originate, with the port's VLAN tag if it has one.
#pragma once

#include <stdint.h>
#include <string.h>

#include "net/port.h"

// The first byte after the header; `frame` has TD_L2_MAX bytes of room.
static inline uint8_t *td_ethernet_write(uint8_t *frame, const struct td_port *port,
					 const uint8_t destination[6], uint16_t ethertype)
{
	memcpy(frame, destination, 6);
	memcpy(frame + 6, port->mac, 6);
	frame += 12;
	if (port->vlan) {
		frame[0] = 0x81;
		frame[1] = 0x00;
		frame[2] = (uint8_t)(port->vlan >> 8);
		frame[3] = (uint8_t)port->vlan;
		frame += 4;
	}
	frame[0] = (uint8_t)(ethertype >> 8);
	frame[1] = (uint8_t)ethertype;
	return frame + 2;
}

// Turns a received frame's Ethernet header round: to `destination`, from us. Any tag stays.
static inline void td_ethernet_reply(uint8_t *frame, const struct td_port *port,
				     const uint8_t destination[6])
{
	memmove(frame, destination, 6);
	memcpy(frame + 6, port->mac, 6);
}

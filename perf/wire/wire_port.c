#include "wire_port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_BUFFER_BYTES (16 << 20)
#define ARP_FRAME_BYTES     42
#define RESOLVE_TRIES       50

struct arp_frame {
	uint8_t to[6], from[6];
	uint16_t ethertype_be, hardware_be, protocol_be;
	uint8_t hardware_len, protocol_len;
	uint16_t operation_be;
	uint8_t sender_mac[6], sender_addr[4], target_mac[6], target_addr[4];
} __attribute__((packed));

static _Noreturn void quit(const char *what)
{
	fprintf(stderr, "wire: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void set_option(int fd, int level, int option, int value, const char *what)
{
	if (setsockopt(fd, level, option, &value, sizeof value) != 0)
		quit(what);
}

void td_wire_port_open(struct td_wire_port *port, const char *interface, uint32_t addr_be)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct ifreq request = { 0 };

	port->addr_be = addr_be;
	port->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (port->fd < 0)
		quit("packet socket");
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
	if (ioctl(port->fd, SIOCGIFHWADDR, &request) != 0)
		quit(interface);
	memcpy(port->mac, request.ifr_hwaddr.sa_data, 6);
	address.sll_ifindex = (int)if_nametoindex(interface);
	set_option(port->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1, "PACKET_IGNORE_OUTGOING");
	set_option(port->fd, SOL_PACKET, PACKET_QDISC_BYPASS, 1, "PACKET_QDISC_BYPASS");
	set_option(port->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1, "SO_TIMESTAMPNS");
	set_option(port->fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER_BYTES, "SO_RCVBUFFORCE");
	set_option(port->fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER_BYTES, "SO_SNDBUFFORCE");
	if (bind(port->fd, (struct sockaddr *)&address, sizeof address) != 0)
		quit("bind");
}

unsigned td_wire_port_send(struct td_wire_port *port, const struct td_wire_frame *frames,
			   unsigned count)
{
	struct mmsghdr messages[TD_WIRE_BATCH];
	struct iovec iovs[TD_WIRE_BATCH];
	int sent;

	memset(messages, 0, count * sizeof messages[0]);
	for (unsigned i = 0; i < count; i++) {
		iovs[i] = (struct iovec){ (void *)frames[i].bytes, frames[i].length };
		messages[i].msg_hdr.msg_iov = &iovs[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	sent = sendmmsg(port->fd, messages, count, 0);
	return sent < 0 ? 0 : (unsigned)sent;
}

static uint64_t receive_time(struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		struct timespec when;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&when, CMSG_DATA(c), sizeof when);
		return (uint64_t)when.tv_sec * 1000000000u + (uint64_t)when.tv_nsec;
	}
	return 0;
}

// Answers a question for our address; true when the frame was ARP at all.
static int handle_arp(struct td_wire_port *port, const struct td_wire_frame *frame)
{
	struct td_wire_frame reply = { .length = ARP_FRAME_BYTES };
	struct arp_frame arp;

	if (frame->length < ARP_FRAME_BYTES)
		return 0;
	memcpy(&arp, frame->bytes, sizeof arp);
	if (arp.ethertype_be != htons(ETH_P_ARP))
		return 0;
	if (arp.operation_be != htons(1) || memcmp(arp.target_addr, &port->addr_be, 4) != 0)
		return 1;
	memcpy(arp.to, arp.from, 6);
	memcpy(arp.from, port->mac, 6);
	arp.operation_be = htons(2);
	memcpy(arp.target_mac, arp.sender_mac, 6);
	memcpy(arp.target_addr, arp.sender_addr, 4);
	memcpy(arp.sender_mac, port->mac, 6);
	memcpy(arp.sender_addr, &port->addr_be, 4);
	memcpy(reply.bytes, &arp, sizeof arp);
	td_wire_port_send(port, &reply, 1);
	return 1;
}

static unsigned receive_frames(struct td_wire_port *port, struct td_wire_frame *frames,
			       unsigned count)
{
	static char controls[TD_WIRE_BATCH][64];
	struct mmsghdr messages[TD_WIRE_BATCH];
	struct iovec iovs[TD_WIRE_BATCH];
	int got;

	count = count < TD_WIRE_BATCH ? count : TD_WIRE_BATCH;
	memset(messages, 0, count * sizeof messages[0]);
	for (unsigned i = 0; i < count; i++) {
		iovs[i] = (struct iovec){ frames[i].bytes, sizeof frames[i].bytes };
		messages[i].msg_hdr.msg_iov = &iovs[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		messages[i].msg_hdr.msg_control = controls[i];
		messages[i].msg_hdr.msg_controllen = sizeof controls[i];
	}
	got = recvmmsg(port->fd, messages, count, MSG_DONTWAIT, NULL);
	for (int i = 0; i < got; i++) {
		frames[i].length = messages[i].msg_len;
		frames[i].time_ns = receive_time(&messages[i].msg_hdr);
	}
	return got < 0 ? 0 : (unsigned)got;
}

unsigned td_wire_port_receive(struct td_wire_port *port, struct td_wire_frame *frames,
			      unsigned count)
{
	unsigned got = receive_frames(port, frames, count), kept = 0;

	for (unsigned i = 0; i < got; i++) {
		if (handle_arp(port, &frames[i]))
			continue;
		if (kept != i)
			frames[kept] = frames[i];
		kept++;
	}
	return kept;
}

static void ask(struct td_wire_port *port, uint32_t addr_be)
{
	struct td_wire_frame frame = { .length = ARP_FRAME_BYTES };
	struct arp_frame arp = { .ethertype_be = htons(ETH_P_ARP),
				 .hardware_be = htons(1),
				 .protocol_be = htons(ETH_P_IP),
				 .hardware_len = 6,
				 .protocol_len = 4,
				 .operation_be = htons(1) };

	memset(arp.to, 0xff, 6);
	memcpy(arp.from, port->mac, 6);
	memcpy(arp.sender_mac, port->mac, 6);
	memcpy(arp.sender_addr, &port->addr_be, 4);
	memcpy(arp.target_addr, &addr_be, 4);
	memcpy(frame.bytes, &arp, sizeof arp);
	td_wire_port_send(port, &frame, 1);
}

void td_wire_port_resolve(struct td_wire_port *port, uint32_t addr_be, uint8_t mac[6])
{
	for (int tries = 0; tries < RESOLVE_TRIES; tries++) {
		struct pollfd readable = { port->fd, POLLIN, 0 };
		struct td_wire_frame frame;
		struct arp_frame arp;

		ask(port, addr_be);
		while (poll(&readable, 1, 100) > 0 && receive_frames(port, &frame, 1) == 1) {
			memcpy(&arp, frame.bytes, sizeof arp);
			if (frame.length >= ARP_FRAME_BYTES &&
			    arp.ethertype_be == htons(ETH_P_ARP) && arp.operation_be == htons(2) &&
			    memcmp(arp.sender_addr, &addr_be, 4) == 0) {
				memcpy(mac, arp.sender_mac, 6);
				return;
			}
			handle_arp(port, &frame);
		}
	}
	errno = EHOSTUNREACH;
	quit("no answer to ARP");
}

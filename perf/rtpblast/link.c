#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_byteorder.h>
#include <rte_ethdev.h>

#include "base/clock.h"

#define SEND_NS       TD_NS_PER_MS
#define RESOLVE_TRIES 50
#define RESOLVE_NS    (100 * TD_NS_PER_MS)
#define REST_US       200
#define ETHERTYPE_ARP 0x0806

enum operation { REQUEST = 1, REPLY = 2 };

struct arp_frame {
	uint8_t to[6], from[6];
	uint16_t ethertype_be, hardware_be, protocol_be;
	uint8_t hardware_len, protocol_len;
	uint16_t operation_be;
	uint8_t sender_mac[6];
	uint32_t sender_be;
	uint8_t target_mac[6];
	uint32_t target_be;
} __attribute__((packed));

void td_link_open(struct td_link *link, uint16_t dpdk_port, struct rte_mempool *pool,
		  uint32_t first_addr, uint32_t addr_count)
{
	struct td_port_spec spec = { .name = "blast",
				     .kind = TD_PORT_KIND_NET_RING,
				     .device = "of the EAL",
				     .rx_queues = 1,
				     .workers = 1 };
	char reason[TD_PORT_REASON_MAX];

	*link = (struct td_link){ .pool = pool,
				  .first_addr = first_addr,
				  .addr_count = addr_count };
	if (td_port_adopt(&spec, dpdk_port, pool, &link->port, reason) != 0) {
		fprintf(stderr, "rtpblast: %s\n", reason);
		exit(2);
	}
}

void td_link_close(struct td_link *link)
{
	td_port_close(&link->port);
}

unsigned td_link_send(struct td_link *link, struct rte_mbuf **mbufs, unsigned count)
{
	uint64_t give_up_ns = 0;
	unsigned sent = 0;

	while (sent < count) {
		uint16_t taken = rte_eth_tx_burst(link->port.dpdk_port, 0, mbufs + sent,
						  (uint16_t)(count - sent));

		sent += taken;
		if (taken)
			continue;
		if (give_up_ns == 0)
			give_up_ns = td_clock_now_ns() + SEND_NS;
		else if (td_clock_now_ns() > give_up_ns)
			break;
	}
	for (unsigned i = sent; i < count; i++)
		rte_pktmbuf_free(mbufs[i]);
	return sent;
}

static void send_arp(struct td_link *link, enum operation operation, const uint8_t to[6],
		     uint32_t sender_be, uint32_t target_be)
{
	struct arp_frame arp = { .ethertype_be = rte_cpu_to_be_16(ETHERTYPE_ARP),
				 .hardware_be = rte_cpu_to_be_16(1),
				 .protocol_be = rte_cpu_to_be_16(0x0800),
				 .hardware_len = 6,
				 .protocol_len = 4,
				 .operation_be = rte_cpu_to_be_16((uint16_t)operation),
				 .sender_be = sender_be,
				 .target_be = target_be };
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(link->pool);
	char *frame = mbuf ? rte_pktmbuf_append(mbuf, sizeof arp) : NULL;

	if (!frame) {
		rte_pktmbuf_free(mbuf);
		return;
	}
	memcpy(arp.to, to, 6);
	memcpy(arp.from, link->port.mac, 6);
	memcpy(arp.sender_mac, link->port.mac, 6);
	if (operation == REPLY)
		memcpy(arp.target_mac, to, 6);
	memcpy(frame, &arp, sizeof arp);
	td_link_send(link, &mbuf, 1);
}

// True when the frame is about ARP, and leaves it in *arp; a question for us is answered.
static int handle_arp(struct td_link *link, const struct rte_mbuf *mbuf, struct arp_frame *arp)
{
	uint32_t target;

	if (rte_pktmbuf_data_len(mbuf) < sizeof *arp)
		return 0;
	memcpy(arp, rte_pktmbuf_mtod(mbuf, const void *), sizeof *arp);
	if (arp->ethertype_be != rte_cpu_to_be_16(ETHERTYPE_ARP))
		return 0;
	target = rte_be_to_cpu_32(arp->target_be);
	if (arp->operation_be == rte_cpu_to_be_16(REQUEST) &&
	    target - link->first_addr < link->addr_count)
		send_arp(link, REPLY, arp->sender_mac, arp->target_be, arp->sender_be);
	return 1;
}

unsigned td_link_receive(struct td_link *link, struct rte_mbuf **mbufs)
{
	unsigned count = rte_eth_rx_burst(link->port.dpdk_port, 0, mbufs, TD_LINK_BURST), kept = 0;

	for (unsigned i = 0; i < count; i++) {
		struct arp_frame arp;

		if (handle_arp(link, mbufs[i], &arp))
			rte_pktmbuf_free(mbufs[i]);
		else
			mbufs[kept++] = mbufs[i];
	}
	return kept;
}

// Takes what has come and looks for the answer among it.
static int answered(struct td_link *link, uint32_t addr_be, uint8_t mac[6])
{
	struct rte_mbuf *mbufs[TD_LINK_BURST];
	unsigned count = rte_eth_rx_burst(link->port.dpdk_port, 0, mbufs, TD_LINK_BURST);
	int found = 0;

	for (unsigned i = 0; i < count; i++) {
		struct arp_frame arp;

		if (handle_arp(link, mbufs[i], &arp) &&
		    arp.operation_be == rte_cpu_to_be_16(REPLY) && arp.sender_be == addr_be) {
			memcpy(mac, arp.sender_mac, 6);
			found = 1;
		}
		rte_pktmbuf_free(mbufs[i]);
	}
	return found;
}

int td_link_resolve(struct td_link *link, uint32_t addr, uint8_t mac[6])
{
	const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint32_t addr_be = rte_cpu_to_be_32(addr);

	for (int tries = 0; tries < RESOLVE_TRIES; tries++) {
		uint64_t end_ns = td_clock_now_ns() + RESOLVE_NS;

		send_arp(link, REQUEST, everybody, rte_cpu_to_be_32(link->first_addr), addr_be);
		while (td_clock_now_ns() < end_ns) {
			if (answered(link, addr_be, mac))
				return 0;
			usleep(REST_US);
		}
	}
	return -TD_ETIMEOUT;
}

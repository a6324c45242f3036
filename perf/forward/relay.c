#include "relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>
#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>
#include <rte_udp.h>

#include "../cpu_clock.h"

#define BURST          32
#define PAYLOAD_BYTES  160
#define FRAME_BYTES    (14 + 20 + 8 + 12 + PAYLOAD_BYTES)
#define PORTS_PER_ADDR 32768
#define NET_BASE       0x0a000000u // 10.0.0.0: address of session i is base + i / 32768

struct rtp {
	uint8_t vpxcc, mpt;
	uint16_t sequence_be;
	uint32_t timestamp_be, ssrc_be;
} __attribute__((packed));

struct session {
	// What must match, and RFC 3550 A.1 and A.8.
	uint32_t source_addr_be;
	uint16_t source_port_be;
	uint16_t sequence_max;
	uint32_t cycles, received, transit, jitter;
	uint64_t bytes;
	uint8_t payload_type, reserved[31];
	// What is written.
	uint32_t out_source_be, out_destination_be;
	uint16_t out_source_port_be, out_destination_port_be;
	uint8_t out_mac[12];
	uint32_t out_ssrc_be, timestamp_offset, packets;
	uint16_t sequence_offset;
	uint8_t out_payload_type, reserved2[25];
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct session) == 128, "two cache lines");

struct td_relay {
	uint32_t count;
	struct session *sessions;
};

static uint32_t address_of(uint32_t index)
{
	return rte_cpu_to_be_32(NET_BASE + index / PORTS_PER_ADDR);
}

static uint16_t port_of(uint32_t index)
{
	return rte_cpu_to_be_16((uint16_t)((index % PORTS_PER_ADDR) * 2));
}

static uint32_t index_of(uint32_t addr_be, uint16_t port_be)
{
	return (rte_be_to_cpu_32(addr_be) - NET_BASE) * PORTS_PER_ADDR +
	       rte_be_to_cpu_16(port_be) / 2;
}

// Sattolo's shuffle: one cycle through all sessions.
static uint32_t *random_cycle(uint32_t count, uint64_t seed)
{
	uint32_t *order = malloc(count * sizeof *order);

	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	for (uint32_t i = count - 1; i > 0; i--) {
		uint32_t swap, with;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		with = (uint32_t)((seed >> 33) % i);
		swap = order[i];
		order[i] = order[with];
		order[with] = swap;
	}
	return order;
}

uint32_t td_relay_session_bytes(void)
{
	return sizeof(struct session);
}

struct td_relay *td_relay_create(uint32_t count, uint64_t seed)
{
	struct td_relay *relay = calloc(1, sizeof *relay);
	uint32_t *order = random_cycle(count, seed);

	relay->count = count;
	relay->sessions = rte_zmalloc(NULL, count * sizeof *relay->sessions, 64);
	if (!relay->sessions) {
		fprintf(stderr, "forward: no memory for %u sessions of the bare loop\n", count);
		exit(2);
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = order[i], next = order[(i + 1) % count];
		struct session *session = &relay->sessions[at], *after = &relay->sessions[next];

		session->out_source_be = address_of(at);
		session->out_source_port_be = port_of(at);
		session->out_destination_be = address_of(next);
		session->out_destination_port_be = port_of(next);
		session->out_ssrc_be = at;
		session->timestamp_offset = at * 7;
		session->sequence_offset = (uint16_t)at;
		after->source_addr_be = address_of(at);
		after->source_port_be = port_of(at);
	}
	free(order);
	return relay;
}

void td_relay_destroy(struct td_relay *relay)
{
	rte_free(relay->sessions);
	free(relay);
}

void td_relay_make_packet(struct td_relay *relay, uint32_t index, struct rte_mbuf *mbuf)
{
	const struct session *session = &relay->sessions[index];
	uint8_t *frame = (uint8_t *)rte_pktmbuf_append(mbuf, FRAME_BYTES);
	struct rte_ether_hdr *eth;
	struct rte_ipv4_hdr *ip;
	struct rte_udp_hdr *udp;
	struct rtp *rtp;

	if (!frame)
		exit(2); // a pool with room for less than one frame
	eth = (struct rte_ether_hdr *)frame;
	ip = (struct rte_ipv4_hdr *)(frame + 14);
	udp = (struct rte_udp_hdr *)(frame + 34);
	rtp = (struct rtp *)(frame + 42);
	memset(frame, 0xd5, FRAME_BYTES);
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	memset(ip, 0, sizeof *ip);
	ip->version_ihl = 0x45;
	ip->total_length = rte_cpu_to_be_16(FRAME_BYTES - 14);
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_UDP;
	ip->src_addr = session->source_addr_be;
	ip->dst_addr = address_of(index);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->src_port = session->source_port_be;
	udp->dst_port = port_of(index);
	udp->dgram_len = rte_cpu_to_be_16(FRAME_BYTES - 34);
	udp->dgram_cksum = 0;
	rtp->vpxcc = 0x80;
	rtp->mpt = 0;
	rtp->sequence_be = 0;
	rtp->timestamp_be = 0;
	rtp->ssrc_be = 1;
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
}

static inline uint32_t sum16(const void *bytes, unsigned words)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < words; i++) {
		uint16_t word;

		memcpy(&word, (const uint8_t *)bytes + 2 * i, 2);
		sum += word;
	}
	return sum;
}

static inline uint16_t adjust(uint16_t checksum, uint32_t before, uint32_t after)
{
	uint32_t sum = (uint16_t)~checksum + after + (0xffff0u - before);

	// `before` is at most 16 words, so the difference from 16 x 0xffff is never negative.
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static inline void measure(struct session *session, const struct rtp *rtp, uint32_t now,
			   uint32_t len)
{
	uint16_t sequence = rte_be_to_cpu_16(rtp->sequence_be);
	uint16_t delta = (uint16_t)(sequence - session->sequence_max);
	uint32_t transit = now - rte_be_to_cpu_32(rtp->timestamp_be);
	int32_t d = (int32_t)(transit - session->transit);

	if (delta < 3000) {
		session->cycles += sequence < session->sequence_max;
		session->sequence_max = sequence;
	}
	session->transit = transit;
	d = d < 0 ? -d : d;
	session->jitter += d - ((session->jitter + 8) >> 4);
	session->received++;
	session->bytes += len;
}

static inline void rewrite(struct session *session, uint8_t *frame)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + 14);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(frame + 34);
	struct rtp *rtp = (struct rtp *)(frame + 42);
	uint32_t ip_before = sum16(&ip->src_addr, 4), ip_after;
	uint32_t l4_before = ip_before + sum16(udp, 2) + sum16(rtp, 6), l4_after;

	memcpy(frame, session->out_mac, 12);
	ip->src_addr = session->out_source_be;
	ip->dst_addr = session->out_destination_be;
	ip_after = sum16(&ip->src_addr, 4);
	ip->hdr_checksum = adjust(ip->hdr_checksum, ip_before, ip_after);
	udp->src_port = session->out_source_port_be;
	udp->dst_port = session->out_destination_port_be;
	rtp->mpt = (uint8_t)((rtp->mpt & 0x80) | session->out_payload_type);
	rtp->sequence_be = rte_cpu_to_be_16(
		(uint16_t)(rte_be_to_cpu_16(rtp->sequence_be) + session->sequence_offset));
	rtp->timestamp_be =
		rte_cpu_to_be_32(rte_be_to_cpu_32(rtp->timestamp_be) + session->timestamp_offset);
	rtp->ssrc_be = session->out_ssrc_be;
	l4_after = ip_after + sum16(udp, 2) + sum16(rtp, 6);
	udp->dgram_cksum = adjust(udp->dgram_cksum, l4_before, l4_after);
	session->packets++;
}

// Parse and look up; NULL for what a relay would not pass.
static inline struct session *lookup(const struct td_relay *relay, const uint8_t *frame)
{
	const struct rte_ether_hdr *eth = (const struct rte_ether_hdr *)frame;
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame + 14);
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(frame + 34);
	uint32_t index;

	if (eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) || ip->version_ihl != 0x45 ||
	    ip->next_proto_id != IPPROTO_UDP || frame[42] >> 6 != 2)
		return NULL;
	index = index_of(ip->dst_addr, udp->dst_port);
	return index < relay->count ? &relay->sessions[index] : NULL;
}

static unsigned relay_burst(struct td_relay *relay, struct rte_mbuf **mbufs, unsigned count)
{
	struct session *sessions[BURST];
	unsigned kept = 0;
	uint32_t now = (uint32_t)rte_rdtsc();

	for (unsigned i = 0; i < count; i++)
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
	for (unsigned i = 0; i < count; i++) {
		sessions[i] = lookup(relay, rte_pktmbuf_mtod(mbufs[i], uint8_t *));
		if (sessions[i]) {
			rte_prefetch0(sessions[i]);
			rte_prefetch0((uint8_t *)sessions[i] + 64);
		}
	}
	for (unsigned i = 0; i < count; i++) {
		uint8_t *frame = rte_pktmbuf_mtod(mbufs[i], uint8_t *);
		const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(frame + 14);
		const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(frame + 34);

		if (!sessions[i] || ip->src_addr != sessions[i]->source_addr_be ||
		    udp->src_port != sessions[i]->source_port_be) {
			rte_pktmbuf_free(mbufs[i]);
			continue;
		}
		measure(sessions[i], (const struct rtp *)(frame + 42), now, PAYLOAD_BYTES);
		rewrite(sessions[i], frame);
		mbufs[kept++] = mbufs[i];
	}
	return kept;
}

uint64_t td_relay_run(struct td_relay *relay, uint16_t port, uint64_t packets, uint64_t *lost)
{
	uint64_t start_ns = td_cpu_ns(), done = 0;

	while (done < packets) {
		struct rte_mbuf *mbufs[BURST];
		unsigned count = rte_eth_rx_burst(port, 0, mbufs, BURST);
		unsigned kept = relay_burst(relay, mbufs, count), sent;

		sent = rte_eth_tx_burst(port, 0, mbufs, (uint16_t)kept);
		*lost += count - sent;
		for (unsigned i = sent; i < kept; i++)
			rte_pktmbuf_free(mbufs[i]);
		done += count;
		if (count == 0 && *lost)
			break;
	}
	return td_cpu_ns() - start_ns;
}

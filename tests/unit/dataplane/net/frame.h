// Frames for tests, built by DPDK's own checksum code so that ours is checked against another.
//
// Also the environment every such test needs: EAL without hugepages or devices, one mbuf pool whose
// count must be what it was at the end of each test.
#pragma once

#include <stdint.h>

#include <check.h>
#include <rte_mbuf.h>

#include "net/answer.h"
#include "net/local.h"
#include "net/neighbour.h"
#include "net/parse.h"
#include "net/port.h"
#include "td_endpoint.h"

struct frame {
	uint8_t bytes[2048];
	uint32_t len;
	uint32_t l3; // offset
	uint32_t l4; // offset
};

extern const uint8_t frame_our_mac[6], frame_peer_mac[6];

// One port (index 0, MAC frame_our_mac) with 10.77.0.2/24 (gateway 10.77.0.1) as local address 0 and
// fd77::2/64 as 1; a neighbour table on them.
struct frame_world {
	struct td_port ports[2];
	struct td_locals locals;
	struct td_neighbours *neighbours;
	struct td_parse_env parse;
	struct td_answer_env answer;
	struct td_worker_stats stats;
	struct rte_mempool *pool;
	unsigned pool_count;
};

// Once a test program; the calling thread becomes worker 0.
void frame_environment(void);
struct rte_mempool *frame_pool(void);

void frame_world_open(struct frame_world *world);
// Fails the test when an mbuf is missing.
void frame_world_close(struct frame_world *world);

struct td_endpoint frame_endpoint(const char *addr, uint16_t port);

void frame_udp(struct frame *frame, const char *source, uint16_t source_port,
	       const char *destination, uint16_t destination_port, uint32_t payload_len);
void frame_arp(struct frame *frame, uint16_t opcode, const uint8_t sender_mac[6],
	       const char *sender, const char *target);
// `body` follows type, code and checksum; ICMP or ICMPv6 by the addresses' family.
void frame_icmp(struct frame *frame, const char *source, const char *destination, uint8_t type,
		const void *body, uint32_t body_len);
// A solicitation (135) or advertisement (136) with hop limit 255; `option` 0 for none.
void frame_nd(struct frame *frame, const char *source, const char *destination, uint8_t type,
	      uint8_t flags, const char *target, uint8_t option, const uint8_t mac[6]);
// Inserts a VLAN tag.
void frame_tag(struct frame *frame, uint16_t tci);
// Puts right every checksum after a test has changed bytes.
void frame_checksums(struct frame *frame);

struct rte_mbuf *frame_empty_mbuf(void);
struct rte_mbuf *frame_mbuf(struct rte_mempool *pool, const struct frame *frame);

// Parses one frame: 0 or the drop as 1 + enum td_drop. The mbuf stays the caller's.
int frame_parse(struct frame_world *world, struct rte_mbuf *mbuf, struct td_packet *packet);

// Parses the frame by itself and in a vector, which has a short way for plain frames: both must
// agree in every field. The mbufs are freed; the pointers in *packet are for comparing only.
int frame_parse_both(struct frame_world *world, const struct frame *frame,
		     struct td_packet *packet);

// True when every checksum in this Ethernet frame is right, by DPDK's code.
bool frame_checksums_right(const struct rte_mbuf *mbuf);

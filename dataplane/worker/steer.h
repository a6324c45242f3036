// A packet that came in on one worker and belongs to another crosses here, once.
//
//   worker A: parsed, demuxed, not mine -> vector for B -> rte_ring of B -> worker B: looks up again
//
// The parse result travels in the mbuf's private area. B looks the port up again, because the
// stream may have gone while the packet was on the ring: A's quiescent state says nothing about B.
// One ring a worker, many producers, one consumer, TD_STEER_RING packets; full: TD_DROP_STEER_FULL.
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>

#include "net/packet.h"
#include "td_error.h"
#include "td_limits.h"
#include "td_role.h"
#include "td_stats.h"

#define TD_STEER_RING   4096
#define TD_STEER_VECTOR 64

// What a pool's mbufs must have as private area (rte_pktmbuf_pool_create's priv_size).
#define TD_STEER_PRIVATE_BYTES 64

_Static_assert(sizeof(struct td_packet) <= TD_STEER_PRIVATE_BYTES, "a parse result fits");

struct rte_ring;

struct td_steer {
	struct rte_ring *in;                 // what others have for us
	struct rte_ring *out[TD_WORKER_MAX]; // by worker; borrowed
	struct rte_mbuf *vectors[TD_WORKER_MAX][TD_STEER_VECTOR];
	uint32_t counts[TD_WORKER_MAX];
	uint32_t worker_count;
};

// Takes the packet's mbuf. Room for a full receive vector a call of td_steer_flush.
static inline void td_steer_push(struct td_steer *steer, uint32_t worker,
				 const struct td_packet *packet)
{
	memcpy(rte_mbuf_to_priv(packet->mbuf), packet, sizeof *packet);
	steer->vectors[worker][steer->counts[worker]++] = packet->mbuf;
}

// Hands the gathered vectors over; what does not fit is freed and counted. Returns how many were taken.
uint32_t td_steer_flush(struct td_steer *steer, struct td_worker_stats *stats) TD_WORKER;

// At most `max` packets that others handed over; gives their mbufs to the caller.
uint32_t td_steer_take(struct td_steer *steer, struct td_packet *packets, uint32_t max,
		       struct td_worker_stats *stats) TD_WORKER;

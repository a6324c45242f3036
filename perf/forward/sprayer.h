// Somebody who has no call sprays a rig's ports: well-formed RTP from an address that nobody has
// heard of, in sequence port by port, the ports in a random order over and over.
//
// Not timed: only frames are made here.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "rig/bench.h"

struct td_sprayer;

// `bytes` of a frame. The streams are borrowed until it is destroyed. NULL: no memory.
struct td_sprayer *td_sprayer_create(const struct td_bench_stream *streams, uint32_t count,
				     const uint8_t mac[6], uint16_t bytes, uint64_t seed);
void td_sprayer_destroy(struct td_sprayer *sprayer);
// The next one. NULL: the pool is empty.
struct rte_mbuf *td_sprayer_make(struct td_sprayer *sprayer, struct rte_mempool *pool);
// Whether what the switch sends has come from here, or goes there.
bool td_sprayer_knows(const struct rte_mbuf *mbuf);

// The real dataplane, all of it but the threads: engine, demux, neighbours and one worker whose
// turns the benchmark takes itself, on a port that loops back.
//
//   stream A_i <-> B_i are calls; a packet to A_i leaves from B_i, addressed to the next A of a
//   random cycle, and so on round; the other direction goes round the cycle backwards.
//
// So every stream's both cache lines, every port entry and nothing else but the packets are
// touched, in random order, which is what a switch with this many calls does.
#pragma once

#include <stdint.h>

#include <rte_mempool.h>

struct td_rig;

// `streams`: 2 or more, even; half as many calls. Exits with a sentence when anything fails.
struct td_rig *td_rig_create(uint32_t streams, uint16_t port, struct rte_mempool *pool,
			     uint64_t seed);
void td_rig_destroy(struct td_rig *rig);

// Puts `packets` on the ring, spread over the streams.
void td_rig_fill(struct td_rig *rig, uint32_t packets);

// Takes turns until `packets` have been forwarded; returns elapsed TSC cycles. `lost` grows by what
// was dropped.
uint64_t td_rig_run(struct td_rig *rig, uint64_t packets, uint64_t *lost);
// The most frequent drop reason so far.
const char *td_rig_drop_reason(const struct td_rig *rig);

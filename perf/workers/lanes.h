// Workers that run at the same time, each a thread on a core of its own, each with calls of its own on a
// queue of its own, in step:
//
//   feed (not timed): what a worker has sent, as its next parties' packets, into its queue, or a
//   share of it into the next worker's   |   turns (timed) until that is through   |   turns (timed)
//   until what has crossed is through
//
// So while one worker is timed the others are at the same work, and nobody is timed waiting. Calls are
// of two, forwarded; packets go through a worker's streams in a random order.
#pragma once

#include <stdint.h>

#include <rte_mempool.h>

struct td_lanes;
struct td_worker;

// `streams` a worker. The calling thread is the first worker's. Exits with a sentence when anything fails.
struct td_lanes *td_lanes_create(uint32_t workers, uint32_t streams, struct rte_mempool *pool,
				 uint64_t seed);
void td_lanes_destroy(struct td_lanes *lanes);

struct td_lanes_result {
	double packets_per_s; // of all, each by its own CPU time
	double ns;            // CPU time of a packet
	uint64_t crossed, lost;
};

// The first `active` workers forward about `packets` each; `crossing` of 256 come in at another one's
// queue.
struct td_lanes_result td_lanes_run(struct td_lanes *lanes, uint32_t active, uint64_t packets,
				    uint32_t crossing);
// The first worker; it stands still while no lanes run.
struct td_worker *td_lanes_worker(struct td_lanes *lanes);
const char *td_lanes_drop_reason(const struct td_lanes *lanes);

// What one worker (0) does for the link layer, about once a millisecond: announce our addresses at
// start, ask for next hops that are due.
//
// Here rather than on the main thread because asking means sending, and only workers own transmit
// queues. Announcements go out TD_ANNOUNCE_COUNT times (RFC 5227 section 2.3), for a switch or bridge
// may not be forwarding yet when a port has just come up.
#pragma once

#include <stdint.h>

#include <rte_mempool.h>

#include "net/answer.h"
#include "net/tx.h"
#include "td_role.h"
#include "td_stats.h"

#define TD_ANNOUNCE_COUNT       3
#define TD_ANNOUNCE_INTERVAL_NS 2000000000ull
#define TD_QUESTIONS_PER_CALL   16

struct td_housekeeper {
	uint32_t announcements; // rounds sent so far
	uint64_t announce_ns;   // when the next round is due
};

// Returns how many packets it sent.
uint32_t td_housekeeper_run(struct td_housekeeper *housekeeper, const struct td_answer_env *env,
			    struct rte_mempool *pool, uint64_t now_ns, struct td_tx *tx,
			    struct td_worker_stats *stats) TD_WORKER;

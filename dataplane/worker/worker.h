// One worker: a polling thread that owns the streams of its contexts and shares nothing.
//
//   turn:  rx burst -> parse -> demux -+-> RTP, RTCP -> media stages -+
//                                      +-> ARP, ND, ICMP answers -----+-> tx flush
//          steered in -----------------+                              |
//          slots of the tick that are due -> players -----------------+
//          sweep, changes from main, quiescent state, heartbeat
//
// In a flood of which little is let in, one turn receives up to four bursts from a queue before it works
// on what they leave as one vector: only while they come full, so that nothing waits for what has not
// come.
//
// Every frame taken from a port is forwarded, consumed, handed to the worker that owns it, or freed
// under exactly one drop counter; the identity in td_stats.h holds after every turn. Nothing in a
// turn blocks, allocates (but mbufs), logs or makes a system call outside the port's driver; only
// the pause between turns sleeps, and changes the thread's class, when polling is adaptive.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_mempool.h>

#include "media/worker.h"
#include "net/answer.h"
#include "net/demux.h"
#include "net/parse.h"
#include "net/tx.h"
#include "td_limits.h"
#include "worker/housekeeper.h"
#include "worker/pace.h"
#include "worker/slots.h"
#include "worker/steer.h"
#include "worker/urgency.h"

#define TD_WORKER_BURST    64
#define TD_WORKER_POLL_MAX (TD_PORT_MAX * TD_WORKER_MAX)

struct rte_ring;
struct td_stage_clock;

struct td_worker_poll {
	uint16_t dpdk_port, queue;
	uint8_t port;
};

// A port's transmit queue of ours that others send through.
struct td_worker_handover {
	struct rte_ring *ring;
	uint8_t port;
};

struct td_worker {
	alignas(TD_CACHE_LINE) uint32_t index;
	uint32_t poll_count, handover_count;
	struct td_worker_poll polls[TD_WORKER_POLL_MAX];
	struct td_worker_handover handovers[TD_PORT_MAX];
	struct td_parse_env parse;
	struct td_answer_env answer;
	const struct td_demux *demux; // borrowed, like everything below
	struct td_media_worker *media;
	struct td_stage_clock *stages;
	struct rte_mempool *pool;
	struct td_worker_stats *stats;
	struct td_tx tx;
	uint32_t tx_waited; // turns that what is to be sent has waited for company
	struct td_steer steer;
	struct td_slots slots;
	struct td_pace pace;
	struct td_urgency urgency;
	struct td_housekeeper housekeeper;
	uint64_t turn_ns;   // start of the last turn
	bool turn_busy;     // whether it found something to do
	_Atomic bool *stop; // main: writes, workers: read
};

// One turn at `now_ns`. True when something came from outside: packets, or changes from main. The
// calling thread has attached.
bool td_worker_turn(struct td_worker *worker, uint64_t now_ns) TD_WORKER;

// Brackets a thread's turns: role, RCU registration, first slot.
void td_worker_attach(struct td_worker *worker, uint64_t now_ns)
	TD_CAPABILITY_ATTR(assert_capability(td_role_worker));
void td_worker_detach(struct td_worker *worker) TD_WORKER;

// Turns until *worker->stop; what an lcore runs. Frees what is still gathered.
int td_worker_run(void *worker);

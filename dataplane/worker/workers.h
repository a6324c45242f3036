// All workers together: which of them polls which queue, the rings between them, start and stop.
//
//   queue q of port p is polled, and sent through, by worker (p + q) modulo worker_count
//
//   A worker without a transmit queue on a port hands its packets to the owner of queue
//   (its own rank) modulo tx_queues. A worker whose streams' packets come in elsewhere gets them by
//   its steering ring. So any number of queues serves any number of workers.
//
// Created, started and stopped by the main thread; owns the rings and frees what is left on them.
#pragma once

#include <stdint.h>

#include "td_error.h"
#include "td_role.h"
#include "worker/worker.h"

struct td_engine;

struct td_workers_options {
	uint32_t worker_count;
	bool busy_poll;
	const struct td_port *ports;
	uint32_t port_count;
	const struct td_locals *locals;
	struct td_demux *demux;
	struct td_neighbours *neighbours;
	struct rte_mempool *pool; // mbufs with TD_STEER_PRIVATE_BYTES of private area
	struct td_engine *engine;
	struct td_worker_stats *stats; // [worker_count], in the region
};

struct td_workers {
	struct td_worker *workers[TD_WORKER_MAX];
	unsigned lcores[TD_WORKER_MAX];
	uint32_t worker_count;
	uint32_t started;
	_Atomic bool stop;
	struct rte_ring *steer[TD_WORKER_MAX];
	struct rte_ring *handover[TD_PORT_MAX][TD_WORKER_MAX];
};

// Everything in the options is borrowed. -TD_EMEMORY, -TD_EINVALID (a pool without room for steering).
TD_MUST_CHECK int td_workers_create(const struct td_workers_options *options,
				    struct td_workers **out) TD_MAIN;

// Launches worker w on EAL lcore lcores[w]. -TD_EIO when one does not start.
TD_MUST_CHECK int td_workers_start(struct td_workers *workers, const unsigned *lcores) TD_MAIN;

// Stops and joins them; the ports are still open.
void td_workers_stop(struct td_workers *workers) TD_MAIN;
void td_workers_destroy(struct td_workers *workers) TD_MAIN;

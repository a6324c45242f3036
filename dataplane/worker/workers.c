#include <stdio.h>
#include <stdlib.h>

#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "media/engine.h"
#include "td_assert.h"
#include "worker/workers.h"

#define HANDOVER_RING 4096

static struct rte_ring *create_ring(const char *kind, const void *owner, uint32_t a, uint32_t b,
				    uint32_t slots)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof name, "%s%u.%u@%x", kind, a, b, (uint32_t)(uintptr_t)owner);
	return rte_ring_create(name, slots, SOCKET_ID_ANY, RING_F_SC_DEQ);
}

static void drain_ring(struct rte_ring *ring)
{
	void *mbuf;

	while (ring && rte_ring_dequeue(ring, &mbuf) == 0)
		rte_pktmbuf_free(mbuf);
	rte_ring_free(ring);
}

static uint32_t owner_of(const struct td_workers *workers, uint32_t port, uint32_t queue)
{
	return (port + queue) % workers->worker_count;
}

static void assign_receive(struct td_workers *workers, const struct td_workers_options *options)
{
	for (uint32_t p = 0; p < options->port_count; p++) {
		for (uint32_t q = 0; q < options->ports[p].rx_queues; q++) {
			struct td_worker *worker = workers->workers[owner_of(workers, p, q)];

			TD_ASSERT(worker->poll_count < TD_WORKER_POLL_MAX);
			worker->polls[worker->poll_count++] = (struct td_worker_poll){
				.dpdk_port = options->ports[p].dpdk_port,
				.queue = (uint16_t)q,
				.port = (uint8_t)p,
			};
		}
	}
}

// A transmit queue for each worker that can have one, a ring to somebody else's for the rest.
static int assign_transmit_port(struct td_workers *workers, const struct td_port *port, uint32_t p)
{
	for (uint32_t rank = 0; rank < workers->worker_count; rank++) {
		struct td_worker *worker = workers->workers[owner_of(workers, p, rank)];
		struct td_tx_port *out = &worker->tx.ports[p];
		uint32_t queue = rank % port->tx_queues;
		struct td_worker *owner = workers->workers[owner_of(workers, p, queue)];

		out->dpdk_port = port->dpdk_port;
		out->queue = (uint16_t)queue;
		if (worker == owner)
			continue;
		if (!workers->handover[p][queue]) {
			workers->handover[p][queue] =
				create_ring("handover", workers, p, queue, HANDOVER_RING);
			if (!workers->handover[p][queue])
				return -TD_EMEMORY;
			TD_ASSERT(owner->handover_count < TD_PORT_MAX);
			owner->handovers[owner->handover_count++] = (struct td_worker_handover){
				.ring = workers->handover[p][queue],
				.port = (uint8_t)p,
			};
		}
		out->handover = workers->handover[p][queue];
	}
	return 0;
}

static int assign_transmit(struct td_workers *workers, const struct td_workers_options *options)
{
	int error = 0;

	for (uint32_t p = 0; p < options->port_count && !error; p++)
		error = assign_transmit_port(workers, &options->ports[p], p);
	return error;
}

static int assign_steering(struct td_workers *workers)
{
	for (uint32_t i = 0; i < workers->worker_count; i++) {
		workers->steer[i] = create_ring("steer", workers, i, 0, TD_STEER_RING);
		if (!workers->steer[i])
			return -TD_EMEMORY;
	}
	for (uint32_t i = 0; i < workers->worker_count; i++) {
		struct td_steer *steer = &workers->workers[i]->steer;

		steer->worker_count = workers->worker_count;
		steer->in = workers->steer[i];
		memcpy(steer->out, workers->steer, sizeof steer->out);
	}
	return 0;
}

static struct td_worker *create_worker(const struct td_workers_options *options, uint32_t index,
				       _Atomic bool *stop)
{
	struct td_worker *worker = rte_zmalloc("worker", sizeof *worker, TD_CACHE_LINE);

	if (!worker)
		return NULL;
	worker->index = index;
	worker->parse.locals = options->locals;
	worker->parse.ports = options->ports;
	worker->parse.demux = options->demux;
	worker->answer.locals = options->locals;
	worker->answer.ports = options->ports;
	worker->answer.neighbours = options->neighbours;
	worker->demux = options->demux;
	worker->media = td_engine_worker(options->engine, index);
	worker->parse.streams = (const uint8_t *)td_media_streams(worker->media);
	worker->parse.stream_bytes = sizeof(struct td_stream);
	worker->parse.looked_into = td_media_looks();
	worker->pool = options->pool;
	worker->stats = &options->stats[index];
	worker->tx.port_count = options->port_count;
	worker->tx.stats = worker->stats;
	worker->stages = worker->tx.stages = td_media_stages(worker->media);
	worker->pace.busy_poll = options->busy_poll;
	worker->stop = stop;
	return worker;
}

int td_workers_create(const struct td_workers_options *options, struct td_workers **out)
{
	struct td_workers *workers;
	int error = 0;

	if (options->worker_count < 1 || options->worker_count > TD_WORKER_MAX ||
	    options->port_count > TD_PORT_MAX ||
	    rte_pktmbuf_priv_size(options->pool) < TD_STEER_PRIVATE_BYTES)
		return -TD_EINVALID;
	workers = calloc(1, sizeof *workers);
	if (!workers)
		return -TD_EMEMORY;
	workers->worker_count = options->worker_count;
	for (uint32_t i = 0; i < options->worker_count && !error; i++) {
		workers->workers[i] = create_worker(options, i, &workers->stop);
		if (!workers->workers[i])
			error = -TD_EMEMORY;
	}
	if (!error) {
		assign_receive(workers, options);
		error = assign_transmit(workers, options);
	}
	if (!error)
		error = assign_steering(workers);
	if (error)
		td_workers_destroy(workers);
	else
		*out = workers;
	return error;
}

int td_workers_start(struct td_workers *workers, const unsigned *lcores)
{
	for (uint32_t i = 0; i < workers->worker_count; i++) {
		workers->lcores[i] = lcores[i];
		if (rte_eal_remote_launch(td_worker_run, workers->workers[i], lcores[i]) != 0) {
			td_workers_stop(workers);
			return -TD_EIO;
		}
		workers->started++;
	}
	return 0;
}

void td_workers_stop(struct td_workers *workers)
{
	// Pairs with the acquire load in td_worker_run.
	atomic_store_explicit(&workers->stop, true, memory_order_release);
	for (; workers->started > 0; workers->started--)
		rte_eal_wait_lcore(workers->lcores[workers->started - 1]);
}

void td_workers_destroy(struct td_workers *workers)
{
	if (!workers)
		return;
	TD_ASSERT(workers->started == 0);
	for (uint32_t p = 0; p < TD_PORT_MAX; p++)
		for (uint32_t q = 0; q < TD_WORKER_MAX; q++)
			drain_ring(workers->handover[p][q]);
	for (uint32_t i = 0; i < workers->worker_count; i++) {
		drain_ring(workers->steer[i]);
		rte_free(workers->workers[i]);
	}
	free(workers);
}

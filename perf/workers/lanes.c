#include "workers/lanes.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_pause.h>
#include <rte_ring.h>

#include "base/clock.h"
#include "cpu_clock.h"
#include "rig/bench.h"

#define PAYLOAD_BYTES 160u
#define IN_FLIGHT     2048u // of a worker: all of them fit the ring between two
#define BURST         32u

struct party {
	struct td_bench_stream stream;
	uint32_t timestamp;
	uint16_t sequence;
};

// One worker's thread.
struct lane {
	alignas(TD_CACHE_LINE) struct td_lanes *lanes;
	struct td_worker *worker;
	uint32_t index, count, next;
	struct party *parties; // in the order in which they are fed
	uint64_t now_ns;       // stands still while it is not timed
	uint64_t cpu_ns, fed, forwarded;
	uint32_t dice;
};

struct td_lanes {
	struct td_bench bench;
	struct lane *lanes;
	uint32_t lane_count, active, rounds, crossing;
	uint8_t payload[PAYLOAD_BYTES];
	uint16_t payload_sum;
	alignas(TD_CACHE_LINE) _Atomic uint32_t arrived;
	alignas(TD_CACHE_LINE) _Atomic uint32_t round;
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "workers: %s\n", what);
	exit(2);
}

// Until all have come here.
static void meet(struct td_lanes *lanes)
{
	uint32_t round = atomic_load_explicit(&lanes->round, memory_order_relaxed);

	if (atomic_fetch_add_explicit(&lanes->arrived, 1, memory_order_acq_rel) + 1u ==
	    lanes->active) {
		atomic_store_explicit(&lanes->arrived, 0, memory_order_relaxed);
		// Pairs with the acquire load below.
		atomic_store_explicit(&lanes->round, round + 1u, memory_order_release);
		return;
	}
	while (atomic_load_explicit(&lanes->round, memory_order_acquire) == round)
		rte_pause();
}

static uint32_t owner_of(const struct td_bench *bench, const struct td_bench_stream *stream)
{
	uint32_t address_be;

	memcpy(&address_be, stream->local.addr, sizeof address_be);
	return td_demux_worker(td_demux_lookup(bench->demux,
					       td_locals_find4(&bench->locals, address_be),
					       rte_be_to_cpu_16(stream->local.port_be)));
}

static void open_call(struct td_lanes *lanes, uint32_t call)
{
	struct td_bench *bench = &lanes->bench;
	struct td_context_id context = td_bench_context(bench);
	struct td_member members[2];
	struct td_cell cells[2];

	for (uint32_t i = 0; i < 2; i++) {
		struct td_bench_stream stream = td_bench_stream(bench, context, 2u * call + i);
		struct lane *lane = &lanes->lanes[owner_of(bench, &stream)];

		must(lane->count < bench->stream_count, "a worker has more than all streams");
		lane->parties[lane->count++].stream = stream;
		td_bench_connect(bench, &stream, TD_CODEC_PCMU, 0, NULL);
		members[i] = (struct td_member){ TD_MEMBER_STREAM, stream.id.v };
	}
	cells[0] = (struct td_cell){ members[0], members[1], TD_GAIN_UNITY };
	cells[1] = (struct td_cell){ members[1], members[0], TD_GAIN_UNITY };
	td_bench_edit(bench, context, cells, 2);
}

static void shuffle(struct lane *lane, uint64_t seed)
{
	for (uint32_t i = lane->count - 1u; i > 0; i--) {
		struct party swap = lane->parties[i];
		uint32_t with;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		with = (uint32_t)((seed >> 33) % (i + 1u));
		lane->parties[i] = lane->parties[with];
		lane->parties[with] = swap;
	}
}

// Frames to begin with; what is in them is written when they are fed.
static void fill(struct td_lanes *lanes, uint32_t index)
{
	for (uint32_t i = 0; i < IN_FLIGHT; i++) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(lanes->bench.pool);

		must(mbuf != NULL &&
			     rte_pktmbuf_append(mbuf, TD_BENCH_HEADERS + PAYLOAD_BYTES) != NULL,
		     "the pool is empty");
		memset(rte_pktmbuf_mtod(mbuf, uint8_t *), 0, TD_BENCH_HEADERS);
		must(rte_ring_enqueue(lanes->bench.ring_port.outs[index], mbuf) == 0,
		     "the ring is full");
	}
}

struct td_lanes *td_lanes_create(uint32_t workers, uint32_t streams, struct rte_mempool *pool,
				 uint64_t seed)
{
	struct td_lanes *lanes = aligned_alloc(TD_CACHE_LINE, sizeof *lanes);
	struct td_bench_options options = {
		.name = "lanes", .pool = pool, .seed = seed, .worker_count = workers
	};

	must(lanes != NULL, "no memory");
	memset(lanes, 0, sizeof *lanes);
	lanes->lane_count = workers;
	options.stream_count = workers * streams;
	td_bench_open(&lanes->bench, &options);
	lanes->lanes = aligned_alloc(TD_CACHE_LINE, workers * sizeof *lanes->lanes);
	must(lanes->lanes != NULL, "no memory");
	memset(lanes->lanes, 0, workers * sizeof *lanes->lanes);
	for (uint32_t i = 0; i < workers; i++) {
		lanes->lanes[i] = (struct lane){ .lanes = lanes,
						 .worker = lanes->bench.workers->workers[i],
						 .index = i };
		lanes->lanes[i].parties = calloc(options.stream_count, sizeof(struct party));
		must(lanes->lanes[i].parties != NULL, "no memory");
	}
	for (uint32_t call = 0; call < options.stream_count / 2u; call++)
		open_call(lanes, call);
	td_bench_resolve(&lanes->bench);
	memset(lanes->payload, 0xd5, sizeof lanes->payload);
	lanes->payload_sum = rte_raw_cksum(lanes->payload, sizeof lanes->payload);
	for (uint32_t i = 0; i < workers; i++) {
		must(lanes->lanes[i].count == streams, "workers have not got as many calls each");
		shuffle(&lanes->lanes[i], seed + i);
		lanes->lanes[i].now_ns = lanes->bench.now_ns;
		fill(lanes, i);
	}
	// From here on each thread is its own worker.
	td_worker_detach(lanes->bench.worker);
	return lanes;
}

void td_lanes_destroy(struct td_lanes *lanes)
{
	td_role_enter_worker(0);
	td_worker_attach(lanes->bench.worker, lanes->lanes[0].now_ns);
	td_bench_close(&lanes->bench);
	for (uint32_t i = 0; i < lanes->lane_count; i++)
		free(lanes->lanes[i].parties);
	free(lanes->lanes);
	free(lanes);
}

static void say(struct lane *lane, struct rte_mbuf *mbuf)
{
	struct td_lanes *lanes = lane->lanes;
	struct party *party = &lane->parties[lane->next];
	struct td_bench_packet packet = { .stream = &party->stream,
					  .payload = lanes->payload,
					  .payload_bytes = PAYLOAD_BYTES,
					  .payload_sum = lanes->payload_sum,
					  .sequence = party->sequence++,
					  .timestamp = party->timestamp,
					  .ssrc = lane->next + 1u };
	uint32_t to = lane->index;

	lane->fed++;
	lane->next = lane->next + 1u == lane->count ? 0 : lane->next + 1u;
	party->timestamp += PAYLOAD_BYTES;
	td_bench_write(&lanes->bench, &packet, mbuf);
	lane->dice = lane->dice * 1664525u + 1013904223u;
	if (lane->dice >> 24 < lanes->crossing)
		to = (lane->index + 1u) % lanes->active;
	must(rte_ring_enqueue(lanes->bench.ring_port.ins[to], mbuf) == 0, "the ring is full");
}

// All that this worker has sent goes in again.
static void feed(struct lane *lane)
{
	struct td_bench *bench = &lane->lanes->bench;
	struct rte_mbuf *mbufs[BURST];
	unsigned count;

	while ((count = rte_ring_dequeue_burst(bench->ring_port.outs[lane->index], (void **)mbufs,
					       BURST, NULL)) > 0)
		for (unsigned i = 0; i < count; i++)
			// Reports of ours end here.
			if (rte_pktmbuf_pkt_len(mbufs[i]) == TD_BENCH_HEADERS + PAYLOAD_BYTES)
				say(lane, mbufs[i]);
			else if (td_bench_is_media(bench, mbufs[i]))
				rte_pktmbuf_free(mbufs[i]);
	if (lane->index == 0)
		td_bench_drain(bench);
}

// Turns until there is nothing on the ring, timed.
static void work_off(struct lane *lane, struct rte_ring *ring)
{
	uint64_t start_ns = td_clock_now_ns(), cpu_ns = td_cpu_ns(), passed_ns = 0;

	while (!rte_ring_empty(ring)) {
		td_worker_turn(lane->worker, lane->now_ns + passed_ns);
		passed_ns = td_clock_now_ns() - start_ns;
	}
	lane->cpu_ns += td_cpu_ns() - cpu_ns;
	lane->now_ns += passed_ns;
}

static int run_lane(void *argument)
{
	struct lane *lane = argument;
	struct td_lanes *lanes = lane->lanes;
	uint64_t before = lane->worker->stats->forwarded;

	td_worker_attach(lane->worker, lane->now_ns);
	lane->cpu_ns = lane->fed = 0;
	for (uint32_t i = 0; i < lanes->rounds; i++) {
		feed(lane);
		meet(lanes);
		work_off(lane, lanes->bench.ring_port.ins[lane->index]);
		meet(lanes);
		if (lanes->crossing > 0)
			work_off(lane, lane->worker->steer.in);
		meet(lanes);
	}
	lane->forwarded = lane->worker->stats->forwarded - before;
	td_worker_detach(lane->worker);
	return 0;
}

static uint64_t steered(const struct td_lanes *lanes)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < lanes->lane_count; i++)
		total += lanes->bench.region.workers[i].steered_in;
	return total;
}

struct td_lanes_result td_lanes_run(struct td_lanes *lanes, uint32_t active, uint64_t packets,
				    uint32_t crossing)
{
	uint64_t dropped = td_bench_drops(&lanes->bench), crossed = steered(lanes), forwarded = 0,
		 fed = 0;
	struct td_lanes_result result = { 0 };
	unsigned lcore = rte_get_main_lcore();

	lanes->active = active;
	lanes->crossing = crossing;
	lanes->rounds = (uint32_t)(packets / IN_FLIGHT) + 1u;
	for (uint32_t i = 1; i < active; i++) {
		lcore = rte_get_next_lcore(lcore, 1, 0);
		must(rte_eal_remote_launch(run_lane, &lanes->lanes[i], lcore) == 0,
		     "a core does not start");
	}
	run_lane(&lanes->lanes[0]);
	rte_eal_mp_wait_lcore();
	for (uint32_t i = 0; i < active; i++) {
		const struct lane *lane = &lanes->lanes[i];

		result.packets_per_s += (double)lane->forwarded * 1e9 / (double)lane->cpu_ns;
		result.ns += (double)lane->cpu_ns;
		forwarded += lane->forwarded;
		fed += lane->fed;
	}
	result.ns /= (double)forwarded;
	result.crossed = steered(lanes) - crossed;
	result.lost = td_bench_drops(&lanes->bench) - dropped + fed - forwarded;
	return result;
}

struct td_worker *td_lanes_worker(struct td_lanes *lanes)
{
	return lanes->lanes[0].worker;
}

const char *td_lanes_drop_reason(const struct td_lanes *lanes)
{
	return td_bench_drop_reason(&lanes->bench);
}

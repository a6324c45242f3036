// perf/run record, case worker: what a tap adds to a forwarded packet.
//
// Two rigs of 1,000 calls in one process take turns, one of them recorded. Who empties the tap ring is
// another thread on another core, that reads every byte as the recorder does; the worker's runs wait
// for it, untimed, after each burst of 4,096 packets. The reference is a bare copy of as many bytes
// into memory of the ring's size.
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../report.h"
#include "cpu_clock.h"
#include "forward/engine_rig.h"
#include "forward/rig_stages.h"
#include "media/tap.h"
#include "rig/bench.h"

#define RUNS_MAX  21
#define STREAMS   2000u
#define IN_FLIGHT 4096u
#define MBUFS     16383
#define SEED      20267
#define WARM_UP   2000000ull
#define PAYLOAD   160u

struct consumer {
	struct td_tap_ring *ring;
	_Atomic bool stop;
	uint64_t frames, bytes, sum;
};

struct plan {
	unsigned runs;
	uint64_t packets;
	bool stages;
};

static void *consume(void *user)
{
	struct consumer *consumer = user;

	while (!atomic_load_explicit(&consumer->stop, memory_order_relaxed)) {
		const struct td_tap_record *record = td_tap_peek(consumer->ring);

		if (record == NULL)
			continue;
		for (unsigned i = 0; i < record->payload_len; i++)
			consumer->sum += record->payload[i];
		consumer->bytes += record->payload_len;
		consumer->frames++;
		td_tap_release(consumer->ring);
	}
	return NULL;
}

// On the second core from its first moment on: the first one is the worker's, and may be all of it.
static void start_consumer(struct consumer *consumer, pthread_t *thread)
{
	pthread_attr_t attributes;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(1, &cpus);
	pthread_attr_init(&attributes);
	if (pthread_attr_setaffinity_np(&attributes, sizeof cpus, &cpus) != 0 ||
	    pthread_create(thread, &attributes, consume, consumer) != 0) {
		fprintf(stderr, "record: who empties the ring needs a second core\n");
		exit(2);
	}
	pthread_attr_destroy(&attributes);
}

static double bare_copies(uint64_t packets)
{
	static uint8_t payload[TD_TAP_HEADER_BYTES + PAYLOAD];
	size_t size = (size_t)TD_TAP_LINES * TD_CACHE_LINE, at = 0;
	uint8_t *memory = aligned_alloc(TD_CACHE_LINE, size);
	uint64_t start_ns;

	if (memory == NULL)
		exit(2);
	memset(memory, 1, size);
	start_ns = td_cpu_ns();
	for (uint64_t i = 0; i < packets; i++) {
		payload[i % sizeof payload]++;
		memcpy(memory + at, payload, sizeof payload);
		at = at + sizeof payload > size - sizeof payload ? 0 : at + sizeof payload;
	}
	start_ns = td_cpu_ns() - start_ns;
	free(memory);
	return (double)start_ns / (double)packets;
}

static double run_awake(struct td_rig *rig, struct td_rig *other, uint64_t packets, uint64_t *lost)
{
	double ns;

	td_rig_rest(other);
	td_rig_wake(rig);
	ns = (double)td_rig_run(rig, packets, lost) / (double)packets;
	td_rig_rest(rig);
	td_rig_wake(other);
	return ns;
}

static struct plan parse_plan(int argc, char **argv)
{
	static const struct option longs[] = { { "quick", no_argument, NULL, 'q' },
					       { "seconds", required_argument, NULL, 's' },
					       { "cores", required_argument, NULL, 'c' },
					       { "stages", no_argument, NULL, 't' },
					       { NULL, 0, NULL, 0 } };
	struct plan plan = { .runs = 11, .packets = 4000000 };
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'q': plan.runs = 5, plan.packets = 1000000; break;
		case 's': plan.packets = (uint64_t)atoi(optarg) * 10000000u; break;
		case 't': plan.stages = true; break;
		case 'c': break; // one worker is what this measures
		default: exit(2);
		}
	}
	return plan;
}

// Answers what a packet with a tap took in all.
static double measure(const struct plan *plan, struct td_rig *plain, struct td_rig *taps,
		      struct td_report_row *row)
{
	double added[RUNS_MAX], bare[RUNS_MAX], forward[RUNS_MAX], tapped[RUNS_MAX];

	// The one that was made last is awake.
	for (unsigned i = 0; i < plan->runs; i++) {
		forward[i] = run_awake(plain, taps, plan->packets, &row->lost);
		tapped[i] =
			(double)td_rig_run(taps, plan->packets, &row->lost) / (double)plan->packets;
		added[i] = tapped[i] - forward[i];
		bare[i] = bare_copies(plan->packets);
	}
	row->value = td_report_median(added, plan->runs);
	row->min = added[0];
	row->max = added[plan->runs - 1];
	row->reference = td_report_median(bare, plan->runs);
	fprintf(stderr, "record: a forwarded packet without a tap: %.1f ns\n",
		td_report_median(forward, plan->runs));
	return td_report_median(tapped, plan->runs);
}

int main(int argc, char **argv)
{
	struct plan plan = parse_plan(argc, argv);
	struct rte_mempool *pool = td_bench_eal("record", "0", MBUFS);
	struct td_report_row row = { .bench = "record",
				     .case_name = "worker",
				     .unit = "ns/packet",
				     .reference_name = "bare copies",
				     .p50_us = -1,
				     .p99_us = -1 };
	struct td_report_row whole = { .bench = "record",
				       .case_name = "worker, a packet with a tap",
				       .unit = "ns/packet",
				       .reference_name = "the whole" };
	static struct td_stage_table table;
	struct consumer consumer = { .stop = false };
	struct td_rig *plain, *taps;
	uint64_t expected;
	pthread_t thread;

	plain = td_rig_create(STREAMS, "plain", pool, SEED);
	td_rig_fill(plain, IN_FLIGHT);
	td_rig_run(plain, WARM_UP, &row.lost);
	td_rig_rest(plain);
	taps = td_rig_create(STREAMS, "taps", pool, SEED);
	consumer.ring = td_rig_tap(taps);
	start_consumer(&consumer, &thread);
	td_rig_fill(taps, IN_FLIGHT);
	td_rig_run(taps, WARM_UP, &row.lost);
	expected = consumer.frames;
	whole.value = measure(&plan, plain, taps, &row);
	if (plan.stages)
		td_rig_stages(taps, plan.packets, &table, &whole.lost);
	atomic_store(&consumer.stop, true);
	pthread_join(thread, NULL);
	// Bursts are whole: a run may go on a little beyond what was asked.
	if (consumer.frames < expected + plan.runs * plan.packets ||
	    consumer.bytes != consumer.frames * PAYLOAD)
		row.lost++;
	if (row.lost)
		fprintf(stderr, "record: %llu packets lost (%s, or the ring): no figure\n",
			(unsigned long long)row.lost, td_rig_drop_reason(taps));
	td_report_print(&row);
	if (plan.stages && !td_stage_table_print(&table, &whole))
		whole.lost++;
	return row.lost + whole.lost != 0;
}

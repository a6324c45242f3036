// perf/run forward: Tandem's whole forwarding path beside the bare relay loop, over net_ring.
//
// For 1, 1k, 100k and 1M streams in random order, runs of both are interleaved in one process on
// one core; a row a size. "1 stream" is one call of two, of which one direction carries packets.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "../report.h"
#include "engine_rig.h"
#include "relay.h"
#include "rig/bench.h"
#include "rig_stages.h"

#define RUNS_MAX  15
#define IN_FLIGHT 4096
#define MBUFS     16383
#define SEED      20261
#define WARM_UP   2000000ull

struct plan {
	unsigned runs;
	uint64_t packets; // a run
	uint32_t only;    // 0: every size
	bool stages;
};

static void fill_relay(struct td_relay *relay, const struct td_ring_port *port,
		       struct rte_mempool *pool, uint32_t sessions)
{
	for (uint32_t i = 0; i < IN_FLIGHT; i++) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);

		td_relay_make_packet(relay, (uint32_t)((uint64_t)i * 2654435761u % sessions), mbuf);
		if (rte_ring_enqueue(port->in, mbuf) != 0)
			exit(2);
	}
}

static uint64_t bench_size(const struct plan *plan, uint32_t streams, struct rte_mempool *pool,
			   const struct td_ring_port *relay_port, const char *port_name)
{
	double ours[RUNS_MAX], bare[RUNS_MAX];
	struct td_relay *relay = td_relay_create(streams, SEED);
	struct td_rig *rig = td_rig_create(streams, port_name, pool, SEED);
	struct td_report_row row = { .bench = "forward",
				     .unit = "ns/packet",
				     .reference_name = "bare relay loop",
				     .p50_us = -1,
				     .p99_us = -1 };
	char name[32];

	fill_relay(relay, relay_port, pool, streams);
	td_rig_fill(rig, IN_FLIGHT);
	td_relay_run(relay, relay_port->dpdk_port, WARM_UP, &row.lost);
	td_rig_run(rig, WARM_UP, &row.lost);
	for (unsigned i = 0; i < plan->runs; i++) {
		bare[i] = (double)td_relay_run(relay, relay_port->dpdk_port, plan->packets,
					       &row.lost) /
			  (double)plan->packets;
		ours[i] = (double)td_rig_run(rig, plan->packets, &row.lost) / (double)plan->packets;
	}
	row.value = td_report_median(ours, plan->runs);
	row.min = ours[0];
	row.max = ours[plan->runs - 1];
	row.reference = td_report_median(bare, plan->runs);
	snprintf(name, sizeof name, "%u streams", streams);
	row.case_name = name;
	if (row.lost)
		fprintf(stderr, "forward: %s: %llu packets lost, most as %s: no figure\n", name,
			(unsigned long long)row.lost, td_rig_drop_reason(rig));
	td_report_print(&row);
	if (plan->stages)
		row.lost += td_rig_print_stages(rig, plan->packets, &row);
	td_ring_port_empty(relay_port);
	td_rig_destroy(rig);
	td_relay_destroy(relay);
	return row.lost;
}

static struct plan parse_plan(int argc, char **argv)
{
	static const struct option longs[] = { { "quick", no_argument, NULL, 'q' },
					       { "seconds", required_argument, NULL, 's' },
					       { "cores", required_argument, NULL, 'c' },
					       { "stages", no_argument, NULL, 't' },
					       { "streams", required_argument, NULL, 'n' },
					       { NULL, 0, NULL, 0 } };
	struct plan plan = { .runs = 7, .packets = 20000000 };
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'q':
			plan.runs = 3;
			plan.packets = 5000000;
			break;
		case 's': plan.packets = (uint64_t)atoi(optarg) * 20000000u; break;
		case 'n': plan.only = (uint32_t)atoi(optarg); break;
		case 't': plan.stages = true; break;
		case 'c': break; // one core is what this measures
		default: exit(2);
		}
	}
	return plan;
}

int main(int argc, char **argv)
{
	static const uint32_t sizes[] = { 1, 1000, 100000, 1000000 };
	struct plan plan = parse_plan(argc, argv);
	struct rte_mempool *pool;
	struct td_ring_port relay_port;
	uint64_t lost = 0;

	pool = td_bench_eal("forward", "0", MBUFS);
	relay_port = td_ring_port_create("bare", 1);
	td_ring_port_start(&relay_port, pool);
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		char name[16];

		if (plan.only && plan.only != sizes[i])
			continue;
		snprintf(name, sizeof name, "tandem%zu", i);
		lost += bench_size(&plan, sizes[i], pool, &relay_port, name);
	}
	return lost ? 1 : 0;
}

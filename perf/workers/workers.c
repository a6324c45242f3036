// perf/run workers: what a second worker adds, and what a packet costs that comes in at the wrong one.
//
// Beside the throughput of several workers over that of one stands that of the bare relay loop
// (forward/relay.c) on as many cores at once: what it loses by having a neighbour is the machine's,
// whatever runs on it. What a packet costs here is no figure to hold against `forward`: the feeder writes
// whole frames, and takes more of the caches.
//
// How far the cores are from each other (hand_over.h) comes with it: in fourteen runs on a virtual machine
// a second worker added 0.95 of the first and steering cost 26 ns while that was 55 ns, 0.7 and 112 while
// it was 205.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include "../report.h"
#include "forward/relay.h"
#include "rig/bench.h"
#include "rig/stage_table.h"
#include "workers/hand_over.h"
#include "workers/lanes.h"

#define RUNS_MAX  21
#define CORES_MAX 16
#define IN_FLIGHT 2048u
#define STREAMS   20000u // a worker
#define SEED      20267
#define WARM_UP   200000ull

struct plan {
	unsigned runs;
	uint64_t packets; // a run, a worker
	uint32_t cores;
	bool stages;
};

struct bare {
	struct td_relay *relay;
	struct td_ring_port port;
	uint64_t packets, ns, lost;
};

static int run_bare(void *argument)
{
	struct bare *bare = argument;

	bare->ns = td_relay_run(bare->relay, bare->port.dpdk_port, bare->packets, &bare->lost);
	return 0;
}

// As many loops at once as there are `active` cores; packets a second of them together.
static double run_loops(struct bare *loops, uint32_t active, uint64_t packets, uint64_t *lost)
{
	unsigned lcore = rte_get_main_lcore();
	double rate = 0;

	for (uint32_t i = 0; i < active; i++)
		loops[i].packets = packets;
	for (uint32_t i = 1; i < active; i++) {
		lcore = rte_get_next_lcore(lcore, 1, 0);
		if (rte_eal_remote_launch(run_bare, &loops[i], lcore) != 0)
			exit(2);
	}
	run_bare(&loops[0]);
	rte_eal_mp_wait_lcore();
	for (uint32_t i = 0; i < active; i++) {
		rate += (double)packets * 1e9 / (double)loops[i].ns;
		*lost += loops[i].lost;
	}
	return rate;
}

static void open_loops(struct bare *loops, uint32_t count, struct rte_mempool *pool)
{
	for (uint32_t i = 0; i < count; i++) {
		char name[16];

		snprintf(name, sizeof name, "bare%u", i);
		loops[i] = (struct bare){ .relay = td_relay_create(STREAMS, SEED + i),
					  .port = td_ring_port_create(name, 1) };
		td_ring_port_start(&loops[i].port, pool);
		for (uint32_t p = 0; p < IN_FLIGHT; p++) {
			struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);

			if (mbuf == NULL)
				exit(2);
			td_relay_make_packet(loops[i].relay, p * 2654435761u % STREAMS, mbuf);
			if (rte_ring_enqueue(loops[i].port.in, mbuf) != 0)
				exit(2);
		}
	}
}

static void close_loops(struct bare *loops, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		td_ring_port_empty(&loops[i].port);
		td_relay_destroy(loops[i].relay);
	}
}

// What the kernel, or the hypervisor behind it, says of cores 0 and 1.
static const char *kinship(void)
{
	FILE *file = fopen("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "r");
	char text[64] = "";
	bool known = file != NULL && fgets(text, sizeof text, file) != NULL;

	if (file != NULL)
		fclose(file);
	if (!known)
		return "nobody says whether cores are threads of one";
	return strcspn(text, ",-") == strlen(text) ? "said to be cores of their own"
						   : "cores 0 and 1 are threads of one";
}

static uint64_t complain(uint64_t lost, const char *reason)
{
	if (lost != 0)
		fprintf(stderr, "workers: %llu packets lost, most as %s: no figure\n",
			(unsigned long long)lost, reason);
	return lost;
}

static void print(const char *case_name, const char *unit, double *values, double *reference,
		  const char *reference_name, unsigned runs, uint64_t lost)
{
	struct td_report_row row = { .bench = "workers",
				     .case_name = case_name,
				     .unit = unit,
				     .reference_name = reference_name,
				     .p50_us = -1,
				     .p99_us = -1,
				     .lost = lost };

	row.value = td_report_median(values, runs);
	row.min = values[0];
	row.max = values[runs - 1];
	row.reference = td_report_median(reference, runs);
	td_report_print(&row);
}

// Where the first worker's time goes while `active` are at work, behind the row of that; what went wrong.
static uint64_t print_stages(const struct plan *plan, struct td_lanes *lanes, const char *case_name,
			     uint32_t active, uint32_t crossing, double ns)
{
	static struct td_stage_table table;
	struct td_report_row whole = { .bench = "workers",
				       .case_name = case_name,
				       .unit = "ns/packet",
				       .value = ns,
				       .reference_name = "the whole" };

	td_stage_table_init(&table, td_lanes_worker(lanes)->stages, TD_STAGE_FORWARD);
	for (unsigned i = 0; i < TD_STAGE_RUNS; i++) {
		td_stage_table_begin(&table);
		whole.lost += td_lanes_run(lanes, active, plan->packets, crossing).lost;
		td_stage_table_end(&table);
	}
	return whole.lost + !td_stage_table_print(&table, &whole);
}

// One worker, two, ...: costs beside bare loops, and what the last one has added to the first.
static uint64_t bench_workers(const struct plan *plan, struct td_lanes *lanes, struct bare *loops)
{
	static double ns[CORES_MAX][RUNS_MAX], bare_ns[CORES_MAX][RUNS_MAX];
	static double rate[CORES_MAX][RUNS_MAX], bare_rate[CORES_MAX][RUNS_MAX];
	uint64_t lost = 0;
	char name[96];

	for (unsigned run = 0; run < plan->runs; run++)
		for (uint32_t n = 0; n < plan->cores; n++) {
			struct td_lanes_result result =
				td_lanes_run(lanes, n + 1u, plan->packets, 0);
			double loops_rate = run_loops(loops, n + 1u, plan->packets * 2u, &lost);

			lost += result.lost;
			ns[n][run] = result.ns;
			rate[n][run] = result.packets_per_s / 1e6;
			bare_rate[n][run] = loops_rate / 1e6;
			bare_ns[n][run] = (n + 1u) * 1e9 / loops_rate;
		}
	complain(lost, td_lanes_drop_reason(lanes));
	for (uint32_t n = 0; n < plan->cores; n++) {
		snprintf(name, sizeof name, "%u workers", n + 1u);
		print(name, "ns/packet", ns[n], bare_ns[n], "bare relay loops", plan->runs, lost);
		if (plan->stages)
			lost += print_stages(plan, lanes, name, n + 1u, 0, ns[n][plan->runs / 2u]);
	}
	for (uint32_t n = 1; n < plan->cores; n++) {
		snprintf(name, sizeof name, "throughput of %u workers", n + 1u);
		print(name, "M packets/s", rate[n], rate[0], "of one", plan->runs, lost);
		snprintf(name, sizeof name, "throughput of %u bare loops, %s", n + 1u, kinship());
		print(name, "M packets/s", bare_rate[n], bare_rate[0], "of one", plan->runs, lost);
	}
	return lost;
}

static uint64_t bench_steering(const struct plan *plan, struct td_lanes *lanes)
{
	static const struct {
		const char *name;
		uint32_t share; // of 256
	} rows[] = { { "steering, half of the packets", 128 },
		     { "steering, all of the packets", 256 } };
	static double home[RUNS_MAX], line[RUNS_MAX], added[sizeof rows / sizeof rows[0]][RUNS_MAX],
		all[sizeof rows / sizeof rows[0]][RUNS_MAX];
	uint64_t lost = 0;

	for (unsigned run = 0; run < plan->runs; run++) {
		struct td_lanes_result stay = td_lanes_run(lanes, 2, plan->packets, 0);

		lost += stay.lost;
		home[run] = stay.ns;
		line[run] = td_hand_over_ns();
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
			struct td_lanes_result cross =
				td_lanes_run(lanes, 2, plan->packets, rows[i].share);

			lost += cross.lost;
			all[i][run] = cross.ns;
			// Of a packet that crosses, not of all.
			added[i][run] = (cross.ns - stay.ns) * 256.0 / rows[i].share;
			lost += cross.crossed == 0;
		}
	}
	complain(lost, td_lanes_drop_reason(lanes));
	print("a cache line handed to the other core", "ns", line, home,
	      "a packet that is where it belongs", plan->runs, lost);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		print(rows[i].name, "ns/packet added", added[i], home,
		      "a packet that is where it belongs", plan->runs, lost);
		if (plan->stages)
			lost += print_stages(plan, lanes, rows[i].name, 2, rows[i].share,
					     td_report_median(all[i], plan->runs));
	}
	return lost;
}

static struct plan parse_plan(int argc, char **argv)
{
	static const struct option longs[] = { { "quick", no_argument, NULL, 'q' },
					       { "seconds", required_argument, NULL, 's' },
					       { "cores", required_argument, NULL, 'c' },
					       { "stages", no_argument, NULL, 't' },
					       { NULL, 0, NULL, 0 } };
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	struct plan plan = { .runs = 11, .packets = 4000000, .cores = (uint32_t)online };
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'q': plan.runs = 5, plan.packets = 1000000; break;
		case 's': plan.packets = (uint64_t)atoi(optarg) * 20000000u; break;
		case 'c': plan.cores = (uint32_t)atoi(optarg); break;
		case 't': plan.stages = true; break;
		default: exit(2);
		}
	}
	if (plan.cores > (uint32_t)online)
		plan.cores = (uint32_t)online;
	if (plan.cores > CORES_MAX)
		plan.cores = CORES_MAX;
	return plan;
}

int main(int argc, char **argv)
{
	static struct bare loops[CORES_MAX];
	struct plan plan = parse_plan(argc, argv);
	struct td_lanes *lanes;
	struct rte_mempool *pool;
	char cores[16];
	uint64_t lost;

	if (plan.cores < 2) {
		fprintf(stderr, "workers: there is one core: nothing to compare\n");
		return 2;
	}
	snprintf(cores, sizeof cores, "0-%u", plan.cores - 1u);
	pool = td_bench_eal("workers", cores, 16384u * plan.cores - 1u);
	lanes = td_lanes_create(plan.cores, STREAMS, pool, SEED);
	open_loops(loops, plan.cores, pool);
	// New senders, cold caches; what is lost of it has been lost by the time that counts.
	td_lanes_run(lanes, plan.cores, WARM_UP, 0);
	lost = bench_workers(&plan, lanes, loops);
	lost += bench_steering(&plan, lanes);
	close_loops(loops, plan.cores);
	td_lanes_destroy(lanes);
	return lost ? 1 : 0;
}

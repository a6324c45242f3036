// perf/run spray: what forwarding costs while somebody sprays every port of 5,000 calls.
//
// 10,000 streams of 50 packets a second are half a million good ones; a million sprayed ones a second
// are two to each of them, and that is how they come here, mixed. Three runs are interleaved, in one
// process on one core:
//
//   quiet    good packets alone, the others made but kept  a  ns a good packet
//   refused  sprayed ones alone                            c  ns a sprayed packet
//   sprayed  both, two of the second to one of the first   t  ns a good packet, all told
//
// "good packet" is t - 2c beside a: what a good packet costs when the time for refusing is taken off
// at the price that refusing has by itself. What mixing does to the caches and to the bursts is in
// it. "refused packet" is c beside a. Packets injected, or sent to the attacker, are `lost`.
//
// With GCM strangers are refused before anything is opened, so that of a burst of 64 about 21 are left.
// Opened and sealed as vectors of 21, a good packet cost a tenth more; a worker gathers what three such
// bursts leave, and it costs a fifteenth more: 171 ns beside 161 (medians of four runs).
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "../report.h"
#include "engine_rig.h"
#include "rig/bench.h"
#include "rig_stages.h"
#include "td_srtp.h"
#include "worker/worker.h"

#define CALLS     5000
#define EACH      2u // sprayed packets to a good one
#define RUNS_MAX  15
#define IN_FLIGHT 512 // good ones
#define MBUFS     16383
#define SEED      20263
#define WARM_UP   1000000ull

struct plan {
	unsigned runs;
	uint64_t packets; // good ones, a run
	uint32_t calls;
	bool stages;
};

// Of one case, by run.
struct figures {
	double quiet[RUNS_MAX], refused[RUNS_MAX], good[RUNS_MAX];
};

static void run(struct td_rig *rig, const struct plan *plan, struct figures *figures, unsigned i,
		uint64_t *lost)
{
	double packets = (double)plan->packets, all;
	struct td_rig_sprayed before;
	uint64_t dropped = 0;

	td_rig_spray(rig, EACH, true);
	figures->quiet[i] = (double)td_rig_run(rig, plan->packets, lost) / packets;
	before = td_rig_sprayed(rig);
	figures->refused[i] = (double)td_rig_refuse(rig, plan->packets * EACH);
	figures->refused[i] /= (double)(td_rig_sprayed(rig).packets - before.packets);
	before = td_rig_sprayed(rig);
	td_rig_spray(rig, EACH, false);
	all = (double)td_rig_run(rig, plan->packets, &dropped) / packets;
	figures->good[i] = all - EACH * figures->refused[i];
	// Everything sprayed has been dropped, and nothing else.
	before.packets = td_rig_sprayed(rig).packets - before.packets;
	*lost += dropped > before.packets ? dropped - before.packets : before.packets - dropped;
}

static void report(const char *name, const char *what, double *values, double reference,
		   const struct plan *plan, uint64_t lost)
{
	struct td_report_row row = { .bench = "spray",
				     .unit = "ns/packet",
				     .reference_name = "good packet, nobody sprays",
				     .reference = reference,
				     .p50_us = -1,
				     .p99_us = -1,
				     .lost = lost };
	char case_name[48];

	row.value = td_report_median(values, plan->runs);
	row.min = values[0];
	row.max = values[plan->runs - 1];
	snprintf(case_name, sizeof case_name, "%s, %s", name, what);
	row.case_name = case_name;
	td_report_print(&row);
}

static struct td_report_row whole_of(const char *case_name, double ns)
{
	return (struct td_report_row){ .bench = "spray",
				       .case_name = case_name,
				       .unit = "ns/packet",
				       .value = ns,
				       .reference_name = "the whole" };
}

// Where the time goes of a good packet when nobody sprays, and of a refused one; what went wrong.
static uint64_t print_stages(const struct plan *plan, struct td_rig *rig, const char *name,
			     double quiet_ns, double refused_ns)
{
	static struct td_stage_table table;
	struct td_report_row whole;
	uint64_t failed;
	char case_name[48];

	snprintf(case_name, sizeof case_name, "%s, nobody sprays", name);
	whole = whole_of(case_name, quiet_ns);
	td_rig_spray(rig, EACH, true);
	failed = td_rig_print_stages(rig, plan->packets, &whole);
	// Refused before anything else is counted but that it has come.
	td_stage_table_init(&table, td_rig_worker(rig)->stages, TD_STAGE_RX);
	for (unsigned i = 0; i < TD_STAGE_RUNS; i++) {
		td_stage_table_begin(&table);
		td_rig_refuse(rig, plan->packets * EACH);
		td_stage_table_end(&table);
	}
	snprintf(case_name, sizeof case_name, "%s, refused packet", name);
	whole = whole_of(case_name, refused_ns);
	return failed + !td_stage_table_print(&table, &whole);
}

static uint64_t bench_case(const struct plan *plan, const char *name, const char *port_name,
			   struct rte_mempool *pool, const struct td_rig_protection *protection)
{
	struct td_rig *rig =
		td_rig_create_protected(2 * plan->calls, port_name, pool, SEED, protection);
	struct figures figures;
	struct td_rig_sprayed sprayed;
	uint64_t lost = 0;
	double quiet;

	td_rig_fill(rig, IN_FLIGHT);
	td_rig_run(rig, WARM_UP, &lost);
	for (unsigned i = 0; i < plan->runs; i++)
		run(rig, plan, &figures, i, &lost);
	sprayed = td_rig_sprayed(rig);
	lost += sprayed.injected;
	quiet = td_report_median(figures.quiet, plan->runs);
	fprintf(stderr, "spray: %s: %llu packets sprayed, %llu injected or answered, %llu lost\n",
		name, (unsigned long long)sprayed.packets, (unsigned long long)sprayed.injected,
		(unsigned long long)(lost - sprayed.injected));
	report(name, "good packet", figures.good, quiet, plan, lost);
	report(name, "refused packet", figures.refused, quiet, plan, lost);
	if (plan->stages)
		lost += print_stages(plan, rig, name, quiet,
				     td_report_median(figures.refused, plan->runs));
	td_rig_destroy(rig);
	return lost;
}

static struct plan parse_plan(int argc, char **argv)
{
	static const struct option longs[] = { { "quick", no_argument, NULL, 'q' },
					       { "seconds", required_argument, NULL, 's' },
					       { "cores", required_argument, NULL, 'c' },
					       { "stages", no_argument, NULL, 't' },
					       { "calls", required_argument, NULL, 'n' },
					       { NULL, 0, NULL, 0 } };
	struct plan plan = { .runs = 9, .packets = 4000000, .calls = CALLS };
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'q':
			plan.runs = 5;
			plan.packets = 1000000;
			break;
		case 's': plan.packets = (uint64_t)atoi(optarg) * 4000000u; break;
		case 'n': plan.calls = (uint32_t)atoi(optarg); break;
		case 't': plan.stages = true; break;
		case 'c': break; // one core is what this measures
		default: exit(2);
		}
	}
	return plan;
}

int main(int argc, char **argv)
{
	const struct td_rig_protection gcm = { TD_SRTP_AEAD_AES_128_GCM, true, true };
	struct plan plan = parse_plan(argc, argv);
	struct rte_mempool *pool = td_bench_eal("spray", "0", MBUFS);
	uint64_t lost = bench_case(&plan, "plain", "plain", pool, NULL);

	plan.packets /= 4; // the parties have more to do, off the clock
	lost += bench_case(&plan, "AEAD_AES_128_GCM", "gcm", pool, &gcm);
	return lost ? 1 : 0;
}

// What SRTP adds to a packet on the whole forwarding path: calls of which every party has keys of
// its own beside plain calls, in one process on one core, runs interleaved.
//
//   open: SRTP comes in, RTP goes out      seal: RTP comes in, SRTP goes out
//
// The value is the difference to the plain run next to it; the reference is what the plain path costs.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include "../report.h"
#include "forward/engine_rig.h"
#include "forward/rig_stages.h"
#include "rig/bench.h"
#include "td_srtp.h"

#define RUNS_MAX  41
#define IN_FLIGHT 4096
#define MBUFS     16383
#define SEED      20262

struct plan {
	unsigned runs;
	uint64_t packets; // a run
	uint32_t only;    // 0: every number of keys
	bool stages;
};

enum way { PLAIN, OPEN, SEAL, WAY_COUNT };

static const char *const ways[WAY_COUNT] = { "plain", "open", "seal" };

static struct td_rig *open_rig(enum td_srtp_suite suite, enum way way, uint32_t keys,
			       struct rte_mempool *pool)
{
	static unsigned number;
	struct td_rig_protection protection = { .suite = (uint8_t)suite,
						.says = way == OPEN,
						.hears = way == SEAL };
	char name[16];
	struct td_rig *rig;

	snprintf(name, sizeof name, "path%u", number++);
	rig = td_rig_create_protected(keys, name, pool, SEED, way == PLAIN ? NULL : &protection);
	td_rig_fill(rig, IN_FLIGHT);
	return rig;
}

static void name_case(char *name, size_t size, enum td_srtp_suite suite, enum way way,
		      uint32_t keys)
{
	snprintf(name, size, "%s %s, %u keys, forward path", td_srtp_suite_shape(suite)->name,
		 ways[way], keys);
}

// What a rig's packet goes to, all of it; what went wrong.
static uint64_t print_stages(const struct plan *plan, struct td_rig *rig, const char *case_name,
			     double *ns)
{
	struct td_report_row whole = { .bench = "srtp",
				       .case_name = case_name,
				       .unit = "ns/packet",
				       .value = td_report_median(ns, plan->runs) };
	uint64_t failed;

	td_rig_wake(rig);
	failed = td_rig_print_stages(rig, plan->packets, &whole);
	td_rig_rest(rig);
	return failed;
}

static uint64_t measure(const struct plan *plan, enum td_srtp_suite suite, uint32_t keys,
			struct rte_mempool *pool)
{
	struct td_rig *rigs[WAY_COUNT];
	double ns[WAY_COUNT][RUNS_MAX], added[RUNS_MAX], plain[RUNS_MAX];
	uint64_t lost = 0;

	for (enum way way = PLAIN; way < WAY_COUNT; way++) {
		rigs[way] = open_rig(suite, way, keys, pool);
		td_rig_run(rigs[way], 3ull * keys + 200000, &lost);
		td_rig_rest(rigs[way]);
	}
	for (unsigned run = 0; run < plan->runs; run++)
		for (enum way way = PLAIN; way < WAY_COUNT; way++) {
			td_rig_wake(rigs[way]);
			ns[way][run] = (double)td_rig_run(rigs[way], plan->packets, &lost) /
				       (double)plan->packets;
			td_rig_rest(rigs[way]);
		}
	for (enum way way = OPEN; way < WAY_COUNT; way++) {
		char name[80];
		struct td_report_row row = { .bench = "srtp",
					     .case_name = name,
					     .unit = "ns/packet",
					     .reference_name = "plain path",
					     .p50_us = -1,
					     .p99_us = -1,
					     .lost = lost };

		for (unsigned run = 0; run < plan->runs; run++) {
			added[run] = ns[way][run] - ns[PLAIN][run];
			plain[run] = ns[PLAIN][run];
		}
		name_case(name, sizeof name, suite, way, keys);
		row.value = td_report_median(added, plan->runs);
		row.min = added[0];
		row.max = added[plan->runs - 1];
		row.reference = td_report_median(plain, plan->runs);
		if (lost)
			fprintf(stderr, "srtp: %s: packets lost, most as %s: no figure\n", name,
				td_rig_drop_reason(rigs[way]));
		td_report_print(&row);
	}
	for (enum way way = PLAIN; way < WAY_COUNT; way++) {
		char name[80];

		name_case(name, sizeof name, suite, way, keys);
		if (plan->stages)
			lost += print_stages(plan, rigs[way], name, ns[way]);
		td_rig_wake(rigs[way]);
		td_rig_destroy(rigs[way]);
	}
	return lost;
}

static struct plan parse_plan(int argc, char **argv)
{
	static const struct option longs[] = { { "quick", no_argument, NULL, 'q' },
					       { "seconds", required_argument, NULL, 's' },
					       { "cores", required_argument, NULL, 'c' },
					       { "stages", no_argument, NULL, 't' },
					       { "keys", required_argument, NULL, 'n' },
					       { NULL, 0, NULL, 0 } };
	struct plan plan = { .runs = 15, .packets = 1000000 };
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'q': plan.runs = 5, plan.packets = 400000; break;
		case 's': plan.packets = (uint64_t)atoi(optarg) * 10000000u; break;
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
	static const enum td_srtp_suite suites[] = { TD_SRTP_AEAD_AES_128_GCM,
						     TD_SRTP_AES_CM_128_HMAC_SHA1_80 };
	static const uint32_t keys[] = { 1000, 100000 };
	struct plan plan = parse_plan(argc, argv);
	struct rte_mempool *pool = td_bench_eal("srtp", "0", MBUFS);
	uint64_t lost = 0;

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		for (size_t j = 0; j < sizeof suites / sizeof suites[0]; j++)
			if (plan.only == 0 || plan.only == keys[i])
				lost += measure(&plan, suites[j], keys[i], pool);
	return lost ? 1 : 0;
}

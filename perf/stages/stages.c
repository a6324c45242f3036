// perf/run stages: where a packet's time goes, by the worker's own counters (base/stage_clock.h).
//
// Per kind of work, runs of two sorts in turn: counters off, and close (rig/stage_table.h), from which a
// row a stage is made: its share of one packet, or of one frame of a party. Two more rows say whether
// to believe them: all stages together beside the whole by the CPU clock with the counters off, and the
// whole with the counters as they are in production (one turn in 64) beside the whole without, by blocks
// of a millisecond in turn. The latter's min and max are the bounds of a 99 % interval, and there is no
// row when it does not leave out that they cost 1 %. Off, the branches that ask for it remain.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../report.h"
#include "base/stage_clock.h"
#include "forward/engine_rig.h"
#include "mix/speech.h"
#include "rig/hall.h"
#include "rig/stage_table.h"
#include "stages/pairs.h"
#include "td_srtp.h"

#define RUNS_MAX  31
#define IN_FLIGHT 4096
#define MBUFS     24575
#define SEED      20266
#define FRAMES    50u
#define SETTLE    50u // rounds
#define WARM_UP   500000ull
#define BLOCK_NS  1000000.0 // at least; a round of a conference may be longer
#define PAIRS_MAX 8000u
#define PAIRS_MIN 400u
#define COST_MAX  0.01 // that the counters may add

struct plan {
	unsigned runs;
	uint64_t packets; // a run, of those that are forwarded
	uint32_t rounds;  // a run, of those that are mixed
	double pairs_ns;  // all pairs of blocks together, about
	int only;         // a kind of work's number, or -1
};

struct kind {
	const char *name, *unit;
	uint32_t streams;
	uint32_t room; // 0: forwarded; parties of one conference
	bool srtp;
	enum td_codec_id codecs[2]; // of every other party
	struct td_codec_settings settings;
};

static const struct kind kinds[] = {
	{ .name = "forward, 1000 streams", .unit = "ns/packet", .streams = 1000 },
	{ .name = "forward, 100000 streams", .unit = "ns/packet", .streams = 100000 },
	{ .name = "SRTP GCM both ways, 10000 streams",
	  .unit = "ns/packet",
	  .streams = 10000,
	  .srtp = true },
	{ .name = "conference of 100, PCMU",
	  .unit = "ns/frame",
	  .streams = 3000,
	  .room = 100,
	  .codecs = { TD_CODEC_PCMU, TD_CODEC_PCMU } },
	{ .name = "calls PCMU-G722",
	  .unit = "ns/frame",
	  .streams = 640,
	  .room = 2,
	  .codecs = { TD_CODEC_PCMU, TD_CODEC_G722 } },
	{ .name = "calls PCMU-Opus",
	  .unit = "ns/frame",
	  .streams = 160,
	  .room = 2,
	  .codecs = { TD_CODEC_PCMU, TD_CODEC_OPUS },
	  .settings = { .bitrate_bps = 24000, .complexity = 5 } },
};

// One kind of work, set up.
struct work {
	const struct kind *kind;
	const struct plan *plan;
	struct td_worker *worker;
	struct td_rig *rig;
	struct td_bench bench;
	struct td_hall hall;
	struct td_loop *said[2];
	uint64_t lost;
};

static void join_rooms(struct work *work)
{
	const struct kind *kind = work->kind;
	struct td_member floor = { TD_MEMBER_FLOOR, 0 };
	struct td_context_id context = { 0 };

	for (uint32_t i = 0; i < kind->streams; i++) {
		struct td_member member = { TD_MEMBER_STREAM, 0 };
		struct td_cell cells[2];

		if (i % kind->room == 0)
			context = td_bench_context(&work->bench);
		td_hall_join(&work->hall, i, context, kind->codecs[i % 2u], &kind->settings);
		member.handle = work->hall.parties[i].stream.id.v;
		cells[0] = (struct td_cell){ floor, member, TD_GAIN_UNITY };
		cells[1] = (struct td_cell){ member, floor, TD_GAIN_UNITY };
		td_bench_edit(&work->bench, context, cells, 2);
	}
	td_bench_resolve(&work->bench);
	for (uint32_t i = 0; i < kind->streams; i++)
		td_hall_say(&work->hall, i, work->said[i % 2u], i * 7u);
}

static void open_rooms(struct work *work, const char *name, struct rte_mempool *pool)
{
	const struct kind *kind = work->kind;
	struct td_bench_options options = { .name = name,
					    .stream_count = kind->streams,
					    .mixed_count = kind->streams,
					    .pool = pool,
					    .seed = SEED };
	static int16_t pcm[FRAMES * 320u];

	for (unsigned i = 0; i < 2; i++) {
		uint32_t hz = kind->codecs[i] == TD_CODEC_PCMU ? 8000 : 16000;

		td_speech_make(pcm, FRAMES * hz / 50u, hz, 1);
		work->said[i] = td_loop_create(kind->codecs[i], hz, &kind->settings, pcm, FRAMES);
	}
	td_bench_open(&work->bench, &options);
	td_hall_open(&work->hall, &work->bench, kind->streams);
	join_rooms(work);
	work->worker = work->bench.worker;
	for (uint32_t i = 0; i < SETTLE; i++)
		td_hall_round(&work->hall);
	td_hall_forget(&work->hall);
}

static void open_work(struct work *work, const char *name, struct rte_mempool *pool)
{
	struct td_rig_protection protection = { .suite = TD_SRTP_AEAD_AES_128_GCM,
						.says = true,
						.hears = true };

	if (work->kind->room != 0) {
		open_rooms(work, name, pool);
		return;
	}
	work->rig = td_rig_create_protected(work->kind->streams, name, pool, SEED,
					    work->kind->srtp ? &protection : NULL);
	work->worker = td_rig_worker(work->rig);
	td_rig_fill(work->rig, IN_FLIGHT);
	td_rig_run(work->rig, WARM_UP, &work->lost);
}

static void close_work(struct work *work)
{
	if (work->rig != NULL) {
		td_rig_destroy(work->rig);
		return;
	}
	td_bench_close(&work->bench);
	td_hall_close(&work->hall);
	td_loop_free(work->said[0]);
	td_loop_free(work->said[1]);
}

// ns of a packet or frame.
static double do_work(struct work *work, uint64_t packets, uint32_t rounds)
{
	uint64_t cpu_ns = 0;

	if (work->rig != NULL)
		return (double)td_rig_run(work->rig, packets, &work->lost) / (double)packets;
	for (uint32_t i = 0; i < rounds; i++)
		cpu_ns += td_hall_round(&work->hall);
	return (double)cpu_ns / rounds / work->kind->streams;
}

// The same with the counters in one turn of so many; 0: off.
static double work_on(struct work *work, uint32_t every, uint64_t packets, uint32_t rounds)
{
	td_stage_clock_set(work->worker->stages, every);
	return do_work(work, packets, rounds);
}

static double run_off(struct work *work)
{
	return work_on(work, 0, work->plan->packets, work->plan->rounds);
}

static void run_close(struct work *work, struct td_stage_table *table)
{
	td_stage_table_begin(table);
	do_work(work, work->plan->packets, work->plan->rounds);
	td_stage_table_end(table);
}

// The counters on and off by short blocks. Its row, or false with a word why there is none.
static bool measure_counters(struct work *work, double off_ns)
{
	static double off[PAIRS_MAX], on[PAIRS_MAX];
	double round_ns = off_ns * work->kind->streams;
	uint64_t packets = (uint64_t)(BLOCK_NS / off_ns);
	uint32_t rounds = round_ns < BLOCK_NS ? (uint32_t)(BLOCK_NS / round_ns) + 1u : 1u;
	double block_ns = work->rig != NULL ? BLOCK_NS : rounds * round_ns;
	double wanted = work->plan->pairs_ns / block_ns / 2.0;
	size_t pairs = wanted > PAIRS_MAX ? PAIRS_MAX : (size_t)wanted;
	struct td_pairs_result result;
	struct td_report_row row = { .bench = "stages",
				     .unit = work->kind->unit,
				     .reference_name = "the whole, counters off",
				     .p50_us = -1,
				     .p99_us = -1 };
	char name[96];

	pairs = pairs < PAIRS_MIN ? PAIRS_MIN : pairs;
	for (size_t i = 0; i < pairs; i++) {
		if (i % 2u == 0)
			off[i] = work_on(work, 0, packets, rounds);
		on[i] = work_on(work, TD_STAGE_EVERY, packets, rounds);
		if (i % 2u != 0)
			off[i] = work_on(work, 0, packets, rounds);
	}
	result = td_pairs_compare(off, on, pairs);
	fprintf(stderr,
		"stages: %s: counters add %+.3f %% (99 %%: %+.3f to %+.3f), %zu pairs of %.1f ms\n",
		work->kind->name, result.median * 100, result.low * 100, result.high * 100, pairs,
		block_ns / 1e6);
	if (result.high >= COST_MAX) {
		fprintf(stderr,
			"stages: %s: no figure of the counters: that is not surely below 1 %%\n",
			work->kind->name);
		return false;
	}
	snprintf(name, sizeof name, "%s: counters on", work->kind->name);
	row.case_name = name;
	row.reference = result.a;
	row.value = result.a * (1 + result.median);
	row.min = result.a * (1 + result.low);
	row.max = result.a * (1 + result.high);
	row.lost = work->lost;
	td_report_print(&row);
	return true;
}

// How much went wrong: packets lost, and a figure that is none.
static uint64_t measure(const struct plan *plan, const struct kind *kind, const char *port_name,
			struct rte_mempool *pool)
{
	// A frame is what a party's jitter buffer is asked for.
	enum td_stage one = kind->room != 0 ? TD_STAGE_JITTER : TD_STAGE_FORWARD;
	struct td_report_row whole = { .bench = "stages",
				       .case_name = kind->name,
				       .unit = kind->unit,
				       .reference_name = "the whole, counters off" };
	static struct td_stage_table table;
	static struct work work;
	double off[RUNS_MAX];
	bool sure;

	work = (struct work){ .kind = kind, .plan = plan };
	open_work(&work, port_name, pool);
	td_stage_table_init(&table, work.worker->stages, one);
	for (unsigned i = 0; i < plan->runs; i++) {
		// Whoever comes first finds other caches.
		if (i % 2u == 0)
			off[i] = run_off(&work);
		run_close(&work, &table);
		if (i % 2u != 0)
			off[i] = run_off(&work);
	}
	if (work.rig == NULL)
		work.lost += td_hall_missing(&work.hall, kind->streams);
	if (work.lost != 0)
		fprintf(stderr, "stages: %s: %llu packets lost: no figure\n", kind->name,
			(unsigned long long)work.lost);
	whole.value = td_report_median(off, plan->runs);
	whole.lost = work.lost;
	sure = td_stage_table_print(&table, &whole);
	sure = measure_counters(&work, whole.value) && sure;
	close_work(&work);
	return work.lost + !sure;
}

static struct plan parse_plan(int argc, char **argv)
{
	static const struct option longs[] = { { "quick", no_argument, NULL, 'q' },
					       { "seconds", required_argument, NULL, 's' },
					       { "cores", required_argument, NULL, 'c' },
					       { "stages", no_argument, NULL, 't' },
					       { "kind", required_argument, NULL, 'k' },
					       { NULL, 0, NULL, 0 } };
	struct plan plan = {
		.runs = 15, .packets = 4000000, .rounds = 50, .pairs_ns = 10e9, .only = -1
	};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'q': plan = (struct plan){ 5, 1000000, 25, 5e9, plan.only }; break;
		case 's':
			plan.packets = (uint64_t)atoi(optarg) * 20000000u;
			plan.rounds = (uint32_t)atoi(optarg) * 50u;
			break;
		case 'k': plan.only = atoi(optarg); break;
		case 't':        // all that there is
		case 'c': break; // one core is what this measures
		default: exit(2);
		}
	}
	return plan;
}

int main(int argc, char **argv)
{
	struct plan plan = parse_plan(argc, argv);
	struct rte_mempool *pool = td_bench_eal("stages", "0", MBUFS);
	uint64_t lost = 0;

	for (int i = 0; i < (int)(sizeof kinds / sizeof kinds[0]); i++) {
		char port_name[16];

		snprintf(port_name, sizeof port_name, "stages%d", i);
		if (plan.only < 0 || plan.only == i)
			lost += measure(&plan, &kinds[i], port_name, pool);
	}
	return lost ? 1 : 0;
}

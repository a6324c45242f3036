// perf/run tick: how late the slots of the media tick begin on a worker that is 80 % busy by its own
// clock, beside a bare loop on the same core that is as busy with the same codec calls and sleeps in
// between.
//
// In real time: the worker runs its own loop on the second core, calls between PCMU and Opus are its
// load, and the parties are on the first core. Worker and bare loop run in turn, at a real-time
// priority where that is allowed, as if the core were theirs. What the machine does to the one it
// does to the other. The value is the median of the runs' p99.9, p50 and p99 are of all their slots.
//
// There are as many calls as make the worker say that it is busy for LOAD of the time; from run to run
// they are fewer or more as the machine's speed drifts. A run in which it drifted out of LOAD_BAND does
// not answer the question: it is told, and made up for.
//
// What a slot cost is kept, too (slot_log.h): it says what the work alone makes late.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_ethdev.h>
#include <rte_launch.h>

#include "base/clock.h"
#include "mix/bare_calls.h"
#include "mix/core.h"
#include "mix/load.h"
#include "mix/options.h"
#include "mix/opus_calls.h"
#include "mix/slot_log.h"
#include "mix/tick_side.h"
#include "report.h"
#include "rig/stage_table.h"

#define LOAD        0.80
#define LOAD_BAND   0.04
#define LOAD_CLOSE  0.01 // what calls are not changed for
#define LOAD_LEAST  0.02 // it had that many calls: who says so was not run
#define FIRST_LOAD  0.50 // by the CPU time of its rounds: in real time a round takes longer
#define CALLS_MAX   1000u
#define TRIAL_CALLS 40u
#define TRIAL       25u // rounds
#define TRIALS      6u
#define TRIAL_MS    500u
#define WORKER_CORE 1u
#define MBUFS       16383
#define SEED        20266
#define SETTLE_MS   1000u
#define ROUND_NS    20000000ull
#define RUNS_A_RUN  3u // attempts, before the machine is given up

// The turn of the worker that began last.
struct turn {
	uint64_t ns;     // when it began
	uint64_t due_ns; // the first of its slots
	uint32_t due;    // how many
};

struct tick {
	struct td_bench bench;
	struct td_hall hall;
	struct td_opus_calls calls;
	struct td_bare_calls bare;
	struct td_slot_log log; // of the run at hand
	struct turn turn;
	uint64_t busy_ns;     // when the last slot began
	uint64_t preemptions; // in the run
	uint64_t talked_ns;   // when the parties were last heard
	_Atomic bool counting;
};

// Slots that were due in one turn began one after the other.
static void count_turn(struct tick *tick, uint64_t busy_ns)
{
	const struct turn *turn = &tick->turn;
	uint64_t each_ns = busy_ns / turn->due, due_ns = turn->due_ns;

	for (uint32_t i = 0; i < turn->due; i++, due_ns += TD_SLOT_NS)
		td_slot_log_add(&tick->log, due_ns, turn->ns + i * each_ns - due_ns, each_ns);
}

// In the worker's turn, before it takes what has come and runs what is due.
static uint16_t on_poll(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count,
			uint16_t max, void *user)
{
	struct tick *tick = user;
	const struct td_worker *worker = tick->bench.worker;
	uint64_t now_ns, due_ns = td_slots_next_ns(&worker->slots);

	(void)port;
	(void)queue;
	(void)mbufs;
	(void)max;
	if (!atomic_load_explicit(&tick->counting, memory_order_acquire)) {
		tick->turn = (struct turn){ 0 };
		return count;
	}
	now_ns = td_clock_now_ns();
	if (tick->turn.due > 0)
		count_turn(tick, worker->stats->busy_ns - tick->busy_ns);
	tick->turn = (struct turn){ now_ns, due_ns, 0 };
	tick->busy_ns = worker->stats->busy_ns;
	if (due_ns <= now_ns)
		tick->turn.due = (uint32_t)((now_ns - due_ns) / TD_SLOT_NS) + 1u;
	return count;
}

static int run_loop(void *user)
{
	struct tick *tick = user;
	int result;

	td_core_take();
	tick->preemptions = td_core_preemptions();
	result = td_worker_run(tick->bench.worker);
	tick->preemptions = td_core_preemptions() - tick->preemptions;
	return result;
}

// While nobody talked the parties' clocks went on.
static void pass_time(struct tick *tick, uint64_t now_ns)
{
	uint32_t rounds = (uint32_t)((now_ns - tick->talked_ns) / ROUND_NS);

	for (uint32_t party = 0; party < 2u * tick->calls.made; party++)
		tick->hall.parties[party].timestamp +=
			rounds * tick->hall.parties[party].clock_step;
}

// The parties talk and listen in real time until all has settled, and then as long as it counts.
static void talk(struct tick *tick, uint32_t settle_ms, uint32_t ms_count, struct td_load *load)
{
	// On the worker's rounds, and in the middle between two slots: no packet races its own.
	uint64_t next_ns = (td_clock_now_ns() / ROUND_NS + 1u) * ROUND_NS + TD_SLOT_NS / 2u;

	pass_time(tick, next_ns);
	tick->log.begin_ns = next_ns - TD_SLOT_NS / 2u;
	td_core_sleep_until(next_ns);
	for (uint32_t ms = 0; ms < settle_ms + ms_count; ms++) {
		if (ms == settle_ms) {
			td_hall_forget(&tick->hall);
			atomic_store(&tick->counting, true);
		}
		if (ms >= settle_ms && ms % 20u == 0)
			td_load_sample(load, tick->bench.worker->stats->busy_ns);
		td_hall_talk(&tick->hall, ms % 20u);
		next_ns += TD_NS_PER_MS;
		td_core_sleep_until(next_ns);
		td_hall_listen(&tick->hall);
		td_bench_housekeep(&tick->bench);
	}
	tick->talked_ns = next_ns;
}

// The worker in real time; answers its load while it counted.
static double run_worker(struct tick *tick, uint32_t settle_ms, uint32_t ms)
{
	static struct td_load load;

	td_load_begin(&load);
	// Set-up has moved its clock by itself; it must not go back.
	td_core_sleep_until(tick->bench.now_ns);
	tick->log.count = 0;
	atomic_store(&tick->bench.workers->stop, false);
	rte_eal_remote_launch(run_loop, tick, WORKER_CORE);
	talk(tick, settle_ms, ms, &load);
	atomic_store(&tick->counting, false);
	atomic_store(&tick->bench.workers->stop, true);
	rte_eal_wait_lcore(WORKER_CORE);
	tick->bench.now_ns = td_clock_now_ns();
	return td_load_of(&load);
}

static double run_bare(struct tick *tick, uint32_t ms)
{
	struct td_bare_calls *bare = &tick->bare;
	uint64_t next_ns = td_clock_now_ns(), end_ns = next_ns + ms * TD_NS_PER_MS;
	static struct td_load load;

	td_load_begin(&load);
	tick->log.count = 0;
	bare->log = &tick->log;
	atomic_store(&bare->stop, false);
	rte_eal_remote_launch(td_bare_calls_run, bare, WORKER_CORE);
	atomic_store(&bare->counting, true);
	for (; next_ns <= end_ns; next_ns += ROUND_NS) {
		td_core_sleep_until(next_ns);
		td_load_sample(&load, atomic_load(&bare->busy_ns));
	}
	atomic_store(&bare->counting, false);
	atomic_store(&bare->stop, true);
	rte_eal_wait_lcore(WORKER_CORE);
	return td_load_of(&load);
}

// While the worker does not run in real time.
static void have_calls(struct tick *tick, uint32_t wanted)
{
	wanted = wanted < CALLS_MAX ? wanted : CALLS_MAX;
	while (tick->calls.count < wanted)
		td_opus_calls_add(&tick->calls);
	while (tick->calls.count > wanted)
		td_opus_calls_drop(&tick->calls);
	td_bench_resolve(&tick->bench);
}

// So many calls as a first guess, from the CPU time of rounds that follow each other.
static void guess_calls(struct tick *tick)
{
	uint64_t round_ns = 0;

	have_calls(tick, TRIAL_CALLS);
	for (uint32_t i = 0; i < 2u * TRIAL; i++) {
		uint64_t ns = td_hall_round(&tick->hall);

		round_ns += i >= TRIAL ? ns / TRIAL : 0;
	}
	have_calls(tick, (uint32_t)(TRIAL_CALLS * FIRST_LOAD * 20e6 / (double)round_ns));
}

// The machine's speed drifts: so much work that the loads will be what they are to be, if it stays
// as it was when they were measured.
static void tune(struct tick *tick, double bare_load, double worker_load)
{
	if (bare_load >= LOAD_LEAST)
		td_bare_calls_have(&tick->bare,
				   (uint32_t)lround(tick->bare.count * LOAD / bare_load));
	if (worker_load < LOAD_LEAST || fabs(worker_load - LOAD) < LOAD_CLOSE)
		return;
	td_worker_attach(tick->bench.worker, tick->bench.now_ns);
	have_calls(tick, (uint32_t)lround(tick->calls.count * LOAD / worker_load));
	td_worker_detach(tick->bench.worker);
}

// Until the worker itself says that it is as busy as it is to be, and the bare calls are.
static void calibrate(struct tick *tick)
{
	double load = 0, bare_load;

	guess_calls(tick);
	td_worker_detach(tick->bench.worker);
	td_bare_calls_have(&tick->bare, tick->calls.count);
	for (uint32_t trial = 0; trial < TRIALS && fabs(load - LOAD) > LOAD_CLOSE; trial++) {
		bare_load = run_bare(tick, TRIAL_MS);
		load = run_worker(tick, SETTLE_MS / 2u, TRIAL_MS);
		tune(tick, bare_load, load);
	}
}

static uint64_t missing(const struct tick *tick)
{
	uint64_t lost = tick->hall.unsaid;

	for (uint32_t party = 0; party < 2u * tick->calls.count; party++)
		lost += tick->hall.parties[party].breaks;
	return lost;
}

static bool is_asked_load(double load)
{
	return fabs(load - LOAD) <= LOAD_BAND;
}

// One run of each. False when the machine did not let the load be what it is to be.
static bool run_both(struct tick *tick, struct td_tick_side *bare, struct td_tick_side *worker,
		     unsigned run, uint32_t ms)
{
	uint64_t stolen_ms[3] = { td_core_stolen_ms(WORKER_CORE) };
	static struct td_slot_log log;
	double load[2];

	load[0] = run_bare(tick, ms);
	log = tick->log;
	stolen_ms[1] = td_core_stolen_ms(WORKER_CORE);
	load[1] = run_worker(tick, SETTLE_MS, ms);
	stolen_ms[2] = td_core_stolen_ms(WORKER_CORE);
	if (!is_asked_load(load[0]) || !is_asked_load(load[1])) {
		fprintf(stderr,
			"tick: a run does not count: load of the bare calls %.0f %%, of the worker %.0f %%, "
			"whose p99.9 was %.0f us\n",
			100.0 * load[0], 100.0 * load[1], td_slot_log_us(&tick->log, 0.999));
		tune(tick, load[0], load[1]);
		return false;
	}
	td_tick_side_keep(worker, &tick->log, run, load[1]);
	td_tick_side_keep(bare, &log, run, load[0]);
	bare->stolen_ms += stolen_ms[1] - stolen_ms[0];
	worker->stolen_ms += stolen_ms[2] - stolen_ms[1];
	worker->preemptions += tick->preemptions;
	tune(tick, load[0], load[1]);
	return true;
}

// Where the time of the busy turns goes, in runs of their own; what went wrong.
static uint64_t print_stages(struct tick *tick, uint32_t ms)
{
	static struct td_stage_table table;
	uint64_t dropped = td_bench_drops(&tick->bench);
	struct td_report_row whole = { .bench = "tick",
				       .case_name = "80 % load",
				       .unit = "ns/frame" };

	td_stage_table_init(&table, tick->bench.worker->stages, TD_STAGE_JITTER);
	for (unsigned i = 0; i < TD_STAGE_RUNS; i++) {
		td_stage_table_begin(&table);
		run_worker(tick, SETTLE_MS, ms);
		td_stage_table_end(&table);
		whole.lost += missing(tick);
	}
	whole.lost += td_bench_drops(&tick->bench) - dropped;
	return whole.lost + !td_stage_table_print(&table, &whole);
}

static uint64_t bench_load(struct tick *tick, const struct td_mix_options *options)
{
	static struct td_tick_side worker, bare;
	uint32_t ms = options->rounds >= 50u ? options->rounds * 20u : 1000u;
	uint64_t dropped = td_bench_drops(&tick->bench);
	struct td_report_row row = { .bench = "tick",
				     .case_name = "80 % load",
				     .unit = "us late, p99.9",
				     .reference_name = "bare codec calls" };
	unsigned run = 0;

	for (unsigned i = 0; run < options->runs && i < RUNS_A_RUN * options->runs; i++) {
		run += run_both(tick, &bare, &worker, run, ms);
		row.lost += missing(tick);
	}
	row.lost += td_bench_drops(&tick->bench) - dropped;
	if (run < options->runs) {
		fprintf(stderr, "tick: the machine does not hold still: no figure\n");
		return 1;
	}
	row.value = td_report_median(worker.p999, run);
	row.min = worker.p999[0];
	row.max = worker.p999[run - 1];
	row.p50_us = td_slot_log_us(&worker.log, 0.5);
	row.p99_us = td_slot_log_us(&worker.log, 0.99);
	row.p999_us = td_slot_log_us(&worker.log, 0.999);
	row.reference = td_report_median(bare.p999, run);
	td_report_print(&row);
	td_tick_side_explain("worker", &worker, run);
	td_tick_side_explain("bare calls", &bare, run);
	if (options->stages)
		row.lost += print_stages(tick, ms);
	return row.lost;
}

int main(int argc, char **argv)
{
	static struct tick tick;
	struct td_mix_options options = td_mix_options_parse(argc, argv);
	struct td_bench_options bench = { .name = "tick",
					  .stream_count = 2u * CALLS_MAX,
					  .mixed_count = 2u * CALLS_MAX,
					  .seed = SEED };
	uint64_t lost;

	bench.pool = td_bench_eal("tick", "0,1", MBUFS);
	td_bench_open(&tick.bench, &bench);
	td_hall_open(&tick.hall, &tick.bench, 2u * CALLS_MAX);
	td_opus_calls_open(&tick.calls, &tick.hall);
	// As configured by default: a thread of this priority that never slept would be stopped by the
	// kernel for a twentieth of every second on a core that others want too.
	tick.bench.worker->pace.busy_poll = false;
	if (rte_eth_add_rx_callback(tick.bench.port.dpdk_port, 0, on_poll, &tick) == NULL) {
		fprintf(stderr, "tick: DPDK was built without receive callbacks\n");
		return 2;
	}
	td_bare_calls_open(&tick.bare, &tick.calls, CALLS_MAX);
	calibrate(&tick);
	lost = bench_load(&tick, &options);
	td_worker_attach(tick.bench.worker, tick.bench.now_ns);
	td_bench_close(&tick.bench);
	td_hall_close(&tick.hall);
	td_bare_calls_close(&tick.bare);
	td_opus_calls_close(&tick.calls);
	return lost != 0;
}

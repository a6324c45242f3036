// perf/run tick: how late the slots of the media tick begin on a worker that is 80 % busy, beside
// how late a loop is on the same core that does nothing but sleep until the next one.
//
// In real time: the worker runs its own loop on the second core, calls between PCMU and Opus are its
// load, and the parties are on the first core. A slot's lateness is taken where the worker polls its
// port in the turn that runs the slot. Both run at a real-time priority where that is allowed, as if
// the core were theirs. What the machine does to the loop that does nothing it does to the worker as
// well; no thread can be better than that. The value is the median of the runs' p99.9, the other
// quantiles are of all their slots.
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_ethdev.h>
#include <rte_launch.h>

#include "base/clock.h"
#include "mix/options.h"
#include "mix/opus_calls.h"
#include "report.h"

#define LOAD        0.80
#define CALLS_MAX   1000u
#define TRIAL_CALLS 40u
#define TRIAL       25u // rounds
#define WORKER_CORE 1u
#define MBUFS       16383
#define SEED        20266
#define PRIORITY    10
#define SETTLE_MS   1000u
#define BIN_NS      1000u
#define BINS        100000u // to 100 ms

struct lateness {
	uint64_t bins[BINS];
	uint64_t count;
};

struct tick {
	struct td_bench bench;
	struct td_hall hall;
	struct td_opus_calls calls;
	struct lateness late;
	uint64_t busy_ns, idle_ns; // of the worker while it counts
	_Atomic bool counting, stop;
};

static void add(struct lateness *late, uint64_t ns)
{
	uint64_t bin = ns / BIN_NS;

	late->bins[bin < BINS ? bin : BINS - 1u]++;
	late->count++;
}

// The lateness in us that this part of all slots does not exceed.
static double quantile(const struct lateness *late, double part)
{
	uint64_t seen = 0;
	uint32_t bin = 0;

	while (bin < BINS - 1u && (double)(seen += late->bins[bin]) < part * (double)late->count)
		bin++;
	return (double)(bin + 1u) * BIN_NS / 1000.0;
}

// In the worker's turn, before it runs what is due.
static uint16_t on_poll(uint16_t port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count,
			uint16_t max, void *user)
{
	struct tick *tick = user;
	uint64_t now_ns, due_ns = td_slots_next_ns(&tick->bench.worker->slots);

	(void)port;
	(void)queue;
	(void)mbufs;
	(void)max;
	if (!atomic_load_explicit(&tick->counting, memory_order_relaxed))
		return count;
	for (now_ns = td_clock_now_ns(); due_ns <= now_ns; due_ns += TD_SLOT_NS)
		add(&tick->late, now_ns - due_ns);
	return count;
}

static void sleep_until(uint64_t ns)
{
	struct timespec until = { .tv_sec = (time_t)(ns / TD_NS_PER_S),
				  .tv_nsec = (long)(ns % TD_NS_PER_S) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

// The core is this thread's, as far as we may say so.
static void take_core(void)
{
	const struct sched_param priority = { .sched_priority = PRIORITY };

	if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0)
		fprintf(stderr, "tick: no real-time priority: the core is shared with others\n");
}

static int run_loop(void *worker)
{
	take_core();
	return td_worker_run(worker);
}

// The reference: waits for every millisecond, and does nothing in it.
static int watch_clock(void *user)
{
	struct tick *tick = user;
	uint64_t next_ns;

	take_core();
	next_ns = (td_clock_now_ns() / TD_SLOT_NS + 1u) * TD_SLOT_NS;
	while (!atomic_load_explicit(&tick->stop, memory_order_acquire)) {
		uint64_t now_ns = td_clock_now_ns();

		for (; next_ns <= now_ns; next_ns += TD_SLOT_NS)
			if (atomic_load_explicit(&tick->counting, memory_order_relaxed))
				add(&tick->late, now_ns - next_ns);
		sleep_until(next_ns);
	}
	return 0;
}

// Calls until the tick of all of them takes LOAD of its 20 ms. Returns its CPU time, ns.
static double add_calls(struct tick *tick)
{
	uint32_t wanted = TRIAL_CALLS;
	double round_ns = 0;

	for (int trial = 0; trial < 3; trial++) {
		while (tick->calls.count < wanted)
			td_opus_calls_add(&tick->calls);
		td_bench_resolve(&tick->bench);
		round_ns = 0;
		for (uint32_t i = 0; i < 2u * TRIAL; i++) {
			uint64_t ns = td_hall_round(&tick->hall);

			round_ns += i >= TRIAL ? (double)ns / TRIAL : 0;
		}
		wanted = (uint32_t)(tick->calls.count * LOAD * 20e6 / round_ns);
		wanted = wanted < CALLS_MAX ? wanted : CALLS_MAX;
	}
	return round_ns;
}

// The parties talk and listen in real time for so long, from the beginning of a round.
static void talk(struct tick *tick, uint32_t ms_count)
{
	uint64_t next_ns = td_clock_now_ns();

	for (uint32_t ms = 0; ms < ms_count; ms++) {
		td_hall_talk(&tick->hall, ms % 20u);
		next_ns += TD_NS_PER_MS;
		sleep_until(next_ns);
		td_hall_listen(&tick->hall);
		td_bench_housekeep(&tick->bench);
	}
}

static void run_worker(struct tick *tick, uint32_t seconds)
{
	struct td_worker *worker = tick->bench.worker;

	// Set-up has moved its clock by itself; it must not go back.
	sleep_until(tick->bench.now_ns);
	atomic_store(&tick->bench.workers->stop, false);
	rte_eal_remote_launch(run_loop, worker, WORKER_CORE);
	talk(tick, SETTLE_MS);
	td_hall_forget(&tick->hall);
	tick->busy_ns -= worker->stats->busy_ns;
	tick->idle_ns -= worker->stats->idle_ns;
	atomic_store(&tick->counting, true);
	talk(tick, seconds * 1000u);
	atomic_store(&tick->counting, false);
	tick->busy_ns += worker->stats->busy_ns;
	tick->idle_ns += worker->stats->idle_ns;
	atomic_store(&tick->bench.workers->stop, true);
	rte_eal_wait_lcore(WORKER_CORE);
	tick->bench.now_ns = td_clock_now_ns();
}

static void run_reference(struct tick *tick, uint32_t seconds)
{
	atomic_store(&tick->stop, false);
	rte_eal_remote_launch(watch_clock, tick, WORKER_CORE);
	atomic_store(&tick->counting, true);
	sleep_until(td_clock_now_ns() + seconds * TD_NS_PER_S);
	atomic_store(&tick->counting, false);
	atomic_store(&tick->stop, true);
	rte_eal_wait_lcore(WORKER_CORE);
}

static uint64_t bench_load(struct tick *tick, const struct td_mix_options *options)
{
	static struct lateness worker, bare, run;
	double p999[TD_RUNS_MAX], bare999[TD_RUNS_MAX];
	uint32_t seconds = options->rounds >= 50u ? options->rounds / 50u : 1u;
	uint64_t dropped = td_bench_drops(&tick->bench);
	struct td_report_row row = { .bench = "tick",
				     .case_name = "80 % load",
				     .unit = "us late, p99.9",
				     .reference_name = "bare sleeper" };

	memset(&worker, 0, sizeof worker);
	memset(&bare, 0, sizeof bare);
	// As configured by default: a thread of this priority that never slept would be stopped by the
	// kernel for a twentieth of every second on a core that others want too.
	tick->bench.worker->pace.busy_poll = false;
	for (unsigned i = 0; i < options->runs; i++) {
		memset(&tick->late, 0, sizeof tick->late);
		run_reference(tick, seconds);
		for (uint32_t bin = 0; bin < BINS; bin++)
			bare.bins[bin] += tick->late.bins[bin];
		bare.count += tick->late.count;
		bare999[i] = quantile(&tick->late, 0.999);
		memset(&tick->late, 0, sizeof tick->late);
		run_worker(tick, seconds);
		run = tick->late;
		for (uint32_t bin = 0; bin < BINS; bin++)
			worker.bins[bin] += run.bins[bin];
		worker.count += run.count;
		p999[i] = quantile(&run, 0.999);
		for (uint32_t party = 0; party < 2u * tick->calls.count; party++)
			row.lost += tick->hall.parties[party].breaks;
		row.lost += tick->hall.unsaid;
	}
	row.lost += td_bench_drops(&tick->bench) - dropped;
	row.value = td_report_median(p999, options->runs);
	row.min = p999[0];
	row.max = p999[options->runs - 1];
	row.p50_us = quantile(&worker, 0.5);
	row.p99_us = quantile(&worker, 0.99);
	row.reference = td_report_median(bare999, options->runs);
	td_report_print(&row);
	fprintf(stderr,
		"tick: %llu slots at a load of %.0f %%; the bare sleeper's p99 is %.0f us, "
		"p50 %.0f us\n",
		(unsigned long long)worker.count,
		100.0 * (double)tick->busy_ns / (double)(tick->busy_ns + tick->idle_ns),
		quantile(&bare, 0.99), quantile(&bare, 0.5));
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
	double round_ns;

	bench.pool = td_bench_eal("tick", "0,1", MBUFS);
	td_bench_open(&tick.bench, &bench);
	td_hall_open(&tick.hall, &tick.bench, 2u * CALLS_MAX);
	td_opus_calls_open(&tick.calls, &tick.hall);
	round_ns = add_calls(&tick);
	fprintf(stderr, "tick: %u calls, %.1f ms of CPU in 20 ms\n", tick.calls.count,
		round_ns / 1e6);
	td_worker_detach(tick.bench.worker);
	if (rte_eth_add_rx_callback(tick.bench.port.dpdk_port, 0, on_poll, &tick) == NULL) {
		fprintf(stderr, "tick: DPDK was built without receive callbacks\n");
		return 2;
	}
	lost = bench_load(&tick, &options);
	td_worker_attach(tick.bench.worker, tick.bench.now_ns);
	td_bench_close(&tick.bench);
	td_hall_close(&tick.hall);
	td_opus_calls_close(&tick.calls);
	return lost != 0;
}

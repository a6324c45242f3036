// 100,000 waiting calls, 10,000 agents, 500 queues: what an event costs, what a call costs, what a
// storm of hang-ups costs. The figures are printed; the test fails only far beyond them (a busy
// machine, a sanitizer), where nothing but a scan over all calls or agents can be the reason.
#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "acd/acd.h"
#include "acd/inspect.h"
#include "rng.h"
#include "td_assert.h"

#define QUEUES  500u
#define AGENTS  10000u
#define WAITING 100000u
#define EVENTS  200000u
#define STORM   50000u

static struct td_acd *acd;
static struct td_acd_actions actions;
static uint64_t now_ms = 1, next_call = 1;
static uint64_t offer_call[AGENTS], offer_epoch[AGENTS]; // what each agent is doing
static uint32_t latency_ns[EVENTS];
static int failures;

static double cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static int apply(struct td_acd_event event)
{
	int error = td_acd_apply(acd, &event, now_ms, &actions);

	for (uint32_t i = 0; i < actions.count; i++) {
		const struct td_acd_action *action = &actions.items[i];

		if (action->kind == TD_ACD_OFFER) {
			offer_call[action->agent] = action->call;
			offer_epoch[action->agent] = action->epoch;
		}
	}
	return error;
}

static void must(struct td_acd_event event)
{
	TD_ASSERT(apply(event) == 0);
}

static void report(const char *what, double value, const char *unit, double aim, double limit)
{
	printf("%-44s %10.2f %-3s aim %8.0f %s\n", what, value, unit, aim,
	       value <= limit ? "" : "FAILED");
	failures += value > limit;
}

static void enqueue(struct sim_rng *rng)
{
	must((struct td_acd_event){ .kind = TD_ACD_CALL_ENQUEUE,
				    .call = next_call++,
				    .queue = sim_below(rng, QUEUES),
				    .u.arrival_ms = now_ms - sim_below(rng, 30000) % now_ms });
}

static void join_two(struct sim_rng *rng, enum td_acd_event_kind kind, uint32_t agent)
{
	must((struct td_acd_event){
		.kind = kind, .agent = agent, .queue = sim_below(rng, QUEUES) });
	must((struct td_acd_event){
		.kind = kind, .agent = agent, .queue = sim_below(rng, QUEUES) });
}

static struct td_acd *create(uint32_t calls_max)
{
	struct td_acd_limits limits = { QUEUES, AGENTS, calls_max };
	struct td_acd *made;

	TD_ASSERT(td_acd_create(&limits, &made) == 0);
	return made;
}

static void measure_memory(void)
{
	size_t before = heap_bytes(), small, large;

	acd = create(WAITING);
	small = heap_bytes() - before;
	td_acd_destroy(acd);
	acd = create(3 * WAITING);
	large = heap_bytes() - before;
	// A sanitizer's allocator does not count here.
	if (heap_bytes())
		report("memory a call", (double)(large - small) / (2 * WAITING), "B", 256, 256);
}

static void open_centre(struct sim_rng *rng)
{
	struct td_acd_event queue = { .kind = TD_ACD_QUEUE_ADD };

	queue.u.queue = (struct td_acd_queue_settings){ .offer_timeout_ms = 1ull << 40,
							.wait_max_ms = 1ull << 39,
							.length_max = WAITING };
	for (queue.queue = 0; queue.queue < QUEUES; queue.queue++)
		must(queue);
	for (uint32_t a = 0; a < AGENTS; a++) {
		must((struct td_acd_event){ .kind = TD_ACD_AGENT_ADD, .agent = a });
		join_two(rng, TD_ACD_AGENT_JOIN, a);
		must((struct td_acd_event){ .kind = TD_ACD_AGENT_REACHABLE, .agent = a });
	}
}

// Every agent gets other queues: each event interns a set.
static void measure_reconfiguration(uint64_t seed)
{
	struct sim_rng rng = sim_rng_for(seed, 1, 0), other = sim_rng_for(seed, 2, 0);
	double start;

	open_centre(&rng);
	rng = sim_rng_for(seed, 1, 0);
	start = cpu_s();
	for (uint32_t a = 0; a < AGENTS; a++) {
		join_two(&rng, TD_ACD_AGENT_LEAVE, a);
		join_two(&other, TD_ACD_AGENT_JOIN, a);
	}
	report("other queues for 10,000 agents", 1e3 * (cpu_s() - start), "ms", 50, 2000);
}

// Answers what is offered or ends what is talked about: one call taken, so one more may come.
static void work(struct sim_rng *rng)
{
	uint32_t a = sim_below(rng, AGENTS);
	struct td_acd_event event = { .kind = TD_ACD_OFFER_ANSWERED, .agent = a };

	event.call = offer_call[a];
	event.epoch = offer_epoch[a];
	if (apply(event) == -TD_ESTALE) {
		event.kind = TD_ACD_CALL_ENDED;
		must(event);
		enqueue(rng);
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

// Of latency_ns, sorted.
static double percentile_us(uint32_t percent)
{
	uint32_t at = EVENTS / 100 * percent;

	return (double)latency_ns[at] / 1e3;
}

static void measure_work(uint64_t seed)
{
	struct sim_rng rng = sim_rng_for(seed, 3, 0);
	size_t heap;
	double start;

	for (uint32_t a = 0; a < AGENTS; a++)
		must((struct td_acd_event){ .kind = TD_ACD_AGENT_LOGIN, .agent = a });
	while (next_call <= WAITING + AGENTS)
		enqueue(&rng);
	heap = heap_bytes();
	start = cpu_s();
	for (uint32_t i = 0; i < EVENTS; i++) {
		uint64_t before = monotonic_ns();

		now_ms += i % 16 == 0;
		work(&rng);
		latency_ns[i] = (uint32_t)(monotonic_ns() - before);
	}
	report("CPU a step (answer, or end and the next call)", 1e6 * (cpu_s() - start) / EVENTS,
	       "us", 5, 200);
	qsort(latency_ns, EVENTS, sizeof latency_ns[0], compare);
	report("p50 of a step", percentile_us(50), "us", 5, 500);
	report("p99 of a step", percentile_us(99), "us", 50, 5000);
	report("bytes allocated meanwhile", (double)(heap_bytes() - heap), "B", 0, 0);
}

static void measure_storm(void)
{
	double start = cpu_s();
	uint32_t gone = 0;

	for (uint64_t call = next_call - 1; gone < STORM; call--)
		gone += apply((struct td_acd_event){ .kind = TD_ACD_CALL_ABANDON, .call = call }) ==
			0;
	report("50,000 callers hang up", 1e3 * (cpu_s() - start), "ms", 50, 2000);
}

int main(int argc, char **argv)
{
	uint64_t seed = sim_seed(argc, argv, 100000);

	measure_memory();
	measure_reconfiguration(seed);
	measure_work(seed);
	measure_storm();
	td_acd_destroy(acd);
	printf("%d failed\n", failures);
	return failures != 0;
}

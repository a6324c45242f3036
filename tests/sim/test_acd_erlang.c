// The ACD in virtual time against queueing theory: with Poisson arrivals and exponential talk it
// has to behave as Erlang C says, with impatient callers as Erlang A says, and with agents of two
// skills as Wallace and Whitt found. Exact values: M/M/s and M/M/s+M, 30 digits.
//
// A figure is accepted within Z_MAX standard errors of its batch means, and only if that standard
// error is small enough for the comparison to mean something.
#include <stdio.h>

#include "rng.h"
#include "world.h"

#define Z_MAX           4.0
#define WARM_UP_BATCHES 1

static int failures;

static uint64_t serves_all(uint32_t agent)
{
	(void)agent;
	return ~0ull;
}

// Six skills, agents in equal groups: k neighbouring skills each.
static uint64_t serves_neighbours(uint32_t agent, uint32_t k)
{
	uint64_t mask = 0;

	for (uint32_t i = 0; i < k; i++)
		mask |= 1ull << ((agent % 6 + i) % 6);
	return mask;
}

static uint64_t serves_one(uint32_t agent)
{
	return serves_neighbours(agent, 1);
}

// Each pair of six skills is had by the same number of agents.
static uint64_t serves_two(uint32_t agent)
{
	static const uint8_t pairs[15] = { 0x03, 0x05, 0x09, 0x11, 0x21, 0x06, 0x0a, 0x12,
					   0x22, 0x0c, 0x14, 0x24, 0x18, 0x28, 0x30 };

	return pairs[agent % 15];
}

enum figure { P_WAIT, WAIT_S, P_ABANDON };

static double figure_of(const struct sim_batch *batch, enum figure figure)
{
	double calls = (double)batch->calls;

	switch (figure) {
	case P_WAIT: return (double)batch->waited / calls;
	case WAIT_S: return batch->wait_s / calls;
	case P_ABANDON: break;
	}
	return (double)batch->abandoned / calls;
}

struct estimate {
	double mean, error; // standard error of the mean
};

static struct estimate estimate(const struct sim_result *result, enum figure figure)
{
	int n = SIM_BATCHES - WARM_UP_BATCHES;
	double sum = 0, squares = 0, mean;

	for (int b = WARM_UP_BATCHES; b < SIM_BATCHES; b++)
		sum += figure_of(&result->batches[b], figure);
	mean = sum / n;
	for (int b = WARM_UP_BATCHES; b < SIM_BATCHES; b++) {
		double d = figure_of(&result->batches[b], figure) - mean;

		squares += d * d;
	}
	return (struct estimate){ mean, sqrt(squares / (n - 1) / n) };
}

static void expect(const char *what, const struct sim_result *result, enum figure figure,
		   double exact)
{
	static const char *const names[] = { "P(wait)", "mean wait s", "P(abandon)" };
	struct estimate e = estimate(result, figure);
	double z = (e.mean - exact) / e.error;
	bool ok = fabs(z) < Z_MAX && e.error < 0.2 * exact;

	printf("%-26s %-12s exact %9.5f  simulated %9.5f +- %.5f  z %+.2f %s\n", what,
	       names[figure], exact, e.mean, e.error, z, ok ? "" : "FAILED");
	failures += !ok;
}

static struct sim_config centre(uint64_t seed, uint32_t queues, uint32_t agents, double calls_per_h,
				double talk_s, double patience_s, uint64_t calls)
{
	return (struct sim_config){
		.seed = seed,
		.queues = queues,
		.agents = agents,
		.calls_max = 100000,
		.serves = serves_all,
		.calls = calls,
		.arrivals_per_s = calls_per_h / 3600,
		.talk_s = talk_s,
		.patience_s = patience_s,
		.settings = { .offer_timeout_ms = 15000,
			      .service_level_ms = 20000,
			      .length_max = 1000000 },
	};
}

static const struct {
	double calls_per_h, talk_s, patience_s;
	uint32_t agents;
	double p_wait, wait_s, p_abandon;
} rows[] = {
	{ 60, 60, 0, 2, 0.3333333333, 20.0, 0 },
	{ 100, 180, 0, 7, 0.3241499492, 29.17349543, 0 },
	{ 100, 180, 0, 8, 0.1672665067, 10.03599040, 0 },
	{ 120, 300, 0, 12, 0.4493882243, 67.40823364, 0 },
	{ 1000, 300, 0, 90, 0.3672894852, 16.52802684, 0 },
	{ 2880, 300, 0, 250, 0.4121393771, 12.36418131, 0 },
	{ 100, 180, 120, 5, 0.5170736, 23.084436, 0.1923703 },
	{ 1000, 300, 180, 80, 0.58109968, 12.977229, 0.07209572 },
	{ 3600, 100, 100, 100, 0.5132988, 3.9860997, 0.03986100 },
};

static void erlang(uint64_t seed, uint64_t calls)
{
	static struct sim_result result;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct sim_config config = centre(seed, 1, rows[i].agents, rows[i].calls_per_h,
						  rows[i].talk_s, rows[i].patience_s, calls);
		char what[64];

		snprintf(what, sizeof what, "%g/h %g s, %u agents%s", rows[i].calls_per_h,
			 rows[i].talk_s, rows[i].agents, rows[i].patience_s > 0 ? " +M" : "");
		sim_run(&config, &result);
		expect(what, &result, P_WAIT, rows[i].p_wait);
		expect(what, &result, WAIT_S, rows[i].wait_s);
		if (rows[i].p_abandon > 0)
			expect(what, &result, P_ABANDON, rows[i].p_abandon);
	}
}

static double mean_wait(struct sim_config *config, uint64_t (*serves)(uint32_t),
			struct sim_result *result)
{
	config->serves = serves;
	sim_run(config, result);
	return estimate(result, WAIT_S).mean;
}

// 84 erlangs in six skills, 90 agents: the ends are exact, and two skills each come close to all.
static void skills(uint64_t seed, uint64_t calls)
{
	static struct sim_result result;
	struct sim_config config = centre(seed, 6, 90, 84, 600, 0, calls);
	double two_s;

	mean_wait(&config, serves_one, &result);
	expect("6 skills, 1 each", &result, WAIT_S, 433.39);
	mean_wait(&config, serves_all, &result);
	expect("6 skills, 6 each", &result, WAIT_S, 41.196);
	two_s = mean_wait(&config, serves_two, &result);
	printf("%-26s %-12s between 41 and 75 simulated %9.5f %s\n", "6 skills, 2 each",
	       "mean wait s", two_s, two_s > 41 && two_s < 75 ? "" : "FAILED");
	failures += !(two_s > 41 && two_s < 75);
}

int main(int argc, char **argv)
{
	uint64_t seed = sim_seed(argc, argv, 20261123);
	uint64_t calls = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000000;

	erlang(seed, calls);
	skills(seed, calls);
	printf("%d failed\n", failures);
	return failures != 0;
}

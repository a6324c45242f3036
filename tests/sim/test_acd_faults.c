// Fault injection: agents pause, log out, lose their phones, do not answer and refuse; callers lose
// patience and wait too long. After every event all invariants hold, nobody is lost or left over,
// and the same seed takes the same decisions.
#include <stdio.h>

#include "rng.h"
#include "world.h"

static uint64_t serves_some(uint32_t agent)
{
	return 1ull << agent % 5 | 1ull << (agent * 7 + 3) % 5;
}

static struct sim_config centre(uint64_t seed, uint64_t calls)
{
	struct sim_rng rng = sim_rng_for(seed, 0, 99);

	return (struct sim_config){
		.seed = seed,
		.queues = 5,
		.agents = 12 + sim_below(&rng, 20),
		.calls_max = 250,
		.serves = serves_some,
		.calls = calls,
		.arrivals_per_s = 0.02 + 0.05 * sim_uniform(&rng),
		.talk_s = 60,
		.patience_s = sim_chance(&rng, 0.5) ? 90 : 0,
		.ring_s = 6,
		.no_answer = 0.1,
		.refuse = 0.1,
		.fault_s = 300,
		.absence_s = 120,
		.settings = { .offer_timeout_ms = 10000,
			      .wrap_up_ms = sim_chance(&rng, 0.5) ? 5000 : 0,
			      .wait_max_ms = 240000,
			      .service_level_ms = 20000,
			      .length_max = 8 },
		.check = true,
	};
}

int main(int argc, char **argv)
{
	static struct sim_result first, second;
	uint64_t seed = sim_seed(argc, argv, 4475);
	uint64_t runs = argc > 2 ? strtoull(argv[2], NULL, 0) : 6;

	for (uint64_t run = 0; run < runs; run++) {
		struct sim_config config = centre(seed + run, 3000);

		sim_run(&config, &first);
		config.check = false;
		sim_run(&config, &second);
		printf("seed %llu: %llu events, %llu offers, answered %llu, abandoned %llu, timed "
		       "out %llu, refused %llu, withdrawn %llu, stale %llu, decisions %016llx\n",
		       (unsigned long long)config.seed, (unsigned long long)first.events,
		       (unsigned long long)first.offers, (unsigned long long)first.answered,
		       (unsigned long long)first.abandoned, (unsigned long long)first.timed_out,
		       (unsigned long long)first.refused, (unsigned long long)first.withdrawn,
		       (unsigned long long)first.stale, (unsigned long long)first.hash);
		if (!sim_result_equal(&first, &second)) {
			printf("FAILED: the second run decided otherwise\n");
			return 1;
		}
		// A run in which nothing went wrong would prove nothing.
		if (!first.withdrawn || !first.stale || first.answered < first.offers / 4) {
			printf("FAILED: this run injected no faults\n");
			return 1;
		}
	}
	return 0;
}

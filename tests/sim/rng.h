// Random numbers that a seed repeats exactly: splitmix64.
//
// A stream belongs to one test; sim_rng_for() gives each (seed, subject, purpose) a stream of its
// own, so that two policies can be compared on the same calls (common random numbers).
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct sim_rng {
	uint64_t state;
};

static inline uint64_t sim_next(struct sim_rng *rng)
{
	uint64_t x = rng->state += 0x9e3779b97f4a7c15u;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static inline struct sim_rng sim_rng_for(uint64_t seed, uint64_t subject, uint64_t purpose)
{
	struct sim_rng rng = { seed };

	rng.state ^= sim_next(&rng) + subject;
	rng.state ^= sim_next(&rng) + purpose;
	return rng;
}

// In (0, 1): never 0, so that its logarithm is finite.
static inline double sim_uniform(struct sim_rng *rng)
{
	return ((double)(sim_next(rng) >> 11) + 0.5) / 9007199254740992.0;
}

static inline uint32_t sim_below(struct sim_rng *rng, uint32_t bound)
{
	return (uint32_t)(sim_next(rng) % bound);
}

static inline bool sim_chance(struct sim_rng *rng, double probability)
{
	return sim_uniform(rng) < probability;
}

static inline double sim_exponential(struct sim_rng *rng, double mean)
{
	return -mean * log(sim_uniform(rng));
}

// The seed of a run: first argument, else TD_SEED, else `fallback`; printed, so that a failure can
// be repeated.
static inline uint64_t sim_seed(int argc, char **argv, uint64_t fallback)
{
	const char *text = argc > 1 ? argv[1] : getenv("TD_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : fallback;

	printf("seed %llu\n", (unsigned long long)seed);
	return seed;
}

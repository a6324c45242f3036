// Calls on a bench (rig/bench.h), all of them forwarded.
//
//   feeder (not timed): packets from the out ring, readdressed to the next streams of a random
//   order -> in ring      |      worker's turns (timed) until they are all on the out ring
//
// Streams are calls of two that hear each other. Every packet goes to another stream, from that
// stream's own party, with its next sequence number: over a round of the order every stream's both
// cache lines and every port entry are touched once, which is what a switch with this many calls
// does. The feeder's table is read in order, so it takes little of the cache.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mempool.h>

struct td_rig;
struct td_worker;
struct td_tap_ring;

// How the parties protect what they say and hear.
struct td_rig_protection {
	uint8_t suite;    // enum td_srtp_suite
	bool says, hears; // a key of its own for every party, each way
};

// `streams`: 2 or more, even; half as many calls. `port_name` is unique in the process. Exits with a sentence when anything fails.
struct td_rig *td_rig_create(uint32_t streams, const char *port_name, struct rte_mempool *pool,
			     uint64_t seed);
// The same with SRTP; NULL: without.
struct td_rig *td_rig_create_protected(uint32_t streams, const char *port_name,
				       struct rte_mempool *pool, uint64_t seed,
				       const struct td_rig_protection *protection);
void td_rig_destroy(struct td_rig *rig);

// Every call is recorded from now on. Somebody must empty the ring meanwhile, on another core: runs
// wait for it, untimed, after each burst. What the ring refused is lost.
struct td_tap_ring *td_rig_tap(struct td_rig *rig);

// Of several rigs in a thread all but the one that is run, made or destroyed must rest.
void td_rig_rest(struct td_rig *rig);
void td_rig_wake(struct td_rig *rig);

// Makes `packets` to go round.
void td_rig_fill(struct td_rig *rig, uint32_t packets);

// Feeds and takes turns until `packets` have been forwarded; returns the turns' CPU time, ns.
// `lost` grows by what was dropped.
uint64_t td_rig_run(struct td_rig *rig, uint64_t packets, uint64_t *lost);

// Somebody sprays the ports (sprayer.h): `each` packets of his between every two that are fed from
// now on. Withheld they are made all the same, and nobody gets them: what making them does to the
// caches is then in both of what is compared.
void td_rig_spray(struct td_rig *rig, uint32_t each, bool withheld);
// Only his, `packets` or a few more; returns the turns' CPU time, ns.
uint64_t td_rig_refuse(struct td_rig *rig, uint64_t packets);
// His packets so far, and those of them, or to him, that the switch has sent.
struct td_rig_sprayed {
	uint64_t packets, injected;
};
struct td_rig_sprayed td_rig_sprayed(const struct td_rig *rig);

// Whose turns are taken.
struct td_worker *td_rig_worker(struct td_rig *rig);

// The most frequent drop reason so far.
const char *td_rig_drop_reason(const struct td_rig *rig);

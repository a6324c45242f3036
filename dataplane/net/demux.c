#include <stdlib.h>

#include "base/pages.h"
#include "net/demux.h"
#include "td_assert.h"

#define PAIRS_PER_ADDRESS 32768u

// A FIFO of free pairs: the one that has rested longest is given out first.
struct td_port_pairs {
	struct free_pair {
		uint64_t freed_ns; // 0: never used
		uint16_t port;
	} * free;
	uint32_t capacity, first, count;
	uint8_t *taken; // [capacity] by (port - first port) / 2
};

static uint64_t next_random(uint64_t *state)
{
	// splitmix64: enough to make the order of ports unknown to an outsider given a random seed.
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

static void shuffle_pairs(struct td_port_pairs *pairs, uint64_t *state)
{
	for (uint32_t i = pairs->count; i > 1; i--) {
		uint32_t j = (uint32_t)(next_random(state) % i);
		struct free_pair swap = pairs->free[i - 1];

		pairs->free[i - 1] = pairs->free[j];
		pairs->free[j] = swap;
	}
}

static void pairs_destroy(struct td_port_pairs *pairs)
{
	if (!pairs)
		return;
	free(pairs->free);
	free(pairs->taken);
	free(pairs);
}

static struct td_port_pairs *pairs_create(uint16_t port_first, uint32_t capacity, uint64_t *state)
{
	struct td_port_pairs *pairs = calloc(1, sizeof *pairs);

	if (!pairs)
		return NULL;
	pairs->free = calloc(capacity, sizeof *pairs->free);
	pairs->taken = calloc(capacity, 1);
	if (!pairs->free || !pairs->taken) {
		pairs_destroy(pairs);
		return NULL;
	}
	pairs->capacity = capacity;
	pairs->count = capacity;
	for (uint32_t i = 0; i < capacity; i++)
		pairs->free[i].port = (uint16_t)(port_first + 2 * i);
	shuffle_pairs(pairs, state);
	return pairs;
}

static size_t entry_bytes(const struct td_demux *demux)
{
	return (size_t)demux->local_count * PAIRS_PER_ADDRESS * sizeof *demux->entries;
}

int td_demux_create(uint32_t local_count, uint16_t port_first, uint16_t port_last, uint64_t seed,
		    struct td_demux **out)
{
	struct td_demux *demux;
	uint32_t capacity = ((uint32_t)port_last - port_first + 1) / 2;

	if (local_count == 0 || local_count > TD_LOCAL_ADDR_MAX || port_first == 0 ||
	    port_first % 2 != 0 || port_last % 2 != 1 || port_last < port_first)
		return -TD_EINVALID;
	demux = calloc(1, sizeof *demux);
	if (!demux)
		return -TD_EMEMORY;
	demux->local_count = local_count;
	demux->port_first = port_first;
	demux->port_last = port_last;
	demux->entries = td_pages_take(entry_bytes(demux));
	if (!demux->entries) {
		td_demux_destroy(demux);
		return -TD_EMEMORY;
	}
	for (uint32_t i = 0; i < local_count; i++) {
		demux->pairs[i] = pairs_create(port_first, capacity, &seed);
		if (!demux->pairs[i]) {
			td_demux_destroy(demux);
			return -TD_EMEMORY;
		}
	}
	for (uint32_t i = 0; i < local_count * PAIRS_PER_ADDRESS; i++)
		atomic_init(&demux->entries[i], 0);
	*out = demux;
	return 0;
}

void td_demux_destroy(struct td_demux *demux)
{
	if (!demux)
		return;
	for (uint32_t i = 0; i < demux->local_count; i++)
		pairs_destroy(demux->pairs[i]);
	td_pages_give((void *)demux->entries, entry_bytes(demux));
	free(demux);
}

int td_demux_port_take(struct td_demux *demux, uint32_t local, uint64_t now_ns, uint16_t *port)
{
	struct td_port_pairs *pairs;
	const struct free_pair *oldest;

	TD_ASSERT(local < demux->local_count);
	pairs = demux->pairs[local];
	if (pairs->count == 0)
		return -TD_ENO_PORT;
	oldest = &pairs->free[pairs->first];
	if (oldest->freed_ns != 0 && now_ns - oldest->freed_ns < TD_PORT_QUARANTINE_NS)
		return -TD_ENO_PORT;
	*port = oldest->port;
	pairs->taken[(oldest->port - demux->port_first) / 2] = 1;
	pairs->first = pairs->first + 1 == pairs->capacity ? 0 : pairs->first + 1;
	pairs->count--;
	return 0;
}

void td_demux_port_give(struct td_demux *demux, uint32_t local, uint16_t port, uint64_t now_ns)
{
	struct td_port_pairs *pairs;
	uint32_t index, last;

	TD_ASSERT(local < demux->local_count);
	TD_ASSERT(port >= demux->port_first && port < demux->port_last && port % 2 == 0);
	pairs = demux->pairs[local];
	index = (uint32_t)(port - demux->port_first) / 2;
	TD_ASSERT(pairs->taken[index]);
	pairs->taken[index] = 0;
	last = pairs->first + pairs->count;
	last = last >= pairs->capacity ? last - pairs->capacity : last;
	pairs->free[last] = (struct free_pair){ .freed_ns = now_ns ? now_ns : 1, .port = port };
	pairs->count++;
}

uint32_t td_demux_port_free_count(const struct td_demux *demux, uint32_t local)
{
	TD_ASSERT(local < demux->local_count);
	return demux->pairs[local]->count;
}

static void store_pair(struct td_demux *demux, uint32_t local, uint16_t port, uint32_t entry)
{
	TD_ASSERT(local < demux->local_count);
	TD_ASSERT(port % 2 == 0);
	// Pairs with the acquire load in td_demux_lookup.
	atomic_store_explicit(&demux->entries[td_demux_pair(local, port)], entry,
			      memory_order_release);
}

void td_demux_publish(struct td_demux *demux, uint32_t local, uint16_t port, uint32_t worker,
		      uint32_t stream)
{
	uint32_t entry = TD_DEMUX_OPEN | (worker << TD_DEMUX_WORKER_SHIFT) | stream;

	TD_ASSERT(worker < TD_WORKER_MAX && stream <= TD_DEMUX_STREAM_MASK);
	store_pair(demux, local, port, entry);
}

void td_demux_unpublish(struct td_demux *demux, uint32_t local, uint16_t port)
{
	store_pair(demux, local, port, 0);
}

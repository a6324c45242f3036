// A hash table of intrusive nodes under 128-bit keyed hashes: what finds a transaction or a dialog.
//
// The key *is* the identity: it is made with a secret key (base/hash.h), so equal keys mean equal
// things and nobody can fill one bucket on purpose. Buckets are allocated once (a power of two, about
// one a node); nodes are the caller's, so adding never fails. One owner thread.
#pragma once

#include <stdlib.h>

#include "base/hash.h"
#include "td_error.h"

struct td_table_node {
	struct td_table_node *next;
	struct td_hash128 key;
	bool linked;
};

struct td_table {
	struct td_table_node **buckets;
	uint32_t mask;
	uint32_t count;
};

// Sized for about `expected` nodes. -TD_EMEMORY.
TD_MUST_CHECK static inline int td_table_init(struct td_table *table, uint32_t expected)
{
	uint32_t size = 16;

	while (size < expected && size < 1u << 30)
		size <<= 1;
	table->mask = size - 1;
	table->count = 0;
	table->buckets = calloc(size, sizeof *table->buckets);
	return table->buckets ? 0 : -TD_EMEMORY;
}

static inline void td_table_fini(struct td_table *table)
{
	free(table->buckets);
	table->buckets = NULL;
}

// The node must not be linked; a key that is there already is shadowed, not replaced.
static inline void td_table_add(struct td_table *table, struct td_table_node *node,
				struct td_hash128 key)
{
	struct td_table_node **bucket = &table->buckets[key.a & table->mask];

	node->key = key;
	node->linked = true;
	node->next = *bucket;
	*bucket = node;
	table->count++;
}

// Harmless when the node is not linked.
static inline void td_table_remove(struct td_table *table, struct td_table_node *node)
{
	struct td_table_node **at = &table->buckets[node->key.a & table->mask];

	if (!node->linked)
		return;
	while (*at != node)
		at = &(*at)->next;
	*at = node->next;
	node->linked = false;
	table->count--;
}

static inline struct td_table_node *td_table_find(const struct td_table *table,
						  struct td_hash128 key)
{
	struct td_table_node *node = table->buckets[key.a & table->mask];

	while (node && !td_hash128_equal(node->key, key))
		node = node->next;
	return node;
}

// An ordered set of pool indexes: the calls of a queue by age, the idle agents of a group by idle
// time, the timers by deadline. First, insert, remove and rank all cost O(log n).
//
//   invariant: in-order walk = ascending (key, tie); count(n) = 1 + count(left) + count(right);
//   a parent's priority, a hash of its (key, tie), is not below its children's (a treap), so
//   the shape depends on the members alone and never on the order in which they came.
//
// Why neither a list nor a wheel: calls come out of their greetings out of order and keep the place
// of their arrival; timers of one millisecond must fire in an order that a replay repeats, and the
// next deadline is asked for after every event.
//
// Memory: nodes are an array of the caller's, one per pool index, zeroed by td_acd_order_init;
// nothing is allocated, nothing can be full. Internal to the room.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TD_ACD_NIL UINT32_MAX

struct td_acd_node {
	uint64_t key, tie; // unique together
	uint32_t parent, left, right;
	uint32_t count; // members below and including this one; 0: not in any set
};

struct td_acd_order {
	uint32_t root;
	uint32_t first; // the smallest, or TD_ACD_NIL
};

void td_acd_order_init(struct td_acd_order *order);

static inline bool td_acd_order_has(const struct td_acd_node *nodes, uint32_t index)
{
	return nodes[index].count != 0;
}

static inline bool td_acd_node_before(const struct td_acd_node *a, const struct td_acd_node *b)
{
	return a->key != b->key ? a->key < b->key : a->tie < b->tie;
}

static inline uint32_t td_acd_order_count(const struct td_acd_order *order,
					  const struct td_acd_node *nodes)
{
	return order->root == TD_ACD_NIL ? 0 : nodes[order->root].count;
}

// `index` must not be in any set that shares these nodes.
void td_acd_order_insert(struct td_acd_order *order, struct td_acd_node *nodes, uint32_t index,
			 uint64_t key, uint64_t tie);
// `index` must be in this set. Its key and tie stay readable.
void td_acd_order_remove(struct td_acd_order *order, struct td_acd_node *nodes, uint32_t index);
// How many members come before `index`.
uint32_t td_acd_order_rank(const struct td_acd_node *nodes, uint32_t index);
// The member after `index`, or TD_ACD_NIL.
uint32_t td_acd_order_next(const struct td_acd_node *nodes, uint32_t index);

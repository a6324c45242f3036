// A treap over pool indexes.
#include "acd/order.h"
#include "td_assert.h"

void td_acd_order_init(struct td_acd_order *order)
{
	*order = (struct td_acd_order){ .root = TD_ACD_NIL, .first = TD_ACD_NIL };
}

// splitmix64's finisher: neighbouring keys get unrelated priorities.
static uint64_t priority(const struct td_acd_node *node)
{
	uint64_t x = node->key * 0x9e3779b97f4a7c15u ^ node->tie;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static uint32_t count_of(const struct td_acd_node *nodes, uint32_t index)
{
	return index == TD_ACD_NIL ? 0 : nodes[index].count;
}

static void recount(struct td_acd_node *nodes, uint32_t index)
{
	nodes[index].count =
		1 + count_of(nodes, nodes[index].left) + count_of(nodes, nodes[index].right);
}

// Puts `child` where `index` hung below `parent`.
static void replace_child(struct td_acd_order *order, struct td_acd_node *nodes, uint32_t parent,
			  uint32_t index, uint32_t child)
{
	if (parent == TD_ACD_NIL)
		order->root = child;
	else if (nodes[parent].left == index)
		nodes[parent].left = child;
	else
		nodes[parent].right = child;
	if (child != TD_ACD_NIL)
		nodes[child].parent = parent;
}

// Rotates `index` above its parent.
static void rotate_up(struct td_acd_order *order, struct td_acd_node *nodes, uint32_t index)
{
	uint32_t parent = nodes[index].parent, inner;

	replace_child(order, nodes, nodes[parent].parent, parent, index);
	if (nodes[parent].left == index) {
		inner = nodes[index].right;
		nodes[index].right = parent;
		nodes[parent].left = inner;
	} else {
		inner = nodes[index].left;
		nodes[index].left = parent;
		nodes[parent].right = inner;
	}
	if (inner != TD_ACD_NIL)
		nodes[inner].parent = parent;
	nodes[parent].parent = index;
	recount(nodes, parent);
	recount(nodes, index);
}

static void hang_leaf(struct td_acd_order *order, struct td_acd_node *nodes, uint32_t index)
{
	uint32_t at = order->root, parent = TD_ACD_NIL;
	bool left = false;

	while (at != TD_ACD_NIL) {
		parent = at;
		nodes[at].count++;
		left = td_acd_node_before(&nodes[index], &nodes[at]);
		at = left ? nodes[at].left : nodes[at].right;
	}
	nodes[index].parent = parent;
	if (parent == TD_ACD_NIL)
		order->root = index;
	else if (left)
		nodes[parent].left = index;
	else
		nodes[parent].right = index;
}

void td_acd_order_insert(struct td_acd_order *order, struct td_acd_node *nodes, uint32_t index,
			 uint64_t key, uint64_t tie)
{
	struct td_acd_node *node = &nodes[index];

	TD_ASSERT(node->count == 0);
	*node = (struct td_acd_node){
		.key = key,
		.tie = tie,
		.left = TD_ACD_NIL,
		.right = TD_ACD_NIL,
		.count = 1,
	};
	hang_leaf(order, nodes, index);
	while (node->parent != TD_ACD_NIL && priority(&nodes[node->parent]) < priority(node))
		rotate_up(order, nodes, index);
	if (order->first == TD_ACD_NIL || td_acd_node_before(node, &nodes[order->first]))
		order->first = index;
}

void td_acd_order_remove(struct td_acd_order *order, struct td_acd_node *nodes, uint32_t index)
{
	struct td_acd_node *node = &nodes[index];

	TD_ASSERT(node->count != 0 && order->root != TD_ACD_NIL);
	if (order->first == index)
		order->first = td_acd_order_next(nodes, index);
	while (node->left != TD_ACD_NIL && node->right != TD_ACD_NIL) {
		bool left = priority(&nodes[node->left]) > priority(&nodes[node->right]);

		rotate_up(order, nodes, left ? node->left : node->right);
	}
	replace_child(order, nodes, node->parent, index,
		      node->left != TD_ACD_NIL ? node->left : node->right);
	for (uint32_t up = node->parent; up != TD_ACD_NIL; up = nodes[up].parent)
		nodes[up].count--;
	node->count = 0;
}

uint32_t td_acd_order_rank(const struct td_acd_node *nodes, uint32_t index)
{
	uint32_t rank = count_of(nodes, nodes[index].left);

	TD_ASSERT(nodes[index].count != 0);
	for (uint32_t up = nodes[index].parent; up != TD_ACD_NIL; up = nodes[up].parent) {
		if (nodes[up].right == index)
			rank += 1 + count_of(nodes, nodes[up].left);
		index = up;
	}
	return rank;
}

uint32_t td_acd_order_next(const struct td_acd_node *nodes, uint32_t index)
{
	uint32_t up;

	if (nodes[index].right != TD_ACD_NIL) {
		index = nodes[index].right;
		while (nodes[index].left != TD_ACD_NIL)
			index = nodes[index].left;
		return index;
	}
	for (up = nodes[index].parent; up != TD_ACD_NIL && nodes[up].right == index;
	     up = nodes[up].parent)
		index = up;
	return up;
}

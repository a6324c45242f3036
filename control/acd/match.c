// Longest idle agent, oldest call.
#include "acd/match.h"
#include "acd/bitmap.h"

void td_acd_line_put(struct td_acd *acd, uint32_t call)
{
	const struct td_acd_call *c = &acd->calls[call];

	td_acd_order_insert(&acd->queues[c->queue].line, acd->line_nodes, call, c->arrival_ms,
			    c->key);
	td_acd_bit_set(acd->nonempty, c->queue);
}

void td_acd_line_take(struct td_acd *acd, uint32_t call)
{
	uint32_t queue = acd->calls[call].queue;
	struct td_acd_order *line = &acd->queues[queue].line;

	if (!td_acd_order_has(acd->line_nodes, call))
		return;
	td_acd_order_remove(line, acd->line_nodes, call);
	td_acd_bit_put(acd->nonempty, queue, line->root != TD_ACD_NIL);
}

void td_acd_idle_put(struct td_acd *acd, uint32_t agent)
{
	const struct td_acd_agent *a = &acd->agents[agent];

	if (a->state != TD_ACD_AVAILABLE || !a->reachable || a->group == TD_ACD_NIL)
		return;
	td_acd_order_insert(&acd->groups[a->group].idle, acd->idle_nodes, agent, a->idle_since_ms,
			    a->idle_sequence);
	td_acd_bit_set(acd->idle_groups, a->group);
}

void td_acd_idle_take(struct td_acd *acd, uint32_t agent)
{
	uint32_t group = acd->agents[agent].group;
	struct td_acd_order *idle;

	if (!td_acd_order_has(acd->idle_nodes, agent))
		return;
	idle = &acd->groups[group].idle;
	td_acd_order_remove(idle, acd->idle_nodes, agent);
	td_acd_bit_put(acd->idle_groups, group, idle->root != TD_ACD_NIL);
}

uint32_t td_acd_match_agent(const struct td_acd *acd, uint32_t queue)
{
	const uint64_t *row = td_acd_queue_row(acd, queue);
	uint32_t best = TD_ACD_NIL;

	for (uint32_t w = 0; w < acd->group_words; w++) {
		for (uint64_t bits = row[w] & acd->idle_groups[w]; bits; bits &= bits - 1) {
			uint32_t group = w * 64 + (uint32_t)__builtin_ctzll(bits);
			uint32_t head = acd->groups[group].idle.first;

			if (best == TD_ACD_NIL ||
			    td_acd_node_before(&acd->idle_nodes[head], &acd->idle_nodes[best]))
				best = head;
		}
	}
	return best;
}

uint32_t td_acd_match_call(const struct td_acd *acd, uint32_t group)
{
	const uint64_t *row = td_acd_group_row(acd, group);
	uint32_t best = TD_ACD_NIL;

	for (uint32_t w = 0; w < acd->queue_words; w++) {
		for (uint64_t bits = row[w] & acd->nonempty[w]; bits; bits &= bits - 1) {
			uint32_t queue = w * 64 + (uint32_t)__builtin_ctzll(bits);
			uint32_t head = acd->queues[queue].line.first;

			if (best == TD_ACD_NIL ||
			    td_acd_node_before(&acd->line_nodes[head], &acd->line_nodes[best]))
				best = head;
		}
	}
	return best;
}

// The one place that allocates: every array sized from the limits, once.
#include <stdlib.h>

#include "acd/acd.h"
#include "acd/bitmap.h"
#include "acd/state.h"

static bool limits_ok(const struct td_acd_limits *limits)
{
	return limits->queues_max > 0 && limits->queues_max <= TD_ACD_QUEUE_MAX &&
	       limits->agents_max > 0 && limits->agents_max <= TD_ACD_AGENT_MAX &&
	       limits->calls_max > 0 && limits->calls_max <= TD_ACD_CALL_MAX;
}

// The mask of a table with at least n buckets.
static uint32_t mask_for(uint32_t n)
{
	uint32_t buckets = 1;

	while (buckets < n)
		buckets *= 2;
	return buckets - 1;
}

static uint32_t *buckets_create(uint32_t mask)
{
	uint32_t *buckets = malloc((mask + (size_t)1) * sizeof *buckets);

	for (uint32_t i = 0; buckets && i <= mask; i++)
		buckets[i] = TD_ACD_NIL;
	return buckets;
}

static bool allocate(struct td_acd *acd)
{
	const struct td_acd_limits *limits = &acd->limits;
	size_t timers = (size_t)limits->calls_max + limits->agents_max;

	acd->queues = calloc(limits->queues_max, sizeof *acd->queues);
	acd->agents = calloc(limits->agents_max, sizeof *acd->agents);
	acd->calls = calloc(limits->calls_max, sizeof *acd->calls);
	acd->groups = calloc(acd->groups_max, sizeof *acd->groups);
	acd->call_buckets = buckets_create(acd->call_mask);
	acd->group_buckets = buckets_create(acd->group_mask);
	acd->line_nodes = calloc(limits->calls_max, sizeof *acd->line_nodes);
	acd->idle_nodes = calloc(limits->agents_max, sizeof *acd->idle_nodes);
	acd->timer_nodes = calloc(timers, sizeof *acd->timer_nodes);
	acd->nonempty = calloc(acd->queue_words, sizeof *acd->nonempty);
	acd->idle_groups = calloc(acd->group_words, sizeof *acd->idle_groups);
	acd->scratch = calloc(acd->queue_words, sizeof *acd->scratch);
	acd->group_queues =
		calloc((size_t)acd->groups_max * acd->queue_words, sizeof *acd->group_queues);
	acd->queue_groups =
		calloc((size_t)limits->queues_max * acd->group_words, sizeof *acd->queue_groups);
	return acd->queues && acd->agents && acd->calls && acd->groups && acd->call_buckets &&
	       acd->group_buckets && acd->line_nodes && acd->idle_nodes && acd->timer_nodes &&
	       acd->nonempty && acd->idle_groups && acd->scratch && acd->group_queues &&
	       acd->queue_groups;
}

static void link_free(struct td_acd *acd)
{
	for (uint32_t i = 0; i < acd->limits.calls_max; i++)
		acd->calls[i].next = i + 1 < acd->limits.calls_max ? i + 1 : TD_ACD_NIL;
	for (uint32_t i = 0; i < acd->groups_max; i++)
		acd->groups[i].next = i + 1 < acd->groups_max ? i + 1 : TD_ACD_NIL;
	td_acd_order_init(&acd->timers);
}

int td_acd_create(const struct td_acd_limits *limits, struct td_acd **out)
{
	struct td_acd *acd;

	if (!limits_ok(limits))
		return -TD_EINVALID;
	acd = calloc(1, sizeof *acd);
	if (!acd)
		return -TD_EMEMORY;
	acd->limits = *limits;
	acd->groups_max = limits->agents_max + 1;
	acd->call_mask = mask_for(limits->calls_max);
	acd->group_mask = mask_for(acd->groups_max);
	acd->queue_words = TD_ACD_WORDS(limits->queues_max);
	acd->group_words = TD_ACD_WORDS(acd->groups_max);
	if (!allocate(acd)) {
		td_acd_destroy(acd);
		return -TD_EMEMORY;
	}
	link_free(acd);
	*out = acd;
	return 0;
}

void td_acd_destroy(struct td_acd *acd)
{
	if (!acd)
		return;
	free(acd->queues);
	free(acd->agents);
	free(acd->calls);
	free(acd->groups);
	free(acd->call_buckets);
	free(acd->group_buckets);
	free(acd->line_nodes);
	free(acd->idle_nodes);
	free(acd->timer_nodes);
	free(acd->nonempty);
	free(acd->idle_groups);
	free(acd->scratch);
	free(acd->group_queues);
	free(acd->queue_groups);
	free(acd);
}

// Interning of queue sets.
#include <string.h>

#include "acd/bitmap.h"
#include "acd/group.h"
#include "td_assert.h"

static size_t row_bytes(const struct td_acd *acd)
{
	return acd->queue_words * sizeof(uint64_t);
}

static uint32_t *bucket_of(const struct td_acd *acd, const uint64_t *set)
{
	uint64_t hash = 0;

	for (uint32_t w = 0; w < acd->queue_words; w++)
		hash = td_acd_mix(hash ^ set[w]);
	return &acd->group_buckets[hash & acd->group_mask];
}

// Sets or clears the group's bit in the row of every queue of its set.
static void publish(struct td_acd *acd, uint32_t group, bool on)
{
	const uint64_t *row = td_acd_group_row(acd, group);

	for (uint32_t w = 0; w < acd->queue_words; w++)
		for (uint64_t bits = row[w]; bits; bits &= bits - 1)
			td_acd_bit_put(
				td_acd_queue_row(acd, w * 64 + (uint32_t)__builtin_ctzll(bits)),
				group, on);
}

static uint32_t group_create(struct td_acd *acd, const uint64_t *set)
{
	uint32_t index = acd->group_free, *bucket = bucket_of(acd, set);
	struct td_acd_group *group;

	TD_ASSERT(index != TD_ACD_NIL);
	group = &acd->groups[index];
	acd->group_free = group->next;
	group->agents = 0;
	td_acd_order_init(&group->idle);
	memcpy(td_acd_group_row(acd, index), set, row_bytes(acd));
	group->next = *bucket;
	*bucket = index;
	publish(acd, index, true);
	return index;
}

static uint32_t group_intern(struct td_acd *acd, const uint64_t *set)
{
	for (uint32_t i = *bucket_of(acd, set); i != TD_ACD_NIL; i = acd->groups[i].next)
		if (memcmp(td_acd_group_row(acd, i), set, row_bytes(acd)) == 0)
			return i;
	return group_create(acd, set);
}

static void group_release(struct td_acd *acd, uint32_t index)
{
	struct td_acd_group *group = &acd->groups[index];
	uint32_t *link;

	TD_ASSERT(group->agents > 0);
	if (--group->agents > 0)
		return;
	TD_ASSERT(group->idle.root == TD_ACD_NIL);
	publish(acd, index, false);
	link = bucket_of(acd, td_acd_group_row(acd, index));
	while (*link != index)
		link = &acd->groups[*link].next;
	*link = group->next;
	group->next = acd->group_free;
	acd->group_free = index;
}

static bool is_empty(const struct td_acd *acd, const uint64_t *set)
{
	for (uint32_t w = 0; w < acd->queue_words; w++)
		if (set[w])
			return false;
	return true;
}

void td_acd_group_change(struct td_acd *acd, uint32_t agent, uint32_t queue, bool serves)
{
	uint32_t before = acd->agents[agent].group, after = TD_ACD_NIL;

	if (before == TD_ACD_NIL)
		memset(acd->scratch, 0, row_bytes(acd));
	else
		memcpy(acd->scratch, td_acd_group_row(acd, before), row_bytes(acd));
	td_acd_bit_put(acd->scratch, queue, serves);
	if (!is_empty(acd, acd->scratch)) {
		after = group_intern(acd, acd->scratch);
		acd->groups[after].agents++;
	}
	acd->agents[agent].group = after;
	if (before != TD_ACD_NIL)
		group_release(acd, before);
}

// Taking and giving back indices.
#include "call/slots.h"

#include <stdlib.h>

#include "td_assert.h"

int td_slots_init(struct td_slots *slots, uint32_t count)
{
	*slots = (struct td_slots){ .count = count };
	slots->stack = calloc(count, sizeof *slots->stack);
	slots->generation = calloc(count, sizeof *slots->generation);
	if (!slots->stack || !slots->generation) {
		td_slots_fini(slots);
		return -TD_EMEMORY;
	}
	for (uint32_t i = 0; i < count; i++)
		slots->stack[i] = count - 1 - i;
	return 0;
}

void td_slots_fini(struct td_slots *slots)
{
	free(slots->stack);
	free(slots->generation);
	*slots = (struct td_slots){ 0 };
}

uint32_t td_slots_take(struct td_slots *slots)
{
	uint32_t idx;

	if (slots->used == slots->count)
		return TD_SLOT_NONE;
	slots->used++;
	idx = slots->stack[slots->count - slots->used];
	slots->generation[idx]++;
	TD_ASSERT(slots->generation[idx] & 1u);
	return idx;
}

void td_slots_give(struct td_slots *slots, uint32_t idx)
{
	TD_ASSERT(td_slots_live(slots, idx));
	slots->generation[idx]++;
	slots->stack[slots->count - slots->used] = idx;
	slots->used--;
}

bool td_slots_live(const struct td_slots *slots, uint32_t idx)
{
	return idx < slots->count && (slots->generation[idx] & 1u);
}

uint64_t td_slots_ref(const struct td_slots *slots, uint32_t idx)
{
	TD_ASSERT(td_slots_live(slots, idx));
	return (uint64_t)slots->generation[idx] << 32 | (idx + 1);
}

uint32_t td_slots_find(const struct td_slots *slots, uint64_t ref)
{
	uint32_t idx = (uint32_t)ref - 1; // 0 - 1 is out of every range

	if (idx >= slots->count || slots->generation[idx] != (uint32_t)(ref >> 32) ||
	    !(slots->generation[idx] & 1u))
		return TD_SLOT_NONE;
	return idx;
}

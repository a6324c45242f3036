#include "rtp/jitter.h"

void td_jitter_init(struct td_jitter *jitter, uint16_t ring_bytes)
{
	memset(jitter, 0, sizeof *jitter);
	jitter->ring_bytes = ring_bytes;
}

void td_jitter_start(struct td_jitter *jitter, uint16_t sequence)
{
	jitter->present = 0;
	jitter->wanted = sequence;
	// What the slots remember is of another numbering. A number that belongs in another slot
	// never looks like a duplicate.
	for (uint32_t i = 0; i < TD_JITTER_SLOTS; i++)
		jitter->slots[i].sequence = (uint16_t)(i + 1u);
}

enum td_jitter_place td_jitter_place_outside(const struct td_jitter *jitter, uint16_t sequence)
{
	uint16_t behind = (uint16_t)(jitter->wanted - sequence);

	if (behind <= TD_JITTER_MISORDER_MAX)
		return jitter->slots[sequence % TD_JITTER_SLOTS].sequence == sequence
			       ? TD_JITTER_DUPLICATE
			       : TD_JITTER_LATE;
	if ((uint16_t)-behind < TD_JITTER_DROPOUT_MAX)
		return TD_JITTER_BEYOND;
	return TD_JITTER_FOREIGN;
}

uint32_t td_jitter_advance(struct td_jitter *jitter, uint16_t sequence)
{
	uint16_t wanted = (uint16_t)(sequence - (TD_JITTER_SLOTS - 1u));
	uint32_t pushed_out = 0, ahead;

	while ((ahead = td_jitter_ahead(jitter)) < (uint16_t)(wanted - jitter->wanted) &&
	       ahead < TD_JITTER_SLOTS) {
		td_jitter_pop(jitter, ahead);
		pushed_out++;
	}
	jitter->wanted = wanted;
	return pushed_out;
}

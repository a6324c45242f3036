#include "far_end.h"

#include <string.h>

bool far_end_record(struct world *world, struct td_tap_record *out)
{
	for (uint32_t i = 0; i < world->workers; i++) {
		struct td_tap_ring *ring = td_engine_fork_ring(world->engine, i);
		const struct td_tap_record *record = td_tap_peek(ring);

		if (record == NULL)
			continue;
		memcpy(out, record, (size_t)record->lines * TD_CACHE_LINE);
		td_tap_release(ring);
		return true;
	}
	return false;
}

void far_end_says(struct td_live *live, int16_t value)
{
	struct td_live_frame *frame = td_live_room(live);

	ck_assert_ptr_nonnull(frame);
	frame->rate_hz = 8000;
	for (unsigned i = 0; i < 160; i++)
		frame->pcm[i] = value;
	td_live_push(live);
}

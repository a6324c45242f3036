#include "media/live.h"

#include <string.h>

void td_live_init(struct td_live *live)
{
	memset(live, 0, sizeof *live);
	atomic_init(&live->rate_hz, TD_LIVE_RATE_HZ);
	atomic_init(&live->cut, UINT32_MAX); // before any frame
}

// Chooses this tick's frame; what was flushed is passed over first.
static bool choose(struct td_live *live)
{
	uint32_t tail = atomic_load_explicit(&live->tail, memory_order_relaxed);
	// Pairs with the release store in td_live_flush.
	uint32_t flush = atomic_load_explicit(&live->flush, memory_order_acquire);

	if (live->looked)
		return live->chosen;
	if ((int32_t)(flush - tail) > 0) {
		// `cut` first: who sees the new tail must see where the old one was.
		atomic_store_explicit(&live->cut, tail, memory_order_relaxed);
		atomic_store_explicit(&live->tail, flush, memory_order_release);
		tail = flush;
	}
	live->looked = true;
	// Pairs with the release store in td_live_push.
	live->chosen = atomic_load_explicit(&live->head, memory_order_acquire) != tail;
	return live->chosen;
}

// Every sample again, or every n-th one: for the few frames between two rates.
static const int16_t *convert(struct td_live *live, const struct td_live_frame *frame,
			      uint32_t rate_hz)
{
	uint32_t samples = rate_hz / 50u;

	for (uint32_t i = 0; i < samples; i++)
		live->converted[i] = frame->pcm[(uint64_t)i * frame->rate_hz / rate_hz];
	return live->converted;
}

const int16_t *td_live_look(struct td_live *live, uint32_t rate_hz)
{
	const struct td_live_frame *frame;
	uint32_t tail;

	// Relaxed: the number alone is of interest.
	if (atomic_load_explicit(&live->rate_hz, memory_order_relaxed) != rate_hz)
		atomic_store_explicit(&live->rate_hz, rate_hz, memory_order_relaxed);
	if (!choose(live))
		return NULL;
	tail = atomic_load_explicit(&live->tail, memory_order_relaxed);
	frame = &live->frames[tail & (TD_LIVE_FRAMES - 1u)];
	return frame->rate_hz == rate_hz ? frame->pcm : convert(live, frame, rate_hz);
}

bool td_live_step(struct td_live *live)
{
	bool played = choose(live);

	live->looked = false;
	if (played)
		// Gives the frame back; pairs with the acquire load in td_live_room.
		atomic_fetch_add_explicit(&live->tail, 1u, memory_order_release);
	return played;
}

// A pool of small integers with generations: where the handles of td_handle.h come from.
//
//   invariant: free_count + live_count = capacity; generation[i] is never 0 for i < fresh
//   handle = index | generation << 20; the generation moves on when the index is freed
//
// One thread (the main one) takes and gives; memory is taken at creation and never grows; a full
// pool answers -TD_EFULL. Free indexes wait in a FIFO, so that an index rests as long as possible
// before it is used again and its 12-bit generation wraps as late as possible.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "td_error.h"
#include "td_handle.h"

struct td_id_pool {
	uint16_t *generation; // [capacity]; the live or the next generation of each index
	uint32_t *fifo; // [capacity] freed indexes, oldest first; before them all that are fresh
	uint8_t *live;  // [capacity]
	uint32_t capacity;
	uint32_t first; // position in fifo of the oldest freed index
	uint32_t fresh; // indexes from here on were never taken
	uint32_t free_count;
};

// -TD_EINVALID for a capacity of 0 or beyond 20 bits, -TD_EMEMORY.
TD_MUST_CHECK int td_id_pool_init(struct td_id_pool *pool, uint32_t capacity);
void td_id_pool_fini(struct td_id_pool *pool);

// 0 and a handle, or -TD_EFULL.
TD_MUST_CHECK int td_id_pool_take(struct td_id_pool *pool, uint32_t *handle);

// Gives the handle's index back. -TD_ESTALE when the handle is not live.
TD_MUST_CHECK int td_id_pool_give(struct td_id_pool *pool, uint32_t handle);

// True when this very handle is live.
bool td_id_pool_holds(const struct td_id_pool *pool, uint32_t handle);

static inline uint32_t td_id_pool_live_count(const struct td_id_pool *pool)
{
	return pool->capacity - pool->free_count;
}

#include <stdlib.h>

#include "base/id_pool.h"

int td_id_pool_init(struct td_id_pool *pool, uint32_t capacity)
{
	*pool = (struct td_id_pool){ 0 };
	if (capacity == 0 || capacity > TD_HANDLE_INDEX_MASK + 1u)
		return -TD_EINVALID;
	// Zeroed by the kernel as it is used, where it is large: what was never taken takes no memory.
	pool->generation = calloc(capacity, sizeof *pool->generation);
	pool->fifo = calloc(capacity, sizeof *pool->fifo);
	pool->live = calloc(capacity, sizeof *pool->live);
	if (!pool->generation || !pool->fifo || !pool->live) {
		td_id_pool_fini(pool);
		return -TD_EMEMORY;
	}
	pool->capacity = capacity;
	pool->free_count = capacity;
	return 0;
}

void td_id_pool_fini(struct td_id_pool *pool)
{
	free(pool->generation);
	free(pool->fifo);
	free(pool->live);
	*pool = (struct td_id_pool){ 0 };
}

int td_id_pool_take(struct td_id_pool *pool, uint32_t *handle)
{
	uint32_t index;

	if (pool->free_count == 0)
		return -TD_EFULL;
	if (pool->fresh < pool->capacity) {
		index = pool->fresh++;
		pool->generation[index] = 1;
	} else {
		index = pool->fifo[pool->first];
		pool->first = pool->first + 1 == pool->capacity ? 0 : pool->first + 1;
	}
	pool->free_count--;
	pool->live[index] = 1;
	*handle = td_handle_make(index, pool->generation[index]);
	return 0;
}

bool td_id_pool_holds(const struct td_id_pool *pool, uint32_t handle)
{
	uint32_t index = td_handle_index(handle);

	return index < pool->capacity && pool->live[index] &&
	       pool->generation[index] == td_handle_generation(handle);
}

int td_id_pool_give(struct td_id_pool *pool, uint32_t handle)
{
	uint32_t index = td_handle_index(handle);
	uint32_t last;

	if (!td_id_pool_holds(pool, handle))
		return -TD_ESTALE;
	pool->live[index] = 0;
	pool->generation[index] = (uint16_t)td_handle_next_generation(pool->generation[index]);
	last = pool->first + pool->free_count - (pool->capacity - pool->fresh);
	pool->fifo[last >= pool->capacity ? last - pool->capacity : last] = index;
	pool->free_count++;
	return 0;
}

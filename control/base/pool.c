#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

#include "td_assert.h"

#define ALIGNMENT 16

int td_pool_init(struct td_pool *pool, uint32_t count, size_t object_bytes)
{
	memset(pool, 0, sizeof *pool);
	if (!count || count == UINT32_MAX || !object_bytes)
		return -TD_EINVALID;
	pool->count = count;
	pool->object_bytes = (object_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	// calloc of this much is a fresh mapping: pages are touched as objects are handed out.
	pool->memory = calloc(count, pool->object_bytes);
	pool->generations = calloc(count, sizeof *pool->generations);
	pool->next_free = calloc(count, sizeof *pool->next_free);
	if (!pool->memory || !pool->generations || !pool->next_free) {
		td_pool_fini(pool);
		return -TD_EMEMORY;
	}
	return 0;
}

void td_pool_fini(struct td_pool *pool)
{
	free(pool->memory);
	free(pool->generations);
	free(pool->next_free);
	memset(pool, 0, sizeof *pool);
}

static uint32_t index_of(const struct td_pool *pool, const void *object)
{
	size_t offset = (size_t)((const uint8_t *)object - pool->memory);

	TD_ASSERT(offset % pool->object_bytes == 0 && offset / pool->object_bytes < pool->high);
	return (uint32_t)(offset / pool->object_bytes);
}

// An odd generation is alive, an even one free, so that a double put is caught.
void *td_pool_get_raw(struct td_pool *pool)
{
	uint32_t index;

	if (pool->first_free) {
		index = pool->first_free - 1;
		pool->first_free = pool->next_free[index];
	} else if (pool->high < pool->count) {
		index = pool->high++;
	} else {
		return NULL;
	}
	pool->used++;
	pool->generations[index]++;
	return pool->memory + (size_t)index * pool->object_bytes;
}

void *td_pool_get(struct td_pool *pool, uint64_t *handle)
{
	void *object = td_pool_get_raw(pool);

	if (!object)
		return NULL;
	memset(object, 0, pool->object_bytes);
	*handle = td_pool_handle(pool, object);
	return object;
}

void td_pool_put(struct td_pool *pool, void *object)
{
	uint32_t index = index_of(pool, object);

	TD_ASSERT(pool->used > 0 && (pool->generations[index] & 1));
	pool->used--;
	pool->generations[index]++;
	pool->next_free[index] = pool->first_free;
	pool->first_free = index + 1;
}

void *td_pool_find(const struct td_pool *pool, uint64_t handle)
{
	uint32_t index = (uint32_t)handle, generation = (uint32_t)(handle >> 32);

	if (!(generation & 1) || index >= pool->high || pool->generations[index] != generation)
		return NULL;
	return pool->memory + (size_t)index * pool->object_bytes;
}

uint64_t td_pool_handle(const struct td_pool *pool, const void *object)
{
	uint32_t index = index_of(pool, object);

	return (uint64_t)pool->generations[index] << 32 | index;
}

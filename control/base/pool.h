// A pool of equal objects with generational handles: allocated once, never grows.
//
//   handle = generation << 32 | index        (0 names nothing; generations begin at 1)
//
// Invariant: used <= count, and an object is either handed out or on the free list. Memory that was
// never handed out is never touched, so an idle pool costs address space only; freed objects are
// reused last in, first out, while they are warm. Full: td_pool_get returns NULL and the caller
// sheds load. One owner thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "td_error.h"

struct td_pool {
	uint8_t *memory;
	uint32_t *generations; // of the living object, or of the last one
	uint32_t *next_free;   // index + 1
	size_t object_bytes;
	uint32_t count, used;
	uint32_t high;       // objects below this have been handed out at least once
	uint32_t first_free; // index + 1
};

// -TD_EINVALID for a size of nothing, -TD_EMEMORY.
TD_MUST_CHECK int td_pool_init(struct td_pool *pool, uint32_t count, size_t object_bytes);
void td_pool_fini(struct td_pool *pool);
// A zeroed object and its handle; NULL when full.
void *td_pool_get(struct td_pool *pool, uint64_t *handle);
// The same without zeroing: for buffers.
void *td_pool_get_raw(struct td_pool *pool);
void td_pool_put(struct td_pool *pool, void *object);
// The living object of a handle; NULL when it is stale or never was.
void *td_pool_find(const struct td_pool *pool, uint64_t handle);
// The handle of a living object.
uint64_t td_pool_handle(const struct td_pool *pool, const void *object);

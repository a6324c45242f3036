// Single-producer single-consumer ring of fixed-size slots in shared memory.
//
//   invariant: 0 <= head - tail <= slot_count   (32-bit, wrapping)
//
//   producer (one thread)                     consumer (one thread)
//     copies into slot[head & mask]             copies from slot[tail & mask]
//     head := head + 1   (release)  ------->    reads head        (acquire)
//     reads tail         (acquire)  <-------    tail := tail + 1  (release)
//
// The region owns the memory. Either side attaches a `td_ring_view`, which keeps its own copy of
// mask, slot size and own position: a peer that scribbles over the shared words can make us see
// -TD_ECORRUPT, never make us read or write outside the slots. When it is full, push answers
// -TD_EFULL and the producer counts it; nothing ever blocks.
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "td_error.h"
#include "td_limits.h"

struct td_ring {
	alignas(TD_CACHE_LINE) _Atomic uint32_t head; // producer: rw, consumer: ro
	_Atomic uint64_t lost;                        // producer: rw; pushes refused because full
	alignas(TD_CACHE_LINE) _Atomic uint32_t tail; // consumer: rw, producer: ro
	alignas(TD_CACHE_LINE) uint32_t slot_count;   // power of two; written once at creation
	uint32_t slot_bytes;
};

_Static_assert(offsetof(struct td_ring, tail) == 64, "head and tail on lines of their own");
_Static_assert(sizeof(struct td_ring) == 192, "slots start at a fixed offset");

struct td_ring_view {
	struct td_ring *shared;
	uint8_t *slots;
	uint32_t mask;
	uint32_t slot_bytes;
	uint32_t own;  // our position: head for the producer, tail for the consumer
	uint32_t peer; // the last position of the other side that we have seen
};

static inline size_t td_ring_bytes(uint32_t slot_count, uint32_t slot_bytes)
{
	return sizeof(struct td_ring) + (size_t)slot_count * slot_bytes;
}

// Formats `memory` (zeroed, cache-line aligned, td_ring_bytes() long). Called by the region's
// creator before the region is handed out.
static inline void td_ring_format(void *memory, uint32_t slot_count, uint32_t slot_bytes)
{
	struct td_ring *ring = memory;

	ring->slot_count = slot_count;
	ring->slot_bytes = slot_bytes;
}

// Checks the ring at `memory` against what the section table promised and fills `view`.
// -TD_ECORRUPT when sizes disagree. Positions continue where an earlier attacher left them.
TD_MUST_CHECK static inline int td_ring_attach(struct td_ring_view *view, void *memory,
					       size_t memory_bytes, uint32_t slot_bytes,
					       int as_producer)
{
	struct td_ring *ring = memory;
	uint32_t count, head, tail;

	if (memory_bytes < sizeof *ring)
		return -TD_ETRUNCATED;
	count = ring->slot_count;
	if (count == 0 || (count & (count - 1)) != 0 || ring->slot_bytes != slot_bytes ||
	    td_ring_bytes(count, slot_bytes) > memory_bytes)
		return -TD_ECORRUPT;
	head = atomic_load_explicit(&ring->head, memory_order_acquire);
	tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
	if (head - tail > count)
		return -TD_ECORRUPT;
	view->shared = ring;
	view->slots = (uint8_t *)memory + sizeof *ring;
	view->mask = count - 1;
	view->slot_bytes = slot_bytes;
	view->own = as_producer ? head : tail;
	view->peer = as_producer ? tail : head;
	return 0;
}

// Producer. Copies one slot in; -TD_EFULL (counted in `lost`) when there is no room.
TD_MUST_CHECK static inline int td_ring_push(struct td_ring_view *view, const void *slot)
{
	uint32_t count = view->mask + 1;

	if (view->own - view->peer >= count) {
		// Pairs with the release store of tail in td_ring_take.
		view->peer = atomic_load_explicit(&view->shared->tail, memory_order_acquire);
		if (view->own - view->peer >= count) {
			atomic_fetch_add_explicit(&view->shared->lost, 1, memory_order_relaxed);
			return -TD_EFULL;
		}
	}
	memcpy(view->slots + (size_t)(view->own & view->mask) * view->slot_bytes, slot,
	       view->slot_bytes);
	view->own++;
	// Publishes the slot; pairs with the acquire load of head in td_ring_take.
	atomic_store_explicit(&view->shared->head, view->own, memory_order_release);
	return 0;
}

// Consumer. Copies one slot out; -TD_EEMPTY, or -TD_ECORRUPT when the producer's position is
// impossible (the caller detaches). With `wipe` nothing of what it held stays in the ring.
TD_MUST_CHECK static inline int td_ring_take(struct td_ring_view *view, void *slot, int wipe)
{
	uint8_t *from;

	if (view->own == view->peer) {
		// Pairs with the release store of head in td_ring_push.
		view->peer = atomic_load_explicit(&view->shared->head, memory_order_acquire);
		if (view->own == view->peer)
			return -TD_EEMPTY;
		if (view->peer - view->own > view->mask + 1) {
			// Forget the impossible position, or the next call would believe it.
			view->peer = view->own;
			return -TD_ECORRUPT;
		}
	}
	from = view->slots + (size_t)(view->own & view->mask) * view->slot_bytes;
	memcpy(slot, from, view->slot_bytes);
	if (wipe)
		memset(from, 0, view->slot_bytes);
	view->own++;
	// Gives the slot back; pairs with the acquire load of tail in td_ring_push.
	atomic_store_explicit(&view->shared->tail, view->own, memory_order_release);
	return 0;
}

TD_MUST_CHECK static inline int td_ring_pop(struct td_ring_view *view, void *slot)
{
	return td_ring_take(view, slot, 0);
}

// Consumer. How many slots wait; costs one shared load.
static inline uint32_t td_ring_used(const struct td_ring_view *view)
{
	uint32_t used = atomic_load_explicit(&view->shared->head, memory_order_acquire) - view->own;

	return used > view->mask + 1 ? 0 : used;
}

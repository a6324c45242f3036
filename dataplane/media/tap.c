// The tap ring's memory.
#include "media/tap.h"

#include <stdlib.h>
#include <string.h>

#include "base/pages.h"

#define LINES_LEAST 64u // the longest record, and as much again before the end

static size_t bytes_of(const struct td_tap_ring *ring)
{
	return ((size_t)ring->mask + 1u) * TD_CACHE_LINE;
}

int td_tap_ring_create(uint32_t line_count, struct td_tap_ring **out)
{
	struct td_tap_ring *ring;

	if (line_count < LINES_LEAST || (line_count & (line_count - 1u)) != 0)
		return -TD_EINVALID;
	ring = aligned_alloc(TD_CACHE_LINE, sizeof *ring);
	if (ring == NULL)
		return -TD_EMEMORY;
	memset(ring, 0, sizeof *ring);
	ring->mask = line_count - 1u;
	ring->lines = td_pages_take(bytes_of(ring));
	if (ring->lines == NULL) {
		free(ring);
		return -TD_EMEMORY;
	}
	// Touched here, so that the worker does not meet page faults.
	memset(ring->lines, 0, bytes_of(ring));
	*out = ring;
	return 0;
}

void td_tap_ring_destroy(struct td_tap_ring *ring)
{
	if (ring == NULL)
		return;
	td_pages_give(ring->lines, bytes_of(ring));
	free(ring);
}

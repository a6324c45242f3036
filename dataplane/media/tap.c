// The tap ring's memory.
#include "media/tap.h"

#include <stdlib.h>
#include <string.h>

int td_tap_ring_create(uint32_t record_count, struct td_tap_ring **out)
{
	struct td_tap_ring *ring;

	if (record_count == 0 || (record_count & (record_count - 1u)) != 0)
		return -TD_EINVALID;
	ring = aligned_alloc(TD_CACHE_LINE, sizeof *ring);
	if (ring == NULL)
		return -TD_EMEMORY;
	memset(ring, 0, sizeof *ring);
	ring->mask = record_count - 1u;
	ring->records =
		aligned_alloc(TD_CACHE_LINE, (size_t)record_count * sizeof ring->records[0]);
	if (ring->records == NULL) {
		free(ring);
		return -TD_EMEMORY;
	}
	// Touched here, so that the worker does not meet page faults.
	memset(ring->records, 0, (size_t)record_count * sizeof ring->records[0]);
	*out = ring;
	return 0;
}

void td_tap_ring_destroy(struct td_tap_ring *ring)
{
	if (ring == NULL)
		return;
	free(ring->records);
	free(ring);
}

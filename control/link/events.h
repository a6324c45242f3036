// The event rings of one region, read as one: round robin, with the gaps noticed.
//
//   main, worker 0, worker 1, ...  --td_events_pop, one from each in turn-->  control
//
// A thread's events carry consecutive sequence numbers, including those it had to throw away
// because its ring was full; the difference is added to `lost`. Nothing read from a ring is used
// before its kind and thread were found possible. Pure; memory is the caller's; control's thread.
#pragma once

#include "td_event.h"
#include "td_region.h"
#include "td_ring.h"

struct td_events {
	struct td_ring_view rings[TD_WORKER_MAX + 1];
	uint64_t next_sequence[TD_WORKER_MAX + 1];
	bool seen[TD_WORKER_MAX + 1]; // next_sequence is known
	uint32_t ring_count;
	uint32_t turn; // the ring that is asked first next time
	uint64_t lost;
};

// Attaches as the consumer of every ring of a checked region; -TD_ECORRUPT when one is damaged.
TD_MUST_CHECK int td_events_attach(struct td_events *events, const struct td_region *region);

// The next event; -TD_EEMPTY, or -TD_ECORRUPT when a ring or an event cannot be right (detach).
TD_MUST_CHECK int td_events_pop(struct td_events *events, struct td_event *out);

// What the call manager's own files use of forks.
#pragma once

#include "call/forks.h"

struct td_forks;

// -TD_EMEMORY.
TD_MUST_CHECK int td_forks_create(struct td_calls *calls, uint32_t count);
void td_forks_destroy(struct td_forks *forks);
// FORK_STATE, FORK_ENDED, FORK_CLOSED.
void td_forks_event(struct td_calls *calls, const struct td_event *event);
// The dataplane has gone, and all of them with it.
void td_forks_lost(struct td_calls *calls);
// True while forks are in this context.
bool td_forks_in(const struct td_calls *calls, const struct td_media *media);
// What the far ends of forks in this context are to be heard by a stream that comes back to it, as its
// first cells there. Returns how many, at most `max`.
uint32_t td_forks_first_cells(const struct td_media *media, struct td_stream_id stream,
			      struct td_cell *cells, uint32_t max);

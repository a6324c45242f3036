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
// True while forks of this call's context have not ended; they are told to.
bool td_forks_hold(struct td_calls *calls, const struct td_media *media);

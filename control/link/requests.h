// The requests under way: which answer belongs to whom, and who has waited too long.
//
//   invariant: every slot is in the free list or in the queue; used = length of the queue <= max
//   invariant: deadlines never decrease along the queue, oldest first
//
// All requests get the same time, so they expire in the order they were made and a queue is all
// the timer there is: adding, answering and expiring are O(1). A request id is index and
// generation; generations start from a seed, so the answer to an earlier process finds nothing.
// Pure. Memory: one allocation at init. When full, add answers -TD_EFULL.
#pragma once

#include <stdint.h>

#include "link/link.h"

struct td_request {
	uint64_t id; // 0 in a free slot
	uint64_t deadline_ns;
	uint32_t kind; // enum td_command_kind
	uint32_t generation;
	uint32_t prev, next; // slot index + 1, 0 none; `next` also links the free list
	td_link_done_fn done;
	void *user;
};

struct td_requests {
	struct td_request *slots;
	uint32_t max, used, peak;
	uint32_t free_first;     // slot index + 1
	uint32_t oldest, newest; // slot index + 1
};

TD_MUST_CHECK int td_requests_init(struct td_requests *requests, uint32_t max, uint32_t seed);
void td_requests_fini(struct td_requests *requests);

// Notes a request. `deadline_ns` must not be before that of the newest one. 0 and its id, -TD_EFULL.
TD_MUST_CHECK int td_requests_add(struct td_requests *requests, uint32_t kind, uint64_t deadline_ns,
				  td_link_done_fn done, void *user, uint64_t *id);

// Each takes one request out and gives a copy of it.
// The one with this id; -TD_ESTALE when there is none (answered, expired, another process's).
TD_MUST_CHECK int td_requests_take(struct td_requests *requests, uint64_t id,
				   struct td_request *out);
// The oldest one if its deadline is at or before now_ns; else -TD_EEMPTY.
TD_MUST_CHECK int td_requests_take_expired(struct td_requests *requests, uint64_t now_ns,
					   struct td_request *out);
// The oldest one; -TD_EEMPTY.
TD_MUST_CHECK int td_requests_take_oldest(struct td_requests *requests, struct td_request *out);

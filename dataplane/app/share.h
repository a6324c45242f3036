// The shared region as its owner has it: memfd, mapping, bells, and who has news.
//
// Sealed against resizing, so a peer that has the descriptor cannot take the bytes away from under
// us. The workers make no system calls, so the main thread watches the heads of their event rings
// and rings the bell for them. Main thread; workers only write what td_region.h gives them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "td_error.h"
#include "td_region.h"
#include "td_role.h"

#define TD_SHARE_REASON_MAX 160

struct td_share {
	struct td_region region;
	struct td_ring_view commands; // we consume
	int memory_fd, command_bell, event_bell;
	uint32_t heads_seen[TD_WORKER_MAX + 1];
};

// 0, or -TD_EMEMORY, -TD_EIO with a sentence; then nothing is left open.
TD_MUST_CHECK int td_share_create(const struct td_region_sizes *sizes, uint64_t boot_id,
				  uint64_t now_ns, struct td_share *share,
				  char reason[TD_SHARE_REASON_MAX]) TD_MAIN;
void td_share_destroy(struct td_share *share) TD_MAIN;

// Rings the event bell if any thread has pushed events since the last call. True if so.
bool td_share_ring_bell(struct td_share *share) TD_MAIN;

// Quiets the command bell; call before draining the ring.
void td_share_quiet_bell(struct td_share *share) TD_MAIN;

// Forgets what is on the command ring: the peer has damaged it, or its successor must not inherit
// what it left.
void td_share_forget_commands(struct td_share *share) TD_MAIN;

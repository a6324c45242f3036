// What somebody wishes to be forked, in the dataplane's terms: which streams of a call, or the floor of a
// conference, in which context, coded how, and who is to hear what the far end says.
//
// Nothing is begun here, and nothing kept: forks.c does that. Control thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "call/forks.h"

struct td_calls;
struct td_config;
struct td_config_fork;

// Who hears what the far end says.
struct td_fork_hearing {
	struct td_stream_id streams[TD_FORK_STREAM_MAX];
	uint32_t count;
	bool floor; // all of the conference
};

// Of this name in the configuration; NULL: none. Borrowed.
const struct td_config_fork *td_fork_wish_destination(const struct td_config *config,
						      const char *name);
// Fills the command but for its owner, who hears it, and what there is to tell about the fork so far; all
// of them are zero before. -TD_ENOT_FOUND, -TD_EINVALID and -TD_ESTATE as td_calls_fork_start says.
TD_MUST_CHECK int td_fork_wish_fill(struct td_calls *calls, const struct td_fork_wish *wish,
				    struct td_command_fork_start *start,
				    struct td_fork_hearing *hearing, struct td_fork_info *info);

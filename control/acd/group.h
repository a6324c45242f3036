// Groups: agents who serve exactly the same queues, found by the set's hash.
//
// Invariant: no two groups have the same set; queue_groups is the transpose of group_queues; a
// group without agents is free. There is one group more than agents, so moving an agent to a new
// set never fails. Internal to the room.
#pragma once

#include "acd/state.h"

// Adds the queue to the agent's set, or takes it away, moving the agent to the group of that set.
// The agent must not be among the idle of its group meanwhile.
void td_acd_group_change(struct td_acd *acd, uint32_t agent, uint32_t queue, bool serves);

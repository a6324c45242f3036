// The two decisions, and the idle lists and lines they read (reference/acd.md section 8).
//
//   a call waits:   of the groups that serve its queue and have somebody idle, the longest idle
//   an agent idles: of the queues it serves that have a line, the oldest call
//
// Internal to the room.
#pragma once

#include "acd/state.h"

// Keeps line, idle list and bitmaps together. Taking out what is not in is harmless.
void td_acd_line_put(struct td_acd *acd, uint32_t call);
void td_acd_line_take(struct td_acd *acd, uint32_t call);
// Puts the agent among the idle of its group if it is available, reachable and serves a queue.
void td_acd_idle_put(struct td_acd *acd, uint32_t agent);
void td_acd_idle_take(struct td_acd *acd, uint32_t agent);

// The agent for a call of this queue, TD_ACD_NIL if none is idle.
uint32_t td_acd_match_agent(const struct td_acd *acd, uint32_t queue);
// The call for an agent of this group, TD_ACD_NIL if none waits.
uint32_t td_acd_match_call(const struct td_acd *acd, uint32_t group);

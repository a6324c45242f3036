// The deadlines of the ACD: one for each call (its longest wait) and one for each agent (offer or
// wrap-up), in one ordered set; equal deadlines fire calls first, then by index.
//
// Internal to the room.
#pragma once

#include "acd/state.h"

static inline uint32_t td_acd_timer_of_call(uint32_t call)
{
	return call;
}

static inline uint32_t td_acd_timer_of_agent(const struct td_acd *acd, uint32_t agent)
{
	return acd->limits.calls_max + agent;
}

// now + ms, short of TD_ACD_NEVER.
static inline uint64_t td_acd_after(const struct td_acd *acd, uint64_t ms)
{
	return ms < TD_ACD_NEVER - 1 - acd->now_ms ? acd->now_ms + ms : TD_ACD_NEVER - 1;
}

// Harmless when it is not armed.
static inline void td_acd_timer_cancel(struct td_acd *acd, uint32_t timer)
{
	if (td_acd_order_has(acd->timer_nodes, timer))
		td_acd_order_remove(&acd->timers, acd->timer_nodes, timer);
}

static inline void td_acd_timer_arm(struct td_acd *acd, uint32_t timer, uint64_t deadline_ms)
{
	td_acd_timer_cancel(acd, timer);
	td_acd_order_insert(&acd->timers, acd->timer_nodes, timer, deadline_ms, timer);
}

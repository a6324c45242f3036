// What the ACD knows, for the API, the CDRs and the tests: plain copies, nothing changes.
//
// Times in these structs are the monotonic milliseconds that td_acd_apply was given. Counters count
// since td_acd_create and obey, for each queue at any moment,
//   offered = answered + abandoned + timed_out + removed + waiting
// Same thread as td_acd_apply.
#pragma once

#include "acd/acd.h"

struct td_acd_agent_info {
	enum td_acd_agent_state state;
	enum td_acd_reason reason; // of a pause
	bool reachable;
	uint64_t since_ms;         // in this state
	uint64_t call;             // offered or talking, else 0
	uint32_t queue;            // of that call, else TD_ACD_NONE
	uint32_t queues_count;     // queues joined
	uint64_t answered, failed; // offers
};

enum td_acd_call_state { TD_ACD_CALL_WAITING, TD_ACD_CALL_OFFERED, TD_ACD_CALL_TALKING };

struct td_acd_call_info {
	enum td_acd_call_state state;
	uint32_t queue;
	uint32_t agent;    // offered or talking, else TD_ACD_NONE
	uint32_t position; // while waiting, 1 is next; else 0
	uint32_t offers;   // so far
	uint64_t arrival_ms, enqueued_ms;
	uint64_t wait_ms; // enqueued until answered, or until now
};

// Service level four ways (reference/acd.md section 5), T = service_level_ms, waits counted from
// the moment of CALL_ENQUEUE. A ratio is -1 while there is nothing to divide by.
enum td_acd_service_level {
	TD_ACD_SL_OFFERED,    // answered <= T / offered and no longer waiting
	TD_ACD_SL_NO_SHORT,   // answered <= T / (answered + abandoned later than the short limit)
	TD_ACD_SL_ABANDON_OK, // (answered <= T + abandoned <= T) / offered and no longer waiting
	TD_ACD_SL_ANSWERED,   // answered <= T / answered
	TD_ACD_SL_COUNT
};

struct td_acd_queue_info {
	struct td_acd_queue_settings settings;
	uint32_t waiting;  // in line or being offered
	uint32_t in_offer; // of those, being offered
	uint32_t talking;
	uint64_t oldest_wait_ms; // of the call that is next in line, 0 if there is none
	uint64_t offered, answered, abandoned, timed_out, removed;
	uint64_t refused; // CALL_ENQUEUE that found the queue full
	uint64_t answered_in_time, abandoned_in_time, abandoned_short;
	uint64_t answered_wait_ms, answered_wait_max_ms; // sum and maximum over answered calls
	double service_level[TD_ACD_SL_COUNT];
};

// 0 or -TD_ENOT_FOUND.
TD_MUST_CHECK int td_acd_agent_get(const struct td_acd *acd, uint32_t agent,
				   struct td_acd_agent_info *out);
TD_MUST_CHECK int td_acd_call_get(const struct td_acd *acd, uint64_t call, uint64_t now_ms,
				  struct td_acd_call_info *out);
TD_MUST_CHECK int td_acd_queue_get(const struct td_acd *acd, uint32_t queue, uint64_t now_ms,
				   struct td_acd_queue_info *out);

// Agents of this queue by state and reachability: a pass over all agents, for people, not for
// routing. counts has TD_ACD_AGENT_STATE_COUNT members; *ready is available and reachable.
TD_MUST_CHECK int td_acd_queue_agents(const struct td_acd *acd, uint32_t queue,
				      uint32_t counts[TD_ACD_AGENT_STATE_COUNT], uint32_t *ready);

// True if this agent has joined this queue.
bool td_acd_agent_serves(const struct td_acd *acd, uint32_t agent, uint32_t queue);

// Writes up to max keys of the calls in line (not those being offered), next one first; returns
// how many were written.
size_t td_acd_queue_line(const struct td_acd *acd, uint32_t queue, uint64_t *keys, size_t max);

// Checks the invariants I1 to I6 of reference/acd.md 10.1 and the consistency of every index, by
// brute force. NULL if all hold, else a sentence. For tests and for `system.status`-like audits.
const char *td_acd_check(const struct td_acd *acd);

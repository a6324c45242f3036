// What the ACD consists of: pools, and the indexes that make every event cheap.
//
//   queue --line--> waiting calls by (arrival, key)      queue --groups--> groups that serve it
//   group --idle--> idle agents by (since, sequence)     group --queues--> queues it serves
//   timers: waits of calls (index = call), offers and wrap-ups of agents (calls_max + agent)
//
// A group is a set of agents who serve exactly the same queues; there are as many as there are
// different sets, and an event looks at groups and queues, never at all agents or all calls.
// A bit of `nonempty` says that a queue's line has a call, a bit of `idle_groups` that a group has
// an idle agent; both are what an event's one pass over a bitmap reads.
//
// Memory: one allocation per array in td_acd_create. Only the files of this room include this.
#pragma once

#include "acd/acd.h"
#include "acd/inspect.h"
#include "acd/order.h"

// A call that has gone: the state after the three that inspect.h shows.
#define TD_ACD_CALL_GONE        (TD_ACD_CALL_TALKING + 1)
#define TD_ACD_CALL_STATE_COUNT (TD_ACD_CALL_GONE + 1)

struct td_acd_queue {
	bool used;
	struct td_acd_queue_settings settings;
	struct td_acd_order line; // calls that are waiting and not being offered
	uint32_t waiting;         // in line or being offered
	uint32_t in_offer, talking;
	uint64_t offered, answered, abandoned, timed_out, removed, refused;
	uint64_t answered_in_time, abandoned_in_time, abandoned_short;
	uint64_t answered_wait_ms, answered_wait_max_ms;
};

struct td_acd_call {
	uint64_t key; // 0: this slot is free
	uint64_t epoch;
	uint64_t arrival_ms, enqueued_ms;
	uint64_t wait_until_ms; // TD_ACD_NEVER without a maximum
	uint64_t answered_ms;
	uint32_t queue;
	uint32_t agent;
	uint32_t offers;
	uint32_t next; // in its hash bucket, or in the free list
	uint8_t state; // enum td_acd_call_state
};

struct td_acd_agent {
	bool used, reachable;
	uint8_t state;      // enum td_acd_agent_state
	uint8_t after_call; // while talking: the state to go to, TD_ACD_AVAILABLE unless asked
	enum td_acd_reason reason, after_reason;
	uint32_t group; // TD_ACD_NIL: serves no queue
	uint32_t call;  // pool index, TD_ACD_NIL
	uint64_t since_ms;
	uint64_t idle_since_ms, idle_sequence; // its place among the idle, kept over a lost offer
	uint64_t answered, failed;
};

struct td_acd_group {
	uint32_t agents; // 0: free
	uint32_t next;   // in its hash bucket, or in the free list
	struct td_acd_order idle;
};

struct td_acd {
	struct td_acd_limits limits;
	uint64_t now_ms;
	uint64_t epoch;         // of the last offer
	uint64_t idle_sequence; // of the last agent to become idle
	uint32_t calls_used;

	struct td_acd_queue *queues;
	struct td_acd_agent *agents;
	struct td_acd_call *calls;
	struct td_acd_group *groups;
	uint32_t groups_max;
	uint32_t call_free, group_free;
	uint32_t *call_buckets, *group_buckets; // call_mask + 1 and group_mask + 1 of them
	uint32_t call_mask, group_mask;

	struct td_acd_node *line_nodes;  // by call
	struct td_acd_node *idle_nodes;  // by agent
	struct td_acd_node *timer_nodes; // by call, then by agent
	struct td_acd_order timers;

	uint32_t queue_words, group_words;
	uint64_t *nonempty;     // queue_words
	uint64_t *idle_groups;  // group_words
	uint64_t *group_queues; // groups_max rows of queue_words
	uint64_t *queue_groups; // queues_max rows of group_words
	uint64_t *scratch;      // queue_words

	struct td_acd_actions *out; // of the td_acd_apply that is running, else NULL
};

static inline uint64_t *td_acd_group_row(const struct td_acd *acd, uint32_t group)
{
	return &acd->group_queues[(size_t)group * acd->queue_words];
}

static inline uint64_t *td_acd_queue_row(const struct td_acd *acd, uint32_t queue)
{
	return &acd->queue_groups[(size_t)queue * acd->group_words];
}

// splitmix64's finisher.
static inline uint64_t td_acd_mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

// Appends an action; no event makes more than TD_ACD_STEP_ACTION_MAX.
#define TD_ACD_STEP_ACTION_MAX 8
void td_acd_emit(struct td_acd *acd, const struct td_acd_action *action);

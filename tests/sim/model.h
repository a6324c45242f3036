// The ACD again, by brute force: every decision looks at every waiting call and every agent.
//
// Written from the contract in acd/acd.h and nothing else; shares no code and no data structure
// with it. Small: what the differential test needs.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "acd/acd.h"
#include "acd/inspect.h"

#define MODEL_QUEUES  8
#define MODEL_AGENTS  16
#define MODEL_CALLS   24
#define MODEL_ACTIONS 256

struct model_queue {
	bool used;
	struct td_acd_queue_settings settings;
	uint64_t offered, answered, abandoned, timed_out, removed, refused;
	uint64_t answered_in_time, abandoned_in_time, abandoned_short;
};

struct model_agent {
	bool used, reachable, serves[MODEL_QUEUES];
	enum td_acd_agent_state state, after;
	enum td_acd_reason reason, after_reason;
	uint64_t call, idle_since, idle_order;
	uint64_t deadline; // of an offer or a wrap-up
};

struct model_call {
	bool used;
	enum td_acd_call_state state;
	uint64_t key, epoch, arrival, enqueued, wait_until;
	uint32_t queue, agent;
};

struct model {
	uint64_t now, epoch, idle_order;
	struct model_queue queues[MODEL_QUEUES];
	struct model_agent agents[MODEL_AGENTS];
	struct model_call calls[MODEL_CALLS];
	uint32_t action_count;
	struct td_acd_action actions[MODEL_ACTIONS];
};

void model_init(struct model *model);
// As td_acd_apply, but a TIMER does everything that is due at once.
int model_apply(struct model *model, const struct td_acd_event *event, uint64_t now);
uint64_t model_next_ms(const struct model *model);
// The calls in line, by counting for each call who is before it.
uint32_t model_position(const struct model *model, uint64_t key);

// A small centre to tell stories in: queue 0 (wrap-up, longest wait) and queue 1 (neither); agents 0
// and 1 serve queue 0; room for six calls. Every event is followed by td_acd_check().
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "acd/acd.h"
#include "acd/inspect.h"

#define OFFER_MS 15000
#define WRAP_MS  10000
#define WAIT_MS  60000

extern struct td_acd *acd;
extern struct td_acd_actions actions; // of the last event
extern uint64_t now_ms;
extern uint64_t epoch; // of the last OFFER

int apply(struct td_acd_event event);
int agent_event(enum td_acd_event_kind kind, uint32_t agent);
int pause_agent(uint32_t agent);
int enqueue(uint64_t call, uint32_t queue, uint64_t arrival_ms);
int call_event(enum td_acd_event_kind kind, uint64_t call);
int offer_event(enum td_acd_event_kind kind, uint64_t call, uint32_t agent, uint64_t which,
		enum td_acd_reason reason);
int answer(uint64_t call, uint32_t agent);
void timer_at(uint64_t ms);
bool did(enum td_acd_action_kind kind);
// The first action of this kind, which must be there.
const struct td_acd_action *action_of(enum td_acd_action_kind kind);
// The last event offered this call to this agent.
void ck_offer(uint64_t call, uint32_t agent);
void ck_state(uint32_t agent, enum td_acd_agent_state state, enum td_acd_reason reason);
void ck_position(uint64_t call, uint32_t position);
void add_queue(uint32_t queue, uint64_t wrap_up_ms, uint64_t wait_max_ms);
void join(uint32_t agent, uint32_t queue);
void add_agent(uint32_t agent, uint32_t queue);
void bring_in(uint32_t agent);
void setup(void);
void teardown(void);

// What features of calls and of conferences share. Nobody outside control/call includes it.
#pragma once

#include "call/call_verbs.h"
#include "call/leg.h"
#include "td_command.h"

int td_feature_fail(char why[TD_FEATURE_WHY_MAX], int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
// The agent's phone can be called: registered, and in no call that we know of.
TD_MUST_CHECK int td_feature_agent_free(struct td_calls *calls, const char *id, uint32_t *agent,
					char why[TD_FEATURE_WHY_MAX]);
// No call of a queue is offered to the agent of this leg as long as it lasts.
void td_feature_occupy_agent(struct td_calls *calls, struct td_leg *leg);
void td_feature_free_agent(struct td_calls *calls, struct td_leg *leg);
void td_feature_change(struct td_party *party, const struct td_party_change *change);
// Prompts by name.
TD_MUST_CHECK int td_feature_items(struct td_calls *calls, const char *const *prompts,
				   uint32_t count, struct td_play_item items[TD_PLAY_ITEM_MAX],
				   char why[TD_FEATURE_WHY_MAX]);

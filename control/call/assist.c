// Agents who are called into a call or a conference, beside the calls of their queues.
#include <string.h>

#include "acd/inspect.h"
#include "call/manager.h"
#include "call/verbs_inside.h"

#define ASSISTS "assisting" // what the pause of one who was called in is called

int td_feature_agent_free(struct td_calls *calls, const char *id, uint32_t *agent,
			  char why[TD_FEATURE_WHY_MAX])
{
	int idx = td_registrar_find(&calls->registrar, id);
	struct td_acd_agent_info info;

	if (idx < 0)
		return td_feature_fail(why, -TD_ENOT_FOUND, "there is no agent %.63s", id);
	*agent = (uint32_t)idx;
	if (!calls->link_up)
		return td_feature_fail(why, -TD_ELINK_DOWN, "the dataplane is not connected");
	if (calls->shutting_down)
		return td_feature_fail(why, -TD_ESTATE, "the system is being shut down");
	if (!td_registrar_contact(&calls->registrar, *agent))
		return td_feature_fail(why, -TD_ESTATE, "agent %.63s has no registered phone", id);
	if (td_acd_agent_get(calls->deps.acd, *agent, &info) == 0 &&
	    (info.state == TD_ACD_OFFERED || info.state == TD_ACD_TALKING))
		return td_feature_fail(why, -TD_EBUSY, "agent %.63s is %s", id,
				       td_acd_agent_state_name(info.state));
	// One who was called in elsewhere: the ACD does not know.
	for (uint32_t i = 0; i < calls->leg_slots.count; i++) {
		const struct td_leg *leg = &calls->legs[i];

		if (td_slots_live(&calls->leg_slots, i) && leg->outbound && leg->agent == *agent &&
		    td_leg_state_alive((enum td_leg_state)leg->state))
			return td_feature_fail(why, -TD_EBUSY, "agent %.63s is in a call", id);
	}
	return 0;
}

void td_feature_occupy_agent(struct td_calls *calls, struct td_leg *leg)
{
	struct td_acd_event event = { .kind = TD_ACD_AGENT_PAUSE,
				      .agent = leg->agent,
				      .u.reason = TD_ACD_REASON_AGENT };
	struct td_acd_agent_info info;

	if (td_acd_agent_get(calls->deps.acd, leg->agent, &info) != 0 ||
	    (info.state != TD_ACD_AVAILABLE && info.state != TD_ACD_WRAP_UP))
		return;
	td_inspect_put(calls->pauses[leg->agent].text, sizeof calls->pauses[0].text, ASSISTS);
	leg->paused_agent = td_acd_tell(calls, &event) == 0;
}

// Unless somebody has said something else about this agent meanwhile.
void td_feature_free_agent(struct td_calls *calls, struct td_leg *leg)
{
	struct td_acd_agent_info info;

	if (!leg->paused_agent)
		return;
	leg->paused_agent = false;
	if (td_acd_agent_get(calls->deps.acd, leg->agent, &info) != 0 ||
	    info.state != TD_ACD_PAUSED || strcmp(calls->pauses[leg->agent].text, ASSISTS) != 0)
		return;
	calls->pauses[leg->agent].text[0] = '\0';
	td_acd_tell_agent(calls, leg->agent, TD_ACD_AGENT_AVAILABLE);
}

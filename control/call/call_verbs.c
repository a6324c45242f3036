// Changes of roles, holds and volumes; who may be called in; what happens when one goes.
#include "call/call_verbs.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "call/manager.h"
#include "call/verbs_inside.h"
#include "td_command.h"
#include "td_log.h"

int td_feature_fail(char why[TD_FEATURE_WHY_MAX], int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, TD_FEATURE_WHY_MAX, format, arguments);
	va_end(arguments);
	return error;
}

static int find_call(struct td_calls *calls, const char *id, struct td_call **out,
		     char why[TD_FEATURE_WHY_MAX])
{
	*out = td_call_by_id(calls, id);
	if (*out)
		return 0;
	td_feature_fail(why, -TD_ENOT_FOUND, "there is no call %.23s", id);
	return -TD_ENOT_FOUND;
}

static int find_talking(struct td_calls *calls, const char *id, struct td_call **out,
			char why[TD_FEATURE_WHY_MAX])
{
	int error = find_call(calls, id, out, why);

	if (error)
		return error;
	if ((*out)->state != TD_CALL_TALKING || !(*out)->caller || !(*out)->agent)
		return td_feature_fail(why, -TD_ESTATE, "call %s is %s, not talking", (*out)->id,
				       td_call_state_name((enum td_call_state)(*out)->state));
	return 0;
}

// One who is called in, by the agent's id.
static struct td_leg *find_helper(const struct td_calls *calls, const struct td_call *call,
				  const char *agent)
{
	for (uint32_t i = 0; i < call->leg_count; i++) {
		struct td_leg *leg = call->legs[i];

		if (leg != call->caller && leg != call->agent && leg->outbound &&
		    td_leg_state_alive((enum td_leg_state)leg->state) &&
		    strcmp(calls->config->agents[leg->agent].id, agent) == 0)
			return leg;
	}
	return NULL;
}

static struct td_leg *find_role(const struct td_call *call, enum td_party_role role)
{
	for (uint32_t i = 0; i < call->leg_count; i++) {
		if (call->legs[i]->party.role == role &&
		    (call->legs[i]->media.wanted || call->legs[i]->state == TD_LEG_NEW))
			return call->legs[i];
	}
	return NULL;
}

static int find_party(const struct td_calls *calls, const struct td_call *call, const char *name,
		      struct td_leg **out, char why[TD_FEATURE_WHY_MAX])
{
	if (strcmp(name, "caller") == 0)
		*out = call->caller;
	else if (strcmp(name, "agent") == 0)
		*out = call->agent;
	else
		*out = find_helper(calls, call, name);
	if (*out && (*out)->party.role != TD_PARTY_NONE)
		return 0;
	return td_feature_fail(why, -TD_ENOT_FOUND, "call %s has no party %.63s now", call->id,
			       name);
}

static void changed(struct td_calls *calls, struct td_call *call)
{
	td_call_want(calls, call);
	td_notice_call(calls, call, TD_NOTICE_CALL_PARTY);
}

static bool supervises(const struct td_leg *leg)
{
	switch ((enum td_party_role)leg->party.role) {
	case TD_PARTY_MONITOR:
	case TD_PARTY_WHISPER:
	case TD_PARTY_COACH:
	case TD_PARTY_BARGE: return true;
	case TD_PARTY_NONE:
	case TD_PARTY_CALLER:
	case TD_PARTY_AGENT:
	case TD_PARTY_CONSULT:
	case TD_PARTY_ROLE_COUNT: break;
	}
	return false;
}

// Somebody who is in the call already: the role changes, the phone notices nothing.
static int change_role(struct td_calls *calls, struct td_call *call, struct td_leg *leg,
		       enum td_party_role role, char why[TD_FEATURE_WHY_MAX])
{
	if (!supervises(leg) || role == TD_PARTY_CONSULT)
		return td_feature_fail(why, -TD_ESTATE, "agent %s is in call %s as %s",
				       calls->config->agents[leg->agent].id, call->id,
				       td_party_role_name((enum td_party_role)leg->party.role));
	td_turn_begin(calls);
	leg->party.role = (uint8_t)role;
	changed(calls, call);
	td_turn_end(calls);
	return 0;
}

int td_calls_call_in(struct td_calls *calls, const char *id, const char *agent,
		     enum td_party_role role, char why[TD_FEATURE_WHY_MAX])
{
	struct td_call *call;
	struct td_leg *leg;
	uint32_t idx;
	int error = find_talking(calls, id, &call, why);

	if (error)
		return error;
	leg = find_helper(calls, call, agent);
	if (leg)
		return change_role(calls, call, leg, role, why);
	if (role == TD_PARTY_CONSULT && find_role(call, TD_PARTY_CONSULT))
		return td_feature_fail(why, -TD_ESTATE, "call %s has a consultation already", id);
	error = td_feature_agent_free(calls, agent, &idx, why);
	if (error)
		return error;
	td_turn_begin(calls);
	leg = td_agent_leg_make(calls, call, idx, role);
	if (leg) {
		td_feature_occupy_agent(calls, leg);
		td_post_leg(calls, leg, TD_LEG_START_OUT);
		if (role == TD_PARTY_CONSULT && !call->caller->party.on_hold)
			call->consult_holds = call->caller->party.on_hold = true;
		changed(calls, call);
	}
	td_turn_end(calls);
	return leg ? 0 : td_feature_fail(why, -TD_EFULL, "call %s has no room for one more", id);
}

int td_calls_let_go(struct td_calls *calls, const char *id, const char *party,
		    char why[TD_FEATURE_WHY_MAX])
{
	struct td_call *call;
	struct td_leg *leg;
	int error = find_call(calls, id, &call, why);

	if (error)
		return error;
	leg = find_helper(calls, call, party);
	if (!leg)
		return td_feature_fail(why, -TD_ENOT_FOUND, "nobody called %.63s was called in",
				       party);
	td_turn_begin(calls);
	td_leg_hangup(calls, leg, TD_CAUSE_OPERATOR);
	td_turn_end(calls);
	return 0;
}

int td_calls_hold(struct td_calls *calls, const char *id, const char *party, bool hold,
		  char why[TD_FEATURE_WHY_MAX])
{
	struct td_call *call;
	struct td_leg *leg;
	int error = find_talking(calls, id, &call, why);

	if (!error)
		error = find_party(calls, call, party, &leg, why);
	if (error)
		return error;
	if (!td_party_converses((enum td_party_role)leg->party.role))
		return td_feature_fail(why, -TD_ESTATE, "%.63s is no party of the conversation",
				       party);
	if (leg->party.on_hold == hold)
		return td_feature_fail(why, -TD_ESTATE, "%.63s is %son hold", party,
				       hold ? "already " : "not ");
	td_turn_begin(calls);
	leg->party.on_hold = hold;
	if (leg == call->caller)
		call->consult_holds = false;
	changed(calls, call);
	td_turn_end(calls);
	return 0;
}

int td_calls_three_way(struct td_calls *calls, const char *id, char why[TD_FEATURE_WHY_MAX])
{
	struct td_call *call;
	struct td_leg *consulted;
	int error = find_talking(calls, id, &call, why);

	if (error)
		return error;
	consulted = find_role(call, TD_PARTY_CONSULT);
	if (!consulted || consulted->state != TD_LEG_UP)
		return td_feature_fail(why, -TD_ESTATE, "call %s consults nobody now", id);
	td_turn_begin(calls);
	call->caller->party.on_hold = call->consult_holds = false;
	changed(calls, call);
	td_turn_end(calls);
	return 0;
}

static void replace(struct td_calls *calls, struct td_call *call, struct td_leg *by)
{
	struct td_leg *old = call->agent;

	td_call_leave_acd(calls, call);
	old->party.role = TD_PARTY_NONE;
	by->party.role = TD_PARTY_AGENT;
	by->party.on_hold = false;
	call->agent = by;
	call->agent_ref = td_leg_ref(calls, by);
	call->agent_idx = by->agent;
	if (call->consult_holds)
		call->caller->party.on_hold = call->consult_holds = false;
	// The recording of the two who talked ends before the stream of one of them does.
	td_call_want(calls, call);
	td_leg_hangup(calls, old, TD_CAUSE_TRANSFERRED);
	td_notice_call(calls, call, TD_NOTICE_CALL_PARTY);
}

int td_calls_replace_agent(struct td_calls *calls, const char *id, const char *agent,
			   char why[TD_FEATURE_WHY_MAX])
{
	struct td_call *call;
	struct td_leg *by;
	int error = find_talking(calls, id, &call, why);

	if (error)
		return error;
	by = agent ? find_helper(calls, call, agent) : find_role(call, TD_PARTY_CONSULT);
	if (!by && agent)
		return td_feature_fail(why, -TD_ENOT_FOUND, "agent %.63s was not called in", agent);
	if (!by || by->state != TD_LEG_UP)
		return td_feature_fail(why, -TD_ESTATE, "call %s: nobody has answered yet", id);
	td_turn_begin(calls);
	replace(calls, call, by);
	td_turn_end(calls);
	return 0;
}

void td_feature_change(struct td_party *party, const struct td_party_change *change)
{
	if (change->set_muted)
		party->muted = change->muted;
	if (change->set_deaf)
		party->deaf = change->deaf;
	if (change->set_talk)
		party->talk_q12 = change->talk_q12;
	if (change->set_hear)
		party->hear_q12 = change->hear_q12;
}

int td_calls_change_party(struct td_calls *calls, const char *id, const char *party,
			  const struct td_party_change *change, char why[TD_FEATURE_WHY_MAX])
{
	struct td_call *call;
	struct td_leg *leg;
	int error = find_call(calls, id, &call, why);

	if (!error)
		error = find_party(calls, call, party, &leg, why);
	if (error)
		return error;
	td_turn_begin(calls);
	td_feature_change(&leg->party, change);
	changed(calls, call);
	td_turn_end(calls);
	return 0;
}

int td_feature_items(struct td_calls *calls, const char *const *prompts, uint32_t count,
		     struct td_play_item items[TD_PLAY_ITEM_MAX], char why[TD_FEATURE_WHY_MAX])
{
	if (!calls->link_up)
		return td_feature_fail(why, -TD_ELINK_DOWN, "the dataplane is not connected");
	if (count == 0 || count > TD_PLAY_ITEM_MAX)
		return td_feature_fail(why, -TD_EINVALID, "1 to %u prompts can be played",
				       TD_PLAY_ITEM_MAX);
	for (uint32_t i = 0; i < count; i++) {
		items[i] = (struct td_play_item){ .prompt = td_link_prompt(calls, "announcement",
									   prompts[i]) };
		if (items[i].prompt == TD_MEDIA_NO_PROMPT)
			return td_feature_fail(why, -TD_ENOT_FOUND, "there is no prompt %.31s",
					       prompts[i]);
	}
	return 0;
}

static int announce(struct td_calls *calls, struct td_call *call, uint32_t slots,
		    const struct td_play_item *items, uint32_t count)
{
	int error;

	td_turn_begin(calls);
	error = td_media_announce(&call->media, items, count, slots, NULL);
	if (!error)
		td_call_want(calls, call);
	td_turn_end(calls);
	return error;
}

int td_calls_announce(struct td_calls *calls, const char *id, const char *party,
		      const char *const *prompts, uint32_t count, char why[TD_FEATURE_WHY_MAX])
{
	struct td_play_item items[TD_PLAY_ITEM_MAX];
	uint32_t slots = UINT32_MAX;
	struct td_call *call;
	struct td_leg *leg;
	int error = find_call(calls, id, &call, why);

	if (!error && strcmp(party, "all") != 0) {
		error = find_party(calls, call, party, &leg, why);
		slots = error ? 0 : 1u << leg->media.slot;
	}
	if (!error)
		error = td_feature_items(calls, prompts, count, items, why);
	if (error)
		return error;
	if (call->state != TD_CALL_QUEUED && call->state != TD_CALL_OFFERING &&
	    call->state != TD_CALL_TALKING)
		return td_feature_fail(why, -TD_ESTATE, "call %s is %s", id,
				       td_call_state_name((enum td_call_state)call->state));
	error = announce(calls, call, slots, items, count);
	if (error)
		return td_feature_fail(why, error, "call %s hears an announcement already", id);
	return 0;
}

void td_features_up(struct td_calls *calls, struct td_leg *leg)
{
	if (leg->party.role != TD_PARTY_CALLER && leg->party.role != TD_PARTY_AGENT)
		td_notice_call(calls, leg->call, TD_NOTICE_CALL_PARTY);
}

void td_features_gone(struct td_calls *calls, struct td_leg *leg)
{
	struct td_call *call = leg->call;
	bool consulted = leg->party.role == TD_PARTY_CONSULT;

	td_conference_unseat(leg);
	td_feature_free_agent(calls, leg);
	if (leg->party.role == TD_PARTY_CALLER || leg->party.role == TD_PARTY_AGENT)
		return;
	if (consulted && call->consult_holds && call->caller)
		call->caller->party.on_hold = call->consult_holds = false;
	td_notice_call(calls, call, TD_NOTICE_CALL_PARTY);
}

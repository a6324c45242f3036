// Verbs that change what the parties of a call hear of each other.
#include <string.h>

#include "api/core.h"
#include "api/describe.h"
#include "api/gain.h"
#include "api/verbs.h"
#include "call/call_verbs.h"
#include "call/inspect.h"
#include "td_command.h"

// What every one of them answers: the call as it is now, or the error and why.
static TD_CONTROL json_t *finish(struct td_rpc_call *call, int error, const char *why)
{
	struct td_api *api = call->context;
	struct td_call_info info;

	if (error)
		return td_rpc_fail_error(call, error, why);
	if (td_calls_get(api->deps.calls, td_rpc_string(call, "id", ""), &info) != 0)
		return json_object(); // it has just ended
	return td_describe_call(&info);
}

static TD_CONTROL json_t *hold(struct td_rpc_call *call, bool on)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";
	int error = td_calls_hold(api->deps.calls, td_rpc_string(call, "id", ""),
				  td_rpc_string(call, "party", "caller"), on, why);

	return finish(call, error, why);
}

json_t *td_verb_call_hold(struct td_rpc_call *call)
{
	return hold(call, true);
}

json_t *td_verb_call_unhold(struct td_rpc_call *call)
{
	return hold(call, false);
}

static TD_CONTROL json_t *call_in(struct td_rpc_call *call, enum td_party_role role)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";
	int error = td_calls_call_in(api->deps.calls, td_rpc_string(call, "id", ""),
				     td_rpc_string(call, "agent", ""), role, why);

	return finish(call, error, why);
}

json_t *td_verb_call_monitor(struct td_rpc_call *call)
{
	return call_in(call, TD_PARTY_MONITOR);
}

json_t *td_verb_call_whisper(struct td_rpc_call *call)
{
	return call_in(call, TD_PARTY_WHISPER);
}

json_t *td_verb_call_coach(struct td_rpc_call *call)
{
	return call_in(call, TD_PARTY_COACH);
}

json_t *td_verb_call_barge(struct td_rpc_call *call)
{
	return call_in(call, TD_PARTY_BARGE);
}

json_t *td_verb_call_consult(struct td_rpc_call *call)
{
	return call_in(call, TD_PARTY_CONSULT);
}

json_t *td_verb_call_threeway(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";
	int error = td_calls_three_way(api->deps.calls, td_rpc_string(call, "id", ""), why);

	return finish(call, error, why);
}

json_t *td_verb_call_complete(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";
	int error =
		td_calls_replace_agent(api->deps.calls, td_rpc_string(call, "id", ""), NULL, why);

	return finish(call, error, why);
}

json_t *td_verb_call_takeover(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";
	int error = td_calls_replace_agent(api->deps.calls, td_rpc_string(call, "id", ""),
					   td_rpc_string(call, "agent", ""), why);

	return finish(call, error, why);
}

json_t *td_verb_call_release(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";
	int error = td_calls_let_go(api->deps.calls, td_rpc_string(call, "id", ""),
				    td_rpc_string(call, "agent", ""), why);

	return finish(call, error, why);
}

void td_verb_volume_change(const struct td_rpc_call *call, struct td_party_change *change)
{
	change->set_talk = td_rpc_has(call, "talk_db");
	change->talk_q12 = td_gain_of_db(td_rpc_number(call, "talk_db", 0));
	change->set_hear = td_rpc_has(call, "hear_db");
	change->hear_q12 = td_gain_of_db(td_rpc_number(call, "hear_db", 0));
}

static TD_CONTROL json_t *change_party(struct td_rpc_call *call,
				       const struct td_party_change *change)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";
	int error = td_calls_change_party(api->deps.calls, td_rpc_string(call, "id", ""),
					  td_rpc_string(call, "party", ""), change, why);

	return finish(call, error, why);
}

json_t *td_verb_call_mute(struct td_rpc_call *call)
{
	return change_party(call, &(struct td_party_change){ .set_muted = true, .muted = true });
}

json_t *td_verb_call_unmute(struct td_rpc_call *call)
{
	return change_party(call, &(struct td_party_change){ .set_muted = true });
}

json_t *td_verb_call_deaf(struct td_rpc_call *call)
{
	return change_party(call, &(struct td_party_change){ .set_deaf = true, .deaf = true });
}

json_t *td_verb_call_undeaf(struct td_rpc_call *call)
{
	return change_party(call, &(struct td_party_change){ .set_deaf = true });
}

json_t *td_verb_call_volume(struct td_rpc_call *call)
{
	struct td_party_change change = { 0 };

	td_verb_volume_change(call, &change);
	return change_party(call, &change);
}

uint32_t td_verb_prompts(const struct td_rpc_call *call, const char *out[TD_PLAY_ITEM_MAX])
{
	const json_t *list = td_rpc_value(call, "prompts");
	uint32_t count = (uint32_t)json_array_size(list);

	for (uint32_t i = 0; i < count && i < TD_PLAY_ITEM_MAX; i++)
		out[i] = json_string_value(json_array_get(list, i));
	return count;
}

json_t *td_verb_call_announce(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	const char *prompts[TD_PLAY_ITEM_MAX];
	char why[TD_FEATURE_WHY_MAX] = "";
	uint32_t count = td_verb_prompts(call, prompts);
	int error = td_calls_announce(api->deps.calls, td_rpc_string(call, "id", ""),
				      td_rpc_string(call, "party", "caller"), prompts, count, why);

	return finish(call, error, why);
}

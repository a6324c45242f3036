// Verbs about agents.
#include <string.h>

#include "api/core.h"
#include "api/describe.h"
#include "api/verbs.h"
#include "call/inspect.h"

static json_t *agent_with_queues(const struct td_config_agent *config,
				 const struct td_agent_info *info)
{
	json_t *agent = td_describe_agent(info), *queues = json_array();

	for (unsigned i = 0; i < config->queues_count; i++)
		json_array_append_new(queues, td_describe_text(config->queues[i]));
	if (agent)
		json_object_set_new(agent, "queues", queues);
	else
		json_decref(queues);
	return agent;
}

static bool serves(const struct td_config_agent *agent, const char *queue)
{
	for (unsigned i = 0; i < agent->queues_count; i++)
		if (strcmp(agent->queues[i], queue) == 0)
			return true;
	return false;
}

json_t *td_verb_agent_list(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	const struct td_config *config = api->deps.config;
	const char *queue = td_rpc_string(call, "queue", NULL);
	int64_t skip = td_rpc_integer(call, "offset", 0);
	int64_t limit = td_rpc_integer(call, "limit", 1000), total = 0;
	json_t *agents = json_array();
	struct td_agent_info info;

	// Agent i of the config is agent i of the call manager.
	for (unsigned i = 0; i < config->agents_count; i++) {
		if (queue && !serves(&config->agents[i], queue))
			continue;
		if (total++ < skip || limit == 0 ||
		    td_calls_agent_at(api->deps.calls, i, &info) != 0)
			continue;
		limit--;
		json_array_append_new(agents, agent_with_queues(&config->agents[i], &info));
	}
	return json_pack("{s:I, s:o}", "total", (json_int_t)total, "agents", agents);
}

static TD_CONTROL json_t *describe_by_id(struct td_rpc_call *call, const char *id)
{
	struct td_api *api = call->context;
	const struct td_config *config = api->deps.config;
	struct td_agent_info info;

	for (unsigned i = 0; i < config->agents_count; i++)
		if (strcmp(config->agents[i].id, id) == 0 &&
		    td_calls_agent_get(api->deps.calls, id, &info) == 0)
			return agent_with_queues(&config->agents[i], &info);
	return td_rpc_fail(call, TD_RPC_NOT_FOUND, "there is no agent %s", id);
}

json_t *td_verb_agent_get(struct td_rpc_call *call)
{
	return describe_by_id(call, td_rpc_string(call, "id", ""));
}

static enum td_agent_wish wish_of(const char *state)
{
	if (strcmp(state, "logged-in") == 0)
		return TD_AGENT_WISH_LOGIN;
	if (strcmp(state, "logged-out") == 0)
		return TD_AGENT_WISH_LOGOUT;
	if (strcmp(state, "paused") == 0)
		return TD_AGENT_WISH_PAUSE;
	return TD_AGENT_WISH_AVAILABLE;
}

json_t *td_verb_agent_set_state(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	const char *id = td_rpc_string(call, "id", ""),
		   *reason = td_rpc_string(call, "reason", NULL);
	enum td_agent_wish wish = wish_of(td_rpc_string(call, "state", ""));
	int rc;

	if (reason && wish != TD_AGENT_WISH_PAUSE)
		return td_rpc_fail(call, TD_RPC_PARAMS, "reason: only a pause has one");
	rc = td_calls_agent_set_state(api->deps.calls, id, wish, reason);
	if (rc != 0 && rc != -TD_ENOT_FOUND)
		return td_rpc_fail(call, TD_RPC_STATE, "agent %s: %s", id, td_error_text(rc));
	return describe_by_id(call, id);
}

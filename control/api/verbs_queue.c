// Verbs about queues: the ACD's statistics under the config's names.
#include <string.h>

#include "acd/inspect.h"
#include "api/core.h"
#include "api/describe.h"
#include "api/verbs.h"
#include "call/inspect.h"

#define LINE_MAX_SHOWN 100 // callers in line that queue.get names

// -1, "nothing to divide by yet", becomes null.
static json_t *percent(double ratio)
{
	return ratio < 0 ? json_null() : json_real((double)(int)(ratio * 1000 + 0.5) / 10);
}

static json_t *describe_agents(const struct td_acd *acd, unsigned queue)
{
	uint32_t counts[TD_ACD_AGENT_STATE_COUNT] = { 0 }, ready = 0;
	json_t *agents = json_object();

	if (td_acd_queue_agents(acd, queue, counts, &ready) != 0)
		return agents;
	for (int state = 0; state < TD_ACD_AGENT_STATE_COUNT; state++)
		json_object_set_new(agents, td_acd_agent_state_name((enum td_acd_agent_state)state),
				    td_describe_count(counts[state]));
	json_object_set_new(agents, "ready", td_describe_count(ready));
	return agents;
}

static json_t *describe_counts(const struct td_acd_queue_info *info)
{
	uint64_t average = info->answered ? info->answered_wait_ms / info->answered : 0;

	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "offered",
		td_describe_count(info->offered), "answered", td_describe_count(info->answered),
		"abandoned", td_describe_count(info->abandoned), "timed_out",
		td_describe_count(info->timed_out), "removed", td_describe_count(info->removed),
		"refused", td_describe_count(info->refused), "answered_wait_average_ms",
		td_describe_count(average), "answered_wait_max_ms",
		td_describe_count(info->answered_wait_max_ms));
}

static json_t *describe_service(const struct td_acd_queue_info *info)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "threshold_s",
			 td_describe_count(info->settings.service_level_ms / 1000),
			 "offered_percent", percent(info->service_level[TD_ACD_SL_OFFERED]),
			 "no_short_percent", percent(info->service_level[TD_ACD_SL_NO_SHORT]),
			 "abandon_ok_percent", percent(info->service_level[TD_ACD_SL_ABANDON_OK]),
			 "answered_percent", percent(info->service_level[TD_ACD_SL_ANSWERED]));
}

static TD_CONTROL json_t *describe_queue(struct td_api *api, unsigned index)
{
	const struct td_config_queue *config = &api->deps.config->queues[index];
	struct td_acd_queue_info info;

	if (td_acd_queue_get(api->deps.acd, index, td_api_now_ms(), &info) != 0)
		return NULL;
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
			 td_describe_text(config->name), "waiting", td_describe_count(info.waiting),
			 "in_offer", td_describe_count(info.in_offer), "talking",
			 td_describe_count(info.talking), "oldest_wait_ms",
			 td_describe_count(info.oldest_wait_ms), "agents",
			 describe_agents(api->deps.acd, index), "calls", describe_counts(&info),
			 "service_level", describe_service(&info));
}

json_t *td_verb_queue_list(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	json_t *queues = json_array();

	for (unsigned i = 0; i < api->deps.config->queues_count; i++)
		json_array_append_new(queues, describe_queue(api, i));
	return json_pack("{s:o}", "queues", queues);
}

struct line {
	struct td_api *api;
	uint32_t queue;
	json_t *places[LINE_MAX_SHOWN]; // by position
};

// The line is the ACD's, the names are the call manager's: this is where they meet.
static bool add_caller(void *user, const struct td_call_info *info)
{
	struct line *line = user;
	struct td_acd_call_info place;

	if (td_acd_call_get(line->api->deps.acd, info->key, td_api_now_ms(), &place) != 0 ||
	    place.queue != line->queue || place.state != TD_ACD_CALL_WAITING ||
	    place.position == 0 || place.position > LINE_MAX_SHOWN ||
	    line->places[place.position - 1])
		return true;
	line->places[place.position - 1] = json_pack(
		"{s:o, s:o, s:o, s:o, s:o}", "position", td_describe_count(place.position), "call",
		td_describe_text(info->id), "caller", td_describe_text(info->caller), "wait_ms",
		td_describe_count(place.wait_ms), "offers", td_describe_count(place.offers));
	return true;
}

static TD_CONTROL json_t *describe_line(struct td_api *api, unsigned index)
{
	struct line line = { .api = api, .queue = index };
	json_t *list = json_array();

	td_calls_foreach(api->deps.calls, add_caller, &line);
	for (size_t i = 0; i < LINE_MAX_SHOWN; i++)
		if (line.places[i])
			json_array_append_new(list, line.places[i]);
	return list;
}

json_t *td_verb_queue_get(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	const char *name = td_rpc_string(call, "name", "");
	json_t *queue;

	for (unsigned i = 0; i < api->deps.config->queues_count; i++) {
		if (strcmp(api->deps.config->queues[i].name, name) != 0)
			continue;
		queue = describe_queue(api, i);
		if (queue)
			json_object_set_new(queue, "line", describe_line(api, i));
		return queue;
	}
	return td_rpc_fail(call, TD_RPC_NOT_FOUND, "there is no queue %s", name);
}

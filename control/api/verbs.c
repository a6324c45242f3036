// The table of verbs: what each is called, takes and means.
#include "api/verbs.h"

#include "api/gate.h"

#define PAGE_MAX 1000

// X(name, min, max, help)
#define REQUIRED_TEXT(name, max, help)                                                             \
	{                                                                                          \
		name, TD_RPC_STRING, true, 1, max, NULL, help                                      \
	}
#define OPTIONAL_TEXT(name, max, help)                                                             \
	{                                                                                          \
		name, TD_RPC_STRING, false, 1, max, NULL, help                                     \
	}
#define PAGE                                                                                       \
	{ "offset", TD_RPC_INTEGER, false, 0, INT32_MAX, NULL, "how many to skip; default 0" },    \
	{                                                                                          \
		"limit", TD_RPC_INTEGER, false, 1, PAGE_MAX, NULL,                                 \
			"how many at most; default 1000"                                           \
	}
#define END                                                                                        \
	{                                                                                          \
		.name = NULL                                                                       \
	}

static const struct td_rpc_param auth_params[] = {
	{ "token", TD_RPC_STRING, true, 0, TD_GATE_TOKEN_MAX * 16, NULL,
	  "the api.token of the config" },
	END,
};

static const struct td_rpc_param call_list_params[] = {
	OPTIONAL_TEXT("queue", 63, "only calls of this queue"),
	PAGE,
	END,
};

static const struct td_rpc_param call_params[] = {
	REQUIRED_TEXT("id", 23, "a call's id, such as c42"),
	END,
};

static const struct td_rpc_param queue_params[] = {
	REQUIRED_TEXT("name", 63, "a queue's name"),
	END,
};

static const struct td_rpc_param agent_list_params[] = {
	OPTIONAL_TEXT("queue", 63, "only agents of this queue"),
	PAGE,
	END,
};

static const struct td_rpc_param agent_params[] = {
	REQUIRED_TEXT("id", 63, "an agent's id"),
	END,
};

static const struct td_rpc_param agent_state_params[] = {
	REQUIRED_TEXT("id", 63, "an agent's id"),
	{ "state", TD_RPC_STRING, true, 0, 0, "logged-in logged-out available paused",
	  "what the agent shall be" },
	OPTIONAL_TEXT("reason", 63, "of a pause"),
	END,
};

static const struct td_rpc_param stream_params[] = {
	{ "id", TD_RPC_INTEGER, true, 1, UINT32_MAX, NULL,
	  "a stream's number, as a call's leg has it" },
	END,
};

static const struct td_rpc_param subscribe_params[] = {
	{ "since", TD_RPC_INTEGER, false, 0, INT64_MAX, NULL,
	  "resume after this event; default: from now on" },
	END,
};

static const struct td_rpc_verb verbs[] = {
	{ "agent.get", td_verb_agent_get, agent_params, "one agent" },
	{ "agent.list", td_verb_agent_list, agent_list_params, "agents and their states" },
	{ "agent.set_state", td_verb_agent_set_state, agent_state_params,
	  "log an agent in or out, make available, pause" },
	{ "auth", td_verb_auth, auth_params, "the first request: prove who you are" },
	{ "call.get", td_verb_call_get, call_params, "one call with its legs" },
	{ "call.hangup", td_verb_call_hangup, call_params, "end a call for both parties" },
	{ "call.list", td_verb_call_list, call_list_params, "calls that are up" },
	{ "events.subscribe", td_verb_events_subscribe, subscribe_params,
	  "numbered events from now on, or since one" },
	{ "events.unsubscribe", td_verb_events_unsubscribe, NULL, "no more events" },
	{ "queue.get", td_verb_queue_get, queue_params, "one queue with its callers" },
	{ "queue.list", td_verb_queue_list, NULL, "queues and their statistics" },
	{ "rpc.methods", td_verb_rpc_methods, NULL, "this list" },
	{ "stream.get", td_verb_stream_get, stream_params, "live counters of one media stream" },
	{ "system.status", td_verb_system_status, NULL, "how the whole switch is" },
	{ "trunk.list", td_verb_trunk_list, NULL, "trunks and whether they answer" },
	{ "worker.list", td_verb_worker_list, NULL, "dataplane workers, their load and drops" },
	{ .method = NULL },
};

static const struct td_rpc_verb first_verbs[] = {
	{ "auth", td_verb_auth, auth_params, "the first request: prove who you are" },
	{ .method = NULL },
};

const struct td_rpc_table td_api_verbs = { verbs, TD_RPC_METHOD,
					   "no such method; rpc.methods lists them" };
const struct td_rpc_table td_api_first_verbs = { first_verbs, TD_RPC_UNAUTHORIZED,
						 "send auth with the token first" };

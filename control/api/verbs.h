// What one can ask of the API: the table of verbs, and the functions behind it by noun.
//
// A verb reads its checked parameters, asks calls, ACD, link or store, and composes JSON. It keeps
// nothing. call->context is the struct td_api, call->client the struct td_api_client.
#pragma once

#include "api/rpc.h"
#include "td_role.h"

extern const struct td_rpc_table td_api_verbs;       // of a client that has authenticated
extern const struct td_rpc_table td_api_first_verbs; // of one that has not: only "auth"

json_t *td_verb_auth(struct td_rpc_call *call) TD_CONTROL;               // verbs_client.c
json_t *td_verb_events_subscribe(struct td_rpc_call *call) TD_CONTROL;   // verbs_client.c
json_t *td_verb_events_unsubscribe(struct td_rpc_call *call) TD_CONTROL; // verbs_client.c
json_t *td_verb_system_status(struct td_rpc_call *call) TD_CONTROL;      // verbs_system.c
json_t *td_verb_rpc_methods(struct td_rpc_call *call) TD_CONTROL;        // verbs_system.c
json_t *td_verb_trunk_list(struct td_rpc_call *call) TD_CONTROL;         // verbs_system.c
json_t *td_verb_call_list(struct td_rpc_call *call) TD_CONTROL;          // verbs_call.c
json_t *td_verb_call_get(struct td_rpc_call *call) TD_CONTROL;           // verbs_call.c
json_t *td_verb_call_hangup(struct td_rpc_call *call) TD_CONTROL;        // verbs_call.c
json_t *td_verb_queue_list(struct td_rpc_call *call) TD_CONTROL;         // verbs_queue.c
json_t *td_verb_queue_get(struct td_rpc_call *call) TD_CONTROL;          // verbs_queue.c
json_t *td_verb_agent_list(struct td_rpc_call *call) TD_CONTROL;         // verbs_agent.c
json_t *td_verb_agent_get(struct td_rpc_call *call) TD_CONTROL;          // verbs_agent.c
json_t *td_verb_agent_set_state(struct td_rpc_call *call) TD_CONTROL;    // verbs_agent.c
json_t *td_verb_stream_get(struct td_rpc_call *call) TD_CONTROL;         // verbs_media.c
json_t *td_verb_worker_list(struct td_rpc_call *call) TD_CONTROL;        // verbs_media.c

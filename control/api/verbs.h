// What one can ask of the API: the table of verbs, and the functions behind it by noun.
//
// A verb reads its checked parameters, asks calls, ACD, link or store, and composes JSON. It keeps
// nothing. call->context is the struct td_api, call->client the struct td_api_client.
#pragma once

#include "api/rpc.h"
#include "td_limits.h"
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
json_t *td_verb_worker_get(struct td_rpc_call *call) TD_CONTROL;         // verbs_media.c
json_t *td_verb_worker_list(struct td_rpc_call *call) TD_CONTROL;        // verbs_media.c
json_t *td_verb_port_list(struct td_rpc_call *call) TD_CONTROL;          // verbs_media.c
json_t *td_verb_call_hold(struct td_rpc_call *call) TD_CONTROL;          // verbs_feature.c
json_t *td_verb_call_unhold(struct td_rpc_call *call) TD_CONTROL;        // verbs_feature.c
json_t *td_verb_call_consult(struct td_rpc_call *call) TD_CONTROL;       // verbs_feature.c
json_t *td_verb_call_threeway(struct td_rpc_call *call) TD_CONTROL;      // verbs_feature.c
json_t *td_verb_call_complete(struct td_rpc_call *call) TD_CONTROL;      // verbs_feature.c
json_t *td_verb_call_monitor(struct td_rpc_call *call) TD_CONTROL;       // verbs_feature.c
json_t *td_verb_call_whisper(struct td_rpc_call *call) TD_CONTROL;       // verbs_feature.c
json_t *td_verb_call_coach(struct td_rpc_call *call) TD_CONTROL;         // verbs_feature.c
json_t *td_verb_call_barge(struct td_rpc_call *call) TD_CONTROL;         // verbs_feature.c
json_t *td_verb_call_takeover(struct td_rpc_call *call) TD_CONTROL;      // verbs_feature.c
json_t *td_verb_call_release(struct td_rpc_call *call) TD_CONTROL;       // verbs_feature.c
json_t *td_verb_call_mute(struct td_rpc_call *call) TD_CONTROL;          // verbs_feature.c
json_t *td_verb_call_unmute(struct td_rpc_call *call) TD_CONTROL;        // verbs_feature.c
json_t *td_verb_call_deaf(struct td_rpc_call *call) TD_CONTROL;          // verbs_feature.c
json_t *td_verb_call_undeaf(struct td_rpc_call *call) TD_CONTROL;        // verbs_feature.c
json_t *td_verb_call_volume(struct td_rpc_call *call) TD_CONTROL;        // verbs_feature.c
json_t *td_verb_call_announce(struct td_rpc_call *call) TD_CONTROL;      // verbs_feature.c
json_t *td_verb_conference_list(struct td_rpc_call *call) TD_CONTROL;    // verbs_conference.c
json_t *td_verb_conference_get(struct td_rpc_call *call) TD_CONTROL;     // verbs_conference.c
json_t *td_verb_conference_create(struct td_rpc_call *call) TD_CONTROL;  // verbs_conference.c
json_t *td_verb_conference_destroy(struct td_rpc_call *call) TD_CONTROL; // verbs_conference.c
json_t *td_verb_conference_join(struct td_rpc_call *call) TD_CONTROL;    // verbs_conference.c
json_t *td_verb_conference_leave(struct td_rpc_call *call) TD_CONTROL;   // verbs_conference.c
json_t *td_verb_conference_kick(struct td_rpc_call *call) TD_CONTROL;    // verbs_conference.c
json_t *td_verb_conference_mute(struct td_rpc_call *call) TD_CONTROL;    // verbs_conference.c
json_t *td_verb_conference_unmute(struct td_rpc_call *call) TD_CONTROL;  // verbs_conference.c
json_t *td_verb_conference_deaf(struct td_rpc_call *call) TD_CONTROL;    // verbs_conference.c
json_t *td_verb_conference_undeaf(struct td_rpc_call *call) TD_CONTROL;  // verbs_conference.c
json_t *td_verb_conference_volume(struct td_rpc_call *call) TD_CONTROL;  // verbs_conference.c
json_t *td_verb_conference_seat(struct td_rpc_call *call) TD_CONTROL;    // verbs_conference.c
json_t *td_verb_conference_lecture(struct td_rpc_call *call) TD_CONTROL; // verbs_conference.c
json_t *td_verb_conference_lock(struct td_rpc_call *call) TD_CONTROL;    // verbs_conference.c
json_t *td_verb_conference_unlock(struct td_rpc_call *call) TD_CONTROL;  // verbs_conference.c
json_t *td_verb_conference_play(struct td_rpc_call *call) TD_CONTROL;    // verbs_conference.c
json_t *td_verb_context_list(struct td_rpc_call *call) TD_CONTROL;       // verbs_context.c
json_t *td_verb_context_get(struct td_rpc_call *call) TD_CONTROL;        // verbs_context.c
json_t *td_verb_context_edit(struct td_rpc_call *call) TD_CONTROL;       // verbs_context.c
json_t *td_verb_context_play(struct td_rpc_call *call) TD_CONTROL;       // verbs_context.c
json_t *td_verb_context_stop(struct td_rpc_call *call) TD_CONTROL;       // verbs_context.c
json_t *td_verb_context_pause(struct td_rpc_call *call) TD_CONTROL;      // verbs_context.c
json_t *td_verb_context_resume(struct td_rpc_call *call) TD_CONTROL;     // verbs_context.c
json_t *td_verb_context_seek(struct td_rpc_call *call) TD_CONTROL;       // verbs_context.c
json_t *td_verb_context_splice(struct td_rpc_call *call) TD_CONTROL;     // verbs_context.c
json_t *td_verb_stream_tune(struct td_rpc_call *call) TD_CONTROL;        // verbs_context.c
json_t *td_verb_stream_digits(struct td_rpc_call *call) TD_CONTROL;      // verbs_context.c
json_t *td_verb_fork_start(struct td_rpc_call *call) TD_CONTROL;         // verbs_fork.c
json_t *td_verb_fork_stop(struct td_rpc_call *call) TD_CONTROL;          // verbs_fork.c
json_t *td_verb_fork_get(struct td_rpc_call *call) TD_CONTROL;           // verbs_fork.c
json_t *td_verb_fork_list(struct td_rpc_call *call) TD_CONTROL;          // verbs_fork.c
json_t *td_verb_capture_start(struct td_rpc_call *call) TD_CONTROL;      // verbs_fork.c
json_t *td_verb_capture_read(struct td_rpc_call *call) TD_CONTROL;       // verbs_fork.c
json_t *td_verb_recording_start(struct td_rpc_call *call) TD_CONTROL;    // verbs_recording.c
json_t *td_verb_recording_stop(struct td_rpc_call *call) TD_CONTROL;     // verbs_recording.c
json_t *td_verb_recording_pause(struct td_rpc_call *call) TD_CONTROL;    // verbs_recording.c
json_t *td_verb_recording_mask(struct td_rpc_call *call) TD_CONTROL;     // verbs_recording.c
json_t *td_verb_recording_resume(struct td_rpc_call *call) TD_CONTROL;   // verbs_recording.c
json_t *td_verb_recording_mark(struct td_rpc_call *call) TD_CONTROL;     // verbs_recording.c
json_t *td_verb_recording_list(struct td_rpc_call *call) TD_CONTROL;     // verbs_recording.c
json_t *td_verb_recording_hold(struct td_rpc_call *call) TD_CONTROL;     // verbs_recording.c
json_t *td_verb_call_privacy(struct td_rpc_call *call) TD_CONTROL;       // verbs_recording.c
json_t *td_verb_conference_privacy(struct td_rpc_call *call) TD_CONTROL; // verbs_recording.c

// What several verbs read of their parameters.
struct td_party_change;
void td_verb_volume_change(const struct td_rpc_call *call, struct td_party_change *change);
uint32_t td_verb_prompts(const struct td_rpc_call *call, const char *out[TD_PLAY_ITEM_MAX]);

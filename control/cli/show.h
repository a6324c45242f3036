// What tandemctl prints for people, one function a kind of result.
//
// Each takes the "result" of the API and writes text; none asks for anything. The columns are data,
// shared with the live screen of watch.c.
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "cli/table.h"

extern const struct td_field td_call_fields[], td_queue_fields[], td_agent_fields[],
	td_worker_fields[], td_trunk_fields[];

void td_show_status(FILE *out, const json_t *result);
void td_show_calls(FILE *out, const json_t *result);
void td_show_call(FILE *out, const json_t *result);
void td_show_hangup(FILE *out, const json_t *result);
void td_show_parties(FILE *out, const json_t *result); // of a call
void td_show_forks(FILE *out, const json_t *result);
void td_show_fork(FILE *out, const json_t *result);
void td_show_recordings(FILE *out, const json_t *result);
void td_show_recording(FILE *out, const json_t *result); // of a call or conference
void td_show_conferences(FILE *out, const json_t *result);
void td_show_conference(FILE *out, const json_t *result);
void td_show_contexts(FILE *out, const json_t *result);
void td_show_context(FILE *out, const json_t *result);
void td_show_player(FILE *out, const json_t *result);
void td_show_done(FILE *out, const json_t *result);
void td_show_queues(FILE *out, const json_t *result);
void td_show_queue(FILE *out, const json_t *result);
void td_show_agents(FILE *out, const json_t *result);
void td_show_agent(FILE *out, const json_t *result);
void td_show_stream(FILE *out, const json_t *result);
void td_show_workers(FILE *out, const json_t *result);
void td_show_worker(FILE *out, const json_t *result);
void td_show_ports(FILE *out, const json_t *result);
void td_show_trunks(FILE *out, const json_t *result);
void td_show_methods(FILE *out, const json_t *result);
void td_show_json(FILE *out, const json_t *result); // indented
void td_show_event(FILE *out, const json_t *event); // one line

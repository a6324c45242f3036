// Calls, agents, trunks and what they are made of as JSON values, one shape each, wherever they
// appear: in a list, alone, or in an event.
//
// Absent things are null, times are ISO UTC text, addresses "host:port". Text that is not UTF-8
// (a SIP user part may hold anything) is shown with question marks. Every function gives a new
// reference, or NULL when there is no memory.
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "call/inspect.h"

json_t *td_describe_text(const char *text); // empty: null
json_t *td_describe_utc(uint64_t utc_ms);   // 0: null
json_t *td_describe_endpoint(const struct td_endpoint *endpoint);
json_t *td_describe_count(uint64_t count);

json_t *td_describe_call(const struct td_call_info *info);
json_t *td_describe_agent(const struct td_agent_info *info);
struct td_conference_info;
struct td_member_info;
struct td_media_info;
json_t *td_describe_leg(const struct td_call_leg_info *leg); // not present: null
json_t *td_describe_conference(const struct td_conference_info *info);
json_t *td_describe_member(const struct td_member_info *info);
struct td_event_record_alarm;
json_t *td_describe_alarm(const struct td_event_record_alarm *alarm);
json_t *td_describe_media(const struct td_media_info *info);
struct td_fork_info;
json_t *td_describe_fork(const struct td_fork_info *info); // verbs_fork.c
json_t *td_describe_trunk(const struct td_trunk_info *info);

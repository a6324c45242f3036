// Composing the shapes.
#include "api/describe.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/gain.h"
#include "base/utc.h"
#include "td_codec_id.h"

#define TEXT_MAX 512

json_t *td_describe_text(const char *text)
{
	char shown[TEXT_MAX];
	json_t *value;

	if (*text == '\0')
		return json_null();
	value = json_string(text);
	if (value)
		return value;
	snprintf(shown, sizeof shown, "%s", text);
	for (char *c = shown; *c; c++)
		*c = (unsigned char)*c < 0x80 ? *c : '?';
	return json_string(shown);
}

json_t *td_describe_utc(uint64_t utc_ms)
{
	char text[TD_UTC_TEXT_BYTES];

	return utc_ms ? json_string(td_utc_text(utc_ms, text)) : json_null();
}

json_t *td_describe_endpoint(const struct td_endpoint *endpoint)
{
	char text[TD_ENDPOINT_TEXT_MAX];

	if (endpoint->family == TD_FAMILY_NONE)
		return json_null();
	return json_string(td_endpoint_text(endpoint, text));
}

json_t *td_describe_count(uint64_t count)
{
	return json_integer((json_int_t)count);
}

json_t *td_describe_leg(const struct td_call_leg_info *leg)
{
	if (!leg->present)
		return json_null();
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:b, s:b, s:b, s:o, s:o}",
		"state", td_describe_text(leg->state), "party", td_describe_text(leg->party),
		"stream", leg->stream.v ? td_describe_count(leg->stream.v) : json_null(), "codec",
		leg->codec == TD_CODEC_NONE ? json_null() : json_string(td_codec_name(leg->codec)),
		"srtp",
		leg->srtp == TD_SRTP_NONE ? json_null()
					  : json_string(td_srtp_suite_shape(leg->srtp)->name),
		"signalling", td_describe_endpoint(&leg->signalling), "local",
		td_describe_endpoint(&leg->local), "remote", td_describe_endpoint(&leg->remote),
		"held", leg->held, "role", td_describe_text(leg->role), "on_hold", leg->on_hold,
		"muted", leg->muted, "deaf", leg->deaf, "talk_db", td_describe_gain(leg->talk_q12),
		"hear_db", td_describe_gain(leg->hear_q12));
}

static json_t *describe_others(const struct td_call_info *info)
{
	json_t *others = json_array();

	for (uint32_t i = 0; i < info->other_count; i++)
		json_array_append_new(others, td_describe_leg(&info->others[i]));
	return others;
}

static json_t *describe_recording(const struct td_recording_info *info)
{
	if (!info->state[0])
		return json_null();
	return json_pack("{s:o, s:o, s:I, s:I}", "file", td_describe_text(info->file), "state",
			 td_describe_text(info->state), "packets_received",
			 (json_int_t)info->packets_received, "packets_written",
			 (json_int_t)info->packets_written);
}

json_t *td_describe_call(const struct td_call_info *info)
{
	json_t *call = json_pack(
		"{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "id", td_describe_text(info->id), "state",
		td_call_state_name(info->state), "caller", td_describe_text(info->caller), "called",
		td_describe_text(info->called), "trunk", td_describe_text(info->trunk), "queue",
		td_describe_text(info->queue), "agent", td_describe_text(info->agent));
	json_t *rest = json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "setup",
		td_describe_utc(info->setup_utc_ms), "answer", td_describe_utc(info->answer_utc_ms),
		"connect", td_describe_utc(info->connect_utc_ms), "duration_ms",
		td_describe_count(info->duration_ms), "wait_ms", td_describe_count(info->wait_ms),
		"offers", td_describe_count(info->offer_count), "caller_leg",
		td_describe_leg(&info->caller_leg), "agent_leg", td_describe_leg(&info->agent_leg),
		"others", describe_others(info), "conference", td_describe_text(info->conference),
		"recording", td_describe_text(info->recording.file));

	if (rest) {
		json_object_set_new(rest, "recorded", describe_recording(&info->recording));
		json_object_set_new(rest, "privacy", td_describe_text(info->recording.privacy));
	}

	if (!call || !rest || json_object_update(call, rest) != 0) {
		json_decref(call);
		call = NULL;
	}
	json_decref(rest);
	return call;
}

json_t *td_describe_agent(const struct td_agent_info *info)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o}", "id",
			 td_describe_text(info->id), "name", td_describe_text(info->name), "state",
			 td_describe_text(info->state), "reason", td_describe_text(info->reason),
			 "since", td_describe_utc(info->since_utc_ms), "reachable", info->reachable,
			 "contact", td_describe_text(info->contact), "expires_s",
			 td_describe_count(info->expires_s), "call", td_describe_text(info->call),
			 "calls_answered", td_describe_count(info->calls_answered));
}

json_t *td_describe_trunk(const struct td_trunk_info *info)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o}", "name", td_describe_text(info->name),
			 "peer", td_describe_endpoint(&info->peer), "state",
			 td_trunk_state_name(info->state), "rtt_ms",
			 td_describe_count(info->rtt_ms), "calls_now",
			 td_describe_count(info->calls_now), "calls_total",
			 td_describe_count(info->calls_total));
}

json_t *td_describe_conference(const struct td_conference_info *info)
{
	return json_pack("{s:o, s:I, s:I, s:I, s:b, s:b, s:b, s:b, s:o, s:o, s:o, s:o}", "name",
			 td_describe_text(info->name), "members", (json_int_t)info->members,
			 "present", (json_int_t)info->present, "members_max",
			 (json_int_t)info->members_max, "lecture", info->lecture, "locked",
			 info->locked, "muted", info->muted, "permanent", info->permanent,
			 "created", td_describe_utc(info->created_utc_ms), "context",
			 info->context.v ? td_describe_count(info->context.v) : json_null(),
			 "recorded", describe_recording(&info->recording), "privacy",
			 td_describe_text(info->recording.privacy));
}

json_t *td_describe_member(const struct td_member_info *info)
{
	json_t *member = json_pack(
		"{s:o, s:o, s:o, s:o, s:o}", "id", td_describe_text(info->id), "call",
		td_describe_text(info->call), "seat", td_describe_text(info->seat), "talks_db",
		td_describe_gain(info->talk_q12), "hears_db", td_describe_gain(info->hear_q12));
	json_t *leg = td_describe_leg(&info->leg);

	if (!member || !leg || json_object_update(member, leg) != 0) {
		json_decref(member);
		member = NULL;
	}
	json_decref(leg);
	return member;
}

json_t *td_describe_media(const struct td_media_info *info)
{
	char digit[2] = { info->digit, '\0' };
	json_t *media = json_pack("{s:I, s:o, s:o}", "context", (json_int_t)info->context.v, "call",
				  td_describe_text(info->call), "conference",
				  td_describe_text(info->conference));

	if (!media)
		return NULL;
	if (info->stream.v) {
		json_object_set_new(media, "stream", td_describe_count(info->stream.v));
		json_object_set_new(media, "party", td_describe_text(info->party));
	}
	if (info->player.v)
		json_object_set_new(media, "player", td_describe_count(info->player.v));
	if (info->digit) {
		json_object_set_new(media, "digit", json_string(digit));
		json_object_set_new(media, "inband", json_boolean(info->inband));
	}
	if (info->duration_ms)
		json_object_set_new(media, "duration_ms", td_describe_count(info->duration_ms));
	if (info->mos_x100)
		json_object_set_new(media, "mos", json_real(info->mos_x100 / 100.0));
	if (info->what[0])
		json_object_set_new(media, "what", json_string(info->what));
	return media;
}

// The value by what it is.
json_t *td_describe_alarm(const struct td_event_record_alarm *alarm)
{
	static const char *const units[TD_RECORD_ALARM_COUNT] = { "waited_ms", "free_percent",
								  "errno" };

	return json_pack("{s:s, s:b, s:I}", "alarm",
			 td_record_alarm_name((enum td_record_alarm)alarm->alarm), "active",
			 alarm->active != 0, units[alarm->alarm], (json_int_t)alarm->value);
}

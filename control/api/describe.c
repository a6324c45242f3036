// Composing the shapes.
#include "api/describe.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

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
	time_t seconds = (time_t)(utc_ms / 1000);
	char text[40];
	struct tm broken;
	size_t length;

	if (utc_ms == 0 || !gmtime_r(&seconds, &broken))
		return json_null();
	length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &broken);
	snprintf(text + length, sizeof text - length, ".%03uZ", (unsigned)(utc_ms % 1000));
	return json_string(text);
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

static json_t *describe_leg(const struct td_call_leg_info *leg)
{
	if (!leg->present)
		return json_null();
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "state", td_describe_text(leg->state),
		"party", td_describe_text(leg->party), "stream",
		leg->stream.v ? td_describe_count(leg->stream.v) : json_null(), "codec",
		leg->codec == TD_CODEC_NONE ? json_null() : json_string(td_codec_name(leg->codec)),
		"signalling", td_describe_endpoint(&leg->signalling), "local",
		td_describe_endpoint(&leg->local), "remote", td_describe_endpoint(&leg->remote),
		"held", leg->held);
}

json_t *td_describe_call(const struct td_call_info *info)
{
	json_t *call = json_pack(
		"{s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "id", td_describe_text(info->id), "state",
		td_call_state_name(info->state), "caller", td_describe_text(info->caller), "called",
		td_describe_text(info->called), "trunk", td_describe_text(info->trunk), "queue",
		td_describe_text(info->queue), "agent", td_describe_text(info->agent));
	json_t *rest = json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "setup",
		td_describe_utc(info->setup_utc_ms), "answer", td_describe_utc(info->answer_utc_ms),
		"connect", td_describe_utc(info->connect_utc_ms), "duration_ms",
		td_describe_count(info->duration_ms), "wait_ms", td_describe_count(info->wait_ms),
		"offers", td_describe_count(info->offer_count), "caller_leg",
		describe_leg(&info->caller_leg), "agent_leg", describe_leg(&info->agent_leg),
		"recording", td_describe_text(info->recording));

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

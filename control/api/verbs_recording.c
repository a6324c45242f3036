// Verbs about recordings: those under way, and those that are there.
#include <string.h>

#include "api/core.h"
#include "api/describe.h"
#include "api/later.h"
#include "api/verbs.h"
#include "call/conferences.h"
#include "call/inspect.h"
#include "call/recording_verbs.h"
#include "store/archive.h"

static bool whose(struct td_rpc_call *call, struct td_recording_of *of)
{
	of->call = td_rpc_string(call, "call", NULL);
	of->conference = td_rpc_string(call, "conference", NULL);
	if ((of->call == NULL) != (of->conference == NULL))
		return true;
	(void)td_rpc_fail(call, TD_RPC_PARAMS, "either call or conference has to be given");
	return false;
}

// What every one of them answers: the call or conference as it is now, or the error and why.
static TD_CONTROL json_t *finish(struct td_rpc_call *call, const struct td_recording_of *of,
				 int error, const char *why)
{
	struct td_api *api = call->context;
	struct td_call_info info;
	struct td_conference_info conference;

	if (error)
		return td_rpc_fail_error(call, error, why);
	if (of->call && td_calls_get(api->deps.calls, of->call, &info) == 0)
		return td_describe_call(&info);
	if (of->conference && td_conferences_get(api->deps.calls, of->conference, &conference) == 0)
		return td_describe_conference(&conference);
	return json_object(); // it has just ended
}

json_t *td_verb_recording_start(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";
	struct td_recording_of of;

	if (!whose(call, &of))
		return NULL;
	return finish(call, &of, td_recordings_start(api->deps.calls, &of, why), why);
}

json_t *td_verb_recording_stop(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";
	struct td_recording_of of;

	if (!whose(call, &of))
		return NULL;
	return finish(call, &of, td_recordings_stop(api->deps.calls, &of, why), why);
}

static TD_CONTROL json_t *control(struct td_rpc_call *call, enum td_record_action action)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";
	struct td_recording_of of;
	int error;

	if (!whose(call, &of))
		return NULL;
	error = td_recordings_control(api->deps.calls, &of, action,
				      (uint32_t)td_rpc_integer(call, "seconds", 0),
				      td_rpc_string(call, "name", ""), why);
	return finish(call, &of, error, why);
}

json_t *td_verb_recording_pause(struct td_rpc_call *call)
{
	return control(call, TD_RECORD_PAUSE);
}

json_t *td_verb_recording_mask(struct td_rpc_call *call)
{
	return control(call, TD_RECORD_MASK);
}

json_t *td_verb_recording_resume(struct td_rpc_call *call)
{
	return control(call, TD_RECORD_RESUME);
}

json_t *td_verb_recording_mark(struct td_rpc_call *call)
{
	return control(call, TD_RECORD_MARK);
}

static TD_CONTROL json_t *privacy(struct td_rpc_call *call, const struct td_recording_of *of)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";
	int error =
		td_recordings_privacy(api->deps.calls, of, td_rpc_boolean(call, "private", true),
				      (uint32_t)td_rpc_integer(call, "seconds", 0), why);

	return finish(call, of, error, why);
}

json_t *td_verb_call_privacy(struct td_rpc_call *call)
{
	return privacy(call, &(struct td_recording_of){ .call = td_rpc_string(call, "id", "") });
}

json_t *td_verb_conference_privacy(struct td_rpc_call *call)
{
	return privacy(call,
		       &(struct td_recording_of){ .conference = td_rpc_string(call, "name", "") });
}

struct listed {
	const struct td_archive *archive;
	json_t *rows;
};

static void add_file(void *user, const char *name)
{
	json_array_append_new(user, td_describe_text(name));
}

static void add_row(void *user, const struct td_archive_row *row)
{
	const struct td_cdr_recording *one = &row->recording;
	struct listed *listed = user;
	json_t *files = json_array();

	td_archive_files(listed->archive, one->file, add_file, files);
	json_array_append_new(
		listed->rows,
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:I, "
			  "s:b, s:o}",
			  "file", td_describe_text(one->file), "tenant",
			  td_describe_text(one->tenant), "call", td_describe_text(one->call),
			  "conference", td_describe_text(one->conference), "queue",
			  td_describe_text(one->queue), "agent", td_describe_text(one->agent),
			  "caller", td_describe_text(one->caller), "state",
			  td_describe_text(one->state), "start",
			  td_describe_utc((uint64_t)one->started_utc_ms), "end",
			  td_describe_utc((uint64_t)one->ended_utc_ms), "duration_ms",
			  (json_int_t)one->duration_ms, "bytes", (json_int_t)one->bytes,
			  "packets_received", (json_int_t)one->packets_received, "packets_written",
			  (json_int_t)one->packets_written, "hold", row->hold, "files", files));
}

static const char *text_of(const json_t *params, const char *name)
{
	return json_string_value(json_object_get(params, name));
}

static uint32_t number_of(const json_t *params, const char *name, uint32_t fallback)
{
	const json_t *value = json_object_get(params, name);

	return value ? (uint32_t)json_integer_value(value) : fallback;
}

// On a thread that may wait for the disk.
static json_t *list_rows(void *user, const json_t *params, struct td_rpc_call *failed)
{
	const struct td_archive_query query = {
		.tenant = text_of(params, "tenant"),
		.call = text_of(params, "call"),
		.queue = text_of(params, "queue"),
		.agent = text_of(params, "agent"),
		.offset = number_of(params, "offset", 0),
		.limit = number_of(params, "limit", 100),
	};
	struct listed listed = { .archive = user, .rows = json_array() };
	char error[TD_ARCHIVE_ERROR_MAX] = "";
	uint64_t total = 0;

	if (td_archive_list(user, &query, add_row, &listed, &total, error) == 0)
		return json_pack("{s:I, s:o}", "total", (json_int_t)total, "recordings",
				 listed.rows);
	json_decref(listed.rows);
	return td_rpc_fail(failed, TD_RPC_INTERNAL, "%s", error);
}

json_t *td_verb_recording_list(struct td_rpc_call *call)
{
	struct td_api *api = call->context;

	return td_later_work(call, list_rows, api->deps.archive);
}

static json_t *hold_row(void *user, const json_t *params, struct td_rpc_call *failed)
{
	const char *file = text_of(params, "file");
	bool hold = json_is_true(json_object_get(params, "hold"));
	char error[TD_ARCHIVE_ERROR_MAX] = "";
	int rc = td_archive_hold(user, file ? file : "", hold, error);

	if (rc == 0)
		return json_pack("{s:s, s:b}", "file", file, "hold", hold);
	return td_rpc_fail_error(failed, rc, error);
}

json_t *td_verb_recording_hold(struct td_rpc_call *call)
{
	struct td_api *api = call->context;

	return td_later_work(call, hold_row, api->deps.archive);
}

// The envelope: requests, notifications, batches, errors.
#include "api/rpc.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "td_error.h"

json_t *td_rpc_fail(struct td_rpc_call *call, enum td_rpc_code code, const char *format, ...)
{
	va_list args;

	call->code = code;
	va_start(args, format);
	vsnprintf(call->message, sizeof call->message, format, args);
	va_end(args);
	return NULL;
}

static enum td_rpc_code code_of(int error)
{
	switch (-error) {
	case TD_ESTALE:
	case TD_ENOT_FOUND: return TD_RPC_NOT_FOUND;
	case TD_EFULL:
	case TD_ENO_PORT: return TD_RPC_LIMIT;
	case TD_ELINK_DOWN:
	case TD_ETIMEOUT: return TD_RPC_UNAVAILABLE;
	case TD_EINVALID:
	case TD_ECODEC:
	case TD_EUNSUPPORTED: return TD_RPC_PARAMS;
	case TD_EMEMORY: return TD_RPC_INTERNAL;
	default: return TD_RPC_STATE;
	}
}

json_t *td_rpc_fail_error(struct td_rpc_call *call, int error, const char *why)
{
	call->error = td_error_name(error);
	return td_rpc_fail(call, code_of(error), "%s", why ? why : td_error_text(error));
}

// Steals `id`. A message cut in the middle of a character is not UTF-8 any more: say less then.
static json_t *named_error_reply(enum td_rpc_code code, const char *name, const char *message,
				 json_t *id)
{
	json_t *text = json_string(message), *data = NULL;

	if (!text)
		text = json_string("the request cannot be answered in UTF-8");
	if (name)
		data = json_pack("{s:s}", "name", name);
	return json_pack("{s:s, s:{s:i, s:o, s:o*}, s:o}", "jsonrpc", "2.0", "error", "code",
			 (int)code, "message", text, "data", data, "id", id);
}

static json_t *error_reply(enum td_rpc_code code, const char *message, json_t *id)
{
	return named_error_reply(code, NULL, message, id);
}

json_t *td_rpc_reply(const struct td_rpc_call *call, json_t *id, json_t *result)
{
	if (!result)
		return named_error_reply(call->code, call->error, call->message, id);
	return json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "result", result, "id", id);
}

json_t *td_rpc_error(enum td_rpc_code code, const char *message)
{
	return error_reply(code, message, json_null());
}

static const struct td_rpc_verb *find_verb(const struct td_rpc_table *table, const char *method)
{
	for (const struct td_rpc_verb *verb = table->verbs; verb->method; verb++)
		if (strcmp(verb->method, method) == 0)
			return verb;
	return NULL;
}

static json_t *run(struct td_rpc_call *call, const char *method, const json_t *params)
{
	const struct td_rpc_verb *verb = find_verb(call->table, method);

	call->code = TD_RPC_INTERNAL;
	call->error = NULL;
	call->deferred = false;
	snprintf(call->message, sizeof call->message, "not enough memory for the answer");
	if (!verb)
		return td_rpc_fail(call, call->table->unknown, "%.64s: %s", method,
				   call->table->unknown_text);
	if (!td_rpc_check_params(call, verb->params, params))
		return NULL;
	call->params = params;
	return verb->run(call);
}

// The request's id for its reply: a reference for the caller, or null when it has a wrong type.
static json_t *reply_id(const json_t *request, bool *valid)
{
	json_t *id = json_object_get(request, "id");

	*valid = !id || json_is_string(id) || json_is_number(id) || json_is_null(id);
	return id && *valid ? json_incref(id) : json_null();
}

static const char *invalid_because(const json_t *request, bool id_valid)
{
	const char *version = json_string_value(json_object_get(request, "jsonrpc"));

	if (!json_is_object(request))
		return "a request is an object";
	if (!version || strcmp(version, "2.0") != 0)
		return "jsonrpc: expected \"2.0\"";
	if (!json_is_string(json_object_get(request, "method")))
		return "method: expected a string";
	if (!id_valid)
		return "id: expected a string, a number or null";
	return NULL;
}

static json_t *handle_one(struct td_rpc_call *call, const json_t *request)
{
	bool id_valid, wants_reply = json_object_get(request, "id") != NULL;
	json_t *id = reply_id(request, &id_valid), *result;
	const char *why = invalid_because(request, id_valid);

	if (why)
		return error_reply(TD_RPC_INVALID, why, id);
	call->id = wants_reply ? id : NULL;
	result = run(call, json_string_value(json_object_get(request, "method")),
		     json_object_get(request, "params"));
	call->params = NULL;
	if (!wants_reply || call->deferred) {
		json_decref(result);
		json_decref(id);
		return NULL;
	}
	return td_rpc_reply(call, id, result);
}

static json_t *handle_batch(struct td_rpc_call *call, const json_t *batch)
{
	json_t *replies, *request;
	size_t index;

	if (json_array_size(batch) == 0)
		return td_rpc_error(TD_RPC_INVALID, "a batch holds at least one request");
	if (json_array_size(batch) > TD_RPC_BATCH_MAX)
		return td_rpc_error(TD_RPC_LIMIT, "a batch holds at most 32 requests");
	replies = json_array();
	call->in_batch = true;
	json_array_foreach(batch, index, request)
	{
		json_t *reply = handle_one(call, request);

		if (reply)
			json_array_append_new(replies, reply);
	}
	if (json_array_size(replies) == 0) {
		json_decref(replies);
		return NULL;
	}
	return replies;
}

json_t *td_rpc_handle(struct td_rpc_call *call, const char *line, size_t bytes)
{
	json_error_t error;
	char why[TD_RPC_MESSAGE_MAX];
	json_t *request = json_loadb(line, bytes, JSON_REJECT_DUPLICATES, &error), *reply;

	if (!request) {
		snprintf(why, sizeof why, "not JSON: %s at byte %d", error.text, error.position);
		return td_rpc_error(TD_RPC_PARSE, why);
	}
	reply = json_is_array(request) ? handle_batch(call, request) : handle_one(call, request);
	json_decref(request);
	return reply;
}

// Parameters against their description.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/rpc.h"

#define LIST_TEXT_MAX 63

static const struct td_rpc_param *find(const struct td_rpc_param *described, const char *name)
{
	for (; described && described->name; described++)
		if (strcmp(described->name, name) == 0)
			return described;
	return NULL;
}

static bool is_word(const char *words, const char *text)
{
	size_t length = strlen(text);

	while (*words) {
		size_t word = strcspn(words, " ");

		if (word == length && strncmp(words, text, length) == 0)
			return true;
		words += word;
		words += *words == ' ';
	}
	return false;
}

static bool check_string(struct td_rpc_call *call, const struct td_rpc_param *param,
			 const json_t *value)
{
	size_t length = json_string_length(value);

	if (!json_is_string(value)) {
		td_rpc_fail(call, TD_RPC_PARAMS, "%s: expected a string", param->name);
		return false;
	}
	if (param->words && !is_word(param->words, json_string_value(value))) {
		td_rpc_fail(call, TD_RPC_PARAMS, "%s: found \"%.64s\", expected one of: %s",
			    param->name, json_string_value(value), param->words);
		return false;
	}
	if (!param->words && ((int64_t)length < param->min || (int64_t)length > param->max)) {
		td_rpc_fail(call, TD_RPC_PARAMS,
			    "%s: found %zu characters, expected %" PRId64 " to %" PRId64,
			    param->name, length, param->min, param->max);
		return false;
	}
	return true;
}

static bool check_integer(struct td_rpc_call *call, const struct td_rpc_param *param,
			  const json_t *value)
{
	int64_t number = json_integer_value(value);

	if (!json_is_integer(value)) {
		td_rpc_fail(call, TD_RPC_PARAMS, "%s: expected a whole number", param->name);
		return false;
	}
	if (number < param->min || number > param->max) {
		td_rpc_fail(call, TD_RPC_PARAMS,
			    "%s: found %" PRId64 ", expected %" PRId64 " to %" PRId64, param->name,
			    number, param->min, param->max);
		return false;
	}
	return true;
}

static bool check_number(struct td_rpc_call *call, const struct td_rpc_param *param,
			 const json_t *value)
{
	double number = json_number_value(value);

	if (!json_is_number(value)) {
		td_rpc_fail(call, TD_RPC_PARAMS, "%s: expected a number", param->name);
		return false;
	}
	if (number < (double)param->min || number > (double)param->max) {
		td_rpc_fail(call, TD_RPC_PARAMS, "%s: found %g, expected %" PRId64 " to %" PRId64,
			    param->name, number, param->min, param->max);
		return false;
	}
	return true;
}

static bool check_boolean(struct td_rpc_call *call, const struct td_rpc_param *param,
			  const json_t *value)
{
	if (json_is_boolean(value))
		return true;
	td_rpc_fail(call, TD_RPC_PARAMS, "%s: expected true or false", param->name);
	return false;
}

static bool check_list(struct td_rpc_call *call, const struct td_rpc_param *param,
		       const json_t *list)
{
	size_t count = json_array_size(list), index;
	json_t *value;

	if (!json_is_array(list) || (int64_t)count < param->min || (int64_t)count > param->max) {
		td_rpc_fail(call, TD_RPC_PARAMS,
			    "%s: expected a list of %" PRId64 " to %" PRId64 " items", param->name,
			    param->min, param->max);
		return false;
	}
	json_array_foreach(list, index, value)
	{
		bool text = json_is_string(value) && json_string_length(value) >= 1 &&
			    json_string_length(value) <= LIST_TEXT_MAX;

		if (param->type == TD_RPC_STRINGS ? text : json_is_object(value))
			continue;
		td_rpc_fail(call, TD_RPC_PARAMS, "%s[%zu]: expected %s", param->name, index,
			    param->type == TD_RPC_STRINGS ? "a text of 1 to 63 characters"
							  : "an object");
		return false;
	}
	return true;
}

static bool check_one(struct td_rpc_call *call, const struct td_rpc_param *param,
		      const json_t *value)
{
	switch (param->type) {
	case TD_RPC_STRING: return check_string(call, param, value);
	case TD_RPC_INTEGER: return check_integer(call, param, value);
	case TD_RPC_NUMBER: return check_number(call, param, value);
	case TD_RPC_BOOLEAN: return check_boolean(call, param, value);
	case TD_RPC_STRINGS:
	case TD_RPC_OBJECTS: return check_list(call, param, value);
	default: return false;
	}
}

bool td_rpc_check_params(struct td_rpc_call *call, const struct td_rpc_param *described,
			 const json_t *params)
{
	const char *name;
	json_t *value;

	if (params && !json_is_object(params)) {
		td_rpc_fail(call, TD_RPC_PARAMS, "params: expected an object of named parameters");
		return false;
	}
	json_object_foreach((json_t *)params, name, value)
	{
		const struct td_rpc_param *param = find(described, name);

		if (!param) {
			td_rpc_fail(call, TD_RPC_PARAMS, "%.64s: this method has no such parameter",
				    name);
			return false;
		}
		if (!check_one(call, param, value))
			return false;
	}
	for (; described && described->name; described++)
		if (described->required && !json_object_get(params, described->name)) {
			td_rpc_fail(call, TD_RPC_PARAMS, "%s: missing; %s", described->name,
				    described->help);
			return false;
		}
	return true;
}

const char *td_rpc_string(const struct td_rpc_call *call, const char *name, const char *fallback)
{
	const json_t *value = json_object_get(call->params, name);

	return value ? json_string_value(value) : fallback;
}

int64_t td_rpc_integer(const struct td_rpc_call *call, const char *name, int64_t fallback)
{
	const json_t *value = json_object_get(call->params, name);

	return value ? json_integer_value(value) : fallback;
}

double td_rpc_number(const struct td_rpc_call *call, const char *name, double fallback)
{
	const json_t *value = json_object_get(call->params, name);

	return value ? json_number_value(value) : fallback;
}

bool td_rpc_boolean(const struct td_rpc_call *call, const char *name, bool fallback)
{
	const json_t *value = json_object_get(call->params, name);

	return value ? json_is_true(value) : fallback;
}

bool td_rpc_has(const struct td_rpc_call *call, const char *name)
{
	return json_object_get(call->params, name) != NULL;
}

const json_t *td_rpc_value(const struct td_rpc_call *call, const char *name)
{
	return json_object_get(call->params, name);
}

// From the words of a command line to the parameters of a method.
#include <string.h>

#include "cli/tandemctl.h"

// What is no number goes as text, and the API says what it expects.
static json_t *number(const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

	if (json_is_number(value))
		return value;
	json_decref(value);
	return json_string(text);
}

static json_t *on_or_off(const char *text)
{
	if (strcmp(text, "on") == 0 || strcmp(text, "off") == 0)
		return json_boolean(text[1] == 'n');
	return json_string(text);
}

static json_t *list(char **texts, int count)
{
	json_t *out = json_array();

	for (int i = 0; i < count; i++)
		json_array_append_new(out, json_string(texts[i]));
	return out;
}

json_t *td_command_fields(const char *fields, char **arguments, int count)
{
	json_t *params = json_object();
	int at = 0;

	while (*fields) {
		size_t length = strcspn(fields, " ");
		size_t name = strcspn(fields, " #?+");
		json_t *value = NULL;

		if (fields[name] == '+' && length > name) {
			value = list(arguments + at, count - at);
			at = count;
		} else if (at < count) {
			const char *text = arguments[at++];

			value = length == name        ? json_string(text)
				: fields[name] == '#' ? number(text)
						      : on_or_off(text);
		}
		if (value)
			json_object_setn_new(params, fields, name, value);
		fields += length;
		fields += *fields == ' ';
	}
	return params;
}

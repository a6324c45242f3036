// Composes the sentence of problem.h.
#include "config/problem.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int td_config_problem(struct td_config_problem *problem, unsigned line, const char *key,
		      const char *found, const char *expected, ...)
{
	char wanted[TD_CONFIG_ERROR_MAX], where[16] = "";
	va_list args;

	va_start(args, expected);
	vsnprintf(wanted, sizeof wanted, expected, args);
	va_end(args);
	if (line > 0)
		snprintf(where, sizeof where, ":%u", line);
	snprintf(problem->error, TD_CONFIG_ERROR_MAX, "%s%s: %s: found %s, expected %s",
		 problem->file, where, key, found, wanted);
	return -TD_EINVALID;
}

static int is_number(const char *text)
{
	size_t digits;

	text += *text == '-';
	digits = strspn(text, "0123456789");
	return digits > 0 && digits < 20 && text[digits] == '\0';
}

const char *td_config_quote(const char *text, char out[TD_CONFIG_FOUND_MAX])
{
	size_t at = 0;

	if (*text == '\0')
		return "nothing";
	if (is_number(text)) {
		snprintf(out, TD_CONFIG_FOUND_MAX, "%s", text);
		return out;
	}
	out[at++] = '"';
	for (; *text && at < TD_CONFIG_FOUND_MAX - 6; text++) {
		unsigned char c = (unsigned char)*text;

		out[at++] = iscntrl(c) ? '?' : (char)c;
	}
	snprintf(out + at, TD_CONFIG_FOUND_MAX - at, "%s\"", *text ? "..." : "");
	return out;
}

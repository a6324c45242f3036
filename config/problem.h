// The one sentence a bad config file gets: "FILE:LINE: KEY: found X, expected Y".
//
// What was found is quoted as it stands in the file, shortened and with control characters made
// visible, so that a terminal cannot be fooled by a config file. Secrets are never passed here:
// their callers say how long they are instead.
#pragma once

#include <stddef.h>

#include "config/config.h"

#define TD_CONFIG_FOUND_MAX 96

struct td_config_problem {
	const char *file;
	char *error; // TD_CONFIG_ERROR_MAX bytes, the caller's
};

// Writes the sentence and returns -TD_EINVALID. `line` counts from 1; 0 leaves it out.
int td_config_problem(struct td_config_problem *problem, unsigned line, const char *key,
		      const char *found, const char *expected, ...)
	__attribute__((format(printf, 5, 6)));

// Quotes text from the file for `found`: "abc", or 99 bare when it is a number, or nothing when
// it is empty. Returns `out`.
const char *td_config_quote(const char *text, char out[TD_CONFIG_FOUND_MAX]);

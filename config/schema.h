// What the YAML file may contain, as data: libcyaml's schema and one rule a key.
//
//   schema: key -> type -> place in struct td_config        (types, names, how many)
//   rules:  key -> default, least and most, words           (what libcyaml 1.3 cannot say)
//
// Everything else in this folder walks these two tables; adding a setting is a field in config.h,
// a row in each, and a line in tandem.example.yaml. Constant; any thread.
#pragma once

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stdint.h>

struct td_config_rule {
	const char *pattern;  // "agents[].id"
	const char *fallback; // text of the default; a list's is separated by spaces; NULL: none
	int64_t min, max;     // of a number; of a text's length
	const char *words;    // a text must be one of these, separated by spaces; NULL: any
	bool secret;          // never quoted in an error
};

extern const struct cyaml_schema_value td_config_schema;
extern const struct td_config_rule td_config_rules[];
extern const unsigned td_config_rule_count;

// The rule of a pattern, or NULL.
const struct td_config_rule *td_config_rule_find(const char *pattern);

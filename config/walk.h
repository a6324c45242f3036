// Where the walk of shape.c is, and the checks of single values (scalar.c).
//
// Inside config only. The walk's paths grow and shrink with the nesting, which the schema bounds.
#pragma once

#include "config/document.h"
#include "config/schema.h"

#define TD_CONFIG_PATH_MAX 192

struct td_config_walk {
	yaml_document_t *doc;
	struct td_config_problem *problem;
	char path[TD_CONFIG_PATH_MAX];    // "agents[3].id", for people
	char pattern[TD_CONFIG_PATH_MAX]; // "agents[].id", for the rules
	unsigned line;                    // of the node in hand
};

// The rule of the key in hand; a key without one has no default and no bounds.
const struct td_config_rule *td_config_walk_rule(const struct td_config_walk *walk);

// Says that this node is not what was expected.
int td_config_walk_wrong(struct td_config_walk *walk, const yaml_node_t *node,
			 const char *expected);

// Checks a node that must be a scalar of this type, in its range. 0 or -TD_EINVALID.
TD_MUST_CHECK int td_config_walk_scalar(struct td_config_walk *walk, int id,
					const cyaml_schema_value_t *schema);

// Single values against their type and rule.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/walk.h"

const struct td_config_rule *td_config_walk_rule(const struct td_config_walk *walk)
{
	static const struct td_config_rule none = { .pattern = "", .max = INT64_MAX };
	const struct td_config_rule *rule = td_config_rule_find(walk->pattern);

	return rule ? rule : &none;
}

static const char *scalar_text(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

int td_config_walk_wrong(struct td_config_walk *walk, const yaml_node_t *node, const char *expected)
{
	char quoted[TD_CONFIG_FOUND_MAX];
	const char *found = "a mapping";

	if (node->type == YAML_SEQUENCE_NODE)
		found = "a list";
	else if (node->type == YAML_SCALAR_NODE)
		found = td_config_walk_rule(walk)->secret
				? "a secret"
				: td_config_quote(scalar_text(node), quoted);
	return td_config_problem(walk->problem, walk->line, walk->path, found, "%s", expected);
}

static int check_number(struct td_config_walk *walk, const yaml_node_t *node)
{
	const struct td_config_rule *rule = td_config_walk_rule(walk);
	const char *text = scalar_text(node), *digits = text + (*text == '-');
	size_t length = strlen(digits);
	char expected[64];
	long long value;

	snprintf(expected, sizeof expected, "%lld to %lld", (long long)rule->min,
		 (long long)rule->max);
	// libcyaml would read 010 as eight and 0x10 as sixteen: neither is what a reader sees.
	if (length == 0 || length > 18 || strspn(digits, "0123456789") != length ||
	    (*digits == '0' && length > 1))
		return td_config_walk_wrong(walk, node, expected);
	value = strtoll(text, NULL, 10);
	if (value < rule->min || value > rule->max)
		return td_config_walk_wrong(walk, node, expected);
	return 0;
}

// libcyaml takes any text it does not know for true, so this must be strict.
static int check_bool(struct td_config_walk *walk, const yaml_node_t *node)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on", "off" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(scalar_text(node), words[i]) == 0)
			return 0;
	return td_config_walk_wrong(walk, node, "true or false");
}

static int check_enum(struct td_config_walk *walk, const yaml_node_t *node,
		      const cyaml_schema_value_t *schema)
{
	int (*compare)(const char *, const char *) =
		schema->flags & CYAML_FLAG_CASE_INSENSITIVE ? strcasecmp : strcmp;
	char expected[256] = "one of";
	size_t at = strlen(expected);

	for (uint32_t i = 0; i < schema->enumeration.count; i++) {
		const char *word = schema->enumeration.strings[i].str;

		if (compare(scalar_text(node), word) == 0)
			return 0;
		if (at < sizeof expected)
			at += (size_t)snprintf(expected + at, sizeof expected - at, "%s %s",
					       i ? "," : "", word);
	}
	return td_config_walk_wrong(walk, node, expected);
}

static int check_words(struct td_config_walk *walk, const yaml_node_t *node, const char *words)
{
	const char *text = scalar_text(node);
	char expected[128];

	for (const char *word = words; *word;) {
		size_t length = strcspn(word, " ");

		if (strlen(text) == length && strncmp(word, text, length) == 0)
			return 0;
		word += length;
		word += *word == ' ';
	}
	snprintf(expected, sizeof expected, "one of %s", words);
	return td_config_walk_wrong(walk, node, expected);
}

static int check_text(struct td_config_walk *walk, const yaml_node_t *node)
{
	const struct td_config_rule *rule = td_config_walk_rule(walk);
	size_t length = node->data.scalar.length;
	char found[64];

	if (rule->words)
		return check_words(walk, node, rule->words);
	if ((int64_t)length >= rule->min && (int64_t)length <= rule->max)
		return 0;
	if (length == 0)
		snprintf(found, sizeof found, "nothing");
	else
		snprintf(found, sizeof found, "%zu characters", length);
	return td_config_problem(walk->problem, walk->line, walk->path, found,
				 "%lld to %lld characters", (long long)rule->min,
				 (long long)rule->max);
}

int td_config_walk_scalar(struct td_config_walk *walk, int id, const cyaml_schema_value_t *schema)
{
	static const char *const expected[CYAML__TYPE_COUNT] = {
		[CYAML_INT] = "a number",       [CYAML_UINT] = "a number",
		[CYAML_BOOL] = "true or false", [CYAML_ENUM] = "a single word",
		[CYAML_STRING] = "a text",
	};
	const yaml_node_t *node = yaml_document_get_node(walk->doc, id);

	if (node->type != YAML_SCALAR_NODE)
		return td_config_walk_wrong(walk, node, expected[schema->type]);
	if (memchr(node->data.scalar.value, 0, node->data.scalar.length))
		return td_config_problem(walk->problem, walk->line, walk->path, "a NUL character",
					 "a text without one");
	if (schema->type == CYAML_STRING)
		return check_text(walk, node);
	if (schema->type == CYAML_BOOL)
		return check_bool(walk, node);
	if (schema->type == CYAML_ENUM)
		return check_enum(walk, node, schema);
	return check_number(walk, node);
}

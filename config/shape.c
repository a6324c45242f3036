// The walk. Node pointers die when the document grows, so everything here holds node ids.
#include "config/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/schema.h"

#define PATH_MAX_BYTES 192
#define ROOT           1 // libyaml numbers nodes from 1

struct walk {
	yaml_document_t *doc;
	struct td_config_problem *problem;
	char path[PATH_MAX_BYTES];    // "agents[3].id", for people
	char pattern[PATH_MAX_BYTES]; // "agents[].id", for the rules
	unsigned line;                // of the node in hand
};

struct place {
	size_t path, pattern;
};

static int walk_value(struct walk *walk, int node, const cyaml_schema_value_t *schema);

static struct place enter(struct walk *walk, const char *path, const char *pattern)
{
	struct place place = { strlen(walk->path), strlen(walk->pattern) };

	snprintf(walk->path + place.path, sizeof walk->path - place.path, "%s%s",
		 place.path && *path != '[' ? "." : "", path);
	snprintf(walk->pattern + place.pattern, sizeof walk->pattern - place.pattern, "%s%s",
		 place.pattern && *pattern != '[' ? "." : "", pattern);
	return place;
}

static void leave(struct walk *walk, struct place place)
{
	walk->path[place.path] = '\0';
	walk->pattern[place.pattern] = '\0';
}

// The rule of the key in hand; a key without one has no default and no bounds.
static const struct td_config_rule *rule_here(const struct walk *walk)
{
	static const struct td_config_rule none = { .pattern = "", .max = INT64_MAX };
	const struct td_config_rule *rule = td_config_rule_find(walk->pattern);

	return rule ? rule : &none;
}

static const char *scalar_text(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

// "key:" with nothing after it.
static int is_null(const yaml_node_t *node)
{
	return node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0 &&
	       node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static int wrong_type(struct walk *walk, const yaml_node_t *node, const char *expected)
{
	char quoted[TD_CONFIG_FOUND_MAX];
	const char *found = "a mapping";

	if (node->type == YAML_SEQUENCE_NODE)
		found = "a list";
	else if (node->type == YAML_SCALAR_NODE)
		found = rule_here(walk)->secret ? "a secret"
						: td_config_quote(scalar_text(node), quoted);
	return td_config_problem(walk->problem, walk->line, walk->path, found, "%s", expected);
}

static int check_number(struct walk *walk, const yaml_node_t *node)
{
	const struct td_config_rule *rule = rule_here(walk);
	const char *text = scalar_text(node), *digits = text + (*text == '-');
	size_t length = strlen(digits);
	char expected[64];
	long long value;

	snprintf(expected, sizeof expected, "%lld to %lld", (long long)rule->min,
		 (long long)rule->max);
	// libcyaml would read 010 as eight and 0x10 as sixteen: neither is what a reader sees.
	if (length == 0 || length > 18 || strspn(digits, "0123456789") != length ||
	    (*digits == '0' && length > 1))
		return wrong_type(walk, node, expected);
	value = strtoll(text, NULL, 10);
	if (value < rule->min || value > rule->max)
		return wrong_type(walk, node, expected);
	return 0;
}

// libcyaml takes any text it does not know for true, so this must be strict.
static int check_bool(struct walk *walk, const yaml_node_t *node)
{
	static const char *const words[] = { "true", "false", "yes", "no", "on", "off" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(scalar_text(node), words[i]) == 0)
			return 0;
	return wrong_type(walk, node, "true or false");
}

static int check_enum(struct walk *walk, const yaml_node_t *node,
		      const cyaml_schema_value_t *schema)
{
	char expected[128] = "one of";
	size_t at = strlen(expected);

	for (uint32_t i = 0; i < schema->enumeration.count; i++) {
		const char *word = schema->enumeration.strings[i].str;

		if (strcmp(scalar_text(node), word) == 0)
			return 0;
		at += (size_t)snprintf(expected + at, sizeof expected - at, "%s %s", i ? "," : "",
				       word);
	}
	return wrong_type(walk, node, expected);
}

static int check_words(struct walk *walk, const yaml_node_t *node, const char *words)
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
	return wrong_type(walk, node, expected);
}

static int check_text(struct walk *walk, const yaml_node_t *node)
{
	const struct td_config_rule *rule = rule_here(walk);
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

static int walk_scalar(struct walk *walk, int id, const cyaml_schema_value_t *schema)
{
	static const char *const expected[CYAML__TYPE_COUNT] = {
		[CYAML_INT] = "a number",       [CYAML_UINT] = "a number",
		[CYAML_BOOL] = "true or false", [CYAML_ENUM] = "a single word",
		[CYAML_STRING] = "a text",
	};
	const yaml_node_t *node = yaml_document_get_node(walk->doc, id);

	if (node->type != YAML_SCALAR_NODE)
		return wrong_type(walk, node, expected[schema->type]);
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

static int walk_sequence(struct walk *walk, int id, const cyaml_schema_value_t *schema)
{
	yaml_node_t *node = yaml_document_get_node(walk->doc, id);
	char found[32], index[24];
	long count;

	if (node->type != YAML_SEQUENCE_NODE)
		return wrong_type(walk, node, "a list");
	count = node->data.sequence.items.top - node->data.sequence.items.start;
	if (count < (long)schema->sequence.min || count > (long)schema->sequence.max) {
		snprintf(found, sizeof found, "%ld entries", count);
		return td_config_problem(walk->problem, walk->line, walk->path, found,
					 "%u to %u entries", schema->sequence.min,
					 schema->sequence.max);
	}
	for (long i = 0; i < count; i++) {
		struct place place;
		int rc, item;

		snprintf(index, sizeof index, "[%ld]", i);
		place = enter(walk, index, "[]");
		node = yaml_document_get_node(walk->doc, id);
		item = node->data.sequence.items.start[i];
		rc = walk_value(walk, item, schema->sequence.entry);
		if (rc != 0)
			return rc;
		leave(walk, place);
	}
	return 0;
}

static const cyaml_schema_field_t *field_of(const cyaml_schema_value_t *schema, const char *key)
{
	for (const cyaml_schema_field_t *field = schema->mapping.fields; field->key; field++)
		if (strcmp(field->key, key) == 0)
			return field;
	return NULL;
}

static int unknown_key(struct walk *walk, const cyaml_schema_value_t *schema)
{
	char expected[320] = "one of";
	size_t at = strlen(expected);

	for (const cyaml_schema_field_t *field = schema->mapping.fields; field->key; field++) {
		at += (size_t)snprintf(expected + at, sizeof expected - at, "%s %s",
				       field == schema->mapping.fields ? "" : ",", field->key);
		if (at >= sizeof expected)
			break;
	}
	return td_config_problem(walk->problem, walk->line, walk->path, "an unknown key", "%s",
				 expected);
}

// A section or list with nothing in it ("agents:") means an empty one.
static int replace_null(struct walk *walk, int id, long pair, const cyaml_schema_value_t *schema)
{
	const yaml_node_t *value;
	int empty = 0;

	value = yaml_document_get_node(
		walk->doc,
		yaml_document_get_node(walk->doc, id)->data.mapping.pairs.start[pair].value);
	if (!is_null(value))
		return 0;
	if (schema->type == CYAML_MAPPING)
		empty = yaml_document_add_mapping(walk->doc, NULL, YAML_FLOW_MAPPING_STYLE);
	else if (schema->type == CYAML_SEQUENCE)
		empty = yaml_document_add_sequence(walk->doc, NULL, YAML_FLOW_SEQUENCE_STYLE);
	else
		return 0;
	if (!empty)
		return -TD_EMEMORY;
	yaml_document_get_node(walk->doc, id)->data.mapping.pairs.start[pair].value = empty;
	return 0;
}

// The key of one pair: a known word that has not come before.
static int check_key(struct walk *walk, int id, long pair, const cyaml_schema_value_t *schema,
		     const cyaml_schema_field_t **field)
{
	yaml_node_t *mapping = yaml_document_get_node(walk->doc, id);
	int key_id = mapping->data.mapping.pairs.start[pair].key;
	const yaml_node_t *key = yaml_document_get_node(walk->doc, key_id);
	char shown[TD_CONFIG_FOUND_MAX];
	struct place place;

	walk->line = (unsigned)key->start_mark.line + 1;
	if (key->type != YAML_SCALAR_NODE)
		return td_config_problem(walk->problem, walk->line,
					 *walk->path ? walk->path : "file",
					 "a key that is not a word", "a word");
	snprintf(shown, sizeof shown, "%.60s", *scalar_text(key) ? scalar_text(key) : "?");
	for (char *c = shown; *c; c++)
		*c = (unsigned char)*c < ' ' ? '?' : *c;
	place = enter(walk, shown, shown);
	*field = field_of(schema, scalar_text(key));
	if (!*field)
		return unknown_key(walk, schema);
	for (long i = 0; i < pair; i++) {
		int other = mapping->data.mapping.pairs.start[i].key;

		if (strcmp(scalar_text(yaml_document_get_node(walk->doc, other)), (*field)->key) ==
		    0)
			return td_config_problem(walk->problem, walk->line, walk->path,
						 "the key twice", "it once");
	}
	leave(walk, place);
	return 0;
}

static int walk_pairs(struct walk *walk, int id, const cyaml_schema_value_t *schema)
{
	const yaml_node_t *node = yaml_document_get_node(walk->doc, id);
	long count = node->data.mapping.pairs.top - node->data.mapping.pairs.start;

	for (long i = 0; i < count; i++) {
		const cyaml_schema_field_t *field = NULL;
		struct place place;
		int rc = check_key(walk, id, i, schema, &field);

		if (rc == 0)
			rc = replace_null(walk, id, i, &field->value);
		if (rc != 0)
			return rc;
		place = enter(walk, field->key, field->key);
		node = yaml_document_get_node(walk->doc, id);
		rc = walk_value(walk, node->data.mapping.pairs.start[i].value, &field->value);
		if (rc != 0)
			return rc;
		leave(walk, place);
	}
	return 0;
}

// A new node with the default of the key in hand: a section (whose keys are filled in when it is
// walked), a list of words, or a word. 0: out of memory.
static int make_default(struct walk *walk, const cyaml_schema_value_t *schema, const char *fallback)
{
	int list, item;

	if (schema->type == CYAML_MAPPING)
		return yaml_document_add_mapping(walk->doc, NULL, YAML_BLOCK_MAPPING_STYLE);
	if (schema->type != CYAML_SEQUENCE)
		return yaml_document_add_scalar(walk->doc, NULL, (const yaml_char_t *)fallback,
						(int)strlen(fallback),
						YAML_DOUBLE_QUOTED_SCALAR_STYLE);
	list = yaml_document_add_sequence(walk->doc, NULL, YAML_FLOW_SEQUENCE_STYLE);
	while (list && *fallback) {
		size_t length = strcspn(fallback, " ");

		item = yaml_document_add_scalar(walk->doc, NULL, (const yaml_char_t *)fallback,
						(int)length, YAML_PLAIN_SCALAR_STYLE);
		if (!item || !yaml_document_append_sequence_item(walk->doc, list, item))
			return 0;
		fallback += length;
		fallback += *fallback == ' ';
	}
	return list;
}

static int add_missing(struct walk *walk, int id, const cyaml_schema_field_t *field)
{
	const struct td_config_rule *rule;
	struct place place = enter(walk, field->key, field->key);
	int key, value, rc = 0;

	rule = rule_here(walk);
	if (field->value.type == CYAML_MAPPING || rule->fallback) {
		key = yaml_document_add_scalar(walk->doc, NULL, (const yaml_char_t *)field->key,
					       (int)strlen(field->key), YAML_PLAIN_SCALAR_STYLE);
		value = make_default(walk, &field->value, rule->fallback);
		if (!key || !value || !yaml_document_append_mapping_pair(walk->doc, id, key, value))
			return -TD_EMEMORY;
		if (field->value.type == CYAML_MAPPING)
			rc = walk_value(walk, value, &field->value);
	} else if (rule->min > 0) {
		rc = td_config_problem(walk->problem, walk->line, walk->path, "nothing",
				       "this key: it has no default");
	}
	if (rc == 0)
		leave(walk, place);
	return rc;
}

static int walk_mapping(struct walk *walk, int id, const cyaml_schema_value_t *schema)
{
	const yaml_node_t *node = yaml_document_get_node(walk->doc, id);
	unsigned line = walk->line;
	int rc;

	if (node->type != YAML_MAPPING_NODE)
		return wrong_type(walk, node, "a mapping");
	rc = walk_pairs(walk, id, schema);
	for (const cyaml_schema_field_t *field = schema->mapping.fields; rc == 0 && field->key;
	     field++) {
		walk->line = line;
		if (!td_document_find(walk->doc, id, field->key))
			rc = add_missing(walk, id, field);
	}
	return rc;
}

static int walk_value(struct walk *walk, int id, const cyaml_schema_value_t *schema)
{
	const yaml_node_t *node = yaml_document_get_node(walk->doc, id);

	// A node that we made has no mark of its own: it stays at the line of what holds it.
	if (node->start_mark.line != 0 || id == ROOT)
		walk->line = (unsigned)node->start_mark.line + 1;
	if (schema->type == CYAML_MAPPING)
		return walk_mapping(walk, id, schema);
	if (schema->type == CYAML_SEQUENCE)
		return walk_sequence(walk, id, schema);
	return walk_scalar(walk, id, schema);
}

int td_config_shape(yaml_document_t *doc, struct td_config_problem *problem)
{
	struct walk walk = { .doc = doc, .problem = problem };

	return walk_value(&walk, ROOT, &td_config_schema);
}

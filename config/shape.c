// The walk. Node pointers die when the document grows, so everything here holds node ids.
#include "config/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/walk.h"

#define ROOT 1 // libyaml numbers nodes from 1

struct place {
	size_t path, pattern;
};

static int walk_value(struct td_config_walk *walk, int node, const cyaml_schema_value_t *schema);

static struct place enter(struct td_config_walk *walk, const char *path, const char *pattern)
{
	struct place place = { strlen(walk->path), strlen(walk->pattern) };

	snprintf(walk->path + place.path, sizeof walk->path - place.path, "%s%s",
		 place.path && *path != '[' ? "." : "", path);
	snprintf(walk->pattern + place.pattern, sizeof walk->pattern - place.pattern, "%s%s",
		 place.pattern && *pattern != '[' ? "." : "", pattern);
	return place;
}

static void leave(struct td_config_walk *walk, struct place place)
{
	walk->path[place.path] = '\0';
	walk->pattern[place.pattern] = '\0';
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

static int walk_sequence(struct td_config_walk *walk, int id, const cyaml_schema_value_t *schema)
{
	yaml_node_t *node = yaml_document_get_node(walk->doc, id);
	char found[32], index[24];
	long count;

	if (node->type != YAML_SEQUENCE_NODE)
		return td_config_walk_wrong(walk, node, "a list");
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

static void unknown_key(struct td_config_walk *walk, const cyaml_schema_value_t *schema)
{
	char expected[320] = "one of";
	size_t at = strlen(expected);

	for (const cyaml_schema_field_t *field = schema->mapping.fields; field->key; field++) {
		at += (size_t)snprintf(expected + at, sizeof expected - at, "%s %s",
				       field == schema->mapping.fields ? "" : ",", field->key);
		if (at >= sizeof expected)
			break;
	}
	td_config_problem(walk->problem, walk->line, walk->path, "an unknown key", "%s", expected);
}

// A section or list with nothing in it ("agents:") means an empty one.
static int replace_null(struct td_config_walk *walk, int id, long pair,
			const cyaml_schema_value_t *schema)
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

// The key of one pair: a known word that has not come before. NULL after a sentence.
static const cyaml_schema_field_t *check_key(struct td_config_walk *walk, int id, long pair,
					     const cyaml_schema_value_t *schema)
{
	yaml_node_t *mapping = yaml_document_get_node(walk->doc, id);
	int key_id = mapping->data.mapping.pairs.start[pair].key;
	const yaml_node_t *key = yaml_document_get_node(walk->doc, key_id);
	const cyaml_schema_field_t *field;
	char shown[TD_CONFIG_FOUND_MAX];
	struct place place;

	walk->line = (unsigned)key->start_mark.line + 1;
	if (key->type != YAML_SCALAR_NODE) {
		td_config_problem(walk->problem, walk->line, *walk->path ? walk->path : "file",
				  "a key that is not a word", "a word");
		return NULL;
	}
	snprintf(shown, sizeof shown, "%.60s", *scalar_text(key) ? scalar_text(key) : "?");
	for (char *c = shown; *c; c++)
		*c = (unsigned char)*c < ' ' ? '?' : *c;
	place = enter(walk, shown, shown);
	field = field_of(schema, scalar_text(key));
	if (!field) {
		unknown_key(walk, schema);
		return NULL;
	}
	for (long i = 0; i < pair; i++) {
		int other = mapping->data.mapping.pairs.start[i].key;

		if (strcmp(scalar_text(yaml_document_get_node(walk->doc, other)), field->key) ==
		    0) {
			td_config_problem(walk->problem, walk->line, walk->path, "the key twice",
					  "it once");
			return NULL;
		}
	}
	leave(walk, place);
	return field;
}

static int walk_pairs(struct td_config_walk *walk, int id, const cyaml_schema_value_t *schema)
{
	const yaml_node_t *node = yaml_document_get_node(walk->doc, id);
	long count = node->data.mapping.pairs.top - node->data.mapping.pairs.start;

	for (long i = 0; i < count; i++) {
		const cyaml_schema_field_t *field = check_key(walk, id, i, schema);
		struct place place;
		int rc;

		if (!field)
			return -TD_EINVALID;
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
static int make_default(struct td_config_walk *walk, const cyaml_schema_value_t *schema,
			const char *fallback)
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

static int add_missing(struct td_config_walk *walk, int id, const cyaml_schema_field_t *field)
{
	const struct td_config_rule *rule;
	struct place place = enter(walk, field->key, field->key);
	int key, value, rc = 0;

	rule = td_config_walk_rule(walk);
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

static int walk_mapping(struct td_config_walk *walk, int id, const cyaml_schema_value_t *schema)
{
	const yaml_node_t *node = yaml_document_get_node(walk->doc, id);
	unsigned line = walk->line;
	int rc;

	if (node->type != YAML_MAPPING_NODE)
		return td_config_walk_wrong(walk, node, "a mapping");
	rc = walk_pairs(walk, id, schema);
	for (const cyaml_schema_field_t *field = schema->mapping.fields; rc == 0 && field->key;
	     field++) {
		walk->line = line;
		if (!td_document_find(walk->doc, id, field->key))
			rc = add_missing(walk, id, field);
	}
	return rc;
}

static int walk_value(struct td_config_walk *walk, int id, const cyaml_schema_value_t *schema)
{
	const yaml_node_t *node = yaml_document_get_node(walk->doc, id);

	// A node that we made has no mark of its own: it stays at the line of what holds it.
	if (node->start_mark.line != 0 || id == ROOT)
		walk->line = (unsigned)node->start_mark.line + 1;
	if (schema->type == CYAML_MAPPING)
		return walk_mapping(walk, id, schema);
	if (schema->type == CYAML_SEQUENCE)
		return walk_sequence(walk, id, schema);
	return td_config_walk_scalar(walk, id, schema);
}

int td_config_shape(yaml_document_t *doc, struct td_config_problem *problem)
{
	struct td_config_walk walk = { .doc = doc, .problem = problem };

	return walk_value(&walk, ROOT, &td_config_schema);
}

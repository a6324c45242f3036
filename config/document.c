// Reading, writing and searching the node tree.
#include "config/document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Reads to the end, or until it is too much. 0, or -TD_EMEMORY.
static int read_all(FILE *file, char **text, size_t *bytes)
{
	size_t room = 0, have = 0;
	char *buffer = NULL, *bigger;

	do {
		room = room ? room * 2 : 16384;
		bigger = realloc(buffer, room + 1);
		if (!bigger) {
			free(buffer);
			return -TD_EMEMORY;
		}
		buffer = bigger;
		have += fread(buffer + have, 1, room - have, file);
	} while (have == room && have <= TD_CONFIG_FILE_MAX);
	*text = buffer;
	*bytes = have;
	return 0;
}

int td_document_read(struct td_config_problem *problem, char **text, size_t *bytes)
{
	FILE *file = fopen(problem->file, "rb");
	int rc;

	if (!file)
		return td_config_problem(problem, 0, "file", strerror(errno), "a readable file");
	rc = read_all(file, text, bytes);
	if (rc == 0 && ferror(file))
		rc = td_config_problem(problem, 0, "file", strerror(errno), "a readable file");
	else if (rc == 0 && *bytes > TD_CONFIG_FILE_MAX)
		rc = td_config_problem(problem, 0, "file", "more than 16 MiB", "at most 16 MiB");
	fclose(file);
	if (rc != 0) {
		free(*text);
		*text = NULL;
	}
	return rc;
}

// A reader error (bad UTF-8) has an offset but no mark.
static unsigned line_of_offset(const char *text, size_t bytes, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < bytes && i < offset; i++)
		line += text[i] == '\n';
	return line;
}

static int syntax_problem(struct td_config_problem *problem, const yaml_parser_t *parser,
			  const char *text, size_t bytes)
{
	static const char found[] = "found ", expected[] = "did not find expected ";
	const char *what = parser->problem ? parser->problem : "not enough memory";
	unsigned line = (unsigned)parser->problem_mark.line + 1;
	char note[TD_CONFIG_FOUND_MAX];

	if (parser->error == YAML_READER_ERROR)
		line = line_of_offset(text, bytes, parser->problem_offset);
	if (strncmp(what, expected, strlen(expected)) == 0)
		return td_config_problem(problem, line, "syntax", "something else", "%s",
					 what + strlen(expected));
	if (strncmp(what, found, strlen(found)) == 0)
		return td_config_problem(problem, line, "syntax", what + strlen(found),
					 "valid YAML");
	snprintf(note, sizeof note, "an error (%s)", what);
	return td_config_problem(problem, line, "syntax", note, "valid YAML");
}

// Loads the document and makes sure that no second one follows.
static int load(yaml_parser_t *parser, yaml_document_t *doc, struct td_config_problem *problem,
		const char *text, size_t bytes)
{
	yaml_document_t next;
	yaml_node_t *root;
	int rc = 0;

	if (!yaml_parser_load(parser, doc))
		return syntax_problem(problem, parser, text, bytes);
	root = yaml_document_get_root_node(doc);
	if (!root || root->type != YAML_MAPPING_NODE) {
		rc = td_config_problem(problem, 1, "file", root ? "no sections" : "nothing",
				       "sections such as \"sip:\"");
	} else if (!yaml_parser_load(parser, &next)) {
		rc = syntax_problem(problem, parser, text, bytes);
	} else {
		if (yaml_document_get_root_node(&next))
			rc = td_config_problem(problem, (unsigned)next.start_mark.line + 1, "file",
					       "a second document", "one document");
		yaml_document_delete(&next);
	}
	if (rc != 0)
		yaml_document_delete(doc);
	return rc;
}

int td_document_open(yaml_document_t *doc, struct td_config_problem *problem, const char *text,
		     size_t bytes)
{
	yaml_parser_t parser;
	int rc;

	if (!yaml_parser_initialize(&parser))
		return -TD_EMEMORY;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, bytes);
	rc = load(&parser, doc, problem, text, bytes);
	yaml_parser_delete(&parser);
	return rc;
}

void td_document_close(yaml_document_t *doc)
{
	yaml_document_delete(doc);
}

int td_document_dump(yaml_document_t *doc, char **text, size_t *bytes)
{
	yaml_emitter_t emitter;
	FILE *memory = open_memstream(text, bytes);
	int ok;

	if (!memory || !yaml_emitter_initialize(&emitter)) {
		yaml_document_delete(doc);
		if (memory) {
			fclose(memory);
			free(*text);
		}
		return -TD_EMEMORY;
	}
	yaml_emitter_set_output_file(&emitter, memory);
	yaml_emitter_set_unicode(&emitter, 1);
	yaml_emitter_set_width(&emitter, -1);
	// Dumping deletes the document, also when it fails.
	ok = yaml_emitter_open(&emitter) && yaml_emitter_dump(&emitter, doc) &&
	     yaml_emitter_close(&emitter) && yaml_emitter_flush(&emitter);
	yaml_emitter_delete(&emitter);
	if (fclose(memory) == 0 && ok)
		return 0;
	free(*text);
	return -TD_EMEMORY;
}

int td_document_find(yaml_document_t *doc, int mapping, const char *key)
{
	yaml_node_t *node = yaml_document_get_node(doc, mapping);

	if (!node || node->type != YAML_MAPPING_NODE)
		return 0;
	for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *name = yaml_document_get_node(doc, pair->key);

		if (name && name->type == YAML_SCALAR_NODE &&
		    strcmp((const char *)name->data.scalar.value, key) == 0)
			return pair->value;
	}
	return 0;
}

static int item(yaml_document_t *doc, int sequence, unsigned long index)
{
	yaml_node_t *node = yaml_document_get_node(doc, sequence);

	if (!node || node->type != YAML_SEQUENCE_NODE ||
	    index >= (unsigned long)(node->data.sequence.items.top -
				     node->data.sequence.items.start))
		return 0;
	return node->data.sequence.items.start[index];
}

unsigned td_document_line(yaml_document_t *doc, const char *path)
{
	int at = 1, next = 1; // the root is node 1
	yaml_node_t *node;

	while (*path && next) {
		char key[64];
		size_t length = strcspn(path, ".[");

		if (*path == '[') {
			char *end;

			next = item(doc, at, strtoul(path + 1, &end, 10));
			path = *end ? end + 1 : end;
		} else {
			snprintf(key, sizeof key, "%.*s", (int)length, path);
			next = td_document_find(doc, at, key);
			path += length;
		}
		path += *path == '.';
		at = next ? next : at;
	}
	node = yaml_document_get_node(doc, at);
	return node ? (unsigned)node->start_mark.line + 1 : 1;
}

// The config file as libyaml's tree of nodes, each of which knows its line.
//
// libcyaml fills structs but forgets where things stood; this tree remembers. It is read twice:
// once to check the shape and add defaults (shape.c), after which it is written out for libcyaml,
// and once more, untouched, to find the line of a key whose *meaning* is wrong (check_*.c).
//
// Memory: open allocates, close frees; dump consumes the document and gives the text.
#pragma once

#include <stddef.h>
#include <yaml.h>

#include "config/problem.h"

#define TD_CONFIG_FILE_MAX (16u << 20) // bytes of a config file

// Reads the whole file; *text is the caller's to free.
TD_MUST_CHECK int td_document_read(struct td_config_problem *problem, char **text, size_t *bytes);

// Parses one YAML document whose root is a mapping. A syntax error is said with its line.
TD_MUST_CHECK int td_document_open(yaml_document_t *doc, struct td_config_problem *problem,
				   const char *text, size_t bytes);
void td_document_close(yaml_document_t *doc);

// Writes the document out as YAML and closes it, whatever the outcome. *text is the caller's.
TD_MUST_CHECK int td_document_dump(yaml_document_t *doc, char **text, size_t *bytes);

// The value of `key` in a mapping node, 0 when it is not there. Node ids count from 1.
int td_document_find(yaml_document_t *doc, int mapping, const char *key);

// Line (from 1) of "queues[1].greeting"; of the nearest thing above it that the file does have.
unsigned td_document_line(yaml_document_t *doc, const char *path);

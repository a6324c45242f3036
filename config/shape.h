// Walks the node tree against the schema and the rules: is every key known, there once, of the
// right type and in its range? Then adds what is missing and has a default.
//
//   invariant afterwards: libcyaml can load the document, and every number is in range
//
// The order is the file's, so the first error reported is the first in the file, except for keys
// that are missing: those are reported at the line of the mapping that lacks them.
#pragma once

#include "config/document.h"

// Checks and completes the document. 0, -TD_EINVALID with the sentence, or -TD_EMEMORY.
TD_MUST_CHECK int td_config_shape(yaml_document_t *doc, struct td_config_problem *problem);

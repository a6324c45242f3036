// What the values mean together: addresses parse, names exist and are unique, ranges fit.
//
// Runs after libcyaml has filled the structs. Each check is a function of the loaded config that
// also fills in what is derived (parsed addresses, a queue's skill); lines come from the untouched
// document. The first error ends it.
#pragma once

#include "config/document.h"

struct td_config_check {
	struct td_config *config;
	yaml_document_t *doc; // the file as written, for line numbers
	struct td_config_problem *problem;
};

// 0, -TD_EINVALID with the sentence, or -TD_EMEMORY.
TD_MUST_CHECK int td_config_check_meaning(struct td_config_check *check);

// check_net.c: everything with an address in it, and the port range.
TD_MUST_CHECK int td_config_check_dataplane(struct td_config_check *check);
TD_MUST_CHECK int td_config_check_listeners(struct td_config_check *check);
TD_MUST_CHECK int td_config_check_trunks(struct td_config_check *check);

// check_codecs.c: lists of codecs and of SRTP suites, packet lengths, Opus. After the trunks' and agents' own checks.
TD_MUST_CHECK int td_config_check_codecs(struct td_config_check *check);

// check_forks.c: a fork goes to one place, which it can be reached at.
TD_MUST_CHECK int td_config_check_forks(struct td_config_check *check);

// check_names.c: names that must be unique, well-formed, or exist.
TD_MUST_CHECK int td_config_check_names(struct td_config_check *check);

// check_recording.c: tenants, beeps and the names of files.
TD_MUST_CHECK int td_config_check_recording(struct td_config_check *check);

// Says that `key` (a printf format) has a wrong value.
int td_config_wrong(struct td_config_check *check, const char *found, const char *expected,
		    const char *key, ...) __attribute__((format(printf, 4, 5)));

// `found` for texts; the buffer is the caller's.
#define TD_FOUND(text) td_config_quote((text), (char[TD_CONFIG_FOUND_MAX]){ 0 })

// tandemctl's command line: where to connect, with which token, and how to print.
//
//   token:   --token, else $TANDEM_TOKEN, else api.token of --config FILE
//   address: --address, else api.listen of --config FILE, else 127.0.0.1:5048
//
// Memory: texts point into argv, the environment or the loaded config, which options own.
#pragma once

#include <stdbool.h>

#include "config/config.h"

struct td_options {
	const char *token, *address;
	bool json;        // results as the API gave them, one object a line
	int64_t since;    // events: resume after this one; -1: from now on
	uint32_t seconds; // capture: for so long; 0: not given
	const char *file; // capture: into this one; NULL: under its own name
	struct td_config *config;
	char **words; // the command and its arguments
	int word_count;
};

// Reads the command line. 0: go on; 1: --help or --version has been printed, all is well; 2: a
// sentence has been printed to stderr.
int td_options_read(struct td_options *options, int argc, char **argv);
void td_options_free(struct td_options *options);

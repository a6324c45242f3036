// The command line that both processes share: --config FILE, --check, --help, --version.
//
//   td_program_start -> go on with a loaded config, or leave with an exit status
//
// What is asked for is printed here (usage, version, "the config is good", or what is wrong with the
// config); the log level is set from the config. Before any thread is made.
#pragma once

#include <stdbool.h>

#include "config/config.h"

#define TD_EXIT_FAILED 1
#define TD_EXIT_USAGE  2

struct td_program {
	const char *name;  // "tandem-control"
	const char *usage; // what --help prints
};

// True: go on with *config, which the caller frees. False: leave with *status, all is said.
bool td_program_start(const struct td_program *program, int argc, char **argv,
		      struct td_config **config, int *status);

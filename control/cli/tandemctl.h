// The commands of tandemctl as a table: what each is called, asks for and prints.
//
// Two rows may share a name and differ in how many arguments they take. A command that is more than
// one question and one answer (events, watch) has a function of its own.
#pragma once

#include <stdio.h>

#include "cli/connection.h"
#include "cli/options.h"

struct td_ctl_command {
	const char *name;
	const char *arguments; // for --help
	int least, most;       // how many
	const char *help;
	const char *method;
	json_t *(*params)(char **arguments, int count); // NULL: none
	void (*show)(FILE *out, const json_t *result);
	enum td_outcome (*run)(const struct td_options *options); // instead of asking once
};

// The row for this name and number of arguments; NULL after a sentence on stderr.
const struct td_ctl_command *td_command_find(const char *name, int count);

// Names, arguments and help of every command.
void td_commands_print(FILE *out);

// Connects as the options say; a sentence on stderr when that fails.
enum td_outcome td_command_connect(const struct td_options *options,
				   struct td_connection **connection);

enum td_outcome td_run_events(const struct td_options *options); // events.c
enum td_outcome td_run_watch(const struct td_options *options);  // watch.c

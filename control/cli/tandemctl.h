// The commands of tandemctl as a table: what each is called, asks for and prints.
//
// Two rows may share a name and differ in how many arguments they take; a name may be two words. A
// command that is more than one question and one answer (events, watch) has a function of its own.
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
	// How the arguments become parameters: names in their order, with "#" behind one that is a
	// number, "?" behind one that is on or off, "+" behind the last, which takes all that are left.
	// NULL: `params` does it.
	const char *fields;
	json_t *(*params)(char **arguments, int count); // NULL and no fields: none
	void (*show)(FILE *out, const json_t *result);
	enum td_outcome (*run)(const struct td_options *options); // instead of asking once
};

#define TD_CTL_MANY 32 // arguments, of one that takes a list

// The row for these words, the name's being *used; NULL after a sentence on stderr.
const struct td_ctl_command *td_command_find(char **words, int count, int *used);
// The parameters of a command with fields.
json_t *td_command_fields(const char *fields, char **arguments, int count);

// Names, arguments and help of every command.
void td_commands_print(FILE *out);

// Connects as the options say; a sentence on stderr when that fails.
enum td_outcome td_command_connect(const struct td_options *options,
				   struct td_connection **connection);

enum td_outcome td_run_capture(const struct td_options *options); // capture.c
enum td_outcome td_run_events(const struct td_options *options);  // events.c
enum td_outcome td_run_watch(const struct td_options *options);   // watch.c

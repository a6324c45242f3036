// tandemctl: the operator's end of the control API.
#include "cli/tandemctl.h"

#include <stdio.h>
#include <string.h>

static enum td_outcome ask_once(const struct td_options *options,
				const struct td_ctl_command *command, int used)
{
	char **arguments = options->words + used, error[TD_CONNECTION_ERROR_MAX];
	int count = options->word_count - used;
	const char *method = command->method ? command->method : arguments[0];
	json_t *params = command->params ? command->params(arguments, count) : NULL, *result = NULL;
	struct td_connection *connection = NULL;
	enum td_outcome outcome;

	if (command->fields)
		params = td_command_fields(command->fields, arguments, count);
	if (!command->method && count > 1 && !params) {
		fputs("tandemctl: the parameters are not a JSON object\n", stderr);
		return TD_OUTCOME_USAGE;
	}
	outcome = td_command_connect(options, &connection);
	if (outcome != TD_OUTCOME_OK) {
		json_decref(params);
		return outcome;
	}
	outcome = td_connection_ask(connection, method, params, &result, error);
	if (outcome != TD_OUTCOME_OK)
		fprintf(stderr, "tandemctl: %s\n", error);
	else if (options->json)
		json_dumpf(result, stdout, JSON_COMPACT);
	else
		command->show(stdout, result);
	if (outcome == TD_OUTCOME_OK && options->json)
		fputs("\n", stdout);
	json_decref(result);
	td_connection_close(connection);
	return outcome;
}

int main(int argc, char **argv)
{
	const struct td_ctl_command *command;
	struct td_options options;
	enum td_outcome outcome = TD_OUTCOME_USAGE;
	int used, rc = td_options_read(&options, argc, argv);

	if (rc == 0) {
		command = td_command_find(options.words, options.word_count, &used);
		if (command)
			outcome = command->run ? command->run(&options)
					       : ask_once(&options, command, used);
	} else if (rc == 1) {
		outcome = TD_OUTCOME_OK;
	}
	td_options_free(&options);
	// A full disk under `tandemctl ... > file` is not a success.
	if (fflush(stdout) != 0 && outcome == TD_OUTCOME_OK)
		outcome = TD_OUTCOME_UNREACHABLE;
	return (int)outcome;
}

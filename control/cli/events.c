// `tandemctl events`: one line an event, until ctrl-C or until the other side is gone.
#include <signal.h>
#include <stdio.h>

#include "cli/show.h"
#include "cli/tandemctl.h"

#define WAIT_MS 60000

static volatile sig_atomic_t stopping;

static void on_signal(int signal)
{
	(void)signal;
	stopping = 1;
}

static void print_event(const struct td_options *options, const json_t *event)
{
	if (!options->json) {
		td_show_event(stdout, event);
		return;
	}
	json_dumpf(event, stdout, JSON_COMPACT);
	fputs("\n", stdout);
	fflush(stdout);
}

static enum td_outcome follow(const struct td_options *options, struct td_connection *connection)
{
	char error[TD_CONNECTION_ERROR_MAX];
	enum td_outcome outcome;
	json_t *result = NULL, *event;
	json_t *params =
		options->since < 0 ? NULL : json_pack("{s:I}", "since", (json_int_t)options->since);

	outcome = td_connection_ask(connection, "events.subscribe", params, &result, error);
	json_decref(result);
	while (outcome == TD_OUTCOME_OK && !stopping && !ferror(stdout)) {
		outcome = td_connection_event(connection, WAIT_MS, &event, error);
		if (event)
			print_event(options, event);
		json_decref(event);
	}
	if (outcome != TD_OUTCOME_OK)
		fprintf(stderr, "tandemctl: %s\n", error);
	return outcome;
}

enum td_outcome td_run_events(const struct td_options *options)
{
	struct sigaction action = { .sa_handler = on_signal }; // no SA_RESTART: it ends the wait
	struct td_connection *connection;
	enum td_outcome outcome = td_command_connect(options, &connection);

	if (outcome != TD_OUTCOME_OK)
		return outcome;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	outcome = follow(options, connection);
	td_connection_close(connection);
	return outcome;
}

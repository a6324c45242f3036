// The table of commands.
#include <string.h>

#include "cli/show.h"
#include "cli/tandemctl.h"

static json_t *by_id(char **arguments, int count)
{
	(void)count;
	return json_pack("{s:s}", "id", arguments[0]);
}

static json_t *by_name(char **arguments, int count)
{
	(void)count;
	return json_pack("{s:s}", "name", arguments[0]);
}

// A stream's number; what is no number goes as text, and the API says what it expects.
static json_t *by_number(char **arguments, int count)
{
	json_t *id = json_loads(arguments[0], JSON_DECODE_ANY, NULL);

	(void)count;
	return json_pack("{s:o}", "id", id ? id : json_string(arguments[0]));
}

static json_t *agent_state(char **arguments, int count)
{
	return json_pack("{s:s, s:s, s:s*}", "id", arguments[0], "state", arguments[1], "reason",
			 count > 2 ? arguments[2] : NULL);
}

static json_t *filtered_by_queue(char **arguments, int count)
{
	return count > 0 ? json_pack("{s:s}", "queue", arguments[0]) : NULL;
}

static json_t *raw_params(char **arguments, int count)
{
	return count > 1 ? json_loads(arguments[1], 0, NULL) : NULL;
}

static const struct td_ctl_command commands[] = {
	{ "status", "", 0, 0, "how the switch is", "system.status", NULL, td_show_status, NULL },
	{ "calls", "[QUEUE]", 0, 1, "calls that are up", "call.list", filtered_by_queue,
	  td_show_calls, NULL },
	{ "call", "ID", 1, 1, "one call with its legs", "call.get", by_id, td_show_call, NULL },
	{ "hangup", "ID", 1, 1, "end a call for both parties", "call.hangup", by_id, td_show_hangup,
	  NULL },
	{ "queues", "", 0, 0, "queues and their figures", "queue.list", NULL, td_show_queues,
	  NULL },
	{ "queue", "NAME", 1, 1, "one queue and who waits in it", "queue.get", by_name,
	  td_show_queue, NULL },
	{ "agents", "[QUEUE]", 0, 1, "agents and their states", "agent.list", filtered_by_queue,
	  td_show_agents, NULL },
	{ "agent", "ID", 1, 1, "one agent", "agent.get", by_id, td_show_agent, NULL },
	{ "agent", "ID available|logged-in|logged-out|paused [REASON]", 2, 3,
	  "change an agent's state", "agent.set_state", agent_state, td_show_agent, NULL },
	{ "stream", "ID", 1, 1, "live counters of one media stream", "stream.get", by_number,
	  td_show_stream, NULL },
	{ "workers", "", 0, 0, "dataplane workers, their load and drops", "worker.list", NULL,
	  td_show_workers, NULL },
	{ "trunks", "", 0, 0, "trunks and whether they answer", "trunk.list", NULL, td_show_trunks,
	  NULL },
	{ "events", "", 0, 0, "what happens, as it happens, until ctrl-C", NULL, NULL, NULL,
	  td_run_events },
	{ "watch", "", 0, 0, "a live screen; q ends it", NULL, NULL, NULL, td_run_watch },
	{ "methods", "", 0, 0, "what the API can do", "rpc.methods", NULL, td_show_methods, NULL },
	{ "rpc", "METHOD [PARAMS]", 1, 2, "any method, with JSON parameters", NULL, raw_params,
	  td_show_json, NULL },
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

const struct td_ctl_command *td_command_find(const char *name, int count)
{
	const struct td_ctl_command *same_name = NULL;

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) != 0)
			continue;
		same_name = &commands[i];
		if (count >= commands[i].least && count <= commands[i].most)
			return same_name;
	}
	if (same_name)
		fprintf(stderr, "tandemctl: usage: tandemctl %s%s%s\n", name,
			*same_name->arguments ? " " : "", same_name->arguments);
	else
		fprintf(stderr, "tandemctl: there is no command \"%s\"; see tandemctl --help\n",
			name);
	return NULL;
}

void td_commands_print(FILE *out)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		char usage[64];

		snprintf(usage, sizeof usage, "%s %s", commands[i].name, commands[i].arguments);
		if (strlen(usage) > 18)
			fprintf(out, "  %s\n  %-18s %s\n", usage, "", commands[i].help);
		else
			fprintf(out, "  %-18s %s\n", usage, commands[i].help);
	}
}

enum td_outcome td_command_connect(const struct td_options *options,
				   struct td_connection **connection)
{
	char error[TD_CONNECTION_ERROR_MAX];
	enum td_outcome outcome;

	if (!options->token || !*options->token) {
		fputs("tandemctl: no token: set TANDEM_TOKEN, or give --token or --config FILE\n",
		      stderr);
		return TD_OUTCOME_DENIED;
	}
	outcome = td_connection_open(options->address, options->token, connection, error);
	if (outcome != TD_OUTCOME_OK)
		fprintf(stderr, "tandemctl: %s\n", error);
	return outcome;
}

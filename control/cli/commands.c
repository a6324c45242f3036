// The table of commands.
#include <string.h>

#include "cli/show.h"
#include "cli/tandemctl.h"

static json_t *filtered_by_queue(char **arguments, int count)
{
	return count > 0 ? json_pack("{s:s}", "queue", arguments[0]) : NULL;
}

static json_t *raw_params(char **arguments, int count)
{
	return count > 1 ? json_loads(arguments[1], 0, NULL) : NULL;
}

static json_t *edit_params(char **arguments, int count)
{
	json_t *context = json_loads(arguments[0], JSON_DECODE_ANY, NULL);
	json_t *gain = json_loads(arguments[3], JSON_DECODE_ANY, NULL);
	bool db = json_is_number(gain);

	(void)count;
	if (!db) {
		json_decref(gain);
		gain = json_string(arguments[3]);
	}
	return json_pack("{s:o, s:[{s:s, s:s, s:o}]}", "context",
			 context ? context : json_string(arguments[0]), "cells", "from",
			 arguments[1], "to", arguments[2], db ? "gain_db" : "gain", gain);
}

// One question whose arguments are named by `fields`.
#define ASK(name, arguments, least, most, help, method, fields, show)                              \
	{                                                                                          \
		name, arguments, least, most, help, method, fields, NULL, show, NULL               \
	}

static const struct td_ctl_command commands[] = {
	{ "status", "", 0, 0, "how the switch is", "system.status", NULL, NULL, td_show_status,
	  NULL },
	{ "calls", "[QUEUE]", 0, 1, "calls that are up", "call.list", NULL, filtered_by_queue,
	  td_show_calls, NULL },
	ASK("call", "ID", 1, 1, "one call with its legs", "call.get", "id", td_show_call),
	ASK("hangup", "ID", 1, 1, "end a call for both parties", "call.hangup", "id",
	    td_show_hangup),
	ASK("hold", "CALL [caller|agent]", 1, 2, "one party hears music, nobody hears it",
	    "call.hold", "id party", td_show_parties),
	ASK("unhold", "CALL [caller|agent]", 1, 2, "it is back", "call.unhold", "id party",
	    td_show_parties),
	ASK("monitor", "CALL AGENT", 2, 2, "call an agent in: hears all, is heard by none",
	    "call.monitor", "id agent", td_show_parties),
	ASK("whisper", "CALL AGENT", 2, 2, "... is heard by the call's agent only", "call.whisper",
	    "id agent", td_show_parties),
	ASK("coach", "CALL AGENT", 2, 2, "... the same, and hears both", "call.coach", "id agent",
	    td_show_parties),
	ASK("barge", "CALL AGENT", 2, 2, "... talks with both", "call.barge", "id agent",
	    td_show_parties),
	ASK("takeover", "CALL AGENT", 2, 2, "... takes the agent's place", "call.takeover",
	    "id agent", td_show_parties),
	ASK("release", "CALL AGENT", 2, 2, "let somebody go who was called in", "call.release",
	    "id agent", td_show_parties),
	ASK("consult", "CALL AGENT", 2, 2, "the agent asks another one; the caller hears music",
	    "call.consult", "id agent", td_show_parties),
	ASK("threeway", "CALL", 1, 1, "the caller joins them", "call.threeway", "id",
	    td_show_parties),
	ASK("complete", "CALL", 1, 1, "the consulted agent takes over", "call.complete", "id",
	    td_show_parties),
	ASK("mute", "CALL PARTY", 2, 2, "nobody hears it: caller, agent, or one called in",
	    "call.mute", "id party", td_show_parties),
	ASK("unmute", "CALL PARTY", 2, 2, "it is heard again", "call.unmute", "id party",
	    td_show_parties),
	ASK("deaf", "CALL PARTY", 2, 2, "it hears nothing", "call.deaf", "id party",
	    td_show_parties),
	ASK("undeaf", "CALL PARTY", 2, 2, "it hears again", "call.undeaf", "id party",
	    td_show_parties),
	ASK("volume", "CALL PARTY TALK_DB [HEAR_DB]", 3, 4, "how loud it is heard, and hears",
	    "call.volume", "id party talk_db# hear_db#", td_show_parties),
	ASK("announce", "CALL PARTY PROMPT...", 3, TD_CTL_MANY, "play prompts to it, or to all",
	    "call.announce", "id party prompts+", td_show_parties),
	ASK("fork", "CALL NAME [all|caller|agent] [all|caller|agent|none]", 2, 4,
	    "what they say goes to a fork of the config; who hears it", "fork.start",
	    "call name party heard_by", td_show_fork),
	ASK("forks", "", 0, 0, "live forks and captures, what they lost", "fork.list", NULL,
	    td_show_forks),
	ASK("unfork", "FORK", 1, 1, "end a fork or a capture", "fork.stop", "fork#", td_show_done),
	{ "capture", "CALL", 1, 1, "its packets into a pcap file: --seconds N, --file FILE", NULL,
	  NULL, NULL, NULL, td_run_capture },
	ASK("conferences", "", 0, 0, "conferences", "conference.list", NULL, td_show_conferences),
	ASK("conference create", "NAME [MEMBERS]", 1, 2, "make one", "conference.create",
	    "name members_max#", td_show_conference),
	ASK("conference destroy", "NAME", 1, 1, "hang up on all of it", "conference.destroy",
	    "name", td_show_conference),
	ASK("conference invite", "NAME AGENT [SEAT]", 2, 3,
	    "call an agent in, as member, moderator or listener", "conference.join",
	    "name agent seat", td_show_conference),
	ASK("conference join", "NAME CALL [both|caller]", 2, 3, "move a call's parties there",
	    "conference.join", "name call party", td_show_conference),
	ASK("conference leave", "NAME CALL", 2, 2, "and back", "conference.leave", "name call",
	    td_show_conference),
	ASK("conference kick", "NAME MEMBER", 2, 2, "hang up on one", "conference.kick",
	    "name member", td_show_conference),
	ASK("conference fork", "NAME FORK [all|none]", 2, 3,
	    "its mix goes to a fork of the config; who hears that one", "fork.start",
	    "conference name heard_by", td_show_fork),
	{ "conference capture", "NAME", 1, 1,
	  "its members' packets into a pcap file: --seconds N, --file FILE", NULL, NULL, NULL, NULL,
	  td_run_capture },
	ASK("conference mute", "NAME [MEMBER]", 1, 2, "one, or all but moderators",
	    "conference.mute", "name member", td_show_conference),
	ASK("conference unmute", "NAME [MEMBER]", 1, 2, "heard again", "conference.unmute",
	    "name member", td_show_conference),
	ASK("conference deaf", "NAME MEMBER", 2, 2, "it hears nothing", "conference.deaf",
	    "name member", td_show_conference),
	ASK("conference undeaf", "NAME MEMBER", 2, 2, "it hears again", "conference.undeaf",
	    "name member", td_show_conference),
	ASK("conference volume", "NAME MEMBER TALK_DB [HEAR_DB]", 3, 4,
	    "how loud it is heard, and hears", "conference.volume", "name member talk_db# hear_db#",
	    td_show_conference),
	ASK("conference seat", "NAME MEMBER member|moderator|listener", 3, 3, "what it may",
	    "conference.seat", "name member seat", td_show_conference),
	ASK("conference lecture", "NAME on|off", 2, 2, "only moderators talk, or all",
	    "conference.lecture", "name lecture?", td_show_conference),
	ASK("conference lock", "NAME", 1, 1, "nobody more comes in", "conference.lock", "name",
	    td_show_conference),
	ASK("conference unlock", "NAME", 1, 1, "others may come", "conference.unlock", "name",
	    td_show_conference),
	ASK("conference play", "NAME PROMPT...", 2, TD_CTL_MANY, "play prompts to all",
	    "conference.play", "name prompts+", td_show_conference),
	ASK("conference tell", "NAME MEMBER PROMPT...", 3, TD_CTL_MANY, "... to one member",
	    "conference.play", "name member prompts+", td_show_conference),
	ASK("conference", "NAME", 1, 1, "one conference and who is in it", "conference.get", "name",
	    td_show_conference),
	ASK("queues", "", 0, 0, "queues and their figures", "queue.list", NULL, td_show_queues),
	ASK("queue", "NAME", 1, 1, "one queue and who waits in it", "queue.get", "name",
	    td_show_queue),
	{ "agents", "[QUEUE]", 0, 1, "agents and their states", "agent.list", NULL,
	  filtered_by_queue, td_show_agents, NULL },
	ASK("agent", "ID", 1, 1, "one agent", "agent.get", "id", td_show_agent),
	ASK("agent", "ID available|logged-in|logged-out|paused [REASON]", 2, 3,
	    "change an agent's state", "agent.set_state", "id state reason", td_show_agent),
	ASK("contexts", "", 0, 0, "contexts of calls and conferences", "context.list", NULL,
	    td_show_contexts),
	ASK("context", "CONTEXT", 1, 1, "who is in one, how each hears, which gains are set",
	    "context.get", "context#", td_show_context),
	{ "edit", "CONTEXT FROM TO DB|off|follow", 4, 4,
	  "set a gain; ends are stream:N, player:N, floor", "context.edit", NULL, edit_params,
	  td_show_done, NULL },
	ASK("play", "CONTEXT PROMPT...", 2, TD_CTL_MANY, "make a player; give it gains by edit",
	    "context.play", "context# prompts+", td_show_player),
	ASK("stop", "PLAYER", 1, 1, "end it", "context.stop", "player#", td_show_done),
	ASK("pause", "PLAYER", 1, 1, "stop it for a while", "context.pause", "player#",
	    td_show_done),
	ASK("resume", "PLAYER", 1, 1, "go on", "context.resume", "player#", td_show_done),
	ASK("seek", "PLAYER MS", 2, 2, "go on somewhere else in the prompt", "context.seek",
	    "player# position_ms#", td_show_done),
	ASK("splice", "PLAYER PROMPT...", 2, TD_CTL_MANY, "play these now, then go on",
	    "context.splice", "player# prompts+", td_show_done),
	ASK("stream", "ID", 1, 1, "live counters of one media stream", "stream.get", "id#",
	    td_show_stream),
	ASK("digits", "STREAM DIGITS [auto|event|tone]", 2, 3, "send digits to its peer",
	    "stream.digits", "id# digits how", td_show_done),
	ASK("listen", "STREAM [dtmf|fax|progress|beep]...", 1, 5,
	    "what is listened for in it, told as events", "stream.tune", "id# detect+",
	    td_show_done),
	ASK("privacy", "CALL on|off [SECONDS]", 2, 3,
	    "nobody but its parties hears anything: card numbers", "call.privacy",
	    "id private? seconds#", td_show_parties),
	ASK("conference privacy", "NAME on|off [SECONDS]", 2, 3, "likewise, of a conference",
	    "conference.privacy", "name private? seconds#", td_show_conference),
	ASK("recordings", "[TENANT]", 0, 1, "recordings that are there", "recording.list", "tenant",
	    td_show_recordings),
	ASK("recording start", "CALL", 1, 1, "record it from now on", "recording.start", "call",
	    td_show_recording),
	ASK("recording stop", "CALL", 1, 1, "and no more", "recording.stop", "call",
	    td_show_recording),
	ASK("recording pause", "CALL [SECONDS]", 1, 2, "the time until resume is not in the file",
	    "recording.pause", "call seconds#", td_show_recording),
	ASK("recording mask", "CALL [SECONDS]", 1, 2, "... is silence in the file",
	    "recording.mask", "call seconds#", td_show_recording),
	ASK("recording resume", "CALL", 1, 1, "ends either", "recording.resume", "call",
	    td_show_recording),
	ASK("recording mark", "CALL NAME", 2, 2, "name this moment in the sidecar",
	    "recording.mark", "call name", td_show_recording),
	ASK("recording hold", "FILE on|off", 2, 2, "it is not deleted, whatever its age",
	    "recording.hold", "file hold?", td_show_json),
	ASK("conference record", "NAME", 1, 1, "record a conference, a track a member",
	    "recording.start", "conference", td_show_recording),
	ASK("conference unrecord", "NAME", 1, 1, "and no more", "recording.stop", "conference",
	    td_show_recording),
	ASK("workers", "", 0, 0, "dataplane workers, their load and drops", "worker.list", NULL,
	    td_show_workers),
	ASK("worker", "N", 1, 1, "one of them, and what each stage costs now", "worker.get",
	    "worker#", td_show_worker),
	ASK("ports", "", 0, 0, "network ports, and what their devices lose", "port.list", NULL,
	    td_show_ports),
	ASK("trunks", "", 0, 0, "trunks and whether they answer", "trunk.list", NULL,
	    td_show_trunks),
	{ "events", "", 0, 0, "what happens, as it happens, until ctrl-C", NULL, NULL, NULL, NULL,
	  td_run_events },
	{ "watch", "", 0, 0, "a live screen; q ends it", NULL, NULL, NULL, NULL, td_run_watch },
	ASK("methods", "", 0, 0, "what the API can do", "rpc.methods", NULL, td_show_methods),
	{ "rpc", "METHOD [PARAMS]", 1, 2, "any method, with JSON parameters", NULL, NULL,
	  raw_params, td_show_json, NULL },
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

// How many of the words are this row's name; 0: another one's.
static int names(const struct td_ctl_command *command, char **words, int count)
{
	size_t first = strcspn(command->name, " ");

	if (strlen(words[0]) != first || strncmp(command->name, words[0], first) != 0)
		return 0;
	if (command->name[first] == '\0')
		return 1;
	return count > 1 && strcmp(command->name + first + 1, words[1]) == 0 ? 2 : 0;
}

const struct td_ctl_command *td_command_find(char **words, int count, int *used)
{
	const struct td_ctl_command *same_name = NULL;

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		*used = names(&commands[i], words, count);
		if (*used == 0)
			continue;
		if (count - *used >= commands[i].least && count - *used <= commands[i].most)
			return &commands[i];
		// The longest name says best what was meant.
		if (!same_name || *used == 2)
			same_name = &commands[i];
	}
	if (same_name)
		fprintf(stderr, "tandemctl: usage: tandemctl %s%s%s\n", same_name->name,
			*same_name->arguments ? " " : "", same_name->arguments);
	else
		fprintf(stderr, "tandemctl: there is no command \"%s\"; see tandemctl --help\n",
			words[0]);
	return NULL;
}

void td_commands_print(FILE *out)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		char usage[96];

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

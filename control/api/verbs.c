// The table of verbs: what each is called, takes and means.
#include "api/verbs.h"

#include "api/gain.h"
#include "api/gate.h"

#define PAGE_MAX 1000

// X(name, min, max, help)
#define REQUIRED_TEXT(name, max, help)                                                             \
	{                                                                                          \
		name, TD_RPC_STRING, true, 1, max, NULL, help                                      \
	}
#define OPTIONAL_TEXT(name, max, help)                                                             \
	{                                                                                          \
		name, TD_RPC_STRING, false, 1, max, NULL, help                                     \
	}
#define PAGE                                                                                       \
	{ "offset", TD_RPC_INTEGER, false, 0, INT32_MAX, NULL, "how many to skip; default 0" },    \
	{                                                                                          \
		"limit", TD_RPC_INTEGER, false, 1, PAGE_MAX, NULL,                                 \
			"how many at most; default 1000"                                           \
	}
#define END                                                                                        \
	{                                                                                          \
		.name = NULL                                                                       \
	}

static const struct td_rpc_param auth_params[] = {
	{ "token", TD_RPC_STRING, true, 0, TD_GATE_TOKEN_MAX * 16, NULL,
	  "the api.token of the config" },
	END,
};

static const struct td_rpc_param call_list_params[] = {
	OPTIONAL_TEXT("queue", 63, "only calls of this queue"),
	PAGE,
	END,
};

static const struct td_rpc_param call_params[] = {
	REQUIRED_TEXT("id", 23, "a call's id, such as c42"),
	END,
};

static const struct td_rpc_param queue_params[] = {
	REQUIRED_TEXT("name", 63, "a queue's name"),
	END,
};

static const struct td_rpc_param agent_list_params[] = {
	OPTIONAL_TEXT("queue", 63, "only agents of this queue"),
	PAGE,
	END,
};

static const struct td_rpc_param agent_params[] = {
	REQUIRED_TEXT("id", 63, "an agent's id"),
	END,
};

static const struct td_rpc_param agent_state_params[] = {
	REQUIRED_TEXT("id", 63, "an agent's id"),
	{ "state", TD_RPC_STRING, true, 0, 0, "logged-in logged-out available paused",
	  "what the agent shall be" },
	OPTIONAL_TEXT("reason", 63, "of a pause"),
	END,
};

static const struct td_rpc_param stream_params[] = {
	{ "id", TD_RPC_INTEGER, true, 1, UINT32_MAX, NULL,
	  "a stream's number, as a call's leg has it" },
	END,
};

static const struct td_rpc_param worker_params[] = {
	{ "worker", TD_RPC_INTEGER, true, 0, TD_WORKER_MAX - 1, NULL, "a worker's number, from 0" },
	END,
};

#define CALL_ID    REQUIRED_TEXT("id", 23, "a call's id, such as c42")
#define CALL_PARTY REQUIRED_TEXT("party", 63, "caller, agent, or the id of one who was called in")
#define CALL_AGENT REQUIRED_TEXT("agent", 63, "an agent's id")
#define HANDLE(name, help)                                                                         \
	{                                                                                          \
		name, TD_RPC_INTEGER, true, 1, UINT32_MAX, NULL, help                              \
	}
#define VOLUME(name, help)                                                                         \
	{                                                                                          \
		name, TD_RPC_NUMBER, false, TD_GAIN_DB_MIN, TD_GAIN_DB_MAX, NULL, help             \
	}
#define VOLUMES                                                                                    \
	VOLUME("talk_db", "how loud the others hear this one; -60: not at all"),                   \
		VOLUME("hear_db", "how loud this one hears; -60: nothing")
#define PROMPTS                                                                                    \
	{                                                                                          \
		"prompts", TD_RPC_STRINGS, true, 1, TD_PLAY_ITEM_MAX, NULL,                        \
			"names of prompts, played one after the other"                             \
	}
#define CONFERENCE    REQUIRED_TEXT("name", 63, "a conference's name")
#define MEMBER        REQUIRED_TEXT("member", 31, "a member's id, such as c42")
#define MEMBER_OR_ALL OPTIONAL_TEXT("member", 31, "a member's id, such as c42; default: all")
#define SEAT(required)                                                                             \
	{                                                                                          \
		"seat", TD_RPC_STRING, required, 0, 0, "member moderator listener",                \
			"what it may: a listener never talks, a moderator in lectures too"         \
	}

static const struct td_rpc_param call_agent_params[] = { CALL_ID, CALL_AGENT, END };
static const struct td_rpc_param call_party_params[] = { CALL_ID, CALL_PARTY, END };
static const struct td_rpc_param call_volume_params[] = { CALL_ID, CALL_PARTY, VOLUMES, END };

static const struct td_rpc_param call_hold_params[] = {
	CALL_ID,
	{ "party", TD_RPC_STRING, false, 0, 0, "caller agent", "who hears music; default caller" },
	END,
};

static const struct td_rpc_param call_announce_params[] = {
	CALL_ID,
	OPTIONAL_TEXT("party", 63, "who hears it, or all; default caller"),
	PROMPTS,
	END,
};

static const struct td_rpc_param conference_params[] = { CONFERENCE, END };
static const struct td_rpc_param conference_get_params[] = { CONFERENCE, PAGE, END };
static const struct td_rpc_param member_params[] = { CONFERENCE, MEMBER, END };
static const struct td_rpc_param member_or_all_params[] = { CONFERENCE, MEMBER_OR_ALL, END };
static const struct td_rpc_param member_volume_params[] = { CONFERENCE, MEMBER, VOLUMES, END };
static const struct td_rpc_param member_seat_params[] = { CONFERENCE, MEMBER, SEAT(true), END };
static const struct td_rpc_param conference_play_params[] = { CONFERENCE, MEMBER_OR_ALL, PROMPTS,
							      END };

static const struct td_rpc_param conference_create_params[] = {
	CONFERENCE,
	OPTIONAL_TEXT("music", 31, "a prompt for whoever is alone"),
	OPTIONAL_TEXT("entry", 31, "a prompt played when somebody comes"),
	OPTIONAL_TEXT("leave", 31, "a prompt played when somebody goes"),
	{ "members_max", TD_RPC_INTEGER, false, 2, TD_MEMBER_MAX - 8, NULL, "default 100" },
	{ "lecture", TD_RPC_BOOLEAN, false, 0, 0, NULL, "only moderators talk; default false" },
	END,
};

static const struct td_rpc_param conference_join_params[] = {
	CONFERENCE,
	OPTIONAL_TEXT("agent", 63, "an agent whose phone is called"),
	OPTIONAL_TEXT("call", 23, "or a call whose parties are moved here"),
	{ "party", TD_RPC_STRING, false, 0, 0, "both caller",
	  "who of the call; caller: the agent is let go; default both" },
	SEAT(false),
	END,
};

static const struct td_rpc_param conference_leave_params[] = {
	CONFERENCE,
	REQUIRED_TEXT("call", 23, "a call's id, such as c42"),
	END,
};

static const struct td_rpc_param conference_lecture_params[] = {
	CONFERENCE,
	{ "lecture", TD_RPC_BOOLEAN, true, 0, 0, NULL, "whether only moderators talk" },
	END,
};

#define CONTEXT HANDLE("context", "a context's number, as context.list has it")
#define PLAYER  HANDLE("player", "a player's number")

static const struct td_rpc_param page_params[] = { PAGE, END };
static const struct td_rpc_param context_params[] = { CONTEXT, PAGE, END };
static const struct td_rpc_param player_params[] = { PLAYER, END };
static const struct td_rpc_param splice_params[] = { PLAYER, PROMPTS, END };

static const struct td_rpc_param edit_params[] = {
	CONTEXT,
	{ "cells", TD_RPC_OBJECTS, true, 1, TD_EDIT_CELL_MAX, NULL,
	  "[{from, to, gain_db}, ...]; ends are stream:N, player:N, floor; or gain: off, follow" },
	END,
};

static const struct td_rpc_param play_params[] = {
	CONTEXT,
	PROMPTS,
	{ "loop", TD_RPC_BOOLEAN, false, 0, 0, NULL, "over and over; default once" },
	{ "offset_ms", TD_RPC_INTEGER, false, 0, 86400000, NULL, "where in the first one" },
	{ "stop_stream", TD_RPC_INTEGER, false, 1, UINT32_MAX, NULL, "whose digits end it" },
	OPTIONAL_TEXT("stop_digits", 16, "which digits end it"),
	END,
};

static const struct td_rpc_param seek_params[] = {
	PLAYER,
	{ "position_ms", TD_RPC_INTEGER, true, 0, 86400000, NULL, "in the prompt that plays" },
	END,
};

static const struct td_rpc_param tune_params[] = {
	HANDLE("id", "a stream's number"),
	{ "detect", TD_RPC_STRINGS, false, 0, 4, NULL, "of dtmf, fax, progress, beep" },
	{ "flags", TD_RPC_STRINGS, false, 0, 2, NULL, "of no-digits, convert" },
	END,
};

static const struct td_rpc_param digits_params[] = {
	HANDLE("id", "a stream's number"),
	REQUIRED_TEXT("digits", TD_DIGITS_MAX - 1, "0 to 9, * # and A to D"),
	{ "how", TD_RPC_STRING, false, 0, 0, "auto event tone", "default auto" },
	{ "duration_ms", TD_RPC_INTEGER, false, 40, 2000, NULL, "of each; default 100" },
	{ "gap_ms", TD_RPC_INTEGER, false, 40, 2000, NULL, "between them; default 100" },
	END,
};

#define FORK_OF                                                                                    \
	OPTIONAL_TEXT("call", 23, "of which call, such as c42"),                                   \
		OPTIONAL_TEXT("conference", 63, "or of which conference")

static const struct td_rpc_param fork_params[] = {
	HANDLE("fork", "a fork's number, as fork.list has it"),
	END,
};

static const struct td_rpc_param fork_start_params[] = {
	FORK_OF,
	REQUIRED_TEXT("name", TD_FORK_NAME_MAX - 1, "one of forks in the configuration"),
	{ "party", TD_RPC_STRING, false, 0, 0, "all caller agent",
	  "who of a call it hears; default all" },
	{ "heard_by", TD_RPC_STRING, false, 0, 0, "all caller agent none",
	  "who hears what it says; default all" },
	END,
};

static const struct td_rpc_param capture_start_params[] = {
	FORK_OF,
	{ "seconds", TD_RPC_INTEGER, false, 1, 600, NULL, "default 600, or until fork.stop" },
	END,
};

static const struct td_rpc_param capture_read_params[] = {
	REQUIRED_TEXT("file", TD_FORK_FILE_MAX - 1, "a capture's file, as fork.list has it"),
	{ "offset", TD_RPC_INTEGER, true, 0, INT32_MAX, NULL, "from where; bytes" },
	END,
};

#define RECORDING_OF                                                                               \
	OPTIONAL_TEXT("call", 23, "of which call, such as c42"),                                   \
		OPTIONAL_TEXT("conference", 63, "or of which conference")
#define SECONDS                                                                                    \
	{                                                                                          \
		"seconds", TD_RPC_INTEGER, false, 1, 3600, NULL,                                   \
			"ends by itself after so long; default: not"                               \
	}

static const struct td_rpc_param recording_params[] = { RECORDING_OF, END };
static const struct td_rpc_param recording_pause_params[] = { RECORDING_OF, SECONDS, END };

static const struct td_rpc_param recording_mark_params[] = {
	RECORDING_OF,
	REQUIRED_TEXT("name", TD_MARK_MAX - 1, "what the moment is called in the sidecar"),
	END,
};

static const struct td_rpc_param recording_list_params[] = {
	OPTIONAL_TEXT("tenant", 31, "only this tenant's"),
	OPTIONAL_TEXT("call", 23, "only of this call"),
	OPTIONAL_TEXT("queue", 63, "only of this queue"),
	OPTIONAL_TEXT("agent", 63, "only of this agent"),
	PAGE,
	END,
};

static const struct td_rpc_param recording_hold_params[] = {
	REQUIRED_TEXT("file", TD_FILE_NAME_MAX - 1, "its name, as recording.list has it"),
	{ "hold", TD_RPC_BOOLEAN, true, 0, 0, NULL, "whether it must not be deleted" },
	END,
};

#define PRIVATE                                                                                    \
	{                                                                                          \
		"private", TD_RPC_BOOLEAN, true, 0, 0, NULL,                                       \
			"whether nobody but the parties may hear anything"                         \
	}

static const struct td_rpc_param call_privacy_params[] = { CALL_ID, PRIVATE, SECONDS, END };
static const struct td_rpc_param conference_privacy_params[] = { CONFERENCE, PRIVATE, SECONDS,
								 END };

static const struct td_rpc_param subscribe_params[] = {
	{ "since", TD_RPC_INTEGER, false, 0, INT64_MAX, NULL,
	  "resume after this event; default: from now on" },
	END,
};

static const struct td_rpc_verb verbs[] = {
	{ "agent.get", td_verb_agent_get, agent_params, "one agent" },
	{ "agent.list", td_verb_agent_list, agent_list_params, "agents and their states" },
	{ "agent.set_state", td_verb_agent_set_state, agent_state_params,
	  "log an agent in or out, make available, pause" },
	{ "auth", td_verb_auth, auth_params, "the first request: prove who you are" },
	{ "call.announce", td_verb_call_announce, call_announce_params,
	  "play prompts to one party, or to all" },
	{ "call.barge", td_verb_call_barge, call_agent_params,
	  "call an agent in as a third party" },
	{ "call.coach", td_verb_call_coach, call_agent_params,
	  "call an agent in who hears both and whom the agent hears" },
	{ "call.complete", td_verb_call_complete, call_params,
	  "the consulted agent takes the call over" },
	{ "call.consult", td_verb_call_consult, call_agent_params,
	  "the agent talks to another one, the caller hears music" },
	{ "call.deaf", td_verb_call_deaf, call_party_params, "one party hears nothing" },
	{ "call.get", td_verb_call_get, call_params, "one call with its legs" },
	{ "call.hangup", td_verb_call_hangup, call_params, "end a call for both parties" },
	{ "call.hold", td_verb_call_hold, call_hold_params,
	  "one party hears music and nobody hears it" },
	{ "call.list", td_verb_call_list, call_list_params, "calls that are up" },
	{ "call.monitor", td_verb_call_monitor, call_agent_params,
	  "call an agent in who hears all and is heard by none" },
	{ "call.mute", td_verb_call_mute, call_party_params, "nobody hears one party" },
	{ "call.privacy", td_verb_call_privacy, call_privacy_params,
	  "nothing said reaches recordings, forks, captures, supervisors or events; or again" },
	{ "call.release", td_verb_call_release, call_agent_params,
	  "let somebody go who was called in" },
	{ "call.takeover", td_verb_call_takeover, call_agent_params,
	  "one who was called in takes the agent's place" },
	{ "call.threeway", td_verb_call_threeway, call_params,
	  "the caller joins the consultation" },
	{ "call.undeaf", td_verb_call_undeaf, call_party_params, "it hears again" },
	{ "call.unhold", td_verb_call_unhold, call_hold_params, "it is back in the conversation" },
	{ "call.unmute", td_verb_call_unmute, call_party_params, "it is heard again" },
	{ "call.volume", td_verb_call_volume, call_volume_params,
	  "how loud one party is heard, and hears" },
	{ "call.whisper", td_verb_call_whisper, call_agent_params,
	  "call an agent in whom only the agent hears" },
	{ "capture.read", td_verb_capture_read, capture_read_params,
	  "the next piece of a capture, base64; done when it is complete" },
	{ "capture.start", td_verb_capture_start, capture_start_params,
	  "a call's packets into a pcap file on the switch" },
	{ "conference.create", td_verb_conference_create, conference_create_params,
	  "make a conference" },
	{ "conference.deaf", td_verb_conference_deaf, member_params, "one member hears nothing" },
	{ "conference.destroy", td_verb_conference_destroy, conference_params,
	  "hang up on all its members; one of the config stays" },
	{ "conference.get", td_verb_conference_get, conference_get_params,
	  "one conference with its members" },
	{ "conference.join", td_verb_conference_join, conference_join_params,
	  "call an agent in, or move a call's parties here without losing a packet" },
	{ "conference.kick", td_verb_conference_kick, member_params, "hang up on one member" },
	{ "conference.leave", td_verb_conference_leave, conference_leave_params,
	  "the parties go back to their call; alone it ends" },
	{ "conference.lecture", td_verb_conference_lecture, conference_lecture_params,
	  "only moderators talk, or everybody" },
	{ "conference.list", td_verb_conference_list, NULL, "conferences" },
	{ "conference.lock", td_verb_conference_lock, conference_params, "nobody more comes in" },
	{ "conference.mute", td_verb_conference_mute, member_or_all_params,
	  "nobody hears one member, or all but moderators" },
	{ "conference.play", td_verb_conference_play, conference_play_params,
	  "play prompts to one member, or to all" },
	{ "conference.privacy", td_verb_conference_privacy, conference_privacy_params,
	  "nothing said reaches recordings, forks, captures or events; or again" },
	{ "conference.seat", td_verb_conference_seat, member_seat_params,
	  "make a member moderator, member or listener" },
	{ "conference.undeaf", td_verb_conference_undeaf, member_params, "it hears again" },
	{ "conference.unlock", td_verb_conference_unlock, conference_params, "others may come in" },
	{ "conference.unmute", td_verb_conference_unmute, member_or_all_params,
	  "one, or all, are heard again" },
	{ "conference.volume", td_verb_conference_volume, member_volume_params,
	  "how loud a member is heard, and hears" },
	{ "context.edit", td_verb_context_edit, edit_params,
	  "set gains of a context, all or none" },
	{ "context.get", td_verb_context_get, context_params,
	  "one context: members, players, gains" },
	{ "context.list", td_verb_context_list, page_params, "contexts of calls and conferences" },
	{ "context.pause", td_verb_context_pause, player_params, "a player stops for a while" },
	{ "context.play", td_verb_context_play, play_params,
	  "make a player; give it gains with context.edit" },
	{ "context.resume", td_verb_context_resume, player_params, "it goes on" },
	{ "context.seek", td_verb_context_seek, seek_params, "it goes on somewhere else" },
	{ "context.splice", td_verb_context_splice, splice_params,
	  "it plays these now, then goes on where it was" },
	{ "context.stop", td_verb_context_stop, player_params, "it ends and goes" },
	{ "events.subscribe", td_verb_events_subscribe, subscribe_params,
	  "numbered events from now on, or since one" },
	{ "events.unsubscribe", td_verb_events_unsubscribe, NULL, "no more events" },
	{ "fork.get", td_verb_fork_get, fork_params, "one live fork or capture" },
	{ "fork.list", td_verb_fork_list, NULL, "live forks and captures, and what they lost" },
	{ "fork.start", td_verb_fork_start, fork_start_params,
	  "what a call's parties say goes to a fork of the configuration" },
	{ "fork.stop", td_verb_fork_stop, fork_params, "end a fork or a capture" },
	{ "port.list", td_verb_port_list, NULL, "network ports, and what their devices lose" },
	{ "queue.get", td_verb_queue_get, queue_params, "one queue with its callers" },
	{ "queue.list", td_verb_queue_list, NULL, "queues and their statistics" },
	{ "recording.hold", td_verb_recording_hold, recording_hold_params,
	  "keep one whatever its age, or no more" },
	{ "recording.list", td_verb_recording_list, recording_list_params,
	  "recordings that are there, newest first, and the files of each" },
	{ "recording.mark", td_verb_recording_mark, recording_mark_params,
	  "name this moment in the sidecar" },
	{ "recording.mask", td_verb_recording_mask, recording_pause_params,
	  "silence in the file until resume" },
	{ "recording.pause", td_verb_recording_pause, recording_pause_params,
	  "the time until resume is not in the file" },
	{ "recording.resume", td_verb_recording_resume, recording_params, "end a pause or a mask" },
	{ "recording.start", td_verb_recording_start, recording_params,
	  "record a call or a conference from now on" },
	{ "recording.stop", td_verb_recording_stop, recording_params, "end its recording" },
	{ "rpc.methods", td_verb_rpc_methods, NULL, "this list" },
	{ "stream.digits", td_verb_stream_digits, digits_params, "send digits to its peer" },
	{ "stream.get", td_verb_stream_get, stream_params, "live counters of one media stream" },
	{ "stream.tune", td_verb_stream_tune, tune_params,
	  "what is listened for in it, what it is spared" },
	{ "system.status", td_verb_system_status, NULL, "how the whole switch is" },
	{ "trunk.list", td_verb_trunk_list, NULL, "trunks and whether they answer" },
	{ "worker.get", td_verb_worker_get, worker_params,
	  "one worker, and what its stages cost of late" },
	{ "worker.list", td_verb_worker_list, NULL, "dataplane workers, their load and drops" },
	{ .method = NULL },
};

static const struct td_rpc_verb first_verbs[] = {
	{ "auth", td_verb_auth, auth_params, "the first request: prove who you are" },
	{ .method = NULL },
};

const struct td_rpc_table td_api_verbs = { verbs, TD_RPC_METHOD,
					   "no such method; rpc.methods lists them" };
const struct td_rpc_table td_api_first_verbs = { first_verbs, TD_RPC_UNAUTHORIZED,
						 "send auth with the token first" };

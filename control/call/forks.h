// Live forks of calls and conferences as control sees them: begun by an operator, ended by one, by the
// far end or with the context they were begun in.
//
//   start --FORK_START--> (gains of who hears it) --> RUNNING --stop, far end gone--> STOPPING
//                                                        '---- FORK_CLOSED <-------------'
//
// One record a fork, config.dataplane.forks at most; full is -TD_EFULL. They are beside the media of
// a call and not in its wants: what an operator has begun is not begun again after a restart of the
// dataplane. A fork of a call hears its parties wherever they are, also while they are in a conference,
// for which the call's context stays; what its far end says they hear in the context it was begun in,
// also when they come back to it. Later parties by context.edit. A fork of a conference hears its
// mix, all that listen there hear what it says, and a capture takes the packets of all its members.
//
// Control thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "call/inspect.h"
#include "td_command.h"
#include "td_event.h"
#include "td_role.h"

struct td_call;
struct td_media;

enum td_fork_state { TD_FORK_STARTING, TD_FORK_RUNNING, TD_FORK_STOPPING };

#define TD_FORK_WHO_ALL "all"

struct td_fork_info {
	uint32_t id; // of the dataplane; 0: it has none yet
	enum td_fork_state state;
	bool capture;
	char name[TD_FORK_NAME_MAX]; // of the destination, "capture"
	char call[TD_CALL_ID_MAX];   // empty: of a conference
	char conference[TD_CALL_NAME_MAX];
	struct td_player_id player;
	uint64_t started_utc_ms;
	int result; // why the far end is gone, 0: it is not
	struct td_event_fork seen;
	char tracks[TD_FORK_STREAM_MAX][TD_FORK_TRACK_MAX];
};

const char *td_fork_state_name(enum td_fork_state state); // "running"

struct td_fork_wish {
	const char *call;       // NULL: of a conference
	const char *conference; // likewise of a call
	const char *name;       // NULL: a capture
	const char *party;      // of a call: "caller", "agent" or "all"; NULL: all
	const char *heard_by;   // likewise or "none"; of a conference "all" or "none"; NULL: all
	uint32_t seconds;       // of a capture
};

// `info` is the fork, as it was when it failed if error is not 0. Called once, later.
typedef void (*td_fork_started_fn)(void *user, int error, const struct td_fork_info *info);

// 0: `done` is called. -TD_ENOT_FOUND: no such call, conference or destination; -TD_EINVALID: not of a
// conference; -TD_ESTATE: nothing to hear there yet; -TD_EFULL; what the link says.
TD_MUST_CHECK int td_calls_fork_start(struct td_calls *calls, const struct td_fork_wish *wish,
				      td_fork_started_fn done, void *user) TD_CONTROL;
// -TD_ENOT_FOUND; stopped already is fine.
TD_MUST_CHECK int td_calls_fork_stop(struct td_calls *calls, uint32_t id) TD_CONTROL;
TD_MUST_CHECK int td_calls_fork_get(struct td_calls *calls, uint32_t id, struct td_fork_info *out)
	TD_CONTROL;
// By place, from 0; false behind the last one.
bool td_calls_fork_at(const struct td_calls *calls, uint32_t place, struct td_fork_info *out)
	TD_CONTROL;
// A capture that writes this file is under way.
bool td_calls_fork_writes(const struct td_calls *calls, const char *file) TD_CONTROL;

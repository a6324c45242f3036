// The forker thread: what calls say, to whoever the configuration lets listen while they say it.
//
//   main --open/close--> [ requests ] --> forker thread --report--> engine --> control
//   worker 0 fork ring --------------------------^ |
//   worker 1 fork ring ----------------------------+--> RTP, sockets (dialogue.h), captures
//
// It turns every TD_FORKER_TURN_MS while anything is forked. Nothing here waits for a far end: one
// that does not read loses frames of its own. The rings are drained in any case, so no fork can take
// another one's room for longer than a turn. Far ends are named by the configuration; a command that
// names another is refused. Forks are indexed by handle, at most `fork_max`. The engine calls close
// only after the last record of a fork is on its ring and its player has let go.
#pragma once

#include <stdint.h>

#include "media/live.h"
#include "media/tap.h"
#include "td_command.h"
#include "td_endpoint.h"
#include "td_error.h"
#include "td_event.h"
#include "td_role.h"

#define TD_FORKER_TURN_MS    5u
#define TD_FORKER_REASON_MAX 256

struct td_forker;

// Where a fork may go: one of `rtp` and `socket`.
struct td_forker_destination {
	const char *name;
	struct td_endpoint rtp; // family NONE: a socket
	const char *socket;     // path; the far end listens there
	uint32_t rate_hz;       // of a socket: 8000 or 16000
	bool speaks;            // of a socket
};

struct td_forker_options {
	const struct td_forker_destination *destinations; // borrowed
	uint32_t destination_count;
	const char *captures; // folder, made when the first capture begins
	uint32_t fork_max;
};

// Takes an event to the engine; -TD_EFULL: it is offered again a little later.
typedef int td_forker_report_fn(void *user, const struct td_event *event);

// -TD_EMEMORY.
TD_MUST_CHECK int td_forker_create(const struct td_forker_options *options, struct td_forker **out)
	TD_MAIN;
// Starts the thread on these rings; `report` runs on it.
TD_MUST_CHECK int td_forker_start(struct td_forker *forker, struct td_tap_ring **rings,
				  uint32_t ring_count, td_forker_report_fn *report, void *user)
	TD_MAIN;
// Ends every fork, joins the thread and frees everything.
void td_forker_destroy(struct td_forker *forker) TD_MAIN;

// Begins a fork; struct td_engine_forker says how. A far end that does not listen is found out here:
// -TD_EIO; -TD_EBUSY when it has too many waiting. -TD_ENOT_FOUND: no such destination; -TD_EINVALID:
// more tracks than it takes; -TD_EMEMORY.
TD_MUST_CHECK int td_forker_open(struct td_forker *forker, struct td_fork_id fork,
				 const struct td_command_fork_start *start, struct td_live **live)
	TD_MAIN;
void td_forker_close(struct td_forker *forker, struct td_fork_id fork) TD_MAIN;

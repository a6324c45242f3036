// The media of a call: what should be in the dataplane, what is, and the commands under way.
//
//   wanted (call.c, leg.c) --+
//                            +--> td_media_step --> next command --> td_link_submit
//   have (answers) ----------+         ^---------------- done ------------'
//
// There is no script of commands. Each step compares `wanted` with `have` and sends the one command
// that comes next; whatever happens meanwhile (a hangup, an answer, a failure) only changes
// `wanted`, so every interleaving ends the same way and nothing is left behind.
//
// Commands whose answers nobody has to wait for go out together: the dataplane executes a call's
// commands in order. One that makes something, or that others must not overtake, is waited for.
//
//   invariant: at most TD_MEDIA_REQUEST_MAX commands of a call are under way
//   invariant: idle = nothing under way, no context, no stream, no recording that is still open
//
// Order: recording stops, streams go, the context goes; else context, streams, remotes, player,
// matrix (old player off and new one on in one edit), the old player, recording.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "td_command.h"
#include "td_event.h"
#include "td_handle.h"
#include "td_limits.h"

struct td_call;
struct td_calls;
struct td_leg;

// A leg's part: one stream.
struct td_leg_media {
	bool wanted;
	bool failed;                // it could not be made: not tried again
	bool ending;                // its end is under way
	bool remote_known;          // agreed by SDP
	bool learn;                 // the peer may be behind NAT
	uint8_t family;             // enum td_family
	uint32_t remote_serial;     // counts what SDP has agreed...
	uint32_t remote_applied;    // ...and what the dataplane has been told
	struct td_stream_id stream; // v == 0: none
	struct td_endpoint local;
	uint32_t end_tries;
	bool has_stats;
	struct td_stream_stats stats; // final, from the stream's end
};

enum td_recording_state {
	TD_RECORDING_NONE,
	TD_RECORDING_RUNNING,
	TD_RECORDING_CLOSING, // stopped; the file is being finished
	TD_RECORDING_CLOSED,
	TD_RECORDING_REFUSED // it never began
};

#define TD_MEDIA_NO_PROMPT UINT32_MAX

struct td_media_player {
	struct td_player_id id; // v == 0: none, or it could not be made
	uint32_t prompt;        // TD_MEDIA_NO_PROMPT: no player
	bool loops;
};

// Matrix cells of a call, as bits. OLD is the player that is being replaced.
enum td_media_cell {
	TD_CELL_CALLER_AGENT = 0x01,
	TD_CELL_AGENT_CALLER = 0x02,
	TD_CELL_PLAYER_CALLER = 0x04,
	TD_CELL_PLAYER_AGENT = 0x08,
	TD_CELL_OLD_CALLER = 0x10,
	TD_CELL_OLD_AGENT = 0x20
};

#define TD_MEDIA_REQUEST_MAX 4
#define TD_MEDIA_RETRY_MS    20 // after a table or ring on the way was full

// A command under way; the link hands it back with the answer.
struct td_media_request {
	struct td_call *call;
	struct td_leg *leg; // whose stream it is about, or NULL
	uint32_t kind;      // enum td_command_kind, 0: free
	uint32_t cells;     // MATRIX_EDIT: as they were before
};

struct td_media {
	// Wanted.
	bool context_wanted, record_wanted;
	uint32_t prompt_wanted; // TD_MEDIA_NO_PROMPT: silence
	bool prompt_loops;
	uint32_t cells_wanted; // enum td_media_cell without OLD
	// Have.
	struct td_context_id context;
	struct td_media_player players[2]; // [0] now, [1] on its way out
	bool old_ending;                   // the end of [1] is under way
	uint32_t cells;
	uint8_t recording; // enum td_recording_state
	bool recording_partial;
	struct td_tap_id tap;
	struct td_event_recording recorded; // once CLOSED
	char file[TD_FILE_NAME_MAX];
	// Under way.
	struct td_media_request requests[TD_MEDIA_REQUEST_MAX];
	uint32_t request_count;
	uint32_t end_tries;           // of the context, the old player, the recording
	struct td_call *context_next; // others with the same hash of their context
};

void td_media_init(struct td_media *media);
// Sends the commands that come next; posts CLEARED to an ending call that is idle.
void td_media_step(struct td_calls *calls, struct td_call *call);
bool td_media_idle(const struct td_call *call);
// A command about this leg's stream is under way.
bool td_media_leg_busy(const struct td_call *call, const struct td_leg *leg);
// The dataplane has gone, and everything in it: forgets what was there.
void td_media_lost(struct td_calls *calls, struct td_call *call);
// An unsolicited event (player end, recording).
void td_media_event(struct td_calls *calls, const struct td_event *event);

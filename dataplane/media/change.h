// Changes: main -> worker, and notes: worker -> main. The only way the two touch the same stream.
//
//   main   checks a command, compiles the plan, describes the outcome as one change, pushes it
//   worker copies it into its own structs between two turns, sends DONE, pushes a note if main has
//          to do something afterwards (free a handle, close a recording, look up a next hop)
//
// Both travel in td_ring slots in private memory, copied in and out, so nobody shares anything. A
// worker takes no change unless the notes it may cause have room.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "td_command.h"
#include "td_endpoint.h"
#include "td_handle.h"
#include "td_limits.h"

#define TD_CHANGE_SLOTS 1024 // changes under way to one worker
#define TD_NOTE_SLOTS   4096 // notes under way from one worker
#define TD_RELEASED_MAX 3

enum td_change_kind {
	TD_CHANGE_CONTEXT_CREATE,
	TD_CHANGE_CONTEXT_DESTROY,
	TD_CHANGE_CONTEXT_LEAVE,  // to another worker: TD_NOTE_LEFT follows
	TD_CHANGE_CONTEXT_ARRIVE, // from another worker
	TD_CHANGE_STREAM_LEAVE,   // object; likewise
	TD_CHANGE_STREAM_ARRIVE,
	TD_CHANGE_UNPARK, // what came in between is somebody's now
	TD_CHANGE_STREAM_CREATE,
	TD_CHANGE_STREAM_REMOTE,
	TD_CHANGE_STREAM_NEXT_HOP,
	TD_CHANGE_STREAM_TUNE,
	TD_CHANGE_STREAM_DIGITS,
	TD_CHANGE_STREAM_MOVE,
	TD_CHANGE_STREAM_DESTROY,
	TD_CHANGE_PLAYER_CREATE,
	TD_CHANGE_PLAYER_CONTROL,
	TD_CHANGE_PLAYER_DESTROY,
	TD_CHANGE_PLAN,
	TD_CHANGE_FORK_START,  // its part in its context: its player
	TD_CHANGE_FORK_STOP,   // TD_NOTE_FORK_STOPPED follows
	TD_CHANGE_FORK_ATTACH, // object: stream
	TD_CHANGE_FORK_DETACH, // likewise; TD_NOTE_FORK_DETACHED follows
	TD_CHANGE_TAP_ATTACH,  // object: stream
	TD_CHANGE_TAP_DETACH,  // likewise; TD_NOTE_TAP_DETACHED follows
	TD_CHANGE_CONTEXT_PRIVACY,
	TD_CHANGE_KIND_COUNT
};

struct td_live;
struct td_plan;

struct td_change_stream {
	struct td_stream_id id;
	uint32_t ssrc, timestamp; // random, for ever and to begin with
	uint16_t sequence;
	uint64_t owner;
	uint16_t local_port_be;
	uint8_t local;  // index for net/local.h
	uint64_t cname; // random: RFC 7022, a name for this stream alone
	bool protected; // TD_STREAM_PROTECTED
};

struct td_change_remote {
	struct td_command_stream_set_remote set; // remote_rtcp filled in
	uint32_t next_hop;                       // TD_NEIGHBOUR_NONE: nowhere to send
	uint32_t rtcp_next_hop;
	uint32_t released[TD_RELEASED_MAX]; // next hops not used any more once this is applied
};

// A learned address has a next hop now.
struct td_change_next_hop {
	struct td_endpoint remote;
	uint32_t next_hop;
	uint32_t released;
};

// A sequence, in frames: see struct td_play_item.
struct td_sequence_item {
	uint32_t prompt, first, count;
};

struct td_change_player {
	struct td_player_id id;
	struct td_live *live; // instead of items
	uint32_t loop;
	uint32_t action, frame; // of PLAYER_CONTROL
	uint32_t stop_stream;   // index, UINT32_MAX: none
	uint16_t stop_digits;
	uint16_t item_count;
	struct td_sequence_item items[TD_PLAY_ITEM_MAX];
};

// `context` of the change is the one it leaves, `plan` what is left there.
struct td_change_move {
	struct td_context_id to;
	struct td_plan *plan; // of the one it comes to
};

struct td_change_tune {
	uint32_t flags; // TD_TUNE_*
};

struct td_change_digits {
	uint32_t as_tone;
	uint16_t duration_ms, gap_ms;
	char digits[TD_DIGITS_MAX];
};

struct td_change_tap {
	struct td_tap_id id;
	uint8_t track;
};

struct td_change_privacy {
	uint32_t on;
};

struct td_change_fork {
	struct td_fork_id id;
	struct td_player_id player;  // what the far end says; v == 0: nothing
	struct td_live *live;        // of that player
	struct td_change_stream ear; // what hears the floor for it; id.v == 0: nothing does
	uint8_t codec;               // that ear is coded for in
	bool keep_player;            // of FORK_STOP: player and ear go with the context
	bool capture;                // of ATTACH; of START and STOP: of all streams of the context
	uint8_t track;               // likewise
};

struct td_change {
	uint64_t request_id; // 0: nobody waits for a DONE
	uint32_t kind;       // enum td_change_kind
	uint32_t command;    // enum td_command_kind, for DONE
	struct td_context_id context;
	uint32_t object;      // stream index or player index, as the kind needs
	struct td_plan *plan; // the context's from now on; NULL: as it was
	union {
		struct td_change_stream stream;
		struct td_change_remote remote;
		struct td_change_next_hop next_hop;
		struct td_change_player player;
		struct td_change_tap tap;
		struct td_change_privacy privacy;
		struct td_change_tune tune;
		struct td_change_move move;
		struct td_change_digits digits;
		struct td_change_fork fork;
	} u;
};

enum td_note_kind {
	TD_NOTE_CONTEXT_GONE,  // handle: context
	TD_NOTE_STREAM_GONE,   // handle: stream
	TD_NOTE_PLAYER_GONE,   // handle: player
	TD_NOTE_TAP_DETACHED,  // handle: tap, object: stream; its last record has been pushed
	TD_NOTE_FORK_DETACHED, // handle: fork, object: stream; likewise
	TD_NOTE_FORK_STOPPED,  // handle: fork; its player has let go of it
	TD_NOTE_RELEASED,      // `released`: next hops the worker does not use any more
	TD_NOTE_LEARNED,       // handle: stream; `remote` is where it sends from
	TD_NOTE_PLAN,          // `plan` is not used any more
	TD_NOTE_LEFT           // what was to leave this worker has left it
};

struct td_note {
	uint32_t kind; // enum td_note_kind
	uint32_t handle;
	uint32_t object;
	struct td_endpoint remote;
	uint32_t released[TD_RELEASED_MAX]; // TD_NEIGHBOUR_NONE: no next hop
	struct td_plan *plan;
};

// Commands: control -> dataplane, fixed-size tagged unions on one ring.
//
// Each carries a request id and a deadline and is answered by exactly one TD_EVENT_DONE with the
// same request id (td_event.h). A command that names a dead handle, a full pool or an unknown
// prompt is answered with that error and has changed nothing. A command popped after its deadline
// is answered -TD_ETIMEOUT and not executed. The ring takes ownership whatever the outcome.
#pragma once

#include <stdalign.h>
#include <stdint.h>

#include "td_codec_id.h"
#include "td_endpoint.h"
#include "td_handle.h"
#include "td_limits.h"

enum td_command_kind {
	TD_COMMAND_NONE,
	TD_COMMAND_PING,              // answered at once
	TD_COMMAND_RESET,             // destroy every context: a fresh control process starts clean
	TD_COMMAND_CONTEXT_CREATE,    // -> context
	TD_COMMAND_CONTEXT_DESTROY,   // and all its members
	TD_COMMAND_STREAM_CREATE,     // -> stream, its local endpoint
	TD_COMMAND_STREAM_SET_REMOTE, // where to send, what to expect; opens the learning window
	TD_COMMAND_STREAM_DESTROY,    // -> final statistics
	TD_COMMAND_PLAYER_CREATE,     // -> player; TD_EVENT_PLAYER_END follows unless it loops
	TD_COMMAND_PLAYER_DESTROY,
	TD_COMMAND_MATRIX_EDIT,  // set some cells; all or nothing, effective at the next tick
	TD_COMMAND_RECORD_START, // -> tap; a stereo file: left and right hear one stream each
	TD_COMMAND_RECORD_STOP,  // TD_EVENT_RECORD_CLOSED follows when the file is complete
	TD_COMMAND_KIND_COUNT
};

enum td_member_kind { TD_MEMBER_NONE, TD_MEMBER_STREAM, TD_MEMBER_PLAYER };

struct td_member {
	uint32_t kind;   // enum td_member_kind
	uint32_t handle; // .v of a td_stream_id or td_player_id
};

#define TD_GAIN_UNITY 4096 // gains are Q12; 0 is silence

// gain[from][to]: how loud `to` hears `from`. A player can only be a `from`.
struct td_cell {
	struct td_member from, to;
	int32_t gain_q12;
};

struct td_command_stream_create {
	struct td_context_id context;
	uint32_t family; // enum td_family of the local address wanted
	uint64_t owner;  // opaque to the dataplane; shown in the mirror
	// Whom it will talk to, as far as known: of our addresses one on the same link is taken, else
	// one with a gateway. Family NONE: any. Ties go to the address with the most free ports.
	struct td_endpoint toward;
};

#define TD_REMOTE_LEARN    0x01u // the peer may be behind NAT: learn its source once, in the window
#define TD_REMOTE_RTCP_MUX 0x02u // RFC 5761

struct td_command_stream_set_remote {
	struct td_stream_id stream;
	struct td_endpoint remote;      // port 0: send nothing yet
	struct td_endpoint remote_rtcp; // port 0: remote's port + 1 (or the same with mux)
	uint32_t flags;                 // TD_REMOTE_*
	uint8_t codec;                  // enum td_codec_id, both directions
	uint8_t payload_type;           // what we send
	uint8_t payload_type_rx;        // what the peer sends (we chose it in our SDP)
	uint8_t event_payload_type;     // RFC 4733, or TD_PAYLOAD_TYPE_NONE
	uint8_t event_payload_type_rx;
	uint8_t ptime_ms; // of what the peer sends; players send 20 ms whatever it says
	uint8_t dscp;
	uint8_t reserved;
};

struct td_command_player_create {
	struct td_context_id context;
	uint32_t prompt; // index in the region's prompt table
	uint32_t offset_ms;
	uint32_t loop; // 0: once, then TD_EVENT_PLAYER_END; 1: until destroyed
};

struct td_command_matrix_edit {
	struct td_context_id context;
	uint32_t cell_count;
	struct td_cell cells[TD_EDIT_CELL_MAX];
};

struct td_command_record_start {
	struct td_context_id context;
	struct td_stream_id left, right; // what these parties *said* (their received RTP)
	uint64_t owner;
	char name[TD_FILE_NAME_MAX]; // relative, no "..", ends in ".wav"
};

struct td_command {
	alignas(8) uint64_t request_id; // never 0
	uint64_t deadline_ns;           // CLOCK_MONOTONIC
	uint32_t kind;                  // enum td_command_kind
	uint32_t reserved;
	union {
		struct td_context_id context_destroy;
		struct td_command_stream_create stream_create;
		struct td_command_stream_set_remote stream_set_remote;
		struct td_stream_id stream_destroy;
		struct td_command_player_create player_create;
		struct td_player_id player_destroy;
		struct td_command_matrix_edit matrix_edit;
		struct td_command_record_start record_start;
		struct td_tap_id record_stop;
		uint8_t bytes[296];
	} u;
};

_Static_assert(sizeof(struct td_command) == 320, "crosses the shared memory");

const char *td_command_name(uint32_t kind);

// Commands: control -> dataplane, fixed-size tagged unions on one ring.
//
// Each carries a request id and a deadline and is answered by exactly one TD_EVENT_DONE with the
// same request id (td_event.h). A command that names a dead handle, a full pool or an unknown
// prompt is answered with that error and has changed nothing. A command popped after its deadline
// is answered -TD_ETIMEOUT and not executed. The ring takes ownership whatever the outcome.
//
// What is made by one command can be used by those right behind it, before its answer has named it:
// STREAM_CREATE takes TD_HANDLE_LATEST for its context, SET_REMOTE for its stream. It means what the
// last CONTEXT_CREATE or STREAM_CREATE of this ring has made; if that was refused, nothing, and
// whoever says it is answered -TD_ESTALE. So a call's context, stream and remote are one exchange.
//
// SRTP's keys come with SET_REMOTE: everything that an answer says of a stream is one command, so a
// new address and new keys come into force between the same two packets, and it can be repeated as
// often as control likes. Each direction is its own: `srtp_rx` opens what the peer sends, `srtp_tx`
// seals what it is sent, TD_SRTP_NONE leaves a direction plain. Every SET_REMOTE says both again, a
// hold as well; the same key again goes on undisturbed, another one is a re-key, and rollover
// counters go on for as long as the stream lives. The dataplane wipes a command that it has taken.
#pragma once

#include <stdalign.h>
#include <stdint.h>

#include "td_codec_id.h"
#include "td_endpoint.h"
#include "td_handle.h"
#include "td_limits.h"
#include "td_srtp.h"

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
	TD_COMMAND_CONTEXT_MOVE, // to another worker; no packet is lost
	TD_COMMAND_STREAM_MOVE, // to another context, with its first cells there; no packet is lost
	TD_COMMAND_STREAM_TUNE, // what is listened for in it, what it is spared
	TD_COMMAND_STREAM_DIGITS,   // sends digits to the peer
	TD_COMMAND_PLAYER_CONTROL,  // pause, resume, seek, splice, stop
	TD_COMMAND_RECORD_NOTE,     // a key and a text for the sidecar: call ids, parties
	TD_COMMAND_FORK_START,      // -> fork, and a player where it may speak
	TD_COMMAND_FORK_STOP,       // TD_EVENT_FORK_CLOSED follows when it is over
	TD_COMMAND_RECORD_ATTACH,   // a stream is heard by a recording, as one of its tracks
	TD_COMMAND_RECORD_DETACH,   // and no more; the recording goes on without it
	TD_COMMAND_RECORD_CONTROL,  // pause, mask, resume, mark
	TD_COMMAND_CONTEXT_PRIVACY, // nothing said in it reaches anybody but its parties
	TD_COMMAND_KIND_COUNT
};

// The floor stands for everybody who is on it: see struct td_cell.
enum td_member_kind { TD_MEMBER_NONE, TD_MEMBER_STREAM, TD_MEMBER_PLAYER, TD_MEMBER_FLOOR };

struct td_member {
	uint32_t kind;   // enum td_member_kind
	uint32_t handle; // .v of a td_stream_id or td_player_id; 0 of the floor
};

#define TD_GAIN_UNITY  4096  // gains are Q12; 0 is silence
#define TD_GAIN_MAX    32767 // nearly 8, +18 dB
#define TD_GAIN_FOLLOW (-1)  // no gain of its own: the floor's rule holds again

// gain[from][to]: how loud `to` hears `from`. A player can only be a `from`. With the floor as one
// end a single cell stands for a whole row or column:
//
//   {from, FLOOR}: talk[from]     {FLOOR, to}: hear[to]     both 0 to begin with
//
//   heard(from, to) = the cell's own gain, if one was ever set and is not TD_GAIN_FOLLOW;
//                     else talk[from] * hear[to], and 0 when from = to
struct td_cell {
	struct td_member from, to;
	int32_t gain_q12; // 0 to TD_GAIN_MAX, or TD_GAIN_FOLLOW
};

// Without keys for a direction nothing is accepted, or sent, in it: no plain packet ever. A stream
// without this is plain in a direction for which SET_REMOTE has no key.
#define TD_STREAM_PROTECTED 0x01u

struct td_command_stream_create {
	struct td_context_id context; // or TD_HANDLE_LATEST
	uint32_t family;              // enum td_family of the local address wanted
	uint64_t owner;               // opaque to the dataplane; shown in the mirror
	// Whom it will talk to, as far as known: of our addresses one on the same link is taken, else
	// one with a gateway. Family NONE: any. Ties go to the address with the most free ports.
	struct td_endpoint toward;
	uint32_t flags; // TD_STREAM_*
};

#define TD_REMOTE_LEARN        0x01u // the peer may be behind NAT: learn its source once, in the window
#define TD_REMOTE_RTCP_MUX     0x02u // RFC 5761
#define TD_REMOTE_RTCP_REDUCED 0x04u // RFC 5506: single RTCP packets may come, and go

struct td_command_stream_set_remote {
	struct td_stream_id stream;     // or TD_HANDLE_LATEST
	struct td_endpoint remote;      // port 0: send nothing yet
	struct td_endpoint remote_rtcp; // port 0: remote's port + 1 (or the same with mux)
	uint32_t flags;                 // TD_REMOTE_*
	uint8_t codec;                  // enum td_codec_id, both directions
	uint8_t payload_type;           // what we send
	uint8_t payload_type_rx;        // what the peer sends (we chose it in our SDP)
	uint8_t event_payload_type;     // RFC 4733, or TD_PAYLOAD_TYPE_NONE
	uint8_t event_payload_type_rx;
	uint8_t ptime_ms; // of the packets in both directions: 10 to 60
	uint8_t dscp;
	uint8_t cn_payload_type; // RFC 3389, or TD_PAYLOAD_TYPE_NONE
	uint8_t cn_payload_type_rx;
	// Of the events' durations: the codec's (as 0 is) or a whole part of it. Timestamps are always by
	// the codec's.
	uint8_t event_clock_khz;
	uint8_t reserved[2];
	struct td_codec_settings settings; // of our encoder
	// Where the peer's signalling comes from; family NONE: not said. With TD_REMOTE_LEARN media from
	// this address is taken before media from a third one.
	struct td_endpoint signalling;
	// Secrets. .suite TD_SRTP_NONE: plain, or nothing at all with TD_STREAM_PROTECTED.
	struct td_srtp_master srtp_rx, srtp_tx;
};

// What a stream is listened to for; each costs its decoding.
#define TD_DETECT_DTMF     0x01u // in-band digits -> TD_EVENT_DIGIT
#define TD_DETECT_FAX      0x02u // CNG, CED -> TD_EVENT_TONE
#define TD_DETECT_PROGRESS 0x04u // dial, ringback, busy, congestion, SIT -> TD_EVENT_TONE
#define TD_DETECT_BEEP     0x08u // an answering machine's beep -> TD_EVENT_TONE

#define TD_TUNE_NO_DIGITS  0x01u // it hears nobody's digits, as events or as tones
#define TD_TUNE_CONVERT    0x02u // its in-band digits reach the others as events and not as tones

struct td_command_stream_tune {
	struct td_stream_id stream;
	uint32_t detect; // TD_DETECT_*: all that are wanted
	uint32_t flags;  // TD_TUNE_*: likewise
};

enum td_digits_how {
	TD_DIGITS_AUTO,  // as events where the peer has negotiated them, else as tones
	TD_DIGITS_EVENT, // RFC 4733; -TD_ESTATE where the peer has not negotiated it
	TD_DIGITS_TONE   // in-band
};

// 0-9 * # A-D; one request under way a stream, -TD_EBUSY while it is. DONE when it has begun.
struct td_command_stream_digits {
	struct td_stream_id stream;
	uint32_t how;                 // enum td_digits_how
	uint16_t duration_ms, gap_ms; // 40 to 2000; 0: 100
	char digits[TD_DIGITS_MAX];   // with the NUL
};

struct td_command_stream_move {
	struct td_stream_id stream;
	struct td_context_id context; // the new one
	uint32_t cell_count;          // in the new context, of the stream and its members
	struct td_cell cells[TD_EDIT_CELL_MAX];
};

struct td_command_context_move {
	struct td_context_id context;
	uint32_t worker;
};

// One piece of a player's sequence.
struct td_play_item {
	uint32_t prompt; // index in the region's prompt table
	uint32_t offset_ms;
	uint32_t length_ms; // 0: to its end
};

// Plays the items one after the other, once or over and over. Offsets and lengths are of whole
// frames of 20 ms. A digit of `stop_stream` that is in `stop_digits` (bit of TD_DIGIT_BIT) ends it.
struct td_command_player_create {
	struct td_context_id context;
	uint32_t loop;                   // 0: once, then TD_EVENT_PLAYER_END; 1: until destroyed
	struct td_stream_id stop_stream; // v == 0: no digit ends it
	uint16_t stop_digits;
	uint16_t item_count; // 1 to TD_PLAY_ITEM_MAX
	struct td_play_item items[TD_PLAY_ITEM_MAX];
};

// The bit of a digit in a set of digits: 0-9, then * # A B C D. 0 for anything else.
static inline uint16_t td_digit_bit(char digit)
{
	if (digit >= '0' && digit <= '9')
		return (uint16_t)(1u << (digit - '0'));
	if (digit >= 'A' && digit <= 'D')
		return (uint16_t)(1u << (digit - 'A' + 12));
	return digit == '*' ? 1u << 10 : digit == '#' ? 1u << 11 : 0;
}

enum td_player_action {
	TD_PLAYER_PAUSE,
	TD_PLAYER_RESUME,
	TD_PLAYER_SEEK,   // to position_ms of the item that is playing
	TD_PLAYER_SPLICE, // plays these items now, then goes on where it was
	TD_PLAYER_STOP,   // ends at once; TD_EVENT_PLAYER_END follows
	TD_PLAYER_ACTION_COUNT
};

struct td_command_player_control {
	struct td_player_id player;
	uint32_t action; // enum td_player_action
	uint32_t position_ms;
	uint32_t item_count; // of a splice: 1 to TD_PLAY_ITEM_MAX; a later one replaces it
	struct td_play_item items[TD_PLAY_ITEM_MAX];
};

struct td_command_matrix_edit {
	struct td_context_id context;
	uint32_t cell_count;
	struct td_cell cells[TD_EDIT_CELL_MAX];
};

enum td_record_format {
	TD_RECORD_WAV, // one file NAME of 16-bit PCM, a channel a track; RF64 beyond 4 GiB
	TD_RECORD_OPUS // a file a track, NAME with its number before ".opus", of the first two from the
	// beginning, of another once somebody is heard on it; Opus is not coded again
};

// Beside a recording NAME is NAME TD_RECORD_SIDECAR; with a key at rest NAME itself has
// TD_RECORD_ENCRYPTED behind its name. While it is being written, TD_RECORD_PART is behind that.
#define TD_RECORD_SIDECAR   ".json"
#define TD_RECORD_ENCRYPTED ".tde"
#define TD_RECORD_PART      ".part"
#define TD_RECORD_BROKEN    ".broken" // instead, where nothing can be made of what a killed one left

// Tracks are what parties *said* (their received RTP), each from its own stream: left, right,
// more[0], more[1] ... A track whose stream is v == 0 is silent until ATTACH gives it one; it may be
// given to one stream after the other. A recording hears its streams wherever they are, also when
// they move to another context or worker; it ends with `context` at the latest.
struct td_command_record_start {
	struct td_context_id context;
	struct td_stream_id left, right;
	uint64_t owner;
	char name
		[TD_FILE_NAME_MAX]; // relative, no "..", ends in ".wav" or ".opus" as the format has it
	uint8_t format;             // enum td_record_format
	uint8_t track_count;        // streams: 2 (or 0, the same) to TD_TRACK_MAX
	uint8_t mono;               // 1: a WAV file of one channel, all tracks mixed
	uint8_t stereo; // 1: a WAV file of two channels: the first track, and all others mixed
	struct td_stream_id more[TD_TRACK_MAX - 2];
};

// Keys that are given again are written over. "name" or "track1.name": "1001".
struct td_command_record_note {
	struct td_tap_id tap;
	char key[TD_NOTE_KEY_MAX];
	char text[TD_NOTE_TEXT_MAX];
};

// What these streams' parties say goes, while they say it, to a destination that the configuration
// names: never to an address or a path of the command's own. A capture takes their packets instead,
// in both directions, into a file that the dataplane names. A fork hears its streams wherever they
// are, also when they move to another context or worker; one that is destroyed meanwhile falls
// silent. It ends with `context` at the latest, in which its player is.
//
// A fork may instead hear a whole context, as a party would who only listens: the mix of its floor,
// without what it says itself. A capture without streams takes those of all streams of the context,
// of those that come later as well, while they are in it; one at a time, else -TD_EEXISTS.
enum td_fork_what {
	TD_FORK_DESTINATION, // `destination` says how: RTP, or a socket on which somebody may speak
	TD_FORK_CAPTURE,
	TD_FORK_FLOOR // as DESTINATION: one track, whose stream is v == 0
};

struct td_command_fork_start {
	struct td_context_id context;
	uint32_t what;         // enum td_fork_what
	uint32_t stream_count; // 0 (see above) to TD_FORK_STREAM_MAX; a socket takes one or two
	uint32_t seconds;      // of a capture; 0: until stopped
	uint32_t codec;        // of FLOOR: enum td_codec_id that its mix is coded in
	uint64_t owner;
	struct td_stream_id streams[TD_FORK_STREAM_MAX];
	char destination[TD_FORK_NAME_MAX];
	char call[TD_FORK_LABEL_MAX]; // letters, digits, - _ and . alone: the far end is told
	char tracks[TD_FORK_STREAM_MAX][TD_FORK_TRACK_MAX]; // "caller"; likewise
};

struct td_command_record_track {
	struct td_tap_id tap;
	struct td_stream_id stream;
	uint32_t track; // of ATTACH: below the recording's track_count
};

enum td_record_action {
	TD_RECORD_PAUSE,  // the time until RESUME is not in the file
	TD_RECORD_MASK,   // the time until RESUME is silent in the file
	TD_RECORD_RESUME, // ends both
	TD_RECORD_MARK,   // a named moment in the sidecar
	TD_RECORD_ACTION_COUNT
};

struct td_command_record_control {
	struct td_tap_id tap;
	uint32_t action;        // enum td_record_action
	char text[TD_MARK_MAX]; // of MARK: its name
};

// While it is on, what streams of the context say is silent for every tap (recordings, forks,
// captures), their digits are reported to nobody and end no player, and those of `parties` are heard
// by each other alone: whoever else is in the context, or comes, hears silence of them. No parties:
// all who are in it hear each other as before. A later one replaces it.
struct td_command_context_privacy {
	struct td_context_id context;
	uint32_t on;
	uint32_t party_count;
	struct td_stream_id parties[TD_PRIVACY_PARTY_MAX];
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
		struct td_command_record_note record_note;
		struct td_command_context_move context_move;
		struct td_command_stream_move stream_move;
		struct td_command_stream_tune stream_tune;
		struct td_command_stream_digits stream_digits;
		struct td_command_player_control player_control;
		struct td_command_fork_start fork_start;
		struct td_fork_id fork_stop;
		struct td_command_record_track record_track; // ATTACH, DETACH
		struct td_command_record_control record_control;
		struct td_command_context_privacy context_privacy;
		uint8_t bytes[296];
	} u;
};

_Static_assert(sizeof(struct td_command) == 320, "crosses the shared memory");

const char *td_command_name(uint32_t kind);

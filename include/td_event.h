// Events: dataplane -> control, fixed-size tagged unions, one ring a dataplane thread.
//
// Ring 0 is the main thread's, ring 1 + w is worker w's. Answers (TD_EVENT_DONE) carry the
// command's request id; everything else carries 0. `sequence` counts the events this thread wanted
// to send, so a gap shows that the ring was full and how much is missing.
#pragma once

#include <stdalign.h>
#include <stdint.h>

#include "td_command.h"
#include "td_stats.h"

enum td_event_kind {
	TD_EVENT_NONE,
	TD_EVENT_DONE,          // the answer to a command; `result` is 0 or -TD_E*
	TD_EVENT_PLAYER_END,    // a player that does not loop has sent its last frame
	TD_EVENT_STREAM_ACTIVE, // the first valid packet from the peer has come: media flows
	TD_EVENT_RECORD_CLOSED, // the file is complete under its final name, or failed with `result`
	TD_EVENT_RECORD_FAILED, // the disk refuses; the call goes on, the recording is partial
	TD_EVENT_DIGIT,         // a digit has ended
	TD_EVENT_TONE,          // a tone has been recognised, or has ended
	TD_EVENT_RECORD_ALARM, // the disk of the recordings is slow or nearly full, or is well again
	TD_EVENT_FORK_STATE,   // how far a fork is; about once a second while it moves
	TD_EVENT_FORK_ENDED,   // its far end is gone, or a capture is complete: it is to be stopped
	TD_EVENT_FORK_CLOSED,  // the last one of a fork: its final counters
	TD_EVENT_KIND_COUNT
};

enum td_tone {
	TD_TONE_NONE,
	TD_TONE_CNG,  // ITU-T T.30: 1100 Hz, a calling fax
	TD_TONE_CED,  // 2100 Hz, an answering fax or modem
	TD_TONE_BEEP, // an answering machine's
	TD_TONE_DIAL,
	TD_TONE_RINGBACK,
	TD_TONE_BUSY,
	TD_TONE_CONGESTION, // reorder
	TD_TONE_SIT,        // special information, three rising tones
	TD_TONE_COUNT
};

// A tone's name ("busy"); "unknown" for what is none.
const char *td_tone_name(uint32_t tone);

struct td_event_stream_created {
	struct td_stream_id stream;
	struct td_endpoint local; // RTP; RTCP is port + 1
};

struct td_event_stream_destroyed {
	struct td_stream_id stream;
	uint32_t reserved;
	struct td_stream_stats stats;
};

enum td_player_end { TD_PLAYER_END_PLAYED, TD_PLAYER_END_DIGIT, TD_PLAYER_END_STOPPED };

struct td_event_player_end {
	struct td_player_id player;
	struct td_context_id context;
	uint64_t frames; // of 20 ms, sent in all; the event's time is the last one's
	uint32_t reason; // enum td_player_end
	char digit;      // with TD_PLAYER_END_DIGIT
	char reserved[3];
};

struct td_event_digit {
	struct td_stream_id stream;
	struct td_context_id context;
	uint32_t duration_ms;
	char digit;     // 0-9 * # A-D
	uint8_t inband; // 1: heard in the audio, 0: an RFC 4733 event
	uint8_t volume; // RFC 4733: -dBm0, 0 to 63; of an in-band digit as well
	uint8_t reserved;
};

struct td_event_tone {
	struct td_stream_id stream;
	struct td_context_id context;
	uint32_t tone;  // enum td_tone
	uint32_t ended; // 0: it is there, 1: it was
};

struct td_event_stream_active {
	struct td_stream_id stream;
	struct td_endpoint source;
};

enum td_record_alarm {
	TD_RECORD_ALARM_SLOW,   // the disk has not answered for `value` ms
	TD_RECORD_ALARM_FULL,   // `value` per cent are free; below TD_RECORD_FREE_MIN none is begun
	TD_RECORD_ALARM_FAILED, // it refuses writes: `value` is the errno
	TD_RECORD_ALARM_COUNT
};

#define TD_RECORD_FREE_MIN    5  // per cent
#define TD_RECORD_ALARM_STILL 2u // said again and again, for a control that has come since

struct td_event_record_alarm {
	uint32_t alarm;  // enum td_record_alarm
	uint32_t active; // 0: it is over, 1: it begins or gets worse, TD_RECORD_ALARM_STILL
	uint64_t value;
};

// Index 0 is the left track, 1 the right and all others together.
struct td_event_recording {
	struct td_tap_id tap;
	uint32_t reserved;
	uint64_t owner;
	uint64_t packets_received
		[2]; // that came for the tap; what its ring had no room for included
	uint64_t packets_written[2];
	uint64_t packets_late[2]; // behind what was already written: counted, not written
	uint64_t gap_samples[2];  // silence written where nothing came
	uint64_t duration_ms;
	uint64_t bytes;
	uint8_t digest[32]; // of CLOSED: head of the SHA-256 chain of its sound; of several files
			    // SHA-256 of their heads
};

// The answer to FORK_START.
struct td_event_fork_started {
	struct td_fork_id fork;
	struct td_player_id player; // what it says; v == 0: it cannot speak
};

// `result` of the event is 0, or why the far end is gone. What a slow far end loses is its own.
struct td_event_fork {
	struct td_fork_id fork;
	uint32_t tracks;
	uint64_t owner;
	uint64_t packets;    // that the taps gave it
	uint64_t sent, lost; // frames of sound, RTP or captured packets: to the far end, and not
	uint64_t late;       // packets that came behind what was sent already
	uint64_t bytes;      // sent
	uint64_t said_ms;    // heard of it
	uint64_t flushed_ms; // thrown away because it said so
	uint64_t overrun_ms; // thrown away because too much was waiting
	uint64_t underruns;  // times that it was silent because we were late
	uint64_t marks;      // told that they were reached
	char file[TD_FORK_FILE_MAX]; // of a capture
};

struct td_event {
	alignas(8) uint64_t request_id;
	uint64_t time_ns; // CLOCK_MONOTONIC
	uint64_t sequence;
	uint32_t kind; // enum td_event_kind
	int32_t result;
	uint32_t command; // of TD_EVENT_DONE: enum td_command_kind it answers
	uint32_t thread;  // 0 main, 1 + w worker
	union {
		struct td_context_id context;
		struct td_event_stream_created stream_created;
		struct td_event_stream_destroyed stream_destroyed;
		struct td_player_id player;
		struct td_tap_id tap;
		uint64_t reset_count; // contexts that RESET destroyed
		struct td_event_player_end player_end;
		struct td_event_stream_active stream_active;
		struct td_event_recording recording;
		struct td_event_record_alarm record_alarm;
		struct td_event_digit digit;
		struct td_event_tone tone;
		struct td_event_fork_started fork_started;
		struct td_event_fork fork;
		uint8_t bytes[344];
	} u;
};

_Static_assert(sizeof(struct td_event) == 384, "crosses the shared memory");

const char *td_event_name(uint32_t kind);

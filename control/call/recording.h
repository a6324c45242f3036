// The recording of a call or of a conference as control sees it: what should be written, and what is.
//
//   wanted (the config's rule, an operator) --+
//                                             +--> next command: start, attach, detach, control, ...
//   have   (answers, events) -----------------+
//
// A recording is of a context (td_media) and goes on as long as that is wanted, whoever comes and
// goes: a track is given to one stream after the other. Tracks of a call are caller, agent, and those
// others whom the caller has begun to hear (a WAV file has them with the agent in its right channel, in
// Opus each track is a file); of a conference, the first TD_TRACK_MAX of those who may talk, and whoever
// comes when one of them has gone. One at a time; another one may be begun when it is closed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "call/alarm.h"
#include "td_command.h"
#include "td_event.h"

#define TD_RECORDING_CALL_TRACKS 4 // of a call
#define TD_RECORDING_MARKS       4 // named moments that wait for the dataplane

enum td_recording_state {
	TD_RECORDING_NONE,
	TD_RECORDING_STARTING,
	TD_RECORDING_RUNNING,
	TD_RECORDING_STOPPING,
	TD_RECORDING_CLOSING, // stopped; the file is being finished
	TD_RECORDING_CLOSED,
	TD_RECORDING_REFUSED // it never began
};

// What an operator has said; the rule is the config's.
enum td_recording_order { TD_RECORDING_BY_RULE, TD_RECORDING_ON, TD_RECORDING_OFF };

struct td_recording_track {
	struct td_stream_id want, have;
	struct td_stream_id refused; // not tried again
	bool note_due;               // the sidecar is to be told who it is
};

struct td_recording {
	// Wanted.
	uint8_t order; // enum td_recording_order
	bool rule;     // the config wants it, and it is time
	bool paused_wanted, masked_wanted;
	uint32_t mark_count;
	char marks[TD_RECORDING_MARKS][TD_MARK_MAX];
	// Have.
	uint8_t state; // enum td_recording_state
	bool paused, masked;
	bool partial;
	struct td_tap_id tap;
	uint32_t notes_told;
	struct td_recording_track tracks[TD_TRACK_MAX];
	uint64_t started_utc_ms, ended_utc_ms;
	struct td_event_recording result; // once CLOSED
	char file[TD_FILE_NAME_MAX];
	struct td_alarm beep, unmask; // the next tone; the end of a mask or of a pause
};

// What is said in a context is private.
struct td_privacy {
	bool wanted;
	bool known; // `have` is what the dataplane has
	struct td_command_context_privacy have;
	struct td_alarm end;
	uint64_t until_ms; // 0: until it is ended
	bool confirmed;    // the dataplane has done what is wanted
};

static inline bool td_recording_wanted(const struct td_recording *recording)
{
	return recording->order == TD_RECORDING_ON ||
	       (recording->order == TD_RECORDING_BY_RULE && recording->rule);
}

// A file is open, or will be.
static inline bool td_recording_is_open(const struct td_recording *recording)
{
	return recording->state >= TD_RECORDING_STARTING &&
	       recording->state <= TD_RECORDING_CLOSING;
}

// What is said about a recording besides its sound, and becomes its sidecar.
//
// Times are in milliseconds since the recording began, without what was left out by pauses. Lists are
// bounded: what does not fit is counted. Recorder thread; memory of its own.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "td_codec_id.h"
#include "td_command.h"
#include "td_limits.h"

#define TD_TAKE_NOTES_MAX 32
#define TD_TAKE_GAPS_MAX  2000
#define TD_TAKE_MARKS_MAX 1000 // and pauses

struct td_take_track {
	uint64_t received; // packets with sound that came for the tap
	uint64_t refused;  // of these the worker's ring had no room for
	uint64_t written;  // their sound is in the file
	uint64_t late;     // it is not: its place was written already
	uint64_t paused;   // it is not: it came in a pause
	uint64_t coded;    // of an Opus file: not as they came
	int64_t lost;      // that never came, by their sequence numbers
	uint64_t gap_ms;   // silence where nothing came, the end included
	int64_t first_ms;  // when it began to speak; -1: it has not
	uint32_t codecs;   // bit of enum td_codec_id
};

struct td_take_gap {
	uint32_t at_ms, length_ms;
	uint16_t lost; // packets that should have filled it; 0: nothing was sent
	uint8_t track;
};

enum td_take_mark_kind { TD_TAKE_MARK, TD_TAKE_PAUSE, TD_TAKE_MASK };

struct td_take_mark {
	uint64_t at_ms;
	uint64_t length_ms; // of a pause that was left out, of a mask that is silence
	uint8_t kind;       // enum td_take_mark_kind
	char text[TD_NOTE_TEXT_MAX];
};

struct td_take_note {
	char key[TD_NOTE_KEY_MAX], text[TD_NOTE_TEXT_MAX];
};

struct td_take {
	char name[TD_FILE_NAME_MAX];
	uint64_t owner;
	uint8_t format; // enum td_record_format
	uint8_t track_count;
	bool mono, stereo; // as in struct td_command_record_start
	uint32_t rate_hz;
	int64_t began_utc_ms;
	uint64_t duration_ms;
	struct td_take_track tracks[TD_TRACK_MAX];
	struct td_take_note *notes;
	unsigned note_count;
	struct td_take_gap *gaps;
	unsigned gap_count, gap_room;
	struct td_take_mark *marks;
	unsigned mark_count, mark_room;
	uint64_t forgotten; // gaps, marks and notes that did not fit
};

// Of its file, or of each of its files.
static inline unsigned td_take_channels(const struct td_take *take)
{
	if (take->mono || take->format == TD_RECORD_OPUS)
		return 1;
	return take->stereo ? 2 : take->track_count;
}

void td_take_note(struct td_take *take, const char *key, const char *text);
void td_take_gap(struct td_take *take, const struct td_take_gap *gap);
// The new mark, or NULL when there is no room.
struct td_take_mark *td_take_mark(struct td_take *take, enum td_take_mark_kind kind, uint64_t at_ms,
				  const char *text);
void td_take_fini(struct td_take *take);

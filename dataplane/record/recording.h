// One recording: a timeline in memory and the WAV file it becomes.
//
//   tap records --add--> voice: decode, resample --> timeline --flush, 300 ms behind the clock-->
//   file --finish--> final name
//
// The file is at 16 kHz when a wideband codec is heard on either side before its first write, which
// is some 800 ms after its beginning; otherwise at 8 kHz. What comes later at another rate, when a
// party changes codecs, is converted to the file's.
//
// Whatever the disk does, adding never fails: packets are counted, and what could not be written is
// the difference. Recorder thread only; memory is the recorder's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/tap.h"
#include "pcm/timeline.h"
#include "pcm/voice.h"
#include "record/wav_file.h"
#include "td_event.h"

#define TD_RECORDING_DELAY_MS 300 // how long a late packet is waited for
#define TD_RECORDING_CHUNK_MS 500 // how much is written at once

struct td_recording {
	struct td_tap_id tap; // v == 0: not in use
	uint64_t owner;
	bool failed_reported;
	bool opened; // the file could be created
	struct td_wav_file file;
	struct td_voice voices[TD_TIMELINE_SIDES];
	struct td_timeline timeline;
};

// Creates the file; a failure stays in recording->file.error and is told by finish.
void td_recording_begin(struct td_recording *recording, struct td_tap_id tap, uint64_t owner,
			int folder_fd, const char *name, uint64_t now_ns);

void td_recording_add(struct td_recording *recording, const struct td_tap_record *record);

// Writes what is old enough, in chunks. Answers the file's error, if any.
int td_recording_flush(struct td_recording *recording, uint64_t now_ns);

// Writes the rest, closes the file and fills `event` (TD_EVENT_RECORD_CLOSED). With `sync` the
// file is made durable first.
void td_recording_finish(struct td_recording *recording, bool sync, struct td_event *event);

// Fills the counters of an event about this recording.
void td_recording_describe(const struct td_recording *recording, uint32_t kind, int result,
			   struct td_event *event);

// One recording on the recorder thread: tap records become sound in its place, and chunks for the disk.
//
//   tap record -> reorder -> WAV:  voice: decode, resample -> timeline, both parties on one clock
//                         -> Opus: packets as they are, or coded -> opus_track, a file a track
//   flush, 300 ms behind the clock --> scribe (the disk thread) --> files, sidecar
//
// A WAV file is at 16 kHz when a wideband codec is heard on any track before its first chunk is due, some
// 800 ms after its beginning; otherwise at 8 kHz. What comes later at another rate, when a party
// changes codecs, is converted to the file's.
//
// Opus files of the first two tracks are there from the beginning, that of another track from its first
// packet on: it begins with silence, so that all are on one clock, and ends with the others. Whoever is
// heard on a track later goes on in its file; where nobody comes there is none.
//
// Whatever the disk does, adding never fails: packets are counted, and what could not be written is
// the difference. Recorder thread only; memory of its own, taken by begin and given back by end.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/tap.h"
#include "pcm/timeline.h"
#include "pcm/voice.h"
#include "record/opus_source.h"
#include "record/opus_track.h"
#include "record/reorder.h"
#include "record/scribe.h"
#include "record/take.h"
#include "td_event.h"

#define TD_RECORDING_DELAY_MS    300   // how long a late packet is waited for
#define TD_RECORDING_FIRST_MS    500   // the first chunk
#define TD_RECORDING_CHUNK_MS    250   // every other
#define TD_RECORDING_NOTE_MS     10000 // between two states of the sidecar
#define TD_RECORDING_FIRST_FILES 2     // of Opus, from the beginning

// What every packet touches comes first.
struct td_recording_track {
	bool counted; // offered and ssrc are of a packet before
	bool masked;  // what was missing last was not to be known
	uint16_t offered;
	uint32_t ssrc;
	int64_t lost_told;     // of reorder.lost, in a gap of the map
	struct td_voice voice; // WAV
	struct td_reorder reorder;
	struct td_anchor anchor; // Opus
	struct td_opus_source source;
	struct td_opus_track *opus; // NULL: its file has not begun
};

enum td_recording_state { TD_RECORDING_FREE, TD_RECORDING_OPEN, TD_RECORDING_CLOSING };

struct td_recording {
	uint8_t state; // enum td_recording_state
	uint8_t held;  // enum td_take_mark_kind: TD_TAKE_PAUSE, TD_TAKE_MASK; 0: neither
	bool failed_told;
	struct td_tap_id tap;
	uint64_t start_ns; // moves on with every pause
	uint64_t held_ns;  // since when it is paused or masked
	uint64_t noted_ns; // the sidecar
	uint64_t opus_given_ns;
	int error, error_number;
	struct td_scribe *scribe; // borrowed
	struct td_take take;
	struct td_recording_track *tracks; // take.track_count
	struct td_timeline *pairs;         // of tracks, of a WAV file
	unsigned pair_count; // begun: of a stereo file others than the first when they are heard
	uint64_t bytes;      // of sound, once closed
	uint8_t digest[TD_CHAIN_BYTES];
};

// -TD_EMEMORY: nothing was begun.
TD_MUST_CHECK int td_recording_begin(struct td_recording *recording, struct td_tap_id tap,
				     const struct td_command_record_start *start,
				     struct td_scribe *scribe, uint64_t now_ns, int64_t now_utc_ms);

// A record of it is added soon: what that will touch is asked for. The second is for when the first is
// through, which takes the time of a few dozens of others.
void td_recording_expect(const struct td_recording *recording, const struct td_tap_record *record);
void td_recording_expect_place(const struct td_recording *recording,
			       const struct td_tap_record *record);

void td_recording_add(struct td_recording *recording, const struct td_tap_record *record);
void td_recording_control(struct td_recording *recording,
			  const struct td_command_record_control *control, uint64_t now_ns);

// Hands over what is old enough, in chunks.
void td_recording_flush(struct td_recording *recording, uint64_t now_ns);

// Hands over the rest; the scribe closes the files.
void td_recording_finish(struct td_recording *recording, uint64_t now_ns);

// What the scribe says about it.
void td_recording_news(struct td_recording *recording, const struct td_scribe_news *news);

// Fills an event about this recording.
void td_recording_describe(const struct td_recording *recording, uint32_t kind,
			   struct td_event *event);

// After CLOSED: gives everything back.
void td_recording_end(struct td_recording *recording);

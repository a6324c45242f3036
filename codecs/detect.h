// What can be heard in a stream besides speech: digits, fax, call progress, a machine's beep.
//
//   PCM at 8, 16, 32, 48 kHz -> 8 kHz -+-> DTMF receiver (spandsp)  -> digits
//                                      +-> spectrum every 20 ms -+-> fax (CNG, CED)
//                                                                +-> progress (dial ... SIT)
//                                                                +-> beep after speech
//
// Only what is wanted is computed. One struct a stream, in the caller's memory, plain data that
// needs no clean-up; nothing is allocated, neither at init nor later. Init on the main thread: its
// first call in a process fills constant tables. Blocks on one thread, the stream's.
// Each thing heard is reported twice: when it is known to be there, and when it is over.
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codecs/decimate.h"
#include "codecs/spectrum.h"
#include "td_error.h"

enum td_detected_kind { TD_DETECTED_DIGIT, TD_DETECTED_TONE };

struct td_detected {
	enum td_detected_kind kind;
	bool ended;
	char digit;           // of a digit: 0-9 * # A-D
	uint8_t volume;       // of a digit: -dBm0 of both frequencies together, 0 to 63
	uint32_t tone;        // of a tone: enum td_tone
	uint32_t duration_ms; // with `ended`: for how long it was there
	uint64_t sample;      // at the caller's rate since init: where this became known
};

#define TD_DETECTED_MAX 16 // reports of one block of 20 ms, at most

// A tone that goes on at one level and frequency. Times are in frames of 20 ms.
struct td_detect_burst {
	uint32_t frames;
	float dbm0, hz; // means
};

struct td_detect_fax {
	uint32_t cng_frames;     // of the burst that sounds, or 0
	uint32_t cng_gap_frames; // since its last one
	uint32_t cng_total;      // since the first burst began
	uint32_t ced_frames, ced_gap_frames;
	bool cng, ced; // reported and not over
};

// The cadence is what on_frames and off_frames say, the latest burst and the pause behind it first.
struct td_detect_progress {
	struct td_detect_burst on; // that sounds, or the last one
	uint32_t off_frames;       // since it ended; 0: it sounds
	uint32_t other_frames;     // of anything else in a row
	uint32_t on_frames[2], off_frames_before[2];
	uint32_t burst_count; // before the current one, of the same cadence
	uint32_t total;       // frames since the first burst of the cadence began
	uint32_t tone;        // reported and not over, or TD_TONE_NONE
	uint32_t sit_step;    // of the three tones, which; 3: reported
	uint32_t sit_frames, sit_gap_frames, sit_total;
};

struct td_detect_beep {
	struct td_detect_burst on;
	float floor_dbm0;       // the quietest there has been lately; 0 to begin with
	uint32_t speech_frames; // lately; a beep only counts after speech
	uint32_t gap_frames;    // after the burst
	bool beep;              // reported and not over
};

#define TD_DETECT_DTMF_BYTES 448 // spandsp's dtmf_rx_state_t, which we do not show

struct td_detect {
	uint64_t samples; // seen since init, at the caller's rate
	uint32_t rate_hz, wanted;
	struct td_decimate decimate;
	uint32_t filled; // samples in `window`
	float window[TD_SPECTRUM_SAMPLES];
	struct td_detect_fax fax;
	struct td_detect_progress progress;
	struct td_detect_beep beep;
	struct td_detected *out; // of the block that is being looked at
	size_t count, max;
	char digit; // that is being held, or '\0'
	uint8_t digit_volume;
	uint32_t digit_samples; // at 8 kHz, since it was reported
	alignas(16) uint8_t dtmf[TD_DETECT_DTMF_BYTES];
};

// Begins anew. `wanted` is of TD_DETECT_* (td_command.h); 0: nothing is ever heard. -TD_EINVALID
// for other rates than 8000, 16000, 32000, 48000 and for unknown bits.
TD_MUST_CHECK int td_detect_init(struct td_detect *detect, uint32_t rate_hz, uint32_t wanted);

// Listens to the next `samples` and writes what it heard to `out`; answers how many. More than
// `max` are lost, so max is TD_DETECTED_MAX for each 20 ms.
size_t td_detect_block(struct td_detect *detect, const int16_t *pcm, size_t samples,
		       struct td_detected *out, size_t max);

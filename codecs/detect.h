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

#define TD_DETECTED_MAX 8 // reports of one block of 20 ms, at most

// One stretch of the same sound: what the three machines below count in. Frames of 20 ms.
struct td_detect_stretch {
	uint32_t frames;
	float dbm0; // mean
	float hz;   // mean of the strongest frequency
};

struct td_detect_fax {
	uint32_t cng_frames, cng_off_frames;
	uint32_t ced_frames, ced_off_frames;
	bool cng, ced; // reported and not over
};

struct td_detect_progress {
	struct td_detect_stretch on; // the tone that sounds, or the last one
	uint32_t off_frames;         // since it ended; 0: it sounds
	uint32_t other_frames;       // of something else, since it ended
	uint32_t on_ms[3],
		off_ms[3];    // of the latest bursts and the pauses after them, latest first
	uint32_t tone;        // reported and not over; TD_TONE_NONE
	uint32_t tone_frames; // since it began
	uint32_t sit_step, sit_frames, sit_gap_frames;
};

struct td_detect_beep {
	struct td_detect_stretch on;
	uint32_t speech_frames; // seen lately; a beep only counts after speech
	uint32_t quiet_frames;  // after the tone
	bool beep;              // reported and not over
};

#define TD_DETECT_DTMF_BYTES 576 // spandsp's dtmf_rx_state_t, which we do not show

struct td_detect {
	uint64_t samples; // seen since init, at the caller's rate
	uint32_t rate_hz, wanted;
	struct td_decimate decimate;
	uint32_t filled; // samples in `window`
	float window[TD_SPECTRUM_SAMPLES];
	struct td_detect_fax fax;
	struct td_detect_progress progress;
	struct td_detect_beep beep;
	struct td_detected *out; // of the block being looked at
	size_t count, max;
	char digit; // that is being held
	uint8_t digit_volume;
	alignas(16) uint8_t dtmf[TD_DETECT_DTMF_BYTES];
};

// Begins anew. `wanted` is of TD_DETECT_* (td_command.h); 0: nothing is ever heard. -TD_EINVALID
// for other rates than 8000, 16000, 32000, 48000 and for unknown bits.
TD_MUST_CHECK int td_detect_init(struct td_detect *detect, uint32_t rate_hz, uint32_t wanted);

// Listens to the next `samples` and writes what it heard to `out`; answers how many. More than
// `max` are lost, so max is TD_DETECTED_MAX for each 20 ms begun.
size_t td_detect_block(struct td_detect *detect, const int16_t *pcm, size_t samples,
		       struct td_detected *out, size_t max);

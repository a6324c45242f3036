// The tones of the telephone network by name, and the sixteen DTMF digits, as data and as audio.
//
//   "us.ringback" = { 440 Hz + 480 Hz at -19 dBm0 each, 2,000 ms } { silence, 4,000 ms }
//
// A plan is a list of parts that repeats for ever: part 0, 1, ... n - 1, 0, 1, ... Its period is a
// whole number of 20 ms frames at every rate. A plan of one part is a steady tone whose frequencies
// all complete whole cycles in a period, so the loop cannot be heard; in a plan of several, a part
// that sounds rises and falls within its own time, over TD_TONE_RAMP_MS, so that no edge clicks.
// Levels: a sine that fills an int16 is +3.14 dBm0 (ITU-T G.711), at every rate.
// The plans are constants; pure; any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "td_error.h"

#define TD_TONE_RAMP_MS     2
#define TD_TONE_FREQUENCIES 2 // at once, at most
#define TD_TONE_PART_MAX    6
#define TD_TONE_FULL_DBM0   3.14 // of a sine from -32768 to 32767

struct td_tone_part {
	uint32_t ms;                     // 0: the list ended before this
	float hz[TD_TONE_FREQUENCIES];   // 0: none
	float dbm0[TD_TONE_FREQUENCIES]; // of each
};

struct td_tone_plan {
	const char *name; // "etsi.busy", "us.sit", "dtmf.5"
	struct td_tone_part parts[TD_TONE_PART_MAX];
};

// All plans in turn, 0 to td_tone_count() - 1; NULL beyond.
size_t td_tone_count(void);
const struct td_tone_plan *td_tone_at(size_t idx);

// The plan of this name, or NULL. Sets "etsi" (ITU-T E.180, ETSI TR 101 041-2: 425 Hz) and "us"
// (the precise tone plan, Bellcore GR-506), each with: dial ringback busy congestion sit
// call-waiting confirm beep; "us.congestion" is what Americans call reorder, "beep" says that a
// call is being recorded. And "dtmf." with one of 0-9 * # A-D.
const struct td_tone_plan *td_tone_find(const char *name);

// The steady tone of a digit (ITU-T Q.23), 0-9 * # A-D; NULL for anything else.
const struct td_tone_plan *td_tone_dtmf(char digit);

// How long one period is: always a whole number of 20 ms frames. 0 for a rate that is not a
// multiple of 8,000 Hz or above 48,000 Hz.
uint32_t td_tone_period_samples(const struct td_tone_plan *plan, uint32_t rate_hz);

// Writes `samples` of the endless tone into the caller's `pcm`, beginning with its sample number
// `first_sample`: pieces rendered one after the other continue each other exactly. A sine per
// frequency and sample: meant to be rendered once and then played from memory.
// 0, or -TD_EINVALID for a rate as above.
TD_MUST_CHECK int td_tone_render(const struct td_tone_plan *plan, uint32_t rate_hz,
				 uint64_t first_sample, int16_t *pcm, size_t samples);

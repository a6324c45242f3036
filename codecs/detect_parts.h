// What the parts of the detector (detect.h) share: one machine each, fed a spectrum every 20 ms.
#pragma once

#include "codecs/detect.h"
#include "td_event.h"

#define TD_DETECT_FRAME_MS      20
#define TD_DETECT_FRAME_SAMPLES 160      // at 8 kHz
#define TD_DETECT_DBM0_MIN      (-43.0f) // below this nothing is a tone, and nothing is speech

// Adds a report to the block's, unless the caller's array is full.
void td_detect_report(struct td_detect *detect, const struct td_detected *report);
// The same for a tone, with how many frames it was there if it has ended.
void td_detect_report_tone(struct td_detect *detect, enum td_tone tone, bool ended,
			   uint32_t frames);

void td_detect_dtmf_init(struct td_detect *detect);
// Any number of samples at 8 kHz.
void td_detect_dtmf_block(struct td_detect *detect, const int16_t *pcm, size_t samples);

void td_detect_fax_frame(struct td_detect *detect, const struct td_spectrum *spectrum);
void td_detect_progress_frame(struct td_detect *detect, const struct td_spectrum *spectrum);
void td_detect_beep_frame(struct td_detect *detect, const struct td_spectrum *spectrum);

// One more frame of the burst: its means follow.
static inline void td_detect_burst_extend(struct td_detect_burst *burst, float dbm0, float hz)
{
	float weight;

	burst->frames++;
	weight = 1.0f / (float)(burst->frames < 16 ? burst->frames : 16);
	burst->dbm0 += (dbm0 - burst->dbm0) * weight;
	burst->hz += (hz - burst->hz) * weight;
}

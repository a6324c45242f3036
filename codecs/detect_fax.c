// Fax and modem tones: CNG (ITU-T T.30: 1100 Hz, 0.5 s on, 3 s off) and CED or ANSam (T.30, V.8:
// 2100 Hz, reversed every 450 ms or modulated with 15 Hz or neither).
#include <math.h>

#include "codecs/detect_parts.h"

#define SHARE_MIN       0.85f
#define CNG_HZ          1100.0f
#define CNG_HZ_OFF      42.0f // T.30 section 4.3.3.2.1 has 38, and noise moves the measurement
#define CNG_FRAMES_MIN  19    // 0.5 s less 15 %, and the frames its edges spoil
#define CNG_FRAMES_MAX  30
#define CNG_AWAY_FRAMES 200 // 4 s: the next burst should have come
#define CED_HZ          2100.0f
#define CED_HZ_OFF      20.0f // 15, and what the modulation and reversals do to the measurement
#define CED_FRAMES_MIN  25    // 0.5 s
#define GAP_FRAMES_MAX  3     // a phase reversal or a lost packet inside

static bool is_tone(const struct td_spectrum *spectrum, float hz, float hz_off)
{
	return spectrum->dbm0 >= TD_DETECT_DBM0_MIN && spectrum->peaks[0].share >= SHARE_MIN &&
	       fabsf(spectrum->peaks[0].hz - hz) <= hz_off;
}

static void cng_frame(struct td_detect *detect, struct td_detect_fax *fax, bool tone)
{
	fax->cng_total += fax->cng || fax->cng_frames > 0;
	if (tone) {
		// A gap inside the burst belongs to it.
		fax->cng_frames += 1 + (fax->cng_frames > 0 ? fax->cng_gap_frames : 0);
		fax->cng_gap_frames = 0;
		return;
	}
	fax->cng_gap_frames++;
	if (fax->cng_frames > 0 && fax->cng_gap_frames > GAP_FRAMES_MAX) {
		bool good = fax->cng_frames >= CNG_FRAMES_MIN && fax->cng_frames <= CNG_FRAMES_MAX;

		fax->cng_frames = 0;
		if (good && !fax->cng) {
			fax->cng = true;
			td_detect_report_tone(detect, TD_TONE_CNG, false, 0);
		}
	}
	if (fax->cng && fax->cng_gap_frames == CNG_AWAY_FRAMES) {
		fax->cng = false;
		td_detect_report_tone(detect, TD_TONE_CNG, true, fax->cng_total - CNG_AWAY_FRAMES);
	}
	if (!fax->cng && fax->cng_frames == 0)
		fax->cng_total = 0;
}

static void ced_frame(struct td_detect *detect, struct td_detect_fax *fax, bool tone)
{
	if (tone) {
		fax->ced_frames += 1 + (fax->ced_frames > 0 ? fax->ced_gap_frames : 0);
		fax->ced_gap_frames = 0;
		if (!fax->ced && fax->ced_frames >= CED_FRAMES_MIN) {
			fax->ced = true;
			td_detect_report_tone(detect, TD_TONE_CED, false, 0);
		}
		return;
	}
	fax->ced_gap_frames++;
	if (fax->ced_gap_frames <= GAP_FRAMES_MAX)
		return;
	if (fax->ced)
		td_detect_report_tone(detect, TD_TONE_CED, true, fax->ced_frames);
	fax->ced = false;
	fax->ced_frames = 0;
}

void td_detect_fax_frame(struct td_detect *detect, const struct td_spectrum *spectrum)
{
	cng_frame(detect, &detect->fax, is_tone(spectrum, CNG_HZ, CNG_HZ_OFF));
	ced_frame(detect, &detect->fax, is_tone(spectrum, CED_HZ, CED_HZ_OFF));
}

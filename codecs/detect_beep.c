// An answering machine's beep: one clean tone after speech, and then silence for our message.
#include <math.h>
#include <string.h>

#include "codecs/detect_parts.h"

#define DBM0_MIN        (-38.0f)
#define SHARE_MIN       0.9f
#define SPEECH_SHARE    0.8f
#define SPEECH_DB       10.0f // above the quietest there has been: noise does not go up and down
#define FLOOR_DBM0      (-60.0f)
#define FLOOR_DB        0.05f // that the quietest is forgotten a frame
#define HZ_MIN          390.0f
#define HZ_MAX          2520.0f
#define HZ_OFF          0.015f // of its mean
#define DB_OFF          4.0f
#define QUIET_DB        12.0f // below the beep
#define QUIET_DBM0      (-50.0f)
#define SPEECH_FRAMES   10 // 0.2 s of it in all
#define BEEP_FRAMES_MIN 5  // 120 ms: the first and the last 20 ms may be spoilt
#define BEEP_FRAMES_NOW 15 // 300 ms: nobody speaks like this, no need to wait for its end
#define QUIET_FRAMES    3
#define EDGE_FRAMES     2
// A fax answers with 2100 Hz. Up to 520 Hz it may be a busy tone after the other party hung up
// (0.5 s on, 0.5 s off): there only one that is not that long, and that nothing follows.
#define CED_HZ_MIN     2070.0f
#define CED_HZ_MAX     2130.0f
#define PROGRESS_HZ    520.0f
#define LOW_FRAMES_MAX 32
#define LOW_QUIET      35

static bool is_beep(const struct td_spectrum *s)
{
	float hz = s->peaks[0].hz;

	return s->dbm0 >= DBM0_MIN && s->peaks[0].share >= SHARE_MIN && hz >= HZ_MIN &&
	       hz <= HZ_MAX && (hz < CED_HZ_MIN || hz > CED_HZ_MAX);
}

static bool is_speech(struct td_detect_beep *beep, const struct td_spectrum *s)
{
	beep->floor_dbm0 = fminf(beep->floor_dbm0 + FLOOR_DB, fmaxf(s->dbm0, FLOOR_DBM0));
	return s->dbm0 >= TD_DETECT_DBM0_MIN && s->dbm0 >= beep->floor_dbm0 + SPEECH_DB &&
	       s->peaks[0].share + s->peaks[1].share < SPEECH_SHARE;
}

static bool goes_on(const struct td_detect_burst *on, const struct td_spectrum *s)
{
	return fabsf(s->peaks[0].hz - on->hz) <= on->hz * HZ_OFF &&
	       fabsf(s->dbm0 - on->dbm0) <= DB_OFF;
}

static void begin(struct td_detect *detect, struct td_detect_beep *beep)
{
	beep->beep = true;
	td_detect_report_tone(detect, TD_TONE_BEEP, false, 0);
}

// The tone is over: it was a beep, or it was something else. Another one needs speech again.
static void finish(struct td_detect *detect, struct td_detect_beep *beep)
{
	if (beep->beep) {
		td_detect_report_tone(detect, TD_TONE_BEEP, true, beep->on.frames);
		beep->speech_frames = 0;
	}
	beep->beep = false;
	beep->gap_frames = 0;
	memset(&beep->on, 0, sizeof beep->on);
}

static void quiet_frame(struct td_detect *detect, struct td_detect_beep *beep)
{
	bool low = beep->on.hz < PROGRESS_HZ;
	uint32_t wait = low ? LOW_QUIET : QUIET_FRAMES;

	if (++beep->gap_frames < wait)
		return;
	if (!beep->beep && beep->on.frames >= BEEP_FRAMES_MIN &&
	    (!low || beep->on.frames <= LOW_FRAMES_MAX))
		begin(detect, beep);
	finish(detect, beep);
}

void td_detect_beep_frame(struct td_detect *detect, const struct td_spectrum *spectrum)
{
	struct td_detect_beep *beep = &detect->beep;
	bool quiet = spectrum->dbm0 < fmaxf(QUIET_DBM0, beep->on.dbm0 - QUIET_DB);

	if (is_speech(beep, spectrum) && beep->speech_frames < SPEECH_FRAMES &&
	    beep->on.frames == 0)
		beep->speech_frames++;
	if (beep->speech_frames < SPEECH_FRAMES)
		return;
	if (beep->on.frames > 0) {
		if (beep->gap_frames == 0 && is_beep(spectrum) && goes_on(&beep->on, spectrum)) {
			td_detect_burst_extend(&beep->on, spectrum->dbm0, spectrum->peaks[0].hz);
			if (!beep->beep && beep->on.frames >= BEEP_FRAMES_NOW &&
			    beep->on.hz >= PROGRESS_HZ)
				begin(detect, beep);
			return;
		}
		// The first frame may have caught half of its rise only.
		if (is_beep(spectrum) && beep->on.frames == 1) {
			memset(&beep->on, 0, sizeof beep->on);
			td_detect_burst_extend(&beep->on, spectrum->dbm0, spectrum->peaks[0].hz);
			return;
		}
		if (quiet || beep->gap_frames < EDGE_FRAMES) {
			quiet_frame(detect, beep);
			return;
		}
		// A low tone again so soon after the last: a cadence, nobody waits for our message.
		if (beep->on.hz < PROGRESS_HZ && beep->on.frames >= BEEP_FRAMES_MIN)
			beep->speech_frames = 0;
		finish(detect, beep);
	}
	if (is_beep(spectrum))
		td_detect_burst_extend(&beep->on, spectrum->dbm0, spectrum->peaks[0].hz);
}

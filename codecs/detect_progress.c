// Call progress by cadence: whatever tone or pair of tones there is between 320 and 660 Hz (425 Hz,
// 350 + 440, 440 + 480, 480 + 620, and what else ITU-T E.180 supplement 2 lists), its on and off
// times say what it means. SIT is its own: three rising tones (E.180 section 7.3; GR-506).
//
//   dial        on 2.4 s and longer
//   ringback    on 0.7 to 2.6 s, off 1.2 s and longer; or 0.4 on, 0.2 off, 0.4 on, off
//   busy        on and off 0.1 to 0.8 s, alike twice, together above 0.64 s
//   congestion  the same, together up to 0.64 s
#include <math.h>
#include <string.h>

#include "codecs/detect_parts.h"

#define HZ_MIN           320.0f
#define HZ_MAX           660.0f
#define SHARE_MIN        0.85f
#define SHARE_NONE       0.05f // a second peak below this is only noise
#define HZ_OFF           25.0f // of the mean frequency within a burst, and between bursts
#define DB_OFF           8.0f  // two tones 40 Hz apart beat
#define QUIET_DB         10.0f
#define QUIET_DBM0       (-50.0f)
#define GAP_FRAMES_MAX   2 // a lost packet inside a burst
#define CONFIRM_FRAMES   3 // so much of a burst is no accident
#define OTHER_FRAMES_MAX 5 // so much of something else ends the cadence
#define DIAL_FRAMES      120
#define RING_ON_MIN      35
#define RING_ON_MAX      130
#define RING_OFF_MIN     60
#define RING_OFF_MAX     325 // 6.5 s
#define DOUBLE_ON_MIN    15
#define DOUBLE_ON_MAX    25
#define DOUBLE_OFF_MIN   6
#define DOUBLE_OFF_MAX   15
#define BUSY_MIN         5 // frames on or off
#define BUSY_MAX         40
#define BUSY_ALIKE       2 // frames from one period to the next
#define CONGESTION_MAX   32
#define BUSY_AWAY        55 // on or off for longer than any busy tone

// ---- The three tones of SIT ----

#define SIT_STEPS      3
#define SIT_FRAMES_MIN 10
#define SIT_FRAMES_MAX 24
#define SIT_LAST_MIN   8 // of the third: then it is known
#define SIT_GAP_MAX    4

static const struct {
	float min, max;
} sit_hz[SIT_STEPS] = { { 890, 1010 }, { 1340, 1455 }, { 1735, 1835 } };

static void sit_reset(struct td_detect_progress *p)
{
	p->sit_step = 0;
	p->sit_frames = 0;
	p->sit_gap_frames = 0;
	p->sit_total = 0;
}

static bool is_sit(const struct td_spectrum *s, uint32_t step)
{
	return step < SIT_STEPS && s->dbm0 >= TD_DETECT_DBM0_MIN &&
	       s->peaks[0].share >= SHARE_MIN && s->peaks[0].hz >= sit_hz[step].min &&
	       s->peaks[0].hz <= sit_hz[step].max;
}

static void sit_frame(struct td_detect *detect, struct td_detect_progress *p,
		      const struct td_spectrum *s)
{
	bool last = p->sit_step == SIT_STEPS - 1;

	p->sit_total++;
	if (is_sit(s, p->sit_step)) {
		p->sit_frames++;
		p->sit_gap_frames = 0;
		if (last && p->sit_frames == SIT_LAST_MIN)
			td_detect_report_tone(detect, TD_TONE_SIT, false, 0);
		if (p->sit_frames <= SIT_FRAMES_MAX)
			return;
	} else if (!last && p->sit_frames >= SIT_FRAMES_MIN && is_sit(s, p->sit_step + 1)) {
		p->sit_step++;
		p->sit_frames = 1;
		p->sit_gap_frames = 0;
		return;
	} else if (p->sit_frames > 0 && ++p->sit_gap_frames <= SIT_GAP_MAX) {
		return;
	}
	if (last && p->sit_frames >= SIT_LAST_MIN)
		td_detect_report_tone(detect, TD_TONE_SIT, true, p->sit_total - p->sit_gap_frames);
	sit_reset(p);
}

// ---- Cadences ----

// The mean frequency of the tone or pair, or 0 when this is none.
static float tone_hz(const struct td_spectrum *s)
{
	const struct td_spectrum_peak *a = &s->peaks[0], *b = &s->peaks[1];

	if (s->dbm0 < TD_DETECT_DBM0_MIN || a->hz < HZ_MIN || a->hz > HZ_MAX)
		return 0;
	if (b->share < SHARE_NONE || b->hz < HZ_MIN || b->hz > HZ_MAX)
		return a->share >= SHARE_MIN ? s->band_hz : 0;
	return a->share + b->share >= SHARE_MIN ? s->band_hz : 0;
}

static bool alike(uint32_t a, uint32_t b)
{
	return a <= b + BUSY_ALIKE && b <= a + BUSY_ALIKE;
}

static bool within(uint32_t value, uint32_t min, uint32_t max)
{
	return value >= min && value <= max;
}

static void report_begin(struct td_detect *detect, struct td_detect_progress *p, enum td_tone tone)
{
	if (p->tone != TD_TONE_NONE)
		return;
	p->tone = tone;
	td_detect_report_tone(detect, tone, false, 0);
}

// Forgets the cadence, and says so if it had been told. `away`: frames since it was last there.
static void cadence_over(struct td_detect *detect, struct td_detect_progress *p, uint32_t away)
{
	if (p->tone != TD_TONE_NONE)
		td_detect_report_tone(detect, (enum td_tone)p->tone, true, p->total - away);
	p->tone = TD_TONE_NONE;
	p->burst_count = 0;
	p->total = 0;
	p->off_frames = 0;
	memset(&p->on, 0, sizeof p->on);
}

// A burst has begun for certain, behind two that are complete: are they alike?
static void judge_burst(struct td_detect *detect, struct td_detect_progress *p)
{
	uint32_t on = p->on_frames[0], off = p->off_frames_before[0];

	if (p->burst_count < 2 || !within(on, BUSY_MIN, BUSY_MAX) ||
	    !within(off, BUSY_MIN, BUSY_MAX) || !alike(on, p->on_frames[1]) ||
	    !alike(off, p->off_frames_before[1]))
		return;
	report_begin(detect, p, on + off <= CONGESTION_MAX ? TD_TONE_CONGESTION : TD_TONE_BUSY);
}

// The pause lasts: is this how a ringback tone pauses?
static void judge_pause(struct td_detect *detect, struct td_detect_progress *p)
{
	bool one = within(p->on.frames, RING_ON_MIN, RING_ON_MAX);
	bool two = p->burst_count > 0 && within(p->on.frames, DOUBLE_ON_MIN, DOUBLE_ON_MAX) &&
		   within(p->on_frames[0], DOUBLE_ON_MIN, DOUBLE_ON_MAX) &&
		   within(p->off_frames_before[0], DOUBLE_OFF_MIN, DOUBLE_OFF_MAX);

	if (p->off_frames == RING_OFF_MIN && (one || two))
		report_begin(detect, p, TD_TONE_RINGBACK);
}

static void burst_begins(struct td_detect *detect, struct td_detect_progress *p,
			 const struct td_spectrum *s, float hz)
{
	if (p->on.frames > 0 && (p->tone == TD_TONE_DIAL || fabsf(hz - p->on.hz) > HZ_OFF))
		cadence_over(detect, p, p->off_frames);
	if (p->on.frames > 0) {
		p->on_frames[1] = p->on_frames[0];
		p->off_frames_before[1] = p->off_frames_before[0];
		p->on_frames[0] = p->on.frames;
		p->off_frames_before[0] = p->off_frames;
		p->burst_count++;
	}
	p->off_frames = 0;
	memset(&p->on, 0, sizeof p->on);
	td_detect_burst_extend(&p->on, s->dbm0, hz);
}

static void tone_frame(struct td_detect *detect, struct td_detect_progress *p,
		       const struct td_spectrum *s, float hz)
{
	bool steady = fabsf(hz - p->on.hz) <= HZ_OFF && fabsf(s->dbm0 - p->on.dbm0) <= DB_OFF;

	p->other_frames = 0;
	if (p->on.frames == 0 || p->off_frames > GAP_FRAMES_MAX) {
		burst_begins(detect, p, s, hz);
		return;
	}
	if (!steady && p->on.frames > 1) {
		// A lost packet in the window, or another tone: then it stays so.
		p->off_frames++;
		return;
	}
	if (!steady) // the first frame has only caught half of the rise
		memset(&p->on, 0, sizeof p->on);
	p->on.frames += p->off_frames;
	p->off_frames = 0;
	td_detect_burst_extend(&p->on, s->dbm0, hz);
	if (p->on.frames == CONFIRM_FRAMES)
		judge_burst(detect, p);
	if (p->on.frames == DIAL_FRAMES) {
		if (p->tone != TD_TONE_NONE)
			cadence_over(detect, p, 0);
		else
			report_begin(detect, p, TD_TONE_DIAL);
	}
	if ((p->tone == TD_TONE_BUSY || p->tone == TD_TONE_CONGESTION) && p->on.frames > BUSY_AWAY)
		cadence_over(detect, p, 0);
}

static void pause_frame(struct td_detect *detect, struct td_detect_progress *p, bool quiet)
{
	bool busy = p->tone == TD_TONE_BUSY || p->tone == TD_TONE_CONGESTION;

	if (p->on.frames == 0)
		return;
	p->off_frames++;
	p->other_frames = quiet ? 0 : p->other_frames + 1;
	if (p->other_frames > OTHER_FRAMES_MAX || p->off_frames > RING_OFF_MAX ||
	    (busy && p->off_frames > BUSY_AWAY) ||
	    (p->tone == TD_TONE_DIAL && p->off_frames > GAP_FRAMES_MAX))
		cadence_over(detect, p, p->off_frames);
	else
		judge_pause(detect, p);
}

void td_detect_progress_frame(struct td_detect *detect, const struct td_spectrum *spectrum)
{
	struct td_detect_progress *p = &detect->progress;
	float hz = tone_hz(spectrum);

	sit_frame(detect, p, spectrum);
	p->total += p->on.frames > 0;
	if (hz > 0)
		tone_frame(detect, p, spectrum, hz);
	else
		pause_frame(detect, p, spectrum->dbm0 < fmaxf(QUIET_DBM0, p->on.dbm0 - QUIET_DB));
}

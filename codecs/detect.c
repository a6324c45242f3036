#include "codecs/detect.h"

#include <string.h>

#include "codecs/detect_parts.h"

#define KNOWN     (TD_DETECT_DTMF | TD_DETECT_FAX | TD_DETECT_PROGRESS | TD_DETECT_BEEP)
#define SPECTRAL  (TD_DETECT_FAX | TD_DETECT_PROGRESS | TD_DETECT_BEEP)
#define OUT_HZ    8000u
#define PIECE_MAX TD_DECIMATE_IN_MAX

int td_detect_init(struct td_detect *detect, uint32_t rate_hz, uint32_t wanted)
{
	if (rate_hz != 8000 && rate_hz != 16000 && rate_hz != 32000 && rate_hz != 48000)
		return -TD_EINVALID;
	if (wanted & ~KNOWN)
		return -TD_EINVALID;
	memset(detect, 0, sizeof *detect);
	detect->rate_hz = rate_hz;
	detect->wanted = wanted;
	td_decimate_init(&detect->decimate, rate_hz / OUT_HZ);
	td_spectrum_init();
	td_detect_dtmf_init(detect);
	return 0;
}

void td_detect_report(struct td_detect *detect, const struct td_detected *report)
{
	if (detect->count >= detect->max)
		return;
	detect->out[detect->count] = *report;
	detect->out[detect->count++].sample = detect->samples;
}

void td_detect_report_tone(struct td_detect *detect, enum td_tone tone, bool ended, uint32_t frames)
{
	struct td_detected report = { .kind = TD_DETECTED_TONE, .tone = tone, .ended = ended };

	if (ended)
		report.duration_ms = frames * TD_DETECT_FRAME_MS;
	td_detect_report(detect, &report);
}

// The last 32 ms, every 20 ms.
static void look(struct td_detect *detect)
{
	struct td_spectrum spectrum;
	size_t kept = TD_SPECTRUM_SAMPLES - TD_DETECT_FRAME_SAMPLES;

	td_spectrum_of(detect->window, &spectrum);
	if (detect->wanted & TD_DETECT_FAX)
		td_detect_fax_frame(detect, &spectrum);
	if (detect->wanted & TD_DETECT_PROGRESS)
		td_detect_progress_frame(detect, &spectrum);
	if (detect->wanted & TD_DETECT_BEEP)
		td_detect_beep_frame(detect, &spectrum);
	memmove(detect->window, detect->window + TD_DETECT_FRAME_SAMPLES,
		kept * sizeof *detect->window);
	detect->filled = (uint32_t)kept;
}

static void listen(struct td_detect *detect, const int16_t *pcm, size_t samples)
{
	if (detect->wanted & TD_DETECT_DTMF)
		td_detect_dtmf_block(detect, pcm, samples);
	if (!(detect->wanted & SPECTRAL))
		return;
	for (size_t i = 0; i < samples; i++) {
		detect->window[detect->filled++] = pcm[i];
		if (detect->filled == TD_SPECTRUM_SAMPLES)
			look(detect);
	}
}

size_t td_detect_block(struct td_detect *detect, const int16_t *pcm, size_t samples,
		       struct td_detected *out, size_t max)
{
	int16_t narrow[PIECE_MAX];
	// 20 ms at a time, so that what is reported is reported where it is.
	size_t piece_max = detect->rate_hz / (1000 / TD_DETECT_FRAME_MS);

	detect->out = out;
	detect->max = max;
	detect->count = 0;
	while (samples > 0) {
		size_t piece = samples < piece_max ? samples : piece_max;

		detect->samples += piece;
		if (detect->wanted != 0) {
			size_t count = td_decimate_block(&detect->decimate, pcm, piece, narrow);

			listen(detect, narrow, count);
		}
		pcm += piece;
		samples -= piece;
	}
	detect->out = NULL;
	return detect->count;
}

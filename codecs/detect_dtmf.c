// Digits in the audio: spandsp's receiver (ITU-T Q.24), its state in our memory.
#define SPANDSP_EXPOSE_INTERNAL_STRUCTURES
#include <spandsp.h>

#include "codecs/detect_parts.h"

#define SAMPLES_PER_MS 8
// ITU-T Q.24 table A.1 has up to 8 and 4 dB understood. Blocks this short measure a little more
// than there is, so more is asked for; what misses 0 with 8 dB one time in ten is the receiver's
// check that each frequency stands out from its neighbours.
#define TWIST_DB         10
#define REVERSE_TWIST_DB 5
#define BLOCK_SAMPLES    102 // of the receiver; reports come at the end of one
// Two good blocks begin a digit and two bad ones end it, so it ends about as late as it begins. But
// a block that is only filled in part is rather bad than good: so much is lost on the average.
#define SHORTENED_SAMPLES 64

_Static_assert(sizeof(dtmf_rx_state_t) <= TD_DETECT_DTMF_BYTES, "room for spandsp's state");
_Static_assert(_Alignof(dtmf_rx_state_t) <= 16, "and aligned");

static dtmf_rx_state_t *receiver(struct td_detect *detect)
{
	return (dtmf_rx_state_t *)(void *)detect->dtmf;
}

static void release(struct td_detect *detect)
{
	struct td_detected report = {
		.kind = TD_DETECTED_DIGIT,
		.ended = true,
		.digit = detect->digit,
		.volume = detect->digit_volume,
		.duration_ms = (detect->digit_samples + SHORTENED_SAMPLES) / SAMPLES_PER_MS,
	};

	if (detect->digit != '\0')
		td_detect_report(detect, &report);
	detect->digit = '\0';
}

// Called by the receiver, at the end of a block, with the digit that begins, or 0.
static void on_change(void *user_data, int code, int level, int delay)
{
	struct td_detect *detect = user_data;
	struct td_detected report = { .kind = TD_DETECTED_DIGIT, .digit = (char)code };

	(void)delay; // wrong where a call ended within a block
	release(detect);
	if (code == 0)
		return;
	detect->digit = (char)code;
	detect->digit_volume = (uint8_t)(level > 0 ? 0 : level < -63 ? 63 : -level);
	detect->digit_samples = 0;
	report.volume = detect->digit_volume;
	td_detect_report(detect, &report);
}

void td_detect_dtmf_init(struct td_detect *detect)
{
	dtmf_rx_init(receiver(detect), NULL, NULL);
	dtmf_rx_parms(receiver(detect), -1, TWIST_DB, REVERSE_TWIST_DB, -99);
}

void td_detect_dtmf_block(struct td_detect *detect, const int16_t *pcm, size_t samples)
{
	// Each time anew: the struct may have been copied elsewhere since.
	dtmf_rx_set_realtime_callback(receiver(detect), on_change, detect);
	// Up to the end of a block at a time, so that a change is where digit_samples says.
	while (samples > 0) {
		size_t left = (size_t)(BLOCK_SAMPLES - receiver(detect)->current_sample);
		size_t piece = samples < left ? samples : left;

		detect->digit_samples += (uint32_t)piece;
		dtmf_rx(receiver(detect), pcm, (int)piece);
		pcm += piece;
		samples -= piece;
	}
}

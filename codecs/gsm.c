// GSM 06.10 full rate, 20 ms frames of 33 bytes (RFC 3551 section 4.5.8.1), by spandsp: bit exact to
// ETSI's vectors and twice as fast as libgsm. One of its structs serves either direction; its size
// is the library's own (private/gsm0610.h), so init only fills the caller's memory.
#define SPANDSP_EXPOSE_INTERNAL_STRUCTURES
#include <spandsp.h>
#include <stdbool.h>

#include "codecs/rows.h"

#define FRAME_BYTES   33
#define FRAME_SAMPLES 160
#define SIGNATURE     0xd0 // the top four bits of every frame

static int gsm_init(void *state, uint32_t sample_hz)
{
	if (sample_hz != 8000)
		return -TD_EUNSUPPORTED;
	gsm0610_init(state, GSM0610_PACKING_VOIP);
	return 0;
}

static int gsm_encoder_init(void *state, uint32_t sample_hz,
			    const struct td_codec_settings *settings)
{
	(void)settings;
	return gsm_init(state, sample_hz);
}

static int gsm_encode(void *state, const int16_t *pcm, size_t samples, uint8_t *payload,
		      size_t payload_max)
{
	size_t frames = samples / FRAME_SAMPLES;

	if (samples % FRAME_SAMPLES != 0)
		return -TD_EINVALID;
	if (frames > payload_max / FRAME_BYTES)
		return -TD_EFULL;
	return gsm0610_encode(state, payload, pcm, (int)samples);
}

// Whether the payload is whole frames, each with its signature.
static bool well_formed(const uint8_t *payload, size_t bytes)
{
	if (bytes == 0 || bytes % FRAME_BYTES != 0)
		return false;
	for (size_t i = 0; i < bytes; i += FRAME_BYTES)
		if ((payload[i] & 0xf0) != SIGNATURE)
			return false;
	return true;
}

static int gsm_decode(void *state, const uint8_t *payload, size_t bytes, int16_t *pcm,
		      size_t samples_max)
{
	if (!well_formed(payload, bytes))
		return -TD_EMALFORMED;
	if (bytes / FRAME_BYTES > samples_max / FRAME_SAMPLES)
		return -TD_EFULL;
	return gsm0610_decode(state, pcm, payload, (int)bytes);
}

static int gsm_duration(const uint8_t *payload, size_t bytes)
{
	return well_formed(payload, bytes) ? (int)(bytes / FRAME_BYTES * FRAME_SAMPLES)
					   : -TD_EMALFORMED;
}

const struct td_codec td_gsm_row = {
	.id = TD_CODEC_GSM,
	.name = "GSM",
	.clock_hz = 8000,
	.sample_hz = 8000,
	.static_payload_type = 3,
	.frame_ms = 20,
	.ptime_max_ms = 60,
	.rates = { 8000 },
	.encoder_bytes = sizeof(struct gsm0610_state_s),
	.decoder_bytes = sizeof(struct gsm0610_state_s),
	.encoder_init = gsm_encoder_init,
	.decoder_init = gsm_init,
	.encode = gsm_encode,
	.decode = gsm_decode,
	.duration = gsm_duration,
};

// G.729A, 10 ms frames of 10 bytes, after which one 2-byte frame of annex B comfort noise may come
// (RFC 3551 section 4.5.6), by bcg729, which is GPL: only in builds with -Dg729=enabled.
//
// The library allocates its contexts and offers no other way, so the caller's memory holds a pointer
// and both directions have a fini. Comfort noise is understood and never sent: a packet of two frames
// could not say that its first was the silent one.
#include <bcg729/decoder.h>
#include <bcg729/encoder.h>
#include <stdbool.h>

#include "codecs/rows.h"

#define FRAME_BYTES   10
#define FRAME_SAMPLES 80
#define NOISE_BYTES   2

struct encoder {
	bcg729EncoderChannelContextStruct *context;
};

struct decoder {
	bcg729DecoderChannelContextStruct *context;
};

static int g729_encoder_init(void *state, uint32_t sample_hz,
			     const struct td_codec_settings *settings)
{
	struct encoder *encoder = state;

	(void)settings;
	encoder->context = NULL;
	if (sample_hz != 8000)
		return -TD_EUNSUPPORTED;
	encoder->context = initBcg729EncoderChannel(0);
	return encoder->context ? 0 : -TD_EMEMORY;
}

static void g729_encoder_fini(void *state)
{
	struct encoder *encoder = state;

	if (encoder->context)
		closeBcg729EncoderChannel(encoder->context);
	encoder->context = NULL;
}

static int g729_decoder_init(void *state, uint32_t sample_hz)
{
	struct decoder *decoder = state;

	decoder->context = NULL;
	if (sample_hz != 8000)
		return -TD_EUNSUPPORTED;
	decoder->context = initBcg729DecoderChannel();
	return decoder->context ? 0 : -TD_EMEMORY;
}

static void g729_decoder_fini(void *state)
{
	struct decoder *decoder = state;

	if (decoder->context)
		closeBcg729DecoderChannel(decoder->context);
	decoder->context = NULL;
}

static int g729_encode(void *state, const int16_t *pcm, size_t samples, uint8_t *payload,
		       size_t payload_max)
{
	struct encoder *encoder = state;
	size_t frames = samples / FRAME_SAMPLES;

	if (samples % FRAME_SAMPLES != 0)
		return -TD_EINVALID;
	if (frames > payload_max / FRAME_BYTES)
		return -TD_EFULL;
	for (size_t n = 0; n < frames; n++) {
		uint8_t bytes;

		bcg729Encoder(encoder->context, pcm + n * FRAME_SAMPLES, payload + n * FRAME_BYTES,
			      &bytes);
	}
	return (int)(frames * FRAME_BYTES);
}

// How many frames the payload is, the last of which may be comfort noise.
static int frame_count(size_t bytes, bool *noise)
{
	*noise = bytes % FRAME_BYTES == NOISE_BYTES;
	if (bytes == 0 || bytes > INT16_MAX || (bytes % FRAME_BYTES != 0 && !*noise))
		return -TD_EMALFORMED;
	return (int)(bytes / FRAME_BYTES) + *noise;
}

static int g729_decode(void *state, const uint8_t *payload, size_t bytes, int16_t *pcm,
		       size_t samples_max)
{
	struct decoder *decoder = state;
	bool noise;
	int frames = frame_count(bytes, &noise);

	if (frames < 0)
		return frames;
	if ((size_t)frames > samples_max / FRAME_SAMPLES)
		return -TD_EFULL;
	for (int n = 0; n < frames; n++) {
		bool silent = noise && n == frames - 1;

		bcg729Decoder(decoder->context, payload + n * FRAME_BYTES,
			      silent ? NOISE_BYTES : FRAME_BYTES, 0, silent, 0,
			      pcm + n * FRAME_SAMPLES);
	}
	return frames * FRAME_SAMPLES;
}

// Behind comfort noise the library goes on with it; otherwise it conceals (clause 4.4).
static int g729_conceal(void *state, int16_t *pcm, size_t samples)
{
	struct decoder *decoder = state;

	if (samples % FRAME_SAMPLES != 0)
		return -TD_EINVALID;
	for (size_t at = 0; at < samples; at += FRAME_SAMPLES)
		bcg729Decoder(decoder->context, NULL, 0, 1, 0, 0, pcm + at);
	return (int)samples;
}

static int g729_duration(const uint8_t *payload, size_t bytes)
{
	bool noise;
	int frames = frame_count(bytes, &noise);

	(void)payload;
	return frames < 0 ? frames : frames * FRAME_SAMPLES;
}

const struct td_codec td_g729_row = {
	.id = TD_CODEC_G729,
	.name = "G729",
	.clock_hz = 8000,
	.sample_hz = 8000,
	.static_payload_type = 18,
	.frame_ms = 10,
	.ptime_max_ms = 60,
	.rates = { 8000 },
	.encoder_bytes = sizeof(struct encoder),
	.decoder_bytes = sizeof(struct decoder),
	.encoder_init = g729_encoder_init,
	.decoder_init = g729_decoder_init,
	.encoder_fini = g729_encoder_fini,
	.decoder_fini = g729_decoder_fini,
	.encode = g729_encode,
	.decode = g729_decode,
	.conceal = g729_conceal,
	.duration = g729_duration,
};

#include "codecs/codec.h"

#include "codecs/g711.h"
#include "codecs/rows.h"

static int ulaw_encode(void *state, const int16_t *pcm, size_t samples, uint8_t *payload,
		       size_t payload_max)
{
	(void)state;
	if (samples > payload_max)
		return -TD_EFULL;
	td_g711_ulaw_encode(payload, pcm, samples);
	return (int)samples;
}

static int ulaw_decode(void *state, const uint8_t *payload, size_t bytes, int16_t *pcm,
		       size_t samples_max)
{
	(void)state;
	if (bytes > samples_max)
		return -TD_EFULL;
	td_g711_ulaw_decode(pcm, payload, bytes);
	return (int)bytes;
}

static int alaw_encode(void *state, const int16_t *pcm, size_t samples, uint8_t *payload,
		       size_t payload_max)
{
	(void)state;
	if (samples > payload_max)
		return -TD_EFULL;
	td_g711_alaw_encode(payload, pcm, samples);
	return (int)samples;
}

static int alaw_decode(void *state, const uint8_t *payload, size_t bytes, int16_t *pcm,
		       size_t samples_max)
{
	(void)state;
	if (bytes > samples_max)
		return -TD_EFULL;
	td_g711_alaw_decode(pcm, payload, bytes);
	return (int)bytes;
}

static int one_byte_a_sample(const uint8_t *payload, size_t bytes)
{
	(void)payload;
	return (int)bytes;
}

static const struct td_codec pcmu_row = {
	.id = TD_CODEC_PCMU,
	.name = "PCMU",
	.clock_hz = 8000,
	.sample_hz = 8000,
	.static_payload_type = 0,
	.ptime_max_ms = 60,
	.rates = { 8000 },
	.encode = ulaw_encode,
	.decode = ulaw_decode,
	.duration = one_byte_a_sample,
};

static const struct td_codec pcma_row = {
	.id = TD_CODEC_PCMA,
	.name = "PCMA",
	.clock_hz = 8000,
	.sample_hz = 8000,
	.static_payload_type = 8,
	.ptime_max_ms = 60,
	.rates = { 8000 },
	.encode = alaw_encode,
	.decode = alaw_decode,
	.duration = one_byte_a_sample,
};

const struct td_codec *td_codec_get(enum td_codec_id id)
{
	static const struct td_codec *const table[TD_CODEC_COUNT] = {
		[TD_CODEC_PCMU] = &pcmu_row,        [TD_CODEC_PCMA] = &pcma_row,
		[TD_CODEC_G722] = &td_g722_row,     [TD_CODEC_GSM] = &td_gsm_row,
		[TD_CODEC_L16_8] = &td_l16_8_row,   [TD_CODEC_L16_16] = &td_l16_16_row,
		[TD_CODEC_L16_32] = &td_l16_32_row, [TD_CODEC_L16_48] = &td_l16_48_row,
		[TD_CODEC_OPUS] = &td_opus_row,
#ifdef TD_G729
		[TD_CODEC_G729] = &td_g729_row,
#endif
	};

	return (unsigned)id < TD_CODEC_COUNT ? table[id] : NULL;
}

size_t td_codec_encoder_bytes_max(void)
{
	size_t most = 0;

	for (unsigned id = 0; id < TD_CODEC_COUNT; id++) {
		const struct td_codec *codec = td_codec_get((enum td_codec_id)id);

		if (codec != NULL && codec->encoder_bytes > most)
			most = codec->encoder_bytes;
	}
	return most;
}

size_t td_codec_decoder_bytes_max(void)
{
	size_t most = 0;

	for (unsigned id = 0; id < TD_CODEC_COUNT; id++) {
		const struct td_codec *codec = td_codec_get((enum td_codec_id)id);

		if (codec != NULL && codec->decoder_bytes > most)
			most = codec->decoder_bytes;
	}
	return most;
}

#include "codecs/codec.h"

#include "codecs/g711.h"

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

const struct td_codec *td_codec_get(enum td_codec_id id)
{
	static const struct td_codec table[TD_CODEC_COUNT] = {
		[TD_CODEC_PCMU] = { TD_CODEC_PCMU, "PCMU", 8000, 8000, 0, 0, ulaw_encode,
				    ulaw_decode },
		[TD_CODEC_PCMA] = { TD_CODEC_PCMA, "PCMA", 8000, 8000, 8, 0, alaw_encode,
				    alaw_decode },
	};

	if ((unsigned)id >= TD_CODEC_COUNT || id == TD_CODEC_NONE)
		return NULL;
	return &table[id];
}

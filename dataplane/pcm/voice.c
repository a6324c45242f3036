#include "pcm/voice.h"

#include <stdlib.h>
#include <string.h>

#include "pcm/timeline.h"

#define SAMPLES_MAX (TD_TIMELINE_PACKET_MAX / 2) // before a resampler that may double them

_Static_assert(SAMPLES_MAX <= TD_RESAMPLE_SAMPLES_MAX, "a packet is one block");

// The codec's own rate if it is `to_hz`; else the next above it, or the highest there is.
static uint32_t decode_rate(const struct td_codec *codec, uint32_t to_hz)
{
	uint32_t rate = 0;

	for (const uint32_t *r = codec->rates; *r && rate < to_hz; r++)
		rate = *r;
	return rate;
}

static bool make_decoder(struct td_voice *voice, uint32_t rate_hz)
{
	size_t bytes = voice->codec->decoder_bytes;

	if (bytes == 0)
		return true;
	bytes = (bytes + TD_CODEC_STATE_ALIGN - 1) / TD_CODEC_STATE_ALIGN * TD_CODEC_STATE_ALIGN;
	voice->decoder = aligned_alloc(TD_CODEC_STATE_ALIGN, bytes);
	if (!voice->decoder)
		return false;
	if (voice->codec->decoder_init(voice->decoder, rate_hz) == 0)
		return true;
	free(voice->decoder);
	voice->decoder = NULL;
	return false;
}

// Another sender in the same codec: all is forgotten and nothing allocated.
static void begin_again(struct td_voice *voice, uint32_t ssrc)
{
	const struct td_codec *codec = voice->codec;

	voice->ssrc = ssrc;
	if (voice->decoder && codec->decoder_fini)
		codec->decoder_fini(voice->decoder);
	if (voice->decoder &&
	    codec->decoder_init(voice->decoder, decode_rate(codec, voice->to_hz)) != 0) {
		free(voice->decoder);
		voice->decoder = NULL;
		voice->broken = true;
	}
	if (voice->resampler)
		td_resampler_reset(voice->resampler);
}

static void begin(struct td_voice *voice, const struct td_codec *codec, uint32_t ssrc,
		  uint32_t to_hz)
{
	uint32_t rate_hz = decode_rate(codec, to_hz);

	td_voice_fini(voice);
	voice->codec = codec;
	voice->ssrc = ssrc;
	voice->to_hz = to_hz;
	voice->broken = !make_decoder(voice, rate_hz);
	if (!voice->broken && rate_hz != to_hz)
		voice->broken = td_resampler_create(rate_hz, to_hz, &voice->resampler) != 0;
}

unsigned td_voice_hear(struct td_voice *voice, const struct td_codec *codec, uint32_t ssrc,
		       uint32_t to_hz, const uint8_t *payload, size_t bytes, int16_t *pcm)
{
	int16_t native[SAMPLES_MAX];
	int samples;

	if (voice->codec != codec || voice->to_hz != to_hz)
		begin(voice, codec, ssrc, to_hz);
	else if (voice->ssrc != ssrc)
		begin_again(voice, ssrc);
	if (voice->broken)
		return 0;
	if (!voice->resampler) {
		samples =
			codec->decode(voice->decoder, payload, bytes, pcm, TD_TIMELINE_PACKET_MAX);
		return samples < 0 ? 0 : (unsigned)samples;
	}
	samples = codec->decode(voice->decoder, payload, bytes, native, SAMPLES_MAX);
	if (samples <= 0)
		return 0;
	return (unsigned)td_resampler_process(voice->resampler, native, (size_t)samples, pcm);
}

void td_voice_fini(struct td_voice *voice)
{
	if (voice->decoder && voice->codec->decoder_fini)
		voice->codec->decoder_fini(voice->decoder);
	free(voice->decoder);
	td_resampler_destroy(voice->resampler);
	memset(voice, 0, sizeof *voice);
}

#include "payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"
#include "codecs/wav.h"
#include "mix/speech.h"

#define VOICE_S     10
#define OPUS_HZ     16000 // wideband speech, what telephony asks of Opus
#define OPUS_BPS    24000
#define OPUS_EFFORT 5

static _Noreturn void quit(const char *why)
{
	fprintf(stderr, "rtpblast: %s\n", why);
	exit(2);
}

// The speech at `hz`; caller frees.
static int16_t *speech(const char *wav, uint32_t hz, size_t *samples)
{
	char reason[TD_WAV_REASON_MAX];
	int16_t *pcm, *wanted;
	uint32_t file_hz;

	if (!wav) {
		*samples = (size_t)hz * VOICE_S;
		pcm = malloc(*samples * sizeof *pcm);
		if (!pcm)
			quit("no memory");
		td_speech_make(pcm, (uint32_t)*samples, hz, 1);
		return pcm;
	}
	if (td_wav_load(wav, &pcm, samples, &file_hz, reason) != 0)
		quit(reason);
	if (file_hz == hz)
		return pcm;
	if (td_wav_resample(pcm, *samples, file_hz, hz, &wanted, samples) != 0)
		quit("no memory");
	free(pcm);
	return wanted;
}

static void *start_encoder(const struct td_codec *codec, uint32_t hz)
{
	const struct td_codec_settings settings = { .bitrate_bps =
							    codec->bitrate_max_bps ? OPUS_BPS : 0,
						    .complexity = OPUS_EFFORT };
	size_t bytes = (codec->encoder_bytes + TD_CODEC_STATE_ALIGN - 1) &
		       ~(size_t)(TD_CODEC_STATE_ALIGN - 1);
	void *state = NULL;

	if (bytes) {
		state = aligned_alloc(TD_CODEC_STATE_ALIGN, bytes);
		if (!state)
			quit("no memory");
	}
	if (codec->encoder_init && codec->encoder_init(state, hz, &settings) != 0)
		quit("the codec refuses its settings");
	return state;
}

void td_payload_make(struct td_payload *payload, enum td_codec_id id, const char *wav)
{
	const struct td_codec *codec = td_codec_get(id);
	uint32_t hz, samples;
	int16_t *pcm;
	size_t total;
	void *state;

	if (!codec)
		quit("this build has no such codec");
	hz = id == TD_CODEC_OPUS ? OPUS_HZ : codec->rates[0];
	samples = hz * TD_PAYLOAD_PTIME_MS / 1000;
	pcm = speech(wav, hz, &total);
	state = start_encoder(codec, hz);
	payload->ticks = codec->clock_hz * TD_PAYLOAD_PTIME_MS / 1000;
	payload->count = (uint32_t)(total / samples);
	if (!payload->count)
		quit("the WAV file is shorter than a packet");
	payload->frames = calloc(payload->count, sizeof *payload->frames);
	if (!payload->frames)
		quit("no memory");
	for (uint32_t i = 0; i < payload->count; i++) {
		int bytes = codec->encode(state, pcm + (size_t)i * samples, samples,
					  payload->frames[i].data, TD_PAYLOAD_BYTES_MAX);

		if (bytes <= 0)
			quit("the codec does not code this speech");
		payload->frames[i].bytes = (uint16_t)bytes;
	}
	if (codec->encoder_fini)
		codec->encoder_fini(state);
	free(state);
	free(pcm);
}

void td_payload_free(struct td_payload *payload)
{
	free(payload->frames);
	payload->frames = NULL;
}

// Prompts: decoded once, encoded once per codec.
#include "media/prompts.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"
#include "codecs/tone.h"
#include "codecs/wav.h"
#include "net/checksum.h"

static const uint32_t rates_hz[TD_PROMPT_RATE_COUNT] = { 8000, 16000, 48000 };

static bool is_cached(enum td_codec_id id)
{
	const struct td_codec *codec = td_codec_get(id);

	return codec != NULL && strcmp(td_codec_encoding(id), "L16") != 0;
}

int td_prompts_create(uint32_t codecs, const struct td_codec_settings *settings,
		      struct td_prompts **out)
{
	*out = calloc(1, sizeof **out);
	if (*out == NULL)
		return -TD_EMEMORY;
	for (unsigned id = 1; id < TD_CODEC_COUNT; id++)
		if ((codecs >> id & 1u) && is_cached((enum td_codec_id)id))
			(*out)->codecs |= 1u << id;
	if (settings != NULL)
		(*out)->settings = *settings;
	(*out)->settings.flags &= (uint8_t)~TD_CODEC_DTX; // a listener may come in any pause
	return 0;
}

static void free_prompt(struct td_prompt *prompt)
{
	for (unsigned rate = 0; rate < TD_PROMPT_RATE_COUNT; rate++)
		free(prompt->pcm[rate]);
	for (unsigned codec = 0; codec < TD_CODEC_COUNT; codec++) {
		free(prompt->coding[codec].bytes);
		free(prompt->coding[codec].offsets);
		free(prompt->coding[codec].sums);
	}
}

void td_prompts_destroy(struct td_prompts *prompts)
{
	if (prompts == NULL)
		return;
	for (uint32_t i = 0; i < prompts->count; i++)
		free_prompt(&prompts->entries[i]);
	free(prompts);
}

static int check_name(const struct td_prompts *prompts, const char *name,
		      char reason[TD_PROMPT_REASON_MAX])
{
	size_t len = strnlen(name, TD_PROMPT_NAME_MAX);

	if (len == 0 || len == TD_PROMPT_NAME_MAX) {
		snprintf(reason, TD_PROMPT_REASON_MAX,
			 "prompt '%.40s': a name has 1 to %d characters", name,
			 TD_PROMPT_NAME_MAX - 1);
		return -TD_EINVALID;
	}
	for (uint32_t i = 0; i < prompts->count; i++) {
		if (strcmp(prompts->entries[i].name, name) == 0) {
			snprintf(reason, TD_PROMPT_REASON_MAX,
				 "prompt '%s': there are two of this name", name);
			return -TD_EEXISTS;
		}
	}
	if (prompts->count == TD_PROMPT_MAX) {
		snprintf(reason, TD_PROMPT_REASON_MAX,
			 "prompt '%s': more than the %d prompts there is room for", name,
			 TD_PROMPT_MAX);
		return -TD_EFULL;
	}
	return 0;
}

// The sound at one of the three rates, padded with silence to whole frames.
static int make_samples(struct td_prompt *prompt, unsigned rate, const int16_t *pcm, size_t samples,
			uint32_t sample_hz)
{
	size_t room = (size_t)prompt->frame_count * (rates_hz[rate] / 1000u * TD_PROMPT_FRAME_MS);
	int16_t *converted = NULL;
	int error;

	prompt->pcm[rate] = calloc(room, sizeof(int16_t));
	if (prompt->pcm[rate] == NULL)
		return -TD_EMEMORY;
	if (sample_hz != rates_hz[rate]) {
		error = td_wav_resample(pcm, samples, sample_hz, rates_hz[rate], &converted,
					&samples);
		if (error != 0)
			return error;
		pcm = converted;
	}
	memcpy(prompt->pcm[rate], pcm, (samples < room ? samples : room) * sizeof(int16_t));
	free(converted);
	return 0;
}

// The lowest of the three rates that the codec codes at and that loses nothing of the prompt; else
// its highest.
static uint32_t coding_hz(const struct td_codec *codec, uint32_t sample_hz)
{
	uint32_t hz = 0;

	for (unsigned i = 0; codec->rates[i] != 0; i++) {
		uint32_t rate = codec->rates[i];

		if (rate != 8000 && rate != 16000 && rate != 48000)
			continue;
		hz = rate;
		if (rate >= sample_hz)
			break;
	}
	return hz;
}

static int encode_frames(struct td_prompt *prompt, const struct td_codec *codec, void *state,
			 uint32_t hz)
{
	struct td_prompt_coding *coding = &prompt->coding[codec->id];
	uint32_t samples = hz / 1000u * TD_PROMPT_FRAME_MS;
	uint8_t payload[TD_RTP_PAYLOAD_MAX], *grown;
	size_t room = 0;

	for (uint32_t frame = 0; frame < prompt->frame_count; frame++) {
		int bytes = codec->encode(state, td_prompt_samples(prompt, hz, frame), samples,
					  payload, sizeof payload);
		size_t at = coding->offsets[frame];

		if (bytes < 0)
			return bytes;
		if (at + (size_t)bytes > room) {
			room = (at + (size_t)bytes) * 3u / 2u + 4096u;
			grown = realloc(coding->bytes, room);
			if (grown == NULL)
				return -TD_EMEMORY;
			coding->bytes = grown;
		}
		memcpy(coding->bytes + at, payload, (size_t)bytes);
		coding->sums[frame] = td_checksum_fold(td_checksum_add(0, payload, (size_t)bytes));
		coding->offsets[frame + 1u] = (uint32_t)(at + (size_t)bytes);
	}
	return 0;
}

static int encode(struct td_prompt *prompt, enum td_codec_id id,
		  const struct td_codec_settings *settings)
{
	const struct td_codec *codec = td_codec_get(id);
	struct td_prompt_coding *coding = &prompt->coding[id];
	uint32_t hz = coding_hz(codec, prompt->sample_hz);
	void *state = NULL;
	int error = 0;

	coding->offsets = calloc(prompt->frame_count + 1u, sizeof *coding->offsets);
	coding->sums = calloc(prompt->frame_count, sizeof *coding->sums);
	if (coding->offsets == NULL || coding->sums == NULL)
		return -TD_EMEMORY;
	if (codec->encoder_bytes > 0) {
		if (posix_memalign(&state, TD_CODEC_STATE_ALIGN, codec->encoder_bytes) != 0)
			return -TD_EMEMORY;
		error = codec->encoder_init(state, hz, settings);
	}
	if (error == 0) {
		error = encode_frames(prompt, codec, state, hz);
		if (codec->encoder_fini != NULL)
			codec->encoder_fini(state);
	}
	free(state);
	return error;
}

// Its samples are there: codes them, and counts it in. After an error it has never been.
static int finish(struct td_prompts *prompts, struct td_prompt *prompt, int error,
		  char reason[TD_PROMPT_REASON_MAX])
{
	for (unsigned id = 1; error == 0 && id < TD_CODEC_COUNT; id++)
		if (prompts->codecs >> id & 1u)
			error = encode(prompt, (enum td_codec_id)id, &prompts->settings);
	if (error == 0) {
		prompts->count++;
		return 0;
	}
	snprintf(reason, TD_PROMPT_REASON_MAX, "prompt '%s': %s", prompt->name,
		 td_error_text(error));
	free_prompt(prompt);
	return error;
}

static void name_prompt(struct td_prompt *prompt, const char *name, uint32_t frames,
			uint32_t sample_hz)
{
	memset(prompt, 0, sizeof *prompt);
	snprintf(prompt->name, sizeof prompt->name, "%s", name);
	prompt->frame_count = frames;
	prompt->duration_ms = frames * TD_PROMPT_FRAME_MS;
	prompt->sample_hz = sample_hz <= 8000u ? 8000u : sample_hz <= 16000u ? 16000u : 48000u;
}

int td_prompts_add(struct td_prompts *prompts, const char *name, const int16_t *pcm, size_t samples,
		   uint32_t sample_hz, char reason[TD_PROMPT_REASON_MAX])
{
	struct td_prompt *prompt = &prompts->entries[prompts->count];
	uint64_t frame_samples = (uint64_t)sample_hz * TD_PROMPT_FRAME_MS;
	int error = check_name(prompts, name, reason);

	if (error != 0)
		return error;
	if (samples == 0 || samples > (uint64_t)TD_PROMPT_SECONDS_MAX * sample_hz) {
		snprintf(reason, TD_PROMPT_REASON_MAX,
			 "prompt '%s': %zu samples at %u Hz, expected 1 to %u seconds of audio",
			 name, samples, sample_hz, TD_PROMPT_SECONDS_MAX);
		return -TD_EINVALID;
	}
	name_prompt(prompt, name,
		    (uint32_t)((samples * 1000u + frame_samples - 1u) / frame_samples), sample_hz);
	for (unsigned rate = 0; error == 0 && rate < TD_PROMPT_RATE_COUNT; rate++)
		error = make_samples(prompt, rate, pcm, samples, sample_hz);
	return finish(prompts, prompt, error, reason);
}

// One period of a tone, rendered at each rate: so that it loops without a click at all of them.
static int render(struct td_prompt *prompt, const struct td_tone_plan *tone)
{
	for (unsigned rate = 0; rate < TD_PROMPT_RATE_COUNT; rate++) {
		size_t samples =
			(size_t)prompt->frame_count * (rates_hz[rate] / 1000u * TD_PROMPT_FRAME_MS);
		int error;

		prompt->pcm[rate] = calloc(samples, sizeof(int16_t));
		if (prompt->pcm[rate] == NULL)
			return -TD_EMEMORY;
		error = tone == NULL ? 0
				     : td_tone_render(tone, rates_hz[rate], 0, prompt->pcm[rate],
						      samples);
		if (error != 0)
			return error;
	}
	return 0;
}

static int add_tone(struct td_prompts *prompts, const char *name, const struct td_tone_plan *tone,
		    char reason[TD_PROMPT_REASON_MAX])
{
	struct td_prompt *prompt = &prompts->entries[prompts->count];
	uint32_t samples = tone == NULL ? 8000u : td_tone_period_samples(tone, 8000u);
	int error = check_name(prompts, name, reason);

	if (error == -TD_EEXISTS)
		return 0; // the operator has one of that name, and means it
	if (error != 0)
		return error;
	name_prompt(prompt, name, samples / (8u * TD_PROMPT_FRAME_MS), 8000u);
	return finish(prompts, prompt, render(prompt, tone), reason);
}

int td_prompts_add_tones(struct td_prompts *prompts, char reason[TD_PROMPT_REASON_MAX])
{
	int error = add_tone(prompts, "silence", NULL, reason);

	for (size_t i = 0; error == 0 && i < td_tone_count(); i++)
		error = add_tone(prompts, td_tone_at(i)->name, td_tone_at(i), reason);
	return error;
}

int td_prompts_load(struct td_prompts *prompts, const char *name, const char *path,
		    char reason[TD_PROMPT_REASON_MAX])
{
	char why[TD_WAV_REASON_MAX];
	int16_t *pcm = NULL;
	size_t samples = 0;
	uint32_t sample_hz;
	int error = td_wav_load(path, &pcm, &samples, &sample_hz, why);

	if (error != 0) {
		snprintf(reason, TD_PROMPT_REASON_MAX, "prompt '%.40s': %s", name, why);
		return error;
	}
	error = td_prompts_add(prompts, name, pcm, samples, sample_hz, reason);
	free(pcm);
	return error;
}

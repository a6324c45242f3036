// Prompts: decoded once, encoded once per codec.
#include "media/prompts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"
#include "codecs/wav.h"

#define FRAME_MS 20u

int td_prompts_create(struct td_prompts **out)
{
	*out = calloc(1, sizeof **out);
	return *out == NULL ? -TD_EMEMORY : 0;
}

static void free_prompt(struct td_prompt *prompt)
{
	for (unsigned codec = 0; codec < TD_CODEC_COUNT; codec++)
		free(prompt->payload[codec]);
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

static int encode(struct td_prompt *prompt, enum td_codec_id id, const int16_t *pcm, size_t samples)
{
	const struct td_codec *codec = td_codec_get(id);
	size_t bytes = (size_t)prompt->frame_count * TD_PROMPT_FRAME_SAMPLES;
	int16_t silence[TD_PROMPT_FRAME_SAMPLES] = { 0 };
	uint8_t *payload = malloc(bytes);
	int wrote;

	if (payload == NULL)
		return -TD_EMEMORY;
	prompt->payload[id] = payload;
	wrote = codec->encode(NULL, pcm, samples, payload, bytes);
	if (wrote < 0)
		return wrote;
	wrote = codec->encode(NULL, silence, bytes - samples, payload + samples, bytes - samples);
	return wrote < 0 ? wrote : 0;
}

int td_prompts_add(struct td_prompts *prompts, const char *name, const int16_t *pcm, size_t samples,
		   char reason[TD_PROMPT_REASON_MAX])
{
	struct td_prompt *prompt = &prompts->entries[prompts->count];
	int error = check_name(prompts, name, reason);

	if (error != 0)
		return error;
	if (samples == 0 || samples > (size_t)TD_PROMPT_SECONDS_MAX * TD_WAV_RATE_HZ) {
		snprintf(reason, TD_PROMPT_REASON_MAX,
			 "prompt '%s': %zu samples at 8 kHz, expected 1 to %u seconds of audio",
			 name, samples, TD_PROMPT_SECONDS_MAX);
		return -TD_EINVALID;
	}
	memset(prompt, 0, sizeof *prompt);
	snprintf(prompt->name, sizeof prompt->name, "%s", name);
	prompt->frame_count =
		(uint32_t)((samples + TD_PROMPT_FRAME_SAMPLES - 1) / TD_PROMPT_FRAME_SAMPLES);
	prompt->duration_ms = prompt->frame_count * FRAME_MS;
	error = encode(prompt, TD_CODEC_PCMU, pcm, samples);
	if (error == 0)
		error = encode(prompt, TD_CODEC_PCMA, pcm, samples);
	if (error != 0) {
		free_prompt(prompt);
		snprintf(reason, TD_PROMPT_REASON_MAX, "prompt '%s': %s", name,
			 td_error_text(error));
		return error;
	}
	prompts->count++;
	return 0;
}

int td_prompts_load(struct td_prompts *prompts, const char *name, const char *path,
		    char reason[TD_PROMPT_REASON_MAX])
{
	char why[TD_WAV_REASON_MAX];
	int16_t *pcm = NULL;
	size_t samples = 0;
	int error = td_wav_load(path, &pcm, &samples, why);

	if (error != 0) {
		snprintf(reason, TD_PROMPT_REASON_MAX, "prompt '%.40s': %s", name, why);
		return error;
	}
	error = td_prompts_add(prompts, name, pcm, samples, reason);
	free(pcm);
	return error;
}

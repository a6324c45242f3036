// Prompts: what players play, encoded once per codec and shared by all of them.
//
//   WAV file --load--> int16 8 kHz --encode--> payload[PCMU], payload[PCMA]   one byte a sample
//
// Loaded at start-up by the main thread, immutable afterwards, so workers read them without care.
// A prompt is padded with silence to whole frames of 20 ms; at most TD_PROMPT_MAX, each at most
// TD_PROMPT_SECONDS_MAX long.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "td_codec_id.h"
#include "td_error.h"
#include "td_limits.h"

#define TD_PROMPT_FRAME_SAMPLES 160 // 20 ms
#define TD_PROMPT_SECONDS_MAX   3600
#define TD_PROMPT_REASON_MAX    256

struct td_prompt {
	char name[TD_PROMPT_NAME_MAX];
	uint8_t *payload[TD_CODEC_COUNT]; // NULL: not in this codec
	uint32_t frame_count;
	uint32_t duration_ms;
};

struct td_prompts {
	struct td_prompt entries[TD_PROMPT_MAX];
	uint32_t count;
};

TD_MUST_CHECK int td_prompts_create(struct td_prompts **out);
void td_prompts_destroy(struct td_prompts *prompts);

// Adds a WAV file as the next prompt. -TD_EFULL, -TD_EEXISTS, -TD_EMEMORY or what loading says,
// with one sentence in `reason`.
TD_MUST_CHECK int td_prompts_load(struct td_prompts *prompts, const char *name, const char *path,
				  char reason[TD_PROMPT_REASON_MAX]);
// The same from samples at 8 kHz.
TD_MUST_CHECK int td_prompts_add(struct td_prompts *prompts, const char *name, const int16_t *pcm,
				 size_t samples, char reason[TD_PROMPT_REASON_MAX]);

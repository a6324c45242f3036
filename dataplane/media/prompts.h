// Prompts: what players play, decoded once, encoded once per codec in use, shared by all of them.
//
//   WAV file or tone --> int16 at 8, 16 and 48 kHz --encode--> frames[PCMU], frames[opus], ...
//
// Loaded at start-up by the main thread, immutable afterwards, so workers read them without care.
// A prompt is padded with silence to whole frames of 20 ms; at most TD_PROMPT_MAX, each at most
// TD_PROMPT_SECONDS_MAX long. The codecs in use are those the configuration allows; a second of
// sound takes about 8 KB for each of G.711 and G.722, 3 KB for Opus, and 144 KB as samples.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "td_codec_id.h"
#include "td_error.h"
#include "td_limits.h"

#define TD_PROMPT_FRAME_MS    20u
#define TD_PROMPT_SECONDS_MAX 3600
#define TD_PROMPT_REASON_MAX  256
#define TD_PROMPT_RATE_COUNT  3 // 8, 16 and 48 kHz

// All frames of a prompt in one codec. An empty one is not sent (DTX).
struct td_prompt_coding {
	uint8_t *bytes;    // NULL: not in this codec
	uint32_t *offsets; // [frame_count + 1]
	uint16_t *sums;    // of each frame: the folded Internet checksum's part
};

struct td_prompt {
	char name[TD_PROMPT_NAME_MAX];
	int16_t *pcm[TD_PROMPT_RATE_COUNT]; // frame_count frames each
	struct td_prompt_coding coding[TD_CODEC_COUNT];
	uint32_t frame_count;
	uint32_t duration_ms;
	uint32_t sample_hz; // the highest rate worth playing it at
};

struct td_prompts {
	struct td_prompt entries[TD_PROMPT_MAX];
	uint32_t count;
	uint32_t codecs;                   // bit c: they are encoded in codec c
	struct td_codec_settings settings; // of Opus
};

// `codecs`: bits of enum td_codec_id; unknown ones are left out, and L16 is made of the samples.
TD_MUST_CHECK int td_prompts_create(uint32_t codecs, const struct td_codec_settings *settings,
				    struct td_prompts **out);
void td_prompts_destroy(struct td_prompts *prompts);

// Adds a WAV file as the next prompt. -TD_EFULL, -TD_EEXISTS, -TD_EMEMORY or what loading says,
// with one sentence in `reason`.
TD_MUST_CHECK int td_prompts_load(struct td_prompts *prompts, const char *name, const char *path,
				  char reason[TD_PROMPT_REASON_MAX]);
// The same from samples.
TD_MUST_CHECK int td_prompts_add(struct td_prompts *prompts, const char *name, const int16_t *pcm,
				 size_t samples, uint32_t sample_hz,
				 char reason[TD_PROMPT_REASON_MAX]);

// Adds every tone of codecs/tone.h by its name ("us.ringback", "dtmf.5"), one period each, meant to
// be looped, and a second of "silence". A name that is taken already stays whose it is.
TD_MUST_CHECK int td_prompts_add_tones(struct td_prompts *prompts,
				       char reason[TD_PROMPT_REASON_MAX]);

// The samples of one frame at 8000, 16000 or 48000 Hz.
static inline const int16_t *td_prompt_samples(const struct td_prompt *prompt, uint32_t rate_hz,
					       uint32_t frame)
{
	unsigned rate = rate_hz == 8000u ? 0 : rate_hz == 16000u ? 1u : 2u;

	return prompt->pcm[rate] + (size_t)frame * (rate_hz / 1000u * TD_PROMPT_FRAME_MS);
}

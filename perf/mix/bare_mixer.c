#include "mix/bare_mixer.h"

#include <stdio.h>
#include <stdlib.h>

#include "codecs/g711.h"
#include "codecs/mix_kernel.h"
#include "cpu_clock.h"

#define SAMPLES 160u

struct td_bare_mixer {
	uint32_t rooms, parties;
	uint8_t (*said)[SAMPLES];
	int16_t (*pcm)[SAMPLES];
	uint8_t (*heard)[SAMPLES];
};

struct td_bare_mixer *td_bare_mixer_create(uint32_t rooms, uint32_t parties)
{
	struct td_bare_mixer *mixer = malloc(sizeof *mixer);
	size_t all = (size_t)rooms * parties;

	if (mixer != NULL) {
		*mixer = (struct td_bare_mixer){ rooms, parties, NULL, NULL, NULL };
		mixer->said = calloc(all, sizeof *mixer->said);
		mixer->pcm = calloc(all, sizeof *mixer->pcm);
		mixer->heard = calloc(all, sizeof *mixer->heard);
	}
	if (mixer == NULL || mixer->said == NULL || mixer->pcm == NULL || mixer->heard == NULL) {
		fprintf(stderr, "conf: no memory\n");
		exit(2);
	}
	return mixer;
}

void td_bare_mixer_destroy(struct td_bare_mixer *mixer)
{
	free(mixer->said);
	free(mixer->pcm);
	free(mixer->heard);
	free(mixer);
}

uint8_t *td_bare_mixer_said(struct td_bare_mixer *mixer, uint32_t party)
{
	return mixer->said[party];
}

const uint8_t *td_bare_mixer_heard(const struct td_bare_mixer *mixer, uint32_t party)
{
	return mixer->heard[party];
}

uint64_t td_bare_mixer_round(void *user)
{
	struct td_bare_mixer *mixer = user;
	uint64_t start_ns = td_cpu_ns();
	int32_t sum[SAMPLES];
	int16_t out[SAMPLES];

	for (uint32_t room = 0; room < mixer->rooms; room++) {
		uint32_t first = room * mixer->parties, last = first + mixer->parties;

		td_mix_clear(sum, SAMPLES);
		for (uint32_t i = first; i < last; i++) {
			td_g711_ulaw_decode(mixer->pcm[i], mixer->said[i], SAMPLES);
			td_mix_add(sum, mixer->pcm[i], SAMPLES);
		}
		for (uint32_t i = first; i < last; i++) {
			td_mix_minus(out, sum, mixer->pcm[i], SAMPLES);
			td_g711_ulaw_encode(mixer->heard[i], out, SAMPLES);
		}
	}
	return td_cpu_ns() - start_ns;
}

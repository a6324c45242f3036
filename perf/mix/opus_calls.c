#include "mix/opus_calls.h"

#include <stdio.h>
#include <stdlib.h>

#include "mix/speech.h"

#define FRAMES  50u
#define SAID_HZ 16000u

const struct td_codec_settings td_opus_calls_settings = {
	.bitrate_bps = 24000, .complexity = 5, .flags = TD_CODEC_FEC, .loss_percent = 5
};

void td_opus_calls_open(struct td_opus_calls *calls, struct td_hall *hall)
{
	static int16_t pcm[FRAMES * SAID_HZ / 50u];

	*calls = (struct td_opus_calls){ .hall = hall };
	calls->contexts = calloc(hall->count / 2u, sizeof *calls->contexts);
	if (calls->contexts == NULL) {
		fprintf(stderr, "perf: no memory for calls\n");
		exit(2);
	}
	td_speech_make(pcm, FRAMES * 160u, 8000, 1);
	calls->said[0] = td_loop_create(TD_CODEC_PCMU, 8000, NULL, pcm, FRAMES);
	td_speech_make(pcm, FRAMES * SAID_HZ / 50u, SAID_HZ, 1);
	calls->said[1] =
		td_loop_create(TD_CODEC_OPUS, SAID_HZ, &td_opus_calls_settings, pcm, FRAMES);
}

void td_opus_calls_close(struct td_opus_calls *calls)
{
	td_loop_free(calls->said[0]);
	td_loop_free(calls->said[1]);
	free(calls->contexts);
}

static void make(struct td_opus_calls *calls)
{
	static const enum td_codec_id codecs[2] = { TD_CODEC_PCMU, TD_CODEC_OPUS };
	struct td_hall *hall = calls->hall;

	calls->contexts[calls->made] = td_bench_context(hall->bench);
	for (uint32_t i = 0; i < 2; i++)
		td_hall_join(hall, 2u * calls->made + i, calls->contexts[calls->made], codecs[i],
			     &td_opus_calls_settings);
	calls->made++;
}

static void connect(struct td_opus_calls *calls, uint32_t call, uint32_t gain_q12)
{
	const struct td_party *parties = &calls->hall->parties[2u * call];
	struct td_member members[2] = { { TD_MEMBER_STREAM, parties[0].stream.id.v },
					{ TD_MEMBER_STREAM, parties[1].stream.id.v } };
	struct td_cell cells[2] = { { members[0], members[1], (uint16_t)gain_q12 },
				    { members[1], members[0], (uint16_t)gain_q12 } };

	td_bench_edit(calls->hall->bench, calls->contexts[call], cells, 2);
}

// By the golden section: whatever slots the calls are in, all of the loops is said in each.
uint32_t td_opus_calls_begin(uint32_t call)
{
	return call * 618u * FRAMES / 1000u % FRAMES;
}

void td_opus_calls_add(struct td_opus_calls *calls)
{
	uint32_t call = calls->count++;

	if (call == calls->made)
		make(calls);
	for (uint32_t i = 0; i < 2; i++)
		td_hall_say(calls->hall, 2u * call + i, calls->said[i], td_opus_calls_begin(call));
	connect(calls, call, TD_GAIN_UNITY);
}

void td_opus_calls_drop(struct td_opus_calls *calls)
{
	uint32_t call = --calls->count;

	for (uint32_t i = 0; i < 2; i++)
		td_hall_hush(calls->hall, 2u * call + i);
	connect(calls, call, 0);
}

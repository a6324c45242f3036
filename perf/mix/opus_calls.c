#include "mix/opus_calls.h"

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
}

void td_opus_calls_add(struct td_opus_calls *calls)
{
	static const enum td_codec_id codecs[2] = { TD_CODEC_PCMU, TD_CODEC_OPUS };
	struct td_hall *hall = calls->hall;
	struct td_context_id context = td_bench_context(hall->bench);
	uint32_t first = 2u * calls->count++;
	struct td_member members[2];
	struct td_cell cells[2];

	for (uint32_t i = 0; i < 2; i++) {
		td_hall_join(hall, first + i, context, codecs[i], &td_opus_calls_settings);
		members[i] = (struct td_member){ TD_MEMBER_STREAM,
						 hall->parties[first + i].stream.id.v };
		td_hall_say(hall, first + i, calls->said[i], first * 7u);
	}
	cells[0] = (struct td_cell){ members[0], members[1], TD_GAIN_UNITY };
	cells[1] = (struct td_cell){ members[1], members[0], TD_GAIN_UNITY };
	td_bench_edit(hall->bench, context, cells, 2);
}

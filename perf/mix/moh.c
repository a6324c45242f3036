// perf/run moh: 10,000 callers on music, beside a loop that copies one payload into 10,000 packets.
//
// All of them in one context with one player, and each in a context of its own with its own player,
// as callers in a queue are; in three codecs. Everything that anybody hears is compared with the
// prompt's frames, each the one after the frame before.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu_clock.h"
#include "media/prompts.h"
#include "mix/options.h"
#include "mix/speech.h"

#define CALLERS  10000u
#define MUSIC_HZ 16000u
#define SECONDS  4u
#define PAYLOAD  160u
#define MBUFS    32767
#define SEED     20265
#define CHECKED  12 // rounds
#define UNHEARD  UINT32_MAX

struct moh {
	struct td_bench bench;
	struct td_hall hall;
	struct td_prompts *prompts;
	enum td_codec_id codec;
	uint32_t *next; // the frame that a caller must hear next
	uint64_t checked, wrong;
};

struct copies {
	struct rte_mbuf **mbufs;
	uint8_t payload[PAYLOAD];
	uint32_t bytes;
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "moh: %s\n", what);
	exit(2);
}

static uint64_t copy_round(void *user)
{
	struct copies *copies = user;
	uint64_t start_ns = td_cpu_ns();

	for (uint32_t i = 0; i < CALLERS; i++)
		memcpy(rte_pktmbuf_mtod_offset(copies->mbufs[i], uint8_t *, TD_BENCH_HEADERS),
		       copies->payload, copies->bytes);
	return td_cpu_ns() - start_ns;
}

static bool is_frame(const struct moh *moh, uint32_t frame, const uint8_t *payload, uint32_t bytes)
{
	const struct td_prompt_coding *coding = &moh->prompts->entries[0].coding[moh->codec];

	return bytes == coding->offsets[frame + 1u] - coding->offsets[frame] &&
	       memcmp(payload, coding->bytes + coding->offsets[frame], bytes) == 0;
}

static void compare(void *user, uint32_t party, const uint8_t *payload, uint32_t bytes)
{
	struct moh *moh = user;
	uint32_t count = moh->prompts->entries[0].frame_count, frame = moh->next[party];

	if (frame == UNHEARD)
		for (frame = 0; frame < count - 1u && !is_frame(moh, frame, payload, bytes);)
			frame++;
	moh->checked++;
	moh->wrong += !is_frame(moh, frame, payload, bytes);
	moh->next[party] = (frame + 1u) % count;
}

static bool check(struct moh *moh)
{
	for (uint32_t i = 0; i < CALLERS; i++)
		moh->next[i] = UNHEARD;
	moh->checked = moh->wrong = 0;
	moh->hall.hear = compare;
	moh->hall.user = moh;
	for (uint32_t i = 0; i < CHECKED; i++)
		td_hall_round(&moh->hall);
	moh->hall.hear = NULL;
	if (moh->wrong != 0)
		fprintf(stderr, "moh: %llu of %llu frames differ\n", (unsigned long long)moh->wrong,
			(unsigned long long)moh->checked);
	return moh->wrong == 0 && moh->checked >= (CHECKED - 1ull) * CALLERS;
}

static struct td_player_id make_player(struct moh *moh, struct td_context_id context)
{
	struct td_command command = { .kind = TD_COMMAND_PLAYER_CREATE };
	struct td_event answer;

	command.u.player_create.context = context;
	command.u.player_create.loop = 1;
	command.u.player_create.item_count = 1;
	td_bench_call(&moh->bench, &command, &answer);
	return answer.u.player;
}

static void let_hear(struct moh *moh, struct td_context_id context, struct td_player_id player,
		     uint32_t caller)
{
	struct td_cell cell = {
		{ TD_MEMBER_PLAYER, player.v },
		{ TD_MEMBER_STREAM, moh->hall.parties[caller].stream.id.v },
		TD_GAIN_UNITY,
	};

	td_bench_edit(&moh->bench, context, &cell, 1);
}

static uint64_t bench_codec(const struct td_mix_options *options, struct moh *moh, bool together,
			    struct rte_mempool *pool, struct copies *copies)
{
	char name[32], port_name[32];
	struct td_bench_options bench = { .name = port_name,
					  .stream_count = CALLERS,
					  .mixed_count = 1,
					  .prompts = moh->prompts,
					  .pool = pool,
					  .seed = SEED };
	struct td_mix_row row = { .bench = "moh",
				  .case_name = name,
				  .unit = "ns/caller",
				  .reference_name = "bare copies",
				  .hall = &moh->hall,
				  .divisor = CALLERS,
				  .one = TD_STAGE_SEND,
				  .reference = copy_round,
				  .user = copies,
				  .reference_divisor = CALLERS };
	struct td_context_id context = { 0 };
	struct td_player_id player = { 0 };
	uint64_t failed;

	snprintf(name, sizeof name, "%s, %s", td_codec_name(moh->codec),
		 together ? "one player" : "a player each");
	snprintf(port_name, sizeof port_name, "moh%d%d", (int)moh->codec, together);
	copies->bytes = moh->prompts->entries[0].coding[moh->codec].offsets[1];
	td_bench_open(&moh->bench, &bench);
	td_hall_open(&moh->hall, &moh->bench, CALLERS);
	for (uint32_t i = 0; i < CALLERS; i++) {
		if (i == 0 || !together) {
			context = td_bench_context(&moh->bench);
			player = make_player(moh, context);
		}
		td_hall_join(&moh->hall, i, context, moh->codec, NULL);
		let_hear(moh, context, player, i);
	}
	td_bench_resolve(&moh->bench);
	row.wrong = !check(moh);
	failed = td_mix_measure(options, &row, CALLERS);
	td_bench_close(&moh->bench);
	td_hall_close(&moh->hall);
	return failed;
}

static void make_music(struct moh *moh)
{
	const struct td_codec_settings settings = { .bitrate_bps = 24000, .complexity = 5 };
	static int16_t pcm[SECONDS * MUSIC_HZ];
	char reason[TD_PROMPT_REASON_MAX];

	td_speech_make(pcm, SECONDS * MUSIC_HZ, MUSIC_HZ, 3);
	must(td_prompts_create(1u << TD_CODEC_PCMU | 1u << TD_CODEC_G722 | 1u << TD_CODEC_OPUS,
			       &settings, &moh->prompts) == 0,
	     "no memory");
	must(td_prompts_add(moh->prompts, "music", pcm, SECONDS * MUSIC_HZ, MUSIC_HZ, reason) == 0,
	     reason);
}

int main(int argc, char **argv)
{
	static const enum td_codec_id codecs[] = { TD_CODEC_PCMU, TD_CODEC_G722, TD_CODEC_OPUS };
	static struct moh moh;
	struct td_mix_options options = td_mix_options_parse(argc, argv);
	struct rte_mempool *pool = td_bench_eal("moh", "0", MBUFS);
	struct copies copies = { .mbufs = calloc(CALLERS, sizeof(struct rte_mbuf *)) };
	uint64_t failed = 0;

	moh.next = calloc(CALLERS, sizeof *moh.next);
	must(moh.next != NULL && copies.mbufs != NULL &&
		     rte_pktmbuf_alloc_bulk(pool, copies.mbufs, CALLERS) == 0,
	     "no memory");
	make_music(&moh);
	for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
		moh.codec = codecs[i];
		failed += bench_codec(&options, &moh, false, pool, &copies);
		failed += bench_codec(&options, &moh, true, pool, &copies);
	}
	td_prompts_destroy(moh.prompts);
	return failed != 0;
}

// perf/run conf: G.711 conferences, packet in to packet out, beside a mixer without packets.
//
// Everybody talks: rooms of 3, 10, 100 and 1,000, about 3,000 parties in all, and one of 10,000. Each says 20 ms of
// noise of its own, over and over, so what it must hear is known to the bit; all change to other
// noise at the end and it is compared again, so old audio would be noticed.
//
// And one room of three talkers and 10,000 who only listen, half of them with A-law, beside a loop
// that copies one payload into as many packets; --listeners N: only that, with N.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu_clock.h"
#include "mix/bare_mixer.h"
#include "mix/options.h"

#define PARTIES     3000u
#define TALKERS     3u
#define AUDIENCE    10000u
#define SAMPLES     160u
#define LOUDNESS    500 // at most, of 32,768: a thousand of them do not saturate
#define HUSHED      100 // nor ten thousand of these
#define MBUFS       24575
#define SEED        20263
#define SETTLE      25 // rounds
#define CHECKED     10 // rounds

#define COPY_PREFIX TD_BENCH_HEADERS

struct conf {
	struct td_bench bench;
	struct td_hall hall;
	uint32_t parties; // in all
	struct td_loop **voices;
	struct td_bare_mixer *mixer;
	uint64_t checked, wrong;
};

static uint32_t random_next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

// Twenty milliseconds of noise, a different one for every seed.
static struct td_loop *make_voice(uint32_t seed, uint32_t loudness)
{
	int16_t pcm[SAMPLES];

	for (uint32_t i = 0; i < SAMPLES; i++)
		pcm[i] = (int16_t)((int32_t)(random_next(&seed) % (2u * loudness)) -
				   (int32_t)loudness);
	return td_loop_create(TD_CODEC_PCMU, 8000, NULL, pcm, 1);
}

// Everybody who talks says something new; the bare mixer says what they must hear.
static void change_voices(struct conf *conf, uint32_t talkers, uint32_t seed)
{
	for (uint32_t i = 0; i < talkers; i++) {
		struct td_loop *voice =
			make_voice(seed + i * 7919u, talkers > PARTIES ? HUSHED : LOUDNESS);

		td_hall_say(&conf->hall, i, voice, 0);
		td_loop_free(conf->voices[i]);
		conf->voices[i] = voice;
		memcpy(td_bare_mixer_said(conf->mixer, i), voice->frames[0].payload, SAMPLES);
	}
	td_bare_mixer_round(conf->mixer);
}

static void compare(void *user, uint32_t party, const uint8_t *payload, uint32_t bytes)
{
	struct conf *conf = user;

	conf->checked++;
	conf->wrong += bytes != SAMPLES ||
		       memcmp(payload, td_bare_mixer_heard(conf->mixer, party), SAMPLES) != 0;
}

// A few rounds in which all that everybody hears is compared.
static bool check(struct conf *conf)
{
	for (int i = 0; i < SETTLE; i++)
		td_hall_round(&conf->hall);
	conf->checked = conf->wrong = 0;
	conf->hall.hear = compare;
	for (int i = 0; i < CHECKED; i++)
		td_hall_round(&conf->hall);
	conf->hall.hear = NULL;
	if (conf->wrong != 0)
		fprintf(stderr, "conf: %llu of %llu frames differ\n",
			(unsigned long long)conf->wrong, (unsigned long long)conf->checked);
	return conf->wrong == 0 && conf->checked >= (uint64_t)(CHECKED - 1) * conf->hall.count;
}

static void confer(struct conf *conf, struct td_context_id context, uint32_t party, bool talks)
{
	struct td_member member = { TD_MEMBER_STREAM, conf->hall.parties[party].stream.id.v };
	struct td_member floor = { TD_MEMBER_FLOOR, 0 };
	struct td_cell cells[2] = { { floor, member, TD_GAIN_UNITY },
				    { member, floor, TD_GAIN_UNITY } };

	td_bench_edit(&conf->bench, context, cells, talks ? 2 : 1);
}

static void open_conf(struct conf *conf, const char *name, struct rte_mempool *pool,
		      uint32_t parties)
{
	struct td_bench_options options = { .name = name,
					    .stream_count = parties,
					    .mixed_count = parties,
					    .pool = pool,
					    .seed = SEED };

	*conf = (struct conf){ .parties = parties };
	conf->voices = calloc(parties, sizeof(struct td_loop *));
	if (conf->voices == NULL)
		exit(2);
	td_bench_open(&conf->bench, &options);
	td_hall_open(&conf->hall, &conf->bench, parties);
	conf->hall.user = conf;
}

static void close_conf(struct conf *conf)
{
	td_bench_close(&conf->bench);
	td_hall_close(&conf->hall);
	for (uint32_t i = 0; i < conf->parties; i++)
		td_loop_free(conf->voices[i]);
	free(conf->voices);
	td_bare_mixer_destroy(conf->mixer);
}

static uint64_t bench_rooms(const struct td_mix_options *options, uint32_t room,
			    struct rte_mempool *pool)
{
	uint32_t rooms = room < PARTIES ? PARTIES / room : 1u, parties = rooms * room;
	char port_name[16], case_name[32];
	struct conf conf;
	struct td_mix_row row = { .bench = "conf",
				  .unit = "ns/participant",
				  .reference_name = "bare mixer",
				  .divisor = parties,
				  .one = TD_STAGE_JITTER,
				  .reference = td_bare_mixer_round,
				  .reference_divisor = parties };
	uint64_t failed;

	snprintf(port_name, sizeof port_name, "conf%u", room);
	snprintf(case_name, sizeof case_name, "%u parties", room);
	row.case_name = case_name;
	open_conf(&conf, port_name, pool, parties);
	row.hall = &conf.hall;
	row.user = conf.mixer = td_bare_mixer_create(rooms, room);
	for (uint32_t i = 0; i < rooms; i++) {
		struct td_context_id context = td_bench_context(&conf.bench);

		for (uint32_t party = i * room; party < (i + 1u) * room; party++) {
			td_hall_join(&conf.hall, party, context, TD_CODEC_PCMU, NULL);
			confer(&conf, context, party, true);
		}
	}
	td_bench_resolve(&conf.bench);
	change_voices(&conf, parties, 1);
	row.wrong = !check(&conf);
	failed = td_mix_measure(options, &row, parties);
	change_voices(&conf, parties, 1000003);
	if (!check(&conf)) {
		fprintf(stderr, "conf: %s: old audio\n", case_name);
		failed++;
	}
	close_conf(&conf);
	return failed;
}

// The reference of the listeners: one payload into so many packets.
struct copies {
	struct rte_mbuf **mbufs;
	uint32_t count;
	uint8_t payload[SAMPLES];
};

static uint64_t copy_round(void *user)
{
	struct copies *copies = user;
	uint64_t start_ns = td_cpu_ns();

	for (uint32_t i = 0; i < copies->count; i++)
		memcpy(rte_pktmbuf_mtod_offset(copies->mbufs[i], uint8_t *, COPY_PREFIX),
		       copies->payload, SAMPLES);
	return td_cpu_ns() - start_ns;
}

static void open_copies(struct copies *copies, struct rte_mempool *pool, uint32_t count)
{
	*copies = (struct copies){ .count = count };
	copies->mbufs = calloc(count, sizeof(struct rte_mbuf *));
	if (copies->mbufs == NULL || rte_pktmbuf_alloc_bulk(pool, copies->mbufs, count) != 0) {
		fprintf(stderr, "conf: the pool is too small\n");
		exit(2);
	}
}

// What the audience must hear, in either law: all three talkers.
struct audience {
	struct conf conf;
	uint8_t expected[2][SAMPLES];
	uint64_t checked, wrong;
};

static void compare_listener(void *user, uint32_t party, const uint8_t *payload, uint32_t bytes)
{
	struct audience *audience = user;

	if (party < TALKERS)
		return;
	audience->checked++;
	audience->wrong +=
		bytes != SAMPLES || memcmp(payload, audience->expected[party % 2u], SAMPLES) != 0;
}

static bool check_audience(struct audience *audience)
{
	const struct td_codec *law[2] = { td_codec_get(TD_CODEC_PCMU),
					  td_codec_get(TD_CODEC_PCMA) };
	int16_t sum[SAMPLES] = { 0 }, pcm[SAMPLES];
	uint32_t listeners = audience->conf.hall.count - TALKERS;

	for (uint32_t i = 0; i < TALKERS; i++) {
		law[0]->decode(NULL, audience->conf.voices[i]->frames[0].payload, SAMPLES, pcm,
			       SAMPLES);
		for (uint32_t j = 0; j < SAMPLES; j++)
			sum[j] = (int16_t)(sum[j] + pcm[j]);
	}
	for (int i = 0; i < 2; i++)
		law[i]->encode(NULL, sum, SAMPLES, audience->expected[i], SAMPLES);
	for (int i = 0; i < SETTLE; i++)
		td_hall_round(&audience->conf.hall);
	audience->checked = audience->wrong = 0;
	audience->conf.hall.hear = compare_listener;
	for (int i = 0; i < CHECKED; i++)
		td_hall_round(&audience->conf.hall);
	audience->conf.hall.hear = NULL;
	return audience->wrong == 0 && audience->checked >= (CHECKED - 1ull) * listeners;
}

static uint64_t bench_listeners(const struct td_mix_options *options, struct rte_mempool *pool)
{
	uint32_t listeners = options->listeners, parties = listeners + TALKERS;
	char case_name[32];
	struct copies copies;
	struct audience audience = { .checked = 0 };
	struct conf *conf = &audience.conf;
	struct td_context_id context;
	struct td_mix_row row = { .bench = "conf",
				  .unit = "ns/listener",
				  .reference_name = "bare copies",
				  .hall = &conf->hall,
				  .divisor = listeners,
				  .one = TD_STAGE_SEND,
				  .reference = copy_round,
				  .user = &copies,
				  .reference_divisor = listeners };
	uint64_t failed;

	snprintf(case_name, sizeof case_name, "%u listeners", listeners);
	row.case_name = case_name;
	open_conf(conf, "listeners", pool, parties);
	conf->hall.user = &audience;
	conf->mixer = td_bare_mixer_create(1, TALKERS);
	open_copies(&copies, pool, listeners);
	context = td_bench_context(&conf->bench);
	for (uint32_t i = 0; i < parties; i++) {
		td_hall_join(&conf->hall, i, context,
			     i < TALKERS || i % 2u == 0 ? TD_CODEC_PCMU : TD_CODEC_PCMA, NULL);
		confer(conf, context, i, i < TALKERS);
	}
	td_bench_resolve(&conf->bench);
	change_voices(conf, TALKERS, 1);
	row.wrong = !check_audience(&audience);
	failed = td_mix_measure(options, &row, parties);
	change_voices(conf, TALKERS, 1000003);
	failed += !check_audience(&audience);
	rte_pktmbuf_free_bulk(copies.mbufs, listeners);
	free(copies.mbufs);
	close_conf(conf);
	return failed;
}

int main(int argc, char **argv)
{
	static const uint32_t rooms[] = { 3, 10, 100, 1000, 10000 };
	struct td_mix_options options = td_mix_options_parse(argc, argv);
	struct rte_mempool *pool = td_bench_eal("conf", "0", MBUFS);
	uint64_t failed = 0;

	if (options.listeners != 0)
		return bench_listeners(&options, pool) != 0;
	options.listeners = options.only == 0 ? AUDIENCE : 0;
	for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++)
		if (options.only == 0 || options.only == rooms[i])
			failed += bench_rooms(&options, rooms[i], pool);
	if (options.listeners != 0)
		failed += bench_listeners(&options, pool);
	return failed != 0;
}

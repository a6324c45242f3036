// A playout that decodes a packet again when the PLC turns out to need it sounds to the bit like one
// that tells the PLC of every packet: on networks that lose, delay, repeat, reorder and change packets.
// Seeded; the seed is printed when they differ.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "codecs/codec.h"
#include "rtp/playout.h"

#define SEEDS   300u
#define TICKS   600u // of 20 ms
#define SAMPLES 160u
#define FLYING  64u

static struct td_playout ours, plain;

struct flying {
	uint64_t due_ns;
	uint8_t payload[320];
	uint32_t ssrc, timestamp;
	uint16_t sequence, len;
	enum td_playout_kind kind;
};

static uint32_t state;

static uint32_t below(uint32_t bound)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % bound;
}

// How bad this seed's network is, each in hundredths.
struct weather {
	uint32_t lost, late, twice, odd, jitter_ms;
};

static struct weather make_weather(void)
{
	static const uint32_t rates[] = { 0, 0, 1, 3, 10, 30 };

	return (struct weather){ rates[below(6)], rates[below(6)], rates[below(4)], rates[below(4)],
				 below(3) * below(60) };
}

static void put_both(const struct flying *packet, uint64_t now_ns)
{
	enum td_playout_put results[2];
	struct td_playout *both[2] = { &ours, &plain };

	for (unsigned i = 0; i < 2; i++)
		results[i] = td_playout_put(both[i], packet->kind, packet->ssrc, packet->sequence,
					    packet->timestamp, false, packet->payload, packet->len,
					    now_ns);
	ck_assert_int_eq(results[0], results[1]);
}

static void pull(const struct td_codec *codec, struct td_playout *playout, uint64_t now_ns,
		 int16_t *pcm)
{
	struct td_playout_job job;

	if (td_playout_pull(playout, now_ns, pcm, SAMPLES, &job) == TD_PLAYOUT_DECODE)
		td_playout_decoded(playout, pcm,
				   codec->decode(NULL, job.payload, job.len, pcm, SAMPLES));
}

// The sender's packet of this tick; `odd`: not 20 ms of audio.
static void send(struct flying *packet, uint32_t bytes, const struct weather *weather,
		 uint64_t now_ns)
{
	static uint16_t sequence;
	static uint32_t timestamp, ssrc;

	if (below(1000) == 0) {
		ssrc++;
		sequence = (uint16_t)below(65536);
		timestamp = below(1u << 30);
	}
	*packet = (struct flying){ .due_ns = now_ns +
					     (1u + below(weather->jitter_ms + 1u)) * 1000000u,
				   .ssrc = ssrc,
				   .timestamp = timestamp,
				   .sequence = sequence,
				   .len = (uint16_t)bytes };
	sequence++;
	if (below(100) < weather->odd) {
		packet->kind = (enum td_playout_kind)below(3);
		packet->len = packet->kind == TD_PLAYOUT_AUDIO ? (uint16_t)(bytes / 2u) : 5u;
	}
	if (below(100) < weather->late)
		packet->due_ns += below(300) * 1000000ull;
	for (uint32_t i = 0; i < packet->len; i++)
		packet->payload[i] = (uint8_t)below(256);
	timestamp += packet->len == bytes / 2u ? SAMPLES / 2u : SAMPLES;
	if (below(100) < weather->lost)
		packet->due_ns = 0;
}

static void deliver(struct flying *flying, const struct weather *weather, uint64_t now_ns)
{
	for (uint32_t i = 0; i < FLYING; i++) {
		if (flying[i].due_ns == 0 || flying[i].due_ns > now_ns)
			continue;
		put_both(&flying[i], now_ns);
		flying[i].due_ns = below(100) < weather->twice ? now_ns + below(50) * 1000000u : 0;
	}
}

static uint32_t play(const struct td_codec *codec, uint32_t bytes, uint32_t seed)
{
	static struct flying flying[FLYING];
	int16_t pcm[2][SAMPLES];
	struct weather weather;
	uint32_t recalled = 0;

	state = seed;
	weather = make_weather();
	memset(flying, 0, sizeof flying);
	ck_assert_int_eq(td_playout_init(&ours, codec, NULL, 8000, NULL), 0);
	ck_assert_int_eq(td_playout_init(&plain, codec, NULL, 8000, NULL), 0);
	for (uint64_t tick = 0; tick < TICKS; tick++) {
		uint64_t now_ns = 1000000000ull + tick * 20000000ull;

		send(&flying[tick % FLYING], bytes, &weather, now_ns);
		for (uint32_t ms = 1; ms < 20; ms++)
			deliver(flying, &weather, now_ns + ms * 1000000u);
		memset(pcm, 0, sizeof pcm);
		pull(codec, &ours, now_ns + 19500000u, pcm[0]);
		pull(codec, &plain, now_ns + 19500000u, pcm[1]);
		ck_assert_msg(memcmp(pcm[0], pcm[1], sizeof pcm[0]) == 0, "%s: seed %u, tick %u",
			      codec->name, seed, (unsigned)tick);
		plain.recall = false;
		ck_assert_uint_eq(plain.untold, 0);
		recalled += ours.untold != 0;
	}
	return recalled;
}

START_TEST(test_same)
{
	static const struct {
		enum td_codec_id codec;
		uint32_t bytes;
	} rows[] = { { TD_CODEC_PCMU, 160 }, { TD_CODEC_PCMA, 160 }, { TD_CODEC_L16_8, 320 } };

	for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint32_t recalled = 0;

		for (uint32_t seed = 1; seed <= SEEDS; seed++)
			recalled += play(td_codec_get(rows[i].codec), rows[i].bytes, seed);
		// It does happen, though these networks are mostly bad.
		ck_assert_uint_gt(recalled, SEEDS * TICKS / 10u);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("playout_recall");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, test_same);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

// No (key, SSRC, index) is ever sealed twice: a million steps of re-keys (new keys, the same again,
// former ones again), holds, changes of SSRC, restarts of the numbering, repeats and wraps, and
// everything that was sealed remembered. What may have been sealed is told from the packets.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "rtp/header.h"
#include "srtp_line.h"

#define STEPS      1000000
#define KEYS       16
#define SLOTS      (1u << 22)
#define SSRC_FIRST 0x1000u

// What the key stream depends on; the set of all of it is a hash table of 64-bit words.
static uint64_t slots[SLOTS];
static unsigned remembered;

// False when it was there already.
static bool remember(unsigned key, unsigned source, bool is_rtcp, uint64_t index)
{
	uint64_t word = (uint64_t)is_rtcp << 63 | (uint64_t)(key + 1) << 56 |
			(uint64_t)source << 48 | index;
	uint64_t slot = (word * UINT64_C(0x9e3779b97f4a7c15)) >> 42;

	for (; slots[slot]; slot = (slot + 1) % SLOTS)
		if (slots[slot] == word)
			return false;
	slots[slot] = word;
	ck_assert_uint_lt(++remembered, SLOTS / 2);
	return true;
}

struct walk {
	struct td_srtp seals;
	struct td_srtp opens[KEYS]; // one receiver a key, who knows the rollover of what it accepts
	unsigned key, source;
	uint16_t sequence;
	uint32_t seed;
	unsigned sealed, refused;
};

static void rekey(struct td_srtp_engine *engine, struct walk *walk)
{
	struct td_srtp_master master;

	// Half of the time the same again, as a re-INVITE that changes nothing does.
	if (line_random(&walk->seed) % 2)
		walk->key = line_random(&walk->seed) % KEYS;
	master = line_master(TD_SRTP_AEAD_AES_128_GCM, walk->key);
	ck_assert_int_eq(td_srtp_rekey_seal(engine, &walk->seals, &master), 0);
}

// The index of what was just sealed, of the state of its source; checked below by opening.
static uint64_t index_of(const struct walk *walk)
{
	const struct td_srtp_source *source =
		td_srtp_source_at((struct td_srtp *)&walk->seals, walk->seals.recent);
	uint16_t last = (uint16_t)source->rtp.highest;

	ck_assert_uint_eq(source->ssrc, SSRC_FIRST + walk->source);
	return source->rtp.highest - (uint16_t)(last - walk->sequence);
}

static void send(struct td_srtp_engine *engine, struct walk *walk)
{
	uint8_t bytes[256], iv_proof[256];
	uint16_t len = line_rtp(bytes, SSRC_FIRST + walk->source, walk->sequence, 20);
	uint16_t sealed_len = len;

	if (line_seal(engine, &walk->seals, bytes, &sealed_len, false) != TD_SRTP_OK) {
		walk->refused++;
		ck_assert_uint_eq(sealed_len, len);
		return;
	}
	walk->sealed++;
	ck_assert_msg(remember(walk->key, walk->source, false, index_of(walk)),
		      "key %u, source %u, number %u is used again", walk->key, walk->source,
		      walk->sequence);
	// Every so often, that the index is what the packet was sealed with: by a receiver told so.
	if (walk->sealed % 16)
		return;
	memcpy(iv_proof, bytes, sealed_len);
	td_srtp_init(&walk->opens[0]);
	struct td_srtp_master master = line_master(TD_SRTP_AEAD_AES_128_GCM, walk->key);
	ck_assert_int_eq(td_srtp_rekey_open(engine, &walk->opens[0], &master), 0);
	if (index_of(walk) > 0) {
		uint64_t before = index_of(walk) - 1;

		ck_assert_int_eq(td_srtp_resume(&walk->opens[0], SSRC_FIRST + walk->source,
						(uint32_t)(before >> 16), (uint16_t)before),
				 0);
	}
	ck_assert_int_eq(line_open(engine, &walk->opens[0], iv_proof, &sealed_len, false),
			 TD_SRTP_OK);
}

static void send_rtcp(struct td_srtp_engine *engine, struct walk *walk)
{
	uint8_t bytes[256];
	uint16_t len = line_rtcp(bytes, SSRC_FIRST + walk->source, 4);

	ck_assert_int_eq(line_seal(engine, &walk->seals, bytes, &len, true), TD_SRTP_OK);
	ck_assert(remember(walk->key, walk->source, true,
			   td_rtp_load32(bytes + len - 4) & TD_SRTCP_INDEX_MAX));
}

// One thing that happens to a call.
static void step(struct td_srtp_engine *engine, struct walk *walk)
{
	uint32_t dice = line_random(&walk->seed) % 1000;

	if (dice < 60)
		rekey(engine, walk);
	else if (dice < 70)
		walk->source = line_random(&walk->seed) % (TD_SRTP_SOURCE_MAX + 1);
	else if (dice < 72) // a hold: numbers pass without packets
		walk->sequence = (uint16_t)(walk->sequence + line_random(&walk->seed) % 20000);
	else if (dice < 74) // a restart, as of a player: any number
		walk->sequence = (uint16_t)line_random(&walk->seed);
	else if (dice < 100) // where it would go on had nothing happened
		walk->sequence = (uint16_t)(td_srtp_source_at(&walk->seals, walk->seals.recent)
						    ->rtp.highest +
					    1);
	else if (dice < 120) // late or again
		walk->sequence = (uint16_t)(walk->sequence - line_random(&walk->seed) % 150);
	else if (dice < 150)
		send_rtcp(engine, walk);
	else
		walk->sequence++;
	if (dice >= 120)
		send(engine, walk);
}

START_TEST(nothing_is_sealed_twice)
{
	static struct walk walk;
	struct td_srtp_engine *engine = line_engine(TD_SRTP_ENGINE_AUTO);
	const char *seed = getenv("TD_SEED");

	ck_assert_ptr_nonnull(engine);
	walk.seed = seed ? (uint32_t)strtoul(seed, NULL, 0) : 20;
	td_srtp_init(&walk.seals);
	rekey(engine, &walk);
	// Eight sources are all that a call has; the packets of more are refused.
	for (int i = 0; i < STEPS; i++)
		step(engine, &walk);
	ck_assert_uint_gt(walk.sealed, STEPS / 4);
	ck_assert_uint_gt(walk.refused, STEPS / 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("srtp reuse");
	TCase *tcase = tcase_create("reuse");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 200);
	tcase_add_test(tcase, nothing_is_sealed_twice);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

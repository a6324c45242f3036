// SRTP by itself: bounds, forgeries, re-keys, MKIs, sources, verdicts, and that nothing is allocated.
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <openssl/crypto.h>

#include "rtp/header.h"
#include "srtp_line.h"

#define SSRC 0xcafe0001u

static struct td_srtp seals, opens;
static struct td_srtp_engine *engine;
static uint8_t bytes[LINE_ROOM];
static uint16_t len;
static unsigned allocations;

static void *count_malloc(size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	allocations++;
	return malloc(size);
}

static void *count_realloc(void *at, size_t size, const char *file, int line)
{
	(void)file;
	(void)line;
	allocations++;
	return realloc(at, size);
}

static void count_free(void *at, const char *file, int line)
{
	(void)file;
	(void)line;
	free(at);
}

static void give(enum td_srtp_suite suite, uint32_t number)
{
	struct td_srtp_master master = line_master(suite, number);

	ck_assert_int_eq(td_srtp_rekey_seal(engine, &seals, &master), 0);
	ck_assert_int_eq(td_srtp_rekey_open(engine, &opens, &master), 0);
}

static void setup(void)
{
	engine = line_engine(TD_SRTP_ENGINE_AUTO);
	td_srtp_init(&seals);
	td_srtp_init(&opens);
}

static void seal_rtp(uint32_t ssrc, uint16_t sequence)
{
	len = line_rtp(bytes, ssrc, sequence, 160);
	ck_assert_int_eq(line_seal(engine, &seals, bytes, &len, false), TD_SRTP_OK);
}

static enum td_srtp_verdict open_rtp(void)
{
	return line_open(engine, &opens, bytes, &len, false);
}

static enum td_srtp_verdict pass(uint32_t ssrc, uint16_t sequence)
{
	seal_rtp(ssrc, sequence);
	return open_rtp();
}

START_TEST(without_keys)
{
	struct td_srtp_master master = line_master(TD_SRTP_NONE, 1);

	len = line_rtp(bytes, SSRC, 1, 160);
	ck_assert_int_eq(line_seal(engine, &seals, bytes, &len, false), TD_SRTP_NO_KEY);
	ck_assert_int_eq(open_rtp(), TD_SRTP_NO_KEY);
	ck_assert_uint_eq(len, 172);
	ck_assert_int_eq(td_srtp_rekey_open(engine, &opens, &master), -TD_EINVALID);
	ck_assert_int_eq(td_srtp_rekey_seal(engine, &opens, &master), -TD_EINVALID);
	master.suite = TD_SRTP_SUITE_COUNT;
	ck_assert_int_eq(td_srtp_rekey_open(engine, &opens, &master), -TD_EINVALID);
	master.suite = TD_SRTP_AEAD_AES_128_GCM;
	master.mki_bytes = TD_SRTP_MKI_MAX + 1;
	ck_assert_int_eq(td_srtp_rekey_open(engine, &opens, &master), -TD_EINVALID);
	ck_assert_int_eq(open_rtp(), TD_SRTP_NO_KEY);
}
END_TEST

START_TEST(both_engines_agree)
{
	struct td_srtp_engine *other = line_engine(TD_SRTP_ENGINE_OPENSSL);
	struct td_srtp_master master = line_master((enum td_srtp_suite)_i, 3);

	ck_assert_int_eq(td_srtp_rekey_seal(engine, &seals, &master), 0);
	ck_assert_int_eq(td_srtp_rekey_open(other, &opens, &master), 0);
	for (uint16_t i = 0; i < 1500; i++) {
		uint8_t plain[LINE_ROOM];
		uint16_t plain_len = line_rtp(plain, SSRC, i, i);

		len = plain_len;
		memcpy(bytes, plain, len);
		ck_assert_int_eq(line_seal(engine, &seals, bytes, &len, false), TD_SRTP_OK);
		ck_assert_int_eq(line_open(other, &opens, bytes, &len, false), TD_SRTP_OK);
		ck_assert_uint_eq(len, plain_len);
		ck_assert_mem_eq(bytes, plain, len);
	}
}
END_TEST

START_TEST(bounds_of_length)
{
	uint16_t most = TD_SRTP_PACKET_MAX - TD_SRTP_TRAILER_MAX;

	give((enum td_srtp_suite)_i, 1);
	for (unsigned is_rtcp = 0; is_rtcp < 2; is_rtcp++) {
		memset(bytes, 0, sizeof bytes);
		bytes[0] = 0x80;
		bytes[1] = is_rtcp ? 200 : 0;
		len = is_rtcp ? 7 : 11;
		ck_assert_int_eq(line_seal(engine, &seals, bytes, &len, is_rtcp),
				 TD_SRTP_MALFORMED);
		len = most + 1;
		ck_assert_int_eq(line_seal(engine, &seals, bytes, &len, is_rtcp),
				 TD_SRTP_MALFORMED);
		len = most;
		ck_assert_int_eq(line_seal(engine, &seals, bytes, &len, is_rtcp), TD_SRTP_OK);
		ck_assert_uint_le(len, TD_SRTP_PACKET_MAX);
		ck_assert_int_eq(line_open(engine, &opens, bytes, &len, is_rtcp), TD_SRTP_OK);
		ck_assert_uint_eq(len, most);
		len = TD_SRTP_PACKET_MAX + 1;
		ck_assert_int_eq(line_open(engine, &opens, bytes, &len, is_rtcp),
				 TD_SRTP_MALFORMED);
		len = 0;
		ck_assert_int_eq(line_open(engine, &opens, bytes, &len, is_rtcp),
				 TD_SRTP_MALFORMED);
		bytes[0] = 0x40; // another version
		len = 100;
		ck_assert_int_eq(line_open(engine, &opens, bytes, &len, is_rtcp),
				 TD_SRTP_MALFORMED);
		ck_assert_int_eq(line_seal(engine, &seals, bytes, &len, is_rtcp),
				 TD_SRTP_MALFORMED);
	}
}
END_TEST

// Cut at every length and damaged at every bit: refused, as it came where the tag was looked at, and
// the packet itself is accepted after all of it.
START_TEST(cut_and_damaged)
{
	uint8_t whole[LINE_ROOM];
	struct td_srtp before;

	give((enum td_srtp_suite)_i, 1);
	ck_assert_int_eq(pass(SSRC, 99), TD_SRTP_OK);
	seal_rtp(SSRC, 100);
	memcpy(whole, bytes, len);
	before = opens;
	for (uint16_t cut = 0; cut < len; cut++) {
		uint16_t cut_len = cut;

		memcpy(bytes, whole, len);
		ck_assert_int_ne(line_open(engine, &opens, bytes, &cut_len, false), TD_SRTP_OK);
		ck_assert_uint_eq(cut_len, cut);
	}
	for (unsigned bit = 0; bit < 8u * len; bit++) {
		uint8_t damaged[LINE_ROOM];
		uint16_t damaged_len = len;
		enum td_srtp_verdict verdict;

		memcpy(bytes, whole, len);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		memcpy(damaged, bytes, len);
		verdict = line_open(engine, &opens, bytes, &damaged_len, false);
		ck_assert_int_ne(verdict, TD_SRTP_OK);
		if (verdict == TD_SRTP_BAD_TAG)
			ck_assert_mem_eq(bytes, damaged, len);
	}
	// Nothing has been learned from any of it.
	ck_assert_mem_eq(&opens, &before, sizeof opens);
	memcpy(bytes, whole, len);
	ck_assert_int_eq(open_rtp(), TD_SRTP_OK);
}
END_TEST

START_TEST(a_million_forgeries_end_nothing)
{
	uint32_t seed = 5;

	give(TD_SRTP_AEAD_AES_128_GCM, 1);
	ck_assert_int_eq(pass(SSRC, 1), TD_SRTP_OK);
	for (int i = 0; i < 1000000; i++) {
		// Of any source and any number; the tag is whatever was there.
		uint32_t ssrc = i % 2 ? SSRC : line_random(&seed);

		len = line_rtp(bytes, ssrc, (uint16_t)line_random(&seed), 40);
		ck_assert_int_ne(open_rtp(), TD_SRTP_OK);
	}
	ck_assert_uint_eq(opens.source_count, 1);
	ck_assert_int_eq(pass(SSRC, 2), TD_SRTP_OK);
}
END_TEST

START_TEST(replays_and_window)
{
	uint8_t kept[300][256];
	uint16_t kept_len = 0;

	give((enum td_srtp_suite)_i, 1);
	for (uint16_t i = 0; i < 300; i++) {
		seal_rtp(SSRC, (uint16_t)(65400 + i)); // over the wrap
		memcpy(kept[i], bytes, len);
		kept_len = len;
	}
	// Only every other one arrives.
	for (unsigned i = 0; i < 300; i += 2) {
		memcpy(bytes, kept[i], len = kept_len);
		ck_assert_int_eq(open_rtp(), TD_SRTP_OK);
	}
	for (unsigned i = 0; i < 300; i++) {
		unsigned back = 298 > i ? 298 - i : 0;

		memcpy(bytes, kept[i], len = kept_len);
		if (back >= TD_SRTP_WINDOW)
			ck_assert_int_eq(open_rtp(), TD_SRTP_LATE);
		else
			ck_assert_int_eq(open_rtp(), i % 2 ? TD_SRTP_OK : TD_SRTP_REPLAYED);
	}
}
END_TEST

// The same packet twice in one vector, and a wrap between the first two packets of a source.
START_TEST(within_one_vector)
{
	static uint8_t room[TD_SRTP_BURST + 10][256];
	struct td_srtp_packet packets[TD_SRTP_BURST + 10];
	unsigned count = TD_SRTP_BURST + 10;

	give((enum td_srtp_suite)_i, 1);
	for (unsigned i = 0; i < count; i++) {
		len = line_rtp(room[i], SSRC, (uint16_t)(65534 + i), 33);
		packets[i] =
			(struct td_srtp_packet){ .srtp = &seals, .bytes = room[i], .len = len };
	}
	td_srtp_seal(engine, packets, count);
	memcpy(room[6], room[5], sizeof room[5]);
	for (unsigned i = 0; i < count; i++) {
		ck_assert_int_eq(packets[i].verdict, TD_SRTP_OK);
		packets[i].srtp = &opens;
	}
	td_srtp_open(engine, packets, count);
	for (unsigned i = 0; i < count; i++)
		ck_assert_int_eq(packets[i].verdict, i == 6 ? TD_SRTP_REPLAYED : TD_SRTP_OK);
	ck_assert_uint_eq(opens.first.rtp.highest, 65534 + count - 1);
}
END_TEST

// The stream began before the wrap, and all of that was lost.
START_TEST(joined_just_after_the_wrap)
{
	give((enum td_srtp_suite)_i, 1);
	seal_rtp(SSRC, 65535);
	ck_assert_int_eq(pass(SSRC, 3), TD_SRTP_OK);
	ck_assert_uint_eq(opens.first.rtp.highest, 65536 + 3);
}
END_TEST

START_TEST(rekeyed)
{
	uint8_t old[256];
	uint16_t old_len;

	give((enum td_srtp_suite)_i, 1);
	ck_assert_int_eq(pass(SSRC, 65530), TD_SRTP_OK);
	ck_assert_int_eq(pass(SSRC, 10), TD_SRTP_OK); // rollover 1
	seal_rtp(SSRC, 11);
	memcpy(old, bytes, old_len = len);
	give((enum td_srtp_suite)_i, 1); // the same again: nothing happens
	ck_assert_int_eq(opens.epochs[1].master.suite, TD_SRTP_NONE);
	give((enum td_srtp_suite)_i, 2);
	// The counter goes on; what was in flight under the former key is still good, once.
	ck_assert_int_eq(pass(SSRC, 12), TD_SRTP_OK);
	memcpy(bytes, old, len = old_len);
	ck_assert_int_eq(open_rtp(), TD_SRTP_OK);
	ck_assert_uint_eq(opens.first.rtp.highest, 65536 + 12);
	memcpy(bytes, old, len = old_len);
	ck_assert_int_eq(open_rtp(), TD_SRTP_REPLAYED);
	// After enough proof the former key is gone.
	for (uint16_t i = 0; i < TD_SRTP_PROOFS; i++)
		ck_assert_int_eq(pass(SSRC, (uint16_t)(13 + i)), TD_SRTP_OK);
	ck_assert_int_eq(opens.epochs[1].master.suite, TD_SRTP_NONE);
	ck_assert_uint_eq(opens.epochs[1].rtp.key_blocks, 0);
}
END_TEST

// A peer that makes a new context for a new key begins at rollover and SRTCP index 0.
START_TEST(rekeyed_by_a_peer_that_starts_afresh)
{
	struct td_srtp_master master = line_master((enum td_srtp_suite)_i, 2);

	give((enum td_srtp_suite)_i, 1);
	ck_assert_int_eq(pass(SSRC, 65530), TD_SRTP_OK);
	ck_assert_int_eq(pass(SSRC, 10), TD_SRTP_OK);
	for (int i = 0; i < 200; i++) {
		len = line_rtcp(bytes, SSRC, 7);
		ck_assert_int_eq(line_seal(engine, &seals, bytes, &len, true), TD_SRTP_OK);
		ck_assert_int_eq(line_open(engine, &opens, bytes, &len, true), TD_SRTP_OK);
	}
	td_srtp_init(&seals);
	give((enum td_srtp_suite)_i, 2);
	ck_assert_int_eq(pass(SSRC, 11), TD_SRTP_OK);
	ck_assert_uint_eq(opens.first.rtp.highest, 11);
	len = line_rtcp(bytes, SSRC, 7);
	ck_assert_int_eq(line_seal(engine, &seals, bytes, &len, true), TD_SRTP_OK);
	ck_assert_int_eq(line_open(engine, &opens, bytes, &len, true), TD_SRTP_OK);
	ck_assert_uint_eq(opens.first.rtcp.highest, 0);
	// Once: the same key does not let anybody begin again.
	td_srtp_init(&seals);
	ck_assert_int_eq(td_srtp_rekey_seal(engine, &seals, &master), 0);
	ck_assert_int_eq(pass(SSRC, 11), TD_SRTP_REPLAYED);
}
END_TEST

START_TEST(chosen_by_mki)
{
	struct td_srtp_master first = line_master((enum td_srtp_suite)_i, 1);
	struct td_srtp_master second = line_master((enum td_srtp_suite)_i, 2);
	struct td_srtp other;

	td_srtp_init(&other);
	first.mki_bytes = second.mki_bytes = 2;
	first.mki[0] = 1;
	second.mki[0] = 2;
	ck_assert_int_eq(td_srtp_rekey_open(engine, &opens, &first), 0);
	ck_assert_int_eq(td_srtp_rekey_open(engine, &opens, &second), 0);
	ck_assert_int_eq(td_srtp_rekey_seal(engine, &seals, &first), 0);
	ck_assert_int_eq(td_srtp_rekey_seal(engine, &other, &second), 0);
	ck_assert_int_eq(pass(SSRC, 1), TD_SRTP_OK);
	len = line_rtp(bytes, SSRC, 2, 160);
	ck_assert_int_eq(line_seal(engine, &other, bytes, &len, false), TD_SRTP_OK);
	ck_assert_int_eq(open_rtp(), TD_SRTP_OK);
	// Nobody's MKI.
	first.mki[0] = 3;
	ck_assert_int_eq(td_srtp_rekey_seal(engine, &seals, &first), 0);
	ck_assert_int_eq(pass(SSRC, 3), TD_SRTP_NO_KEY);
}
END_TEST

START_TEST(sources_are_bounded)
{
	give((enum td_srtp_suite)_i, 1);
	for (uint32_t i = 0; i < TD_SRTP_SOURCE_MAX; i++)
		ck_assert_int_eq(pass(SSRC + i, (uint16_t)(i * 1000)), TD_SRTP_OK);
	len = line_rtp(bytes, SSRC + 100, 1, 160);
	ck_assert_int_eq(line_seal(engine, &seals, bytes, &len, false), TD_SRTP_CROWDED);
	ck_assert_uint_eq(len, 172);
	// Each has its own numbers, and comes back to them.
	for (uint32_t i = 0; i < TD_SRTP_SOURCE_MAX; i++)
		ck_assert_int_eq(pass(SSRC + i, (uint16_t)(i * 1000 + 1)), TD_SRTP_OK);
	ck_assert_int_eq(td_srtp_resume(&opens, SSRC + 100, 0, 1), -TD_EFULL);
	ck_assert_int_eq(td_srtp_resume(&opens, SSRC, 0, 1), -TD_EINVALID);
	// A sender of more than that, to who has room: only its authentic packets would take it.
	td_srtp_init(&seals);
	give((enum td_srtp_suite)_i, 2);
	ck_assert_uint_eq(opens.source_count, 1);
	ck_assert_int_eq(pass(SSRC + 100, 1), TD_SRTP_OK);
	ck_assert_uint_eq(opens.source_count, 2);
}
END_TEST

START_TEST(exhausted)
{
	give((enum td_srtp_suite)_i, 1);
	ck_assert_int_eq(td_srtp_resume(&seals, SSRC, 0xffffffffu, 65534), 0);
	ck_assert_int_eq(td_srtp_resume(&opens, SSRC, 0xffffffffu, 65534), 0);
	ck_assert_int_eq(pass(SSRC, 65535), TD_SRTP_OK);
	len = line_rtp(bytes, SSRC, 0, 160);
	ck_assert_int_eq(line_seal(engine, &seals, bytes, &len, false), TD_SRTP_EXHAUSTED);
	seals.rtcp_next = TD_SRTCP_INDEX_MAX;
	len = line_rtcp(bytes, SSRC, 2);
	ck_assert_int_eq(line_seal(engine, &seals, bytes, &len, true), TD_SRTP_OK);
	ck_assert_int_eq(line_open(engine, &opens, bytes, &len, true), TD_SRTP_OK);
	ck_assert_int_eq(line_seal(engine, &seals, bytes, &len, true), TD_SRTP_EXHAUSTED);
}
END_TEST

static unsigned allocated_in_a_call(enum td_srtp_engine_kind kind)
{
	unsigned before = allocations;

	engine = line_engine(kind);
	if (!engine)
		return 0;
	for (unsigned suite = 1; suite < TD_SRTP_SUITE_COUNT; suite++) {
		td_srtp_init(&seals);
		td_srtp_init(&opens);
		give((enum td_srtp_suite)suite, suite);
		for (uint16_t i = 0; i < 300; i++) {
			ck_assert_int_eq(pass(SSRC, i), TD_SRTP_OK);
			bytes[20] ^= 1; // and bad ones
			ck_assert_int_ne(open_rtp(), TD_SRTP_OK);
			len = line_rtp(bytes, SSRC, (uint16_t)(i + 1), 100);
			ck_assert_int_eq(open_rtp(), TD_SRTP_BAD_TAG);
		}
	}
	return allocations - before;
}

START_TEST(nothing_is_allocated)
{
	// The first time through, so that a thread's own things of the library are there.
	(void)allocated_in_a_call(TD_SRTP_ENGINE_OPENSSL);
	ck_assert_uint_gt(allocations, 0); // the counting works
	ck_assert_uint_eq(allocated_in_a_call(TD_SRTP_ENGINE_OPENSSL), 0);
	ck_assert_uint_eq(allocated_in_a_call(TD_SRTP_ENGINE_IPSEC_MB), 0);
}
END_TEST

START_TEST(erased)
{
	static const struct td_srtp nothing;

	give(TD_SRTP_AES_256_CM_HMAC_SHA1_80, 1);
	td_srtp_fini(&opens);
	ck_assert_mem_eq(&opens, &nothing, sizeof opens);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("srtp");
	TCase *tcase = tcase_create("srtp");
	SRunner *runner;
	int failed;

	if (!CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free))
		return 1;
	tcase_set_timeout(tcase, 200);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, without_keys);
	tcase_add_loop_test(tcase, both_engines_agree, 1, TD_SRTP_SUITE_COUNT);
	tcase_add_loop_test(tcase, bounds_of_length, 1, TD_SRTP_SUITE_COUNT);
	tcase_add_loop_test(tcase, cut_and_damaged, 1, TD_SRTP_SUITE_COUNT);
	tcase_add_test(tcase, a_million_forgeries_end_nothing);
	tcase_add_loop_test(tcase, replays_and_window, 1, TD_SRTP_SUITE_COUNT);
	tcase_add_loop_test(tcase, within_one_vector, 1, TD_SRTP_SUITE_COUNT);
	tcase_add_loop_test(tcase, joined_just_after_the_wrap, 1, TD_SRTP_SUITE_COUNT);
	tcase_add_loop_test(tcase, rekeyed, 1, TD_SRTP_SUITE_COUNT);
	tcase_add_loop_test(tcase, rekeyed_by_a_peer_that_starts_afresh, 1, TD_SRTP_SUITE_COUNT);
	tcase_add_loop_test(tcase, chosen_by_mki, 1, TD_SRTP_SUITE_COUNT);
	tcase_add_loop_test(tcase, sources_are_bounded, 1, TD_SRTP_SUITE_COUNT);
	tcase_add_loop_test(tcase, exhausted, 1, TD_SRTP_SUITE_COUNT);
	tcase_add_test(tcase, nothing_is_allocated);
	tcase_add_test(tcase, erased);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

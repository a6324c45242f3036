// SDES attributes: as phones write them, as RFC 4568 and 6188 and 7714 have them, and as nobody
// should; what is written reads back; which one an answer takes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "sdp/crypto.h"

#define KEY30 "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj" // RFC 4568 section 7
#define KEY46 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ"
#define KEY28 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw"
#define KEY44 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis"
#define CM80  "AES_CM_128_HMAC_SHA1_80"

struct row {
	const char *value;
	enum td_sdp_crypto_refusal refusal;
	uint32_t tag;
	enum td_srtp_suite suite;
	uint64_t lifetime;
	unsigned mki_bytes;
	uint8_t mki_last; // its last byte
};

static const struct row rows[] = {
	// Plain, as Linphone, baresip, Asterisk and Bria do.
	{ "1 " CM80 " inline:" KEY30, TD_SDP_CRYPTO_TAKEN, 1, TD_SRTP_AES_CM_128_HMAC_SHA1_80 },
	{ "2 AES_CM_128_HMAC_SHA1_32 inline:" KEY30, TD_SDP_CRYPTO_TAKEN, 2,
	  TD_SRTP_AES_CM_128_HMAC_SHA1_32 },
	{ "3 AES_256_CM_HMAC_SHA1_80 inline:" KEY46 "==", TD_SDP_CRYPTO_TAKEN, 3,
	  TD_SRTP_AES_256_CM_HMAC_SHA1_80 },
	{ "4 AES_256_CM_HMAC_SHA1_32 inline:" KEY46, TD_SDP_CRYPTO_TAKEN, 4,
	  TD_SRTP_AES_256_CM_HMAC_SHA1_32 },
	{ "5 AEAD_AES_128_GCM inline:" KEY28 "==", TD_SDP_CRYPTO_TAKEN, 5,
	  TD_SRTP_AEAD_AES_128_GCM },
	{ "6 AEAD_AES_256_GCM inline:" KEY44 "=", TD_SDP_CRYPTO_TAKEN, 6,
	  TD_SRTP_AEAD_AES_256_GCM },
	// With a lifetime: Yealink, Grandstream, Cisco; with an MKI: Lync, the RFC's examples.
	{ "1 " CM80 " inline:" KEY30 "|2^31", TD_SDP_CRYPTO_TAKEN, 1,
	  TD_SRTP_AES_CM_128_HMAC_SHA1_80, UINT64_C(1) << 31 },
	{ "1 AEAD_AES_256_GCM inline:" KEY44 "=|2^48", TD_SDP_CRYPTO_TAKEN, 1,
	  TD_SRTP_AEAD_AES_256_GCM, UINT64_C(1) << 48 },
	{ "2 " CM80 " inline:" KEY30 "|2^31|1:1", TD_SDP_CRYPTO_TAKEN, 2,
	  TD_SRTP_AES_CM_128_HMAC_SHA1_80, UINT64_C(1) << 31, 1, 1 },
	{ "1 " CM80 " inline:" KEY30 "|2^20|1:32", TD_SDP_CRYPTO_TAKEN, 1,
	  TD_SRTP_AES_CM_128_HMAC_SHA1_80, 1 << 20, 32, 1 },
	{ "1 " CM80 " inline:" KEY30 "|1:4", TD_SDP_CRYPTO_TAKEN, 1,
	  TD_SRTP_AES_CM_128_HMAC_SHA1_80, 0, 4, 1 },
	{ "1 " CM80 " inline:" KEY30 "|1048576|4294967295:4", TD_SDP_CRYPTO_TAKEN, 1,
	  TD_SRTP_AES_CM_128_HMAC_SHA1_80, 1048576, 4, 255 },
	{ "1 " CM80 " inline:" KEY30 "|281474976710656", TD_SDP_CRYPTO_TAKEN, 1,
	  TD_SRTP_AES_CM_128_HMAC_SHA1_80, UINT64_C(1) << 48 },
	{ "999999999 aes_cm_128_hmac_sha1_80 INLINE:" KEY30 " WSH=128 -ours=1  ",
	  TD_SDP_CRYPTO_TAKEN, 999999999, TD_SRTP_AES_CM_128_HMAC_SHA1_80 },
	{ "  0007 " CM80 "   inline:" KEY30, TD_SDP_CRYPTO_TAKEN, 7,
	  TD_SRTP_AES_CM_128_HMAC_SHA1_80 },
	// What we do not speak.
	{ "1 F8_128_HMAC_SHA1_80 inline:" KEY30, TD_SDP_CRYPTO_SUITE },
	{ "1 AES_192_CM_HMAC_SHA1_80 inline:" KEY30, TD_SDP_CRYPTO_SUITE },
	{ "1 none inline:" KEY30, TD_SDP_CRYPTO_SUITE },
	{ "1 " CM80 "X inline:" KEY30, TD_SDP_CRYPTO_SUITE },
	{ "1 " CM80 " prompt:" KEY30, TD_SDP_CRYPTO_METHOD },
	{ "1 " CM80 " inline", TD_SDP_CRYPTO_METHOD },
	{ "1 " CM80 " inline:" KEY30 "|2^20|1:4;inline:" KEY30 "|2^20|2:4",
	  TD_SDP_CRYPTO_MANY_KEYS },
	{ "1 " CM80 " inline:" KEY30 " KDR=1", TD_SDP_CRYPTO_KDR },
	{ "1 " CM80 " inline:" KEY30 " UNENCRYPTED_SRTP", TD_SDP_CRYPTO_UNENCRYPTED },
	{ "1 " CM80 " inline:" KEY30 " WSH=64 UNENCRYPTED_SRTCP", TD_SDP_CRYPTO_UNENCRYPTED },
	{ "1 " CM80 " inline:" KEY30 " UNAUTHENTICATED_SRTP", TD_SDP_CRYPTO_UNAUTHENTICATED },
	{ "1 " CM80 " inline:" KEY30 " FEC_ORDER=FEC_SRTP", TD_SDP_CRYPTO_FEC },
	{ "1 " CM80 " inline:" KEY30 " FEC_KEY=inline:" KEY30, TD_SDP_CRYPTO_FEC },
	{ "1 " CM80 " inline:" KEY30 " WSH=63", TD_SDP_CRYPTO_WINDOW },
	{ "1 " CM80 " inline:" KEY30 " WSH", TD_SDP_CRYPTO_WINDOW },
	{ "1 " CM80 " inline:" KEY30 " MAGIC", TD_SDP_CRYPTO_PARAMETER },
	// Keys of the wrong length, and what is no base64.
	{ "1 " CM80 " inline:", TD_SDP_CRYPTO_KEY_LENGTH },
	{ "1 " CM80 " inline:" KEY28 "==", TD_SDP_CRYPTO_KEY_LENGTH },
	{ "1 " CM80 " inline:" KEY46 "==", TD_SDP_CRYPTO_KEY_LENGTH },
	{ "1 " CM80 " inline:" KEY30 KEY30, TD_SDP_CRYPTO_KEY_LENGTH },
	{ "1 AEAD_AES_256_GCM inline:" KEY46, TD_SDP_CRYPTO_KEY_LENGTH },
	{ "1 " CM80 " inline:" KEY30 "=", TD_SDP_CRYPTO_TAKEN, 1, TD_SRTP_AES_CM_128_HMAC_SHA1_80 },
	{ "1 " CM80 " inline:" KEY30 "===", TD_SDP_CRYPTO_KEY_LENGTH },
	{ "1 " CM80 " inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSo*", TD_SDP_CRYPTO_KEY_LENGTH },
	{ "1 " CM80 " inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJS-_", TD_SDP_CRYPTO_KEY_LENGTH },
	// Lifetimes and MKIs.
	{ "1 " CM80 " inline:" KEY30 "|2^49", TD_SDP_CRYPTO_LIFETIME },
	{ "1 " CM80 " inline:" KEY30 "|2^", TD_SDP_CRYPTO_LIFETIME },
	{ "1 " CM80 " inline:" KEY30 "|0", TD_SDP_CRYPTO_LIFETIME },
	{ "1 " CM80 " inline:" KEY30 "|281474976710657", TD_SDP_CRYPTO_LIFETIME },
	{ "1 " CM80 " inline:" KEY30 "|99999999999999999999999999", TD_SDP_CRYPTO_LIFETIME },
	{ "1 " CM80 " inline:" KEY30 "|", TD_SDP_CRYPTO_LIFETIME },
	{ "1 " CM80 " inline:" KEY30 "|2^20|", TD_SDP_CRYPTO_MKI },
	{ "1 " CM80 " inline:" KEY30 "|2^20|1", TD_SDP_CRYPTO_MKI },
	{ "1 " CM80 " inline:" KEY30 "|1:0", TD_SDP_CRYPTO_MKI },
	{ "1 " CM80 " inline:" KEY30 "|256:1", TD_SDP_CRYPTO_MKI },
	{ "1 " CM80 " inline:" KEY30 "|1:33", TD_SDP_CRYPTO_MKI },
	{ "1 " CM80 " inline:" KEY30 "|4294967296:8", TD_SDP_CRYPTO_MKI },
	{ "1 " CM80 " inline:" KEY30 "|1:4|2^20", TD_SDP_CRYPTO_MALFORMED },
	{ "1 " CM80 " inline:" KEY30 "|2^20|1:4|", TD_SDP_CRYPTO_MKI },
	// What is no attribute at all.
	{ "", TD_SDP_CRYPTO_MALFORMED },
	{ "1", TD_SDP_CRYPTO_MALFORMED },
	{ "1 " CM80, TD_SDP_CRYPTO_MALFORMED },
	{ CM80 " inline:" KEY30, TD_SDP_CRYPTO_MALFORMED },
	{ "-1 " CM80 " inline:" KEY30, TD_SDP_CRYPTO_MALFORMED },
	{ "1000000000 " CM80 " inline:" KEY30, TD_SDP_CRYPTO_MALFORMED },
};

START_TEST(read_or_refused)
{
	static const struct td_sdp_crypto nothing;
	const struct row *row = &rows[_i];
	struct td_sdp_crypto crypto;

	ck_assert_msg(td_sdp_crypto_parse(td_str_from(row->value), &crypto) == row->refusal, "%s",
		      row->value);
	if (row->refusal != TD_SDP_CRYPTO_TAKEN) {
		ck_assert_mem_eq(&crypto, &nothing, sizeof crypto);
		ck_assert_uint_gt(strlen(td_sdp_crypto_refusal_name(row->refusal)), 2);
		return;
	}
	ck_assert_uint_eq(crypto.tag, row->tag);
	ck_assert_uint_eq(crypto.master.suite, row->suite);
	ck_assert_uint_eq(crypto.lifetime_packets, row->lifetime);
	ck_assert_uint_eq(crypto.master.mki_bytes, row->mki_bytes);
	if (row->mki_bytes > 0)
		ck_assert_uint_eq(crypto.master.mki[row->mki_bytes - 1], row->mki_last);
}
END_TEST

// The bytes themselves: those of KEY44 count up from 0, the salt after the key.
START_TEST(key_and_salt)
{
	struct td_sdp_crypto crypto;

	ck_assert_int_eq(td_sdp_crypto_parse(TD_STR("1 AEAD_AES_256_GCM inline:" KEY44), &crypto),
			 TD_SDP_CRYPTO_TAKEN);
	for (unsigned i = 0; i < 32; i++)
		ck_assert_uint_eq(crypto.master.key[i], i);
	for (unsigned i = 0; i < 12; i++)
		ck_assert_uint_eq(crypto.master.salt[i], 32 + i);
	ck_assert_int_eq(td_sdp_crypto_parse(TD_STR("1 " CM80 " inline:" KEY30), &crypto),
			 TD_SDP_CRYPTO_TAKEN);
	ck_assert_mem_eq(crypto.master.key, "wDfvg&T+)xG7@fb5", 16);
	ck_assert_mem_eq(crypto.master.salt, "jU,RaA}\\|p0%*#", 14);
}
END_TEST

START_TEST(written_reads_back)
{
	uint8_t seed[TD_SDP_CRYPTO_SEED];
	struct td_sdp_crypto made, again;
	char text[256];

	for (unsigned round = 0; round < 200; round++) {
		struct td_sdp_text out = td_sdp_text_init(text, sizeof text);

		for (size_t i = 0; i < sizeof seed; i++)
			seed[i] = (uint8_t)(round * 31 + i * (2 * round + 1));
		td_sdp_crypto_make(&made, round + 1, (enum td_srtp_suite)_i, seed);
		made.master.mki_bytes = (uint8_t)(round % 5);
		for (unsigned i = 0; i < made.master.mki_bytes; i++)
			made.master.mki[i] = (uint8_t)(round + i);
		td_sdp_crypto_write(&out, &made);
		ck_assert(!out.full);
		ck_assert_str_eq(text + out.len - 2, "\r\n");
		ck_assert_int_eq(strncmp(text, "a=crypto:", 9), 0);
		ck_assert_int_eq(td_sdp_crypto_parse(td_str_from(text + 9), &again),
				 TD_SDP_CRYPTO_TAKEN);
		ck_assert_mem_eq(&again, &made, sizeof made);
	}
	// The exact text, and too little room for it.
	struct td_sdp_text exact = td_sdp_text_init(text, sizeof text);
	struct td_sdp_text little;

	ck_assert_int_eq(td_sdp_crypto_parse(TD_STR("4 " CM80 " inline:" KEY30), &made),
			 TD_SDP_CRYPTO_TAKEN);
	td_sdp_crypto_write(&exact, &made);
	ck_assert_str_eq(text, "a=crypto:4 " CM80 " inline:" KEY30 "\r\n");
	little = td_sdp_text_init(text, exact.len);
	td_sdp_crypto_write(&little, &made);
	ck_assert(little.full);
}
END_TEST

START_TEST(chosen_in_the_order_of_the_peer)
{
	static const enum td_srtp_suite ours[] = { TD_SRTP_AEAD_AES_256_GCM,
						   TD_SRTP_AES_CM_128_HMAC_SHA1_80 };
	struct td_sdp_crypto offered[3] = {
		{ .tag = 1, .master.suite = TD_SRTP_AES_CM_128_HMAC_SHA1_32 },
		{ .tag = 2, .master.suite = TD_SRTP_AES_CM_128_HMAC_SHA1_80 },
		{ .tag = 3, .master.suite = TD_SRTP_AEAD_AES_256_GCM },
	};

	ck_assert_int_eq(td_sdp_crypto_choose(offered, 3, ours, 2), 1);
	ck_assert_int_eq(td_sdp_crypto_choose(offered, 3, ours, 1), 2);
	ck_assert_int_eq(td_sdp_crypto_choose(offered, 1, ours, 2), -1);
	ck_assert_int_eq(td_sdp_crypto_choose(offered, 0, ours, 2), -1);
}
END_TEST

START_TEST(answers_accepted)
{
	uint8_t seed[TD_SDP_CRYPTO_SEED] = { 1 };
	struct td_sdp_crypto offered, answer;

	td_sdp_crypto_make(&offered, 7, TD_SRTP_AES_CM_128_HMAC_SHA1_80, seed);
	seed[3] = 9;
	td_sdp_crypto_make(&answer, 7, TD_SRTP_AES_CM_128_HMAC_SHA1_80, seed);
	ck_assert_int_eq(td_sdp_crypto_accept(&offered, &answer), 0);
	answer.tag = 8;
	ck_assert_int_eq(td_sdp_crypto_accept(&offered, &answer), -TD_ECODEC);
	answer.tag = 7;
	answer.master.suite = TD_SRTP_AES_CM_128_HMAC_SHA1_32;
	ck_assert_int_eq(td_sdp_crypto_accept(&offered, &answer), -TD_ECODEC);
	ck_assert_int_eq(td_sdp_crypto_accept(&offered, &offered), -TD_EDENIED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sdp crypto");
	TCase *tcase = tcase_create("crypto");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, read_or_refused, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tcase, key_and_salt);
	tcase_add_loop_test(tcase, written_reads_back, 1, TD_SRTP_SUITE_COUNT);
	tcase_add_test(tcase, chosen_in_the_order_of_the_peer);
	tcase_add_test(tcase, answers_accepted);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

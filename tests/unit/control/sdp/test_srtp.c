// SRTP in offer and answer: what forbid, prefer and require make of phones' offers and of answers
// that nobody should send, over whole dialogs; and that nothing is different where it is forbidden.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "exchange.h"

#define KEY30  "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define KEY28  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="
#define CM80   "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "\r\n"
#define CM32   "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:" KEY30 "\r\n"
#define GCM    "a=crypto:5 AEAD_AES_128_GCM inline:" KEY28 "\r\n"
#define F8     "a=crypto:3 F8_128_HMAC_SHA1_80 inline:" KEY30 "\r\n"
#define CLEAR  "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 " UNENCRYPTED_SRTP\r\n"
#define BROKEN "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AAAA\r\n"
#define AVP    "m=audio 4000 RTP/AVP 0\r\n"
#define SAVP   "m=audio 4000 RTP/SAVP 0\r\n"
#define AVPF   "m=audio 4000 RTP/AVPF 0\r\na=rtcp-fb:* trr-int 5000\r\n"
#define SAVPF  "m=audio 4000 RTP/SAVPF 0\r\na=rtcp-fb:* trr-int 5000\r\n"

static void policy(enum td_sdp_srtp srtp)
{
	setup();
	local.srtp = srtp;
	local.suite_count = 2;
	local.suites[0] = TD_SRTP_AEAD_AES_128_GCM;
	local.suites[1] = TD_SRTP_AES_CM_128_HMAC_SHA1_80;
	for (unsigned suite = 0; suite < TD_SRTP_SUITE_COUNT; suite++)
		memset(local.seeds[suite], (int)(suite + 1), sizeof local.seeds[suite]);
}

// What each policy makes of an offer: the tag taken, 0 for plain RTP, or an error.
static const struct {
	const char *lines;
	int forbid, prefer, require;
} offers[] = {
	{ AVP, 0, 0, -TD_EUNSUPPORTED },
	{ SAVP CM80, -TD_EUNSUPPORTED, 1, 1 },
	{ SAVP CM80 CM32, -TD_EUNSUPPORTED, 1, 1 },        // Snom, Yealink
	{ SAVP F8 CM32 GCM CM80, -TD_EUNSUPPORTED, 5, 5 }, // the peer's order
	{ SAVP BROKEN GCM, -TD_EUNSUPPORTED, 5, 5 },
	{ SAVP CLEAR, -TD_EUNSUPPORTED, -TD_EUNSUPPORTED, -TD_EUNSUPPORTED },
	{ SAVP CLEAR GCM, -TD_EUNSUPPORTED, 5, 5 },
	{ SAVP CM32, -TD_EUNSUPPORTED, -TD_EUNSUPPORTED, -TD_EUNSUPPORTED }, // not one of ours
	{ SAVP, -TD_EUNSUPPORTED, -TD_EUNSUPPORTED, -TD_EUNSUPPORTED },
	{ SAVP BROKEN, -TD_EUNSUPPORTED, -TD_EUNSUPPORTED, -TD_EUNSUPPORTED },
	{ AVP CM80, 0, 1, 1 }, // RFC 8643
	{ AVP F8, 0, 0, -TD_EUNSUPPORTED },
	{ AVP CLEAR, 0, 0, -TD_EUNSUPPORTED },
	{ AVP "m=audio 4002 RTP/SAVP 0\r\n" CM80, 0, 1, 1 }, // either, as Bria offers it
	{ "m=audio 4002 RTP/SAVP 0\r\n" CM80 AVP, 0, 1, 1 },
	{ "m=audio 4002 RTP/SAVP 0\r\n" F8 AVP, 0, 0, -TD_EUNSUPPORTED },
	{ "m=audio 4000 UDP/TLS/RTP/SAVP 0\r\n", -TD_EUNSUPPORTED, -TD_EUNSUPPORTED,
	  -TD_EUNSUPPORTED },
	{ AVPF, 0, 0, -TD_EUNSUPPORTED },
	{ AVPF CM80, 0, 1, 1 },
	{ SAVPF CM80, -TD_EUNSUPPORTED, 1, 1 },
	{ SAVPF, -TD_EUNSUPPORTED, -TD_EUNSUPPORTED, -TD_EUNSUPPORTED },
	{ "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n" CM80, -TD_EUNSUPPORTED, -TD_EUNSUPPORTED,
	  -TD_EUNSUPPORTED },
	{ "m=audio 4000 RTP/SAVPFF 0\r\n" CM80, -TD_EUNSUPPORTED, -TD_EUNSUPPORTED,
	  -TD_EUNSUPPORTED },
	{ "m=audio 4000 RTP/SAVP 18\r\n" CM80, -TD_EUNSUPPORTED, -TD_ECODEC, -TD_ECODEC },
};

static void check_answer(const char *lines, enum td_sdp_srtp srtp, int expected)
{
	char body[2048], key[64], transport[64];
	const struct td_sdp_media *used;
	int got;

	policy(srtp);
	snprintf(body, sizeof body, HEAD "%s", lines);
	got = answer(body);
	if (expected < 0) {
		ck_assert_msg(got == expected, "%d: %s", got, lines);
		return;
	}
	ck_assert_msg(got > 0, "%d: %s", got, lines);
	snprintf(key, sizeof key, "a=crypto:%d ", expected);
	ck_assert_msg(!!strstr(text, "a=crypto:") == (expected > 0), "%s", text);
	ck_assert(expected == 0 || strstr(text, key));
	ck_assert_int_eq(agreed.srtp_tx.suite != TD_SRTP_NONE, expected > 0);
	ck_assert_int_eq(agreed.srtp_tx.suite, agreed.srtp_rx.suite);
	if (expected > 0) {
		// Ours to send, theirs to receive.
		ck_assert_uint_eq(agreed.srtp_tx.key[0], agreed.srtp_tx.suite + 1u);
		ck_assert_mem_ne(agreed.srtp_rx.key, agreed.srtp_tx.key, 16);
		ck_assert(!strstr(text, KEY30) && !strstr(text, KEY28));
	}
	// The transport of the line in use is the offered one.
	used = &sdp.media[session.line_active];
	snprintf(transport, sizeof transport, "m=audio 20000 %.*s 0\r\n",
		 TD_STR_ARGS(used->protocol_text));
	ck_assert_msg(strstr(text, transport) != NULL, "%s in %s", transport, text);
	ck_assert_ptr_null(strstr(text, "rtcp-fb"));
}

START_TEST(offers_answered)
{
	check_answer(offers[_i].lines, TD_SDP_SRTP_FORBID, offers[_i].forbid);
	check_answer(offers[_i].lines, TD_SDP_SRTP_PREFER, offers[_i].prefer);
	check_answer(offers[_i].lines, TD_SDP_SRTP_REQUIRE, offers[_i].require);
}
END_TEST

#define OUR_GCM "a=crypto:1 AEAD_AES_128_GCM inline:BgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBgYGBg==\r\n"
#define OUR_CM80                                                                                   \
	"a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC\r\n"

START_TEST(our_offers)
{
	policy(TD_SDP_SRTP_REQUIRE);
	ck_assert_int_gt(offer(), 0);
	ck_assert(strstr(text, "RTP/SAVP 0 8"));
	ck_assert(strstr(text, OUR_GCM OUR_CM80));
	policy(TD_SDP_SRTP_PREFER);
	ck_assert_int_gt(offer(), 0);
	ck_assert(strstr(text, "RTP/AVP 0 8"));
	ck_assert(strstr(text, OUR_GCM OUR_CM80));
	policy(TD_SDP_SRTP_FORBID);
	ck_assert_int_gt(offer(), 0);
	ck_assert(!strstr(text, "SAVP") && !strstr(text, "crypto"));
}
END_TEST

#define THEIR_CM80 "a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" KEY30 "\r\n"
#define THEIR_GCM  "a=crypto:1 AEAD_AES_128_GCM inline:" KEY28 "\r\n"

// Answers to our offer under each policy: the suite agreed, or an error.
static const struct {
	enum td_sdp_srtp srtp;
	const char *lines;
	int expected;
} answers[] = {
	{ TD_SDP_SRTP_REQUIRE, SAVP THEIR_CM80, TD_SRTP_AES_CM_128_HMAC_SHA1_80 },
	{ TD_SDP_SRTP_REQUIRE, SAVP THEIR_GCM, TD_SRTP_AEAD_AES_128_GCM },
	{ TD_SDP_SRTP_REQUIRE, SAVP, -TD_EUNSUPPORTED },
	{ TD_SDP_SRTP_REQUIRE, AVP, -TD_EUNSUPPORTED },
	{ TD_SDP_SRTP_REQUIRE, AVP THEIR_CM80, -TD_EUNSUPPORTED },
	{ TD_SDP_SRTP_REQUIRE, SAVP THEIR_CM80 THEIR_GCM, -TD_ECODEC },
	{ TD_SDP_SRTP_REQUIRE, SAVP CM80, -TD_ECODEC }, // our tag 1 is another suite
	{ TD_SDP_SRTP_REQUIRE, SAVP F8, -TD_ECODEC },
	{ TD_SDP_SRTP_REQUIRE, SAVP GCM, -TD_ECODEC },   // tag 5: nothing of ours
	{ TD_SDP_SRTP_REQUIRE, SAVP CLEAR, -TD_ECODEC }, // no agreement to send in the clear
	{ TD_SDP_SRTP_REQUIRE, SAVP OUR_CM80, -TD_EDENIED },
	{ TD_SDP_SRTP_PREFER, AVP THEIR_CM80, TD_SRTP_AES_CM_128_HMAC_SHA1_80 },
	{ TD_SDP_SRTP_PREFER, AVP, TD_SRTP_NONE },
	{ TD_SDP_SRTP_PREFER, SAVP THEIR_CM80, -TD_EUNSUPPORTED },
	{ TD_SDP_SRTP_PREFER, AVP OUR_GCM, -TD_EDENIED },
	{ TD_SDP_SRTP_PREFER, AVPF THEIR_GCM, TD_SRTP_AEAD_AES_128_GCM }, // more than was asked
	{ TD_SDP_SRTP_FORBID, AVP, TD_SRTP_NONE },
	{ TD_SDP_SRTP_FORBID, AVP THEIR_CM80, TD_SRTP_NONE },
	{ TD_SDP_SRTP_FORBID, SAVP THEIR_CM80, -TD_EUNSUPPORTED },
};

START_TEST(answers_held_against_the_offer)
{
	struct td_sdp_session before;
	char body[1024];
	int got;

	policy(answers[_i].srtp);
	ck_assert_int_gt(offer(), 0);
	before = session;
	snprintf(body, sizeof body, HEAD "%s", answers[_i].lines);
	got = accept_answer(body);
	if (answers[_i].expected < 0) {
		ck_assert_msg(got == answers[_i].expected, "%d: %s", got, answers[_i].lines);
		ck_assert_mem_eq(&session, &before, sizeof session);
		return;
	}
	ck_assert_int_eq(got, 0);
	ck_assert_int_eq(agreed.srtp_tx.suite, answers[_i].expected);
	ck_assert_int_eq(agreed.srtp_rx.suite, answers[_i].expected);
	if (answers[_i].expected != TD_SRTP_NONE)
		ck_assert_uint_eq(agreed.srtp_tx.key[0], agreed.srtp_tx.suite + 1u);
}
END_TEST

// The same offer again: the same text, the same keys. A new key of theirs: ours stays.
START_TEST(reoffered)
{
	char first[TD_SDP_TEXT_MAX];
	struct td_sdp_agreed before;

	policy(TD_SDP_SRTP_PREFER);
	ck_assert_int_gt(answer(HEAD SAVP CM80), 0);
	before = agreed;
	strcpy(first, text);
	ck_assert_int_gt(answer(HEAD SAVP CM80), 0);
	ck_assert_str_eq(text, first);
	ck_assert_mem_eq(&agreed.srtp_rx, &before.srtp_rx, sizeof before.srtp_rx);
	ck_assert_int_gt(answer(HEAD SAVP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"
					  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"),
			 0);
	ck_assert_str_eq(text, first);
	ck_assert_mem_eq(&agreed.srtp_tx, &before.srtp_tx, sizeof before.srtp_tx);
	ck_assert_mem_ne(agreed.srtp_rx.key, before.srtp_rx.key, 16);
}
END_TEST

// Once a profile is agreed on, an offer of ours is in it, whatever the policy would begin with.
START_TEST(profiles_stay)
{
	static const struct {
		const char *theirs, *ours;
	} rows[] = {
		{ AVP, "RTP/AVP 0" },
		{ AVPF, "RTP/AVPF 0" },
		{ SAVP THEIR_CM80, "RTP/SAVP 0" },
		{ SAVPF THEIR_CM80, "RTP/SAVPF 0" },
	};
	char body[1024];

	policy(TD_SDP_SRTP_PREFER);
	snprintf(body, sizeof body, HEAD "%s", rows[_i].theirs);
	ck_assert_int_gt(answer(body), 0);
	ck_assert_int_gt(offer(), 0);
	ck_assert_msg(strstr(text, rows[_i].ours) != NULL, "%s", text);
	ck_assert_int_eq(accept_answer(body), 0);
}
END_TEST

// More attributes than we look at do not harm those we do.
START_TEST(many_attributes)
{
	char body[8192] = HEAD SAVP;

	for (int i = 0; i < TD_SDP_CRYPTO_MAX - 1; i++)
		strcat(body, F8);
	strcat(body, GCM CM80);
	policy(TD_SDP_SRTP_REQUIRE);
	ck_assert_int_gt(answer(body), 0);
	ck_assert_int_eq(agreed.srtp_tx.suite, TD_SRTP_AEAD_AES_128_GCM);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sdp srtp");
	TCase *tcase = tcase_create("srtp");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, offers_answered, 0, sizeof offers / sizeof offers[0]);
	tcase_add_test(tcase, our_offers);
	tcase_add_loop_test(tcase, answers_held_against_the_offer, 0,
			    sizeof answers / sizeof answers[0]);
	tcase_add_test(tcase, reoffered);
	tcase_add_loop_test(tcase, profiles_stay, 0, 4);
	tcase_add_test(tcase, many_attributes);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

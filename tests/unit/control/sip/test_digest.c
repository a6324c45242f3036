// Digest against the examples of the RFCs, and the registrar's side of it under attack.
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>

#include "rig.h"

static struct td_sip_message msg;
static struct td_sip_digest_server server;
static const uint8_t seed[32] = "thirty-two bytes of great secret";

START_TEST(examples_of_the_rfcs)
{
	static const struct {
		enum td_sip_digest_algorithm algorithm;
		const char *user, *realm, *password, *method, *uri, *nonce, *nc, *cnonce, *qop;
		const char *response;
	} rows[] = {
		// RFC 2617 section 3.5
		{ TD_SIP_DIGEST_MD5, "Mufasa", "testrealm@host.com", "Circle Of Life", "GET",
		  "/dir/index.html", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "00000001", "0a4f113b",
		  "auth", "6629fae49393a05397450978507c4ef1" },
		// RFC 7616 section 3.9.1
		{ TD_SIP_DIGEST_MD5, "Mufasa", "http-auth@example.org", "Circle of Life", "GET",
		  "/dir/index.html", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "00000001",
		  "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "auth",
		  "8ca523f5e9506fed4657c9700eebdbec" },
		{ TD_SIP_DIGEST_SHA256, "Mufasa", "http-auth@example.org", "Circle of Life", "GET",
		  "/dir/index.html", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "00000001",
		  "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "auth",
		  "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char out[TD_SIP_DIGEST_HEX_MAX];

		ck_assert_int_eq(td_sip_digest_response(
					 rows[i].algorithm, td_str_from(rows[i].user),
					 td_str_from(rows[i].realm), td_str_from(rows[i].password),
					 td_str_from(rows[i].method), td_str_from(rows[i].uri),
					 td_str_from(rows[i].nonce), td_str_from(rows[i].nc),
					 td_str_from(rows[i].cnonce), td_str_from(rows[i].qop),
					 out),
				 0);
		ck_assert_str_eq(out, rows[i].response);
	}
}
END_TEST

START_TEST(without_qop_as_rfc_2069)
{
	char out[TD_SIP_DIGEST_HEX_MAX];

	// RFC 2617 section 3.2.2.1 without qop; the expected value is from `openssl md5`.
	ck_assert_int_eq(td_sip_digest_response(TD_SIP_DIGEST_MD5, TD_STR("bob"),
						TD_STR("biloxi.com"), TD_STR("zanzibar"),
						TD_STR("REGISTER"), TD_STR("sip:biloxi.com"),
						TD_STR("dcd98b7102dd2f0e8b11d0f600bfb0c093"),
						TD_STR_NONE, TD_STR_NONE, TD_STR_NONE, out),
			 0);
	ck_assert_str_eq(out, "4441045a8075db3ead543693997e2a0e");
	ck_assert_int_eq(td_sip_digest_response(TD_SIP_DIGEST_MD5, TD_STR("bob"), TD_STR("r"),
						TD_STR("p"), TD_STR("M"), TD_STR("u"), TD_STR("n"),
						TD_STR("1"), TD_STR("c"), TD_STR("auth-int"), out),
			 -TD_EUNSUPPORTED);
}
END_TEST

START_TEST(fields)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
		{ "Digest username=\"bob\", realm=\"r\"", 0 },
		{ "digest  username = \"b, o=b\" ,\r\n realm=\"r\"", 0 },
		{ "Basic dXNlcjpwYXNz", 0 },
		{ "NoOneKnowsThisScheme opaque-data=here", 0 },
		{ "", -TD_EMALFORMED },
		{ "Digest", -TD_EMALFORMED },
		{ "Digest username", -TD_EMALFORMED },
		{ "Digest username=", -TD_EMALFORMED },
		{ "Digest username=\"bob", -TD_EMALFORMED },
		{ "Digest username=\"bob\",", -TD_EMALFORMED },
		{ "Digest username=\"bob\" realm=\"r\"", -TD_EMALFORMED },
		{ "Digest =\"bob\"", -TD_EMALFORMED },
	};
	struct td_sip_digest_fields f;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ck_assert_msg(td_sip_digest_fields_parse(td_str_from(rows[i].text), &f) ==
				      rows[i].rc,
			      "%s", rows[i].text);
	ck_assert_int_eq(td_sip_digest_fields_parse(td_str_from(rows[1].text), &f), 0);
	ck_assert_str_eq(rig_text(f.username), "b, o=b");
	ck_assert(!td_sip_digest_fields_parse(TD_STR("Digest algorithm=sha-256, stale=TRUE"), &f));
	ck_assert_int_eq(f.algorithm, TD_SIP_DIGEST_SHA256);
	ck_assert(f.stale);
}
END_TEST

static void set_up(void)
{
	ck_assert_int_eq(td_sip_digest_server_init(&server, "tandem", seed, 60000), 0);
}

// A REGISTER with these credentials, parsed from a static buffer.
static void register_with(const char *authorization)
{
	static char text[4096];
	int len =
		snprintf(text, sizeof text,
			 "REGISTER sip:tandem SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
			 "From: <sip:1001@tandem>;tag=1\r\nTo: <sip:1001@tandem>\r\nCall-ID: r\r\n"
			 "CSeq: 1 REGISTER\r\n%sContent-Length: 0\r\n\r\n",
			 authorization);

	ck_assert_int_eq(td_sip_message_parse(&msg, text, (size_t)len), 0);
}

// The challenge the server gives at now_ms, as the 401 a phone sees.
static const struct td_sip_message *challenge(uint64_t now_ms, const struct td_endpoint *binding,
					      bool stale)
{
	static char text[4096], lines[TD_SIP_CHALLENGE_MAX];
	static struct td_sip_message response;
	struct td_str c = td_sip_digest_challenge(&server, now_ms, binding, stale, lines);
	int len = snprintf(text, sizeof text,
			   "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
			   "From: <sip:1001@tandem>;tag=1\r\nTo: <sip:1001@tandem>;tag=2\r\n"
			   "Call-ID: r\r\nCSeq: 1 REGISTER\r\n%.*sContent-Length: 0\r\n\r\n",
			   TD_STR_ARGS(c));

	ck_assert_int_eq(td_sip_message_parse(&response, text, (size_t)len), 0);
	return &response;
}

static const char *answer_to(const struct td_sip_message *response, const char *password)
{
	static char out[TD_SIP_CREDENTIALS_MAX];
	struct td_sip_account account = { "1001", password, NULL };
	size_t len;

	ck_assert_int_eq(td_sip_digest_answer(response, &account, TD_STR("REGISTER"),
					      TD_STR("sip:tandem"), 12345, out, &len),
			 0);
	out[len] = 0;
	return out;
}

static enum td_sip_digest_verdict verify(uint64_t now_ms, const char *password,
					 const struct td_endpoint *binding)
{
	struct td_sip_digest_fields f;

	if (!td_sip_digest_credentials(&server, &msg, &f))
		return TD_SIP_DIGEST_NONE;
	return td_sip_digest_verify(&server, now_ms, &msg, &f, password, binding);
}

START_TEST(phone_registers)
{
	struct td_endpoint other_port = rig_peer, other = rig_peer;

	set_up();
	register_with("");
	ck_assert_int_eq(verify(1000, "secret", &rig_peer), TD_SIP_DIGEST_NONE);
	register_with(answer_to(challenge(1000, &rig_peer, false), "secret"));
	// The stronger of the two was picked.
	ck_assert_ptr_nonnull(
		strstr(rig_text(td_sip_message_value(&msg, TD_SIP_HEADER_AUTHORIZATION)),
		       "algorithm=SHA-256"));
	other_port.port_be = htons(9999);
	other.addr[3]++;
	ck_assert_int_eq(verify(2000, "secret", &other), TD_SIP_DIGEST_STALE);
	ck_assert_int_eq(verify(2000, "wrong", &rig_peer), TD_SIP_DIGEST_WRONG);
	ck_assert_int_eq(verify(2000, NULL, &rig_peer), TD_SIP_DIGEST_WRONG);
	ck_assert_int_eq(verify(2000, "secret", &other_port), TD_SIP_DIGEST_OK);
	// The very same bytes again are a replay.
	ck_assert_int_eq(verify(2001, "secret", &rig_peer), TD_SIP_DIGEST_STALE);
}
END_TEST

START_TEST(nonce_ages)
{
	set_up();
	register_with(answer_to(challenge(1000, &rig_peer, false), "secret"));
	ck_assert_int_eq(verify(61001, "secret", &rig_peer), TD_SIP_DIGEST_STALE);
	ck_assert_int_eq(verify(999, "secret", &rig_peer), TD_SIP_DIGEST_STALE);
	// An old nonce does not make a wrong password look merely old.
	ck_assert_int_eq(verify(61001, "wrong", &rig_peer), TD_SIP_DIGEST_WRONG);
	ck_assert_int_eq(verify(61000, "secret", &rig_peer), TD_SIP_DIGEST_OK);
	ck_assert_ptr_nonnull(strstr(rig_text(td_sip_message_value(challenge(1, &rig_peer, true),
								   TD_SIP_HEADER_WWW_AUTHENTICATE)),
				     "stale=true"));
}
END_TEST

START_TEST(credentials_that_are_not_right)
{
	static const struct {
		const char *text;
		enum td_sip_digest_verdict verdict;
	} rows[] = {
		{ "Authorization: Basic dXNlcjpwYXNz\r\n", TD_SIP_DIGEST_NONE },
		{ "Authorization: NoOneKnowsThisScheme opaque-data=here\r\n", TD_SIP_DIGEST_NONE },
		{ "Authorization: Digest username=\"a\"; realm\r\n", TD_SIP_DIGEST_NONE },
		{ "Authorization: Digest username=\"1001\", realm=\"elsewhere\", nonce=\"n\", uri=\"u\", "
		  "response=\"r\"\r\n",
		  TD_SIP_DIGEST_NONE },
		{ "Authorization: Digest username=\"1001\", realm=\"tandem\"\r\n",
		  TD_SIP_DIGEST_MALFORMED },
		{ "Authorization: Digest username=\"1001\", realm=\"tandem\", nonce=\"n\", uri=\"u\", "
		  "response=\"r\"\r\n",
		  TD_SIP_DIGEST_MALFORMED }, // no qop
		{ "Authorization: Digest username=\"1001\", realm=\"tandem\", nonce=\"n\", uri=\"u\", "
		  "response=\"r\", qop=auth, cnonce=\"c\", nc=00000000\r\n",
		  TD_SIP_DIGEST_MALFORMED },
		{ "Authorization: Digest username=\"1001\", realm=\"tandem\", nonce=\"n\", uri=\"u\", "
		  "response=\"r\", qop=auth, cnonce=\"c\", nc=1\r\n",
		  TD_SIP_DIGEST_MALFORMED },
		{ "Authorization: Digest username=\"1001\", realm=\"tandem\", nonce=\"n\", uri=\"u\", "
		  "response=\"r\", qop=auth, cnonce=\"c\", nc=00000001\r\n",
		  TD_SIP_DIGEST_STALE }, // a nonce that is not ours
		{ "Authorization: Digest username=\"1001\", realm=\"tandem\", nonce=\"n\", uri=\"u\", "
		  "response=\"r\", qop=auth, cnonce=\"c\", nc=00000001, algorithm=SHA-512-256\r\n",
		  TD_SIP_DIGEST_STALE },
	};

	set_up();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		register_with(rows[i].text);
		ck_assert_msg(verify(1000, "secret", &rig_peer) == rows[i].verdict, "row %zu", i);
	}
}
END_TEST

START_TEST(the_right_realm_among_several)
{
	char lines[2 * TD_SIP_CREDENTIALS_MAX];

	set_up();
	snprintf(lines, sizeof lines, "Authorization: Digest realm=\"x\", username=\"u\"\r\n%s",
		 answer_to(challenge(1000, &rig_peer, false), "secret"));
	register_with(lines);
	ck_assert_int_eq(verify(1000, "secret", &rig_peer), TD_SIP_DIGEST_OK);
}
END_TEST

START_TEST(bad_realms)
{
	char longest[200];

	memset(longest, 'r', sizeof longest);
	longest[128] = 0;
	ck_assert_int_eq(td_sip_digest_server_init(&server, longest, seed, 1), -TD_EINVALID);
	longest[127] = 0;
	ck_assert_int_eq(td_sip_digest_server_init(&server, longest, seed, 1), 0);
	ck_assert_int_eq(td_sip_digest_server_init(&server, "a\"b", seed, 1), -TD_EINVALID);
	ck_assert_int_eq(td_sip_digest_server_init(&server, "a\nb", seed, 1), -TD_EINVALID);
	ck_assert_int_eq(td_sip_digest_server_init(&server, "a\\b", seed, 1), -TD_EINVALID);
}
END_TEST

// The table of used nonces is bounded: the oldest goes, the newest still refuse a replay.
START_TEST(many_nonces)
{
	set_up();
	for (unsigned i = 0; i < TD_SIP_DIGEST_SEEN_MAX + 10; i++) {
		register_with(answer_to(challenge(1000 + i, &rig_peer, false), "secret"));
		ck_assert_int_eq(verify(2000 + i, "secret", &rig_peer), TD_SIP_DIGEST_OK);
		ck_assert_int_eq(verify(2000 + i, "secret", &rig_peer), TD_SIP_DIGEST_STALE);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sip/digest");
	TCase *tc = tcase_create("digest");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, examples_of_the_rfcs);
	tcase_add_test(tc, without_qop_as_rfc_2069);
	tcase_add_test(tc, fields);
	tcase_add_test(tc, phone_registers);
	tcase_add_test(tc, nonce_ages);
	tcase_add_test(tc, credentials_that_are_not_right);
	tcase_add_test(tc, the_right_realm_among_several);
	tcase_add_test(tc, bad_realms);
	tcase_add_test(tc, many_nonces);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

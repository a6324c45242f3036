// URIs: what parses into what, what does not, and when two are the same.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "rig.h"

START_TEST(good)
{
	static const struct {
		const char *text, *user, *password, *host;
		uint64_t port; // as wide as its neighbours
		const char *params, *headers;
		enum td_sip_scheme scheme;
	} rows[] = {
		{ "sip:alice@atlanta.com", "alice", "", "atlanta.com", 0, "", "",
		  TD_SIP_SCHEME_SIP },
		{ "sip:alice:secretword@atlanta.com;transport=tcp", "alice", "secretword",
		  "atlanta.com", 0, "transport=tcp", "", TD_SIP_SCHEME_SIP },
		{ "sips:alice@atlanta.com?subject=project%20x&priority=urgent", "alice", "",
		  "atlanta.com", 0, "", "subject=project%20x&priority=urgent", TD_SIP_SCHEME_SIPS },
		{ "sip:+1-212-555-1212:1234@gateway.com;user=phone", "+1-212-555-1212", "1234",
		  "gateway.com", 0, "user=phone", "", TD_SIP_SCHEME_SIP },
		{ "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com", "", "", "atlanta.com",
		  0, "method=REGISTER", "to=alice%40atlanta.com", TD_SIP_SCHEME_SIP },
		{ "sip:alice;day=tuesday@atlanta.com", "alice;day=tuesday", "", "atlanta.com", 0,
		  "", "", TD_SIP_SCHEME_SIP },
		{ "SIP:1001@10.77.0.20:5060", "1001", "", "10.77.0.20", 5060, "", "",
		  TD_SIP_SCHEME_SIP },
		{ "sip:[fd77::2]:65535;lr", "", "", "fd77::2", 65535, "lr", "", TD_SIP_SCHEME_SIP },
		{ "sip:x@[::ffff:10.0.0.1]", "x", "", "::ffff:10.0.0.1", 0, "", "",
		  TD_SIP_SCHEME_SIP },
		{ "sip:*8#@host_name.example", "*8#", "", "host_name.example", 0, "", "",
		  TD_SIP_SCHEME_SIP },
		{ "tel:+49-30-123;phone-context=x", "+49-30-123", "", "", 0, "phone-context=x", "",
		  TD_SIP_SCHEME_TEL },
		{ "http://www.example.com/x", "", "", "", 0, "", "", TD_SIP_SCHEME_OTHER },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct td_sip_uri uri;

		ck_assert_msg(!td_sip_uri_parse(td_str_from(rows[i].text), &uri), "%s",
			      rows[i].text);
		ck_assert_int_eq(uri.scheme, rows[i].scheme);
		ck_assert_str_eq(rig_text(uri.user), rows[i].user);
		ck_assert_str_eq(rig_text(uri.password), rows[i].password);
		ck_assert_str_eq(rig_text(uri.host), rows[i].host);
		ck_assert_uint_eq(uri.port, rows[i].port);
		ck_assert_str_eq(rig_text(uri.params), rows[i].params);
		ck_assert_str_eq(rig_text(uri.headers), rows[i].headers);
	}
}
END_TEST

START_TEST(bad)
{
	static const char *const rows[] = {
		"",
		"sip",
		"sip:",
		":x",
		"sip:@host",
		"sip:a@",
		"sip:a b@host",
		"sip: host",
		"sip:host ",
		"sip:host:",
		"sip:host:0",
		"sip:host:65536",
		"sip:host:5x",
		"sip:host;",
		"sip:host;;lr",
		"sip:host;=x",
		"sip:host?",
		"sip:host;a=b?",
		"sip:[fd77::2",
		"sip:[zz]",
		"sip:[10.0.0.1]",
		"sip:a%4@host",
		"sip:a%zz@host",
		"sip:a@b@c",
		"sip:a\tb@host",
		"<sip:a@host>",
		"sip:a<b@host",
		"sip:a\"@host",
		"1sip:host",
		"sip:host/path",
		"sip:a:b:c@host",
		"sip:ho\x80st",
		"tel:",
		"tel:12;",
		"mailto:",
		"mailto:a b",
		"sip:host;p=a\nb",
		"sip:host;p=1;q;P=2",
		"sip:host?h=<script>",
		"sip:host:99999999999999999999",
	};
	struct td_sip_uri uri;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ck_assert_msg(td_sip_uri_parse(td_str_from(rows[i]), &uri) == -TD_EMALFORMED,
			      "accepted: %s", rows[i]);
}
END_TEST

// RFC 3261 section 19.1.4, its own examples.
START_TEST(equality)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp",
		  true },
		{ "sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true },
		{ "sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true },
		{ "sip:alice@atlanta.com?subject=x", "sip:alice@atlanta.com?subject=x", true },
		{ "SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP",
		  false },
		{ "sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false },
		{ "sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false },
		{ "sip:carol@chicago.com;security=off", "sip:carol@chicago.com;security=on",
		  false },
		{ "sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false },
		{ "sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false },
		{ "sip:bob@h", "sips:bob@h", false },
		{ "sip:bob:1@h", "sip:bob:2@h", false },
		{ "tel:1", "tel:1", true },
		{ "isbn:1", "isbn:1", true },
		{ "isbn:1", "isbn:2", false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct td_sip_uri a, b;

		ck_assert_int_eq(td_sip_uri_parse(td_str_from(rows[i].a), &a), 0);
		ck_assert_int_eq(td_sip_uri_parse(td_str_from(rows[i].b), &b), 0);
		ck_assert_msg(td_sip_uri_equal(&a, &b) == rows[i].same, "%s | %s", rows[i].a,
			      rows[i].b);
		ck_assert_int_eq(td_sip_uri_equal(&b, &a), rows[i].same);
	}
}
END_TEST

START_TEST(unescape_and_endpoint)
{
	struct td_sip_uri uri;
	struct td_endpoint ep;
	char out[4], text[TD_ENDPOINT_TEXT_MAX];

	ck_assert_int_eq(td_sip_uri_unescape(TD_STR("%61bc"), out, sizeof out), 0);
	ck_assert_str_eq(out, "abc");
	ck_assert_int_eq(td_sip_uri_unescape(TD_STR("abcd"), out, sizeof out), -TD_EFULL);
	ck_assert_str_eq(out, "");
	ck_assert_int_eq(td_sip_uri_unescape(TD_STR("a%00"), out, sizeof out), -TD_EMALFORMED);
	ck_assert_int_eq(td_sip_uri_unescape(TD_STR("a%4"), out, sizeof out), -TD_EMALFORMED);
	ck_assert_int_eq(td_sip_uri_unescape(TD_STR("%ff"), out, sizeof out), 0);

	ck_assert_int_eq(td_sip_uri_parse(TD_STR("sip:a@10.77.0.20"), &uri), 0);
	ck_assert_int_eq(td_sip_uri_endpoint(&uri, &ep), 0);
	ck_assert_str_eq(td_endpoint_text(&ep, text), "10.77.0.20:5060");
	ck_assert_int_eq(td_sip_uri_parse(TD_STR("sip:a@[fd77::2]:7"), &uri), 0);
	ck_assert_int_eq(td_sip_uri_endpoint(&uri, &ep), 0);
	ck_assert_str_eq(td_endpoint_text(&ep, text), "[fd77::2]:7");
	ck_assert_int_eq(td_sip_uri_parse(TD_STR("sip:a@example.com"), &uri), 0);
	ck_assert_int_eq(td_sip_uri_endpoint(&uri, &ep), -TD_ENOT_FOUND);
	ck_assert_int_eq(td_sip_uri_parse(TD_STR("tel:10"), &uri), 0);
	ck_assert_int_eq(td_sip_uri_endpoint(&uri, &ep), -TD_ENOT_FOUND);
}
END_TEST

START_TEST(every_truncation)
{
	static const char whole[] = "sips:al%69ce;x:pa%20ss@[fd77::2]:5061;lr;p=%41?h=v&k=w";
	struct td_sip_uri uri;

	for (size_t len = 0; len <= sizeof whole - 1; len++) {
		char *copy = malloc(len ? len : 1);

		memcpy(copy, whole, len);
		if (!td_sip_uri_parse(td_str_make(copy, len), &uri))
			ck_assert(uri.host.len || uri.user.len);
		free(copy);
	}
	ck_assert_int_eq(
		td_sip_uri_parse(TD_STR("sips:al%69ce;x:pa%20ss@[fd77::2]:5061;lr;p=%41?h=v"),
				 &uri),
		0);
}
END_TEST

START_TEST(parameters_are_bounded)
{
	char text[256] = "sip:h";
	struct td_sip_uri uri;

	for (unsigned i = 0; i < TD_SIP_URI_PARAM_MAX; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), ";p%u", i);
	ck_assert_int_eq(td_sip_uri_parse(td_str_from(text), &uri), 0);
	snprintf(text + strlen(text), sizeof text - strlen(text), ";more");
	ck_assert_int_eq(td_sip_uri_parse(td_str_from(text), &uri), -TD_EMALFORMED);
}
END_TEST

START_TEST(name_addrs)
{
	static const struct {
		const char *text, *display, *uri, *tag;
		bool ok;
	} rows[] = {
		{ "\"A. G. Bell\" <sip:agb@bell-telephone.com> ;tag=a48s", "\"A. G. Bell\"",
		  "sip:agb@bell-telephone.com", "a48s", true },
		{ "sip:+12125551212@server.phone2net.com;tag=887s", "",
		  "sip:+12125551212@server.phone2net.com", "887s", true },
		{ "Anonymous <sip:c8oqz84zk7z@privacy.org>;tag=hyh8", "Anonymous",
		  "sip:c8oqz84zk7z@privacy.org", "hyh8", true },
		{ "<sip:a@b;tag=inside>", "", "sip:a@b;tag=inside", "", true },
		{ "\"x\\\"<sip:fake@x>\" <sip:real@y>", "\"x\\\"<sip:fake@x>\"", "sip:real@y", "",
		  true },
		{ "\"semi;colon\" <sip:a@b>;tag=1", "\"semi;colon\"", "sip:a@b", "1", true },
		{ "Two  words<sip:a@b>", "Two  words", "sip:a@b", "", true },
		{ "<sip:a@b>;tag=", "", "", "", false },
		{ "<sip:a@b>;tag=\"q\"", "", "", "", false },
		{ "<sip:a@b>tag=1", "", "", "", false },
		{ "<sip:a@b", "", "", "", false },
		{ "sip:a@b>", "", "", "", false },
		{ "<>", "", "", "", false },
		{ "", "", "", "", false },
		{ "Bell, Alexander <sip:a@b>", "", "", "", false },
		{ "sip:a@b?x=y", "", "", "", false },
		{ "\"open <sip:a@b>", "", "", "", false },
		{ "<sip:a@b>;;", "", "", "", false },
		{ "<sip:a@b>, <sip:c@d>", "", "", "", false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct td_sip_name_addr n;
		int rc = td_sip_name_addr_parse(td_str_from(rows[i].text), &n);

		ck_assert_msg((rc == 0) == rows[i].ok, "%s: %d", rows[i].text, rc);
		if (rc)
			continue;
		ck_assert_str_eq(rig_text(n.display), rows[i].display);
		ck_assert_str_eq(rig_text(n.uri.text), rows[i].uri);
		ck_assert_str_eq(rig_text(n.tag), rows[i].tag);
		ck_assert_int_eq(n.has_tag, rows[i].tag[0] != 0);
	}
}
END_TEST

START_TEST(vias)
{
	static const struct {
		const char *text, *host;
		uint64_t port;
		const char *branch;
		bool rport, magic, ok;
	} rows[] = {
		{ "SIP/2.0/UDP erlang.bell-telephone.com:5060;branch=z9hG4bK87asdks7",
		  "erlang.bell-telephone.com", 5060, "z9hG4bK87asdks7", false, true, true },
		{ "SIP / 2.0 / UDP first.example.com: 4000;ttl=16 ;maddr=224.2.0.1 "
		  ";branch=z9hG4bKa7c6a8dlze.1",
		  "first.example.com", 4000, "z9hG4bKa7c6a8dlze.1", false, true, true },
		{ "SIP/2.0/UDP [2001:db8::9:1];rport;received=[2001:db8::1];branch=Z9HG4BKx",
		  "2001:db8::9:1", 0, "Z9HG4BKx", true, true, true },
		{ "SIP/2.0/UDP h;branch=z9hG4bK", "h", 0, "z9hG4bK", false, false, true },
		{ "SIP/2.0/UDP h", "h", 0, "", false, false, true },
		{ "SIP/2.0/UDP h;;,;,,", "h", 0, "", false, false, false },
		{ "SIP/2.0/UDP", "", 0, "", false, false, false },
		{ "SIP/2.0/UDPh", "", 0, "", false, false, false },
		{ "SIP/2.0 h", "", 0, "", false, false, false },
		{ "HTTP/2.0/UDP h", "", 0, "", false, false, false },
		{ "SIP/2.0/UDP h:99999", "", 0, "", false, false, false },
		{ "SIP/2.0/UDP h h2", "", 0, "", false, false, false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct td_sip_via via;
		int rc = td_sip_via_parse(td_str_from(rows[i].text), &via);

		ck_assert_msg((rc == 0) == rows[i].ok, "%s: %d", rows[i].text, rc);
		if (rc)
			continue;
		ck_assert_str_eq(rig_text(via.host), rows[i].host);
		ck_assert_uint_eq(via.port, rows[i].port);
		ck_assert_str_eq(rig_text(via.branch), rows[i].branch);
		ck_assert_int_eq(via.has_rport, rows[i].rport);
		ck_assert_int_eq(via.magic, rows[i].magic);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sip/uri");
	TCase *tc = tcase_create("uri");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, good);
	tcase_add_test(tc, bad);
	tcase_add_test(tc, equality);
	tcase_add_test(tc, unescape_and_endpoint);
	tcase_add_test(tc, every_truncation);
	tcase_add_test(tc, parameters_are_bounded);
	tcase_add_test(tc, name_addrs);
	tcase_add_test(tc, vias);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

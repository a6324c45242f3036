// Messages: header identity, framing, bounds, and truncation at every byte.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "rig.h"

static struct td_sip_message msg;
static char text[70000];

#define START                                                                                      \
	"INVITE sip:100@10.77.0.1 SIP/2.0\r\n"                                                     \
	"Via: SIP/2.0/UDP 10.77.0.10:5060;branch=z9hG4bK74bf9;rport\r\n"                           \
	"Max-Forwards: 70\r\n"                                                                     \
	"From: \"Bob\" <sip:bob@example.com>;tag=9fxced76sl\r\n"                                   \
	"To: <sip:100@10.77.0.1>\r\n"                                                              \
	"Call-ID: 3848276298220188511@example.com\r\n"                                             \
	"CSeq: 1 INVITE\r\n"                                                                       \
	"Contact: <sip:bob@10.77.0.10:5060>\r\n"
#define BODY                                                                                       \
	"v=0\r\no=bob 2890844526 2890844526 IN IP4 10.77.0.10\r\ns=-\r\n"                          \
	"c=IN IP4 10.77.0.10\r\nt=0 0\r\nm=audio 49172 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"

__attribute__((format(printf, 1, 2))) static int parse(const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return td_sip_message_parse(&msg, text, (size_t)len);
}

START_TEST(header_names)
{
	for (unsigned id = 1; id < TD_SIP_HEADER_ID_COUNT; id++) {
		char name[64], *c;

		snprintf(name, sizeof name, "%s", td_sip_header_name(id));
		ck_assert_uint_eq(td_sip_header_id(td_str_from(name)), id);
		for (c = name; *c; c++)
			*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
		ck_assert_uint_eq(td_sip_header_id(td_str_from(name)), id);
		// One byte more, one less, one other: somebody else's header.
		if (strlen(name) > 2) // "T" is the compact form of "To"
			ck_assert_uint_eq(td_sip_header_id(td_str_make(name, strlen(name) - 1)), 0);
		c[-1] ^= 1;
		ck_assert_uint_eq(td_sip_header_id(td_str_from(name)), 0);
	}
	ck_assert_uint_eq(td_sip_header_id(TD_STR("P-Acme-910")), TD_SIP_HEADER_OTHER);
	ck_assert_uint_eq(td_sip_header_id(TD_STR("")), TD_SIP_HEADER_OTHER);
	ck_assert_uint_eq(td_sip_header_id(TD_STR("z")), TD_SIP_HEADER_OTHER);
}
END_TEST

START_TEST(compact_names)
{
#define CHECK_COMPACT(symbol, name, compact)                                                       \
	if (compact) {                                                                             \
		char letter[2] = { (compact), 0 };                                                 \
		ck_assert_uint_eq(td_sip_header_id(td_str_from(letter)), TD_SIP_HEADER_##symbol);  \
		letter[0] = (char)(letter[0] - 32);                                                \
		ck_assert_uint_eq(td_sip_header_id(td_str_from(letter)), TD_SIP_HEADER_##symbol);  \
	}
	TD_SIP_HEADERS(CHECK_COMPACT)
}
END_TEST

START_TEST(methods)
{
	for (unsigned id = 1; id < TD_SIP_METHOD_COUNT; id++)
		ck_assert_uint_eq(td_sip_method_id(td_str_from(td_sip_method_name(id))), id);
	ck_assert_uint_eq(td_sip_method_id(TD_STR("invite")), TD_SIP_METHOD_OTHER);
	ck_assert_uint_eq(td_sip_method_id(TD_STR("INVITEX")), TD_SIP_METHOD_OTHER);
}
END_TEST

START_TEST(every_truncation)
{
	static const char whole[] =
		START "Content-Type: application/sdp\r\nContent-Length: 132\r\n\r\n" BODY;
	size_t len = sizeof whole - 1;

	for (size_t cut = 0; cut <= len; cut++) {
		char *copy = malloc(cut ? cut : 1);
		int rc;

		memcpy(copy, whole, cut);
		rc = td_sip_message_parse(&msg, copy, cut);
		ck_assert_msg((rc == 0) == (cut == len), "cut at %zu of %zu: %s", cut, len,
			      msg.reject_text ? msg.reject_text : "accepted");
		free(copy);
	}
}
END_TEST

START_TEST(framing)
{
	static const struct {
		const char *tail;
		bool ok;
		unsigned status;
	} rows[] = {
		{ "\r\n", true, 0 },
		{ "Content-Length: 0\r\n\r\nrest", true, 0 },
		{ "Content-Length: 4\r\n\r\nrest", true, 0 },
		{ "Content-Length: 5\r\n\r\nrest", false, 400 },
		{ "Content-Length: 4294967295\r\n\r\n", false, 400 },
		{ "Content-Length: 4294967300\r\n\r\nrest", false, 400 },
		{ "Content-Length: -1\r\n\r\n", false, 400 },
		{ "Content-Length: 0x4\r\n\r\nrest", false, 400 },
		{ "Content-Length:\r\n\r\n", false, 400 },
		{ "Content-Length: 0\r\nl: 0\r\n\r\n", false, 400 },
		{ "X: y\n\r\n", false, 400 },
		{ "X: y\n\n", false, 400 },
		{ "X: a\rb\r\n\r\n", false, 0 },
		{ "X: y\r\n", false, 400 },
		{ "X: y", false, 400 },
		{ "No colon\r\n\r\n", false, 400 },
		{ ": value\r\n\r\n", false, 400 },
		{ "X y: value\r\n\r\n", false, 400 },
		{ "X\x01: value\r\n\r\n", false, 400 },
		{ "X : value\r\n\r\n", true, 0 },
		{ "X:\r\n value\r\n\tmore\r\n\r\n", true, 0 },
		{ "Max-Forwards : 3\r\n\r\n", false, 400 }, // with a space it is still that header
		{ "CSeq: 2 INVITE\r\n\r\n", false, 400 },
		{ "Contact: <sip:a@b>;;\r\n\r\n", false, 400 },
		{ "Contact: *\r\n\r\n", false, 400 },
		{ "v: SIP/2.0/UDP x;;\r\n\r\n", false, 400 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int rc = parse("%s%s", START, rows[i].tail);

		ck_assert_msg((rc == 0) == rows[i].ok, "row %zu: %s", i,
			      msg.reject_text ? msg.reject_text : "accepted");
		if (rc)
			ck_assert_msg(msg.reject_status == rows[i].status, "row %zu: %u (%s)", i,
				      msg.reject_status, msg.reject_text);
	}
}
END_TEST

START_TEST(fields_at_their_bounds)
{
	static const struct {
		const char *cseq, *forwards;
		bool ok;
	} rows[] = {
		{ "0 OPTIONS", "0", true },
		{ "2147483647 OPTIONS", "255", true },
		{ "2147483648 OPTIONS", "70", false },
		{ "4294967296 OPTIONS", "70", false },
		{ "1 OPTIONS", "256", false },
		{ "1 OPTIONS", "", false },
		{ "1 OPTIONS", "-1", false },
		{ "1OPTIONS", "70", false },
		{ "1", "70", false },
		{ "OPTIONS", "70", false },
		{ "1 OPTIONS x", "70", false },
		{ "1  \t OPTIONS", "70", true },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int rc = parse("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\n"
			       "From: <sip:a>;tag=1\r\nTo: <sip:b>\r\nCall-ID: x\r\nCSeq: %s\r\n"
			       "Max-Forwards: %s\r\n\r\n",
			       rows[i].cseq, rows[i].forwards);

		ck_assert_msg((rc == 0) == rows[i].ok, "row %zu: %s", i,
			      msg.reject_text ? msg.reject_text : "accepted");
	}
}
END_TEST

static int parse_with_headers(unsigned count)
{
	size_t used = (size_t)snprintf(text, sizeof text, "%s", START);

	for (unsigned i = 7; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "X-%u: %u\r\n", i, i);
	used += (size_t)snprintf(text + used, sizeof text - used, "\r\n");
	return td_sip_message_parse(&msg, text, used);
}

START_TEST(header_lines_are_bounded)
{
	struct td_str value;

	ck_assert_int_eq(parse_with_headers(TD_SIP_HEADER_MAX - 1), 0);
	ck_assert_int_eq(parse_with_headers(TD_SIP_HEADER_MAX), 0);
	ck_assert_uint_eq(msg.header_count, TD_SIP_HEADER_MAX);
	ck_assert(td_sip_message_find(&msg, TD_STR("x-95"), &value));
	ck_assert_str_eq(rig_text(value), "95");
	ck_assert_int_eq(parse_with_headers(TD_SIP_HEADER_MAX + 1), -TD_EMALFORMED);
	ck_assert_uint_eq(msg.reject_status, 400);
}
END_TEST

START_TEST(datagrams_are_bounded)
{
	size_t used = (size_t)snprintf(text, sizeof text, "%s\r\n", START);

	memset(text + used, 'x', sizeof text - used);
	ck_assert_int_eq(td_sip_message_parse(&msg, text, TD_SIP_DATAGRAM_MAX), 0);
	ck_assert_uint_eq(msg.body.len, TD_SIP_DATAGRAM_MAX - used);
	ck_assert_int_eq(td_sip_message_parse(&msg, text, TD_SIP_DATAGRAM_MAX + 1), -TD_EMALFORMED);
	ck_assert_uint_eq(msg.reject_status, 0);
	// One header as long as a datagram can hold.
	used = (size_t)snprintf(text, sizeof text, "%sX: ", START);
	memset(text + used, 'x', TD_SIP_DATAGRAM_MAX - used);
	snprintf(text + TD_SIP_DATAGRAM_MAX - 4, 5, "\r\n\r\n");
	ck_assert_int_eq(td_sip_message_parse(&msg, text, TD_SIP_DATAGRAM_MAX), 0);
	ck_assert_uint_eq(msg.headers[7].value_len, TD_SIP_DATAGRAM_MAX - 4 - used);
}
END_TEST

START_TEST(start_lines)
{
	static const struct {
		const char *line;
		bool ok;
		unsigned status;
	} rows[] = {
		{ "OPTIONS sip:a SIP/2.0", true, 0 },
		{ "OPTIONS sip:a sip/2.0", true, 0 },
		{ "\r\n\r\nOPTIONS sip:a SIP/2.0", true, 0 },
		{ "OPTIONS sip:a SIP/2.1", false, 505 },
		{ "OPTIONS sip:a SIP/20", false, 505 },
		{ "OPTIONS sip:a SIP/", false, 0 },
		{ "OPTIONS sip:a HTTP/1.1", false, 0 },
		{ "OPTIONS sip:a", false, 0 },
		{ "OPTIONS  SIP/2.0", false, 400 },
		{ "OPTIONS", false, 0 },
		{ "OPT<IONS sip:a SIP/2.0", false, 400 },
		{ "OPTIONS sip:a\tb SIP/2.0", false, 400 },
		{ " OPTIONS sip:a SIP/2.0", false, 400 },
		{ "SIP/2.0 200 OK", true, 0 },
		{ "SIP/2.0 200", true, 0 },
		{ "SIP/2.0 099 Low", false, 0 },
		{ "SIP/2.0 700 High", false, 0 },
		{ "SIP/2.0 20 Short", false, 0 },
		{ "SIP/2.0 2000 Long", false, 0 },
		{ "SIP/2.0  200 OK", false, 0 },
		{ "SIP/3.0 200 OK", false, 0 },
		{ "SIP/2.0", false, 0 },
		{ "\x16\x03\x01 TLS", false, 0 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int rc = parse("%s\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a>;tag=1\r\n"
			       "To: <sip:b>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n",
			       rows[i].line);

		ck_assert_msg((rc == 0) == rows[i].ok, "%s: %s", rows[i].line,
			      msg.reject_text ? msg.reject_text : "accepted");
		if (rc)
			ck_assert_msg(msg.reject_status == rows[i].status, "%s: %u (%s)",
				      rows[i].line, msg.reject_status, msg.reject_text);
	}
}
END_TEST

START_TEST(ack_and_responses_are_never_answered)
{
	ck_assert_int_eq(parse("ACK sip:a SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n"), -TD_EMALFORMED);
	ck_assert_uint_eq(msg.reject_status, 0);
	ck_assert_int_eq(parse("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\n\r\n"), -TD_EMALFORMED);
	ck_assert_uint_eq(msg.reject_status, 0);
}
END_TEST

START_TEST(walks)
{
	static const char *const expected[] = { "<sip:a,b@c>;q=1", "\"x, y\" <sip:d>", "<sip:e>",
						"<sip:f>" };
	struct td_sip_walk walk = { 0 };
	struct td_str value;

	ck_assert_int_eq(
		parse("%sm: <sip:a,b@c>;q=1 , \"x, y\" <sip:d>\r\nCONTACT:<sip:e>,\r\n <sip:f>\r\n"
		      "Supported:\r\nExpires: 60\r\n\r\n",
		      START),
		0);
	ck_assert(td_sip_message_next(&msg, TD_SIP_HEADER_CONTACT, &walk, &value));
	for (size_t i = 0; i < 4; i++) {
		ck_assert(td_sip_message_next(&msg, TD_SIP_HEADER_CONTACT, &walk, &value));
		ck_assert_str_eq(rig_text(value), expected[i]);
	}
	ck_assert(!td_sip_message_next(&msg, TD_SIP_HEADER_CONTACT, &walk, &value));
	ck_assert(!td_sip_message_next(&msg, TD_SIP_HEADER_CONTACT, &walk, &value));
	walk = (struct td_sip_walk){ 0 };
	ck_assert(!td_sip_message_next(&msg, TD_SIP_HEADER_ROUTE, &walk, &value));
	ck_assert(td_sip_message_has(&msg, TD_SIP_HEADER_SUPPORTED));
	ck_assert_uint_eq(td_sip_message_value(&msg, TD_SIP_HEADER_SUPPORTED).len, 0);
}
END_TEST

START_TEST(contact_expiry)
{
	static const struct {
		const char *contact, *expires;
		uint32_t seconds;
	} rows[] = {
		{ "<sip:a>;expires=7", "60", 7 },
		{ "<sip:a>;EXPIRES=0", "60", 0 },
		{ "<sip:a>", "60", 60 },
		{ "<sip:a>;expires=junk", "60", 3600 },
		{ "<sip:a>;expires=99999999999", "60", UINT32_MAX },
		{ "<sip:a>", "99999999999", UINT32_MAX },
		{ "<sip:a;expires=5>", "60", 60 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct td_sip_name_addr contact;

		ck_assert_int_eq(parse("%sExpires: %s\r\n\r\n", START, rows[i].expires), 0);
		ck_assert_int_eq(td_sip_name_addr_parse(td_str_from(rows[i].contact), &contact), 0);
		ck_assert_uint_eq(td_sip_contact_expires(&msg, &contact, 3600), rows[i].seconds);
	}
	ck_assert_int_eq(parse("%s\r\n", START), 0);
	ck_assert_uint_eq(td_sip_contact_expires(&msg, &msg.from, 3600), 3600);
}
END_TEST

// Not a gate: how long one INVITE takes here, for whoever reads the log.
START_TEST(how_fast)
{
	static const char whole[] =
		START "Content-Type: application/sdp\r\nContent-Length: 132\r\n\r\n" BODY;
	enum { ROUNDS = 20000 };
	struct timespec a, b;
	unsigned ok = 0;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (int i = 0; i < ROUNDS; i++)
		ok += !td_sip_message_parse(&msg, whole, sizeof whole - 1);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	ck_assert_uint_eq(ok, ROUNDS);
	printf("parse of a %zu-byte INVITE: %.0f ns of CPU\n", sizeof whole - 1,
	       ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / ROUNDS);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sip/message");
	TCase *tc = tcase_create("message");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 60);
	suite_add_tcase(suite, tc);
	tcase_add_test(tc, header_names);
	tcase_add_test(tc, compact_names);
	tcase_add_test(tc, methods);
	tcase_add_test(tc, every_truncation);
	tcase_add_test(tc, framing);
	tcase_add_test(tc, fields_at_their_bounds);
	tcase_add_test(tc, header_lines_are_bounded);
	tcase_add_test(tc, datagrams_are_bounded);
	tcase_add_test(tc, start_lines);
	tcase_add_test(tc, ack_and_responses_are_never_answered);
	tcase_add_test(tc, walks);
	tcase_add_test(tc, contact_expiry);
	tcase_add_test(tc, how_fast);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

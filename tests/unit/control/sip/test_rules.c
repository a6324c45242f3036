// The checks of RFC 3261 section 8.2, and where answers go.
#include <check.h>
#include <stdio.h>

#include "rig.h"

static struct td_sip_message msg;

START_TEST(merged_and_looped)
{
	struct rig *rig = rig_make(64, 8);

	rig_invite(rig, "z9hG4bK1", 1, "");
	ck_assert_uint_eq(rig->event_count, 1);
	rig_invite(rig, "z9hG4bKfork", 1, ""); // the same request by another path (8.2.2.2)
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_uint_eq(rig_status(rig, 0), 482);
	rig_clear(rig);
	rig_inf(rig, "OPTIONS sip:100@10.77.0.1 SIP/2.0\n"
		     "Via: SIP/2.0/UDP 10.77.0.10;branch=z9hG4bKp, SIP/2.0/UDP "
		     "10.77.0.1:5060;branch=z9hG4bKours\n"
		     "From: <sip:a@b>;tag=1\nTo: <sip:c@d>\nCall-ID: loop\nCSeq: 1 OPTIONS\n\n");
	ck_assert_uint_eq(rig_status(rig, 0), 482);
	ck_assert_uint_eq(rig_counter(rig, TD_SIP_COUNT_MERGED), 2);
	rig_free(rig);
}
END_TEST

START_TEST(rules)
{
	static const struct {
		const char *start, *more;
		unsigned status;
	} rows[] = {
		{ "INVITE sip:1@10.77.0.1", "Max-Forwards: 0\n", 483 },
		{ "OPTIONS sip:1@10.77.0.1", "Max-Forwards: 0\n", 0 },
		{ "INVITE sip:1@10.77.0.1", "Require: 100rel, foo\n", 420 },
		{ "INVITE sip:1@10.77.0.1", "Require:\n", 0 },
		{ "INVITE mailto:1@10.77.0.1", "", 416 },
		{ "INVITE tel:+4930123", "", 0 },
		{ "INFO sip:1@10.77.0.1", "", 405 },
		{ "invite sip:1@10.77.0.1", "", 501 },
		{ "INVITE sip:1@10.77.0.1", "Accept: text/plain\n", 406 },
		{ "INVITE sip:1@10.77.0.1", "Accept: text/plain, application/SDP;level=1\n", 0 },
		{ "INVITE sip:1@10.77.0.1", "Accept: */*\n", 0 },
		{ "OPTIONS sip:1@10.77.0.1", "Accept: text/plain\n", 0 },
	};
	struct rig *rig = rig_make(256, 64);

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		char method[16];
		unsigned events;

		sscanf(rows[i].start, "%15s", method);
		rig_clear(rig);
		rig_inf(rig,
			"%s SIP/2.0\nVia: SIP/2.0/UDP 10.77.0.10;branch=z9hG4bKr%u\n"
			"From: <sip:a@b>;tag=1\nTo: <sip:c@d>\nCall-ID: rules-%u\nCSeq: 1 %s\n%s"
			"Content-Length: 0\n\n",
			rows[i].start, i, i, method, rows[i].more);
		events = rows[i].status ? 0 : 1;
		ck_assert_msg(rig->event_count == events, "row %u: %u events", i, rig->event_count);
		if (rows[i].status)
			ck_assert_uint_eq(rig_status(rig, rig->out_count - 1), rows[i].status);
		if (rows[i].status == 420)
			ck_assert_str_eq(rig_text(td_sip_message_value(rig_last(rig, &msg),
								       TD_SIP_HEADER_UNSUPPORTED)),
					 "100rel, foo");
		if (rows[i].status == 405 || rows[i].status == 501)
			ck_assert(td_sip_message_has(rig_last(rig, &msg), TD_SIP_HEADER_ALLOW));
	}
	rig_free(rig);
}
END_TEST

START_TEST(where_answers_go)
{
	static const struct {
		const char *via;
		uint16_t from_port, to_port;
		const char *params;
	} rows[] = {
		{ "10.77.0.10:5070;branch=z9hG4bKa", 4444, 5070, ";branch=z9hG4bKa" },
		{ "10.77.0.10;branch=z9hG4bKb", 4444, 5060, ";branch=z9hG4bKb" },
		{ "10.77.0.10;rport;branch=z9hG4bKc", 4444, 4444,
		  ";branch=z9hG4bKc;received=10.77.0.10;rport=4444" },
		{ "192.168.1.5:5071;branch=z9hG4bKd;rport", 4444, 4444,
		  ";branch=z9hG4bKd;received=10.77.0.10;rport=4444" },
		{ "phone.example.com:5071;branch=z9hG4bKe", 4444, 5071,
		  ";branch=z9hG4bKe;received=10.77.0.10" },
		// Neither maddr nor a forged received lead us to somebody else.
		{ "10.77.0.10;maddr=8.8.8.8;received=8.8.4.4;branch=z9hG4bKf", 4444, 5060,
		  ";maddr=8.8.8.8;branch=z9hG4bKf" },
	};
	struct rig *rig = rig_make(64, 8);

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct td_endpoint from = rig_peer;
		char text[1024];
		int len;

		from.port_be = (uint16_t)(rows[i].from_port >> 8 | rows[i].from_port << 8);
		rig_clear(rig);
		len = snprintf(text, sizeof text,
			       "OPTIONS sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP %s\r\n"
			       "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: %u\r\n"
			       "CSeq: 1 OPTIONS\r\n\r\n",
			       rows[i].via, i);
		rig_in_from(rig, text, (size_t)len, &from);
		ck_assert_uint_eq(rig->out_count, 1);
		ck_assert_uint_eq(__builtin_bswap16(rig->out[0].to.port_be), rows[i].to_port);
		ck_assert_mem_eq(rig->out[0].to.addr, from.addr, 16);
		ck_assert_str_eq(rig_text(rig_last(rig, &msg)->via.params), rows[i].params);
	}
	rig_free(rig);
}
END_TEST

START_TEST(ipv6)
{
	struct td_endpoint from = { .addr = { 0xfd, 0x77, [15] = 0x10 },
				    .port_be = 0xc413,
				    .family = TD_FAMILY_IPV6 };
	static const char text[] = "INVITE sip:1@[fd77::1] SIP/2.0\r\n"
				   "Via: SIP/2.0/UDP [fd77::99]:5060;branch=z9hG4bK6;rport\r\n"
				   "From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: 6\r\n"
				   "Contact: <sip:a@[fd77::10]:5066>\r\nCSeq: 1 INVITE\r\n\r\n";
	struct rig *rig = rig_make(64, 8);
	struct td_sip_request request = { .method = TD_SIP_OPTIONS,
					  .dest = from,
					  .uri = TD_STR("sip:[fd77::10]"),
					  .from = TD_STR("<sip:a@[fd77::1]>"),
					  .to = TD_STR("<sip:b@[fd77::10]>") };
	struct td_sip_txn_id txn;

	rig_in_from(rig, text, sizeof text - 1, &from);
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
	rig_last(rig, &msg);
	ck_assert_str_eq(rig_text(msg.via.params), ";branch=z9hG4bK6;received=fd77::10;rport=5060");
	ck_assert_str_eq(rig_text(td_sip_message_value(&msg, TD_SIP_HEADER_CONTACT)),
			 "<sip:[fd77::1]:5060>");
	ck_assert(td_endpoint_equal(&rig->out[0].to, &from));
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &request, &txn, NULL), 0);
	rig_last(rig, &msg);
	ck_assert_str_eq(rig_text(msg.via.host), "fd77::1");
	ck_assert(msg.via.host_is_ipv6);
	rig_free(rig);
}
END_TEST

START_TEST(cancel_comes_from_where_the_invite_did)
{
	struct rig *rig = rig_make(64, 8);
	struct td_endpoint other = rig_peer;
	static const char cancel[] =
		"CANCEL sip:100@10.77.0.1 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 10.77.0.10:5060;branch=z9hG4bK1\r\n"
		"From: <sip:bob@example.com>;tag=bobtag\r\nTo: <sip:100@10.77.0.1>\r\n"
		"Call-ID: call-1\r\nCSeq: 1 CANCEL\r\n\r\n";

	rig_invite(rig, "z9hG4bK1", 1, "");
	other.addr[3] = 66;
	rig_clear(rig);
	rig_in_from(rig, cancel, sizeof cancel - 1, &other);
	ck_assert_uint_eq(rig_status(rig, 0), 481);
	ck_assert_uint_eq(rig->event_count, 0);
	rig_in(rig, cancel, sizeof cancel - 1);
	ck_assert_uint_eq(rig_status(rig, 1), 200);
	ck_assert_uint_eq(rig->event_count, 1);
	rig_free(rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sip/rules");
	TCase *tc = tcase_create("rules");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, merged_and_looped);
	tcase_add_test(tc, rules);
	tcase_add_test(tc, where_answers_go);
	tcase_add_test(tc, ipv6);
	tcase_add_test(tc, cancel_comes_from_where_the_invite_did);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

// Dialogs as data: what they take from messages, how they route, how they stay inside their arena.
#include <check.h>
#include <stdio.h>

#include "rig.h"

static struct td_sip_message msg;
static struct td_sip_dialog dialog;
static char text[8192];

static void parse(const char *more)
{
	int len =
		snprintf(text, sizeof text,
			 "INVITE sip:x@10.77.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\n"
			 "From: \"B, ob\" <sip:bob@example.com;x=y>;tag=bobtag;foo=bar\r\n"
			 "To: sip:100@10.77.0.1\r\nCall-ID: one\r\nCSeq: 7 INVITE\r\n%s\r\n",
			 more);

	ck_assert_int_eq(td_sip_message_parse(&msg, text, (size_t)len), 0);
}

static const char *field(struct td_sip_field f)
{
	return rig_text(td_sip_dialog_text(&dialog, f));
}

START_TEST(from_a_request)
{
	parse("Contact: \"x\" <sip:bob@10.77.0.10:5070;transport=udp>;q=1\r\n"
	      "Record-Route: \"p, 1\" <sip:p1.example.com;lr>, <sip:p2.example.com;lr>\r\n"
	      "Record-Route: <sip:p3.example.com;lr>\r\n");
	ck_assert_int_eq(td_sip_dialog_from_request(&dialog, &msg, &rig_peer, TD_STR("ours")), 0);
	ck_assert_str_eq(field(dialog.call_id), "one");
	ck_assert_str_eq(field(dialog.local_tag), "ours");
	ck_assert_str_eq(field(dialog.remote_tag), "bobtag");
	ck_assert_str_eq(field(dialog.local_uri), "<sip:100@10.77.0.1>");
	ck_assert_str_eq(field(dialog.remote_uri), "\"B, ob\" <sip:bob@example.com;x=y>");
	ck_assert_str_eq(field(dialog.remote_target), "sip:bob@10.77.0.10:5070;transport=udp");
	ck_assert_str_eq(
		field(dialog.route_set),
		"<sip:p1.example.com;lr>, <sip:p2.example.com;lr>, <sip:p3.example.com;lr>");
	ck_assert_uint_eq(dialog.remote_cseq, 7);
	ck_assert(!dialog.initiator);
	parse(""); // without Contact, From is what there is
	ck_assert_int_eq(td_sip_dialog_from_request(&dialog, &msg, &rig_peer, TD_STR("ours")), 0);
	ck_assert_str_eq(field(dialog.remote_target), "sip:bob@example.com;x=y");
	parse("Record-Route: sip:p1?x=y\r\n");
	ck_assert_int_eq(td_sip_dialog_from_request(&dialog, &msg, &rig_peer, TD_STR("ours")),
			 -TD_EMALFORMED);
}
END_TEST

START_TEST(routing)
{
	static const struct {
		const char *headers;
		bool symmetric;
		const char *uri, *routes, *last, *hop;
	} rows[] = {
		{ "Contact: <sip:b@10.77.0.30:7000>\r\n", false, "sip:b@10.77.0.30:7000", "", "",
		  "10.77.0.30:7000" },
		{ "Contact: <sip:b@10.77.0.30:7000>\r\n", true, "sip:b@10.77.0.30:7000", "", "",
		  "10.77.0.10:5060" },
		{ "Contact: <sip:b@phone.example.com>\r\n", false, "sip:b@phone.example.com", "",
		  "", "10.77.0.10:5060" },
		{ "Contact: <sip:b@10.77.0.30>\r\nRecord-Route: <sip:10.77.0.40;lr>\r\n", false,
		  "sip:b@10.77.0.30", "<sip:10.77.0.40;lr>", "", "10.77.0.40:5060" },
		// A strict router is the Request-URI, and the target comes last (12.2.1.1).
		{ "Contact: <sip:b@10.77.0.30>\r\nRecord-Route: <sip:10.77.0.40>, <sip:p2;lr>\r\n",
		  false, "sip:10.77.0.40", "<sip:p2;lr>", "sip:b@10.77.0.30", "10.77.0.40:5060" },
		{ "Contact: <sip:b@10.77.0.30>\r\nRecord-Route: <sip:10.77.0.40>\r\n", false,
		  "sip:10.77.0.40", "", "sip:b@10.77.0.30", "10.77.0.40:5060" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct td_sip_dialog_path path;
		char hop[TD_ENDPOINT_TEXT_MAX];

		parse(rows[i].headers);
		ck_assert_int_eq(td_sip_dialog_from_request(&dialog, &msg, &rig_peer, TD_STR("t")),
				 0);
		dialog.symmetric = rows[i].symmetric;
		td_sip_dialog_route(&dialog, &path);
		ck_assert_str_eq(rig_text(path.request_uri), rows[i].uri);
		ck_assert_str_eq(rig_text(path.routes), rows[i].routes);
		ck_assert_str_eq(rig_text(path.last_route), rows[i].last);
		ck_assert_str_eq(td_endpoint_text(&path.hop, hop), rows[i].hop);
	}
}
END_TEST

// Hundreds of target refreshes, longer and shorter, never leave the arena nor disturb the rest.
START_TEST(retargeting_for_ever)
{
	char uri[400];

	parse("Contact: <sip:b@10.77.0.30>\r\nRecord-Route: <sip:10.77.0.40;lr>\r\n");
	ck_assert_int_eq(td_sip_dialog_from_request(&dialog, &msg, &rig_peer, TD_STR("t")), 0);
	for (unsigned i = 0; i < 1000; i++) {
		int len = snprintf(uri, sizeof uri, "sip:b@10.77.0.30;n=%0*u", 1 + i * 37 % 300, i);

		ck_assert_int_eq(td_sip_dialog_retarget(&dialog, td_str_make(uri, (size_t)len)), 0);
		ck_assert_str_eq(field(dialog.remote_target), uri);
		ck_assert_uint_le(dialog.text_len, TD_SIP_DIALOG_TEXT_MAX);
		ck_assert_str_eq(field(dialog.call_id), "one");
		ck_assert_str_eq(field(dialog.route_set), "<sip:10.77.0.40;lr>");
	}
	ck_assert_int_eq(td_sip_dialog_retarget(&dialog, TD_STR("tel:1")), -TD_EMALFORMED);
	ck_assert_int_eq(td_sip_dialog_retarget(&dialog, TD_STR("sip:")), -TD_EMALFORMED);
	ck_assert_str_eq(field(dialog.remote_target), uri);
}
END_TEST

START_TEST(a_target_that_cannot_fit)
{
	static char uri[TD_SIP_DIALOG_TEXT_MAX] = { 's', 'i', 'p', ':' };

	parse("Contact: <sip:b@10.77.0.30>\r\n");
	ck_assert_int_eq(td_sip_dialog_from_request(&dialog, &msg, &rig_peer, TD_STR("t")), 0);
	memset(uri + 4, 'u', sizeof uri - 4);
	ck_assert_int_eq(td_sip_dialog_retarget(&dialog, td_str_make(uri, sizeof uri)), -TD_EFULL);
	ck_assert_str_eq(field(dialog.remote_target), "sip:b@10.77.0.30");
	ck_assert_str_eq(field(dialog.call_id), "one");
}
END_TEST

START_TEST(too_many_routes)
{
	char headers[4096];
	size_t used = 0;

	for (int i = 0; i < 15; i++)
		used += (size_t)snprintf(headers + used, sizeof headers - used,
					 "Record-Route: <sip:p%d;lr>\r\n", i);
	parse(headers);
	ck_assert_int_eq(td_sip_dialog_from_request(&dialog, &msg, &rig_peer, TD_STR("t")), 0);
	snprintf(headers + used, sizeof headers - used, "Record-Route: <sip:p15;lr>\r\n");
	parse(headers);
	ck_assert_int_eq(td_sip_dialog_from_request(&dialog, &msg, &rig_peer, TD_STR("t")),
			 -TD_EFULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sip/dialog");
	TCase *tc = tcase_create("dialog");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, from_a_request);
	tcase_add_test(tc, routing);
	tcase_add_test(tc, retargeting_for_ever);
	tcase_add_test(tc, a_target_that_cannot_fit);
	tcase_add_test(tc, too_many_routes);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

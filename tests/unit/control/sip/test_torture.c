// Every message of RFC 4475, with what the RFC says an element does with it.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "rig.h"

enum { PARSES = 0, DROP = -1 };    // what the parser says, or the status it wants answered
enum { REQUEST = 1, SILENCE = 2 }; // what the endpoint does, or the status it answers

struct row {
	const char *file;
	int parse;
	int outcome;
	const char *section;
};

static const struct row rows[] = {
	{ "wsinv", PARSES, 481, "3.1.1.1: valid, and its To tag names no dialog of ours" },
	{ "intmeth", PARSES, 501, "3.1.1.2" },
	{ "esc01", PARSES, REQUEST, "3.1.1.3" },
	{ "escnull", PARSES, REQUEST, "3.1.1.4" },
	{ "esc02", PARSES, 501, "3.1.1.5" },
	{ "lwsdisp", PARSES, REQUEST, "3.1.1.6" },
	{ "longreq", PARSES, REQUEST, "3.1.1.7" },
	{ "dblreq", PARSES, REQUEST, "3.1.1.8" },
	{ "semiuri", PARSES, REQUEST, "3.1.1.9" },
	{ "transports", PARSES, REQUEST, "3.1.1.10" },
	{ "mpart01", PARSES, 405, "3.1.1.11: valid, and MESSAGE is not served here" },
	{ "unreason", PARSES, SILENCE, "3.1.1.12: a response to nothing of ours" },
	{ "noreason", PARSES, SILENCE, "3.1.1.13" },
	{ "badinv01", 400, 400, "3.1.2.1" },
	{ "clerr", 400, 400, "3.1.2.2" },
	{ "ncl", 400, 400, "3.1.2.3" },
	{ "scalar02", 400, 400, "3.1.2.4" },
	{ "scalarlg", DROP, SILENCE, "3.1.2.5" },
	{ "quotbal", 400, 400, "3.1.2.6" },
	{ "ltgtruri", 400, 400, "3.1.2.7" },
	{ "lwsruri", 400, 400, "3.1.2.8" },
	{ "lwsstart", 400, 400, "3.1.2.9" },
	{ "trws", 400, 400, "3.1.2.10" },
	{ "escruri", 400, 400, "3.1.2.11" },
	{ "baddate", PARSES, REQUEST, "3.1.2.12: Date means nothing to us, so it is not judged" },
	{ "regbadct", 400, 400, "3.1.2.13" },
	{ "badaspec", 400, 400, "3.1.2.14" },
	{ "baddn", 400, 400, "3.1.2.15" },
	{ "badvers", 505, 505, "3.1.2.16" },
	{ "mismatch01", 400, 400, "3.1.2.17" },
	{ "mismatch02", 501, 501, "3.1.2.18" },
	{ "bigcode", DROP, SILENCE, "3.1.2.19" },
	{ "badbranch", PARSES, REQUEST, "3.2.1: identified as RFC 2543 does" },
	{ "insuf", 400, 400, "3.3.1" },
	{ "unkscm", PARSES, 416, "3.3.2" },
	{ "novelsc", PARSES, 416, "3.3.3" },
	{ "unksm2", PARSES, 416, "3.3.4" },
	{ "bext01", PARSES, 420, "3.3.5" },
	{ "invut", PARSES, 415, "3.3.6" },
	{ "regaut01", PARSES, REQUEST, "3.3.7: the registrar challenges with 401" },
	{ "multi01", 400, 400, "3.3.8" },
	{ "mcl01", 400, 400, "3.3.9" },
	{ "bcast", PARSES, SILENCE, "3.3.10: two Vias, meant for somebody else" },
	{ "zeromf", PARSES, REQUEST, "3.3.11: an endpoint answers" },
	{ "cparam01", PARSES, REQUEST, "3.3.12" },
	{ "cparam02", PARSES, REQUEST, "3.3.13" },
	{ "regescrt", PARSES, REQUEST, "3.3.14" },
	{ "sdp01", PARSES, 406, "3.3.15" },
	{ "inv2543", PARSES, REQUEST, "3.4.1" },
	{ "test", DROP, SILENCE, "no version, no Via: nothing to answer" },
};

static char text[65536];

static size_t load(const char *name)
{
	char path[512];
	FILE *file;
	size_t len;

	snprintf(path, sizeof path, "%s/%s.dat", TD_VECTORS, name);
	file = fopen(path, "rb");
	ck_assert_msg(file != NULL, "%s is missing", path);
	len = fread(text, 1, sizeof text, file);
	fclose(file);
	ck_assert_uint_gt(len, 0);
	return len;
}

START_TEST(parser_row)
{
	const struct row *row = &rows[_i];
	static struct td_sip_message msg;
	size_t len = load(row->file);
	int rc = td_sip_message_parse(&msg, text, len);

	if (row->parse == PARSES) {
		ck_assert_msg(rc == 0, "%s (%s): refused: %s", row->file, row->section,
			      msg.reject_text);
		return;
	}
	ck_assert_msg(rc == -TD_EMALFORMED, "%s (%s): accepted", row->file, row->section);
	ck_assert_msg(msg.reject_status == (row->parse == DROP ? 0 : row->parse),
		      "%s (%s): status %u, %s", row->file, row->section, msg.reject_status,
		      msg.reject_text);
	ck_assert_ptr_nonnull(msg.reject_text);
}
END_TEST

static void answer_200(struct rig *rig, const struct td_sip_event *event)
{
	struct td_sip_response response = { .status = 200 };

	if (event->kind == TD_SIP_EVENT_REQUEST)
		ck_assert_int_eq(td_sip_respond(rig->ep, rig->now_ms, event->txn, &response), 0);
	else if (event->kind == TD_SIP_EVENT_ACK_TIMEOUT)
		td_sip_dialog_drop(rig->ep, event->dialog);
}

START_TEST(endpoint_row)
{
	const struct row *row = &rows[_i];
	struct rig *rig = rig_make(64, 16);
	static struct td_sip_message msg;
	size_t len = load(row->file);
	unsigned last;

	rig->hook = answer_200;
	rig_in(rig, text, len);
	last = rig->out_count ? rig_status(rig, rig->out_count - 1) : 0;
	if (row->outcome == SILENCE) {
		ck_assert_msg(!rig->out_count && !rig->event_count, "%s: answered %u", row->file,
			      last);
	} else if (row->outcome == REQUEST) {
		ck_assert_msg(rig->event_count == 1, "%s (%s): refused with %u", row->file,
			      row->section, last);
		ck_assert_uint_eq(last, 200);
		rig_last(rig, &msg); // what we answer to strange messages is itself well-formed
	} else {
		ck_assert_msg(last == (unsigned)row->outcome, "%s (%s): %u", row->file,
			      row->section, last);
		ck_assert_uint_eq(rig->event_count, 0);
		ck_assert_uint_eq(rig_transactions(rig), 0);
	}
	// Nothing lingers beyond the longest timer, whatever came.
	rig_run(rig, 200000);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(every_truncation_is_handled)
{
	struct rig *rig = rig_make(64, 16);
	size_t len = load(rows[_i].file);

	rig->hook = answer_200;
	for (size_t cut = 0; cut < len; cut++) {
		rig_clear(rig);
		rig_in(rig, text, cut);
		rig_run(rig, 200000);
	}
	ck_assert_uint_eq(rig_transactions(rig), 0);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(details_of_what_was_read)
{
	static struct td_sip_message msg;
	struct td_sip_walk walk = { 0 };
	struct td_sip_name_addr contact;
	struct td_str value;
	char user[64];

	ck_assert_int_eq(td_sip_message_parse(&msg, text, load("wsinv")), 0);
	ck_assert_str_eq(rig_text(msg.to.tag), "1918181833n");
	ck_assert_str_eq(rig_text(msg.from.display), "\"J Rosenberg \\\\\\\"\"");
	ck_assert_str_eq(rig_text(msg.from.tag), "98asjd8");
	ck_assert_int_eq(msg.max_forwards, 68);
	ck_assert_uint_eq(msg.cseq, 9);
	ck_assert_uint_eq(msg.via_count, 3);
	ck_assert_str_eq(rig_text(msg.via.host), "192.0.2.2");
	ck_assert_str_eq(rig_text(msg.via.branch), "390skdjuw");
	ck_assert(!msg.via.magic);
	ck_assert_uint_eq(msg.body.len, 150);
	ck_assert(td_sip_message_find(&msg, TD_STR("newfangledheader"), &value));

	ck_assert_int_eq(td_sip_message_parse(&msg, text, load("esc01")), 0);
	ck_assert_int_eq(td_sip_uri_unescape(msg.request_uri.user, user, sizeof user), 0);
	ck_assert_str_eq(user, "sips:user@example.com");
	ck_assert(td_sip_message_next(&msg, TD_SIP_HEADER_CONTACT, &walk, &value));
	ck_assert_int_eq(td_sip_name_addr_parse(value, &contact), 0);
	ck_assert_str_eq(rig_text(contact.uri.params), "%6C%72;n%61me=v%61lue%25%34%31");

	ck_assert_int_eq(td_sip_message_parse(&msg, text, load("escnull")), 0);
	ck_assert_int_eq(td_sip_uri_unescape(msg.to.uri.user, user, sizeof user), -TD_EMALFORMED);

	ck_assert_int_eq(td_sip_message_parse(&msg, text, load("dblreq")), 0);
	ck_assert_int_eq(msg.method, TD_SIP_REGISTER);
	ck_assert_uint_eq(msg.body.len, 0);

	ck_assert_int_eq(td_sip_message_parse(&msg, text, load("semiuri")), 0);
	ck_assert_int_eq(td_sip_uri_unescape(msg.request_uri.user, user, sizeof user), 0);
	ck_assert_str_eq(user, "user;par=u@example.net");

	// "C%6Fntact" is not Contact: there are two, not three.
	ck_assert_int_eq(td_sip_message_parse(&msg, text, load("esc02")), 0);
	walk = (struct td_sip_walk){ 0 };
	ck_assert(td_sip_message_next(&msg, TD_SIP_HEADER_CONTACT, &walk, &value));
	ck_assert(td_sip_message_next(&msg, TD_SIP_HEADER_CONTACT, &walk, &value));
	ck_assert(!td_sip_message_next(&msg, TD_SIP_HEADER_CONTACT, &walk, &value));

	ck_assert_int_eq(td_sip_message_parse(&msg, text, load("transports")), 0);
	ck_assert_uint_eq(msg.via_count, 5);
	ck_assert_int_eq(td_sip_message_parse(&msg, text, load("badbranch")), 0);
	ck_assert(!msg.via.magic);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sip/torture");
	TCase *tc = tcase_create("rfc4475");
	SRunner *runner = srunner_create(suite);
	int count = sizeof rows / sizeof *rows, failed;

	tcase_set_timeout(tc, 120);
	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, parser_row, 0, count);
	tcase_add_loop_test(tc, endpoint_row, 0, count);
	tcase_add_loop_test(tc, every_truncation_is_handled, 0, count);
	tcase_add_test(tc, details_of_what_was_read);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

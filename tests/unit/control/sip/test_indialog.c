// What happens inside a dialog the peer opened: BYE, re-INVITE, conflicts, strays.
#include <check.h>

#include "rig.h"

static struct td_sip_message msg;

START_TEST(bye_ends_an_unanswered_invite)
{
	struct rig *rig = rig_make(64, 8);
	const char *tag;

	rig_invite(rig, "z9hG4bK1", 1, "");
	ck_assert_int_eq(td_sip_txn_adopt(rig->ep, rig->events[0].txn, 9, 0), 0);
	ck_assert_int_eq(rig_respond(rig, 0, 180), 0);
	tag = rig_our_tag(rig);
	rig_clear(rig);
	rig_request(rig, "BYE", "z9hG4bKb", 2, tag);
	ck_assert_uint_eq(rig->event_count, 2);
	ck_assert_int_eq(rig->events[0].kind, TD_SIP_EVENT_CANCELLED);
	ck_assert_int_eq(rig->events[1].kind, TD_SIP_EVENT_REQUEST);
	ck_assert_uint_eq(rig->events[1].owner, 9);
	ck_assert_uint_eq(rig_status(rig, 0), 487);
	ck_assert_int_eq(rig_respond(rig, 1, 200), 0);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(reinvite_and_its_conflicts)
{
	struct rig *rig = rig_make(64, 8);
	struct td_sip_request ours = { .method = TD_SIP_INVITE };
	struct td_sip_txn_id txn;
	const char *tag = rig_call_up(rig);
	struct td_sip_dialog_id dialog = rig->events[1].dialog;

	rig_clear(rig);
	rig_invite(rig, "z9hG4bK2", 2, tag);
	ck_assert_uint_eq(rig->events[0].dialog.v, dialog.v);
	ck_assert_uint_eq(rig->events[0].owner, 77);
	rig_run(rig, 100);
	ck_assert_uint_eq(rig_status(rig, 0), 100);
	// A second one before the first is answered: 500 with Retry-After (14.2).
	rig_invite(rig, "z9hG4bK3", 3, tag);
	ck_assert_uint_eq(rig_status(rig, 1), 500);
	ck_assert(td_sip_message_has(rig_last(rig, &msg), TD_SIP_HEADER_RETRY_AFTER));
	// Ours has to wait as well.
	ours.dialog = dialog;
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &ours, &txn, NULL), -TD_EBUSY);
	ck_assert_int_eq(rig_respond(rig, 0, 488), 0);
	rig_request(rig, "ACK", "z9hG4bK2", 2, tag);
	ck_assert_uint_eq(rig_dialogs(rig), 1); // the session stands as it was
	// Now ours is out, and theirs crosses it: 491.
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &ours, &txn, NULL), 0);
	rig_clear(rig);
	rig_invite(rig, "z9hG4bK4", 4, tag);
	ck_assert_uint_eq(rig_status(rig, 0), 491);
	ck_assert_uint_eq(rig->event_count, 0);
	ck_assert_uint_eq(rig_counter(rig, TD_SIP_COUNT_GLARE), 1);
	// Out of order: a lower CSeq than the last one that counted.
	rig_request(rig, "BYE", "z9hG4bK5", 1, tag);
	ck_assert_uint_eq(rig_status(rig, rig->out_count - 1), 500);
	ck_assert_uint_eq(rig->event_count, 0);
	ck_assert_uint_eq(rig_dialogs(rig), 1);
	rig_free(rig);
}
END_TEST

START_TEST(target_changes_only_when_accepted)
{
	struct rig *rig = rig_make(64, 8);
	const char *tag = rig_call_up(rig);
	struct td_sip_dialog_id id = rig->events[1].dialog;
	const struct td_sip_dialog *d = td_sip_dialog_get(rig->ep, id);

	ck_assert_str_eq(rig_text(td_sip_dialog_text(d, d->remote_target)),
			 "sip:bob@10.77.0.10:5062");
	ck_assert_str_eq(rig_text(td_sip_dialog_text(d, d->route_set)),
			 "<sip:10.77.0.11;lr>, <sip:10.77.0.12;lr>");
	rig_clear(rig);
	rig_inf(rig,
		"INVITE sip:100@10.77.0.1 SIP/2.0\n"
		"Via: SIP/2.0/UDP 10.77.0.10:5060;branch=z9hG4bK8\n"
		"From: \"Bob\" <sip:bob@example.com>;tag=bobtag\n"
		"To: <sip:100@10.77.0.1>;tag=%s\nCall-ID: call-1\nCSeq: 8 INVITE\n"
		"Contact: <sip:bob@10.77.0.99:5099>\nContent-Length: 0\n\n",
		tag);
	ck_assert_int_eq(rig_respond(rig, 0, 488), 0);
	ck_assert_str_eq(rig_text(td_sip_dialog_text(d, d->remote_target)),
			 "sip:bob@10.77.0.10:5062");
	rig_request(rig, "ACK", "z9hG4bK8", 8, tag);
	rig_clear(rig);
	rig_inf(rig,
		"INVITE sip:100@10.77.0.1 SIP/2.0\n"
		"Via: SIP/2.0/UDP 10.77.0.10:5060;branch=z9hG4bK9\n"
		"From: \"Bob\" <sip:bob@example.com>;tag=bobtag\n"
		"To: <sip:100@10.77.0.1>;tag=%s\nCall-ID: call-1\nCSeq: 9 INVITE\n"
		"Contact: <sip:bob@10.77.0.99:5099>\nContent-Length: 0\n\n",
		tag);
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
	ck_assert_str_eq(rig_text(td_sip_dialog_text(d, d->remote_target)),
			 "sip:bob@10.77.0.99:5099");
	rig_free(rig);
}
END_TEST

START_TEST(bye_of_ours_waits_for_the_ack)
{
	struct rig *rig = rig_make(64, 8);
	struct td_sip_request bye = { .method = TD_SIP_BYE };
	struct td_sip_txn_id txn;
	const char *tag;

	rig_invite(rig, "z9hG4bK1", 1, "");
	ck_assert_int_eq(td_sip_txn_adopt(rig->ep, rig->events[0].txn, 4, 0), 0);
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
	tag = rig_our_tag(rig);
	bye.dialog = td_sip_txn_dialog(rig->ep, rig->events[0].txn);
	rig_clear(rig);
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &bye, &txn, NULL), 0);
	ck_assert_uint_eq(rig->out_count, 0);
	rig_request(rig, "ACK", "z9hG4bKa", 1, tag);
	ck_assert_uint_eq(rig->event_count, 0); // its user has hung up: the ACK is no news
	ck_assert_int_eq(rig_last(rig, &msg)->method, TD_SIP_BYE);
	ck_assert_str_eq(rig_text(msg.request_uri.text), "sip:bob@10.77.0.10:5062");
	ck_assert_str_eq(rig_text(td_sip_message_value(&msg, TD_SIP_HEADER_ROUTE)),
			 "<sip:10.77.0.11;lr>, <sip:10.77.0.12;lr>");
	ck_assert_uint_eq(rig->out[0].to.addr[3], 11); // the first route is the next hop
	rig_inf(rig,
		"SIP/2.0 200 OK\nVia: %s\nFrom: %s\nTo: %s\nCall-ID: call-1\nCSeq: %u BYE\n"
		"Content-Length: 0\n\n",
		rig_text(msg.via.text), rig_text(msg.from.text), rig_text(msg.to.text), msg.cseq);
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_int_eq(rig->events[0].kind, TD_SIP_EVENT_RESPONSE);
	ck_assert_uint_eq(rig->events[0].txn.v, txn.v);
	ck_assert_uint_eq(rig->events[0].owner, 4);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(bye_of_ours_goes_out_when_no_ack_ever_comes)
{
	struct rig *rig = rig_make(64, 8);
	struct td_sip_request bye = { .method = TD_SIP_BYE };
	struct td_sip_txn_id txn;

	rig_invite(rig, "z9hG4bK1", 1, "");
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
	bye.dialog = td_sip_txn_dialog(rig->ep, rig->events[0].txn);
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &bye, &txn, NULL), 0);
	rig_run(rig, 32000);
	ck_assert_int_eq(rig_last(rig, &msg)->method, TD_SIP_BYE);
	ck_assert_uint_eq(rig->event_count, 1); // only the INVITE itself
	rig_run(rig, 32000);
	ck_assert_uint_eq(rig->event_count, 2);
	ck_assert_int_eq(rig->events[1].kind, TD_SIP_EVENT_TIMEOUT);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(an_ack_of_something_else)
{
	struct rig *rig = rig_make(64, 8);
	const char *tag;

	rig_invite(rig, "z9hG4bK1", 5, "");
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
	tag = rig_our_tag(rig);
	rig_clear(rig);
	rig_request(rig, "ACK", "z9hG4bKa", 4, tag);
	rig_request(rig, "ACK", "z9hG4bKb", 6, tag);
	ck_assert_uint_eq(rig->event_count, 0);
	rig_run(rig, 500);
	ck_assert_uint_eq(rig->out_count, 1); // still repeated
	rig_request(rig, "ACK", "z9hG4bKc", 5, tag);
	ck_assert_uint_eq(rig->event_count, 1);
	// The same CSeq again with another method is out of order as well (12.2.2).
	rig_request(rig, "OPTIONS", "z9hG4bKd", 5, tag);
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_uint_eq(rig_status(rig, rig->out_count - 1), 500);
	rig_free(rig);
}
END_TEST

START_TEST(no_bye_of_ours_before_the_answer)
{
	struct rig *rig = rig_make(64, 8);
	struct td_sip_request bye = { .method = TD_SIP_BYE };
	struct td_sip_txn_id txn;

	rig_invite(rig, "z9hG4bK1", 1, "");
	ck_assert_int_eq(rig_respond(rig, 0, 180), 0);
	bye.dialog = td_sip_txn_dialog(rig->ep, rig->events[0].txn);
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &bye, &txn, NULL), -TD_ESTATE);
	rig_free(rig);
}
END_TEST

START_TEST(crossing_byes)
{
	struct rig *rig = rig_make(64, 8);
	struct td_sip_request bye = { .method = TD_SIP_BYE };
	struct td_sip_txn_id txn;
	const char *tag = rig_call_up(rig);

	bye.dialog = rig->events[1].dialog;
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &bye, &txn, NULL), 0);
	rig_clear(rig);
	// Both want the same: theirs gets its 200, no event, and neither side is left hanging.
	rig_request(rig, "BYE", "z9hG4bKx", 2, tag);
	ck_assert_uint_eq(rig_status(rig, 0), 200);
	ck_assert_uint_eq(rig->event_count, 0);
	rig_run(rig, 40000);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(strays_and_strangers)
{
	struct rig *rig = rig_make(64, 8);
	const char *tag;

	rig_request(rig, "ACK", "z9hG4bKa", 1, "nobody");
	ck_assert_uint_eq(rig_counter(rig, TD_SIP_COUNT_ACKS_STRAY), 1);
	rig_request(rig, "BYE", "z9hG4bKb", 2, "nobody");
	ck_assert_uint_eq(rig_status(rig, 0), 481);
	rig_request(rig, "BYE", "z9hG4bKc", 2, "");
	ck_assert_uint_eq(rig_status(rig, 1), 481);
	rig_request(rig, "OPTIONS", "z9hG4bKd", 2, "nobody");
	ck_assert_uint_eq(rig_status(rig, 2), 481);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	tag = rig_call_up(rig);
	rig_clear(rig);
	// Right Call-ID and To tag, wrong From tag: somebody guessing.
	rig_inf(rig,
		"BYE sip:100@10.77.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.77.0.66;branch=z9hG4bKe\n"
		"From: <sip:bob@example.com>;tag=guessed\nTo: <sip:100@10.77.0.1>;tag=%s\n"
		"Call-ID: call-1\nCSeq: 2 BYE\nContent-Length: 0\n\n",
		tag);
	ck_assert_uint_eq(rig_status(rig, 0), 481);
	ck_assert_uint_eq(rig->event_count, 0);
	// An ACK with another CSeq acknowledges nothing.
	rig_request(rig, "ACK", "z9hG4bKf", 7, tag);
	ck_assert_uint_eq(rig_counter(rig, TD_SIP_COUNT_ACKS_STRAY), 2);
	rig_free(rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sip/indialog");
	TCase *tc = tcase_create("indialog");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, bye_ends_an_unanswered_invite);
	tcase_add_test(tc, reinvite_and_its_conflicts);
	tcase_add_test(tc, target_changes_only_when_accepted);
	tcase_add_test(tc, bye_of_ours_waits_for_the_ack);
	tcase_add_test(tc, bye_of_ours_goes_out_when_no_ack_ever_comes);
	tcase_add_test(tc, an_ack_of_something_else);
	tcase_add_test(tc, no_bye_of_ours_before_the_answer);
	tcase_add_test(tc, crossing_byes);
	tcase_add_test(tc, strays_and_strangers);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

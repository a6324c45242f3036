// Server transactions against a scripted peer, in virtual time.
#include <check.h>

#include "rig.h"

static struct td_sip_message msg;

START_TEST(invite_ringing_answer_ack_bye)
{
	struct rig *rig = rig_make(64, 8);
	const char *tag;

	rig_invite(rig, "z9hG4bK1", 1, "");
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_int_eq(rig->events[0].kind, TD_SIP_EVENT_REQUEST);
	ck_assert_uint_eq(rig->events[0].dialog.v, 0);
	ck_assert_uint_eq(rig->out_count, 0); // the 100 waits for something better to say
	ck_assert_uint_eq(td_sip_txn_dialog(rig->ep, rig->events[0].txn).v, 0);
	ck_assert_int_eq(td_sip_txn_adopt(rig->ep, rig->events[0].txn, 77, 0), 0);

	ck_assert_int_eq(rig_respond(rig, 0, 180), 0);
	ck_assert_uint_eq(rig_status(rig, 0), 180);
	tag = rig_our_tag(rig);
	rig_last(rig, &msg);
	ck_assert_str_eq(rig_text(td_sip_message_value(&msg, TD_SIP_HEADER_CONTACT)),
			 "<sip:10.77.0.1:5060>");
	ck_assert_uint_ne(td_sip_txn_dialog(rig->ep, rig->events[0].txn).v, 0);

	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
	ck_assert_str_eq(rig_our_tag(rig), tag); // one tag for all answers
	rig_last(rig, &msg);
	ck_assert_str_eq(rig_text(td_sip_message_value(&msg, TD_SIP_HEADER_RECORD_ROUTE)),
			 "<sip:10.77.0.11;lr>");
	ck_assert_str_eq(rig_text(msg.body), "v=0\r\n");
	ck_assert_str_eq(rig_text(msg.via.params),
			 ";branch=z9hG4bK1;received=10.77.0.10;rport=5060");
	ck_assert_int_eq(rig_respond(rig, 0, 200), -TD_ESTATE);

	rig_request(rig, "ACK", "z9hG4bKother", 1, tag);
	ck_assert_int_eq(rig->events[1].kind, TD_SIP_EVENT_ACK);
	ck_assert_uint_eq(rig->events[1].owner, 77);

	rig_request(rig, "BYE", "z9hG4bKbye", 2, tag);
	ck_assert_int_eq(rig->events[2].kind, TD_SIP_EVENT_REQUEST);
	ck_assert_int_eq(rig->events[2].method, TD_SIP_BYE);
	ck_assert_uint_eq(rig->events[2].owner, 77);
	ck_assert_uint_eq(rig->events[2].dialog.v, rig->events[1].dialog.v);
	ck_assert_int_eq(rig_respond(rig, 2, 200), 0);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	rig_clear(rig);
	rig_run(rig, 100000);
	ck_assert_uint_eq(rig->out_count, 0); // nothing is repeated any more
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(answer_is_repeated_until_acknowledged)
{
	static const uint64_t at[] = { 500,   1500,  3500,  7500,  11500,
				       15500, 19500, 23500, 27500, 31500 };
	struct rig *rig = rig_make(64, 8);

	rig_invite(rig, "z9hG4bK1", 1, "");
	ck_assert_int_eq(td_sip_txn_adopt(rig->ep, rig->events[0].txn, 5, 0), 0);
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
	rig_clear(rig);
	rig_run(rig, 31999);
	ck_assert_uint_eq(rig->out_count, 10);
	for (unsigned i = 0; i < 10; i++) {
		ck_assert_uint_eq(rig->out[i].at_ms, RIG_START_MS + at[i]);
		ck_assert_uint_eq(rig_status(rig, i), 200);
	}
	ck_assert_uint_eq(rig->event_count, 0);
	rig_run(rig, 1);
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_int_eq(rig->events[0].kind, TD_SIP_EVENT_ACK_TIMEOUT);
	ck_assert_uint_eq(rig->events[0].owner, 5);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	ck_assert_uint_eq(rig_dialogs(rig), 1); // it is the user who says BYE
	td_sip_dialog_drop(rig->ep, rig->events[0].dialog);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(refusal_is_repeated_until_acknowledged)
{
	struct rig *rig = rig_make(64, 8);
	const char *tag;

	rig_invite(rig, "z9hG4bK1", 1, "");
	ck_assert_int_eq(rig_respond(rig, 0, 404), 0);
	tag = rig_our_tag(rig);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	rig_clear(rig);
	rig_run(rig, 1500);
	ck_assert_uint_eq(rig->out_count, 2); // G at 500 and 1500
	rig_invite(rig, "z9hG4bK1", 1, "");   // a repeated INVITE gets the repeated answer
	ck_assert_uint_eq(rig->out_count, 3);
	ck_assert_uint_eq(rig_status(rig, 2), 404);
	rig_request(rig, "ACK", "z9hG4bK1", 1, tag);
	rig_clear(rig);
	rig_run(rig, 4999); // timer I
	ck_assert_uint_eq(rig_transactions(rig), 1);
	rig_invite(rig, "z9hG4bK1", 1, ""); // confirmed: absorbed
	ck_assert_uint_eq(rig->out_count, 0);
	rig_run(rig, 1);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	ck_assert_uint_eq(rig->event_count, 0);
	rig_free(rig);
}
END_TEST

START_TEST(refusal_never_acknowledged_ends_with_timer_h)
{
	struct rig *rig = rig_make(64, 8);

	rig_invite(rig, "z9hG4bK1", 1, "");
	ck_assert_int_eq(rig_respond(rig, 0, 486), 0);
	rig_clear(rig);
	rig_run(rig, 31999);
	ck_assert_uint_eq(rig->out_count, 10);
	ck_assert_uint_eq(rig_transactions(rig), 1);
	rig_run(rig, 1);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(accepted_absorbs_repeated_invites)
{
	struct rig *rig = rig_make(64, 8);

	rig_call_up(rig);
	rig_clear(rig);
	rig_invite(rig, "z9hG4bK1", 1, ""); // RFC 6026: neither an answer nor an event
	ck_assert_uint_eq(rig->out_count, 0);
	ck_assert_uint_eq(rig->event_count, 0);
	ck_assert_uint_eq(rig_counter(rig, TD_SIP_COUNT_RETRANSMITS_IN), 1);
	rig_run(rig, 31999);
	ck_assert_uint_eq(rig_transactions(rig), 1);
	rig_run(rig, 1); // timer L
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_free(rig);
}
END_TEST

// RFC 3261 section 17.2.1: within 200 ms there is a 100 or something better.
START_TEST(trying_comes_by_its_timer)
{
	struct rig *rig = rig_make(64, 8);

	rig_invite(rig, "z9hG4bK1", 1, "");
	rig_run(rig, 99);
	ck_assert_uint_eq(rig->out_count, 0);
	rig_run(rig, 1);
	ck_assert_uint_eq(rig->out_count, 1);
	ck_assert_uint_eq(rig_status(rig, 0), 100);
	ck_assert(!rig_parse(rig, 0, &msg)->to.has_tag);
	ck_assert_uint_eq(td_sip_txn_dialog(rig->ep, rig->events[0].txn).v, 0);
	rig_run(rig, 1000);
	ck_assert_uint_eq(rig->out_count, 1); // once
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
	ck_assert_uint_eq(rig_status(rig, 1), 200);
	rig_free(rig);
}
END_TEST

// Whatever is said in time takes its place; it never follows.
START_TEST(trying_is_spared_by_an_answer)
{
	static const unsigned statuses[] = { 180, 200, 486 };
	struct rig *rig = rig_make(64, 8);

	rig_invite(rig, "z9hG4bK1", 1, "");
	rig_run(rig, 99);
	ck_assert_int_eq(rig_respond(rig, 0, statuses[_i]), 0);
	rig_run(rig, 400);
	ck_assert_uint_eq(rig->out_count, 1);
	ck_assert_uint_eq(rig_status(rig, 0), statuses[_i]);
	rig_free(rig);
}
END_TEST

START_TEST(trying_is_brought_by_a_repeated_request)
{
	struct rig *rig = rig_make(64, 8);

	rig_invite(rig, "z9hG4bK1", 1, "");
	rig_run(rig, 50);
	rig_invite(rig, "z9hG4bK1", 1, "");
	ck_assert_uint_eq(rig->out_count, 1);
	ck_assert_uint_eq(rig_status(rig, 0), 100);
	rig_run(rig, 200);
	ck_assert_uint_eq(rig->out_count, 1);
	ck_assert_uint_eq(rig->event_count, 1);
	rig_free(rig);
}
END_TEST

START_TEST(cancel_before_trying)
{
	struct rig *rig = rig_make(64, 8);

	rig_invite(rig, "z9hG4bK1", 1, "");
	rig_request(rig, "CANCEL", "z9hG4bK1", 1, "");
	ck_assert_int_eq(rig->events[1].kind, TD_SIP_EVENT_CANCELLED);
	ck_assert_uint_eq(rig->out_count, 2);
	ck_assert_uint_eq(rig_status(rig, 0), 200);
	ck_assert_uint_eq(rig_status(rig, 1), 487);
	rig_request(rig, "ACK", "z9hG4bK1", 1, rig_our_tag(rig));
	rig_run(rig, 5000);
	ck_assert_uint_eq(rig->out_count, 2);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(lost_provisional_is_repeated_by_the_request_and_each_minute)
{
	struct rig *rig = rig_make(64, 8);

	rig_invite(rig, "z9hG4bK1", 1, "");
	rig_invite(rig, "z9hG4bK1", 1, "");
	rig_invite(rig, "z9hG4bK1", 1, "");
	ck_assert_uint_eq(rig->out_count, 2);
	ck_assert_uint_eq(rig_status(rig, 1), 100);
	rig_run(rig, 60000); // a 100 is not worth repeating
	ck_assert_uint_eq(rig->out_count, 2);
	ck_assert_int_eq(rig_respond(rig, 0, 180), 0);
	rig_clear(rig);
	rig_run(rig, 180000);
	ck_assert_uint_eq(rig->out_count, 3);
	ck_assert_uint_eq(rig_status(rig, 2), 180);
	ck_assert_uint_eq(rig->out[0].at_ms, RIG_START_MS + 120000);
	rig_free(rig);
}
END_TEST

START_TEST(cancel_before_answer)
{
	struct rig *rig = rig_make(64, 8);
	const char *tag;

	rig_invite(rig, "z9hG4bK1", 1, "");
	ck_assert_int_eq(td_sip_txn_adopt(rig->ep, rig->events[0].txn, 9, 0), 0);
	ck_assert_int_eq(rig_respond(rig, 0, 180), 0);
	tag = rig_our_tag(rig);
	rig_clear(rig);
	rig_request(rig, "CANCEL", "z9hG4bK1", 1, "");
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_int_eq(rig->events[0].kind, TD_SIP_EVENT_CANCELLED);
	ck_assert_uint_eq(rig->events[0].owner, 9);
	ck_assert_uint_eq(rig->out_count, 2);
	ck_assert_uint_eq(rig_status(rig, 0), 200);
	ck_assert_int_eq(rig_parse(rig, 0, &msg)->method, TD_SIP_CANCEL);
	ck_assert_uint_eq(rig_status(rig, 1), 487);
	ck_assert_str_eq(rig_our_tag(rig), tag);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	// A repeated CANCEL is answered again and changes nothing.
	rig_request(rig, "CANCEL", "z9hG4bK1", 1, "");
	ck_assert_uint_eq(rig_status(rig, 2), 200);
	ck_assert_uint_eq(rig->out_count, 3);
	ck_assert_uint_eq(rig->event_count, 1);
	rig_request(rig, "ACK", "z9hG4bK1", 1, tag);
	rig_run(rig, 5000);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(cancel_against_answer_and_against_nothing)
{
	struct rig *rig = rig_make(64, 8);
	const char *tag;

	rig_request(rig, "CANCEL", "z9hG4bK1", 1, "");
	ck_assert_uint_eq(rig_status(rig, 0), 481);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_invite(rig, "z9hG4bK1", 1, "");
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
	tag = rig_our_tag(rig);
	rig_clear(rig);
	rig_request(rig, "CANCEL", "z9hG4bK1", 1, ""); // too late: 200, and the call stands
	ck_assert_uint_eq(rig->out_count, 1);
	ck_assert_uint_eq(rig_status(rig, 0), 200);
	ck_assert_uint_eq(rig->event_count, 0);
	rig_request(rig, "ACK", "z9hG4bKa", 1, tag);
	ck_assert_int_eq(rig->events[0].kind, TD_SIP_EVENT_ACK);
	rig_free(rig);
}
END_TEST

START_TEST(other_requests_linger_and_repeat)
{
	struct rig *rig = rig_make(64, 8);

	rig_request(rig, "OPTIONS", "z9hG4bKo", 1, "");
	ck_assert_uint_eq(rig->event_count, 1);
	rig_request(rig, "OPTIONS", "z9hG4bKo", 1, ""); // before the answer: absorbed
	ck_assert_uint_eq(rig->out_count, 0);
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
	ck_assert(td_sip_message_has(rig_last(rig, &msg), TD_SIP_HEADER_ACCEPT));
	rig_request(rig, "OPTIONS", "z9hG4bKo", 1, "");
	ck_assert_uint_eq(rig->out_count, 2);
	ck_assert_mem_eq(rig->out[0].bytes, rig->out[1].bytes, rig->out[0].len);
	rig_run(rig, 31999);
	ck_assert_uint_eq(rig_transactions(rig), 1);
	rig_run(rig, 1); // timer J
	ck_assert_uint_eq(rig_transactions(rig), 0);
	ck_assert_int_eq(rig_respond(rig, 0, 200), -TD_ESTALE);
	// One that its user never answers is given up with the client's timer F.
	rig_request(rig, "OPTIONS", "z9hG4bKp", 2, "");
	rig_run(rig, 32000);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_free(rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sip/server");
	TCase *tc = tcase_create("server");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, invite_ringing_answer_ack_bye);
	tcase_add_test(tc, answer_is_repeated_until_acknowledged);
	tcase_add_test(tc, refusal_is_repeated_until_acknowledged);
	tcase_add_test(tc, refusal_never_acknowledged_ends_with_timer_h);
	tcase_add_test(tc, accepted_absorbs_repeated_invites);
	tcase_add_test(tc, trying_comes_by_its_timer);
	tcase_add_loop_test(tc, trying_is_spared_by_an_answer, 0, 3);
	tcase_add_test(tc, trying_is_brought_by_a_repeated_request);
	tcase_add_test(tc, cancel_before_trying);
	tcase_add_test(tc, lost_provisional_is_repeated_by_the_request_and_each_minute);
	tcase_add_test(tc, cancel_before_answer);
	tcase_add_test(tc, cancel_against_answer_and_against_nothing);
	tcase_add_test(tc, other_requests_linger_and_repeat);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

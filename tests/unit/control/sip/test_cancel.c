// Calls of ours that end before they begin: CANCEL, its races, forks, a callee that rings for ever.
#include <check.h>

#include "rig.h"

static struct td_sip_message msg, request;
static struct td_sip_txn_id txn;
static struct td_sip_dialog_id dialog;

START_TEST(cancel_after_ringing)
{
	struct rig *rig = rig_make(64, 8);

	rig_call_out(rig, 3, &txn, &dialog, &request);
	rig_reply(rig, &request, 180, "callee", RIG_CALLEE_CONTACT);
	rig_clear(rig);
	ck_assert_int_eq(td_sip_cancel(rig->ep, rig->now_ms, txn), 0);
	ck_assert_uint_eq(rig->out_count, 1);
	rig_last(rig, &msg);
	ck_assert_int_eq(msg.method, TD_SIP_CANCEL);
	ck_assert_str_eq(rig_text(msg.via.branch), rig_text(request.via.branch)); // 9.1
	ck_assert_str_eq(rig_text(msg.request_uri.text), rig_text(request.request_uri.text));
	ck_assert_uint_eq(msg.cseq, request.cseq);
	ck_assert(!msg.to.has_tag);
	ck_assert_int_eq(td_sip_cancel(rig->ep, rig->now_ms, txn), 0); // again: nothing new
	ck_assert_uint_eq(rig->out_count, 1);
	rig_reply(rig, &msg, 200, "callee", "");
	ck_assert_uint_eq(rig->event_count, 0); // the CANCEL's own answer is nobody's business
	rig_reply(rig, &request, 180, "callee", RIG_CALLEE_CONTACT);
	ck_assert_uint_eq(rig->event_count, 0);
	rig_reply(rig, &request, 487, "callee", "");
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_uint_eq(rig->events[0].status, 487);
	ck_assert_int_eq(rig_last(rig, &msg)->method, TD_SIP_ACK);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	ck_assert_int_eq(td_sip_cancel(rig->ep, rig->now_ms, txn), -TD_ESTATE);
	rig_free(rig);
}
END_TEST

START_TEST(cancel_waits_for_a_provisional_response)
{
	struct rig *rig = rig_make(64, 8);

	rig_call_out(rig, 3, &txn, &dialog, &request);
	rig_clear(rig);
	ck_assert_int_eq(td_sip_cancel(rig->ep, rig->now_ms, txn), 0);
	ck_assert_uint_eq(rig->out_count, 0);
	rig_run(rig, 500); // the INVITE itself is still repeated
	ck_assert_int_eq(rig_last(rig, &msg)->method, TD_SIP_INVITE);
	rig_reply(rig, &request, 100, "", "");
	ck_assert_int_eq(rig_last(rig, &msg)->method, TD_SIP_CANCEL);
	ck_assert_uint_eq(rig->event_count, 0);
	// Nothing more comes: 64 * T1 after the CANCEL it is over (9.1).
	rig_run(rig, 31999);
	ck_assert_uint_eq(rig->event_count, 0);
	rig_run(rig, 1);
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_int_eq(rig->events[0].kind, TD_SIP_EVENT_TIMEOUT);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(answer_crosses_cancel)
{
	struct rig *rig = rig_make(64, 8);

	rig_call_out(rig, 3, &txn, &dialog, &request);
	rig_reply(rig, &request, 180, "callee", RIG_CALLEE_CONTACT);
	ck_assert_int_eq(td_sip_cancel(rig->ep, rig->now_ms, txn), 0);
	rig_clear(rig);
	rig_reply(rig, &request, 200, "callee", RIG_CALLEE_CONTACT);
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_int_eq(rig->events[0].kind, TD_SIP_EVENT_ANSWER_CROSSED);
	ck_assert_uint_eq(rig->events[0].owner, 3);
	ck_assert_uint_eq(rig->out_count, 2);
	ck_assert_int_eq(rig_parse(rig, 0, &msg)->method, TD_SIP_ACK);
	ck_assert_int_eq(rig_parse(rig, 1, &msg)->method, TD_SIP_BYE);
	ck_assert_str_eq(rig_text(msg.to.tag), "callee");
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	rig_reply(rig, &msg, 200, "", "");
	ck_assert_uint_eq(rig->event_count, 1);
	rig_reply(rig, &request, 200, "callee", RIG_CALLEE_CONTACT); // its 2xx again: its ACK again
	ck_assert_uint_eq(rig->out_count, 3);
	ck_assert_int_eq(rig_last(rig, &msg)->method, TD_SIP_ACK);
	rig_run(rig, 64000);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(second_fork_is_ended)
{
	struct rig *rig = rig_make(64, 8);

	rig_call_out(rig, 3, &txn, &dialog, &request);
	rig_reply(rig, &request, 200, "first", RIG_CALLEE_CONTACT);
	ck_assert_int_eq(td_sip_ack(rig->ep, rig->now_ms, txn, TD_STR_NONE, TD_STR_NONE), 0);
	rig_clear(rig);
	rig_reply(rig, &request, 200, "second", "Contact: <sip:x@10.77.0.30:7000>\n");
	ck_assert_uint_eq(rig->event_count, 0);
	ck_assert_uint_eq(rig->out_count, 2);
	ck_assert_int_eq(rig_parse(rig, 0, &msg)->method, TD_SIP_ACK);
	ck_assert_str_eq(rig_text(msg.to.tag), "second");
	ck_assert_uint_eq(rig->out[0].to.addr[3], 30);
	ck_assert_int_eq(rig_parse(rig, 1, &msg)->method, TD_SIP_BYE);
	ck_assert_str_eq(rig_text(msg.to.tag), "second");
	ck_assert_uint_eq(msg.cseq, 2);
	ck_assert_uint_eq(rig_dialogs(rig), 1);
	ck_assert_uint_eq(rig_counter(rig, TD_SIP_COUNT_FORKS_ENDED), 1);
	// The first one's ACK is still what its repetition gets.
	rig_reply(rig, &request, 200, "first", RIG_CALLEE_CONTACT);
	ck_assert_str_eq(rig_text(rig_last(rig, &msg)->to.tag), "first");
	ck_assert_uint_eq(rig->out[2].to.addr[3], 10);
	rig_free(rig);
}
END_TEST

START_TEST(silent_callee_is_cancelled_by_timer_c)
{
	struct rig *rig = rig_make(64, 8);

	rig_call_out(rig, 3, &txn, &dialog, &request);
	rig_reply(rig, &request, 180, "callee", RIG_CALLEE_CONTACT);
	rig_run(rig, 170000);
	rig_reply(rig, &request, 180, "callee", RIG_CALLEE_CONTACT); // still there: C begins again
	rig_clear(rig);
	rig_run(rig, 180999);
	ck_assert_uint_eq(rig->out_count, 0);
	rig_run(rig, 1);
	ck_assert_int_eq(rig_last(rig, &msg)->method, TD_SIP_CANCEL);
	rig_run(rig, 32000);
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_int_eq(rig->events[0].kind, TD_SIP_EVENT_TIMEOUT);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	rig_free(rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sip/cancel");
	TCase *tc = tcase_create("cancel");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, cancel_after_ringing);
	tcase_add_test(tc, cancel_waits_for_a_provisional_response);
	tcase_add_test(tc, answer_crosses_cancel);
	tcase_add_test(tc, second_fork_is_ended);
	tcase_add_test(tc, silent_callee_is_cancelled_by_timer_c);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

// The client side of the endpoint against a scripted callee, in virtual time.
#include <check.h>

#include "rig.h"

static struct td_sip_message msg, request;
static struct td_sip_txn_id txn;
static struct td_sip_dialog_id dialog;

// Answers the INVITE and acknowledges, as its user would.
static void answer(struct rig *rig)
{
	rig_call_out(rig, 3, &txn, &dialog, &request);
	rig_reply(rig, &request, 200, "callee", RIG_CALLEE_CONTACT);
	ck_assert_int_eq(td_sip_ack(rig->ep, rig->now_ms, txn, TD_STR_NONE, TD_STR_NONE), 0);
	rig_clear(rig);
}

START_TEST(invite_ringing_answer_bye)
{
	struct rig *rig = rig_make(64, 8);
	struct td_sip_request bye = { .method = TD_SIP_BYE };

	rig_call_out(rig, 3, &txn, &dialog, &request);
	ck_assert_str_eq(rig_text(request.request_uri.text), "sip:1001@10.77.0.10:5060");
	ck_assert_int_eq(request.max_forwards, 69);
	ck_assert_str_eq(rig_text(request.from.display), "\"Alice\"");
	ck_assert(request.from.has_tag && !request.to.has_tag);
	ck_assert(td_sip_message_has(&request, TD_SIP_HEADER_CONTACT));
	ck_assert(request.via.has_rport && request.via.magic);
	ck_assert_str_eq(rig_text(request.body), "v=0\r\n");
	rig_reply(rig, &request, 100, "", "");
	rig_reply(rig, &request, 180, "callee", RIG_CALLEE_CONTACT);
	rig_reply(rig, &request, 183, "other",
		  RIG_CALLEE_CONTACT); // another branch of a fork rings, too
	ck_assert_uint_eq(rig->event_count, 3);
	ck_assert_uint_eq(rig->events[1].status, 180);
	ck_assert_uint_eq(rig->events[1].owner, 3);
	ck_assert_uint_eq(rig->events[1].dialog.v, dialog.v);
	rig_clear(rig);
	rig_run(rig, 30000); // ringing is not repeated and not timed out
	ck_assert_uint_eq(rig->out_count, 0);
	rig_reply(rig, &request, 200, "callee",
		  RIG_CALLEE_CONTACT "Record-Route: <sip:p1;lr>, <sip:p2;lr>\n");
	ck_assert_uint_eq(rig->events[0].status, 200);
	ck_assert_int_eq(
		td_sip_ack(rig->ep, rig->now_ms, txn, TD_STR("application/sdp"), TD_STR("v=0\r\n")),
		0);
	ck_assert_int_eq(td_sip_ack(rig->ep, rig->now_ms, txn, TD_STR_NONE, TD_STR_NONE),
			 -TD_ESTATE);
	rig_last(rig, &msg);
	ck_assert_int_eq(msg.method, TD_SIP_ACK);
	ck_assert_uint_eq(msg.cseq, request.cseq);
	ck_assert_str_eq(rig_text(msg.request_uri.text), "sip:1001@10.77.0.10:6000");
	ck_assert_str_eq(rig_text(td_sip_message_value(&msg, TD_SIP_HEADER_ROUTE)),
			 "<sip:p2;lr>, <sip:p1;lr>"); // reversed (12.1.2)
	ck_assert_str_eq(rig_text(msg.to.tag), "callee");
	ck_assert_str_ne(rig_text(msg.via.branch), rig_text(request.via.branch));
	// The callee did not get it and repeats: the same ACK again, and no second event.
	rig_reply(rig, &request, 200, "callee", RIG_CALLEE_CONTACT);
	ck_assert_uint_eq(rig->out_count, 2);
	ck_assert_mem_eq(rig->out[0].bytes, rig->out[1].bytes, rig->out[0].len);
	ck_assert_uint_eq(rig->event_count, 1);

	bye.dialog = dialog;
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &bye, &txn, NULL), 0);
	rig_keep(rig, &request);
	ck_assert_int_eq(request.method, TD_SIP_BYE);
	ck_assert_uint_eq(request.cseq, 2);
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &bye, &txn, NULL), -TD_ESTATE);
	rig_reply(rig, &request, 200, "", "");
	ck_assert_int_eq(rig->events[1].kind, TD_SIP_EVENT_RESPONSE);
	ck_assert_int_eq(rig->events[1].method, TD_SIP_BYE);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &bye, &txn, NULL), -TD_ESTALE);
	rig_run(rig, 5000); // timer K ends the BYE
	ck_assert_uint_eq(rig_transactions(rig), 1);
	rig_run(rig, 27000); // timer M ends the INVITE
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(invite_is_repeated_and_times_out)
{
	static const uint64_t at[] = { 0, 500, 1500, 3500, 7500, 15500, 31500 };
	struct rig *rig = rig_make(64, 8);

	rig_call_out(rig, 3, &txn, &dialog, &request);
	rig_run(rig, 31999);
	ck_assert_uint_eq(rig->out_count, 7);
	for (unsigned i = 0; i < 7; i++)
		ck_assert_uint_eq(rig->out[i].at_ms, RIG_START_MS + at[i]);
	ck_assert_uint_eq(rig->event_count, 0);
	rig_run(rig, 1);
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_int_eq(rig->events[0].kind, TD_SIP_EVENT_TIMEOUT);
	ck_assert_uint_eq(rig->events[0].txn.v, txn.v);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(other_request_is_repeated_and_times_out)
{
	static const uint64_t at[] = { 0,     500,   1500,  3500,  7500, 11500,
				       15500, 19500, 23500, 27500, 31500 };
	struct rig *rig = rig_make(64, 8);
	struct td_sip_request options = rig_invite_out(8);

	options.method = TD_SIP_OPTIONS;
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &options, &txn, NULL), 0);
	rig_run(rig, 32000);
	ck_assert_uint_eq(rig->out_count, 11);
	for (unsigned i = 0; i < 11; i++)
		ck_assert_uint_eq(rig->out[i].at_ms, RIG_START_MS + at[i]);
	ck_assert_int_eq(rig->events[0].kind, TD_SIP_EVENT_TIMEOUT);
	ck_assert_uint_eq(rig->events[0].owner, 8);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	// With a provisional response it is repeated every T2, and F runs on.
	rig_clear(rig);
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &options, &txn, NULL), 0);
	rig_keep(rig, &request);
	rig_reply(rig, &request, 100, "", "");
	rig_run(rig, 31999);
	ck_assert_uint_eq(rig->out_count, 8); // at 0, 4000, 8000 ... 28000
	ck_assert_uint_eq(rig->event_count, 1);
	rig_run(rig, 1);
	ck_assert_int_eq(rig->events[1].kind, TD_SIP_EVENT_TIMEOUT);
	rig_free(rig);
}
END_TEST

START_TEST(refusal_is_acknowledged_each_time)
{
	struct rig *rig = rig_make(64, 8);

	rig_call_out(rig, 3, &txn, &dialog, &request);
	rig_clear(rig);
	rig_reply(rig, &request, 486, "callee", "");
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	rig_last(rig, &msg);
	ck_assert_int_eq(msg.method, TD_SIP_ACK);
	ck_assert_str_eq(rig_text(msg.via.branch), rig_text(request.via.branch)); // 17.1.1.3
	ck_assert_str_eq(rig_text(msg.request_uri.text), rig_text(request.request_uri.text));
	ck_assert_str_eq(rig_text(msg.to.tag), "callee");
	ck_assert_str_eq(rig_text(msg.from.text), rig_text(request.from.text));
	ck_assert_uint_eq(msg.cseq, request.cseq);
	rig_run(rig, 1000);
	rig_reply(rig, &request, 486, "callee", "");
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_uint_eq(rig->out_count, 2);
	ck_assert_mem_eq(rig->out[0].bytes, rig->out[1].bytes, rig->out[0].len);
	rig_reply(rig, &request, 200, "late", RIG_CALLEE_CONTACT); // too late to mean anything
	ck_assert_uint_eq(rig->event_count, 1);
	rig_run(rig, 30999);
	ck_assert_uint_eq(rig_transactions(rig), 1);
	rig_run(rig, 1); // timer D
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_reply(rig, &request, 486, "callee", "");
	ck_assert_uint_eq(rig_counter(rig, TD_SIP_COUNT_RESPONSES_STRAY), 1);
	rig_free(rig);
}
END_TEST

START_TEST(peer_in_our_dialog)
{
	struct rig *rig = rig_make(64, 8);

	answer(rig);
	rig_inf(rig,
		"INVITE sip:10.77.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.77.0.10;branch=z9hG4bKr1\n"
		"From: %s;tag=callee\nTo: %s\nCall-ID: %s\nCSeq: 90 INVITE\n" RIG_CALLEE_CONTACT
		"Content-Length: 0\n\n",
		rig_text(request.to.text), rig_text(request.from.text), rig_text(request.call_id));
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_uint_eq(rig->events[0].owner, 3);
	ck_assert_uint_eq(rig->events[0].dialog.v, dialog.v);
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
	ck_assert_str_eq(rig_our_tag(rig), rig_text(request.from.tag)); // not a new one
	rig_inf(rig,
		"ACK sip:10.77.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.77.0.10;branch=z9hG4bKr2\n"
		"From: %s;tag=callee\nTo: %s\nCall-ID: %s\nCSeq: 90 ACK\n\n",
		rig_text(request.to.text), rig_text(request.from.text), rig_text(request.call_id));
	ck_assert_int_eq(rig->events[1].kind, TD_SIP_EVENT_ACK);
	rig_inf(rig,
		"BYE sip:10.77.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.77.0.10;branch=z9hG4bKr3\n"
		"From: %s;tag=callee\nTo: %s\nCall-ID: %s\nCSeq: 91 BYE\n\n",
		rig_text(request.to.text), rig_text(request.from.text), rig_text(request.call_id));
	ck_assert_int_eq(rig->events[2].method, TD_SIP_BYE);
	ck_assert_int_eq(rig_respond(rig, 2, 200), 0);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(our_reinvite)
{
	struct rig *rig = rig_make(64, 8);
	struct td_sip_request again = { .method = TD_SIP_INVITE };
	uint32_t wait;

	answer(rig);
	again.dialog = dialog;
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &again, &txn, NULL), 0);
	rig_keep(rig, &request);
	ck_assert_uint_eq(request.cseq, 2);
	ck_assert_str_eq(rig_text(request.to.tag), "callee");
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &again, &txn, NULL), -TD_EBUSY);
	rig_reply(rig, &request, 491, "", "");
	ck_assert_uint_eq(rig->events[0].status, 491);
	ck_assert_uint_eq(rig_dialogs(rig), 1);
	for (int i = 0; i < 1000; i++) { // we made the Call-ID: 2.1 to 4 s (14.1)
		wait = td_sip_dialog_glare_ms(rig->ep, dialog);
		ck_assert(wait >= 2100 && wait <= 4000 && wait % 10 == 0);
	}
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &again, &txn, NULL), 0);
	rig_keep(rig, &request);
	ck_assert_uint_eq(request.cseq, 3);
	rig_reply(rig, &request, 200, "", "Contact: <sip:1001@10.77.0.10:6001>\n");
	ck_assert_int_eq(td_sip_ack(rig->ep, rig->now_ms, txn, TD_STR_NONE, TD_STR_NONE), 0);
	rig_last(rig, &msg);
	ck_assert_uint_eq(msg.cseq, 3);
	ck_assert_str_eq(rig_text(msg.request_uri.text), "sip:1001@10.77.0.10:6001");
	rig_free(rig);
}
END_TEST

START_TEST(strays_are_counted)
{
	struct rig *rig = rig_make(64, 8);

	rig_call_out(rig, 3, &txn, &dialog, &request);
	rig_clear(rig);
	msg = request;
	rig_inf(rig, "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 10.77.0.1:5060;branch=z9hG4bKguess\n"
		     "From: <sip:a@b>;tag=1\nTo: <sip:c@d>;tag=2\nCall-ID: x\nCSeq: 1 INVITE\n\n");
	msg.cseq = 7; // right branch, wrong CSeq
	rig_reply(rig, &msg, 200, "callee", RIG_CALLEE_CONTACT);
	rig_reply(rig, &request, 200, "callee",
		  RIG_CALLEE_CONTACT "Via: SIP/2.0/UDP 10.77.0.9\n"); // 8.1.3.3
	ck_assert_uint_eq(rig_counter(rig, TD_SIP_COUNT_RESPONSES_STRAY), 3);
	ck_assert_uint_eq(rig->event_count, 0);
	rig_free(rig);
}
END_TEST

START_TEST(what_cannot_be_asked)
{
	struct rig *rig = rig_make(64, 8);
	struct td_sip_request r;
	static const char *const bad_headers[] = { "X: y", "\r\nX: y\r\n", "X: y\r\n\r\n" };

	for (unsigned i = 0; i < 3; i++) {
		r = rig_invite_out(1);
		r.headers = td_str_from(bad_headers[i]);
		ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL),
				 -TD_EINVALID);
	}
	r = rig_invite_out(1);
	r.from = TD_STR("<sip:a@b>\r\nX: y");
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL), -TD_EINVALID);
	r = rig_invite_out(1);
	r.uri = TD_STR("sip:a b");
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL), -TD_EINVALID);
	r = rig_invite_out(1);
	r.dest.family = TD_FAMILY_NONE;
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL), -TD_EINVALID);
	r = rig_invite_out(1);
	r.method = TD_SIP_BYE; // outside a dialog
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL), -TD_EINVALID);
	r = rig_invite_out(1);
	r.account = 1; // nobody made it
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL), -TD_EINVALID);
	ck_assert_uint_eq(rig->out_count, 0);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	rig_free(rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sip/client");
	TCase *tc = tcase_create("client");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, invite_ringing_answer_bye);
	tcase_add_test(tc, invite_is_repeated_and_times_out);
	tcase_add_test(tc, other_request_is_repeated_and_times_out);
	tcase_add_test(tc, refusal_is_acknowledged_each_time);
	tcase_add_test(tc, peer_in_our_dialog);
	tcase_add_test(tc, our_reinvite);
	tcase_add_test(tc, strays_are_counted);
	tcase_add_test(tc, what_cannot_be_asked);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

// Limits reached: pools full, messages too long, what lingers and for how long, bad creation.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "rig.h"

static struct td_sip_message msg;

static void options(struct rig *rig, unsigned n)
{
	rig_inf(rig,
		"OPTIONS sip:x@10.77.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.77.0.10;branch=z9hG4bKo%u\n"
		"From: <sip:a@b>;tag=1\nTo: <sip:c@d>\nCall-ID: o%u\nCSeq: 1 OPTIONS\n\n",
		n, n);
}

static void invite(struct rig *rig, unsigned n)
{
	rig_inf(rig,
		"INVITE sip:x@10.77.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.77.0.10;branch=z9hG4bKi%u\n"
		"From: <sip:a@b>;tag=1\nTo: <sip:c@d>\nCall-ID: i%u\nCSeq: 1 INVITE\n"
		"Contact: <sip:a@10.77.0.10>\n\n",
		n, n);
}

static uint32_t retry_after(const struct rig *rig)
{
	uint32_t seconds = 0;

	rig_last(rig, &msg);
	ck_assert_uint_eq(msg.status, 503);
	ck_assert_int_eq(
		td_str_to_u32(td_sip_message_value(&msg, TD_SIP_HEADER_RETRY_AFTER), &seconds), 0);
	ck_assert_uint_ge(seconds, 1);
	ck_assert_uint_le(seconds, 8);
	return seconds;
}

START_TEST(a_full_pool_sheds_and_keeps_a_reserve)
{
	struct rig *rig = rig_make(64, 64);
	unsigned seen = 0;
	const char *tag = rig_call_up(rig);
	uint32_t full;

	for (unsigned i = 0; i < 100; i++)
		options(rig, i);
	full = rig_transactions(rig);
	ck_assert_uint_eq(full, 56); // an eighth of 64 is kept
	ck_assert_uint_gt(rig_counter(rig, TD_SIP_COUNT_SHED), 0);
	rig_clear(rig);
	for (unsigned i = 100; i < 300; i++) {
		options(rig, i);
		seen |= 1u << retry_after(rig);
	}
	ck_assert_uint_eq(seen, 0x1fe); // 1..8 s, all of them
	ck_assert_uint_eq(rig_transactions(rig), full);
	ck_assert_uint_eq(rig->event_count, 0);
	// The call that is up can still be ended.
	rig_request(rig, "BYE", "z9hG4bKbye", 2, tag);
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
	// And when the load has passed, all is as before.
	rig_run(rig, 64000);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_clear(rig);
	options(rig, 1000);
	ck_assert_uint_eq(rig->event_count, 1);
	rig_free(rig);
}
END_TEST

START_TEST(even_the_reserve_ends)
{
	struct rig *rig = rig_make(8, 8);
	const char *tag = rig_call_up(rig);

	for (unsigned i = 0; i < 20; i++)
		options(rig, i);
	for (unsigned i = 0; i < 20; i++) {
		char branch[32];

		snprintf(branch, sizeof branch, "z9hG4bKd%u", i);
		rig_request(rig, "OPTIONS", branch, 10 + i, tag);
	}
	retry_after(rig);
	ck_assert_uint_eq(rig_transactions(rig), 8);
	rig_free(rig);
}
END_TEST

START_TEST(no_room_for_a_dialog)
{
	struct rig *rig = rig_make(64, 2);

	for (unsigned i = 0; i < 3; i++)
		invite(rig, i);
	ck_assert_uint_eq(rig->event_count, 2);
	retry_after(rig);
	ck_assert_uint_eq(rig_dialogs(rig), 2);
	ck_assert_uint_eq(rig_transactions(rig), 2);
	ck_assert_int_eq(rig_respond(rig, 0, 404), 0); // room again
	rig_clear(rig);
	invite(rig, 3);
	ck_assert_uint_eq(rig->event_count, 1);
	rig_free(rig);
}
END_TEST

START_TEST(shedding_refuses_new_calls_only)
{
	struct rig *rig = rig_make(64, 8);
	const char *tag = rig_call_up(rig);

	td_sip_endpoint_shed(rig->ep, true);
	rig_clear(rig);
	invite(rig, 1);
	retry_after(rig);
	ck_assert_uint_eq(rig_transactions(rig), 1);
	options(rig, 1);
	rig_invite(rig, "z9hG4bKre", 2, tag);
	ck_assert_uint_eq(rig->event_count, 2);
	td_sip_endpoint_shed(rig->ep, false);
	invite(rig, 2);
	ck_assert_uint_eq(rig->event_count, 3);
	rig_free(rig);
}
END_TEST

START_TEST(our_requests_find_no_room)
{
	struct rig *rig = rig_make(8, 2);
	struct td_sip_request r = { .method = TD_SIP_INVITE,
				    .dest = rig_peer,
				    .uri = TD_STR("sip:a@b"),
				    .from = TD_STR("<sip:a@b>"),
				    .to = TD_STR("<sip:a@b>") };
	static char big[9000];
	struct td_sip_txn_id txn;

	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL), 0);
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL), 0);
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL), -TD_EFULL);
	ck_assert_uint_eq(rig_dialogs(rig), 2);
	r.method = TD_SIP_OPTIONS;
	for (int i = 0; i < 6; i++)
		ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL), 0);
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL), -TD_EFULL);
	rig_run(rig, 64000);
	memset(big, 'x', sizeof big);
	r.content_type = TD_STR("text/plain");
	r.body = td_str_make(big, sizeof big);
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL), -TD_EFULL);
	r.method = TD_SIP_INVITE;
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL), -TD_EFULL);
	r.body.len = 7000;
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL), 0);
	rig_run(rig, 64000);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(an_answer_that_does_not_fit)
{
	struct rig *rig = rig_make(64, 8);
	struct td_sip_response response = { .status = 200 };
	static char big[9000];

	memset(big, 'x', sizeof big);
	response.body = td_str_make(big, sizeof big);
	rig_invite(rig, "z9hG4bK1", 1, "");
	ck_assert_int_eq(td_sip_respond(rig->ep, rig->now_ms, rig->events[0].txn, &response),
			 -TD_EFULL);
	response.body.len = 0;
	response.reason = TD_STR("O\r\nK");
	ck_assert_int_eq(td_sip_respond(rig->ep, rig->now_ms, rig->events[0].txn, &response),
			 -TD_EINVALID);
	response.reason = TD_STR_NONE;
	response.status = 99;
	ck_assert_int_eq(td_sip_respond(rig->ep, rig->now_ms, rig->events[0].txn, &response),
			 -TD_EINVALID);
	ck_assert_int_eq(rig_respond(rig, 0, 500), 0); // it can still be answered
	ck_assert_int_eq(rig_respond(rig, 0, 500), -TD_ESTATE);
	rig_free(rig);
}
END_TEST

// Call-ID, URIs and routes that would not fit a dialog are refused, not cut short.
START_TEST(a_dialog_that_does_not_fit)
{
	struct rig *rig = rig_make(64, 8);
	static char call_id[4000];
	size_t largest = 0;

	for (size_t len = 2300; len < 2700; len += 10) {
		memset(call_id, 'c', len);
		call_id[len] = 0;
		rig_clear(rig);
		rig_inf(rig,
			"INVITE sip:x@10.77.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.77.0.10;branch=z9hG4bKl%zu\n"
			"From: <sip:a@b>;tag=1\nTo: <sip:c@d>\nCall-ID: %s\nCSeq: 1 INVITE\n"
			"Contact: <sip:a@10.77.0.10>\n\n",
			len, call_id);
		ck_assert(rig->event_count == 1 || rig_status(rig, rig->out_count - 1) == 513);
		if (!rig->event_count)
			continue;
		ck_assert_int_eq(rig_respond(rig, 0, 404), 0);
		rig_run(rig, 40000);
		largest = len;
	}
	ck_assert_uint_ge(largest, 2300); // some did fit
	ck_assert_uint_eq(rig_status(rig, rig->out_count - 1), 513);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_free(rig);
}
END_TEST

// Large buffers are few: when they are gone new requests are shed, and what was taken in is still
// answered, out of the memory it holds already.
START_TEST(large_messages_run_out_of_buffers)
{
	struct rig *rig = rig_make(64, 64);
	static char call_id[2001];
	unsigned taken = 0;

	memset(call_id, 'c', 2000);
	for (unsigned i = 0; i < 30; i++) {
		rig_clear(rig);
		rig_inf(rig,
			"INVITE sip:x@10.77.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.77.0.10;branch=z9hG4bKl%u\n"
			"From: <sip:a@b>;tag=%u\nTo: <sip:c@d>\nCall-ID: %s\nCSeq: 1 INVITE\n"
			"Contact: <sip:a@10.77.0.10>\n\n",
			i, i, call_id);
		if (rig->event_count) {
			taken++;
			ck_assert_int_eq(rig_respond(rig, 0, 404), 0);
			ck_assert_uint_eq(rig_status(rig, rig->out_count - 1), 404);
		} else {
			retry_after(rig);
		}
	}
	ck_assert_uint_ge(taken, 10);
	ck_assert_uint_lt(taken, 30);
	rig_run(rig, 40000);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(stale_handles)
{
	struct rig *rig = rig_make(64, 8);
	struct td_sip_request bye = { .method = TD_SIP_BYE };
	struct td_sip_txn_id none = { 0 }, txn;
	struct td_sip_response response = { .status = 200 };

	ck_assert_int_eq(td_sip_respond(rig->ep, rig->now_ms, none, &response), -TD_ESTALE);
	ck_assert_int_eq(td_sip_cancel(rig->ep, rig->now_ms, none), -TD_ESTALE);
	ck_assert_int_eq(td_sip_ack(rig->ep, rig->now_ms, none, TD_STR_NONE, TD_STR_NONE),
			 -TD_ESTALE);
	ck_assert_int_eq(td_sip_txn_adopt(rig->ep, none, 1, 0), -TD_ESTALE);
	ck_assert_uint_eq(td_sip_txn_dialog(rig->ep, none).v, 0);
	ck_assert_ptr_null(td_sip_dialog_get(rig->ep, (struct td_sip_dialog_id){ 0 }));
	td_sip_dialog_drop(rig->ep, (struct td_sip_dialog_id){ 12345 });
	bye.dialog.v = 12345;
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &bye, &txn, NULL), -TD_ESTALE);
	options(rig, 1);
	ck_assert_int_eq(td_sip_cancel(rig->ep, rig->now_ms, rig->events[0].txn), -TD_ESTATE);
	ck_assert_int_eq(
		td_sip_ack(rig->ep, rig->now_ms, rig->events[0].txn, TD_STR_NONE, TD_STR_NONE),
		-TD_ESTALE);
	rig_free(rig);
}
END_TEST

START_TEST(creation_is_checked)
{
	const struct td_sip_endpoint_ops ops = { 0 };
	struct td_sip_config good = {
		.local4 = rig_local, .user_agent = "x", .transactions_max = 1, .dialogs_max = 1
	};
	struct td_sip_config bad[6];
	struct td_sip_endpoint *ep;
	static char long_name[200];

	for (int i = 0; i < 6; i++)
		bad[i] = good;
	memset(long_name, 'n', 128);
	bad[0].transactions_max = 0;
	bad[1].dialogs_max = UINT32_MAX;
	bad[2].local4.port_be = 0;
	bad[3].local4.family = TD_FAMILY_IPV6;
	bad[4].user_agent = "x\r\ny";
	bad[5].user_agent = long_name;
	for (int i = 0; i < 6; i++) {
		ck_assert_int_eq(td_sip_endpoint_create(&bad[i], &ops, NULL, 0, &ep), -TD_EINVALID);
		ck_assert_ptr_null(ep);
	}
	ck_assert_int_eq(td_sip_endpoint_create(&good, &ops, NULL, 0, &ep), 0);
	td_sip_endpoint_destroy(ep);
	td_sip_endpoint_destroy(NULL);
}
END_TEST

START_TEST(keepalives_and_noise)
{
	struct rig *rig = rig_make(64, 8);
	struct td_endpoint nowhere = rig_peer, nobody = rig_peer;

	rig_in(rig, "", 0);
	rig_in(rig, "\r\n\r\n", 4);
	rig_in(rig, "\0\0\0\0", 4);
	ck_assert_uint_eq(rig_counter(rig, TD_SIP_COUNT_KEEPALIVES), 3);
	rig_in(rig, "hello", 5);
	nowhere.port_be = 0;
	nobody.family = TD_FAMILY_NONE;
	rig_in_from(rig, "hello", 5, &nowhere);
	rig_in_from(rig, "hello", 5, &nobody);
	ck_assert_uint_eq(rig_counter(rig, TD_SIP_COUNT_MALFORMED_DROPPED), 3);
	ck_assert_uint_eq(rig->out_count, 0);
	for (unsigned c = 0; c < TD_SIP_COUNTER_COUNT; c++)
		ck_assert_str_ne(td_sip_counter_name(c), "?");
	rig_free(rig);
}
END_TEST

START_TEST(a_dialog_survives_a_restart)
{
	struct rig *rig = rig_make(64, 8), *next = rig_make(64, 2);
	const char *tag = rig_call_up(rig);
	struct td_sip_dialog saved = *td_sip_dialog_get(rig->ep, rig->events[1].dialog), broken;
	struct td_sip_dialog_id id;

	ck_assert_int_eq(td_sip_dialog_restore(next->ep, &saved, 55, &id), 0);
	ck_assert_int_eq(td_sip_dialog_restore(next->ep, &saved, 55, &id), -TD_EEXISTS);
	rig_request(next, "BYE", "z9hG4bKbye", 2, tag);
	ck_assert_uint_eq(next->event_count, 1);
	ck_assert_uint_eq(next->events[0].owner, 55);
	ck_assert_int_eq(rig_respond(next, 0, 200), 0);
	ck_assert_uint_eq(rig_dialogs(next), 0);
	broken = saved;
	broken.call_id.at = TD_SIP_DIALOG_TEXT_MAX;
	ck_assert_int_eq(td_sip_dialog_restore(next->ep, &broken, 1, &id), -TD_ECORRUPT);
	broken = saved;
	broken.text_len = TD_SIP_DIALOG_TEXT_MAX + 1;
	ck_assert_int_eq(td_sip_dialog_restore(next->ep, &broken, 1, &id), -TD_ECORRUPT);
	broken = saved;
	broken.text[broken.remote_target.at] = ' ';
	ck_assert_int_eq(td_sip_dialog_restore(next->ep, &broken, 1, &id), -TD_ECORRUPT);
	broken = saved;
	broken.state = TD_SIP_DIALOG_EARLY;
	ck_assert_int_eq(td_sip_dialog_restore(next->ep, &broken, 1, &id), -TD_ECORRUPT);
	rig_free(next);
	rig_free(rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sip/bounds");
	TCase *tc = tcase_create("bounds");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, a_full_pool_sheds_and_keeps_a_reserve);
	tcase_add_test(tc, even_the_reserve_ends);
	tcase_add_test(tc, no_room_for_a_dialog);
	tcase_add_test(tc, shedding_refuses_new_calls_only);
	tcase_add_test(tc, our_requests_find_no_room);
	tcase_add_test(tc, an_answer_that_does_not_fit);
	tcase_add_test(tc, a_dialog_that_does_not_fit);
	tcase_add_test(tc, large_messages_run_out_of_buffers);
	tcase_add_test(tc, stale_handles);
	tcase_add_test(tc, creation_is_checked);
	tcase_add_test(tc, keepalives_and_noise);
	tcase_add_test(tc, a_dialog_survives_a_restart);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

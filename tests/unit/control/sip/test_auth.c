// Our own requests challenged with 401 and 407: answered once, where credentials were given.
#include <check.h>
#include <stdio.h>

#include "rig.h"

static struct td_sip_message msg;

static void challenge_us(struct rig *rig, const struct td_sip_message *request, unsigned status,
			 const char *nonce, bool stale)
{
	char line[256];

	snprintf(line, sizeof line, "%s: Digest realm=\"trunk\", nonce=\"%s\", qop=\"auth\"%s\n",
		 status == 407 ? "Proxy-Authenticate" : "WWW-Authenticate", nonce,
		 stale ? ", stale=true" : "");
	rig_reply(rig, request, status, "srv", line);
}

START_TEST(our_invite_is_challenged)
{
	struct rig *rig = rig_make(64, 8);
	struct td_sip_account credentials = { "user", "pass", "trunk" };
	static struct td_sip_message first, second;
	struct td_sip_request invite = { .method = TD_SIP_INVITE,
					 .owner = 6,
					 .dest = rig_peer,
					 .uri = TD_STR("sip:1@10.77.0.10"),
					 .from = TD_STR("<sip:a@10.77.0.1>"),
					 .to = TD_STR("<sip:1@10.77.0.10>"),
					 .content_type = TD_STR("application/sdp"),
					 .body = TD_STR("v=0\r\n") };
	struct td_sip_dialog_id dialog;
	struct td_sip_txn_id txn;

	ck_assert_int_eq(td_sip_endpoint_account(rig->ep, &credentials, &invite.account), 0);
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &invite, &txn, &dialog), 0);
	rig_keep(rig, &first);
	rig_clear(rig);
	challenge_us(rig, &first, 407, "n1", false);
	ck_assert_uint_eq(rig->event_count, 0);
	ck_assert_uint_eq(rig->out_count, 2);
	ck_assert_int_eq(rig_parse(rig, 0, &msg)->method, TD_SIP_ACK);
	ck_assert_str_eq(rig_text(msg.via.branch), rig_text(first.via.branch));
	rig_keep(rig, &second);
	ck_assert_int_eq(second.method, TD_SIP_INVITE);
	ck_assert_uint_eq(second.cseq, 2);
	ck_assert_str_eq(rig_text(second.call_id), rig_text(first.call_id));
	ck_assert_str_eq(rig_text(second.from.tag), rig_text(first.from.tag));
	ck_assert_str_ne(rig_text(second.via.branch), rig_text(first.via.branch));
	ck_assert_str_eq(rig_text(second.body), "v=0\r\n");
	ck_assert(td_sip_message_has(&second, TD_SIP_HEADER_PROXY_AUTHORIZATION));
	rig_clear(rig);
	challenge_us(rig, &first, 407, "n1", false); // a repetition of the refusal: its ACK again
	ck_assert_uint_eq(rig->out_count, 1);
	ck_assert_int_eq(rig_last(rig, &msg)->method, TD_SIP_ACK);
	rig_reply(rig, &second, 200, "srv", "Contact: <sip:1@10.77.0.10>\n");
	ck_assert_uint_eq(rig->events[0].txn.v,
			  txn.v); // the handle the user has is still the call's
	ck_assert_uint_eq(rig->events[0].owner, 6);
	ck_assert_int_eq(td_sip_ack(rig->ep, rig->now_ms, txn, TD_STR_NONE, TD_STR_NONE), 0);
	rig_last(rig, &msg);
	ck_assert_uint_eq(msg.cseq, 2);
	ck_assert_str_eq(
		rig_text(td_sip_message_value(&msg, TD_SIP_HEADER_PROXY_AUTHORIZATION)),
		rig_text(td_sip_message_value(&second, TD_SIP_HEADER_PROXY_AUTHORIZATION)));
	ck_assert_uint_eq(td_sip_dialog_get(rig->ep, dialog)->local_cseq, 2);
	rig_free(rig);
}
END_TEST

START_TEST(our_credentials_are_refused)
{
	struct rig *rig = rig_make(64, 8);
	struct td_sip_account credentials = { "user", "pass", NULL };
	static struct td_sip_message request;
	struct td_sip_request r = { .method = TD_SIP_REGISTER,
				    .owner = 6,
				    .dest = rig_peer,
				    .uri = TD_STR("sip:10.77.0.10"),
				    .from = TD_STR("<sip:a@10.77.0.10>"),
				    .to = TD_STR("<sip:a@10.77.0.10>") };
	struct td_sip_txn_id txn;

	// Without an account a challenge is the user's to see.
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL), 0);
	rig_keep(rig, &request);
	challenge_us(rig, &request, 401, "n1", false);
	ck_assert_uint_eq(rig->events[0].status, 401);
	rig_clear(rig);
	ck_assert_int_eq(td_sip_endpoint_account(rig->ep, &credentials, &r.account), 0);
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL), 0);
	rig_keep(rig, &request);
	challenge_us(rig, &request, 401, "n1", false);
	rig_keep(rig, &request);
	ck_assert(td_sip_message_has(&request, TD_SIP_HEADER_AUTHORIZATION));
	challenge_us(rig, &request, 401, "n2", true); // only the nonce was old: once more
	rig_keep(rig, &request);
	ck_assert_uint_eq(request.cseq, 3);
	ck_assert_uint_eq(rig->event_count, 0);
	challenge_us(rig, &request, 401, "n3", true); // and not for ever
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_uint_eq(rig->events[0].status, 401);
	ck_assert_uint_eq(rig->events[0].txn.v, txn.v);
	rig_run(rig, 5000);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(never_in_a_dialog_the_peer_opened)
{
	struct rig *rig = rig_make(64, 8);
	struct td_sip_account credentials = { "user", "pass", NULL };
	struct td_sip_request again = { .method = TD_SIP_INVITE };
	static struct td_sip_message request;
	struct td_sip_txn_id txn;

	rig_call_up(rig);
	ck_assert_int_eq(td_sip_endpoint_account(rig->ep, &credentials, &again.account), 0);
	again.dialog = rig->events[1].dialog;
	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &again, &txn, NULL), 0);
	rig_keep(rig, &request);
	rig_clear(rig);
	challenge_us(rig, &request, 407, "n1", false);
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_uint_eq(rig->events[0].status, 407);
	ck_assert_uint_eq(rig->out_count, 1); // the ACK alone
	rig_free(rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sip/auth");
	TCase *tc = tcase_create("auth");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, our_invite_is_challenged);
	tcase_add_test(tc, our_credentials_are_refused);
	tcase_add_test(tc, never_in_a_dialog_the_peer_opened);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

// What a transaction holds at each point of its life, seen from inside: what lingers keeps response
// bytes only, and every buffer comes back.
#include <check.h>

#include "rig.h"
#include "sip/core.h"

static struct td_sip_message request;

static const struct td_sip_txn *txn_of(const struct rig *rig, struct td_sip_txn_id id)
{
	const struct td_sip_txn *txn = td_sip_txn_find(rig->ep, id.v);

	ck_assert_ptr_nonnull(txn);
	return txn;
}

static unsigned buffers(const struct rig *rig)
{
	unsigned used = 0;

	for (int i = 0; i < TD_SIP_CLASS_COUNT; i++)
		used += rig->ep->buffers[i].used;
	return used;
}

START_TEST(server_invite)
{
	struct rig *rig = rig_make(64, 8);
	const struct td_sip_txn *txn;
	const char *tag;

	rig_invite(rig, "z9hG4bK1", 1, "");
	txn = txn_of(rig, rig->events[0].txn);
	ck_assert_uint_eq(buffers(rig), 1); // what the answer will repeat
	rig_run(rig, 100);
	ck_assert_uint_eq(buffers(rig), 2); // and the 100
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
	tag = rig_our_tag(rig);
	ck_assert_ptr_null(txn->head.buffer.at);
	ck_assert_uint_eq(txn->kept.len, rig->out[rig->out_count - 1].len);
	ck_assert_uint_eq(buffers(rig), 1);
	rig_request(rig, "ACK", "z9hG4bKa", 1, tag);
	ck_assert_uint_eq(buffers(rig), 0); // an acknowledged 2xx is never repeated
	ck_assert_uint_eq(rig_transactions(rig), 1);
	rig_free(rig);
}
END_TEST

START_TEST(server_other)
{
	struct rig *rig = rig_make(64, 8);

	rig_request(rig, "OPTIONS", "z9hG4bKo", 1, "");
	ck_assert_uint_eq(buffers(rig), 1);
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
	ck_assert_uint_eq(buffers(rig), 1);
	ck_assert_ptr_null(txn_of(rig, rig->events[0].txn)->head.buffer.at);
	rig_run(rig, 32000);
	ck_assert_uint_eq(buffers(rig), 0);
	rig_free(rig);
}
END_TEST

START_TEST(client_invite)
{
	struct rig *rig = rig_make(64, 8);
	struct td_sip_request r = { .method = TD_SIP_INVITE,
				    .dest = rig_peer,
				    .uri = TD_STR("sip:a@10.77.0.10"),
				    .from = TD_STR("<sip:a@b>"),
				    .to = TD_STR("<sip:a@b>") };
	struct td_sip_txn_id txn;

	ck_assert_int_eq(td_sip_request_send(rig->ep, rig->now_ms, &r, &txn, NULL), 0);
	rig_keep(rig, &request);
	ck_assert_uint_eq(buffers(rig), 1);
	rig_reply(rig, &request, 486, "t", "");
	ck_assert_uint_eq(buffers(rig), 1); // the ACK, in place of the request
	ck_assert_uint_eq(txn_of(rig, txn)->kept.len, rig->out[rig->out_count - 1].len);
	rig_run(rig, 32000);
	ck_assert_uint_eq(buffers(rig), 0);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	rig_free(rig);
}
END_TEST

// Large ones take large buffers and give them back; a small answer to them a small one.
START_TEST(sizes)
{
	struct rig *rig = rig_make(64, 8);
	struct td_sip_response response = { .status = 200 };
	static char body[6000];

	rig_request(rig, "OPTIONS", "z9hG4bKo", 1, "");
	memset(body, 'b', sizeof body);
	response.content_type = TD_STR("text/plain");
	response.body = td_str_make(body, sizeof body);
	ck_assert_int_eq(td_sip_respond(rig->ep, rig->now_ms, rig->events[0].txn, &response), 0);
	ck_assert_uint_eq(rig->ep->buffers[0].used, 0);
	ck_assert_uint_eq(rig->ep->buffers[TD_SIP_CLASS_COUNT - 1].used, 1);
	rig_run(rig, 32000);
	ck_assert_uint_eq(buffers(rig), 0);
	rig_free(rig);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sip/memory");
	TCase *tc = tcase_create("memory");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, server_invite);
	tcase_add_test(tc, server_other);
	tcase_add_test(tc, client_invite);
	tcase_add_test(tc, sizes);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

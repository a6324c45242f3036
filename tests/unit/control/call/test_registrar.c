// REGISTER: challenges, wrong passwords, contacts and their bounds, expiry. The messages are real,
// the digest is answered by the SIP room's own client.
#include <arpa/inet.h>
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/registrar.h"

static struct td_config_agent agents[] = {
	{ .id = "1003", .secret = "three" },
	{ .id = "1001", .secret = "one" },
	{ .id = "1002", .secret = "two" },
};
static struct td_config config = {
	.sip = { .realm = "tandem", .registrations_max = 6, .digest = TD_DIGEST_BOTH },
	.agents = agents,
	.agents_count = 3,
};
static struct td_registrar registrar;
static struct td_endpoint from;
static struct td_registrar_reply reply;
static uint64_t now_ms;
static uint32_t cseq;
static uint32_t gone[8], gone_count;

static void setup(void)
{
	static const uint8_t seed[32] = { 7 };

	now_ms = 5000;
	cseq = 0;
	gone_count = 0;
	ck_assert_int_eq(td_endpoint_parse_addr("10.77.0.20", &from), 0);
	from.port_be = htons(5060);
	ck_assert_int_eq(td_registrar_init(&registrar, &config, seed, now_ms), 0);
}

static void teardown(void)
{
	td_registrar_fini(&registrar);
}

// One REGISTER of `user`, with these header lines; the reply is left in `reply`.
static void send_register(const char *user, const char *call_id, const char *headers)
{
	char text[4096];
	struct td_sip_message msg;
	int len = snprintf(text, sizeof text,
			   "REGISTER sip:tandem SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\n"
			   "From: <sip:%s@tandem>;tag=a\r\nTo: <sip:%s@tandem>\r\nCall-ID: %s\r\n"
			   "CSeq: %u REGISTER\r\nMax-Forwards: 70\r\n%s\r\n",
			   user, user, call_id, ++cseq, headers);

	ck_assert_int_lt(len, (int)sizeof text);
	ck_assert_int_eq(td_sip_message_parse(&msg, text, (size_t)len), 0);
	td_registrar_request(&registrar, now_ms, &msg, &from, &reply);
}

// Credentials that answer the challenge in `reply`.
static void answer(const char *user, const char *password, char out[TD_SIP_CREDENTIALS_MAX + 1])
{
	const struct td_sip_account account = { user, password, NULL };
	char text[4096];
	struct td_sip_message msg;
	size_t out_len;
	int len = snprintf(text, sizeof text,
			   "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\n"
			   "From: <sip:a@b>;tag=a\r\nTo: <sip:a@b>;tag=b\r\nCall-ID: x\r\n"
			   "CSeq: 1 REGISTER\r\n%s\r\n",
			   reply.headers);

	ck_assert_int_eq(td_sip_message_parse(&msg, text, (size_t)len), 0);
	ck_assert_int_eq(td_sip_digest_answer(&msg, &account, TD_STR("REGISTER"),
					      TD_STR("sip:tandem"), 99, out, &out_len),
			 0);
	out[out_len] = '\0';
}

// The whole exchange: challenge, credentials, these headers. Returns the final status.
static uint16_t enrol(const char *user, const char *password, const char *call_id,
		      const char *headers)
{
	char credentials[TD_SIP_CREDENTIALS_MAX + 1], all[4096];

	send_register(user, call_id, headers);
	ck_assert_uint_eq(reply.status, 401);
	answer(user, password, credentials);
	snprintf(all, sizeof all, "%s%s", credentials, headers);
	send_register(user, call_id, all);
	return reply.status;
}

static uint32_t agent_of(const char *id)
{
	int idx = td_registrar_find(&registrar, id);

	ck_assert_int_ge(idx, 0);
	return (uint32_t)idx;
}

static void on_gone(void *user, uint32_t agent)
{
	(void)user;
	gone[gone_count++] = agent;
}

START_TEST(agents_are_found_by_id)
{
	ck_assert_int_eq(td_registrar_find(&registrar, "1003"), 0);
	ck_assert_int_eq(td_registrar_find(&registrar, "1001"), 1);
	ck_assert_int_eq(td_registrar_find(&registrar, "1002"), 2);
	ck_assert_int_eq(td_registrar_find(&registrar, "1000"), -TD_ENOT_FOUND);
	ck_assert_int_eq(td_registrar_find(&registrar, ""), -TD_ENOT_FOUND);
	ck_assert_int_eq(td_registrar_find(&registrar, "10011"), -TD_ENOT_FOUND);
}
END_TEST

START_TEST(challenge_then_contact)
{
	send_register("1001", "c1", "Contact: <sip:1001@10.77.0.20:5060>\r\n");
	ck_assert_uint_eq(reply.status, 401);
	ck_assert_ptr_nonnull(strstr(reply.headers, "algorithm=SHA-256"));
	ck_assert_ptr_nonnull(strstr(reply.headers, "algorithm=MD5"));
	ck_assert_int_eq(reply.agent, -1);
	ck_assert_ptr_null(td_registrar_contact(&registrar, agent_of("1001")));
	ck_assert_uint_eq(enrol("1001", "one", "c1",
				"Contact: <sip:1001@10.77.0.20:5060>\r\nExpires: 120\r\n"),
			  200);
	ck_assert_int_eq(reply.agent, 1);
	ck_assert(!reply.refresh);
	ck_assert_str_eq(reply.headers, "Contact: <sip:1001@10.77.0.20:5060>;expires=120\r\n");
	ck_assert_str_eq(td_registrar_contact(&registrar, 1)->uri, "sip:1001@10.77.0.20:5060");
	ck_assert(td_endpoint_equal(&td_registrar_contact(&registrar, 1)->received, &from));
	// The second time it is known already.
	ck_assert_uint_eq(enrol("1001", "one", "c1",
				"Contact: <sip:1001@10.77.0.20:5060>\r\nExpires: 120\r\n"),
			  200);
	ck_assert(reply.refresh);
	ck_assert_uint_eq(registrar.agents[1].contact_count, 1);
}
END_TEST

START_TEST(wrong_password_and_unknown_user_are_one)
{
	char wrong[TD_REGISTRAR_HEADERS_MAX];

	ck_assert_uint_eq(enrol("1001", "two", "c1", "Contact: <sip:1001@10.77.0.20>\r\n"), 403);
	memcpy(wrong, reply.headers, sizeof wrong);
	ck_assert_uint_eq(enrol("nobody", "two", "c1", "Contact: <sip:nobody@10.77.0.20>\r\n"),
			  403);
	ck_assert_str_eq(wrong, reply.headers);
	ck_assert_int_eq(reply.agent, -1);
	ck_assert_uint_eq(registrar.slots.used, 0);
	ck_assert_uint_eq(registrar.refused, 2);
}
END_TEST

START_TEST(nobody_registers_for_another)
{
	char credentials[TD_SIP_CREDENTIALS_MAX + 1], all[4096];

	send_register("1002", "c1", "");
	answer("1001", "one", credentials);
	snprintf(all, sizeof all, "%sContact: <sip:1002@10.77.0.20>\r\n", credentials);
	send_register("1002", "c1", all);
	ck_assert_uint_eq(reply.status, 403);
	ck_assert_uint_eq(registrar.slots.used, 0);
}
END_TEST

START_TEST(old_nonce_is_stale)
{
	char credentials[TD_SIP_CREDENTIALS_MAX + 1];

	send_register("1001", "c1", "");
	answer("1001", "one", credentials);
	now_ms += TD_REGISTRAR_NONCE_LIFE_MS + 1000;
	send_register("1001", "c1", credentials);
	ck_assert_uint_eq(reply.status, 401);
	ck_assert_ptr_nonnull(strstr(reply.headers, "stale=true"));
}
END_TEST

START_TEST(nonce_of_another_address_is_refused)
{
	char credentials[TD_SIP_CREDENTIALS_MAX + 1], all[4096];

	send_register("1001", "c1", "");
	answer("1001", "one", credentials);
	snprintf(all, sizeof all, "%sContact: <sip:1001@10.77.0.66>\r\n", credentials);
	ck_assert_int_eq(td_endpoint_parse_addr("10.77.0.66", &from), 0);
	send_register("1001", "c1", all);
	ck_assert_uint_ne(reply.status, 200);
	ck_assert_uint_eq(registrar.slots.used, 0);
}
END_TEST

START_TEST(newest_contact_wins_and_the_oldest_gives_way)
{
	char headers[128];

	for (int i = 0; i < TD_REGISTRAR_CONTACT_MAX + 1; i++) {
		snprintf(headers, sizeof headers, "Contact: <sip:1001@10.77.1.%d>\r\n", i);
		ck_assert_uint_eq(enrol("1001", "one", "c1", headers), 200);
		ck_assert_ptr_nonnull(strstr(headers, td_registrar_contact(&registrar, 1)->uri));
	}
	ck_assert_uint_eq(registrar.agents[1].contact_count, TD_REGISTRAR_CONTACT_MAX);
	ck_assert_str_eq(td_registrar_contact(&registrar, 1)->uri, "sip:1001@10.77.1.4");
	ck_assert_ptr_null(strstr(reply.headers, "10.77.1.0"));
	ck_assert_ptr_nonnull(strstr(reply.headers, "10.77.1.1"));
}
END_TEST

START_TEST(contacts_are_bounded_over_all_agents)
{
	char headers[128];

	for (int i = 0; i < 4; i++) {
		snprintf(headers, sizeof headers, "Contact: <sip:1001@10.77.1.%d>\r\n", i);
		ck_assert_uint_eq(enrol("1001", "one", "c1", headers), 200);
	}
	ck_assert_uint_eq(enrol("1002", "two", "c2", "Contact: <sip:a@10.77.2.1>\r\n"), 200);
	ck_assert_uint_eq(enrol("1002", "two", "c2", "Contact: <sip:a@10.77.2.2>\r\n"), 200);
	ck_assert_uint_eq(enrol("1003", "three", "c3", "Contact: <sip:a@10.77.3.1>\r\n"), 503);
	ck_assert_uint_eq(registrar.slots.used, 6);
	// A place that becomes free is taken.
	ck_assert_uint_eq(enrol("1002", "two", "c2", "Contact: *\r\nExpires: 0\r\n"), 200);
	ck_assert_str_eq(reply.headers, "");
	ck_assert(!reply.refresh);
	ck_assert_ptr_null(td_registrar_contact(&registrar, 2));
	ck_assert_uint_eq(enrol("1003", "three", "c3", "Contact: <sip:a@10.77.3.1>\r\n"), 200);
}
END_TEST

static const struct {
	const char *headers;
	uint16_t status;
	uint32_t contacts;
} contact_rows[] = {
	{ "", 200, 0 }, // asks what is there
	{ "Contact: <sip:a@10.0.0.1>;expires=30\r\n", 200, 1 },
	{ "Contact: <sip:a@10.0.0.1>;expires=29\r\n", 423, 0 },
	{ "Contact: <sip:a@10.0.0.1>;expires=1\r\n", 423, 0 },
	{ "Contact: <sip:a@10.0.0.1>;expires=0\r\n", 200, 0 },
	{ "Contact: <sip:a@10.0.0.1>;expires=4294967295\r\n", 200, 1 },
	{ "Contact: <sip:a@10.0.0.1>;expires=soon\r\n", 200, 1 },
	{ "Contact: <sip:a@10.0.0.1>\r\nExpires: 10\r\n", 423, 0 },
	{ "Contact: *\r\nExpires: 0\r\n", 200, 0 },
	{ "Contact: *\r\nExpires: 60\r\n", 400, 0 },
	{ "Contact: *\r\n", 400, 0 },
	{ "Contact: *, <sip:a@10.0.0.1>\r\nExpires: 0\r\n", 400, 0 },
	{ "Contact: <sip:a@10.0.0.1>, *\r\nExpires: 0\r\n", 400, 0 },
	{ "Contact: <tel:+123>\r\n", 400, 0 },
	{ "Contact: <sips:a@10.0.0.1>\r\n", 400, 0 },
	{ "Contact: <sip:a@10.0.0.1>, <sip:b@10.0.0.1>\r\n", 200, 2 },
	// All or nothing: the second one is too brief.
	{ "Contact: <sip:a@10.0.0.1>, <sip:b@10.0.0.1>;expires=3\r\n", 423, 0 },
	{ "Contact: <sip:1@h>,<sip:2@h>,<sip:3@h>,<sip:4@h>,<sip:5@h>,<sip:6@h>,<sip:7@h>,<sip:8@h>,"
	  "<sip:9@h>\r\n",
	  400, 0 },
};

START_TEST(contact_rows_hold)
{
	ck_assert_uint_eq(enrol("1001", "one", "c1", contact_rows[_i].headers),
			  contact_rows[_i].status);
	ck_assert_uint_eq(registrar.agents[1].contact_count, contact_rows[_i].contacts);
	if (reply.status == 423)
		ck_assert_str_eq(reply.headers, "Min-Expires: 30\r\n");
}
END_TEST

START_TEST(overtaken_requests_change_nothing)
{
	ck_assert_uint_eq(enrol("1001", "one", "c1", "Contact: <sip:a@10.0.0.1>\r\n"), 200);
	cseq -= 2;
	ck_assert_uint_eq(enrol("1001", "one", "c1", "Contact: <sip:a@10.0.0.1>;expires=0\r\n"),
			  500);
	ck_assert_uint_eq(registrar.agents[1].contact_count, 1);
	// Another Call-ID is another phone, or the same one after a restart.
	cseq = 0;
	ck_assert_uint_eq(enrol("1001", "one", "c9", "Contact: <sip:a@10.0.0.1>;expires=0\r\n"),
			  200);
	ck_assert_uint_eq(registrar.agents[1].contact_count, 0);
}
END_TEST

START_TEST(contacts_expire)
{
	ck_assert_uint_eq(enrol("1001", "one", "c1", "Contact: <sip:a@10.0.0.1>;expires=60\r\n"),
			  200);
	ck_assert_uint_eq(enrol("1001", "one", "c1", "Contact: <sip:b@10.0.0.1>;expires=90\r\n"),
			  200);
	ck_assert_uint_le(td_registrar_next_ms(&registrar), now_ms + 60000);
	now_ms += 59999;
	td_registrar_advance(&registrar, now_ms, on_gone, NULL);
	ck_assert_uint_eq(registrar.agents[1].contact_count, 2);
	now_ms += 1;
	td_registrar_advance(&registrar, now_ms, on_gone, NULL);
	ck_assert_uint_eq(registrar.agents[1].contact_count, 1);
	ck_assert_uint_eq(gone_count, 0); // still reachable by the other
	now_ms += 30000;
	td_registrar_advance(&registrar, now_ms, on_gone, NULL);
	ck_assert_uint_eq(gone_count, 1);
	ck_assert_uint_eq(gone[0], 1);
	ck_assert_uint_eq(registrar.slots.used, 0);
	ck_assert_uint_eq(td_registrar_next_ms(&registrar), UINT64_MAX);
}
END_TEST

START_TEST(refresh_moves_the_expiry)
{
	ck_assert_uint_eq(enrol("1001", "one", "c1", "Contact: <sip:a@10.0.0.1>;expires=60\r\n"),
			  200);
	now_ms += 50000;
	ck_assert_uint_eq(enrol("1001", "one", "c1", "Contact: <sip:a@10.0.0.1>;expires=60\r\n"),
			  200);
	ck_assert_uint_eq(registrar.agents[1].contact_count, 1);
	now_ms += 50000;
	td_registrar_advance(&registrar, now_ms, on_gone, NULL);
	ck_assert_uint_eq(gone_count, 0);
	now_ms += 10000;
	td_registrar_advance(&registrar, now_ms, on_gone, NULL);
	ck_assert_uint_eq(gone_count, 1);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("registrar");
	Suite *suite = suite_create("call registrar");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, agents_are_found_by_id);
	tcase_add_test(tc, challenge_then_contact);
	tcase_add_test(tc, wrong_password_and_unknown_user_are_one);
	tcase_add_test(tc, nobody_registers_for_another);
	tcase_add_test(tc, old_nonce_is_stale);
	tcase_add_test(tc, nonce_of_another_address_is_refused);
	tcase_add_test(tc, newest_contact_wins_and_the_oldest_gives_way);
	tcase_add_test(tc, contacts_are_bounded_over_all_agents);
	tcase_add_loop_test(tc, contact_rows_hold, 0, sizeof contact_rows / sizeof contact_rows[0]);
	tcase_add_test(tc, overtaken_requests_change_nothing);
	tcase_add_test(tc, contacts_expire);
	tcase_add_test(tc, refresh_moves_the_expiry);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

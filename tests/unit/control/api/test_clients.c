// The clients of a running control process: who is let in, who is shut out, and what a line may be.
#include <check.h>
#include <string.h>
#include <sys/socket.h>

#include "session.h"

START_TEST(test_only_auth_before_the_token)
{
	static const struct {
		const char *line, *message;
		long code;
	} rows[] = {
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"system.status\"}\n",
		  "system.status: send auth with the token first", -32001 },
		{ "POST / HTTP/1.1\r\n", "not JSON: '[' or '{' expected near 'POST' at byte 4",
		  -32700 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"auth\",\"params\":{\"token\":\"no\"}}\n",
		  "wrong token", -32001 },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"auth\",\"params\":{\"token\":1}}\n",
		  "token: expected a string", -32602 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct live_client stranger = live_connect(&live, 4);

		live_send(&stranger, rows[i].line, strlen(rows[i].line));
		live_expect_error(live_receive(&live, &stranger), rows[i].code, rows[i].message);
		ck_assert_ptr_null(live_receive(&live, &stranger));
		live_hang_up(&stranger);
	}
}
END_TEST

START_TEST(test_five_wrong_tokens_close_the_door)
{
	for (int i = 0; i < 7; i++) {
		struct live_client stranger = live_connect(&live, 5);
		json_t *reply = live_ask(&live, &stranger, "auth",
					 i < 5 ? "{\"token\":\"guess\"}"
					       : "{\"token\":\"" LIVE_TOKEN "\"}");

		ck_assert_int_eq(live_int(reply, "error.code"), i < 5 ? -32001 : -32002);
		json_decref(reply);
		live_hang_up(&stranger);
	}
	json_decref(session_ask("system.status", NULL));
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "calls"), 0);
}
END_TEST

START_TEST(test_a_silent_client_is_closed)
{
	struct live_client silent = live_connect(&live, 4);

	live_expect_error(live_receive(&live, &silent), -32001,
			  "no token within 5 seconds: send auth first");
	ck_assert_ptr_null(live_receive(&live, &silent));
	live_hang_up(&silent);
}
END_TEST

START_TEST(test_one_client_too_many)
{
	struct live_client crowd[63], extra;

	for (int i = 0; i < 63; i++)
		crowd[i] = live_login(&live);
	extra = live_connect(&live, 3);
	live_expect_error(live_receive(&live, &extra), -32007,
			  "too many clients: at most 64 at a time");
	ck_assert_ptr_null(live_receive(&live, &extra));
	live_hang_up(&extra);
	json_decref(session_ask("system.status", NULL));
	for (int i = 0; i < 63; i++)
		live_hang_up(&crowd[i]);
	for (int tries = 0; tries < 1000; tries++) {
		json_t *reply = session_ask("system.status", NULL);
		long clients = live_int(reply, "result.api.clients");

		json_decref(reply);
		if (clients == 1)
			return;
	}
	ck_abort_msg("clients that went away are still counted");
}
END_TEST

START_TEST(test_line_length_bound)
{
	static char line[70000];
	static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rpc.methods\"}";

	memset(line, ' ', sizeof line);
	for (size_t i = 0; request[i]; i++)
		line[i] = request[i];
	line[65536] = '\n';
	live_send(&client, line, 65537);
	json_decref(live_receive(&live, &client));
	line[65536] = ' ';
	live_send(&client, line, 65537);
	live_expect_error(live_receive(&live, &client), -32007, "a line holds at most 65536 bytes");
	ck_assert_ptr_null(live_receive(&live, &client));
}
END_TEST

START_TEST(test_bytes_come_as_they_like)
{
	static const char lines[] =
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"call.list\"}\r\n\n\r\n"
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"call.list\"}\n"
		"[{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"call.list\"},"
		"{\"jsonrpc\":\"2.0\",\"method\":\"call.list\"}]\n";

	for (int pass = 0; pass < 2; pass++) {
		size_t step = pass ? 1 : sizeof lines - 1;
		json_t *reply;

		for (size_t at = 0; at < sizeof lines - 1; at += step)
			live_send(&client, lines + at, step);
		for (long id = 1; id <= 2; id++) {
			reply = live_receive(&live, &client);
			ck_assert_int_eq(live_int(reply, "id"), id);
			json_decref(reply);
		}
		reply = live_receive(&live, &client);
		ck_assert_uint_eq(json_array_size(reply), 1);
		ck_assert_int_eq(live_int(reply, "0.id"), 3);
		json_decref(reply);
	}
}
END_TEST

// Who asks without reading is not read any more; when he reads again, no answer is missing.
START_TEST(test_a_client_that_does_not_read)
{
	static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rpc.methods\"}\n";
	long sent = 0, got = 0;
	struct live_client other;

	while (sent < 20000 &&
	       send(client.fd, request, sizeof request - 1, MSG_DONTWAIT) == sizeof request - 1)
		sent++;
	ck_assert_int_gt(sent, 100);
	other = live_login(&live);
	json_decref(live_ask(&live, &other, "system.status", NULL));
	live_hang_up(&other);
	while (got < sent) {
		json_decref(live_receive(&live, &client));
		got++;
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("clients");
	TCase *tcase = tcase_create("clients");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, session_open, session_close);
	tcase_add_test(tcase, test_only_auth_before_the_token);
	tcase_add_test(tcase, test_five_wrong_tokens_close_the_door);
	tcase_add_test(tcase, test_a_silent_client_is_closed);
	tcase_add_test(tcase, test_one_client_too_many);
	tcase_add_test(tcase, test_line_length_bound);
	tcase_add_test(tcase, test_bytes_come_as_they_like);
	tcase_add_test(tcase, test_a_client_that_does_not_read);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

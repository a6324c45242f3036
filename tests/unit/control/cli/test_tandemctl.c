// tandemctl against a running control process: what it prints and how it ends.
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../api/session.h"

START_TEST(test_tandemctl_tables_and_json)
{
	json_t *result;

	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "status"), 0);
	ck_assert_msg(strstr(session_out, "dataplane             up\n") != NULL, "%s", session_out);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "calls"), 0);
	ck_assert_str_eq(session_out, "no calls\n");
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "queues"), 0);
	ck_assert_msg(strncmp(session_out, "QUEUE    WAITING  OLDEST", 24) == 0, "%s", session_out);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "agents", "sales"), 0);
	// A name cannot drive the terminal.
	ck_assert_msg(strstr(session_out, "1002   B?[31mob  available") != NULL, "%s", session_out);
	ck_assert_msg(strstr(session_out, "1001") == NULL && strchr(session_out, '\033') == NULL,
		      "%s", session_out);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "trunks"), 0);
	ck_assert_msg(strstr(session_out, "carrier") != NULL, "%s", session_out);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "--json", "agent", "1001", "paused", "lunch"),
			 0);
	result = json_loads(session_out, 0, NULL);
	ck_assert_str_eq(live_text(result, "state"), "paused");
	ck_assert_str_eq(live_text(result, "reason"), "lunch");
	ck_assert_str_eq(live_text(result, "queues.0"), "support");
	json_decref(result);
	ck_assert_ptr_eq(strchr(session_out, '\n'), session_out + strlen(session_out) - 1);
	ck_assert_int_eq(
		SESSION_CTL(SESSION_TOKEN, "rpc", "agent.list", "{\"limit\":1,\"offset\":1}"), 0);
	result = json_loads(session_out, 0, NULL);
	ck_assert_int_eq(live_int(result, "total"), 2);
	ck_assert_str_eq(live_text(result, "agents.0.id"), "1002");
	json_decref(result);
}
END_TEST

START_TEST(test_tandemctl_exit_status_and_tokens)
{
	ck_assert_int_eq(SESSION_CTL("status"), 4);
	ck_assert_str_eq(session_out,
			 "tandemctl: no token: set TANDEM_TOKEN, or give --token or --config "
			 "FILE\n");
	setenv("TANDEM_TOKEN", LIVE_TOKEN, 1);
	ck_assert_int_eq(SESSION_CTL("calls"), 0);
	ck_assert_int_eq(SESSION_CTL("--token", "something else entirely", "calls"), 4);
	ck_assert_str_eq(session_out, "tandemctl: wrong token\n");
	unsetenv("TANDEM_TOKEN");
	ck_assert_int_eq(SESSION_CTL("--config", live.config, "calls"), 0);
	ck_assert_int_eq(SESSION_CTL("--config", "/nonexistent.yaml", "calls"), 2);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "call", "c77"), 1);
	ck_assert_str_eq(session_out, "tandemctl: there is no call c77\n");
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "frob"), 2);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "call"), 2);
	ck_assert_str_eq(session_out, "tandemctl: usage: tandemctl call ID\n");
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "rpc", "call.list", "{"), 2);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "--address", "127.0.0.1:1", "calls"), 3);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "--address", "localhost:5048", "calls"), 2);
	ck_assert_int_eq(SESSION_CTL("--help"), 0);
	ck_assert_msg(strstr(session_out, "exit status: 0 done") != NULL, "%s", session_out);
	ck_assert_int_eq(SESSION_CTL("--frob"), 2);
	ck_assert_int_eq(SESSION_CTL(SESSION_TOKEN, "watch"), 2);
}
END_TEST

// Reads the child's output until it holds `wanted`.
static void read_until(int fd, const char *wanted)
{
	size_t have = 0;

	for (int i = 0; i < 5000; i++) {
		ssize_t got = read(fd, session_out + have, sizeof session_out - 1 - have);

		if (got > 0)
			have += (size_t)got;
		session_out[have] = '\0';
		if (strstr(session_out, wanted))
			return;
		live_pump(&live);
		usleep(2000);
	}
	ck_abort_msg("no \"%s\" in: %s", wanted, session_out);
}

START_TEST(test_tandemctl_events)
{
	int fd;
	pid_t child =
		live_ctl_start(&live, false, &fd, (char *[]){ SESSION_TOKEN, "events", NULL });
	bool subscribed = false;

	for (int tries = 0; !subscribed && tries < 5000; tries++) {
		json_t *reply = session_ask("system.status", NULL);

		subscribed = live_int(reply, "result.api.subscribers") == 1;
		json_decref(reply);
		usleep(1000);
	}
	ck_assert(subscribed);
	json_decref(session_ask("agent.set_state",
				"{\"id\":\"1001\",\"state\":\"paused\",\"reason\":\"tea\"}"));
	read_until(fd, "agent 1001  state paused  reason tea\n");
	kill(child, SIGINT);
	ck_assert_int_eq(live_wait(&live, child), 0);
	close(fd);
}
END_TEST

START_TEST(test_tandemctl_watch_on_a_terminal)
{
	int fd;
	pid_t child = live_ctl_start(&live, true, &fd, (char *[]){ SESSION_TOKEN, "watch", NULL });

	read_until(fd, "\033[?1049h");
	read_until(fd, "dataplane \033[1mup");
	// The second frame, a second later.
	read_until(fd, "dataplane \033[1mup");
	ck_assert_int_eq(write(fd, "q", 1), 1);
	read_until(fd, "\033[?1049l");
	ck_assert_int_eq(live_wait(&live, child), 0);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tandemctl");
	TCase *tcase = tcase_create("tandemctl");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, session_open, session_close);
	tcase_add_test(tcase, test_tandemctl_tables_and_json);
	tcase_add_test(tcase, test_tandemctl_exit_status_and_tokens);
	tcase_add_test(tcase, test_tandemctl_events);
	tcase_add_test(tcase, test_tandemctl_watch_on_a_terminal);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

// Lines of the log: when they come, in which order, and whole. Standard error is a pipe here.
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "td_assert.h"
#include "td_log.h"

static int pipe_fds[2], stderr_before;
static char text[65536];

static void redirect(void)
{
	ck_assert_int_eq(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
	stderr_before = dup(STDERR_FILENO);
	dup2(pipe_fds[1], STDERR_FILENO);
}

static void restore(void)
{
	td_log_hold(false);
	dup2(stderr_before, STDERR_FILENO);
	close(stderr_before);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

// What has been written since the last time.
static const char *written(void)
{
	ssize_t len = read(pipe_fds[0], text, sizeof text - 1);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

static unsigned lines(const char *at)
{
	unsigned count = 0;

	for (; (at = strchr(at, '\n')); at++)
		count++;
	return count;
}

START_TEST(a_line_comes_at_once)
{
	const char *line;

	td_info("c42", "answered by %s", "1001");
	line = written();
	ck_assert_uint_eq(strcspn(line, " "), strlen("2026-01-02T03:04:05.678Z"));
	ck_assert_str_eq(line + strcspn(line, " "), " info  [c42] answered by 1001\n");
	td_debug(NULL, "not at this level");
	ck_assert_str_eq(written(), "");
}
END_TEST

START_TEST(held_lines_wait_for_the_flush)
{
	td_log_hold(true);
	td_info(NULL, "one");
	td_info(NULL, "two");
	ck_assert_str_eq(written(), "");
	td_log_flush();
	ck_assert_uint_eq(lines(written()), 2);
	td_log_flush();
	ck_assert_str_eq(written(), "");
	td_info(NULL, "three");
	td_log_hold(false);
	ck_assert_uint_eq(lines(written()), 1);
	td_info(NULL, "four");
	ck_assert_uint_eq(lines(written()), 1);
}
END_TEST

START_TEST(a_warning_brings_what_came_before_it)
{
	const char *all;

	td_log_hold(true);
	td_info(NULL, "first");
	if (_i == 0)
		td_warn(NULL, "second");
	else
		td_error(NULL, "second");
	all = written();
	ck_assert_uint_eq(lines(all), 2);
	ck_assert_ptr_nonnull(strstr(all, "first\n"));
	ck_assert_ptr_nonnull(strstr(strstr(all, "first\n"), "second\n"));
}
END_TEST

// However many: each whole, none lost, in order.
START_TEST(a_full_buffer_is_written)
{
	char filler[2048], expected[32];
	const char *at;

	memset(filler, 'x', sizeof filler - 1);
	filler[sizeof filler - 1] = '\0';
	td_log_hold(true);
	for (unsigned i = 0; i < 40; i++)
		td_info(NULL, "line %u %s", i, i % 3 ? "" : filler); // cut at the longest line
	ck_assert_uint_gt(strlen(written()), 0);
	at = strdup(text);
	td_log_flush();
	written();
	ck_assert_uint_eq(lines(at) + lines(text), 40);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(expected, sizeof expected, " line %u ", i);
		ck_assert_msg(strstr(at, expected) || strstr(text, expected), "line %u", i);
	}
	ck_assert_int_eq(at[strlen(at) - 1], '\n');
	free((void *)at);
}
END_TEST

static void *other_thread(void *user)
{
	(void)user;
	td_info(NULL, "from another thread");
	return NULL;
}

START_TEST(other_threads_are_not_held)
{
	pthread_t thread;

	td_log_hold(true);
	td_info(NULL, "mine");
	ck_assert_int_eq(pthread_create(&thread, NULL, other_thread, NULL), 0);
	pthread_join(thread, NULL);
	ck_assert_ptr_nonnull(strstr(written(), "from another thread\n"));
	ck_assert_ptr_null(strstr(text, "mine"));
}
END_TEST

START_TEST(a_bug_loses_nothing)
{
	pid_t pid = fork();
	const char *held_line;

	if (pid == 0) {
		td_log_hold(true);
		td_info(NULL, "the last words");
		TD_ASSERT(pid != 0);
	}
	waitpid(pid, NULL, 0);
	held_line = strstr(written(), "the last words\n");
	ck_assert_ptr_nonnull(held_line);
	ck_assert_ptr_nonnull(strstr(held_line, "BUG: "));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("log");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, redirect, restore);
	tcase_add_test(tcase, a_line_comes_at_once);
	tcase_add_test(tcase, held_lines_wait_for_the_flush);
	tcase_add_loop_test(tcase, a_warning_brings_what_came_before_it, 0, 2);
	tcase_add_test(tcase, a_full_buffer_is_written);
	tcase_add_test(tcase, other_threads_are_not_held);
	tcase_add_test(tcase, a_bug_loses_nothing);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

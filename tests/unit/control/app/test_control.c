// tandem-control in one piece, without a dataplane: every stage up, every stage's refusal with its
// sentence, nothing left behind either way.
#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/control.h"
#include "app/folder.h"
#include "app/watch.h"
#include "td_log.h"

static char folder[64], config_path[96], reason[TD_CONTROL_REASON_MAX];
static uint16_t sip_port, api_port;
static struct td_config *config;
static struct td_control control;
static unsigned descriptors_before;

static unsigned count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

// A socket bound to a free port of loopback; its number in *port.
static int hold_port(int type, uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 1), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static void write_config(const char *run_dir, const char *data_dir)
{
	FILE *file = fopen(config_path, "w");

	ck_assert_ptr_nonnull(file);
	fprintf(file,
		"system:\n  run_dir: %s\n  data_dir: %s\n"
		"dataplane:\n  ports:\n"
		"    - {name: lan, driver: net_ring, device: r0, addresses: [10.77.0.2/24]}\n"
		"sip:\n  listen: 127.0.0.1:%u\n"
		"metrics: {listen: 'off'}\n"
		"api:\n  listen: 127.0.0.1:%u\n  token: 0123456789abcdef\n",
		run_dir, data_dir, sip_port, api_port);
	fclose(file);
}

static void load(const char *run_dir, const char *data_dir)
{
	char error[TD_CONFIG_ERROR_MAX];

	write_config(run_dir, data_dir);
	ck_assert_msg(td_config_load(config_path, &config, error) == 0, "%s", error);
}

static void load_usual(void)
{
	char data[96];

	snprintf(data, sizeof data, "%s/data/deep", folder);
	load(folder, data);
}

static void setup(void)
{
	uv_loop_t warm;

	td_role_enter_control();
	td_log_set_level(TD_LOG_ERROR);
	// libuv keeps a pipe for signals from its first loop on; that is not ours to count.
	uv_loop_init(&warm);
	uv_loop_close(&warm);
	strcpy(folder, "/tmp/td-control-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(config_path, sizeof config_path, "%s/tandem.yaml", folder);
	close(hold_port(SOCK_DGRAM, &sip_port));
	close(hold_port(SOCK_STREAM, &api_port));
	descriptors_before = count_descriptors();
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status;
	(void)kind;
	(void)where;
	return remove(path);
}

static void teardown(void)
{
	td_config_free(config);
	config = NULL;
	ck_assert_int_eq(nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
	ck_assert_uint_eq(count_descriptors(), descriptors_before);
}

static void refused(int error, const char *with)
{
	int got = td_control_start(&control, config, reason);

	ck_assert_msg(got == error, "got %d: %s", got, reason);
	ck_assert_msg(strstr(reason, with) != NULL, "\"%s\" lacks \"%s\"", reason, with);
	ck_assert_uint_eq(control.stages_up, 0);
}

static void raise_signal(uv_timer_t *timer)
{
	raise(*(int *)timer->data);
	uv_close((uv_handle_t *)timer, NULL);
}

START_TEST(starts_stops_on_a_signal_and_starts_again)
{
	static int signals[] = { SIGTERM, SIGINT };
	char path[128];

	load_usual();
	for (int round = 0; round < 2; round++) {
		uv_timer_t timer;

		ck_assert_msg(td_control_start(&control, config, reason) == 0, "%s", reason);
		uv_timer_init(&control.loop, &timer);
		timer.data = &signals[round];
		uv_timer_start(&timer, raise_signal, 50, 0);
		td_control_run(&control);
		ck_assert(control.stopping);
		td_control_stop(&control);
		ck_assert_uint_eq(control.stages_up, 0);
		snprintf(path, sizeof path, "%s/data/deep/tandem.db", folder);
		ck_assert_int_eq(access(path, R_OK), 0);
		ck_assert_uint_eq(count_descriptors(), descriptors_before);
	}
}
END_TEST

START_TEST(sip_port_in_use)
{
	int held;

	sip_port = 0;
	held = hold_port(SOCK_DGRAM, &sip_port);
	load_usual();
	refused(-TD_EBUSY, "sip.listen");
	close(held);
}
END_TEST

START_TEST(api_port_in_use)
{
	int held = hold_port(SOCK_STREAM, &api_port);

	load_usual();
	refused(-TD_EBUSY, "api.listen");
	close(held);
}
END_TEST

START_TEST(data_dir_is_a_file)
{
	load(folder, config_path);
	refused(-TD_EIO, "system.data_dir");
}
END_TEST

START_TEST(data_dir_below_a_file)
{
	char data[128];

	snprintf(data, sizeof data, "%s/below", config_path);
	load(folder, data);
	refused(-TD_EIO, "system.data_dir");
}
END_TEST

START_TEST(database_is_something_else)
{
	char path[128];
	FILE *file;

	load_usual();
	ck_assert_int_eq(td_control_folder_make(config->system.data_dir, reason), 0);
	snprintf(path, sizeof path, "%s/tandem.db", config->system.data_dir);
	file = fopen(path, "w");
	for (int i = 0; i < 500; i++)
		fputs("this is no database\n", file);
	fclose(file);
	refused(-TD_EIO, "tandem.db");
}
END_TEST

static const struct {
	struct td_udp_stats before, now;
	const char *says; // NULL: nothing to say
} troubles[] = {
	{ { 0 }, { .rx_datagrams = 9, .tx_datagrams = 9, .rx_errors = 3 }, NULL },
	{ { .rx_overflows = 5, .tx_full = 6, .tx_errors = 7 },
	  { .rx_overflows = 5, .tx_full = 6, .tx_errors = 7 },
	  NULL },
	{ { .rx_overflows = 5 }, { .rx_overflows = 12 }, "7 SIP datagrams were lost" },
	{ { .tx_full = 1 }, { .tx_full = 2 }, "1 SIP datagrams were not sent" },
	{ { .tx_errors = 0 }, { .tx_errors = 30 }, "30 SIP datagrams were refused" },
};

START_TEST(watch_describes_what_is_new)
{
	char text[TD_WATCH_TEXT_MAX] = "";
	bool says = td_watch_describe(&troubles[_i].before, &troubles[_i].now, text);

	ck_assert_int_eq(says, troubles[_i].says != NULL);
	if (says)
		ck_assert_ptr_nonnull(strstr(text, troubles[_i].says));
}
END_TEST

START_TEST(folders)
{
	char path[5000];
	struct stat status;

	snprintf(path, sizeof path, "%s/a/b//c/", folder);
	ck_assert_int_eq(td_control_folder_make(path, reason), 0);
	ck_assert_int_eq(td_control_folder_make(path, reason), 0);
	snprintf(path, sizeof path, "%s/private", folder);
	ck_assert_int_eq(td_control_folder_make(path, reason), 0);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07, 0); // nothing for others
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	ck_assert_int_eq(td_control_folder_make(path, reason), -TD_EIO);
	ck_assert_int_eq(td_control_folder_make("", reason), -TD_EIO);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("control");
	TCase *tcase = tcase_create("control");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, starts_stops_on_a_signal_and_starts_again);
	tcase_add_test(tcase, sip_port_in_use);
	tcase_add_test(tcase, api_port_in_use);
	tcase_add_test(tcase, data_dir_is_a_file);
	tcase_add_test(tcase, data_dir_below_a_file);
	tcase_add_test(tcase, database_is_something_else);
	tcase_add_test(tcase, folders);
	tcase_add_loop_test(tcase, watch_describes_what_is_new, 0,
			    sizeof troubles / sizeof troubles[0]);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

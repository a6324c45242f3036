#include "live.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int64_t live_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void live_pump(struct live *live)
{
	bool more = true;

	while (more) {
		more = dp_poll(&live->dp);
		more = dp_answer(&live->dp) || more;
	}
}

static void write_config(const struct live *live)
{
	FILE *file = fopen(live->config, "w");

	ck_assert_ptr_nonnull(file);
	fprintf(file,
		"system: {run_dir: %s, data_dir: %s}\n"
		"dataplane:\n"
		"  ports: [{name: a, driver: net_ring, device: r, addresses: [10.77.0.2/24]}]\n"
		"  prompts: [{name: greeting, file: g.wav}, {name: music, file: m.wav}]\n"
		"sip: {listen: '%s1:5060'}\n"
		"trunks: [{name: carrier, addresses: [%s2]}]\n"
		"queues: [{name: support, greeting: greeting, music: music, record: false}, "
		"{name: sales}]\n"
		"agents:\n"
		"  - {id: 1001, name: Alice, secret: abcdefgh, queues: [support]}\n"
		"  - {id: 1002, name: \"B\\e[31mob\", secret: abcdefgh, queues: [support, sales]}\n"
		"dialplan: [{number: 100, queue: support}]\n"
		"metrics: {listen: '%s1:9105'}\n"
		"api: {listen: '%s1:5048', token: " LIVE_TOKEN "}\n",
		live->dp.dir, live->data, live->host, live->host, live->host, live->host);
	fclose(file);
}

struct sockaddr_in live_address(const struct live *live, int last, int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	char text[32];

	snprintf(text, sizeof text, "%s%d", live->host, last);
	ck_assert_int_eq(inet_pton(AF_INET, text, &address.sin_addr), 1);
	return address;
}

static int try_connect(const struct live *live, int from)
{
	struct sockaddr_in source = live_address(live, from, 0), to = live_address(live, 1, 5048);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&source, sizeof source), 0);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	close(fd);
	return -1;
}

static void wait_until_it_listens(struct live *live)
{
	for (int64_t until = live_now_ms() + LIVE_WAIT_MS; live_now_ms() < until; usleep(2000)) {
		int fd = try_connect(live, 99);

		live_pump(live);
		if (fd >= 0) {
			close(fd);
			return;
		}
	}
	ck_abort_msg("tandem-control does not listen");
}

static void wait_until_attached(struct live *live)
{
	struct live_client client = live_login(live);

	for (int64_t until = live_now_ms() + LIVE_WAIT_MS; live_now_ms() < until;) {
		json_t *reply = live_ask(live, &client, "system.status", NULL);
		bool up = strcmp(live_text(reply, "result.dataplane.state"), "up") == 0;

		json_decref(reply);
		if (up) {
			live_hang_up(&client);
			return;
		}
	}
	ck_abort_msg("tandem-control does not attach to the dataplane");
}

void live_start(struct live *live)
{
	struct sockaddr_in trunk;

	memset(live, 0, sizeof *live);
	signal(SIGPIPE, SIG_IGN);
	dp_open(&live->dp);
	snprintf(live->host, sizeof live->host, "127.%d.%d.", (getpid() >> 8 & 127) + 64,
		 getpid() & 255);
	snprintf(live->data, sizeof live->data, "%s/data", live->dp.dir);
	snprintf(live->config, sizeof live->config, "%s/tandem.yaml", live->dp.dir);
	ck_assert_int_eq(mkdir(live->data, 0700), 0);
	write_config(live);
	trunk = live_address(live, 2, 5060);
	live->sip = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(live->sip, (struct sockaddr *)&trunk, sizeof trunk), 0);
	live->control = fork();
	if (live->control == 0) {
		execl(TD_CONTROL_PATH, "tandem-control", "--config", live->config, (char *)NULL);
		_exit(127);
	}
	wait_until_it_listens(live);
	wait_until_attached(live);
}

int live_wait(struct live *live, pid_t child)
{
	for (int64_t until = live_now_ms() + LIVE_WAIT_MS; live_now_ms() < until; usleep(1000)) {
		int status;

		live_pump(live);
		if (waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	ck_abort_msg("a child process did not end by itself");
}

void live_stop(struct live *live)
{
	static const char *const files[] = {
		"data/tandem.db", "data/tandem.db-wal", "data/tandem.db-shm", "data/recordings",
		"data",           "tandem.yaml"
	};
	char path[256];

	kill(live->control, SIGTERM);
	ck_assert_int_eq(live_wait(live, live->control), 0);
	close(live->sip);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", live->dp.dir, files[i]);
		remove(path);
	}
	dp_close(&live->dp);
}

struct live_client live_connect(struct live *live, int from)
{
	struct live_client client = { .fd = try_connect(live, from), .room = 1 << 20 };

	ck_assert_int_ge(client.fd, 0);
	client.buffer = malloc(client.room);
	ck_assert_ptr_nonnull(client.buffer);
	return client;
}

struct live_client live_login(struct live *live)
{
	struct live_client client = live_connect(live, 3);
	json_t *reply = live_ask(live, &client, "auth", "{\"token\":\"" LIVE_TOKEN "\"}");

	ck_assert(json_is_true(live_at(reply, "result.authenticated")));
	json_decref(reply);
	return client;
}

void live_hang_up(struct live_client *client)
{
	close(client->fd);
	free(client->buffer);
}

void live_send(struct live_client *client, const char *text, size_t bytes)
{
	while (bytes > 0) {
		ssize_t sent = send(client->fd, text, bytes, MSG_NOSIGNAL);

		ck_assert_int_gt(sent, 0);
		text += sent;
		bytes -= (size_t)sent;
	}
}

json_t *live_receive(struct live *live, struct live_client *client)
{
	int64_t until = live_now_ms() + LIVE_WAIT_MS;

	for (;;) {
		struct pollfd ready = { .fd = client->fd, .events = POLLIN };
		char *end = client->have ? memchr(client->buffer, '\n', client->have) : NULL;
		ssize_t got;

		if (end) {
			json_t *line =
				json_loadb(client->buffer, (size_t)(end - client->buffer), 0, NULL);

			ck_assert_ptr_nonnull(line);
			client->have -= (size_t)(end + 1 - client->buffer);
			memmove(client->buffer, end + 1, client->have);
			return line;
		}
		live_pump(live);
		ck_assert_msg(live_now_ms() < until, "no line came");
		if (poll(&ready, 1, 2) == 0)
			continue;
		ck_assert_uint_lt(client->have, client->room);
		got = recv(client->fd, client->buffer + client->have, client->room - client->have,
			   0);
		if (got <= 0)
			return NULL;
		client->have += (size_t)got;
	}
}

json_t *live_ask(struct live *live, struct live_client *client, const char *method,
		 const char *params)
{
	char line[1024];
	int length = snprintf(line, sizeof line,
			      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"%s%s}\n", method,
			      params ? ",\"params\":" : "", params ? params : "");

	live_send(client, line, (size_t)length);
	return live_receive(live, client);
}

const json_t *live_at(const json_t *object, const char *path)
{
	char key[64];

	while (object && *path) {
		size_t length = strcspn(path, ".");

		snprintf(key, sizeof key, "%.*s", (int)length, path);
		object = json_is_array(object) ? json_array_get(object, (size_t)atoi(key))
					       : json_object_get(object, key);
		path += length;
		path += *path == '.';
	}
	return object;
}

long live_int(const json_t *object, const char *path)
{
	const json_t *value = live_at(object, path);

	ck_assert_msg(json_is_integer(value), "%s is not a number", path);
	return (long)json_integer_value(value);
}

const char *live_text(const json_t *object, const char *path)
{
	const json_t *value = live_at(object, path);

	ck_assert_msg(json_is_string(value), "%s is not a text", path);
	return json_string_value(value);
}

static void exec_ctl(const struct live *live, char *const *arguments)
{
	char address[64], *words[24] = { "tandemctl", "--address", address };
	int count = 3;

	snprintf(address, sizeof address, "%s1:5048", live->host);
	while (*arguments && count < 23)
		words[count++] = *arguments++;
	execv(TD_CTL_PATH, words);
	_exit(127);
}

pid_t live_ctl_start(struct live *live, bool terminal, int *fd, char *const *arguments)
{
	struct winsize size = { .ws_row = 12, .ws_col = 120 };
	int ends[2] = { -1, -1 };
	pid_t child;

	if (!terminal)
		ck_assert_int_eq(pipe(ends), 0);
	child = terminal ? forkpty(fd, NULL, NULL, &size) : fork();
	if (child == 0) {
		if (!terminal) {
			dup2(ends[1], 1);
			dup2(ends[1], 2);
			close(ends[0]);
			close(ends[1]);
		}
		exec_ctl(live, arguments);
	}
	if (!terminal) {
		close(ends[1]);
		*fd = ends[0];
	}
	fcntl(*fd, F_SETFL, O_NONBLOCK);
	return child;
}

int live_ctl(struct live *live, char *out, size_t out_bytes, char *const *arguments)
{
	size_t have = 0;
	int fd, status = -1;
	pid_t child = live_ctl_start(live, false, &fd, arguments);

	for (int64_t until = live_now_ms() + LIVE_WAIT_MS; status < 0; usleep(500)) {
		ssize_t got = read(fd, out + have, out_bytes - 1 - have);

		ck_assert_msg(live_now_ms() < until, "tandemctl did not end");
		live_pump(live);
		if (got > 0)
			have += (size_t)got;
		else if (got == 0)
			status = live_wait(live, child);
	}
	out[have] = '\0';
	close(fd);
	return status;
}

void live_expect_error(json_t *reply, long code, const char *message)
{
	ck_assert_ptr_nonnull(reply);
	ck_assert_int_eq(live_int(reply, "error.code"), code);
	ck_assert_str_eq(live_text(reply, "error.message"), message);
	json_decref(reply);
}

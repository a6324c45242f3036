// Sockets, lines and envelopes.
#include "cli/connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "config/address.h"

#define ANSWER_MAX (64u << 20) // more than the API ever says in one line

struct td_connection {
	int fd;
	json_int_t last_id;
	char *buffer;
	size_t have, room;
	char address[64];
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum td_outcome unreachable(const struct td_connection *connection, const char *why,
				   char error[TD_CONNECTION_ERROR_MAX])
{
	snprintf(error, TD_CONNECTION_ERROR_MAX, "%s: %s", connection->address, why);
	return TD_OUTCOME_UNREACHABLE;
}

static int connect_socket(const struct td_endpoint *to)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = to->port_be };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = to->port_be };
	int is_v4 = to->family == TD_FAMILY_IPV4;
	int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -1;
	memcpy(&v4.sin_addr, to->addr, sizeof v4.sin_addr);
	memcpy(&v6.sin6_addr, to->addr, sizeof v6.sin6_addr);
	rc = is_v4 ? connect(fd, (struct sockaddr *)&v4, sizeof v4)
		   : connect(fd, (struct sockaddr *)&v6, sizeof v6);
	if (rc == 0)
		return fd;
	rc = errno;
	close(fd);
	errno = rc;
	return -1;
}

static enum td_outcome send_line(struct td_connection *connection, const char *text, size_t bytes,
				 char error[TD_CONNECTION_ERROR_MAX])
{
	while (bytes > 0) {
		ssize_t sent = send(connection->fd, text, bytes, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return unreachable(connection, strerror(errno), error);
		text += sent;
		bytes -= (size_t)sent;
	}
	return TD_OUTCOME_OK;
}

// Makes room for more input and reads some. 1: got some, 0: time is up, -1: broken (errno, or 0
// when the peer closed).
static int read_more(struct td_connection *connection, int64_t until_ms)
{
	struct pollfd poll_fd = { .fd = connection->fd, .events = POLLIN };
	int64_t left = until_ms - now_ms();
	ssize_t got;

	if (connection->room - connection->have < 4096) {
		size_t room = connection->room ? connection->room * 2 : 65536;
		char *bigger = room <= ANSWER_MAX ? realloc(connection->buffer, room) : NULL;

		errno = ENOMEM;
		if (!bigger)
			return -1;
		connection->buffer = bigger;
		connection->room = room;
	}
	got = poll(&poll_fd, 1, left > 0 ? (int)left : 0);
	if (got == 0)
		return 0;
	if (got > 0)
		got = recv(connection->fd, connection->buffer + connection->have,
			   connection->room - connection->have, 0);
	// A signal ends the wait, so that who pressed ctrl-C is heard.
	if (got < 0)
		return errno == EINTR ? 0 : -1;
	errno = 0;
	connection->have += (size_t)got;
	return got > 0 ? 1 : -1;
}

// The next line as JSON; *message NULL when the time is up.
static enum td_outcome receive(struct td_connection *connection, int64_t until_ms, json_t **message,
			       char error[TD_CONNECTION_ERROR_MAX])
{
	char *end = NULL;

	*message = NULL;
	while (connection->have == 0 ||
	       !(end = memchr(connection->buffer, '\n', connection->have))) {
		int rc = read_more(connection, until_ms);

		if (rc == 0)
			return TD_OUTCOME_OK;
		if (rc < 0)
			return unreachable(connection,
					   errno ? strerror(errno) : "the connection was closed",
					   error);
	}
	*message = json_loadb(connection->buffer, (size_t)(end - connection->buffer), 0, NULL);
	connection->have -= (size_t)(end + 1 - connection->buffer);
	memmove(connection->buffer, end + 1, connection->have);
	return *message ? TD_OUTCOME_OK
			: unreachable(connection, "this is not Tandem's API", error);
}

static enum td_outcome take_answer(json_t *message, json_t **result,
				   char error[TD_CONNECTION_ERROR_MAX])
{
	const json_t *failure = json_object_get(message, "error");
	json_int_t code = json_integer_value(json_object_get(failure, "code"));
	const char *text = json_string_value(json_object_get(failure, "message"));

	if (!failure) {
		*result = json_incref(json_object_get(message, "result"));
		return TD_OUTCOME_OK;
	}
	snprintf(error, TD_CONNECTION_ERROR_MAX, "%s", text ? text : "an error without a message");
	return code == -32001 || code == -32002 ? TD_OUTCOME_DENIED : TD_OUTCOME_REFUSED;
}

// An answer has our id; a refusal before the request was understood has none.
static int is_answer(const struct td_connection *connection, const json_t *message)
{
	const json_t *id = json_object_get(message, "id");

	if (json_object_get(message, "method"))
		return 0;
	return json_is_null(id) || json_integer_value(id) == connection->last_id;
}

enum td_outcome td_connection_ask(struct td_connection *connection, const char *method,
				  json_t *params, json_t **result,
				  char error[TD_CONNECTION_ERROR_MAX])
{
	int64_t until_ms = now_ms() + TD_CONNECTION_WAIT_MS;
	json_t *request = json_pack("{s:s, s:s, s:I, s:o*}", "jsonrpc", "2.0", "method", method,
				    "id", ++connection->last_id, "params", params);
	char *text = json_dumps(request, JSON_COMPACT);
	enum td_outcome outcome = TD_OUTCOME_UNREACHABLE;
	json_t *message = NULL;

	*result = NULL;
	json_decref(request);
	if (!text)
		return unreachable(connection, "the request is not UTF-8", error);
	outcome = send_line(connection, text, strlen(text), error);
	if (outcome == TD_OUTCOME_OK)
		outcome = send_line(connection, "\n", 1, error);
	free(text);
	while (outcome == TD_OUTCOME_OK) {
		outcome = receive(connection, until_ms, &message, error);
		if (outcome == TD_OUTCOME_OK && !message && now_ms() >= until_ms)
			return unreachable(connection, "no answer within 5 seconds", error);
		if (message && is_answer(connection, message)) {
			outcome = take_answer(message, result, error);
			json_decref(message);
			return outcome;
		}
		json_decref(message);
	}
	return outcome;
}

enum td_outcome td_connection_event(struct td_connection *connection, int wait_ms, json_t **event,
				    char error[TD_CONNECTION_ERROR_MAX])
{
	json_t *message;
	enum td_outcome outcome = receive(connection, now_ms() + wait_ms, &message, error);

	*event = json_incref(json_object_get(message, "params"));
	json_decref(message);
	return outcome;
}

static enum td_outcome authenticate(struct td_connection *connection, const char *token,
				    char error[TD_CONNECTION_ERROR_MAX])
{
	json_t *result;
	enum td_outcome outcome = td_connection_ask(
		connection, "auth", json_pack("{s:s}", "token", token), &result, error);

	json_decref(result);
	return outcome;
}

enum td_outcome td_connection_open(const char *address, const char *token,
				   struct td_connection **out, char error[TD_CONNECTION_ERROR_MAX])
{
	struct td_connection *connection = calloc(1, sizeof *connection);
	struct td_endpoint to;
	enum td_outcome outcome;

	snprintf(error, TD_CONNECTION_ERROR_MAX, "not enough memory");
	if (!connection)
		return TD_OUTCOME_UNREACHABLE;
	snprintf(connection->address, sizeof connection->address, "%s", address);
	if (td_address_parse_endpoint(address, &to) != 0) {
		snprintf(error, TD_CONNECTION_ERROR_MAX,
			 "found \"%s\", expected an address and port such as 127.0.0.1:5048",
			 address);
		free(connection);
		return TD_OUTCOME_USAGE;
	}
	connection->fd = connect_socket(&to);
	if (connection->fd < 0)
		outcome = unreachable(connection,
				      errno == ECONNREFUSED
					      ? "nobody listens there: is tandem-control running?"
					      : strerror(errno),
				      error);
	else
		outcome = authenticate(connection, token, error);
	if (outcome != TD_OUTCOME_OK) {
		td_connection_close(connection);
		return outcome;
	}
	*out = connection;
	return TD_OUTCOME_OK;
}

void td_connection_close(struct td_connection *connection)
{
	if (!connection)
		return;
	if (connection->fd >= 0)
		close(connection->fd);
	free(connection->buffer);
	free(connection);
}

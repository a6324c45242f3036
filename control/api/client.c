// Lines in, lines out, and when to stop.
#include "api/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/core.h"
#include "api/rpc.h"
#include "api/verbs.h"
#include "td_assert.h"

struct output {
	uv_write_t request;
	size_t bytes;
	char text[];
};

static TD_CONTROL void resume(struct td_api_client *client);

static TD_CONTROL void on_closed(uv_handle_t *handle)
{
	struct td_api_client *client = handle->data;
	struct td_api *api = client->api;

	api->clients[client->slot] = NULL;
	api->client_count--;
	free(client);
	td_api_release(api);
}

void td_client_close(struct td_api_client *client)
{
	if (client->closed)
		return;
	client->closed = true;
	client->closing = true;
	if (client->subscribed)
		td_events_part(&client->api->events, uv_now(client->api->loop));
	client->subscribed = false;
	uv_close((uv_handle_t *)&client->tcp, on_closed);
}

static TD_CONTROL void on_shutdown(uv_shutdown_t *request, int status)
{
	(void)status;
	td_client_close(request->data);
}

// No more input; gone when the peer has got what we have for it.
static TD_CONTROL void begin_close(struct td_api_client *client)
{
	if (client->closing)
		return;
	client->closing = true;
	client->deadline_ms = uv_now(client->api->loop) + TD_API_FAREWELL_MS;
	uv_read_stop((uv_stream_t *)&client->tcp);
	client->reading = false;
	client->shutdown.data = client;
	if (uv_shutdown(&client->shutdown, (uv_stream_t *)&client->tcp, on_shutdown) != 0)
		td_client_close(client);
}

static TD_CONTROL void on_written(uv_write_t *request, int status)
{
	struct output *output = (struct output *)request;
	struct td_api_client *client = request->data;

	client->pending_bytes -= output->bytes;
	free(output);
	if (status != 0)
		td_client_close(client);
	else
		resume(client);
}

// A client to whom we cannot write is of no use: it is closed.
static TD_CONTROL void send_bytes(struct td_api_client *client, const char *text, size_t bytes)
{
	struct output *output;
	uv_buf_t buffer;

	if (client->closed)
		return;
	output = malloc(sizeof *output + bytes);
	if (!output) {
		td_client_close(client);
		return;
	}
	memcpy(output->text, text, bytes);
	output->bytes = bytes;
	output->request.data = client;
	buffer = uv_buf_init(output->text, (unsigned)bytes);
	client->pending_bytes += bytes;
	if (uv_write(&output->request, (uv_stream_t *)&client->tcp, &buffer, 1, on_written) != 0) {
		client->pending_bytes -= bytes;
		free(output);
		td_client_close(client);
	}
}

// Takes reply; NULL sends nothing.
static TD_CONTROL void send_reply(struct td_api_client *client, json_t *reply)
{
	size_t bytes;
	char *text;

	if (!reply)
		return;
	text = json_dumps(reply, JSON_COMPACT);
	json_decref(reply);
	if (!text) {
		td_client_close(client);
		return;
	}
	bytes = strlen(text);
	text[bytes] = '\n'; // in place of the terminator: send_bytes counts
	send_bytes(client, text, bytes + 1);
	free(text);
}

void td_client_reply(struct td_api_client *client, json_t *reply)
{
	if (client->closing)
		json_decref(reply);
	else
		send_reply(client, reply);
}

void td_client_refuse(struct td_api_client *client, int code, const char *why)
{
	send_reply(client, td_rpc_error(code, why));
	begin_close(client);
}

static TD_CONTROL void handle_line(struct td_api_client *client, const char *line, size_t bytes)
{
	struct td_rpc_call call = {
		.table = client->trusted ? &td_api_verbs : &td_api_first_verbs,
		.context = client->api,
		.client = client,
	};

	if (bytes > 0 && line[bytes - 1] == '\r')
		bytes--;
	if (bytes == 0)
		return;
	client->api->requests++;
	send_reply(client, td_rpc_handle(&call, line, bytes));
	if (!client->trusted)
		begin_close(client);
}

static bool is_full(const struct td_api_client *client)
{
	return client->pending_bytes >= TD_CLIENT_OUTPUT_MAX;
}

// Handles the complete lines there are, as long as the peer reads the answers.
static TD_CONTROL void handle_lines(struct td_api_client *client)
{
	size_t at = 0;

	while (!client->closing && !is_full(client)) {
		char *end = memchr(client->input + at, '\n', client->input_bytes - at);
		size_t line = at;

		if (!end)
			break;
		at = (size_t)(end - client->input) + 1;
		handle_line(client, client->input + line, at - line - 1);
	}
	client->input_bytes -= at;
	memmove(client->input, client->input + at, client->input_bytes);
	if (!client->closing && client->input_bytes > TD_CLIENT_LINE_MAX &&
	    !memchr(client->input, '\n', client->input_bytes))
		td_client_refuse(client, TD_RPC_LIMIT, "a line holds at most 65536 bytes");
}

static TD_CONTROL void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct td_api_client *client = handle->data;

	(void)suggested;
	*buffer = uv_buf_init(client->input + client->input_bytes,
			      (unsigned)(sizeof client->input - client->input_bytes));
}

static TD_CONTROL void on_read(uv_stream_t *stream, ssize_t bytes, const uv_buf_t *buffer)
{
	struct td_api_client *client = stream->data;

	(void)buffer;
	if (bytes == UV_EOF) {
		begin_close(client);
	} else if (bytes < 0) {
		td_client_close(client);
	} else if (bytes > 0) {
		client->input_bytes += (size_t)bytes;
		TD_ASSERT(client->input_bytes <= sizeof client->input);
		handle_lines(client);
		resume(client);
	}
}

// Reads while the peer takes our answers, and only then.
static TD_CONTROL void resume(struct td_api_client *client)
{
	bool want;

	if (client->closing)
		return;
	if (!client->reading && !is_full(client))
		handle_lines(client);
	if (client->closing)
		return;
	want = !is_full(client) && client->input_bytes < sizeof client->input;
	if (want && !client->reading)
		want = uv_read_start((uv_stream_t *)&client->tcp, on_alloc, on_read) == 0;
	else if (!want && client->reading)
		uv_read_stop((uv_stream_t *)&client->tcp);
	client->reading = want;
	td_client_pump(client);
}

void td_client_pump(struct td_api_client *client)
{
	char gap[128];

	while (client->subscribed && !client->closing && !is_full(client)) {
		size_t bytes;
		const char *line =
			td_events_read(&client->api->events, &client->next_event, gap, &bytes);

		if (!line)
			return;
		send_bytes(client, line, bytes);
	}
}

void td_client_tick(struct td_api_client *client, uint64_t now_ms)
{
	if (now_ms < client->deadline_ms)
		return;
	if (client->closing)
		td_client_close(client);
	else if (!client->trusted)
		td_client_refuse(client, TD_RPC_UNAUTHORIZED,
				 "no token within 5 seconds: send auth first");
}

static void read_peer(struct td_api_client *client)
{
	struct sockaddr_storage storage;
	int length = sizeof storage;

	if (uv_tcp_getpeername(&client->tcp, (struct sockaddr *)&storage, &length) != 0)
		return;
	if (storage.ss_family == AF_INET) {
		client->from.family = TD_FAMILY_IPV4;
		memcpy(client->from.addr, &((struct sockaddr_in *)&storage)->sin_addr, 4);
	} else if (storage.ss_family == AF_INET6) {
		client->from.family = TD_FAMILY_IPV6;
		memcpy(client->from.addr, &((struct sockaddr_in6 *)&storage)->sin6_addr, 16);
	}
}

struct td_api_client *td_client_accept(struct td_api *api, unsigned slot)
{
	struct td_api_client *client = malloc(sizeof *client);

	if (!client)
		return NULL;
	memset(client, 0, offsetof(struct td_api_client, input));
	client->api = api;
	client->slot = slot;
	client->serial = ++api->next_serial;
	client->deadline_ms = uv_now(api->loop) + TD_API_AUTH_MS;
	if (uv_tcp_init(api->loop, &client->tcp) != 0) {
		free(client);
		return NULL;
	}
	client->tcp.data = client;
	api->clients[slot] = client;
	api->client_count++;
	api->handles++;
	if (uv_accept((uv_stream_t *)&api->listener, (uv_stream_t *)&client->tcp) != 0) {
		td_client_close(client);
		return NULL;
	}
	uv_tcp_nodelay(&client->tcp, 1);
	uv_tcp_keepalive(&client->tcp, 1, 60);
	read_peer(client);
	resume(client);
	return client;
}

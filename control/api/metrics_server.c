// libmicrohttpd in our loop: its epoll descriptor is polled, its deadlines are a timer.
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

#include "api/metrics.h"

#define CONNECTIONS_MAX 16
#define REQUEST_BYTES   4096
#define IDLE_S          3 // also of one that has gone unnoticed: its last bytes and its end came at once

struct td_metrics {
	struct MHD_Daemon *daemon;
	struct td_api_deps deps;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned handles;
};

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status,
				   const char *allow, char *text)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	if (allow)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static TD_CONTROL enum MHD_Result answer_page(const struct td_metrics *metrics,
					      struct MHD_Connection *connection)
{
	struct MHD_Response *response;
	enum MHD_Result result;
	char *text = NULL;
	size_t bytes = 0;
	FILE *page = open_memstream(&text, &bytes);

	if (!page)
		return MHD_NO;
	td_metrics_write(page, &metrics->deps);
	if (fclose(page) != 0) {
		free(text);
		return MHD_NO;
	}
	response = MHD_create_response_from_buffer(bytes, text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return MHD_NO;
	}
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				      "text/plain; version=0.0.4; charset=utf-8");
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

// Asked for again with every piece of a request; what a body says is not taken in.
static TD_CONTROL enum MHD_Result on_request(void *user, struct MHD_Connection *connection,
					     const char *url, const char *method,
					     const char *version, const char *body,
					     size_t *body_bytes, void **seen)
{
	static int begun;
	static char not_found[] = "the metrics are at /metrics\n";
	static char not_allowed[] = "GET or HEAD\n";

	(void)version;
	(void)body;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		if (*body_bytes > 0)
			return MHD_NO;
		return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET, HEAD",
				   not_allowed);
	}
	if (!*seen) {
		*seen = &begun; // the head only: there may be more to come
		return MHD_YES;
	}
	if (*body_bytes > 0)
		return MHD_NO;
	if (strcmp(url, "/metrics") != 0)
		return answer_text(connection, MHD_HTTP_NOT_FOUND, NULL, not_found);
	return answer_page(user, connection);
}

static TD_CONTROL void run(struct td_metrics *metrics);

static TD_CONTROL void on_timer(uv_timer_t *timer)
{
	run(timer->data);
}

static TD_CONTROL unsigned connections(const struct td_metrics *metrics)
{
	return MHD_get_daemon_info(metrics->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
		->num_connections;
}

// A daemon that is full does not listen, and listens again only at the beginning of a run: who has gone
// makes room for nobody until there is another.
static TD_CONTROL void run(struct td_metrics *metrics)
{
	MHD_UNSIGNED_LONG_LONG wait_ms;
	unsigned before;

	do {
		before = connections(metrics);
		(void)MHD_run(metrics->daemon);
	} while (connections(metrics) < before);
	if (MHD_get_timeout(metrics->daemon, &wait_ms) == MHD_YES)
		(void)uv_timer_start(&metrics->timer, on_timer, wait_ms, 0);
	else
		(void)uv_timer_stop(&metrics->timer);
}

static TD_CONTROL void on_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	run(poll->data);
}

static struct MHD_Daemon *listen_at(struct td_metrics *metrics, const struct td_endpoint *at)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = at->port_be };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = at->port_be };
	bool is_v6 = at->family == TD_FAMILY_IPV6;

	memcpy(&v4.sin_addr, at->addr, sizeof v4.sin_addr);
	memcpy(&v6.sin6_addr, at->addr, sizeof v6.sin6_addr);
	return MHD_start_daemon(
		MHD_USE_EPOLL | (is_v6 ? MHD_USE_IPv6 : 0), 0, NULL, NULL, on_request, metrics,
		MHD_OPTION_SOCK_ADDR, is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES,
		MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U, MHD_OPTION_END);
}

static TD_CONTROL int start(uv_loop_t *loop, struct td_metrics *metrics)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(metrics->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	if (!info || uv_poll_init(loop, &metrics->poll, info->epoll_fd) != 0)
		return -TD_EIO;
	(void)uv_timer_init(loop, &metrics->timer);
	metrics->poll.data = metrics;
	metrics->timer.data = metrics;
	metrics->handles = 2;
	return uv_poll_start(&metrics->poll, UV_READABLE, on_ready) == 0 ? 0 : -TD_EIO;
}

int td_metrics_create(uv_loop_t *loop, const struct td_api_deps *deps, struct td_metrics **out,
		      char error[TD_API_ERROR_MAX])
{
	const struct td_config_metrics *config = &deps->config->metrics;
	struct td_metrics *metrics;

	*out = NULL;
	if (config->listen_parsed.family == TD_FAMILY_NONE)
		return 0;
	metrics = calloc(1, sizeof *metrics);
	if (!metrics) {
		snprintf(error, TD_API_ERROR_MAX, "no memory for the metrics");
		return -TD_EMEMORY;
	}
	metrics->deps = *deps;
	errno = 0;
	metrics->daemon = listen_at(metrics, &config->listen_parsed);
	if (!metrics->daemon) {
		int why = errno;

		snprintf(error, TD_API_ERROR_MAX,
			 "metrics.listen: cannot listen on %s (%s): stop what has the port, choose "
			 "another one, or say off",
			 config->listen, why ? strerror(why) : "no socket");
		free(metrics);
		return why == EADDRINUSE ? -TD_EBUSY : -TD_EIO;
	}
	if (start(loop, metrics) != 0) {
		snprintf(error, TD_API_ERROR_MAX, "the metrics' socket cannot be polled");
		td_metrics_close(metrics);
		return -TD_EIO;
	}
	*out = metrics;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct td_metrics *metrics = handle->data;

	if (--metrics->handles > 0)
		return;
	MHD_stop_daemon(metrics->daemon);
	free(metrics);
}

void td_metrics_close(struct td_metrics *metrics)
{
	if (!metrics)
		return;
	if (metrics->handles == 0) {
		MHD_stop_daemon(metrics->daemon);
		free(metrics);
		return;
	}
	uv_close((uv_handle_t *)&metrics->poll, on_closed);
	uv_close((uv_handle_t *)&metrics->timer, on_closed);
}

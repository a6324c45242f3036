// The listener, the housekeeping timer, and the way from a notice to an event.
#include "api/server.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/core.h"
#include "api/describe.h"
#include "api/rpc.h"
#include "call/inspect.h"
#include "link/link.h"
#include "td_log.h"

#define BACKLOG 64

uint64_t td_api_utc_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t td_api_now_ms(void)
{
	return uv_hrtime() / 1000000;
}

void td_api_release(struct td_api *api)
{
	if (--api->handles > 0)
		return;
	td_events_fini(&api->events);
	explicit_bzero(&api->gate, sizeof api->gate);
	free(api);
}

static TD_CONTROL void on_closed(uv_handle_t *handle)
{
	td_api_release(handle->data);
}

static void on_dropped(uv_handle_t *handle)
{
	free(handle);
}

// Takes a connection nobody has a place for, and drops it: left in the backlog it would be
// announced again and again.
static void drop_connection(uv_loop_t *loop, uv_stream_t *listener)
{
	uv_tcp_t *tcp = malloc(sizeof *tcp);

	if (!tcp || uv_tcp_init(loop, tcp) != 0) {
		free(tcp);
		return;
	}
	(void)uv_accept(listener, (uv_stream_t *)tcp);
	uv_close((uv_handle_t *)tcp, on_dropped);
}

static TD_CONTROL void on_connection(uv_stream_t *listener, int status)
{
	struct td_api *api = listener->data;
	struct td_api_client *client;
	unsigned slot = 0;

	if (status != 0)
		return;
	while (slot < TD_API_SLOTS && api->clients[slot])
		slot++;
	if (slot == TD_API_SLOTS) {
		api->refused++;
		drop_connection(api->loop, listener);
		return;
	}
	client = td_client_accept(api, slot);
	if (client && api->client_count > TD_API_CLIENT_MAX) {
		api->refused++;
		td_client_refuse(client, TD_RPC_LIMIT, "too many clients: at most 64 at a time");
	}
}

static TD_CONTROL void look_at_rates(struct td_api *api)
{
	const struct td_region *region = td_link_region(api->deps.link);

	for (unsigned i = 0; region && i < region->worker_count && i < TD_WORKER_MAX; i++)
		td_rates_look(&api->rates, i, &region->workers[i], uv_now(api->loop));
}

static TD_CONTROL void on_tick(uv_timer_t *timer)
{
	struct td_api *api = timer->data;

	for (unsigned i = 0; i < TD_API_SLOTS; i++)
		if (api->clients[i])
			td_client_tick(api->clients[i], uv_now(api->loop));
	if (++api->ticks % (1000 / TD_API_TICK_MS) == 0)
		look_at_rates(api);
}

static void to_sockaddr(const struct td_endpoint *ep, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	if (ep->family == TD_FAMILY_IPV4) {
		struct sockaddr_in *v4 = (struct sockaddr_in *)out;

		v4->sin_family = AF_INET;
		v4->sin_port = ep->port_be;
		memcpy(&v4->sin_addr, ep->addr, 4);
	} else {
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

		v6->sin6_family = AF_INET6;
		v6->sin6_port = ep->port_be;
		memcpy(&v6->sin6_addr, ep->addr, 16);
	}
}

// libuv reports a port in use only when it listens.
static TD_CONTROL int start_listening(struct td_api *api, char error[TD_API_ERROR_MAX])
{
	const struct td_endpoint *where = &api->deps.config->api.listen_parsed;
	struct sockaddr_storage address;
	char text[TD_ENDPOINT_TEXT_MAX];
	int rc;

	to_sockaddr(where, &address);
	rc = uv_tcp_bind(&api->listener, (struct sockaddr *)&address, 0);
	if (rc == 0)
		rc = uv_listen((uv_stream_t *)&api->listener, BACKLOG, on_connection);
	if (rc == 0)
		return 0;
	td_endpoint_text(where, text);
	if (rc == UV_EADDRINUSE) {
		snprintf(error, TD_API_ERROR_MAX,
			 "api.listen: %s is in use by another program: stop it or choose another "
			 "port",
			 text);
		return -TD_EBUSY;
	}
	snprintf(error, TD_API_ERROR_MAX, "api.listen: cannot listen on %s: %s", text,
		 uv_strerror(rc));
	return -TD_EIO;
}

int td_api_create(uv_loop_t *loop, const struct td_api_deps *deps, struct td_api **out,
		  char error[TD_API_ERROR_MAX])
{
	struct td_api *api = calloc(1, sizeof *api);
	int rc;

	snprintf(error, TD_API_ERROR_MAX, "not enough memory for the API");
	if (!api)
		return -TD_EMEMORY;
	api->loop = loop;
	api->deps = *deps;
	api->started_ms = uv_now(loop);
	api->started_utc_ms = td_api_utc_ms();
	td_gate_init(&api->gate, deps->config->api.token);
	td_events_init(&api->events);
	if (uv_timer_init(loop, &api->timer) != 0 || uv_tcp_init(loop, &api->listener) != 0) {
		free(api);
		return -TD_EMEMORY;
	}
	api->timer.data = api;
	api->listener.data = api;
	api->handles = 2;
	rc = start_listening(api, error);
	if (rc != 0) {
		td_api_close(api);
		return rc;
	}
	uv_timer_start(&api->timer, on_tick, TD_API_TICK_MS, TD_API_TICK_MS);
	*error = '\0';
	*out = api;
	return 0;
}

void td_api_endpoint(const struct td_api *api, struct td_endpoint *out)
{
	struct sockaddr_storage address;
	int length = sizeof address;

	*out = api->deps.config->api.listen_parsed;
	if (uv_tcp_getsockname(&api->listener, (struct sockaddr *)&address, &length) != 0)
		return;
	out->port_be = address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
						     : ((struct sockaddr_in *)&address)->sin_port;
}

static json_t *describe_notice(const struct td_call_notice *notice)
{
	json_t *params = json_pack("{s:s, s:o}", "kind", td_call_notice_name(notice->kind), "time",
				   td_describe_utc(notice->utc_ms));

	if (!params)
		return NULL;
	if (notice->call)
		json_object_set_new(params, "call", td_describe_call(notice->call));
	if (notice->agent)
		json_object_set_new(params, "agent", td_describe_agent(notice->agent));
	if (notice->trunk)
		json_object_set_new(params, "trunk", td_describe_trunk(notice->trunk));
	if (notice->conference)
		json_object_set_new(params, "conference",
				    td_describe_conference(notice->conference));
	if (notice->member)
		json_object_set_new(params, "member", td_describe_member(notice->member));
	if (notice->media)
		json_object_set_new(params, "media", td_describe_media(notice->media));
	if (notice->fork)
		json_object_set_new(params, "fork", td_describe_fork(notice->fork));
	if (notice->alarm)
		json_object_set_new(params, "alarm", td_describe_alarm(notice->alarm));
	if (notice->media && (notice->kind == TD_NOTICE_TONE || notice->kind == TD_NOTICE_QUALITY))
		json_object_set_new(params, "ended", json_boolean(notice->media->ended));
	if (notice->kind == TD_NOTICE_CALL_ENDED)
		json_object_set_new(params, "cause", json_string(td_cause_name(notice->cause)));
	return params;
}

void td_api_notice(struct td_api *api, const struct td_call_notice *notice)
{
	json_t *params = NULL;

	if (td_events_wanted(&api->events, uv_now(api->loop)))
		params = describe_notice(notice);
	td_events_publish(&api->events, params);
	for (unsigned i = 0; i < TD_API_SLOTS; i++)
		if (api->clients[i])
			td_client_pump(api->clients[i]);
}

void td_api_close(struct td_api *api)
{
	if (!api || api->closing)
		return;
	api->closing = true;
	uv_close((uv_handle_t *)&api->listener, on_closed);
	uv_close((uv_handle_t *)&api->timer, on_closed);
	for (unsigned i = 0; i < TD_API_SLOTS; i++)
		if (api->clients[i])
			td_client_close(api->clients[i]);
}

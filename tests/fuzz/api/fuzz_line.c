// One line of the control API: parse, dispatch through the real table of verbs to the real rooms
// (call manager, ACD, link without a dataplane), compose the reply.
//
// Whatever comes, the reply is nothing, an object or an array of objects, each either a result or
// an error with a code and a sentence; and what a stranger sends changes nothing.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acd/acd.h"
#include "api/core.h"
#include "api/verbs.h"
#include "call/calls.h"
#include "call/inspect.h"
#include "link/link.h"
#include "td_assert.h"

static uv_loop_t loop;
static struct td_config *config;
static struct td_acd *acd;
static struct td_link *link_;
static struct td_calls *calls;
static struct td_api *api;
static struct td_api_client trusted, stranger;

static void on_send(void *user, const struct td_endpoint *to, const void *bytes, size_t len)
{
	(void)user;
	(void)to;
	(void)bytes;
	(void)len;
}

static TD_CONTROL void on_change(void *user, const struct td_call_notice *notice)
{
	(void)user;
	if (api)
		td_api_notice(api, notice);
}

static uint64_t on_now_ms(void *user)
{
	(void)user;
	return td_api_now_ms();
}

static uint64_t on_wall_ms(void *user)
{
	(void)user;
	return td_api_utc_ms();
}

static void load_config(void)
{
	char error[TD_CONFIG_ERROR_MAX];

	if (td_config_load(TD_EXAMPLE, &config, error) != 0) {
		fprintf(stderr, "%s\n", error);
		abort();
	}
	// Any port: nobody connects to it.
	config->api.listen_parsed.port_be = 0;
}

static TD_CONTROL void open_rooms(void)
{
	const struct td_acd_limits limits = { config->queues_count, config->agents_count, 64 };
	const struct td_link_options options = { .socket_path = "/nonexistent/dataplane.sock" };
	struct td_calls_deps deps = {
		.config = config,
		.sip_local = config->sip.listen_parsed,
		.ops = { .send = on_send,
			 .on_change = on_change,
			 .now_ms = on_now_ms,
			 .wall_ms = on_wall_ms },
		.seed = { 1, 2, 3, 4 },
	};
	char error[TD_API_ERROR_MAX];

	TD_ASSERT(uv_loop_init(&loop) == 0);
	TD_ASSERT(td_acd_create(&limits, &acd) == 0);
	TD_ASSERT(td_link_create(&loop, &options, &link_) == 0);
	deps.acd = acd;
	deps.link = link_;
	TD_ASSERT(td_calls_create(&deps, &calls) == 0);
	const struct td_api_deps api_deps = { config, calls, link_, acd, NULL };

	TD_ASSERT(td_api_create(&loop, &api_deps, &api, error) == 0);
	trusted.api = stranger.api = api;
	trusted.trusted = true;
}

static TD_CONTROL void close_rooms(void)
{
	td_api_close(api);
	td_link_destroy(link_);
	uv_run(&loop, UV_RUN_DEFAULT);
	td_calls_destroy(calls);
	td_acd_destroy(acd);
	uv_loop_close(&loop);
	td_config_free(config);
}

static void check_one(const json_t *reply)
{
	const json_t *error = json_object_get(reply, "error");

	TD_ASSERT(json_is_object(reply));
	TD_ASSERT(json_object_get(reply, "id") != NULL);
	TD_ASSERT((error != NULL) != (json_object_get(reply, "result") != NULL));
	if (error) {
		TD_ASSERT(json_integer_value(json_object_get(error, "code")) <= -32000);
		TD_ASSERT(json_string_length(json_object_get(error, "message")) > 0);
	}
}

static void check_reply(json_t *reply)
{
	char *text;

	if (!reply)
		return;
	text = json_dumps(reply, JSON_COMPACT);
	TD_ASSERT(text && !strchr(text, '\n'));
	free(text);
	if (json_is_object(reply))
		check_one(reply);
	else
		TD_ASSERT(json_array_size(reply) > 0);
	for (size_t i = 0; i < json_array_size(reply); i++)
		check_one(json_array_get(reply, i));
	json_decref(reply);
}

static void say(struct td_api_client *client, const char *line, size_t bytes)
{
	struct td_rpc_call call = {
		.table = client->trusted ? &td_api_verbs : &td_api_first_verbs,
		.context = api,
		.client = client,
	};

	check_reply(td_rpc_handle(&call, line, bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t before;

	if (!api) {
		td_role_enter_control();
		load_config();
		open_rooms();
		atexit(close_rooms);
	}
	td_gate_init(&api->gate, config->api.token);
	before = api->events.seq;
	say(&stranger, (const char *)data, size);
	TD_ASSERT(api->events.seq == before && api->events.subscribers == 0);
	stranger.trusted = false;
	say(&trusted, (const char *)data, size);
	if (trusted.subscribed)
		td_events_part(&api->events, 0);
	trusted.subscribed = false;
	return 0;
}

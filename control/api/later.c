// Keeping who asked until the dataplane has answered.
#include "api/later.h"

#include <stdlib.h>

#include <uv.h>

#include "api/core.h"
#include "link/link.h"
#include "td_assert.h"
#include "td_error.h"

struct td_later {
	struct td_api *api;
	unsigned slot;
	uint64_t serial;
	json_t *id;                 // NULL: a notification
	td_later_result_fn *result; // of td_later_submit
};

static void forget(struct td_later *later)
{
	json_decref(later->id);
	free(later);
}

struct td_later *td_later_keep(struct td_rpc_call *call)
{
	const struct td_api_client *client = call->client;
	struct td_api *api = call->context;
	struct td_later *later;

	if (call->in_batch) {
		td_rpc_fail(call, TD_RPC_STATE, "this cannot be part of a batch");
		return NULL;
	}
	later = malloc(sizeof *later);
	if (!later)
		return NULL;
	*later = (struct td_later){ .api = api,
				    .slot = client->slot,
				    .serial = client->serial,
				    .id = call->id ? json_incref((json_t *)call->id) : NULL };
	api->handles++;
	call->deferred = true;
	return later;
}

void td_later_drop(struct td_later *later, struct td_rpc_call *call)
{
	later->api->handles--;
	call->deferred = false;
	forget(later);
}

// What `failed` says when there is no result. Takes both.
static TD_CONTROL void reply(struct td_later *later, const struct td_rpc_call *failed,
			     json_t *result)
{
	struct td_api *api = later->api;
	struct td_api_client *client = api->closing ? NULL : api->clients[later->slot];

	if (later->id && client && client->serial == later->serial && !client->closing)
		td_client_reply(client,
				td_rpc_reply(failed, json_incref(later->id), json_incref(result)));
	json_decref(result);
	forget(later);
	td_api_release(api);
}

void td_later_answer(struct td_later *later, int error, json_t *result)
{
	struct td_rpc_call failed = { .code = TD_RPC_INTERNAL };

	if (error != 0)
		td_rpc_fail_error(&failed, error, NULL);
	else if (!result)
		td_rpc_fail(&failed, TD_RPC_INTERNAL, "not enough memory for the answer");
	if (error != 0) {
		json_decref(result);
		result = NULL;
	}
	reply(later, &failed, result);
}

static TD_CONTROL void on_done(void *user, const struct td_event *event)
{
	struct td_later *later = user;
	json_t *result = NULL;

	if (event->result == 0)
		result = later->result ? later->result(event) : json_pack("{s:b}", "done", 1);
	td_later_answer(later, event->result, result);
}

json_t *td_later_submit(struct td_rpc_call *call, struct td_command *command,
			td_later_result_fn *result)
{
	struct td_api *api = call->context;
	struct td_later *later = td_later_keep(call);
	int error;

	if (!later)
		return NULL;
	later->result = result;
	error = td_link_submit(api->deps.link, command, on_done, later);
	if (error) {
		td_later_drop(later, call);
		return td_rpc_fail_error(call, error, NULL);
	}
	return NULL;
}

struct work {
	uv_work_t request;
	struct td_later *later;
	json_t *params, *result;
	td_later_work_fn *run;
	void *user;
	struct td_rpc_call failed;
};

static void work(uv_work_t *request)
{
	struct work *one = (struct work *)(void *)request;

	one->result = one->run(one->user, one->params, &one->failed);
}

static inline void td_on_control(void) TD_CAPABILITY_ATTR(assert_capability(td_role_control))
{
	td_role_assert(TD_ROLE_CONTROL);
}

// On the loop's thread again, which is control's.
static void worked(uv_work_t *request, int status)
{
	struct work *one = (struct work *)(void *)request;

	td_on_control();
	if (!one->result && one->failed.message[0] == '\0')
		(void)td_rpc_fail(&one->failed, TD_RPC_INTERNAL,
				  status ? "the request was given up" : "not enough memory");
	reply(one->later, &one->failed, one->result);
	json_decref(one->params);
	free(one);
}

json_t *td_later_work(struct td_rpc_call *call, td_later_work_fn *run, void *user)
{
	struct td_api *api = call->context;
	struct td_later *later;
	struct work *one;

	if (!user)
		return td_rpc_fail(call, TD_RPC_UNAVAILABLE, "there is no index of recordings");
	one = calloc(1, sizeof *one);
	later = one ? td_later_keep(call) : NULL;
	if (!later) {
		free(one);
		return NULL;
	}
	one->run = run;
	one->user = user;
	one->later = later;
	one->params = json_deep_copy(call->params);
	one->failed.code = TD_RPC_INTERNAL;
	if (uv_queue_work(api->loop, &one->request, work, worked) == 0)
		return NULL;
	td_later_drop(later, call);
	json_decref(one->params);
	free(one);
	return td_rpc_fail(call, TD_RPC_INTERNAL, "no thread for it");
}

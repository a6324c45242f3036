// Keeping who asked until the dataplane has answered.
#include "api/later.h"

#include <stdlib.h>

#include "api/core.h"
#include "link/link.h"
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

void td_later_answer(struct td_later *later, int error, json_t *result)
{
	struct td_api *api = later->api;
	struct td_api_client *client = api->closing ? NULL : api->clients[later->slot];
	struct td_rpc_call call = { .code = TD_RPC_INTERNAL };

	if (later->id && client && client->serial == later->serial && !client->closing) {
		if (error != 0)
			td_rpc_fail_error(&call, error, NULL);
		else if (!result)
			td_rpc_fail(&call, TD_RPC_INTERNAL, "not enough memory for the answer");
		td_client_reply(client, td_rpc_reply(&call, json_incref(later->id),
						     error != 0 ? NULL : json_incref(result)));
	}
	json_decref(result);
	forget(later);
	td_api_release(api);
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

// Keeping who asked until the dataplane has answered.
#include "api/later.h"

#include <stdlib.h>

#include "api/core.h"
#include "link/link.h"
#include "td_error.h"

struct later {
	struct td_api *api;
	unsigned slot;
	uint64_t serial;
	json_t *id; // NULL: a notification
	td_later_result_fn *result;
};

static void forget(struct later *later)
{
	json_decref(later->id);
	free(later);
}

static TD_CONTROL void answer(struct later *later, struct td_api_client *client,
			      const struct td_event *event)
{
	struct td_rpc_call call = { .code = TD_RPC_INTERNAL };
	json_t *result = NULL;

	if (event->result != 0)
		td_rpc_fail_error(&call, event->result, NULL);
	else
		result = later->result ? later->result(event) : json_pack("{s:b}", "done", 1);
	if (!result && event->result == 0)
		td_rpc_fail(&call, TD_RPC_INTERNAL, "not enough memory for the answer");
	td_client_reply(client, td_rpc_reply(&call, json_incref(later->id), result));
}

static TD_CONTROL void on_done(void *user, const struct td_event *event)
{
	struct later *later = user;
	struct td_api *api = later->api;
	struct td_api_client *client = api->closing ? NULL : api->clients[later->slot];

	if (later->id && client && client->serial == later->serial && !client->closing)
		answer(later, client, event);
	forget(later);
	td_api_release(api);
}

json_t *td_later_submit(struct td_rpc_call *call, struct td_command *command,
			td_later_result_fn *result)
{
	const struct td_api_client *client = call->client;
	struct td_api *api = call->context;
	struct later *later;
	int error;

	if (call->in_batch)
		return td_rpc_fail(call, TD_RPC_STATE, "this cannot be part of a batch");
	later = malloc(sizeof *later);
	if (!later)
		return NULL;
	*later = (struct later){ .api = api,
				 .slot = client->slot,
				 .serial = client->serial,
				 .id = call->id ? json_incref((json_t *)call->id) : NULL,
				 .result = result };
	error = td_link_submit(api->deps.link, command, on_done, later);
	if (error) {
		forget(later);
		return td_rpc_fail_error(call, error, NULL);
	}
	api->handles++;
	call->deferred = true;
	return NULL;
}

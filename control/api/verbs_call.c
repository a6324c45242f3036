// Verbs about calls.
#include <string.h>

#include "api/core.h"
#include "api/describe.h"
#include "api/verbs.h"
#include "call/inspect.h"

struct listing {
	json_t *items;
	const char *queue; // NULL: any
	int64_t skip, limit, total;
};

static bool add_call(void *user, const struct td_call_info *info)
{
	struct listing *listing = user;

	if (listing->queue && strcmp(listing->queue, info->queue) != 0)
		return true;
	if (listing->total++ >= listing->skip && listing->limit > 0) {
		json_array_append_new(listing->items, td_describe_call(info));
		listing->limit--;
	}
	return true;
}

json_t *td_verb_call_list(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	struct listing listing = {
		.items = json_array(),
		.queue = td_rpc_string(call, "queue", NULL),
		.skip = td_rpc_integer(call, "offset", 0),
		.limit = td_rpc_integer(call, "limit", 1000),
	};

	td_calls_foreach(api->deps.calls, add_call, &listing);
	return json_pack("{s:I, s:o}", "total", (json_int_t)listing.total, "calls", listing.items);
}

static json_t *no_such_call(struct td_rpc_call *call)
{
	return td_rpc_fail(call, TD_RPC_NOT_FOUND, "there is no call %s",
			   td_rpc_string(call, "id", ""));
}

json_t *td_verb_call_get(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	struct td_call_info info;

	if (td_calls_get(api->deps.calls, td_rpc_string(call, "id", ""), &info) != 0)
		return no_such_call(call);
	return td_describe_call(&info);
}

json_t *td_verb_call_hangup(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	const char *id = td_rpc_string(call, "id", "");
	int rc = td_calls_hangup(api->deps.calls, id, TD_CAUSE_OPERATOR);

	if (rc == -TD_ENOT_FOUND)
		return no_such_call(call);
	if (rc != 0)
		return td_rpc_fail(call, TD_RPC_STATE, "call %s: %s", id, td_error_text(rc));
	return json_pack("{s:s, s:b}", "id", id, "ending", 1);
}

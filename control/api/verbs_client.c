// Verbs about the connection itself: who it is, and what it wants to hear.
#include <inttypes.h>

#include "api/core.h"
#include "api/verbs.h"

json_t *td_verb_auth(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	struct td_api_client *client = call->client;
	uint64_t wait_ms;

	switch (td_gate_try(&api->gate, &client->from, td_rpc_string(call, "token", ""),
			    uv_now(api->loop), &wait_ms)) {
	case TD_GATE_OPEN:
		client->trusted = true;
		return json_pack("{s:b, s:s}", "authenticated", 1, "version", TD_VERSION);
	case TD_GATE_BLOCKED:
		return td_rpc_fail(call, TD_RPC_BLOCKED,
				   "too many wrong tokens from this address: try again in %" PRIu64
				   " s",
				   (wait_ms + 999) / 1000);
	case TD_GATE_WRONG: break;
	}
	return td_rpc_fail(call, TD_RPC_UNAUTHORIZED, "wrong token");
}

json_t *td_verb_events_subscribe(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	struct td_api_client *client = call->client;
	uint64_t seq = api->events.seq;
	uint64_t since = (uint64_t)td_rpc_integer(call, "since", (int64_t)seq);

	if (since > seq)
		return td_rpc_fail(call, TD_RPC_PARAMS,
				   "since: found %" PRIu64 ", expected at most %" PRIu64
				   ": this control process has started anew",
				   since, seq);
	if (!client->subscribed)
		td_events_join(&api->events);
	client->subscribed = true;
	client->next_event = since + 1;
	// "run" tells the numbers of this process from those of the one before.
	return json_pack("{s:I, s:I}", "seq", (json_int_t)seq, "run",
			 (json_int_t)api->started_utc_ms);
}

json_t *td_verb_events_unsubscribe(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	struct td_api_client *client = call->client;

	if (client->subscribed)
		td_events_part(&api->events, uv_now(api->loop));
	client->subscribed = false;
	return json_pack("{s:I}", "seq", (json_int_t)api->events.seq);
}

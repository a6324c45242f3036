// OPTIONS to the trunks' peers, and what their answers mean.
#include <stdio.h>

#include "call/manager.h"
#include "td_log.h"

static int send_ping(struct td_calls *calls, const struct td_trunk *trunk)
{
	const struct td_endpoint *peer = &trunk->config->peer_parsed;
	const struct td_endpoint *local =
		peer->family == TD_FAMILY_IPV6 ? &calls->local6 : &calls->local4;
	char address[TD_ENDPOINT_TEXT_MAX], uri[TD_ENDPOINT_TEXT_MAX + 8];
	char from[TD_ENDPOINT_TEXT_MAX + 16], to[TD_ENDPOINT_TEXT_MAX + 16];
	struct td_sip_request request = {
		.method = TD_SIP_OPTIONS,
		.owner = TD_OWNER_TRUNK | (uint64_t)(trunk - calls->trunks.items),
		.dest = *peer,
	};
	struct td_sip_txn_id txn;

	if (local->family == TD_FAMILY_NONE)
		return -TD_EUNSUPPORTED;
	snprintf(uri, sizeof uri, "sip:%s", td_endpoint_text(peer, address));
	snprintf(to, sizeof to, "<%s>", uri);
	snprintf(from, sizeof from, "<sip:tandem@%s>", td_endpoint_text(local, address));
	request.uri = td_str_from(uri);
	request.from = td_str_from(from);
	request.to = td_str_from(to);
	return td_sip_request_send(calls->sip, calls->now_ms, &request, &txn, NULL);
}

static void finish(struct td_calls *calls, struct td_trunk *trunk, uint16_t status)
{
	if (!td_trunk_answered(trunk, status, calls->now_ms))
		return;
	if (trunk->state == TD_TRUNK_DOWN)
		td_warn(trunk->config->name, "the trunk does not answer OPTIONS (%u)", status);
	else
		td_info(trunk->config->name, "the trunk is up, %u ms away", trunk->rtt_ms);
	td_notice_trunk(calls, trunk);
}

void td_trunk_ping(struct td_calls *calls)
{
	struct td_trunk *trunk;

	if (calls->shutting_down)
		return;
	while ((trunk = td_trunks_due(&calls->trunks, calls->now_ms)) != NULL) {
		if (send_ping(calls, trunk) != 0)
			finish(calls, trunk, 408);
	}
}

void td_trunk_ping_done(struct td_calls *calls, uint64_t owner, uint16_t status)
{
	uint64_t idx = owner & ~TD_OWNER_TRUNK;

	if (idx < calls->trunks.count)
		finish(calls, &calls->trunks.items[idx], status);
}

// From an offer of the ACD to the leg that rings the agent's phone.
#include <string.h>

#include "call/manager.h"
#include "sip/uri.h"
#include "td_log.h"

// Where the INVITE goes: what the contact says, or where its REGISTER came from when that is a
// name, or when the phone is behind NAT.
static struct td_endpoint destination(const struct td_contact *contact, bool nat)
{
	struct td_endpoint out;
	struct td_sip_uri uri;

	if (nat || td_sip_uri_parse(td_str_from(contact->uri), &uri) != 0 ||
	    td_sip_uri_endpoint(&uri, &out) != 0)
		return contact->received;
	return out;
}

struct td_leg *td_agent_leg_make(struct td_calls *calls, struct td_call *call, uint32_t agent,
				 enum td_party_role role)
{
	const struct td_contact *contact = td_registrar_contact(&calls->registrar, agent);
	struct td_leg *leg;

	if (!contact)
		return NULL;
	leg = td_leg_create(calls, call, role);
	if (!leg)
		return NULL;
	leg->outbound = true;
	leg->agent = agent;
	leg->peer = destination(contact, calls->config->agents[leg->agent].nat);
	leg->media.family = leg->peer.family;
	leg->media.learn = calls->config->agents[leg->agent].nat;
	return leg;
}

void td_agent_leg_start(struct td_calls *calls, struct td_call *call)
{
	struct td_leg *leg = td_agent_leg_make(calls, call, call->agent_idx, TD_PARTY_AGENT);

	if (leg) {
		if (call->conference) {
			leg->seat = call->seat;
			td_media_enter(&call->conference->media, leg);
			td_conference_want(call->conference);
		}
		call->agent = leg;
		call->agent_ref = td_leg_ref(calls, leg);
		td_post_leg(calls, leg, TD_LEG_START_OUT);
		return;
	}
	call->agent_ref = 0;
	td_warn(call->id, "agent %s cannot be called now",
		calls->config->agents[call->agent_idx].id);
	td_post_call(calls, (struct td_post){
				    .event = TD_CALL_AGENT_GONE,
				    .ref = td_slots_ref(&calls->call_slots, call->idx),
				    .cause = TD_CAUSE_UNREACHABLE,
			    });
}

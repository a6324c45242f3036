// The manager's own life, and the ways into a turn.
#include "call/calls.h"

#include <stdlib.h>
#include <string.h>

#include "call/manager.h"
#include "link/link.h"
#include "td_assert.h"
#include "td_log.h"

#define LEGS_PER_CALL         4  // caller, agent, a supervisor, one that finishes its signalling
#define TRANSACTIONS_PER_CALL 16 // both legs' INVITE and BYE, and what lingers of earlier calls
#define TRANSACTIONS_SPARE    256

static uint32_t power_of_two(uint32_t at_least)
{
	uint32_t n = 16;

	while (n < at_least)
		n *= 2;
	return n;
}

static bool wildcard(const struct td_endpoint *addr)
{
	static const uint8_t zero[sizeof addr->addr];

	return memcmp(addr->addr, zero, sizeof zero) == 0;
}

// Bound to a wildcard we still have to say who we are: the address that faces a trunk, or the
// dataplane, whose network our parties are on.
static bool find_local(const struct td_calls *calls, uint8_t family, struct td_endpoint *out)
{
	const struct td_config *config = calls->config;
	const struct td_calls_ops *ops = &calls->deps.ops;

	for (unsigned i = 0; i < config->trunks_count && ops->route; i++) {
		if (config->trunks[i].peer_parsed.family == family &&
		    ops->route(ops->user, &config->trunks[i].peer_parsed, out) == 0)
			return true;
	}
	for (unsigned i = 0; i < config->dataplane.ports_count && ops->route; i++) {
		const struct td_config_port *port = &config->dataplane.ports[i];

		for (unsigned k = 0; k < port->addresses_count; k++) {
			if (port->parsed[k].addr.family == family &&
			    ops->route(ops->user, &port->parsed[k].addr, out) == 0)
				return true;
		}
	}
	return false;
}

static void choose_locals(struct td_calls *calls)
{
	const struct td_endpoint *bound = &calls->deps.sip_local;

	if (!wildcard(bound)) {
		if (bound->family == TD_FAMILY_IPV4)
			calls->local4 = *bound;
		else
			calls->local6 = *bound;
		return;
	}
	if (find_local(calls, TD_FAMILY_IPV4, &calls->local4))
		calls->local4.port_be = bound->port_be;
	if (bound->family == TD_FAMILY_IPV6 && find_local(calls, TD_FAMILY_IPV6, &calls->local6))
		calls->local6.port_be = bound->port_be;
}

static void on_send(void *user, const struct td_endpoint *to, const void *bytes, size_t len)
{
	struct td_calls *calls = user;

	calls->deps.ops.send(calls->deps.ops.user, to, bytes, len);
}

static int create_sip(struct td_calls *calls)
{
	static const struct td_sip_endpoint_ops ops = { on_send, td_sip_events_on };
	const struct td_config_sip *sip = &calls->config->sip;
	struct td_sip_config config = {
		.local4 = calls->local4,
		.local6 = calls->local6,
		.user_agent = sip->user_agent,
		.transactions_max = sip->calls_max * TRANSACTIONS_PER_CALL +
				    sip->registrations_max + TRANSACTIONS_SPARE,
		.dialogs_max = sip->calls_max * LEGS_PER_CALL + 16,
	};

	memcpy(config.seed, calls->deps.seed, sizeof config.seed);
	return td_sip_endpoint_create(&config, &ops, calls, calls->now_ms, &calls->sip);
}

static int create_pools(struct td_calls *calls)
{
	const struct td_config *config = calls->config;
	uint32_t calls_max = config->sip.calls_max;
	uint32_t legs_max = calls_max * LEGS_PER_CALL;
	uint32_t conferences_max = config->conferences_count + TD_CONFERENCE_POOL;
	uint32_t buckets = power_of_two(calls_max + conferences_max);

	calls->calls = calloc(calls_max, sizeof *calls->calls);
	calls->legs = calloc(legs_max, sizeof *calls->legs);
	calls->conferences = calloc(conferences_max, sizeof *calls->conferences);
	calls->by_context = calloc(buckets, sizeof(struct td_media *));
	calls->by_context_mask = buckets - 1;
	calls->prompts = calloc(config->queues_count + 1u, sizeof *calls->prompts);
	calls->pauses = calloc(config->agents_count + 1u, sizeof *calls->pauses);
	if (!calls->calls || !calls->legs || !calls->conferences || !calls->by_context ||
	    !calls->prompts || !calls->pauses)
		return -TD_EMEMORY;
	if (td_slots_init(&calls->call_slots, calls_max) != 0 ||
	    td_slots_init(&calls->leg_slots, legs_max) != 0 ||
	    td_slots_init(&calls->conference_slots, conferences_max) != 0)
		return -TD_EMEMORY;
	if (td_forks_create(calls, config->dataplane.forks) != 0)
		return -TD_EMEMORY;
	return td_trunks_init(&calls->trunks, config, calls->now_ms);
}

static int create_rooms(struct td_calls *calls)
{
	uint8_t seed[32];
	int error = create_pools(calls);

	if (error)
		return error;
	memcpy(seed, calls->deps.seed, sizeof seed);
	error = td_registrar_init(&calls->registrar, calls->config, seed, calls->now_ms);
	if (error)
		return error;
	choose_locals(calls);
	error = create_sip(calls);
	if (!error)
		error = td_conference_fill(calls);
	if (error)
		return error;
	return td_acd_fill(calls);
}

static void release(struct td_calls *calls)
{
	td_sip_endpoint_destroy(calls->sip);
	td_registrar_fini(&calls->registrar);
	td_trunks_fini(&calls->trunks);
	td_slots_fini(&calls->call_slots);
	td_slots_fini(&calls->leg_slots);
	td_slots_fini(&calls->conference_slots);
	free(calls->conferences);
	free(calls->calls);
	free(calls->legs);
	free(calls->by_context);
	free(calls->prompts);
	free(calls->pauses);
	td_forks_destroy(calls->forks);
	free(calls);
}

int td_calls_create(const struct td_calls_deps *deps, struct td_calls **out)
{
	struct td_calls *calls = calloc(1, sizeof *calls);
	uint8_t seed[TD_HASH_KEY_BYTES];
	int error;

	if (!calls)
		return -TD_EMEMORY;
	TD_ASSERT(deps->config->sip.calls_max < 1u << TD_CALL_SLOT_BITS);
	calls->deps = *deps;
	calls->config = deps->config;
	calls->now_ms = deps->ops.now_ms(deps->ops.user);
	// The second half of the seed: the first one is the SIP endpoint's, all of it the digest's.
	memcpy(seed, &deps->seed[2], sizeof seed);
	td_token_init(&calls->tokens, seed);
	td_wheel_init(&calls->wheel, calls->now_ms);
	error = create_rooms(calls);
	if (error) {
		release(calls);
		return error;
	}
	td_link_on_event(deps->link, td_link_events_on, calls);
	td_link_on_state(deps->link, td_link_events_state, calls);
	calls->link_up = td_link_is_up(deps->link);
	td_link_load_prompts(calls);
	td_turn_end(calls);
	*out = calls;
	return 0;
}

void td_calls_receive(struct td_calls *calls, const struct td_endpoint *from, const void *bytes,
		      size_t len)
{
	td_turn_begin(calls);
	td_sip_endpoint_receive(calls->sip, calls->now_ms, bytes, len, from);
	td_turn_end(calls);
}

static void on_alarm(void *user, struct td_timer *timer)
{
	struct td_calls *calls = user;
	struct td_alarm *alarm = (struct td_alarm *)(void *)timer;

	switch ((enum td_alarm_kind)alarm->kind) {
	case TD_ALARM_LEG_GUARD: {
		struct td_leg *leg = TD_LIST_ENTRY(alarm, struct td_leg, guard);

		td_post_leg(calls, leg, TD_LEG_GUARD);
		break;
	}
	case TD_ALARM_CALL_GUARD: {
		struct td_call *call = TD_LIST_ENTRY(alarm, struct td_call, guard);

		td_call_post(calls, call, TD_CALL_GUARD);
		break;
	}
	case TD_ALARM_MEDIA_RETRY: {
		td_media_step(TD_LIST_ENTRY(alarm, struct td_media, retry));
		break;
	}
	case TD_ALARM_RECORDING_BEEP:
		td_recording_beep(TD_LIST_ENTRY(alarm, struct td_media, recording.beep));
		break;
	case TD_ALARM_RECORDING_RESUME:
		td_recording_resume(TD_LIST_ENTRY(alarm, struct td_media, recording.unmask));
		break;
	case TD_ALARM_PRIVACY_END:
		td_media_set_privacy(TD_LIST_ENTRY(alarm, struct td_media, privacy.end), false, 0);
		break;
	}
	td_turn_end(calls);
}

static void on_unregistered(void *user, uint32_t agent)
{
	struct td_calls *calls = user;

	td_acd_tell_agent(calls, agent, TD_ACD_AGENT_UNREACHABLE);
	td_notice_agent(calls, agent);
	td_turn_end(calls);
}

void td_calls_advance(struct td_calls *calls)
{
	const struct td_acd_event tick = { .kind = TD_ACD_TIMER };

	td_turn_begin(calls);
	td_sip_endpoint_advance(calls->sip, calls->now_ms);
	td_turn_end(calls);
	td_wheel_advance(&calls->wheel, calls->now_ms, on_alarm, calls);
	td_registrar_advance(&calls->registrar, calls->now_ms, on_unregistered, calls);
	td_vigil(calls);
	td_turn_end(calls);
	td_trunk_ping(calls);
	// A tick may have more to do than one answer holds.
	for (int i = 0; i < 1000 && td_acd_next_ms(calls->deps.acd) <= calls->now_ms; i++) {
		if (td_acd_tell(calls, &tick) != 0)
			break;
		td_turn_end(calls);
	}
	td_turn_end(calls);
}

uint64_t td_calls_next_ms(const struct td_calls *calls)
{
	const uint64_t candidates[] = {
		td_sip_endpoint_next_ms(calls->sip),
		td_wheel_next_ms(&calls->wheel),
		td_registrar_next_ms(&calls->registrar),
		// Nobody is pinged any more, so nobody is due.
		calls->shutting_down ? UINT64_MAX : td_trunks_next_ms(&calls->trunks),
		td_acd_next_ms(calls->deps.acd),
		td_vigil_next_ms(calls),
	};
	uint64_t next_ms = UINT64_MAX;

	for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
		if (candidates[i] < next_ms)
			next_ms = candidates[i];
	}
	return next_ms;
}

void td_calls_shutdown(struct td_calls *calls)
{
	td_turn_begin(calls);
	calls->shutting_down = true;
	for (uint32_t i = 0; i < calls->call_slots.count; i++) {
		if (!td_slots_live(&calls->call_slots, i))
			continue;
		td_call_hangup(calls, &calls->calls[i], TD_CAUSE_SHUTDOWN);
		td_turn_end(calls);
	}
	td_turn_end(calls);
}

bool td_calls_idle(const struct td_calls *calls)
{
	return calls->call_slots.used == 0 && calls->leg_slots.used == 0;
}

void td_calls_destroy(struct td_calls *calls)
{
	td_turn_begin(calls);
	for (uint32_t i = 0; i < calls->call_slots.count; i++) {
		struct td_call *call = &calls->calls[i];

		if (!td_slots_live(&calls->call_slots, i))
			continue;
		if (call->cause == TD_CAUSE_NONE)
			call->cause = TD_CAUSE_SHUTDOWN;
		for (uint32_t k = 0; k < call->leg_count; k++)
			td_record_leg(call, call->legs[k]);
		td_record_call(calls, call);
	}
	release(calls);
}

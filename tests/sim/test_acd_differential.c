// Random events, sensible and not, to the ACD and to the brute-force model of it: the same errors,
// the same actions, the same states, lines and counters after every event; and the invariants.
#include <stdio.h>
#include <string.h>

#include "model.h"
#include "rng.h"

#define KEYS 40 // call keys in use, more than fit into the pool

static struct td_acd *acd;
static struct model model;
static struct td_acd_action seen[MODEL_ACTIONS];
static uint32_t seen_count;
static uint64_t now_ms, step, seed, hash;

static void fail(const char *what, long long got, long long expected)
{
	printf("FAILED: %s: %lld, brute force %lld; event %llu, seed %llu\n", what, got, expected,
	       (unsigned long long)step, (unsigned long long)seed);
	exit(1);
}

static void same(const char *what, uint64_t got, uint64_t expected)
{
	if (got != expected)
		fail(what, (long long)got, (long long)expected);
}

// By offer first, so that the order in which two states are told does not matter.
static int compare(const void *a, const void *b)
{
	const struct td_acd_action *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->agent != y->agent)
		return x->agent < y->agent ? -1 : 1;
	if (x->call != y->call)
		return x->call < y->call ? -1 : 1;
	if (x->epoch != y->epoch)
		return x->epoch < y->epoch ? -1 : 1;
	return (int)x->state - (int)y->state;
}

static void same_actions(void)
{
	same("actions", seen_count, model.action_count);
	qsort(seen, seen_count, sizeof seen[0], compare);
	qsort(model.actions, model.action_count, sizeof seen[0], compare);
	for (uint32_t i = 0; i < seen_count; i++) {
		const struct td_acd_action *x = &seen[i], *y = &model.actions[i];

		same("action kind", x->kind, y->kind);
		same("action queue", x->queue, y->queue);
		same("action agent", x->agent, y->agent);
		same("action call", x->call, y->call);
		same("action epoch", x->epoch, y->epoch);
		same("action deadline", x->deadline_ms, y->deadline_ms);
		same("action wait", x->wait_ms, y->wait_ms);
		same("action idle", x->idle_ms, y->idle_ms);
		same("action state", x->state, y->state);
		same("action reason", x->reason, y->reason);
		same("action position", x->position, y->position);
		hash = (hash ^ (x->epoch << 20 ^ x->call << 8 ^ x->agent)) * 0x100000001b3u;
	}
}

static void same_agents(void)
{
	for (uint32_t i = 0; i < MODEL_AGENTS; i++) {
		struct td_acd_agent_info info = { 0 };
		int error = td_acd_agent_get(acd, i, &info);

		same("agent exists", error == 0, model.agents[i].used);
		if (error)
			continue;
		same("agent state", info.state, model.agents[i].state);
		same("agent reason", info.reason, model.agents[i].reason);
		same("agent reachable", info.reachable, model.agents[i].reachable);
		same("agent call", info.call, model.agents[i].call);
	}
}

static void same_line(uint32_t queue)
{
	uint64_t keys[MODEL_CALLS];
	size_t count = td_acd_queue_line(acd, queue, keys, MODEL_CALLS);

	for (size_t i = 0; i < count; i++)
		same("position in line", i + 1, model_position(&model, keys[i]));
}

static void same_queues(void)
{
	for (uint32_t i = 0; i < MODEL_QUEUES; i++) {
		const struct model_queue *q = &model.queues[i];
		struct td_acd_queue_info info = { 0 };
		int error = td_acd_queue_get(acd, i, now_ms, &info);

		same("queue exists", error == 0, q->used);
		if (error)
			continue;
		same("offered", info.offered, q->offered);
		same("answered", info.answered, q->answered);
		same("abandoned", info.abandoned, q->abandoned);
		same("timed out", info.timed_out, q->timed_out);
		same("removed", info.removed, q->removed);
		same("refused", info.refused, q->refused);
		same("answered in time", info.answered_in_time, q->answered_in_time);
		same("abandoned in time", info.abandoned_in_time, q->abandoned_in_time);
		same("abandoned short", info.abandoned_short, q->abandoned_short);
		same_line(i);
	}
}

static void same_calls(void)
{
	for (uint32_t i = 0; i < MODEL_CALLS; i++) {
		const struct model_call *c = &model.calls[i];
		struct td_acd_call_info info = { 0 };

		if (!c->used)
			continue;
		same("call exists", td_acd_call_get(acd, c->key, now_ms, &info), 0);
		same("call state", info.state, c->state);
		same("call agent", info.agent, c->agent);
		if (c->state == TD_ACD_CALL_WAITING)
			same("call position", info.position, model_position(&model, c->key));
	}
}

// The ACD's timer may need several turns; the model's does all at once.
static int apply_real(const struct td_acd_event *event)
{
	struct td_acd_actions actions;
	int error;

	seen_count = 0;
	do {
		error = td_acd_apply(acd, event, now_ms, &actions);
		memcpy(&seen[seen_count], actions.items, actions.count * sizeof seen[0]);
		seen_count += actions.count;
	} while (event->kind == TD_ACD_TIMER && td_acd_next_ms(acd) <= now_ms);
	return error;
}

static void both(const struct td_acd_event *event)
{
	int error = apply_real(event), expected = model_apply(&model, event, now_ms);
	const char *wrong;

	if (error != expected)
		fail("error", error, expected);
	same_actions();
	same_agents();
	same_queues();
	same_calls();
	same("next deadline", td_acd_next_ms(acd), model_next_ms(&model));
	wrong = td_acd_check(acd);
	if (wrong)
		fail(wrong, 0, 0);
}

static struct td_acd_queue_settings random_settings(struct sim_rng *rng)
{
	return (struct td_acd_queue_settings){
		.offer_timeout_ms = sim_chance(rng, 0.02) ? 0 : 1 + sim_below(rng, 40),
		.wrap_up_ms = sim_chance(rng, 0.4) ? 0 : sim_below(rng, 30),
		.wait_max_ms = sim_chance(rng, 0.3) ? 0 : sim_below(rng, 200),
		.service_level_ms = sim_below(rng, 50),
		.length_max = sim_chance(rng, 0.02) ? 0 : 1 + sim_below(rng, 12),
	};
}

// Weights: most events are those of daily work, so that lines form and move.
static enum td_acd_event_kind random_kind(struct sim_rng *rng)
{
	static const uint8_t weights[TD_ACD_EVENT_KIND_COUNT] = {
		[TD_ACD_EVENT_NONE] = 1,        [TD_ACD_QUEUE_ADD] = 2,
		[TD_ACD_AGENT_ADD] = 1,         [TD_ACD_AGENT_JOIN] = 6,
		[TD_ACD_AGENT_LEAVE] = 2,       [TD_ACD_AGENT_LOGIN] = 5,
		[TD_ACD_AGENT_LOGOUT] = 2,      [TD_ACD_AGENT_AVAILABLE] = 40,
		[TD_ACD_AGENT_PAUSE] = 3,       [TD_ACD_AGENT_REACHABLE] = 8,
		[TD_ACD_AGENT_UNREACHABLE] = 2, [TD_ACD_CALL_ENQUEUE] = 40,
		[TD_ACD_CALL_ABANDON] = 8,      [TD_ACD_OFFER_ANSWERED] = 45,
		[TD_ACD_OFFER_FAILED] = 10,     [TD_ACD_CALL_ENDED] = 35,
		[TD_ACD_WRAP_UP_END] = 4,       [TD_ACD_TIMER] = 40,
	};
	uint32_t total = 0, pick;

	for (int i = 0; i < TD_ACD_EVENT_KIND_COUNT; i++)
		total += weights[i];
	pick = sim_below(rng, total);
	for (int i = 0; i < TD_ACD_EVENT_KIND_COUNT; i++) {
		if (pick < weights[i])
			return (enum td_acd_event_kind)i;
		pick -= weights[i];
	}
	return TD_ACD_EVENT_KIND_COUNT;
}

// Mostly the offer that is up for this call, sometimes an old one or a made-up one.
static void aim(struct sim_rng *rng, struct td_acd_event *event)
{
	for (int i = 0; i < MODEL_CALLS; i++) {
		const struct model_call *c = &model.calls[(i + event->call) % MODEL_CALLS];

		if (!c->used || c->state != TD_ACD_CALL_OFFERED)
			continue;
		event->call = c->key;
		event->agent = c->agent;
		event->epoch = c->epoch;
		break;
	}
	if (sim_chance(rng, 0.1))
		event->epoch -= sim_below(rng, 4);
	if (sim_chance(rng, 0.05))
		event->agent = sim_below(rng, MODEL_AGENTS + 1);
}

static struct td_acd_event random_event(struct sim_rng *rng)
{
	struct td_acd_event event = {
		.kind = random_kind(rng),
		.queue = sim_below(rng, MODEL_QUEUES + (sim_chance(rng, 0.05) ? 2 : 0)),
		.agent = sim_below(rng, MODEL_AGENTS + (sim_chance(rng, 0.05) ? 2 : 0)),
		.call = sim_below(rng, KEYS),
		.epoch = sim_next(rng) % (model.epoch + 2),
	};

	if (event.kind == TD_ACD_QUEUE_ADD)
		event.u.queue = random_settings(rng);
	else if (event.kind == TD_ACD_CALL_ENQUEUE)
		event.u.arrival_ms = now_ms - sim_below(rng, now_ms < 60 ? 1 : 60) +
				     (sim_chance(rng, 0.02) ? 1000 : 0);
	else
		event.u.reason = (enum td_acd_reason)sim_below(rng, TD_ACD_REASON_COUNT + 1);
	if ((event.kind == TD_ACD_OFFER_ANSWERED || event.kind == TD_ACD_OFFER_FAILED) &&
	    sim_chance(rng, 0.9))
		aim(rng, &event);
	return event;
}

// A small centre at work, so that short runs have something to decide too.
static void open_centre(struct sim_rng *rng)
{
	static const enum td_acd_event_kind kinds[] = { TD_ACD_AGENT_ADD, TD_ACD_AGENT_JOIN,
							TD_ACD_AGENT_JOIN, TD_ACD_AGENT_LOGIN,
							TD_ACD_AGENT_REACHABLE };
	struct td_acd_event event = { .kind = TD_ACD_QUEUE_ADD };

	for (event.queue = 0; event.queue < MODEL_QUEUES - 2; event.queue++) {
		event.u.queue = random_settings(rng);
		both(&event);
	}
	event.u.arrival_ms = 0;
	for (event.agent = 0; event.agent < MODEL_AGENTS - 3; event.agent++) {
		for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
			event.kind = kinds[i];
			event.queue = sim_below(rng, MODEL_QUEUES - 2);
			both(&event);
		}
	}
}

static void run(uint64_t events)
{
	struct td_acd_limits limits = { MODEL_QUEUES, MODEL_AGENTS, MODEL_CALLS };
	struct sim_rng rng = sim_rng_for(seed, 1, 2);
	uint64_t offers = 0;

	if (td_acd_create(&limits, &acd))
		fail("no memory", 0, 0);
	model_init(&model);
	now_ms = 1000;
	hash = 0;
	open_centre(&rng);
	for (step = 0; step < events; step++) {
		struct td_acd_event event = random_event(&rng);

		// Most events share a millisecond; now and then the clock runs back a little.
		if (sim_chance(&rng, 0.3))
			now_ms += sim_below(&rng, 20);
		else if (sim_chance(&rng, 0.01))
			now_ms -= 1;
		if (now_ms < model.now)
			now_ms = model.now;
		both(&event);
		offers += model.action_count > 0 && model.actions[0].kind == TD_ACD_OFFER;
	}
	printf("seed %llu: %llu events, %llu offers, decisions %016llx\n", (unsigned long long)seed,
	       (unsigned long long)events, (unsigned long long)offers, (unsigned long long)hash);
	if (offers < events / 50)
		fail("too few offers to prove anything", (long long)offers, (long long)events / 50);
	td_acd_destroy(acd);
}

int main(int argc, char **argv)
{
	uint64_t events = argc > 2 ? strtoull(argv[2], NULL, 0) : 1000000, first;

	seed = sim_seed(argc, argv, 20261123);
	run(events);
	first = hash;
	run(events / 10 ? events / 10 : 1);
	seed++;
	run(events / 10 ? events / 10 : 1);
	return first == 0;
}

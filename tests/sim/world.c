// Callers and agents in virtual time.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agenda.h"
#include "rng.h"
#include "td_error.h"
#include "world.h"

// Streams of random numbers, one for each purpose of each caller or agent.
enum { ARRIVALS = 1, TALK, PATIENCE, RING, FAULTS };

struct world {
	const struct sim_config *config;
	struct sim_result *result;
	struct td_acd *acd;
	struct sim_agenda agenda;
	struct sim_rng faults;
	struct sim_rng arrivals[64];
	double arrival_s[64];
	uint64_t now_ms;
	uint64_t arrived;
	uint64_t present; // callers who have not gone
	struct td_acd_actions actions;
};

static void fail(const struct world *w, const char *what, int error)
{
	printf("FAILED: %s (%s) at %llu ms, event %llu, seed %llu\n", what, td_error_name(error),
	       (unsigned long long)w->now_ms, (unsigned long long)w->result->events,
	       (unsigned long long)w->config->seed);
	exit(1);
}

static uint64_t ms_of(double seconds)
{
	return (uint64_t)(seconds * 1000);
}

static void plan(struct world *w, enum sim_kind kind, double in_s, struct sim_entry entry)
{
	entry.kind = kind;
	entry.time_ms = w->now_ms + ms_of(in_s);
	sim_agenda_add(&w->agenda, entry);
}

// Absolute seconds, so that rounding to milliseconds does not add up.
static void plan_arrival(struct world *w, uint32_t queue)
{
	if (w->arrived + w->config->queues > w->config->calls)
		return;
	w->arrival_s[queue] += sim_exponential(&w->arrivals[queue], 1 / w->config->arrivals_per_s);
	sim_agenda_add(&w->agenda, (struct sim_entry){ .kind = SIM_ARRIVAL,
						       .time_ms = ms_of(w->arrival_s[queue]),
						       .queue = queue });
}

static struct sim_batch *batch_of(struct world *w, uint64_t call)
{
	return &w->result->batches[(call - 1) * SIM_BATCHES / w->config->calls];
}

// A caller's wait is over, however it ended.
static void count_wait(struct world *w, uint64_t call, uint64_t wait_ms)
{
	batch_of(w, call)->wait_s += (double)wait_ms / 1000;
}

static void mix(struct world *w, uint64_t value)
{
	w->result->hash = (w->result->hash ^ value) * 0x100000001b3u;
}

static void on_offer(struct world *w, const struct td_acd_action *action)
{
	struct sim_rng rng = sim_rng_for(w->config->seed, action->epoch, RING);
	struct sim_entry entry = { .agent = action->agent,
				   .call = action->call,
				   .epoch = action->epoch };
	double ring_s = w->config->ring_s > 0 ? sim_exponential(&rng, w->config->ring_s) : 0;

	w->result->offers++;
	if (sim_chance(&rng, w->config->no_answer))
		return;
	plan(w, sim_chance(&rng, w->config->refuse) ? SIM_REFUSE : SIM_ANSWER, ring_s, entry);
}

static void on_action(struct world *w, const struct td_acd_action *action)
{
	mix(w, w->now_ms);
	mix(w, (uint64_t)action->kind << 32 | action->agent);
	mix(w, action->call);
	mix(w, action->epoch << 8 | (uint64_t)action->state << 4 | (uint64_t)action->reason);
	switch (action->kind) {
	case TD_ACD_OFFER: on_offer(w, action); break;
	case TD_ACD_WITHDRAW: w->result->withdrawn++; break;
	case TD_ACD_AGENT_STATE:
		// Who missed a call comes back after a while.
		if (action->state == TD_ACD_PAUSED && action->reason != TD_ACD_REASON_AGENT)
			plan(w, SIM_RECOVER, sim_exponential(&w->faults, w->config->absence_s),
			     (struct sim_entry){ .agent = action->agent });
		break;
	case TD_ACD_CALL_TIMEOUT:
		w->result->timed_out++;
		w->present--;
		break;
	case TD_ACD_CALL_POSITION: batch_of(w, action->call)->waited++; break;
	case TD_ACD_ACTION_KIND_COUNT: fail(w, "no such action", 0);
	}
}

// Applies one event; everything but `allowed` must succeed.
static int apply(struct world *w, struct td_acd_event event, int allowed)
{
	int error = td_acd_apply(w->acd, &event, w->now_ms, &w->actions);

	w->result->events++;
	if (error && error != allowed)
		fail(w, "an event was refused", error);
	for (uint32_t i = 0; i < w->actions.count; i++)
		on_action(w, &w->actions.items[i]);
	if (w->config->check && td_acd_check(w->acd))
		fail(w, td_acd_check(w->acd), 0);
	return error;
}

static int apply_agent(struct world *w, enum td_acd_event_kind kind, uint32_t agent)
{
	struct td_acd_event event = { .kind = kind, .agent = agent };

	if (kind == TD_ACD_AGENT_PAUSE)
		event.u.reason = TD_ACD_REASON_AGENT;
	return apply(w, event, 0);
}

static void on_arrival(struct world *w, uint32_t queue)
{
	uint64_t call = ++w->arrived;
	struct sim_rng rng = sim_rng_for(w->config->seed, call, PATIENCE);
	struct td_acd_event event = { .kind = TD_ACD_CALL_ENQUEUE, .queue = queue, .call = call };

	plan_arrival(w, queue);
	event.u.arrival_ms = w->now_ms;
	batch_of(w, call)->calls++;
	w->present++;
	if (apply(w, event, -TD_EFULL)) {
		w->result->refused++;
		w->present--;
		return;
	}
	if (w->config->patience_s > 0)
		plan(w, SIM_PATIENCE, sim_exponential(&rng, w->config->patience_s),
		     (struct sim_entry){ .call = call });
}

static void on_patience(struct world *w, uint64_t call)
{
	struct td_acd_event event = { .kind = TD_ACD_CALL_ABANDON, .call = call };
	struct td_acd_call_info info;

	if (td_acd_call_get(w->acd, call, w->now_ms, &info) || info.state == TD_ACD_CALL_TALKING)
		return;
	count_wait(w, call, info.wait_ms);
	batch_of(w, call)->abandoned++;
	w->result->abandoned++;
	w->present--;
	apply(w, event, 0);
}

static void on_answer(struct world *w, const struct sim_entry *entry)
{
	struct sim_rng rng = sim_rng_for(w->config->seed, entry->call, TALK);
	struct td_acd_call_info info = { 0 };
	bool there = td_acd_call_get(w->acd, entry->call, w->now_ms, &info) == 0;
	struct td_acd_event event = { .kind = TD_ACD_OFFER_ANSWERED,
				      .agent = entry->agent,
				      .call = entry->call,
				      .epoch = entry->epoch };
	int error = apply(w, event, there ? -TD_ESTALE : -TD_ENOT_FOUND);

	if (error) {
		w->result->stale++;
		return;
	}
	count_wait(w, entry->call, info.wait_ms);
	batch_of(w, entry->call)->answered++;
	w->result->answered++;
	plan(w, SIM_HANG_UP, sim_exponential(&rng, w->config->talk_s),
	     (struct sim_entry){ .call = entry->call });
}

static void on_refuse(struct world *w, const struct sim_entry *entry)
{
	struct td_acd_call_info info;
	bool there = td_acd_call_get(w->acd, entry->call, w->now_ms, &info) == 0;
	struct td_acd_event event = { .kind = TD_ACD_OFFER_FAILED,
				      .agent = entry->agent,
				      .call = entry->call,
				      .epoch = entry->epoch,
				      .u.reason = TD_ACD_REASON_REFUSED };

	if (apply(w, event, there ? -TD_ESTALE : -TD_ENOT_FOUND))
		w->result->stale++;
}

// An agent goes away in one of three ways, and comes back later in all of them.
static void on_fault(struct world *w, uint32_t agent)
{
	static const enum td_acd_event_kind ways[] = { TD_ACD_AGENT_PAUSE, TD_ACD_AGENT_LOGOUT,
						       TD_ACD_AGENT_UNREACHABLE };
	struct td_acd_agent_info info = { 0 };

	if (w->present == 0 && w->arrived + w->config->queues > w->config->calls)
		return;
	if (td_acd_agent_get(w->acd, agent, &info))
		fail(w, "an agent is not there", 0);
	apply_agent(w, ways[sim_below(&w->faults, 3)], agent);
	plan(w, SIM_RECOVER, sim_exponential(&w->faults, w->config->absence_s),
	     (struct sim_entry){ .agent = agent });
	plan(w, SIM_FAULT, sim_exponential(&w->faults, w->config->fault_s),
	     (struct sim_entry){ .agent = agent });
}

static void on_recover(struct world *w, uint32_t agent)
{
	apply_agent(w, TD_ACD_AGENT_REACHABLE, agent);
	apply_agent(w, TD_ACD_AGENT_AVAILABLE, agent);
}

static void happen(struct world *w, const struct sim_entry *entry)
{
	switch (entry->kind) {
	case SIM_ARRIVAL: on_arrival(w, entry->queue); break;
	case SIM_ANSWER: on_answer(w, entry); break;
	case SIM_REFUSE: on_refuse(w, entry); break;
	case SIM_HANG_UP:
		w->present--;
		apply(w, (struct td_acd_event){ .kind = TD_ACD_CALL_ENDED, .call = entry->call },
		      0);
		break;
	case SIM_PATIENCE: on_patience(w, entry->call); break;
	case SIM_FAULT: on_fault(w, entry->agent); break;
	case SIM_RECOVER: on_recover(w, entry->agent); break;
	}
}

static void open_centre(struct world *w)
{
	const struct sim_config *config = w->config;
	struct td_acd_limits limits = { .queues_max = config->queues,
					.agents_max = config->agents,
					.calls_max = config->calls_max };

	if (td_acd_create(&limits, &w->acd))
		fail(w, "no memory", 0);
	for (uint32_t q = 0; q < config->queues; q++) {
		struct td_acd_event event = { .kind = TD_ACD_QUEUE_ADD, .queue = q };

		event.u.queue = config->settings;
		apply(w, event, 0);
		w->arrivals[q] = sim_rng_for(config->seed, q, ARRIVALS);
		plan_arrival(w, q);
	}
	for (uint32_t a = 0; a < config->agents; a++) {
		apply_agent(w, TD_ACD_AGENT_ADD, a);
		for (uint32_t q = 0; q < config->queues; q++)
			if (config->serves(a) >> q & 1)
				apply(w,
				      (struct td_acd_event){
					      .kind = TD_ACD_AGENT_JOIN, .agent = a, .queue = q },
				      0);
		apply_agent(w, TD_ACD_AGENT_LOGIN, a);
		apply_agent(w, TD_ACD_AGENT_REACHABLE, a);
		if (config->fault_s > 0)
			plan(w, SIM_FAULT, sim_exponential(&w->faults, config->fault_s),
			     (struct sim_entry){ .agent = a });
	}
}

// Nobody may be left over, and the ACD's own books must agree with ours.
static void close_centre(struct world *w)
{
	uint64_t offered = 0, answered = 0, abandoned = 0, timed_out = 0, refused = 0;

	for (uint32_t q = 0; q < w->config->queues; q++) {
		struct td_acd_queue_info info;

		if (td_acd_queue_get(w->acd, q, w->now_ms, &info) || info.waiting || info.talking)
			fail(w, "a caller was left over", 0);
		offered += info.offered;
		answered += info.answered;
		abandoned += info.abandoned;
		timed_out += info.timed_out;
		refused += info.refused;
	}
	if (offered + refused != w->arrived || answered != w->result->answered ||
	    abandoned != w->result->abandoned || timed_out != w->result->timed_out ||
	    refused != w->result->refused || w->present != 0 ||
	    offered != answered + abandoned + timed_out)
		fail(w, "the ACD counts other callers than there were", 0);
	if (td_acd_check(w->acd))
		fail(w, td_acd_check(w->acd), 0);
}

bool sim_result_equal(const struct sim_result *a, const struct sim_result *b)
{
	for (int i = 0; i < SIM_BATCHES; i++) {
		const struct sim_batch *x = &a->batches[i], *y = &b->batches[i];

		if (x->calls != y->calls || x->waited != y->waited || x->wait_s != y->wait_s ||
		    x->abandoned != y->abandoned || x->answered != y->answered)
			return false;
	}
	return a->hash == b->hash && a->events == b->events && a->offers == b->offers;
}

void sim_run(const struct sim_config *config, struct sim_result *result)
{
	static struct world w;

	memset(result, 0, sizeof *result);
	w = (struct world){ .config = config, .result = result };
	w.faults = sim_rng_for(config->seed, 0, FAULTS);
	open_centre(&w);
	while (w.agenda.count || td_acd_next_ms(w.acd) != TD_ACD_NEVER) {
		uint64_t next_ms = td_acd_next_ms(w.acd);

		if (w.agenda.count == 0 || next_ms <= w.agenda.entries[0].time_ms) {
			w.now_ms = next_ms;
			apply(&w, (struct td_acd_event){ .kind = TD_ACD_TIMER }, 0);
		} else {
			struct sim_entry entry = sim_agenda_take(&w.agenda);

			w.now_ms = entry.time_ms;
			happen(&w, &entry);
		}
	}
	close_centre(&w);
	free(w.agenda.entries);
	td_acd_destroy(w.acd);
}

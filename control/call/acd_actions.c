// Telling the ACD, and doing what it decides.
#include <string.h>

#include "call/manager.h"
#include "td_log.h"

static void act(struct td_calls *calls, const struct td_acd_action *action)
{
	static const uint8_t events[TD_ACD_ACTION_KIND_COUNT] = {
		[TD_ACD_OFFER] = TD_CALL_OFFER,
		[TD_ACD_WITHDRAW] = TD_CALL_WITHDRAW,
		[TD_ACD_CALL_TIMEOUT] = TD_CALL_WAIT_OVER,
	};
	struct td_call *call;

	if (action->kind == TD_ACD_AGENT_STATE) {
		td_notice_agent(calls, action->agent);
		return;
	}
	call = td_call_find(calls, action->call);
	if (action->kind == TD_ACD_CALL_POSITION || !call)
		return;
	td_post_call(calls, (struct td_post){
				    .event = events[action->kind],
				    .ref = td_slots_ref(&calls->call_slots, call->idx),
				    .agent = action->agent,
				    .epoch = action->epoch,
				    .deadline_ms = action->deadline_ms,
			    });
}

int td_acd_tell(struct td_calls *calls, const struct td_acd_event *event)
{
	struct td_acd_actions actions;
	int error = td_acd_apply(calls->deps.acd, event, calls->now_ms, &actions);

	if (error)
		return error;
	for (uint32_t i = 0; i < actions.count; i++)
		act(calls, &actions.items[i]);
	return 0;
}

void td_acd_tell_agent(struct td_calls *calls, uint32_t agent, enum td_acd_event_kind kind)
{
	int error = td_acd_tell(calls, &(struct td_acd_event){ .kind = kind, .agent = agent });

	if (error)
		td_error(calls->config->agents[agent].id, "the ACD refuses: %s",
			 td_error_text(error));
}

static int add_queue(struct td_calls *calls, uint32_t idx)
{
	const struct td_config_queue *queue = &calls->config->queues[idx];

	return td_acd_tell(calls, &(struct td_acd_event){
					  .kind = TD_ACD_QUEUE_ADD,
					  .queue = idx,
					  .u.queue = {
						  .offer_timeout_ms = queue->offer_timeout_s * 1000ull,
						  .wrap_up_ms = queue->wrap_up_s * 1000ull,
						  .wait_max_ms = queue->wait_max_s * 1000ull,
						  .service_level_ms = queue->service_level_s * 1000ull,
						  .length_max = queue->length_max,
					  },
				  });
}

// An agent serves the queues listed, by name or by the one skill they ask for.
static bool serves(const struct td_config_agent *agent, const struct td_config_queue *queue)
{
	for (unsigned i = 0; i < agent->queues_count; i++) {
		if (strcmp(agent->queues[i], queue->name) == 0 ||
		    (queue->skill && strcmp(agent->queues[i], queue->skill) == 0))
			return true;
	}
	return false;
}

static int add_agent(struct td_calls *calls, uint32_t idx)
{
	const struct td_config_agent *agent = &calls->config->agents[idx];
	struct td_acd_event event = { .kind = TD_ACD_AGENT_ADD, .agent = idx };
	int error = td_acd_tell(calls, &event);

	event.kind = TD_ACD_AGENT_JOIN;
	for (unsigned q = 0; q < calls->config->queues_count && !error; q++) {
		event.queue = q;
		if (serves(agent, &calls->config->queues[q]))
			error = td_acd_tell(calls, &event);
	}
	event.kind = TD_ACD_AGENT_LOGIN;
	if (!error && agent->logged_in)
		error = td_acd_tell(calls, &event);
	return error;
}

int td_acd_fill(struct td_calls *calls)
{
	int error = 0;

	for (unsigned i = 0; i < calls->config->queues_count && !error; i++)
		error = add_queue(calls, i);
	for (unsigned i = 0; i < calls->config->agents_count && !error; i++)
		error = add_agent(calls, i);
	return error ? -TD_EINVALID : 0;
}

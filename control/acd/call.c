// The call machine and the pool of calls.
#include "acd/call.h"
#include "acd/match.h"
#include "acd/timer.h"

static const struct td_fsm_state states[TD_ACD_CALL_STATE_COUNT] = {
	[TD_ACD_CALL_WAITING] = { .name = "waiting",
				  .guarded = true,
				  .timeout_event = TD_ACD_CALL_IN_EXPIRE },
	[TD_ACD_CALL_OFFERED] = { .name = "offered",
				  .unguarded_reason = "the agent's offer timer ends it" },
	[TD_ACD_CALL_TALKING] = { .name = "talking",
				  .unguarded_reason = "a conversation lasts as long as it lasts" },
	[TD_ACD_CALL_GONE] = { .name = "gone", .final = true },
};

static const char *const input_names[TD_ACD_CALL_INPUT_COUNT] = {
	"offer", "answered", "return", "abandon", "end", "expire",
};

// clang-format off
#define NO    TD_FSM_NO
#define TO(s) TD_FSM_TO(TD_ACD_CALL_##s, 0)

static const struct td_fsm_cell cells[TD_ACD_CALL_STATE_COUNT][TD_ACD_CALL_INPUT_COUNT] = {
	//                        OFFER        ANSWERED     RETURN       ABANDON   END       EXPIRE
	[TD_ACD_CALL_WAITING] = { TO(OFFERED), NO,          NO,          TO(GONE), TO(GONE), TO(GONE) },
	[TD_ACD_CALL_OFFERED] = { NO,          TO(TALKING), TO(WAITING), TO(GONE), TO(GONE), NO },
	[TD_ACD_CALL_TALKING] = { NO,          NO,          NO,          NO,       TO(GONE), NO },
	[TD_ACD_CALL_GONE]    = { NO,          NO,          NO,          NO,       NO,       NO },
};
// clang-format on

const struct td_fsm td_acd_call_fsm = {
	.name = "acd-call",
	.state_count = TD_ACD_CALL_STATE_COUNT,
	.event_count = TD_ACD_CALL_INPUT_COUNT,
	.initial = TD_ACD_CALL_WAITING,
	.states = states,
	.event_names = input_names,
	.cells = &cells[0][0],
};

static uint32_t *bucket_of(const struct td_acd *acd, uint64_t key)
{
	return &acd->call_buckets[td_acd_mix(key) & acd->call_mask];
}

uint32_t td_acd_call_find(const struct td_acd *acd, uint64_t key)
{
	uint32_t index = *bucket_of(acd, key);

	while (index != TD_ACD_NIL && acd->calls[index].key != key)
		index = acd->calls[index].next;
	return index;
}

static void enter(struct td_acd *acd, uint32_t call)
{
	struct td_acd_call *c = &acd->calls[call];
	struct td_acd_queue *q = &acd->queues[c->queue];

	switch (c->state) {
	case TD_ACD_CALL_WAITING:
		q->waiting++;
		c->agent = TD_ACD_NIL;
		c->epoch = 0;
		td_acd_line_put(acd, call);
		if (c->wait_until_ms != TD_ACD_NEVER)
			td_acd_timer_arm(acd, td_acd_timer_of_call(call), c->wait_until_ms);
		break;
	case TD_ACD_CALL_OFFERED:
		q->waiting++;
		q->in_offer++;
		c->offers++;
		break;
	case TD_ACD_CALL_TALKING:
		q->talking++;
		c->answered_ms = acd->now_ms;
		break;
	default: break;
	}
}

static void leave(struct td_acd *acd, uint32_t call)
{
	struct td_acd_queue *q = &acd->queues[acd->calls[call].queue];

	switch (acd->calls[call].state) {
	case TD_ACD_CALL_WAITING:
		q->waiting--;
		td_acd_line_take(acd, call);
		td_acd_timer_cancel(acd, td_acd_timer_of_call(call));
		break;
	case TD_ACD_CALL_OFFERED:
		q->waiting--;
		q->in_offer--;
		break;
	case TD_ACD_CALL_TALKING: q->talking--; break;
	default: break;
	}
}

uint32_t td_acd_call_create(struct td_acd *acd, uint64_t key, uint32_t queue, uint64_t arrival_ms)
{
	uint64_t wait_max_ms = acd->queues[queue].settings.wait_max_ms;
	uint32_t index = acd->call_free, *bucket = bucket_of(acd, key);

	if (index == TD_ACD_NIL)
		return TD_ACD_NIL;
	acd->call_free = acd->calls[index].next;
	acd->calls[index] = (struct td_acd_call){
		.key = key,
		.arrival_ms = arrival_ms < acd->now_ms ? arrival_ms : acd->now_ms,
		.enqueued_ms = acd->now_ms,
		.wait_until_ms = wait_max_ms ? td_acd_after(acd, wait_max_ms) : TD_ACD_NEVER,
		.queue = queue,
		.agent = TD_ACD_NIL,
		.next = *bucket,
		.state = TD_ACD_CALL_WAITING,
	};
	*bucket = index;
	acd->calls_used++;
	enter(acd, index);
	return index;
}

static void release(struct td_acd *acd, uint32_t call)
{
	struct td_acd_call *c = &acd->calls[call];
	uint32_t *link = bucket_of(acd, c->key);

	while (*link != call)
		link = &acd->calls[*link].next;
	*link = c->next;
	c->key = 0;
	c->next = acd->call_free;
	acd->call_free = call;
	acd->calls_used--;
}

const struct td_fsm_cell *td_acd_call_step(struct td_acd *acd, uint32_t call,
					   enum td_acd_call_input input)
{
	struct td_acd_call *c = &acd->calls[call];

	if (td_fsm_cell(&td_acd_call_fsm, c->state, input)->kind == TD_FSM_MOVE) {
		const struct td_fsm_cell *cell;

		leave(acd, call);
		cell = td_fsm_step(&td_acd_call_fsm, &c->state, input);
		enter(acd, call);
		if (c->state == TD_ACD_CALL_GONE)
			release(acd, call);
		return cell;
	}
	return td_fsm_cell(&td_acd_call_fsm, c->state, input);
}

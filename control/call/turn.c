// Turns and posts: the order in which machines step.
#include "td_assert.h"

#include "call/manager.h"

void td_turn_begin(struct td_calls *calls)
{
	uint64_t now_ms = calls->deps.ops.now_ms(calls->deps.ops.user);

	td_on_control();
	TD_ASSERT(calls->post_count == 0);
	if (now_ms > calls->now_ms)
		calls->now_ms = now_ms;
}

uint64_t td_calls_wall_ms(const struct td_calls *calls)
{
	return calls->deps.ops.wall_ms(calls->deps.ops.user);
}

static void post(struct td_calls *calls, const struct td_post *post)
{
	uint32_t at = (calls->post_head + calls->post_count) % TD_CALLS_POST_MAX;

	TD_ASSERT(calls->post_count < TD_CALLS_POST_MAX);
	calls->posts[at] = *post;
	calls->post_count++;
}

void td_post_leg(struct td_calls *calls, const struct td_leg *leg, enum td_leg_event event)
{
	post(calls, &(struct td_post){ .to_leg = true,
				       .event = (uint8_t)event,
				       .ref = td_leg_ref(calls, leg) });
}

void td_post_call(struct td_calls *calls, struct td_post what)
{
	post(calls, &what);
}

static void deliver(struct td_calls *calls, const struct td_post *what)
{
	uint32_t idx;

	if (what->to_leg) {
		idx = td_slots_find(&calls->leg_slots, what->ref);
		if (idx != TD_SLOT_NONE)
			td_leg_step(calls, &calls->legs[idx], (enum td_leg_event)what->event);
		return;
	}
	idx = td_slots_find(&calls->call_slots, what->ref);
	if (idx != TD_SLOT_NONE)
		td_call_step(calls, &calls->calls[idx], what);
}

static void shed_if_full(struct td_calls *calls)
{
	bool full = calls->call_slots.used == calls->call_slots.count ||
		    calls->leg_slots.used == calls->leg_slots.count;

	td_sip_endpoint_shed(calls->sip, full || !calls->link_up || calls->shutting_down);
}

static void drain(struct td_calls *calls)
{
	TD_ASSERT(!calls->draining);
	calls->draining = true;
	while (calls->post_count > 0) {
		struct td_post what = calls->posts[calls->post_head];

		calls->post_head = (calls->post_head + 1) % TD_CALLS_POST_MAX;
		calls->post_count--;
		deliver(calls, &what);
	}
	calls->draining = false;
}

void td_turn_end(struct td_calls *calls)
{
	drain(calls);
	shed_if_full(calls);
}

void td_turn_breathe(struct td_calls *calls)
{
	if (!calls->draining && calls->post_count > TD_CALLS_POST_BREATH)
		drain(calls);
}

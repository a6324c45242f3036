// What the link reports: events, and whether there is a dataplane at all.
#include "call/manager.h"
#include "link/link.h"
#include "td_log.h"
#include "td_region.h"

uint32_t td_link_prompt(struct td_calls *calls, const char *who, const char *name)
{
	uint32_t index;

	td_on_control();
	if (!name || !*name)
		return TD_MEDIA_NO_PROMPT;
	if (td_link_find_prompt(calls->deps.link, name, &index) == 0)
		return index;
	td_warn(who, "the dataplane has no prompt \"%s\": silence is played", name);
	return TD_MEDIA_NO_PROMPT;
}

void td_link_load_prompts(struct td_calls *calls)
{
	const struct td_region *region;

	td_on_control();
	region = td_link_region(calls->deps.link);
	for (unsigned i = 0; i < calls->config->queues_count; i++) {
		const struct td_config_queue *queue = &calls->config->queues[i];
		struct td_queue_prompts *prompts = &calls->prompts[i];

		*prompts = (struct td_queue_prompts){ TD_MEDIA_NO_PROMPT, TD_MEDIA_NO_PROMPT, 0 };
		if (!region)
			continue;
		prompts->greeting = td_link_prompt(calls, queue->name, queue->greeting);
		prompts->music = td_link_prompt(calls, queue->name, queue->music);
		if (prompts->greeting < region->prompt_count)
			prompts->greeting_ms = region->prompts[prompts->greeting].duration_ms;
	}
	for (uint32_t i = 0; i < calls->conference_slots.count && region; i++) {
		if (td_slots_live(&calls->conference_slots, i))
			td_conference_load_prompts(&calls->conferences[i]);
	}
}

void td_link_events_on(void *user, const struct td_event *event)
{
	struct td_calls *calls = user;

	td_turn_begin(calls);
	td_media_event(calls, event);
	td_turn_end(calls);
}

static void lose(struct td_calls *calls, struct td_call *call)
{
	for (uint32_t i = call->leg_count; i-- > 0;) {
		td_media_leg_lost(call->legs[i]);
		td_leg_settle(calls, call->legs[i]);
	}
	td_media_lost(&call->media);
	if (call->cause == TD_CAUSE_NONE)
		call->cause = TD_CAUSE_LINK_DOWN;
	td_call_post(calls, call, TD_CALL_MEDIA_LOST);
	td_media_step(&call->media);
}

void td_link_events_state(void *user, bool up)
{
	struct td_calls *calls = user;

	td_turn_begin(calls);
	calls->link_up = up;
	if (!up) {
		td_forks_lost(calls);
		td_recording_alarms_forget(calls); // the next dataplane says again what is still so
	}
	td_link_load_prompts(calls);
	for (uint32_t i = 0; i < calls->call_slots.count && !up; i++) {
		if (!td_slots_live(&calls->call_slots, i))
			continue;
		lose(calls, &calls->calls[i]);
		td_turn_end(calls);
	}
	for (uint32_t i = 0; i < calls->conference_slots.count && !up; i++) {
		if (td_slots_live(&calls->conference_slots, i))
			td_media_lost(&calls->conferences[i].media);
	}
	td_turn_end(calls);
}

// What an answer changes in what we have.
#include "call/media_answers.h"

#include <string.h>

#include "call/manager.h"
#include "td_assert.h"
#include "td_log.h"

#define END_TRIES_MAX 4 // the unanswered ones wait for the link's deadline each

static struct td_call **bucket(struct td_calls *calls, struct td_context_id context)
{
	uint32_t hash = (context.v * 2654435761u) >> 8;

	return &calls->by_context[hash & calls->by_context_mask];
}

static struct td_call *find_by_context(struct td_calls *calls, struct td_context_id context)
{
	struct td_call *call = *bucket(calls, context);

	while (call && call->media.context.v != context.v)
		call = call->media.context_next;
	return call;
}

static void set_context(struct td_calls *calls, struct td_call *call, struct td_context_id context)
{
	struct td_call **head = bucket(calls, context);

	call->media.context = context;
	call->media.context_next = *head;
	*head = call;
}

static void clear_context(struct td_calls *calls, struct td_call *call)
{
	struct td_call **at = bucket(calls, call->media.context);

	if (call->media.context.v == 0)
		return;
	while (*at != call)
		at = &(*at)->media.context_next;
	*at = call->media.context_next;
	call->media.context.v = 0;
	call->media.context_next = NULL;
	call->media.cells = 0;
	call->media.players[0].id.v = 0;
	call->media.players[1].id.v = 0;
	call->media.old_ending = false;
}

// Something this call cannot be without has failed.
static void fail_call(struct td_calls *calls, struct td_call *call, const struct td_event *event)
{
	calls->stats.media_failures++;
	td_error(call->id, "%s failed: %s", td_command_name(event->command),
		 td_error_text(event->result));
	if (call->cause == TD_CAUSE_NONE)
		call->cause = TD_CAUSE_MEDIA_FAILURE;
	// Nothing more is made for it.
	call->media.context_wanted = false;
	td_call_post(calls, call, TD_CALL_MEDIA_LOST);
}

static void fail_leg(struct td_calls *calls, struct td_call *call, struct td_leg *leg,
		     const struct td_event *event)
{
	calls->stats.media_failures++;
	td_error(call->id, "%s failed: %s", td_command_name(event->command),
		 td_error_text(event->result));
	leg->media.failed = true;
	td_leg_post_cause(calls, leg, TD_LEG_MEDIA_FAILED, TD_CAUSE_MEDIA_FAILURE);
}

// An object that is to go: gone unless the dataplane did not answer or had no room for the request,
// and then at last too.
static bool gone(struct td_call *call, const struct td_event *event, uint32_t *tries)
{
	bool again = event->result == -TD_ETIMEOUT || event->result == -TD_EBUSY;
	struct td_calls *calls = call->calls;

	if (again && call->media.context.v != 0 && ++*tries < END_TRIES_MAX) {
		td_wheel_arm(&calls->wheel, &call->retry.timer, calls->now_ms + TD_MEDIA_RETRY_MS);
		return false;
	}
	if (event->result != 0 && event->result != -TD_ESTALE)
		td_warn(call->id, "%s failed: %s; taken as done", td_command_name(event->command),
			td_error_text(event->result));
	*tries = 0;
	return true;
}

static void context_created(struct td_calls *calls, struct td_call *call,
			    const struct td_event *event)
{
	if (event->result == 0) {
		set_context(calls, call, event->u.context);
		return;
	}
	if (!call->media.context_wanted)
		return;
	// Without a context there is nothing to try again for: refuse the caller.
	call->media.context_wanted = false;
	if (call->caller)
		fail_leg(calls, call, call->caller, event);
	else
		fail_call(calls, call, event);
}

static void ready_if_complete(struct td_calls *calls, struct td_leg *leg)
{
	const struct td_leg_media *media = &leg->media;

	if (media->stream.v != 0 &&
	    (!media->remote_known || media->remote_applied == media->remote_serial))
		td_post_leg(calls, leg, TD_LEG_READY);
}

static void stream_created(struct td_calls *calls, struct td_call *call, struct td_leg *leg,
			   const struct td_event *event)
{
	if (event->result != 0) {
		fail_leg(calls, call, leg, event);
		return;
	}
	leg->media.stream = event->u.stream_created.stream;
	leg->media.local = event->u.stream_created.local;
	ready_if_complete(calls, leg);
}

static void stream_destroyed(struct td_call *call, struct td_leg *leg, const struct td_event *event)
{
	struct td_media *media = &call->media;

	leg->media.ending = false;
	if (!gone(call, event, &leg->media.end_tries))
		return;
	if (event->result == 0) {
		leg->media.stats = event->u.stream_destroyed.stats;
		leg->media.has_stats = true;
	}
	leg->media.stream.v = 0;
	if (leg == call->caller)
		media->cells &= TD_CELL_PLAYER_AGENT | TD_CELL_OLD_AGENT;
	if (leg == call->agent)
		media->cells &= TD_CELL_PLAYER_CALLER | TD_CELL_OLD_CALLER;
}

static void context_destroyed(struct td_calls *calls, struct td_call *call,
			      const struct td_event *event)
{
	if (!gone(call, event, &call->media.end_tries))
		return;
	clear_context(calls, call);
	// It ended with its context; the recorder reports that too.
	if (call->media.recording == TD_RECORDING_RUNNING)
		call->media.recording = TD_RECORDING_CLOSING;
}

static void old_player_destroyed(struct td_call *call, const struct td_event *event)
{
	call->media.old_ending = false;
	if (gone(call, event, &call->media.end_tries))
		call->media.players[1] = (struct td_media_player){ .prompt = TD_MEDIA_NO_PROMPT };
}

static void player_created(struct td_calls *calls, struct td_call *call,
			   const struct td_event *event)
{
	if (event->result == 0) {
		call->media.players[0].id = event->u.player;
		return;
	}
	// The call can do without: it goes on in silence.
	td_warn(call->id, "prompt %u cannot be played: %s", call->media.players[0].prompt,
		td_error_text(event->result));
	if (call->state == TD_CALL_GREETING && !call->media.players[0].loops)
		td_call_post(calls, call, TD_CALL_GREETING_OVER);
}

static void recording_started(struct td_call *call, const struct td_event *event)
{
	struct td_media *media = &call->media;

	if (event->result == 0) {
		media->tap = event->u.tap;
		media->recording = TD_RECORDING_RUNNING;
		return;
	}
	td_warn(call->id, "cannot be recorded: %s", td_error_text(event->result));
	media->recording = TD_RECORDING_REFUSED;
}

static void recording_stopped(struct td_call *call, const struct td_event *event)
{
	if (call->media.recording != TD_RECORDING_RUNNING ||
	    !gone(call, event, &call->media.end_tries))
		return;
	call->media.tap.v = 0;
	// Stale: it has ended by itself, and its end event is under way.
	call->media.recording = TD_RECORDING_CLOSING;
}

static void matrix_edited(struct td_calls *calls, struct td_call *call,
			  const struct td_media_request *request, const struct td_event *event)
{
	if (event->result == 0)
		return;
	call->media.cells = request->cells;
	fail_call(calls, call, event);
}

static void apply(struct td_calls *calls, struct td_call *call,
		  const struct td_media_request *request, const struct td_event *event)
{
	switch ((enum td_command_kind)request->kind) {
	case TD_COMMAND_CONTEXT_CREATE: context_created(calls, call, event); break;
	case TD_COMMAND_CONTEXT_DESTROY: context_destroyed(calls, call, event); break;
	case TD_COMMAND_STREAM_CREATE: stream_created(calls, call, request->leg, event); break;
	case TD_COMMAND_STREAM_SET_REMOTE:
		if (event->result != 0)
			fail_leg(calls, call, request->leg, event);
		else
			ready_if_complete(calls, request->leg);
		break;
	case TD_COMMAND_STREAM_DESTROY: stream_destroyed(call, request->leg, event); break;
	case TD_COMMAND_PLAYER_CREATE: player_created(calls, call, event); break;
	case TD_COMMAND_PLAYER_DESTROY: old_player_destroyed(call, event); break;
	case TD_COMMAND_MATRIX_EDIT: matrix_edited(calls, call, request, event); break;
	case TD_COMMAND_RECORD_START: recording_started(call, event); break;
	case TD_COMMAND_RECORD_STOP: recording_stopped(call, event); break;
	case TD_COMMAND_NONE:
	case TD_COMMAND_PING:
	case TD_COMMAND_RESET:
	case TD_COMMAND_KIND_COUNT: break;
	}
}

void td_media_answered(void *user, const struct td_event *event)
{
	struct td_media_request *slot = user, request = *slot;
	struct td_call *call = request.call;
	struct td_calls *calls = call->calls;
	struct td_event answer = *event;

	td_turn_begin(calls);
	TD_ASSERT(request.kind != 0 && call->media.request_count > 0);
	// What was asked decides how the answer is read: an answer made by the link has no more.
	answer.command = request.kind;
	slot->kind = 0;
	call->media.request_count--;
	// The link's own state follows at once and says the rest.
	if (answer.result != -TD_ELINK_DOWN) {
		apply(calls, call, &request, &answer);
		if (request.leg)
			td_leg_settle(calls, request.leg);
		td_media_step(calls, call);
	}
	td_turn_end(calls);
}

void td_media_lost(struct td_calls *calls, struct td_call *call)
{
	struct td_media *media = &call->media;

	TD_ASSERT(media->request_count == 0);
	td_wheel_cancel(&calls->wheel, &call->retry.timer);
	clear_context(calls, call);
	media->context_wanted = false;
	if (media->recording == TD_RECORDING_RUNNING || media->recording == TD_RECORDING_CLOSING) {
		media->recording = TD_RECORDING_CLOSED;
		media->recording_partial = true;
	}
	for (uint32_t i = call->leg_count; i-- > 0;) {
		struct td_leg *leg = call->legs[i];

		leg->media.stream.v = 0;
		leg->media.ending = false;
		leg->media.failed = true;
		td_leg_settle(calls, leg);
	}
	if (call->cause == TD_CAUSE_NONE)
		call->cause = TD_CAUSE_LINK_DOWN;
	td_call_post(calls, call, TD_CALL_MEDIA_LOST);
	td_media_step(calls, call);
}

static void player_ended(struct td_calls *calls, const struct td_event_player_end *ended)
{
	struct td_call *call = find_by_context(calls, ended->context);

	if (call && call->state == TD_CALL_GREETING &&
	    call->media.players[0].id.v == ended->player.v)
		td_call_post(calls, call, TD_CALL_GREETING_OVER);
}

static void recording_event(struct td_calls *calls, const struct td_event *event)
{
	struct td_call *call = td_call_find(calls, event->u.recording.owner);

	if (!call)
		return;
	if (event->kind == TD_EVENT_RECORD_FAILED || event->result != 0) {
		if (!call->media.recording_partial)
			td_warn(call->id, "the recording is incomplete: %s",
				td_error_text(event->result));
		call->media.recording_partial = true;
	}
	if (event->kind != TD_EVENT_RECORD_CLOSED || call->media.recording == TD_RECORDING_CLOSED)
		return;
	call->media.recorded = event->u.recording;
	call->media.recording = TD_RECORDING_CLOSED;
	td_media_step(calls, call);
}

void td_media_event(struct td_calls *calls, const struct td_event *event)
{
	switch ((enum td_event_kind)event->kind) {
	case TD_EVENT_PLAYER_END: player_ended(calls, &event->u.player_end); break;
	case TD_EVENT_RECORD_CLOSED:
	case TD_EVENT_RECORD_FAILED: recording_event(calls, event); break;
	case TD_EVENT_STREAM_ACTIVE:
	case TD_EVENT_NONE:
	case TD_EVENT_DONE:
	case TD_EVENT_KIND_COUNT: break;
	}
}

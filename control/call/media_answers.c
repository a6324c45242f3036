// What an answer changes in what we have.
#include <string.h>

#include "call/media_inside.h"
#include "td_assert.h"
#include "td_log.h"

#define END_TRIES_MAX 4 // the unanswered ones wait for the link's deadline each

static struct td_media **bucket(struct td_calls *calls, struct td_context_id context)
{
	uint32_t hash = (context.v * 2654435761u) >> 8;

	return &calls->by_context[hash & calls->by_context_mask];
}

struct td_media *td_media_find(struct td_calls *calls, struct td_context_id context)
{
	struct td_media *media = *bucket(calls, context);

	while (media && media->context.v != context.v)
		media = media->context_next;
	return media;
}

static void set_context(struct td_media *media, struct td_context_id context)
{
	struct td_media **head = bucket(media->calls, context);

	media->context = context;
	media->context_next = *head;
	*head = media;
}

static void clear_context(struct td_media *media)
{
	struct td_media **at = bucket(media->calls, media->context);
	struct td_announcement *said = &media->announcement;

	if (media->context.v == 0)
		return;
	while (*at != media)
		at = &(*at)->context_next;
	*at = media->context_next;
	media->context.v = 0;
	media->context_next = NULL;
	memset(media->cells, 0, sizeof media->cells);
	memset(&media->privacy.have, 0, sizeof media->privacy.have);
	for (uint32_t i = 0; i < TD_MEDIA_PLAYERS; i++)
		td_media_player_gone(media, i);
	*said = (struct td_announcement){ .state = TD_ANNOUNCEMENT_NONE };
}

static const char *name_of(const struct td_media *media)
{
	return media->call ? media->call->id : td_conference_name(media->conference);
}

static void count_failure(const struct td_media *media, uint32_t command, int error)
{
	media->calls->stats.media_failures++;
	td_error(name_of(media), "%s failed: %s", td_command_name(command), td_error_text(error));
}

void td_media_fail_leg(struct td_leg *leg, enum td_command_kind command, int error)
{
	struct td_calls *calls = leg->call->calls;

	// What was built on it fails with it, and says no more.
	if (leg->media.failed)
		return;
	calls->stats.media_failures++;
	td_error(leg->call->id, "%s failed: %s", td_command_name(command), td_error_text(error));
	leg->media.failed = true;
	td_leg_post_cause(calls, leg, TD_LEG_MEDIA_FAILED, TD_CAUSE_MEDIA_FAILURE);
}

// Something this call cannot be without has failed.
static void fail_call(struct td_media *media, const struct td_event *event)
{
	struct td_call *call = media->call;

	count_failure(media, event->command, event->result);
	if (call->cause == TD_CAUSE_NONE)
		call->cause = TD_CAUSE_MEDIA_FAILURE;
	// Nothing more is made for it.
	media->context_wanted = false;
	td_call_post(media->calls, call, TD_CALL_MEDIA_LOST);
}

static void fail_members(struct td_media *media, const struct td_event *event)
{
	struct td_list *it;

	TD_LIST_FOREACH (it, &media->members)
		td_media_fail_leg(TD_LIST_ENTRY(it, struct td_leg, media.member),
				  (enum td_command_kind)event->command, event->result);
}

// An object that is to go: gone unless the dataplane did not answer or had no room for the request,
// and then at last too.
static bool gone(struct td_media *media, const struct td_event *event, uint32_t *tries)
{
	bool again = event->result == -TD_ETIMEOUT || event->result == -TD_EBUSY;
	struct td_calls *calls = media->calls;

	if (again && media->context.v != 0 && ++*tries < END_TRIES_MAX) {
		td_wheel_arm(&calls->wheel, &media->retry.timer, calls->now_ms + TD_MEDIA_RETRY_MS);
		return false;
	}
	if (event->result != 0 && event->result != -TD_ESTALE)
		td_warn(name_of(media), "%s failed: %s; taken as done",
			td_command_name(event->command), td_error_text(event->result));
	*tries = 0;
	return true;
}

static void context_created(struct td_media *media, const struct td_event *event)
{
	if (event->result == 0) {
		set_context(media, event->u.context);
		return;
	}
	if (!media->context_wanted)
		return;
	// Without a context there is nothing to try again for: refuse the caller.
	media->context_wanted = false;
	if (media->conference)
		fail_members(media, event);
	else if (media->call->caller)
		td_media_fail_leg(media->call->caller, TD_COMMAND_CONTEXT_CREATE, event->result);
	else
		fail_call(media, event);
}

// Its remote may have gone out with the stream: then that has to have worked, too.
static void ready_if_complete(struct td_leg *leg)
{
	const struct td_leg_media *media = &leg->media;
	bool remote_under_way = media->request_count != media->waits;

	if (leg->call && media->stream.v != 0 && !remote_under_way &&
	    (!media->remote_known || media->remote_applied == media->remote_serial))
		td_post_leg(leg->call->calls, leg, TD_LEG_READY);
}

static void stream_created(struct td_media *media, struct td_leg *leg, const struct td_event *event)
{
	if (event->result != 0) {
		td_media_fail_leg(leg, TD_COMMAND_STREAM_CREATE, event->result);
		return;
	}
	leg->media.stream = event->u.stream_created.stream;
	leg->media.local = event->u.stream_created.local;
	td_media_set_at(leg, media);
	ready_if_complete(leg);
}

static void stream_moved(struct td_media *media, const struct td_media_request *request,
			 const struct td_event *event)
{
	struct td_leg *leg = request->leg;

	if (event->result != 0) {
		td_media_fail_leg(leg, TD_COMMAND_STREAM_MOVE, event->result);
		return;
	}
	td_media_forget_cells(&leg->call->media, leg);
	td_media_set_at(leg, media);
	td_media_take_cells(media, request->undo, request->undo_count);
}

static void stream_destroyed(struct td_media *media, struct td_leg *leg,
			     const struct td_event *event)
{
	leg->media.ending = false;
	if (!gone(media, event, &leg->media.end_tries))
		return;
	if (event->result == 0) {
		leg->media.stats = event->u.stream_destroyed.stats;
		leg->media.has_stats = true;
	}
	leg->media.stream.v = 0;
	td_media_set_at(leg, NULL);
	td_media_forget_cells(&leg->call->media, leg);
}

static void context_destroyed(struct td_media *media, const struct td_event *event)
{
	if (!gone(media, event, &media->end_tries))
		return;
	clear_context(media);
	// It ended with its context; the recorder reports that too.
	if (media->recording.state == TD_RECORDING_RUNNING)
		media->recording.state = TD_RECORDING_CLOSING;
}

static void player_destroyed(struct td_media *media, uint32_t player, const struct td_event *event)
{
	media->players[player].ending = false;
	if (gone(media, event, &media->end_tries))
		td_media_player_gone(media, player);
}

static void recording_stopped(struct td_media *media, const struct td_event *event)
{
	// Stale: it has ended by itself, and its end event is under way.
	td_media_recording_stopped(media, !gone(media, event, &media->end_tries));
}

// One the call can do without: then its leg goes and not the call.
static bool blame(struct td_media *media, struct td_member member, const struct td_event *event)
{
	struct td_leg *leg =
		member.kind == TD_MEMBER_STREAM ? td_media_find_leg(media, member.handle) : NULL;

	if (!leg || leg->media.failed ||
	    (media->call && (leg == media->call->caller || leg == media->call->agent)))
		return false;
	td_media_fail_leg(leg, TD_COMMAND_MATRIX_EDIT, event->result);
	return true;
}

static void matrix_edited(struct td_media *media, const struct td_media_request *request,
			  const struct td_event *event)
{
	bool blamed = false, announced = false;

	if (event->result == 0)
		return;
	td_media_take_cells(media, request->undo, request->undo_count);
	for (uint32_t i = 0; i < request->undo_count; i++) {
		const struct td_cell *cell = &request->undo[i];

		blamed |= blame(media, cell->from, event);
		blamed |= blame(media, cell->to, event);
		announced |= cell->from.kind == TD_MEMBER_PLAYER &&
			     cell->from.handle == media->players[TD_MEDIA_ANNOUNCE].id.v;
	}
	if (!blamed && announced && media->announcement.state == TD_ANNOUNCEMENT_PLAYING) {
		count_failure(media, event->command, event->result);
		td_media_announcement_over(media);
		return;
	}
	if (!blamed && media->call)
		fail_call(media, event);
}

static void apply(struct td_media *media, const struct td_media_request *request,
		  const struct td_event *event)
{
	switch ((enum td_command_kind)request->kind) {
	case TD_COMMAND_CONTEXT_CREATE: context_created(media, event); break;
	case TD_COMMAND_CONTEXT_DESTROY: context_destroyed(media, event); break;
	case TD_COMMAND_STREAM_CREATE: stream_created(media, request->leg, event); break;
	case TD_COMMAND_STREAM_MOVE: stream_moved(media, request, event); break;
	case TD_COMMAND_STREAM_SET_REMOTE:
		if (event->result != 0)
			td_media_fail_leg(request->leg, TD_COMMAND_STREAM_SET_REMOTE,
					  event->result);
		else
			ready_if_complete(request->leg);
		break;
	case TD_COMMAND_STREAM_DESTROY: stream_destroyed(media, request->leg, event); break;
	case TD_COMMAND_PLAYER_CREATE:
	case TD_COMMAND_PLAYER_CONTROL:
		td_media_player_created(media, request->number, event);
		break;
	case TD_COMMAND_PLAYER_DESTROY: player_destroyed(media, request->number, event); break;
	case TD_COMMAND_MATRIX_EDIT: matrix_edited(media, request, event); break;
	case TD_COMMAND_RECORD_START: td_media_recording_started(media, event); break;
	case TD_COMMAND_RECORD_STOP: recording_stopped(media, event); break;
	case TD_COMMAND_CONTEXT_PRIVACY: td_media_privacy_answered(media, event); break;
	case TD_COMMAND_RECORD_ATTACH:
	case TD_COMMAND_RECORD_DETACH:
	case TD_COMMAND_RECORD_CONTROL:
	case TD_COMMAND_RECORD_NOTE:
		td_media_recording_answered(media, request->number, event);
		break;
	case TD_COMMAND_NONE:
	case TD_COMMAND_PING:
	case TD_COMMAND_RESET:
	case TD_COMMAND_CONTEXT_MOVE:
	case TD_COMMAND_STREAM_TUNE:
	case TD_COMMAND_STREAM_DIGITS:
	case TD_COMMAND_FORK_START:
	case TD_COMMAND_FORK_STOP:
	case TD_COMMAND_KIND_COUNT: break;
	}
}

static void step(struct td_media *media)
{
	if (media->conference)
		td_conference_want(media->conference);
	else
		td_media_step(media);
}

// The leg first: it may have to be where another context is, and the one where it was may have
// waited for its going.
static void go_on(struct td_media *media, struct td_leg *leg, struct td_media *before)
{
	struct td_media *room = leg ? leg->media.room : NULL;

	if (leg) {
		td_media_touch(leg);
		td_leg_settle(media->calls, leg);
	}
	if (room && room != media)
		step(room);
	if (before && before != media && before != room)
		step(before);
	step(media);
}

void td_media_answered(void *user, const struct td_event *event)
{
	struct td_media_request *slot = user, request = *slot;
	struct td_media *media = request.media;
	struct td_calls *calls = media->calls;
	struct td_event answer = *event;

	td_turn_begin(calls);
	TD_ASSERT(request.kind != 0 && media->request_count > 0);
	// What was asked decides how the answer is read: an answer made by the link has no more.
	answer.command = request.kind;
	slot->kind = 0;
	media->request_count--;
	if (request.leg) {
		request.leg->media.request_count--;
		if (request.kind != TD_COMMAND_STREAM_SET_REMOTE)
			request.leg->media.waits--;
	}
	// The link's own state follows at once and says the rest.
	if (answer.result != -TD_ELINK_DOWN) {
		struct td_media *before = request.leg ? request.leg->media.at : NULL;

		apply(media, &request, &answer);
		go_on(media, request.leg, before);
	}
	td_turn_end(calls);
}

void td_media_leg_lost(struct td_leg *leg)
{
	leg->media.stream.v = 0;
	leg->media.ending = false;
	leg->media.failed = true;
	td_media_set_at(leg, NULL);
	td_media_forget_cells(&leg->call->media, leg);
}

void td_media_lost(struct td_media *media)
{
	TD_ASSERT(media->request_count == 0);
	td_wheel_cancel(&media->calls->wheel, &media->retry.timer);
	clear_context(media);
	media->context_wanted = false;
	td_wheel_cancel(&media->calls->wheel, &media->privacy.end.timer);
	memset(&media->privacy.have, 0, sizeof media->privacy.have);
	media->privacy.wanted = false;
	if (td_recording_is_open(&media->recording))
		td_media_recording_over(media, true);
}

void td_media_event(struct td_calls *calls, const struct td_event *event)
{
	switch ((enum td_event_kind)event->kind) {
	case TD_EVENT_PLAYER_END:
		td_media_player_ended(calls, &event->u.player_end);
		td_notice_player(calls, &event->u.player_end);
		break;
	case TD_EVENT_DIGIT: td_notice_digit(calls, &event->u.digit); break;
	case TD_EVENT_TONE: td_notice_tone(calls, &event->u.tone); break;
	case TD_EVENT_RECORD_CLOSED:
	case TD_EVENT_RECORD_FAILED: td_media_recording_event(calls, event); break;
	case TD_EVENT_FORK_STATE:
	case TD_EVENT_FORK_ENDED:
	case TD_EVENT_FORK_CLOSED: td_forks_event(calls, event); break;
	case TD_EVENT_STREAM_ACTIVE:
	case TD_EVENT_RECORD_ALARM: td_recording_alarm(calls, &event->u.record_alarm); break;
	case TD_EVENT_NONE:
	case TD_EVENT_DONE:
	case TD_EVENT_KIND_COUNT: break;
	}
}

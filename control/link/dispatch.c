#include <sys/eventfd.h>

#include "link/core.h"
#include "td_log.h"

#define DRAIN_BUDGET 2048u // events handled before the loop's other work has a turn

static void finish(const struct td_request *request, const struct td_event *event)
{
	if (request->done)
		request->done(request->user, event);
}

// Ends a request without an answer.
static void finish_unanswered(const struct td_request *request, int error)
{
	const struct td_event event = {
		.request_id = request->id,
		.time_ns = uv_hrtime(),
		.kind = TD_EVENT_DONE,
		.result = error,
		.command = request->kind,
	};

	finish(request, &event);
}

void td_link_finish_all(struct td_link *link, int error)
{
	struct td_request request;

	while (td_requests_take_oldest(&link->requests, &request) == 0)
		finish_unanswered(&request, error);
}

void td_link_expire(struct td_link *link)
{
	uint64_t now_ns = uv_hrtime();
	struct td_request request;

	while (td_requests_take_expired(&link->requests, now_ns, &request) == 0) {
		link->stats.timed_out++;
		finish_unanswered(&request, -TD_ETIMEOUT);
	}
}

static bool undo_of(const struct td_event *event, struct td_command *undo)
{
	*undo = (struct td_command){ 0 };
	switch (event->command) {
	case TD_COMMAND_CONTEXT_CREATE:
		undo->kind = TD_COMMAND_CONTEXT_DESTROY;
		undo->u.context_destroy = event->u.context;
		return true;
	case TD_COMMAND_STREAM_CREATE:
		undo->kind = TD_COMMAND_STREAM_DESTROY;
		undo->u.stream_destroy = event->u.stream_created.stream;
		return true;
	case TD_COMMAND_PLAYER_CREATE:
		undo->kind = TD_COMMAND_PLAYER_DESTROY;
		undo->u.player_destroy = event->u.player;
		return true;
	case TD_COMMAND_RECORD_START:
		undo->kind = TD_COMMAND_RECORD_STOP;
		undo->u.record_stop = event->u.tap;
		return true;
	default: return false;
	}
}

// Whoever asked has been told that it failed, so what was made after all must go.
static void undo_late_answer(struct td_link *link, const struct td_event *event) TD_CONTROL
{
	struct td_command undo;

	link->stats.answers_late++;
	if (event->result != 0 || link->state != TD_LINK_UP || !undo_of(event, &undo))
		return;
	if (td_link_submit_now(link, &undo, NULL, NULL) != 0)
		td_warn("link", "a late %s cannot be undone: too many requests under way",
			td_command_name(event->command));
}

static void on_done(struct td_link *link, const struct td_event *event) TD_CONTROL
{
	struct td_request request;

	if (td_requests_take(&link->requests, event->request_id, &request) != 0) {
		undo_late_answer(link, event);
		return;
	}
	link->stats.answered++;
	finish(&request, event);
}

static void dispatch(struct td_link *link, const struct td_event *event) TD_CONTROL
{
	if (event->kind == TD_EVENT_DONE) {
		on_done(link, event);
		return;
	}
	if (link->state != TD_LINK_UP) {
		link->stats.events_stale++;
		return;
	}
	link->stats.events++;
	if (link->on_event)
		link->on_event(link->on_event_user, event);
}

// Handles what waits in the rings. A callback may end this attachment, so that is looked at after
// each one.
void td_link_drain(struct td_link *link, struct td_link_attached *attached)
{
	struct td_events *events = &attached->attachment.events;
	struct td_event event;
	int error = 0;

	for (uint32_t budget = DRAIN_BUDGET; budget > 0; budget--) {
		error = td_events_pop(events, &event);
		if (error)
			break;
		dispatch(link, &event);
		if (link->attached != attached)
			return;
	}
	if (events->lost) {
		td_warn("link", "%llu events were lost: an event ring was full",
			(unsigned long long)events->lost);
		link->stats.events_lost += events->lost;
		events->lost = 0;
	}
	if (error == -TD_ECORRUPT) {
		td_link_complain(link, "an event ring is damaged: detaching");
		td_link_step(link, TD_LINK_INPUT_LOST);
	} else if (!error) {
		// There may be more: come back next turn.
		(void)!eventfd_write(attached->attachment.descriptors[TD_ATTACH_EVENT_BELL], 1);
	}
}

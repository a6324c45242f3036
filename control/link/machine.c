#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "link/core.h"
#include "td_log.h"

#define TICK_MS 100u // how often deadlines are looked at

void td_link_complain(struct td_link *link, const char *reason)
{
	if (strcmp(link->complaint, reason) == 0)
		return;
	snprintf(link->complaint, sizeof link->complaint, "%s", reason);
	td_warn("link", "%s; trying again", reason);
}

static void on_bell(uv_poll_t *poll, int status, int readable) TD_CONTROL
{
	struct td_link_attached *attached = poll->data;
	eventfd_t count;

	(void)status;
	(void)readable;
	// Silence the bell before looking: what is pushed from now on rings it again.
	(void)!eventfd_read(attached->attachment.descriptors[TD_ATTACH_EVENT_BELL], &count);
	td_link_drain(attached->link, attached);
}

// Deadlines; and events whose bell a dying dataplane could not ring any more.
static void on_tick(uv_timer_t *timer) TD_CONTROL
{
	struct td_link *link = timer->data;

	td_link_expire(link);
	if (link->attached && link->state >= TD_LINK_RESETTING)
		td_link_drain(link, link->attached);
}

static void on_attached_closed(uv_handle_t *handle)
{
	struct td_link_attached *attached = handle->data;

	if (--attached->handles > 0)
		return;
	td_attachment_close(&attached->attachment);
	free(attached);
}

// Takes the attachment away from the link; requests under way end, then users hear of it.
static void detach(struct td_link *link, bool announced) TD_CONTROL
{
	struct td_link_attached *attached = link->attached;

	link->attached = NULL;
	link->bell_due = false;
	uv_close((uv_handle_t *)&attached->socket_poll, on_attached_closed);
	if (attached->has_bell_poll)
		uv_close((uv_handle_t *)&attached->bell_poll, on_attached_closed);
	uv_timer_stop(&link->tick);
	td_link_finish_all(link, -TD_ELINK_DOWN);
	if (!announced)
		return;
	link->stats.losses++;
	if (link->on_state)
		link->on_state(link->on_state_user, false);
}

static void on_socket(uv_poll_t *poll, int status, int events) TD_CONTROL;

static struct td_link_attached *attached_open(struct td_link *link, char *reason) TD_CONTROL
{
	struct td_link_attached *attached = calloc(1, sizeof *attached);

	if (!attached) {
		snprintf(reason, TD_ATTACH_REASON_MAX, "out of memory");
		return NULL;
	}
	attached->link = link;
	if (td_attachment_connect(&attached->attachment, link->socket_path, reason) != 0) {
		free(attached);
		return NULL;
	}
	if (uv_poll_init(link->loop, &attached->socket_poll, attached->attachment.socket) != 0) {
		snprintf(reason, TD_ATTACH_REASON_MAX, "the event loop refuses the socket");
		td_attachment_close(&attached->attachment);
		free(attached);
		return NULL;
	}
	attached->handles = 1;
	attached->socket_poll.data = attached;
	return attached;
}

static void connect_socket(struct td_link *link) TD_CONTROL
{
	char reason[TD_ATTACH_REASON_MAX];

	link->attached = attached_open(link, reason);
	if (!link->attached) {
		td_link_complain(link, reason);
		td_link_step(link, TD_LINK_INPUT_LOST);
		return;
	}
	uv_poll_start(&link->attached->socket_poll, UV_READABLE | UV_DISCONNECT, on_socket);
	td_link_step(link, TD_LINK_INPUT_CONNECTED);
}

static void on_hello(struct td_link *link, struct td_link_attached *attached) TD_CONTROL
{
	struct td_attachment *attachment = &attached->attachment;
	char reason[TD_ATTACH_REASON_MAX];
	int error = td_attachment_receive(attachment, reason);

	if (error == -TD_EEMPTY)
		return;
	if (!error && uv_poll_init(link->loop, &attached->bell_poll,
				   attachment->descriptors[TD_ATTACH_EVENT_BELL]) != 0) {
		snprintf(reason, sizeof reason, "the event bell is not an eventfd");
		error = -TD_EMALFORMED;
	}
	if (error) {
		link->stats.refusals++;
		td_link_complain(link, reason);
		td_link_step(link, TD_LINK_INPUT_LOST);
		return;
	}
	attached->handles++;
	attached->has_bell_poll = true;
	attached->bell_poll.data = attached;
	uv_poll_start(&attached->bell_poll, UV_READABLE, on_bell);
	td_link_step(link, TD_LINK_INPUT_ATTACHED);
}

static void on_socket(uv_poll_t *poll, int status, int events)
{
	struct td_link_attached *attached = poll->data;
	struct td_link *link = attached->link;

	(void)status;
	(void)events;
	if (link->state == TD_LINK_ATTACHING) {
		on_hello(link, attached);
		return;
	}
	// After the hello nothing is ever sent here: readable means closed.
	td_link_drain(link, attached);
	if (link->attached != attached)
		return;
	td_link_complain(link, "the dataplane closed its socket");
	td_link_step(link, TD_LINK_INPUT_LOST);
}

static void on_reset_done(void *user, const struct td_event *event) TD_CONTROL
{
	struct td_link *link = user;

	if (event->result == 0) {
		td_link_step(link, TD_LINK_INPUT_RESET_DONE);
	} else if (event->result != -TD_ELINK_DOWN) {
		td_link_complain(link, "the dataplane did not carry out RESET");
		td_link_step(link, TD_LINK_INPUT_LOST);
	}
}

static void send_reset(struct td_link *link) TD_CONTROL
{
	struct td_command reset = { .kind = TD_COMMAND_RESET };

	uv_timer_start(&link->tick, on_tick, TICK_MS, TICK_MS);
	if (td_link_submit_now(link, &reset, on_reset_done, link) != 0) {
		td_link_complain(link, "the command ring is full and nobody empties it");
		td_link_step(link, TD_LINK_INPUT_LOST);
	}
}

static void announce_up(struct td_link *link) TD_CONTROL
{
	const struct td_region *region = &link->attached->attachment.region;

	link->stats.attaches++;
	link->complaint[0] = '\0';
	link->backoff_ms = link->backoff_min_ms;
	td_info("link", "attached to dataplane %u: %u workers, room for %u streams, %u prompts",
		region->header->pid, region->worker_count, region->stream_count,
		region->prompt_count);
	if (link->on_state)
		link->on_state(link->on_state_user, true);
}

static void on_state_timer(uv_timer_t *timer) TD_CONTROL
{
	struct td_link *link = timer->data;

	if (link->state == TD_LINK_ATTACHING)
		td_link_complain(link, "the dataplane accepted the connection and said nothing");
	else if (link->state == TD_LINK_RESETTING)
		td_link_complain(link, "the dataplane does not answer RESET");
	td_link_step(link, TD_LINK_INPUT_TIMER);
}

static void arm(struct td_link *link) TD_CONTROL
{
	const struct td_fsm_state *state = &td_link_fsm.states[link->state];
	uint64_t timeout_ms = state->timeout_ms;

	uv_timer_stop(&link->state_timer);
	if (link->destroying || !state->guarded)
		return;
	if (link->state == TD_LINK_DOWN) {
		timeout_ms = link->backoff_ms;
		link->backoff_ms = 2 * link->backoff_ms < link->backoff_max_ms
					   ? 2 * link->backoff_ms
					   : link->backoff_max_ms;
	}
	uv_timer_start(&link->state_timer, on_state_timer, timeout_ms, 0);
}

void td_link_step(struct td_link *link, enum td_link_input input)
{
	const struct td_fsm_cell *cell = td_fsm_step(&td_link_fsm, &link->state, input);

	if (cell->kind == TD_FSM_MOVE)
		arm(link);
	switch ((enum td_link_action)cell->action) {
	case TD_LINK_ACTION_NONE: break;
	case TD_LINK_ACTION_CONNECT: connect_socket(link); break;
	case TD_LINK_ACTION_RESET: send_reset(link); break;
	case TD_LINK_ACTION_ANNOUNCE: announce_up(link); break;
	case TD_LINK_ACTION_ABANDON: detach(link, false); break;
	case TD_LINK_ACTION_LOSE: detach(link, true); break;
	}
}

// The inside of struct td_link, for the files of this room only.
//
//   link.c      life, questions, submitting       (what link.h promises)
//   machine.c   the state machine's actions: connect, hello, RESET, up, detach
//   dispatch.c  what comes out of the event rings, and what did not come in time
//
// Thread: the loop's.
#pragma once

#include <sys/un.h>

#include "link/attach.h"
#include "link/link.h"
#include "link/requests.h"
#include "link/state.h"

// An attachment with its handles on the loop: allocated when connected, freed when libuv has let
// go of both handles. The link forgets it at once, so a new one may begin meanwhile.
struct td_link_attached {
	struct td_attachment attachment;
	uv_poll_t socket_poll, bell_poll;
	bool has_bell_poll;
	unsigned handles;
	struct td_link *link;
};

struct td_link {
	uv_loop_t *loop;
	uint8_t state; // enum td_link_state
	bool destroying, bell_due;
	unsigned handles; // of the link itself, still open
	uv_timer_t state_timer, tick;
	uv_prepare_t prepare;
	struct td_link_attached *attached; // NULL in DOWN
	struct td_requests requests;
	uint64_t deadline_ns;
	uint32_t backoff_ms, backoff_min_ms, backoff_max_ms;
	td_link_event_fn on_event;
	void *on_event_user;
	td_link_state_fn on_state;
	void *on_state_user;
	struct td_link_stats stats;
	char socket_path[sizeof((struct sockaddr_un *)0)->sun_path];
	char complaint[TD_ATTACH_REASON_MAX]; // what was logged last: the same is not said twice
};

// machine.c. Feeds the state machine and carries out what it says.
void td_link_step(struct td_link *link, enum td_link_input input) TD_CONTROL;
// Logs why there is no link, unless that was the last thing said.
void td_link_complain(struct td_link *link, const char *reason) TD_CONTROL;

// link.c. td_link_submit without the question whether the link is up.
TD_MUST_CHECK int td_link_submit_now(struct td_link *link, struct td_command *command,
				     td_link_done_fn done, void *user) TD_CONTROL;

// dispatch.c. Handles what waits in the rings of `attached`; a callback may end it.
void td_link_drain(struct td_link *link, struct td_link_attached *attached) TD_CONTROL;
void td_link_expire(struct td_link *link) TD_CONTROL;
// Ends every request under way with `error`.
void td_link_finish_all(struct td_link *link, int error) TD_CONTROL;

// The control process's end of the shared region: attach, typed requests, events.
//
//   td_link_submit --> command ring --bell--> dataplane main --> workers
//   done(), on_event() <-- event rings <--bell-- workers and main
//
//   DOWN --connect--> ATTACHING --hello, map, check--> RESETTING --RESET answered--> UP
//     ^--------------------- socket closed, refused, damaged ring ----------------------'
//
// Whenever it is not UP the link tries again by itself, with a back-off. A fresh attachment always
// starts with RESET, so what an earlier control process left behind is gone before UP is reported.
//
//   invariant: requests under way <= requests_max; each ends in exactly one call of its done()
//
// Memory: td_link_create allocates everything; nothing is allocated afterwards except by the
// mapping. Thread: the libuv loop's. When full, td_link_submit answers -TD_EFULL.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "td_command.h"
#include "td_error.h"
#include "td_event.h"
#include "td_region.h"
#include "td_role.h"

enum td_link_state {
	TD_LINK_DOWN,      // waiting to try again
	TD_LINK_ATTACHING, // connected, waiting for the hello and its descriptors
	TD_LINK_RESETTING, // mapped and checked, waiting for the answer to RESET
	TD_LINK_UP,
	TD_LINK_STATE_COUNT
};

const char *td_link_state_name(enum td_link_state state);

// `event` is TD_EVENT_DONE with `result` 0 or -TD_E*; when no answer came it is made here:
// -TD_ETIMEOUT at the deadline, -TD_ELINK_DOWN when the dataplane went away. Valid for the call.
typedef void (*td_link_done_fn)(void *user, const struct td_event *event);
// An event nobody asked for (player end, stream active, recording). Valid for the call.
typedef void (*td_link_event_fn)(void *user, const struct td_event *event);
// The link came up, or went down; on the way down after every done() of a request under way.
typedef void (*td_link_state_fn)(void *user, bool up);

struct td_link_options {
	const char *socket_path; // <run_dir>/dataplane.sock; copied
	uint32_t requests_max;   // 0: TD_LINK_REQUESTS_DEFAULT
	uint32_t deadline_ms;    // 0: TD_LINK_DEADLINE_DEFAULT_MS; one for all requests
	uint32_t backoff_min_ms; // 0: 50
	uint32_t backoff_max_ms; // 0: 2000
};

#define TD_LINK_REQUESTS_DEFAULT    4096u
#define TD_LINK_DEADLINE_DEFAULT_MS 2000u
#define TD_LINK_SOCKET_NAME         "dataplane.sock" // below config's system.run_dir

struct td_link_stats {
	uint64_t attaches, refusals, losses;
	uint64_t submitted, answered, timed_out, refused_full;
	uint64_t answers_late; // came after their deadline; objects they made are destroyed again
	uint64_t events;       // unsolicited, delivered
	uint64_t events_lost;  // gaps in the sequence: a ring was full
	uint64_t events_stale; // meant for an earlier control process
	uint32_t requests_now, requests_peak;
};

struct td_link;

// Prepares a link that is DOWN; nothing happens before td_link_start. -TD_EMEMORY, -TD_EINVALID
// (path too long for a Unix socket).
TD_MUST_CHECK int td_link_create(uv_loop_t *loop, const struct td_link_options *options,
				 struct td_link **out) TD_CONTROL;

// Sets the callbacks; before td_link_start. Either may be NULL.
void td_link_on_event(struct td_link *link, td_link_event_fn fn, void *user) TD_CONTROL;
void td_link_on_state(struct td_link *link, td_link_state_fn fn, void *user) TD_CONTROL;

// Begins to attach, now and after every loss.
void td_link_start(struct td_link *link) TD_CONTROL;

// Sends a copy of `command` (request_id and deadline_ns are filled in here, also in the caller's
// copy). 0: `done` (may be NULL) is called exactly once, later, never from within this call.
// -TD_ELINK_DOWN, -TD_EFULL: it is never called.
TD_MUST_CHECK int td_link_submit(struct td_link *link, struct td_command *command,
				 td_link_done_fn done, void *user) TD_CONTROL;

bool td_link_is_up(const struct td_link *link) TD_CONTROL;
enum td_link_state td_link_state(const struct td_link *link) TD_CONTROL;
// The mapped region for live statistics, mirrors and prompts; NULL unless UP. Good until the next
// on_state(false).
const struct td_region *td_link_region(const struct td_link *link) TD_CONTROL;
// A prompt's index in the region's table by its configured name; -TD_ENOT_FOUND, -TD_ELINK_DOWN.
TD_MUST_CHECK int td_link_find_prompt(const struct td_link *link, const char *name, uint32_t *index)
	TD_CONTROL;
void td_link_get_stats(const struct td_link *link, struct td_link_stats *out) TD_CONTROL;

// Detaches; requests under way end with -TD_ELINK_DOWN first. Frees `link` once the loop has run
// its close callbacks; the caller must not touch it again.
void td_link_destroy(struct td_link *link) TD_CONTROL;

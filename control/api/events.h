// The stream of events subscribers read, numbered from 1 without holes.
//
//   publish --> ring of the last 1024 lines <-- each subscriber reads at its own pace
//
//   invariant: a line with number s is in slot s % 1024, or it is gone
//
// There is no queue a client: a slow one simply falls behind, and when the ring has overtaken it
// the next thing it reads is a gap that says which numbers it missed. That is also how a client
// that comes back asks for what it missed ("since"). While nobody is interested (no subscriber, and
// none for a minute) lines are numbered but not composed.
//
// Memory: lines are malloc'd, at most 1024; when one cannot be had it becomes a gap. One thread;
// time is an argument.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#define TD_EVENTS_KEPT      1024
#define TD_EVENTS_LINGER_MS 60000 // lines are still kept this long after the last subscriber left

struct td_events_line {
	uint64_t seq;
	char *text; // with its newline
	size_t bytes;
};

struct td_events {
	uint64_t seq; // of the last event
	unsigned subscribers;
	uint64_t linger_until_ms;
	struct td_events_line lines[TD_EVENTS_KEPT];
};

void td_events_init(struct td_events *events);
void td_events_fini(struct td_events *events);

// Whether lines are worth composing now.
bool td_events_wanted(const struct td_events *events, uint64_t now_ms);
void td_events_join(struct td_events *events);
void td_events_part(struct td_events *events, uint64_t now_ms);

// Numbers an event; `params` (may be NULL: nobody wanted it) is the object a subscriber gets, to
// which "seq" is added. Takes params.
void td_events_publish(struct td_events *events, json_t *params);

// What a subscriber who wants number `*next` reads now: a line, or a gap made for it in `gap` (128
// bytes). Moves *next on. NULL: nothing yet.
const char *td_events_read(const struct td_events *events, uint64_t *next, char gap[128],
			   size_t *bytes);

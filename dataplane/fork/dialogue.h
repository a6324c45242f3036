// A fork to somebody who listens and may speak: a speech recogniser, a voice bot (frame.h).
//
//   tap records --add--> voices --> timeline --20 ms, TD_DIALOGUE_DELAY_MS behind--> [ out ] --> socket
//   the worker <-- td_live <-- said <-- [ in ] <-- socket
//
// What does not fit into `out` because the far end does not read is lost and counted, frame by frame;
// the position of the next one says so. Nothing waits, ever. Forker thread; memory from create on.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fork/said.h"
#include "media/tap.h"
#include "td_event.h"

#define TD_DIALOGUE_DELAY_MS 60u // how long a late packet is waited for
#define TD_DIALOGUE_TRACKS   2u

struct td_dialogue;

struct td_dialogue_options {
	int fd;                  // connected, does not block; taken
	const char *call, *fork; // for the greeting
	const char *tracks[TD_DIALOGUE_TRACKS];
	uint32_t track_count;
	uint32_t rate_hz;           // 8000 or 16000
	struct td_live *live;       // borrowed; NULL: the far end does not speak
	struct td_event_fork *seen; // counters to count in; borrowed
};

// NULL: no memory; the socket is closed.
struct td_dialogue *td_dialogue_create(const struct td_dialogue_options *options, uint64_t now_ns);
// Says why, as far as that can be said at once, and closes the connection.
void td_dialogue_destroy(struct td_dialogue *dialogue, const char *why);

void td_dialogue_add(struct td_dialogue *dialogue, const struct td_tap_record *record);

// Sends what is due and takes what has come. 0, or why the far end is no more: -TD_EEMPTY it has
// said so or hung up, -TD_EMALFORMED it does not keep to frame.h, -TD_EIO, -TD_EFULL too many marks.
TD_MUST_CHECK int td_dialogue_turn(struct td_dialogue *dialogue, uint64_t now_ns);

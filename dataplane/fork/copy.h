// One fork of whatever kind, as the forker has it: begin, add records, turn, finish.
//
//   td_copy_reach (main: the far end answers, or it does not) --> begin --> add, turn ... --> finish
//
// A slot is used again once it has been finished and told closed. Forker thread, but for reach.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fork/forker.h"

struct td_capture;
struct td_dialogue;
struct td_rtp_copy;

// What main has made ready for one; taken by begin.
struct td_copy_start {
	struct td_command_fork_start command;
	const struct td_forker_destination *destination; // NULL: a capture
	int fd;                                          // of a socket
	struct td_rtp_copy *rtp;
	struct td_live *live; // NULL: it does not speak
};

struct td_copy {
	struct td_fork_id id; // v == 0: not in use
	struct td_copy_start start;
	struct td_dialogue *dialogue; // one of the three, NULL after an error
	struct td_rtp_copy *rtp;
	struct td_capture *capture;
	bool ended; // its far end is gone, for `result`
	int result;
	struct td_event_fork seen, told;
	uint64_t told_ns;
};

// Connects, and takes the memory that a worker will see. The errors of td_forker_open; nothing is left
// behind then.
TD_MUST_CHECK int td_copy_reach(struct td_copy_start *start, struct td_event_fork *seen);

// 0, or why it has ended at once. It has to be finished in either case.
TD_MUST_CHECK int td_copy_begin(struct td_copy *copy, struct td_fork_id id,
				const struct td_copy_start *start, int captures_fd,
				uint64_t now_ns);
// Frees everything but the counters; result is the last word.
void td_copy_finish(struct td_copy *copy, uint64_t now_ns);

// 0, or why it has ended.
TD_MUST_CHECK int td_copy_add(struct td_copy *copy, const struct td_tap_record *record);
TD_MUST_CHECK int td_copy_turn(struct td_copy *copy, uint64_t now_ns);

// True about once a second, when its counters are others than they were.
bool td_copy_has_moved(struct td_copy *copy, uint64_t now_ns);
const char *td_copy_name(const struct td_copy *copy);

// The codec work of calls between PCMU and Opus (opus_calls.h) and nothing else: no packets, no jitter
// buffers, no engine. In every millisecond a twentieth of the calls, one frame each way; sleep until
// the next. How late its milliseconds begin is what the machine does to any thread that is so busy
// with so much memory.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "mix/opus_calls.h"
#include "mix/slot_log.h"

struct td_bare_call;

struct td_bare_calls {
	const struct td_opus_calls *like;
	struct td_bare_call *calls;
	uint32_t made, max;
	uint32_t count; // of those made, that talk
	struct td_slot_log *log;
	_Atomic uint64_t busy_ns;
	_Atomic bool counting, stop;
};

// At most `max` of them, which say what those of `like` say; borrows it.
void td_bare_calls_open(struct td_bare_calls *calls, const struct td_opus_calls *like,
			uint32_t max);
void td_bare_calls_close(struct td_bare_calls *calls);
// While they do not run.
void td_bare_calls_have(struct td_bare_calls *calls, uint32_t count);
// A thread's loop until `stop`. `user` is the calls; returns 0.
int td_bare_calls_run(void *user);

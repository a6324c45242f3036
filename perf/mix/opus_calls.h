// Calls between a phone with PCMU and one with Opus, whose tick is nearly all codec: load by the
// call, and as much state as a stream can have.
#pragma once

#include <stdint.h>

#include "rig/hall.h"

extern const struct td_codec_settings td_opus_calls_settings;

struct td_opus_calls {
	struct td_hall *hall;
	struct td_loop *said[2]; // in PCMU, in Opus
	struct td_context_id *contexts;
	uint32_t count; // talking
	uint32_t made;  // and those that are on hold
};

void td_opus_calls_open(struct td_opus_calls *calls, struct td_hall *hall);
// Where in its loops a call begins.
uint32_t td_opus_calls_begin(uint32_t call);
void td_opus_calls_close(struct td_opus_calls *calls);
// One more, of parties 2 * count and 2 * count + 1.
void td_opus_calls_add(struct td_opus_calls *calls);
// One less: the last one is put on hold, and td_opus_calls_add resumes it.
void td_opus_calls_drop(struct td_opus_calls *calls);

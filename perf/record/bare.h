// The least that recording takes: the same samples, decoded, hashed and written by one loop.
//
// As many files, in chunks as large, made durable as often, and files made and renamed as a recording's
// are; no ring, no order, no clock, no gaps.
#pragma once

#include <stdint.h>

#define TD_BARE_CALLS 1000u
#define TD_BARE_FRAME 160u // samples, and bytes of G.711

// ns, CPU time of the calling thread.
struct td_bare {
	double decode, hash, write, sync; // a frame
	double files;                     // a recording: its file and its sidecar
};

// `frames` of either side of every call, below `folder`, which is to have no folder `name` yet.
struct td_bare td_bare_run(const char *folder, const char *name, uint32_t frames);

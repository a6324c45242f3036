// A forker thread with its destinations, and a tap ring that the test fills as a worker would.
//
// Destination 0, "bot", is a socket that the test listens at; 1, "rtp", is given its address by the test; 2,
// "nobody", is never there. What is reported is kept by kind and fork.
#pragma once

#include <stdbool.h>

#include "fork/forker.h"

#define MS         1000000ull
#define FORK_COUNT 100

extern char rig_captures[96]; // the folder
extern int rig_listener;      // of "bot"
extern struct td_tap_ring *rig_ring;
extern struct td_forker *rig_forker;
extern struct td_forker_destination rig_destinations[3];
// The last report of each kind about each fork.
extern struct td_event rig_last[TD_EVENT_KIND_COUNT][FORK_COUNT + 1];

// For tcase_add_checked_fixture.
void rig_setup(void);
void rig_teardown(void);

uint64_t rig_now_ns(void);
void rig_rest_until(uint64_t then_ns);
// How often it was reported; waits until it was so often, 10 s at most.
uint32_t rig_reported(enum td_event_kind kind);
void rig_wait_for(enum td_event_kind kind, uint32_t count);

struct td_fork_id rig_id_of(uint32_t index);
// Of two tracks; NULL: a capture.
int rig_open_fork(uint32_t index, const char *destination, struct td_live **live);
// What a worker does; false when the ring is full.
bool rig_put(uint32_t index, uint8_t track, uint32_t number, uint8_t fill, uint64_t at_ns);

// Two parties who hear each other, and forks of what they say.
#pragma once

#include "far_end.h"
#include "world.h"

extern struct world world;
extern struct td_context_id context;
extern struct world_party a, b;
extern struct td_live live; // what a far end that speaks is given

// With room for so many.
void fork_open(uint32_t forks);
void fork_open_on(uint32_t workers, uint32_t forks);
void fork_close(void);

// Of both parties, to "bot"; to vary.
struct td_command fork_start_of(enum td_fork_what what);
struct td_event_fork_started fork_start(enum td_fork_what what);
struct td_event fork_stop(struct td_fork_id fork);
// The forker reports it closed, whereupon its handle is free.
void fork_closed(struct td_fork_id fork);

struct td_engine_counts fork_counts(void);
// The mean of what this party was sent last; packets are forgotten.
int fork_heard(const struct world_party *party);

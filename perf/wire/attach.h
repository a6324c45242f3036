// A benchmark in the place of tandem-control: attaches to a running dataplane and sends commands.
//
// Single thread, blocking; exits with a sentence when anything goes wrong, since a benchmark that
// could not set up has nothing to say. `idle` runs while an answer is awaited (it answers ARP).
#pragma once

#include <stdint.h>

#include "td_command.h"
#include "td_event.h"

struct td_attach;

struct td_attach *td_attach_open(const char *socket_path, void (*idle)(void *user), void *user);
void td_attach_close(struct td_attach *attach);

// Sends one command and waits for its answer, which must be success.
void td_attach_call(struct td_attach *attach, struct td_command *command, struct td_event *answer);

// One call of two streams that hear each other, as two parties at `near` and `far` would have it.
struct td_attach_call_streams {
	struct td_endpoint near_local, far_local; // where the parties send
};
void td_attach_make_call(struct td_attach *attach, const struct td_endpoint *near,
			 const struct td_endpoint *far, struct td_attach_call_streams *out);

// Packets dropped by all workers so far, and the name of the most frequent reason.
uint64_t td_attach_drops(const struct td_attach *attach, const char **reason);

// Who may talk to the API: one token, and a door that closes for those who guess.
//
//   five wrong tokens within 60 s from one address -> every attempt from it is refused for 60 s
//
// The comparison takes the same time whatever is wrong with the token. Pure: time is an argument.
// The table holds 64 addresses; when it is full the one whose last failure is oldest is forgotten.
// Caller's memory; one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "td_endpoint.h"

#define TD_GATE_TOKEN_MAX   256 // as config's api.token
#define TD_GATE_FAILURE_MAX 5
#define TD_GATE_WINDOW_MS   60000
#define TD_GATE_BLOCK_MS    60000
#define TD_GATE_SOURCE_MAX  64

struct td_gate_source {
	struct td_endpoint addr; // family NONE: free
	unsigned failures;
	uint64_t first_ms, last_ms; // of the failures in this window
	uint64_t blocked_until_ms;
};

struct td_gate {
	char token[TD_GATE_TOKEN_MAX + 1];
	size_t token_bytes;
	uint64_t failures, blocked; // attempts, since the start
	struct td_gate_source sources[TD_GATE_SOURCE_MAX];
};

enum td_gate_answer { TD_GATE_OPEN, TD_GATE_WRONG, TD_GATE_BLOCKED };

// Token longer than TD_GATE_TOKEN_MAX: nobody will ever pass.
void td_gate_init(struct td_gate *gate, const char *token);

// One attempt. *wait_ms: how long the door stays closed when it is.
enum td_gate_answer td_gate_try(struct td_gate *gate, const struct td_endpoint *from,
				const char *token, uint64_t now_ms, uint64_t *wait_ms);

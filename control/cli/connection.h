// tandemctl's end of the control API: connect, authenticate, ask, listen.
//
// Blocking, one thread, one request at a time; every wait is bounded by a timeout. Events that come
// between a request and its answer are kept out of the way of the answer and dropped: who wants
// events makes no other requests. Memory: open allocates, close frees; results are the caller's.
#pragma once

#include <stdint.h>

#include <jansson.h>

#include "td_error.h"

#define TD_CONNECTION_ERROR_MAX 320
#define TD_CONNECTION_WAIT_MS   5000

// What became of a request; also tandemctl's exit status.
enum td_outcome {
	TD_OUTCOME_OK = 0,
	TD_OUTCOME_REFUSED = 1,     // the API answered with an error
	TD_OUTCOME_USAGE = 2,       // the command line makes no sense
	TD_OUTCOME_UNREACHABLE = 3, // no connection, or it broke
	TD_OUTCOME_DENIED = 4       // the token was refused
};

struct td_connection;

// "127.0.0.1:5048" or "[::1]:5048". On failure one sentence in `error`.
TD_MUST_CHECK enum td_outcome td_connection_open(const char *address, const char *token,
						 struct td_connection **out,
						 char error[TD_CONNECTION_ERROR_MAX]);
void td_connection_close(struct td_connection *connection);

// Asks and waits for the answer. Takes params (may be NULL). *result is the caller's.
TD_MUST_CHECK enum td_outcome td_connection_ask(struct td_connection *connection,
						const char *method, json_t *params, json_t **result,
						char error[TD_CONNECTION_ERROR_MAX]);

// Waits for the next event (its params), at most wait_ms; *event is NULL when none came.
TD_MUST_CHECK enum td_outcome td_connection_event(struct td_connection *connection, int wait_ms,
						  json_t **event,
						  char error[TD_CONNECTION_ERROR_MAX]);

// Operational errors, one enum for both planes.
//
// A function that can fail returns 0 or a negated member: `return -TD_EFULL;`. A bug is never an
// error: it trips TD_ASSERT (td_assert.h). The numbers cross the shared memory between the two
// processes, so members are only ever added, just before TD_ERROR_COUNT.
#pragma once

#define TD_MUST_CHECK __attribute__((warn_unused_result))

// X(NAME, "sentence a person can read")
#define TD_ERRORS(X)                                                                               \
	X(OK, "success")                                                                           \
	X(INVALID, "invalid argument")                                                             \
	X(STALE, "the handle names something that no longer exists")                               \
	X(FULL, "no room: a configured limit is reached")                                          \
	X(EMPTY, "nothing there")                                                                  \
	X(TRUNCATED, "the input ends too early")                                                   \
	X(MALFORMED, "the input is malformed")                                                     \
	X(VERSION, "wrong version")                                                                \
	X(CORRUPT, "the data contradicts itself")                                                  \
	X(UNSUPPORTED, "not supported")                                                            \
	X(NOT_FOUND, "not found")                                                                  \
	X(EXISTS, "exists already")                                                                \
	X(BUSY, "in use by somebody else")                                                         \
	X(DENIED, "not allowed")                                                                   \
	X(TIMEOUT, "no answer in time")                                                            \
	X(IO, "input or output failed")                                                            \
	X(MEMORY, "out of memory")                                                                 \
	X(NO_PORT, "no free media port")                                                           \
	X(CODEC, "no codec in common")                                                             \
	X(STATE, "not possible in this state")                                                     \
	X(NEEDS_MIX, "this gain matrix needs mixing, which the dataplane does not have")           \
	X(LINK_DOWN, "the other process is not connected")

enum td_error {
#define TD_ERROR_MEMBER(name, text) TD_E##name,
	TD_ERRORS(TD_ERROR_MEMBER)
#undef TD_ERROR_MEMBER
		TD_ERROR_COUNT
};

// The symbolic name ("FULL") and the sentence of an error; takes either sign, never returns NULL.
const char *td_error_name(int error);
const char *td_error_text(int error);

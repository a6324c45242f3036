// Always-on assertions and the trace that explains them.
//
// TD_ASSERT is for bugs only; it stays on in production, prints file, line, role and the last
// trace records of this thread, and aborts so that the supervisor can restart the process. Nothing
// that arrives from outside (packet, SIP message, API line, file, full queue) may ever trip it.
//
// The trace is a per-thread ring of the last TD_TRACE_RECORDS notes: two numbers and a literal.
// Writing one costs a few nanoseconds, takes no lock and makes no system call.
#pragma once

#include <stdint.h>

#include "td_role.h"

#define TD_TRACE_RECORDS 64

#define TD_ASSERT(condition)                                                                       \
	do {                                                                                       \
		if (__builtin_expect(!(condition), 0))                                             \
			td_assert_fail(#condition, __FILE__, __LINE__, __func__);                  \
	} while (0)

_Noreturn void td_assert_fail(const char *condition, const char *file, int line, const char *func);

// Asserts that the calling thread has entered this role.
void td_role_assert(enum td_role role);

// Notes `what` (a string literal: the pointer is kept) with two numbers in this thread's ring.
void td_trace(const char *what, uint64_t a, uint64_t b);
// Writes this thread's ring, oldest first, to a file descriptor; async-signal-safe.
void td_trace_dump(int fd);

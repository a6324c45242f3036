// One line a message on standard error: "2026-01-02T03:04:05.678Z warn  [c42] text".
//
// Log once, where an error is handled, with the call's id. Workers never log: they count.
// A thread may hold its lines back, to write many of them at once; what an error says comes at once
// all the same, after the lines before it. Held lines of a process that is killed are lost.
#pragma once

#include <stdbool.h>

#define TD_LOG_HELD_BYTES 8192 // a thread; more than that is written when it comes

enum td_log_level { TD_LOG_ERROR, TD_LOG_WARN, TD_LOG_INFO, TD_LOG_DEBUG };

void td_log_set_level(enum td_log_level level);
enum td_log_level td_log_level(void);
// `id` is what the line is about ("c42", "trunk carrier") or NULL.
void td_log(enum td_log_level level, const char *id, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// From now on (or no more) this thread's lines below a warning wait for td_log_flush. Whoever holds
// has to flush before it waits for long.
void td_log_hold(bool hold);
// Writes what this thread holds, in one write.
void td_log_flush(void);

#define td_error(id, ...) td_log(TD_LOG_ERROR, (id), __VA_ARGS__)
#define td_warn(id, ...)  td_log(TD_LOG_WARN, (id), __VA_ARGS__)
#define td_info(id, ...)  td_log(TD_LOG_INFO, (id), __VA_ARGS__)
#define td_debug(id, ...) td_log(TD_LOG_DEBUG, (id), __VA_ARGS__)

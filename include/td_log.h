// One line a message on standard error: "2026-01-02T03:04:05.678Z warn  [c42] text".
//
// Log once, where an error is handled, with the call's id. Workers never log: they count.
#pragma once

enum td_log_level { TD_LOG_ERROR, TD_LOG_WARN, TD_LOG_INFO, TD_LOG_DEBUG };

void td_log_set_level(enum td_log_level level);
enum td_log_level td_log_level(void);
// `id` is what the line is about ("c42", "trunk carrier") or NULL.
void td_log(enum td_log_level level, const char *id, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define td_error(id, ...) td_log(TD_LOG_ERROR, (id), __VA_ARGS__)
#define td_warn(id, ...)  td_log(TD_LOG_WARN, (id), __VA_ARGS__)
#define td_info(id, ...)  td_log(TD_LOG_INFO, (id), __VA_ARGS__)
#define td_debug(id, ...) td_log(TD_LOG_DEBUG, (id), __VA_ARGS__)

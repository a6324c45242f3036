#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "td_assert.h"
#include "td_log.h"

#define LINE_BYTES 1024

static _Atomic int level_max = TD_LOG_INFO;
static _Thread_local char held[TD_LOG_HELD_BYTES];
static _Thread_local size_t held_len;
static _Thread_local bool holding;

void td_log_set_level(enum td_log_level level)
{
	atomic_store_explicit(&level_max, (int)level, memory_order_relaxed);
}

enum td_log_level td_log_level(void)
{
	return (enum td_log_level)atomic_load_explicit(&level_max, memory_order_relaxed);
}

void td_log_flush(void)
{
	size_t len = held_len;

	held_len = 0;
	// Whole lines in one write stay whole where two processes share a terminal.
	if (len > 0 && write(STDERR_FILENO, held, len) < 0)
		return;
}

void td_log_hold(bool hold)
{
	holding = hold;
	if (!hold)
		td_log_flush();
}

static size_t put_prefix(char line[LINE_BYTES], enum td_log_level level, const char *id)
{
	static const char *const names[] = { "error", "warn ", "info ", "debug" };
	struct timespec now;
	struct tm utc;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	len = strftime(line, LINE_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
	len += (size_t)snprintf(line + len, LINE_BYTES - len, ".%03ldZ %s %s%s%s",
				now.tv_nsec / 1000000, names[level], id ? "[" : "", id ? id : "",
				id ? "] " : "");
	return len >= LINE_BYTES - 1 ? LINE_BYTES - 2 : len;
}

void td_log(enum td_log_level level, const char *id, const char *format, ...)
{
	char *line;
	size_t len;
	va_list args;

	TD_ASSERT(td_role_get() != TD_ROLE_WORKER);
	if ((int)level > atomic_load_explicit(&level_max, memory_order_relaxed))
		return;
	if (sizeof held - held_len < LINE_BYTES)
		td_log_flush();
	line = held + held_len;
	len = put_prefix(line, level, id);
	va_start(args, format);
	vsnprintf(line + len, LINE_BYTES - len - 1, format, args);
	va_end(args);
	len = strlen(line);
	line[len++] = '\n';
	held_len += len;
	if (!holding || level <= TD_LOG_WARN)
		td_log_flush();
}

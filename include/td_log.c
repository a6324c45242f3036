#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "td_assert.h"
#include "td_log.h"

static _Atomic int level_max = TD_LOG_INFO;

void td_log_set_level(enum td_log_level level)
{
	atomic_store_explicit(&level_max, (int)level, memory_order_relaxed);
}

enum td_log_level td_log_level(void)
{
	return (enum td_log_level)atomic_load_explicit(&level_max, memory_order_relaxed);
}

void td_log(enum td_log_level level, const char *id, const char *format, ...)
{
	static const char *const names[] = { "error", "warn ", "info ", "debug" };
	char line[1024];
	struct timespec now;
	struct tm utc;
	size_t len;
	va_list args;

	TD_ASSERT(td_role_get() != TD_ROLE_WORKER);
	if ((int)level > atomic_load_explicit(&level_max, memory_order_relaxed))
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	len = strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%S", &utc);
	len += (size_t)snprintf(line + len, sizeof line - len, ".%03ldZ %s %s%s%s",
				now.tv_nsec / 1000000, names[level], id ? "[" : "", id ? id : "",
				id ? "] " : "");
	if (len >= sizeof line - 1)
		len = sizeof line - 2;
	va_start(args, format);
	vsnprintf(line + len, sizeof line - len - 1, format, args);
	va_end(args);
	len = strlen(line);
	line[len++] = '\n';
	// One write a line keeps lines of two processes on one terminal whole.
	if (write(STDERR_FILENO, line, len) < 0)
		return;
}

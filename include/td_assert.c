// Roles, the per-thread trace, and the end of a process that found a bug in itself.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "td_assert.h"
#include "td_log.h"

struct trace_record {
	uint64_t time_ns;
	const char *what;
	uint64_t a, b;
};

static _Thread_local enum td_role role_current;
static _Thread_local unsigned role_index;
static _Thread_local struct trace_record trace[TD_TRACE_RECORDS];
static _Thread_local uint32_t trace_next;

struct td_role_capability td_role_control, td_role_main, td_role_worker, td_role_recorder,
	td_role_forker;

void td_role_enter_control(void)
{
	role_current = TD_ROLE_CONTROL;
}

void td_role_enter_main(void)
{
	role_current = TD_ROLE_MAIN;
}

void td_role_enter_worker(unsigned index)
{
	role_current = TD_ROLE_WORKER;
	role_index = index;
}

void td_role_enter_recorder(void)
{
	role_current = TD_ROLE_RECORDER;
}

void td_role_enter_forker(void)
{
	role_current = TD_ROLE_FORKER;
}

enum td_role td_role_get(void)
{
	return role_current;
}

unsigned td_role_index(void)
{
	return role_index;
}

const char *td_role_name(enum td_role role)
{
	switch (role) {
	case TD_ROLE_CONTROL: return "control";
	case TD_ROLE_MAIN: return "main";
	case TD_ROLE_WORKER: return "worker";
	case TD_ROLE_RECORDER: return "recorder";
	case TD_ROLE_FORKER: return "forker";
	case TD_ROLE_NONE: break;
	}
	return "none";
}

void td_role_assert(enum td_role role)
{
	TD_ASSERT(role_current == role);
}

void td_trace(const char *what, uint64_t a, uint64_t b)
{
	struct trace_record *record = &trace[trace_next++ % TD_TRACE_RECORDS];
	struct timespec now;

	// The vDSO: no system call.
	clock_gettime(CLOCK_MONOTONIC, &now);
	*record = (struct trace_record){
		.time_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
		.what = what,
		.a = a,
		.b = b,
	};
}

void td_trace_dump(int fd)
{
	char line[192];

	for (uint32_t i = 0; i < TD_TRACE_RECORDS; i++) {
		const struct trace_record *record = &trace[(trace_next + i) % TD_TRACE_RECORDS];
		int len;

		if (!record->what)
			continue;
		len = snprintf(line, sizeof line, "  %llu.%09llu %s %llu %llu\n",
			       (unsigned long long)(record->time_ns / 1000000000u),
			       (unsigned long long)(record->time_ns % 1000000000u), record->what,
			       (unsigned long long)record->a, (unsigned long long)record->b);
		if (len > 0 && write(fd, line, (size_t)len) < 0)
			return;
	}
}

void td_assert_fail(const char *condition, const char *file, int line, const char *func)
{
	td_log_flush();
	fprintf(stderr, "BUG: %s:%d: %s: assertion \"%s\" failed in %s %u; last trace records:\n",
		file, line, func, condition, td_role_name(role_current), role_index);
	fflush(stderr);
	td_trace_dump(STDERR_FILENO);
	abort();
}

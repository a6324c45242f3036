// Check's assertions without Check's runner, for the tests' helpers that a fuzz target borrows: one
// that fails says where and aborts, which is what a fuzzer and the replay look for.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <check.h>

// The names are Check's own.
void _ck_assert_failed(const char *file, int line, const char *expr, const char *msg, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: %s: ", file, line, expr);
	if (msg != NULL) {
		va_start(args, msg);
		vfprintf(stderr, msg, args);
		va_end(args);
	}
	fprintf(stderr, "\n");
	abort();
}

void _mark_point(const char *file, int line)
{
	(void)file;
	(void)line;
}

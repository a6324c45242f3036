// A description being written: appends to the caller's buffer, never past its end.
//
// Invariant: len < bytes and text[len] == 0. What does not fit sets `full` and writes nothing more,
// so a writer checks once, at the end. Internal to the room; any thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct td_sdp_text {
	char *text;
	size_t bytes;
	size_t len;
	bool full;
};

// bytes must be at least 1.
struct td_sdp_text td_sdp_text_init(char *text, size_t bytes);
void td_sdp_text_printf(struct td_sdp_text *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

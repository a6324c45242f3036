// A span of bytes that somebody else owns: what a parser hands out instead of copies.
//
// Invariant: `at` points to `len` readable bytes, or `len` is 0 (then `at` may be NULL). A span is
// not terminated and may hold NULs; print it with "%.*s" and TD_STR_ARGS. It *borrows*: it is valid
// as long as the buffer under it, never longer. Any thread, no allocation.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "td_error.h"

struct td_str {
	const char *at;
	size_t len;
};

// A span over a string literal.
#define TD_STR(literal)   ((struct td_str){ "" literal, sizeof(literal) - 1 })
#define TD_STR_NONE       ((struct td_str){ NULL, 0 })
#define TD_STR_ARGS(span) (int)(span).len, (span).at ? (span).at : ""

static inline struct td_str td_str_make(const char *at, size_t len)
{
	return (struct td_str){ at, len };
}

// A span over a NUL-terminated string; NULL gives the empty span.
static inline struct td_str td_str_from(const char *text)
{
	return (struct td_str){ text, text ? strlen(text) : 0 };
}

static inline bool td_str_empty(struct td_str s)
{
	return s.len == 0;
}

static inline bool td_str_equal(struct td_str a, struct td_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

// ASCII only, independent of the locale: protocol tokens, not prose.
static inline char td_ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool td_str_equal_nocase(struct td_str a, struct td_str b);
bool td_str_starts(struct td_str s, struct td_str prefix);
// Position of the first `c`, or s.len.
size_t td_str_find(struct td_str s, char c);
// Without leading and trailing SP, HTAB, CR and LF.
struct td_str td_str_trim(struct td_str s);
// The part from `from` on (clamped to the end), and the part before `to` (clamped likewise).
struct td_str td_str_after(struct td_str s, size_t from);
struct td_str td_str_before(struct td_str s, size_t to);
// All of s must be decimal digits; leading zeros are fine. -TD_EMALFORMED when empty or not a
// number, -TD_EFULL when it is a number that does not fit (out is then UINT32_MAX).
TD_MUST_CHECK int td_str_to_u32(struct td_str s, uint32_t *out);
// Copies into a NUL-terminated buffer; -TD_EFULL (and an empty string) when it does not fit, and
// -TD_EMALFORMED when s holds a NUL, which a C string would silently end at.
TD_MUST_CHECK int td_str_copy(struct td_str s, char *out, size_t out_bytes);

// The lexer under the SIP parsers: a cursor over a span, and character classes of RFC 3261 25.1.
//
// Invariant: at <= end; every function only moves `at` forward and never past `end`. Private to this
// room. No allocation, no lookahead beyond one byte.
#pragma once

#include "base/str.h"

enum {
	TD_LEX_ALNUM = 1 << 0,
	TD_LEX_TOKEN = 1 << 1, // token
	TD_LEX_WORD = 1 << 2,  // word, as in Call-ID
	TD_LEX_USER = 1 << 3,  // user, without escapes; '#' too, since phones send it bare
	TD_LEX_PASS = 1 << 4,  // password, without escapes
	TD_LEX_PARAM = 1 << 5, // paramchar, without escapes
	TD_LEX_HDR = 1 << 6,   // hname, hvalue, '=' and '&', without escapes
	TD_LEX_HOST = 1 << 7   // hostname, and '_', which carriers use
};

extern const uint8_t td_lex_class[256];

struct td_lex {
	const char *at, *end;
};

static inline struct td_lex td_lex_make(struct td_str s)
{
	return (struct td_lex){ s.at, s.at ? s.at + s.len : s.at };
}

static inline bool td_lex_is(char c, unsigned set)
{
	return (td_lex_class[(uint8_t)c] & set) != 0;
}

static inline bool td_lex_done(const struct td_lex *lex)
{
	return lex->at == lex->end;
}

static inline size_t td_lex_left(const struct td_lex *lex)
{
	return (size_t)(lex->end - lex->at);
}

static inline struct td_str td_lex_rest(const struct td_lex *lex)
{
	return td_str_make(lex->at, td_lex_left(lex));
}

// Linear white space. The framing has made sure that CR and LF occur only in folds.
static inline void td_lex_skip_lws(struct td_lex *lex)
{
	while (lex->at < lex->end &&
	       (*lex->at == ' ' || *lex->at == '\t' || *lex->at == '\r' || *lex->at == '\n'))
		lex->at++;
}

static inline bool td_lex_peek(const struct td_lex *lex, char c)
{
	return lex->at < lex->end && *lex->at == c;
}

static inline bool td_lex_take(struct td_lex *lex, char c)
{
	if (!td_lex_peek(lex, c))
		return false;
	lex->at++;
	return true;
}

// SWS c SWS
static inline bool td_lex_take_spaced(struct td_lex *lex, char c)
{
	struct td_lex saved = *lex;

	td_lex_skip_lws(lex);
	if (!td_lex_take(lex, c)) {
		*lex = saved;
		return false;
	}
	td_lex_skip_lws(lex);
	return true;
}

// The longest run of characters of `set`; may be empty.
static inline struct td_str td_lex_run(struct td_lex *lex, unsigned set)
{
	const char *begin = lex->at;

	while (lex->at < lex->end && td_lex_is(*lex->at, set))
		lex->at++;
	return td_str_make(begin, (size_t)(lex->at - begin));
}

// A quoted string with its quotes; the cursor stands on the opening one. False when it never closes.
bool td_lex_quoted(struct td_lex *lex, struct td_str *out);
// Is all of s characters of `set` or, where `escapes`, %HH?
bool td_lex_all(struct td_str s, unsigned set, bool escapes);
// host [":" port] with SWS around the colon. False when malformed.
bool td_lex_host_port(struct td_lex *lex, struct td_str *host, bool *is_ipv6, uint16_t *port);
// One ";name[=value]" of a header. False at the end (*ok stays true) or when malformed (*ok false).
bool td_lex_param(struct td_lex *lex, struct td_str *name, struct td_str *value, bool *ok);

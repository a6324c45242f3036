#include "sip/lex.h"

#define ALL_OF_THEM                                                                                \
	(TD_LEX_ALNUM | TD_LEX_TOKEN | TD_LEX_WORD | TD_LEX_USER | TD_LEX_PASS | TD_LEX_PARAM |    \
	 TD_LEX_HDR | TD_LEX_HOST)
#define URI_ANY (TD_LEX_USER | TD_LEX_PASS | TD_LEX_PARAM | TD_LEX_HDR)

const uint8_t td_lex_class[256] = {
	['a' ... 'z'] = ALL_OF_THEM,
	['A' ... 'Z'] = ALL_OF_THEM,
	['0' ... '9'] = ALL_OF_THEM,
	['-'] = ALL_OF_THEM & ~TD_LEX_ALNUM,
	['.'] = ALL_OF_THEM & ~TD_LEX_ALNUM,
	['_'] = ALL_OF_THEM & ~TD_LEX_ALNUM,
	['!'] = TD_LEX_TOKEN | TD_LEX_WORD | URI_ANY,
	['~'] = TD_LEX_TOKEN | TD_LEX_WORD | URI_ANY,
	['*'] = TD_LEX_TOKEN | TD_LEX_WORD | URI_ANY,
	['\''] = TD_LEX_TOKEN | TD_LEX_WORD | URI_ANY,
	['('] = TD_LEX_WORD | URI_ANY,
	[')'] = TD_LEX_WORD | URI_ANY,
	['%'] = TD_LEX_TOKEN | TD_LEX_WORD,
	['+'] = TD_LEX_TOKEN | TD_LEX_WORD | URI_ANY,
	['`'] = TD_LEX_TOKEN | TD_LEX_WORD,
	['&'] = URI_ANY,
	['='] = TD_LEX_USER | TD_LEX_PASS | TD_LEX_HDR,
	['$'] = URI_ANY,
	[','] = TD_LEX_USER | TD_LEX_PASS,
	[';'] = TD_LEX_USER,
	['?'] = TD_LEX_USER | TD_LEX_HDR | TD_LEX_WORD,
	['/'] = TD_LEX_USER | TD_LEX_PARAM | TD_LEX_HDR | TD_LEX_WORD,
	['#'] = TD_LEX_USER,
	['['] = TD_LEX_PARAM | TD_LEX_HDR | TD_LEX_WORD,
	[']'] = TD_LEX_PARAM | TD_LEX_HDR | TD_LEX_WORD,
	[':'] = TD_LEX_PARAM | TD_LEX_HDR | TD_LEX_WORD,
	['<'] = TD_LEX_WORD,
	['>'] = TD_LEX_WORD,
	['\\'] = TD_LEX_WORD,
	['"'] = TD_LEX_WORD,
	['{'] = TD_LEX_WORD,
	['}'] = TD_LEX_WORD,
};

bool td_lex_quoted(struct td_lex *lex, struct td_str *out)
{
	const char *begin = lex->at;

	if (!td_lex_take(lex, '"'))
		return false;
	while (lex->at < lex->end) {
		char c = *lex->at++;

		if (c == '"') {
			*out = td_str_make(begin, (size_t)(lex->at - begin));
			return true;
		}
		if (c == '\\' && lex->at < lex->end)
			lex->at++;
	}
	return false;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (td_ascii_lower(c) >= 'a' && td_ascii_lower(c) <= 'f');
}

bool td_lex_all(struct td_str s, unsigned set, bool escapes)
{
	for (size_t i = 0; i < s.len; i++) {
		if (escapes && s.at[i] == '%') {
			if (s.len - i < 3 || !is_hex(s.at[i + 1]) || !is_hex(s.at[i + 2]))
				return false;
			i += 2;
		} else if (!td_lex_is(s.at[i], set)) {
			return false;
		}
	}
	return true;
}

static bool take_ipv6(struct td_lex *lex, struct td_str *host)
{
	const char *begin = lex->at;

	while (lex->at < lex->end && (is_hex(*lex->at) || *lex->at == ':' || *lex->at == '.'))
		lex->at++;
	*host = td_str_make(begin, (size_t)(lex->at - begin));
	return td_str_find(*host, ':') < host->len && td_lex_take(lex, ']');
}

bool td_lex_host_port(struct td_lex *lex, struct td_str *host, bool *is_ipv6, uint16_t *port)
{
	uint32_t number;

	*port = 0;
	*is_ipv6 = td_lex_take(lex, '[');
	if (*is_ipv6) {
		if (!take_ipv6(lex, host))
			return false;
	} else {
		*host = td_lex_run(lex, TD_LEX_HOST);
		if (!host->len)
			return false;
	}
	if (!td_lex_take_spaced(lex, ':'))
		return true;
	if (td_str_to_u32(td_lex_run(lex, TD_LEX_ALNUM), &number) || !number || number > 65535)
		return false;
	*port = (uint16_t)number;
	return true;
}

// token, host (IPv6 in brackets, ports) or quoted string
static bool take_param_value(struct td_lex *lex, struct td_str *value)
{
	const char *begin = lex->at;

	if (td_lex_peek(lex, '"'))
		return td_lex_quoted(lex, value);
	while (lex->at < lex->end && (td_lex_is(*lex->at, TD_LEX_TOKEN) || *lex->at == ':' ||
				      *lex->at == '[' || *lex->at == ']' || *lex->at == '/'))
		lex->at++;
	*value = td_str_make(begin, (size_t)(lex->at - begin));
	return value->len != 0;
}

bool td_lex_param(struct td_lex *lex, struct td_str *name, struct td_str *value, bool *ok)
{
	*ok = true;
	*value = TD_STR_NONE;
	td_lex_skip_lws(lex);
	if (td_lex_done(lex))
		return false;
	*ok = false;
	if (!td_lex_take_spaced(lex, ';'))
		return false;
	*name = td_lex_run(lex, TD_LEX_TOKEN);
	if (!name->len)
		return false;
	if (td_lex_take_spaced(lex, '=') && !take_param_value(lex, value))
		return false;
	*ok = true;
	return true;
}

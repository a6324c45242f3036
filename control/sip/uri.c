#include "sip/uri.h"

#include <arpa/inet.h>

#include "sip/lex.h"

#define DEFAULT_PORT 5060

static enum td_sip_scheme scheme_of(struct td_str text)
{
	if (td_str_equal_nocase(text, TD_STR("sip")))
		return TD_SIP_SCHEME_SIP;
	if (td_str_equal_nocase(text, TD_STR("sips")))
		return TD_SIP_SCHEME_SIPS;
	if (td_str_equal_nocase(text, TD_STR("tel")))
		return TD_SIP_SCHEME_TEL;
	return TD_SIP_SCHEME_OTHER;
}

// RFC 3986 section 3.1, up to and including the colon.
static bool take_scheme(struct td_lex *lex, struct td_str *out)
{
	const char *begin = lex->at;

	if (td_lex_done(lex) || !td_lex_is(*begin, TD_LEX_ALNUM) ||
	    (*begin >= '0' && *begin <= '9'))
		return false;
	while (lex->at < lex->end && (td_lex_is(*lex->at, TD_LEX_ALNUM) || *lex->at == '+' ||
				      *lex->at == '-' || *lex->at == '.'))
		lex->at++;
	*out = td_str_make(begin, (size_t)(lex->at - begin));
	return td_lex_take(lex, ':');
}

static struct td_str param_name(struct td_str param)
{
	return td_str_before(param, td_str_find(param, '='));
}

static bool param_ok(struct td_str param)
{
	struct td_str name = param_name(param);

	return name.len && td_lex_all(name, TD_LEX_PARAM, true) &&
	       td_lex_all(td_str_after(param, name.len + 1), TD_LEX_PARAM, true);
}

// Each of "a;b=c;d" has a name that no other has (19.1.1), and nothing else than paramchars, escapes
// and one '='. The bound keeps what compares parameter by parameter cheap.
static bool check_params(struct td_str params)
{
	struct td_str names[TD_SIP_URI_PARAM_MAX];
	unsigned count = 0;

	while (params.len) {
		size_t end = td_str_find(params, ';');
		struct td_str one = td_str_before(params, end);

		if (count == TD_SIP_URI_PARAM_MAX || !param_ok(one))
			return false;
		names[count] = param_name(one);
		for (unsigned i = 0; i < count; i++) {
			if (td_str_equal_nocase(names[i], names[count]))
				return false;
		}
		count++;
		if (end == params.len)
			return true;
		params = td_str_after(params, end + 1);
		if (!params.len)
			return false; // a ';' at the very end
	}
	return true;
}

static int parse_userinfo(struct td_str info, struct td_sip_uri *out)
{
	size_t colon = td_str_find(info, ':');

	out->user = td_str_before(info, colon);
	out->password = td_str_after(info, colon + 1);
	if (!out->user.len || !td_lex_all(out->user, TD_LEX_USER, true) ||
	    !td_lex_all(out->password, TD_LEX_PASS, true))
		return -TD_EMALFORMED;
	return 0;
}

// hostport *( ";" param ) [ "?" headers ]
static int parse_after_user(struct td_lex *lex, struct td_sip_uri *out)
{
	struct td_str rest;
	size_t mark;

	if (!td_lex_host_port(lex, &out->host, &out->host_is_ipv6, &out->port))
		return -TD_EMALFORMED;
	rest = td_lex_rest(lex);
	mark = td_str_find(rest, '?');
	if (mark < rest.len) {
		out->headers = td_str_after(rest, mark + 1);
		if (!out->headers.len || !td_lex_all(out->headers, TD_LEX_HDR, true))
			return -TD_EMALFORMED;
		rest = td_str_before(rest, mark);
	}
	if (!rest.len)
		return 0;
	if (rest.at[0] != ';' || rest.len == 1)
		return -TD_EMALFORMED;
	out->params = td_str_after(rest, 1);
	return check_params(out->params) ? 0 : -TD_EMALFORMED;
}

// Anything that can stand in a URI at all: printable ASCII without delimiters.
static bool opaque_ok(struct td_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (c <= ' ' || c >= 0x7f || c == '<' || c == '>' || c == '"')
			return false;
	}
	return s.len != 0;
}

static int parse_tel(struct td_str rest, struct td_sip_uri *out)
{
	size_t mark = td_str_find(rest, ';');

	out->user = td_str_before(rest, mark);
	out->params = td_str_after(rest, mark + 1);
	if (!out->user.len || !td_lex_all(out->user, TD_LEX_USER, false) || mark + 1 == rest.len)
		return -TD_EMALFORMED;
	return check_params(out->params) ? 0 : -TD_EMALFORMED;
}

int td_sip_uri_parse(struct td_str text, struct td_sip_uri *out)
{
	struct td_lex lex = td_lex_make(text);
	struct td_str rest;
	size_t at;

	*out = (struct td_sip_uri){ .text = text };
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.at[i] <= ' ')
			return -TD_EMALFORMED;
	}
	if (!take_scheme(&lex, &out->scheme_text))
		return -TD_EMALFORMED;
	out->scheme = scheme_of(out->scheme_text);
	rest = td_lex_rest(&lex);
	if (out->scheme == TD_SIP_SCHEME_OTHER)
		return opaque_ok(rest) ? 0 : -TD_EMALFORMED;
	if (out->scheme == TD_SIP_SCHEME_TEL)
		return parse_tel(rest, out);
	at = td_str_find(rest, '@');
	if (at < rest.len) {
		if (parse_userinfo(td_str_before(rest, at), out))
			return -TD_EMALFORMED;
		lex = td_lex_make(td_str_after(rest, at + 1));
	}
	return parse_after_user(&lex, out);
}

bool td_sip_uri_param(const struct td_sip_uri *uri, struct td_str name, struct td_str *value)
{
	struct td_str rest = uri->params;

	while (rest.len) {
		size_t end = td_str_find(rest, ';');
		struct td_str one = td_str_before(rest, end);
		size_t equals = td_str_find(one, '=');

		if (td_str_equal_nocase(td_str_before(one, equals), name)) {
			*value = td_str_after(one, equals + 1);
			return true;
		}
		rest = td_str_after(rest, end + 1);
	}
	return false;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = td_ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The next character with its escape decoded, -1 at the end, -2 for a broken escape.
static int next_decoded(struct td_str *s)
{
	int c;

	if (!s->len)
		return -1;
	c = (unsigned char)s->at[0];
	if (c != '%') {
		*s = td_str_after(*s, 1);
		return c;
	}
	if (s->len < 3 || hex_value(s->at[1]) < 0 || hex_value(s->at[2]) < 0)
		return -2;
	c = hex_value(s->at[1]) << 4 | hex_value(s->at[2]);
	*s = td_str_after(*s, 3);
	return c;
}

int td_sip_uri_unescape(struct td_str text, char *out, size_t out_bytes)
{
	size_t used = 0;
	int c;

	if (!out_bytes)
		return -TD_EFULL;
	out[0] = 0;
	while ((c = next_decoded(&text)) > 0) {
		if (used + 1 >= out_bytes) {
			out[0] = 0;
			return -TD_EFULL;
		}
		out[used++] = (char)c;
	}
	out[c == -1 ? used : 0] = 0;
	return c == -1 ? 0 : -TD_EMALFORMED;
}

static bool same_decoded(struct td_str a, struct td_str b, bool nocase)
{
	for (;;) {
		int x = next_decoded(&a), y = next_decoded(&b);

		if (nocase && x > 0 && y > 0) {
			x = td_ascii_lower((char)x);
			y = td_ascii_lower((char)y);
		}
		if (x != y || x == -2)
			return false;
		if (x == -1)
			return true;
	}
}

// Every parameter both have agrees, and those that must be in both are (RFC 3261 section 19.1.4).
static bool params_agree(const struct td_sip_uri *a, const struct td_sip_uri *b)
{
	static const char *const always[] = { "user", "ttl", "method", "maddr", "transport" };
	struct td_str rest = a->params, x, y;

	for (size_t i = 0; i < sizeof always / sizeof *always; i++) {
		struct td_str name = td_str_from(always[i]);

		if (td_sip_uri_param(a, name, &x) != td_sip_uri_param(b, name, &y))
			return false;
	}
	while (rest.len) {
		size_t end = td_str_find(rest, ';');
		struct td_str one = td_str_before(rest, end);
		size_t equals = td_str_find(one, '=');

		if (td_sip_uri_param(b, td_str_before(one, equals), &y) &&
		    !same_decoded(td_str_after(one, equals + 1), y, true))
			return false;
		rest = td_str_after(rest, end + 1);
	}
	return true;
}

bool td_sip_uri_equal(const struct td_sip_uri *a, const struct td_sip_uri *b)
{
	if (a->scheme != b->scheme)
		return false;
	if (a->scheme == TD_SIP_SCHEME_OTHER)
		return td_str_equal(a->text, b->text);
	return same_decoded(a->user, b->user, false) &&
	       same_decoded(a->password, b->password, false) &&
	       td_str_equal_nocase(a->host, b->host) && a->port == b->port && params_agree(a, b) &&
	       same_decoded(a->headers, b->headers, false);
}

int td_sip_uri_endpoint(const struct td_sip_uri *uri, struct td_endpoint *out)
{
	char host[64];

	if ((uri->scheme != TD_SIP_SCHEME_SIP && uri->scheme != TD_SIP_SCHEME_SIPS) ||
	    td_str_copy(uri->host, host, sizeof host) || td_endpoint_parse_addr(host, out))
		return -TD_ENOT_FOUND;
	out->port_be = htons(uri->port ? uri->port : DEFAULT_PORT);
	return 0;
}

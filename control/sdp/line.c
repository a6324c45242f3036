// Lines, words, numbers and addresses of a session description.
#include <string.h>

#include "sdp/line.h"

bool td_sdp_line_next(struct td_str *rest, struct td_str *line)
{
	size_t end;

	if (td_str_empty(*rest))
		return false;
	end = td_str_find(*rest, '\n');
	*line = td_str_before(*rest, end);
	*rest = td_str_after(*rest, end + 1);
	if (line->len && line->at[line->len - 1] == '\r')
		line->len--;
	return true;
}

struct td_str td_sdp_word_next(struct td_str *rest)
{
	struct td_str word;
	size_t at = 0;

	while (at < rest->len && rest->at[at] == ' ')
		at++;
	*rest = td_str_after(*rest, at);
	at = td_str_find(*rest, ' ');
	word = td_str_before(*rest, at);
	while (at < rest->len && rest->at[at] == ' ')
		at++;
	*rest = td_str_after(*rest, at);
	return word;
}

// RFC 8866 section 9, token-char, and '/', which separates the parts of a transport protocol.
static bool is_token_char(char c)
{
	return c > ' ' && c < 0x7f && !strchr("\"(),:;<=>?@[\\]", c);
}

bool td_sdp_is_token(struct td_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_token_char(s.at[i]))
			return false;
	return s.len > 0;
}

bool td_sdp_is_digits(struct td_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
	return s.len > 0;
}

static bool is_null(const struct td_endpoint *addr)
{
	static const uint8_t zero[sizeof addr->addr];

	return memcmp(addr->addr, zero, sizeof zero) == 0;
}

// Multicast and the IPv4 broadcast address: nowhere one party of a call can be.
static bool is_group(const struct td_endpoint *addr)
{
	static const uint8_t broadcast[4] = { 255, 255, 255, 255 };

	if (addr->family == TD_FAMILY_IPV6)
		return addr->addr[0] == 0xff;
	return (addr->addr[0] & 0xf0) == 0xe0 || memcmp(addr->addr, broadcast, 4) == 0;
}

static bool is_name(struct td_str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = td_ascii_lower(s.at[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
		      c == '_' || c == ':' || c == '%'))
			return false;
	}
	return s.len > 0 && s.len <= 255;
}

// RFC 6157 section 5.2.1: a name below .invalid stands for the null address.
static bool is_invalid_name(struct td_str s)
{
	struct td_str tail = TD_STR(".invalid");

	return s.len > tail.len && td_str_equal_nocase(td_str_after(s, s.len - tail.len), tail);
}

// "/127" or "/127/3" behind a multicast address, section 5.7.
static bool is_scope(struct td_str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.at[i] < '0' || s.at[i] > '9') && s.at[i] != '/')
			return false;
	return s.len > 1;
}

int td_sdp_connection_parse(struct td_str s, struct td_sdp_connection *out)
{
	struct td_str net = td_sdp_word_next(&s), type = td_sdp_word_next(&s);
	struct td_str addr = td_sdp_word_next(&s), scope;
	uint8_t family;
	char text[64];

	if (td_str_empty(addr) || !td_str_empty(s))
		return -TD_EMALFORMED;
	if (!td_str_equal_nocase(net, TD_STR("IN")))
		return -TD_EUNSUPPORTED;
	if (td_str_equal_nocase(type, TD_STR("IP4")))
		family = TD_FAMILY_IPV4;
	else if (td_str_equal_nocase(type, TD_STR("IP6")))
		family = TD_FAMILY_IPV6;
	else
		return -TD_EUNSUPPORTED;
	scope = td_str_after(addr, td_str_find(addr, '/'));
	addr = td_str_before(addr, addr.len - scope.len);
	if (!is_name(addr) || (!td_str_empty(scope) && !is_scope(scope)))
		return -TD_EMALFORMED;
	*out = (struct td_sdp_connection){ .present = true, .addr = { .family = family } };
	out->null_address = is_invalid_name(addr);
	if (td_str_copy(addr, text, sizeof text) || td_endpoint_parse_addr(text, &out->addr)) {
		// A name: never resolved, but its family was said.
		out->addr = (struct td_endpoint){ .family = family };
		return 0;
	}
	if (out->addr.family != family)
		return -TD_EMALFORMED;
	out->null_address = is_null(&out->addr);
	out->numeric = !is_group(&out->addr) && td_str_empty(scope);
	return 0;
}

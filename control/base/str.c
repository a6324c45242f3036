#include "base/str.h"

bool td_str_equal_nocase(struct td_str a, struct td_str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (td_ascii_lower(a.at[i]) != td_ascii_lower(b.at[i]))
			return false;
	}
	return true;
}

bool td_str_starts(struct td_str s, struct td_str prefix)
{
	return s.len >= prefix.len && td_str_equal(td_str_before(s, prefix.len), prefix);
}

size_t td_str_find(struct td_str s, char c)
{
	const char *hit = s.len ? memchr(s.at, c, s.len) : NULL;

	return hit ? (size_t)(hit - s.at) : s.len;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct td_str td_str_trim(struct td_str s)
{
	while (s.len && is_space(s.at[0])) {
		s.at++;
		s.len--;
	}
	while (s.len && is_space(s.at[s.len - 1]))
		s.len--;
	return s;
}

struct td_str td_str_after(struct td_str s, size_t from)
{
	if (from >= s.len)
		return td_str_make(s.len ? s.at + s.len : s.at, 0);
	return td_str_make(s.at + from, s.len - from);
}

struct td_str td_str_before(struct td_str s, size_t to)
{
	return td_str_make(s.at, to < s.len ? to : s.len);
}

int td_str_to_u32(struct td_str s, uint32_t *out)
{
	uint64_t value = 0;
	bool over = false;

	if (!s.len)
		return -TD_EMALFORMED;
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return -TD_EMALFORMED;
		value = value * 10 + (uint64_t)(s.at[i] - '0');
		if (value > UINT32_MAX) {
			over = true;
			value = UINT32_MAX;
		}
	}
	*out = over ? UINT32_MAX : (uint32_t)value;
	return over ? -TD_EFULL : 0;
}

int td_str_copy(struct td_str s, char *out, size_t out_bytes)
{
	if (!out_bytes)
		return -TD_EFULL;
	out[0] = 0;
	if (s.len >= out_bytes)
		return -TD_EFULL;
	if (s.len && memchr(s.at, 0, s.len))
		return -TD_EMALFORMED;
	if (s.len)
		memcpy(out, s.at, s.len);
	out[s.len] = 0;
	return 0;
}

// Reading challenges and credentials (RFC 7235 section 2.1, RFC 7616 section 3).
#include "sip/digest.h"
#include "sip/lex.h"

static struct td_str unquote(struct td_str s)
{
	return s.len >= 2 && s.at[0] == '"' ? td_str_make(s.at + 1, s.len - 2) : s;
}

static enum td_sip_digest_algorithm algorithm_of(struct td_str name)
{
	if (td_str_equal_nocase(name, TD_STR("MD5")))
		return TD_SIP_DIGEST_MD5;
	if (td_str_equal_nocase(name, TD_STR("SHA-256")))
		return TD_SIP_DIGEST_SHA256;
	return TD_SIP_DIGEST_UNKNOWN;
}

static void set_field(struct td_sip_digest_fields *out, struct td_str name, struct td_str value)
{
	static const struct {
		const char *name;
		size_t at;
	} fields[] = {
		{ "username", offsetof(struct td_sip_digest_fields, username) },
		{ "realm", offsetof(struct td_sip_digest_fields, realm) },
		{ "nonce", offsetof(struct td_sip_digest_fields, nonce) },
		{ "uri", offsetof(struct td_sip_digest_fields, uri) },
		{ "response", offsetof(struct td_sip_digest_fields, response) },
		{ "cnonce", offsetof(struct td_sip_digest_fields, cnonce) },
		{ "nc", offsetof(struct td_sip_digest_fields, nc) },
		{ "opaque", offsetof(struct td_sip_digest_fields, opaque) },
		{ "qop", offsetof(struct td_sip_digest_fields, qop) },
	};

	if (td_str_equal_nocase(name, TD_STR("algorithm"))) {
		out->has_algorithm = true;
		out->algorithm = algorithm_of(value);
		return;
	}
	if (td_str_equal_nocase(name, TD_STR("stale"))) {
		out->stale = td_str_equal_nocase(value, TD_STR("true"));
		return;
	}
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (td_str_equal_nocase(name, td_str_from(fields[i].name)))
			memcpy((char *)out + fields[i].at, &value, sizeof value);
	}
}

int td_sip_digest_fields_parse(struct td_str text, struct td_sip_digest_fields *out)
{
	struct td_lex lex = td_lex_make(text);
	struct td_str name, value;

	*out = (struct td_sip_digest_fields){ .algorithm = TD_SIP_DIGEST_MD5 };
	td_lex_skip_lws(&lex);
	name = td_lex_run(&lex, TD_LEX_TOKEN);
	out->is_digest = td_str_equal_nocase(name, TD_STR("Digest"));
	if (!name.len)
		return -TD_EMALFORMED;
	if (!out->is_digest)
		return 0;
	do {
		td_lex_skip_lws(&lex);
		name = td_lex_run(&lex, TD_LEX_TOKEN);
		if (!name.len || !td_lex_take_spaced(&lex, '='))
			return -TD_EMALFORMED;
		if (td_lex_peek(&lex, '"')) {
			if (!td_lex_quoted(&lex, &value))
				return -TD_EMALFORMED;
		} else {
			value = td_lex_run(&lex, TD_LEX_TOKEN);
			if (!value.len)
				return -TD_EMALFORMED;
		}
		set_field(out, name, unquote(value));
	} while (td_lex_take_spaced(&lex, ','));
	td_lex_skip_lws(&lex);
	return td_lex_done(&lex) ? 0 : -TD_EMALFORMED;
}

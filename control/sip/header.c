// Typed readings of single header values, and the walk over comma-separated ones.
#include "sip/lex.h"
#include "sip/message.h"

bool td_sip_param(struct td_str params, struct td_str name, struct td_str *value)
{
	struct td_lex lex = td_lex_make(params);
	struct td_str found;
	bool ok;

	while (td_lex_param(&lex, &found, value, &ok)) {
		if (td_str_equal_nocase(found, name))
			return true;
	}
	*value = TD_STR_NONE;
	return false;
}

static bool params_ok(struct td_str params)
{
	struct td_lex lex = td_lex_make(params);
	struct td_str name, value;
	bool ok;

	while (td_lex_param(&lex, &name, &value, &ok))
		continue;
	return ok;
}

// Quoted string, or tokens with white space between them; the cursor ends on what follows.
static bool take_display(struct td_lex *lex, struct td_str *out)
{
	const char *begin = lex->at;

	if (td_lex_peek(lex, '"')) {
		if (!td_lex_quoted(lex, out))
			return false;
		td_lex_skip_lws(lex);
		return true;
	}
	while (td_lex_run(lex, TD_LEX_TOKEN).len)
		td_lex_skip_lws(lex);
	*out = td_str_trim(td_str_make(begin, (size_t)(lex->at - begin)));
	return true;
}

// `<uri>` after an optional display name.
static int parse_bracketed(struct td_lex *lex, struct td_sip_name_addr *out)
{
	struct td_str rest;
	size_t close;

	if (!take_display(lex, &out->display) || !td_lex_take(lex, '<'))
		return -TD_EMALFORMED;
	rest = td_lex_rest(lex);
	close = td_str_find(rest, '>');
	if (close == rest.len)
		return -TD_EMALFORMED;
	lex->at += close + 1;
	return td_sip_uri_parse(td_str_before(rest, close), &out->uri);
}

// A bare URI ends at the first ';'; one that holds ',' or '?' had to be bracketed (section 20).
static int parse_bare(struct td_lex *lex, struct td_sip_name_addr *out)
{
	struct td_str rest = td_lex_rest(lex);
	struct td_str uri = td_str_trim(td_str_before(rest, td_str_find(rest, ';')));

	if (td_str_find(uri, ',') < uri.len || td_str_find(uri, '?') < uri.len)
		return -TD_EMALFORMED;
	lex->at = uri.at + uri.len;
	return td_sip_uri_parse(uri, &out->uri);
}

int td_sip_name_addr_parse(struct td_str text, struct td_sip_name_addr *out)
{
	struct td_lex lex = td_lex_make(text);
	size_t semicolon, bracket = td_str_find(text, '<'), quote = td_str_find(text, '"');
	int rc;

	*out = (struct td_sip_name_addr){ .text = text };
	td_lex_skip_lws(&lex);
	semicolon = td_str_find(text, ';');
	if (quote < semicolon || bracket < semicolon)
		rc = parse_bracketed(&lex, out);
	else
		rc = parse_bare(&lex, out);
	if (rc)
		return rc;
	out->params = td_lex_rest(&lex);
	if (!out->params.len)
		return 0;
	if (!params_ok(out->params))
		return -TD_EMALFORMED;
	out->has_tag = td_sip_param(out->params, TD_STR("tag"), &out->tag);
	// An empty tag could not be told from none, and a quoted one is not a token.
	if (out->has_tag && (!out->tag.len || !td_lex_all(out->tag, TD_LEX_TOKEN, false)))
		return -TD_EMALFORMED;
	return 0;
}

// "SIP" SLASH version SLASH transport; the version is judged by the start line alone.
static bool take_sent_protocol(struct td_lex *lex, struct td_str *transport)
{
	struct td_str name = td_lex_run(lex, TD_LEX_TOKEN);

	if (!td_str_equal_nocase(name, TD_STR("SIP")) || !td_lex_take_spaced(lex, '/') ||
	    !td_lex_run(lex, TD_LEX_TOKEN).len || !td_lex_take_spaced(lex, '/'))
		return false;
	*transport = td_lex_run(lex, TD_LEX_TOKEN);
	return transport->len != 0;
}

static int parse_via_params(struct td_lex *lex, struct td_sip_via *out)
{
	static const struct td_str cookie = { "z9hG4bK", 7 };
	struct td_str name, value;
	bool ok;

	out->params = td_lex_rest(lex);
	while (td_lex_param(lex, &name, &value, &ok)) {
		if (td_str_equal_nocase(name, TD_STR("branch")))
			out->branch = value;
		else if (td_str_equal_nocase(name, TD_STR("rport")))
			out->has_rport = true;
	}
	// RFC 4475 section 3.2.1: the bare cookie identifies nothing.
	out->magic = out->branch.len > cookie.len &&
		     td_str_equal_nocase(td_str_before(out->branch, cookie.len), cookie);
	return ok ? 0 : -TD_EMALFORMED;
}

int td_sip_via_parse(struct td_str text, struct td_sip_via *out)
{
	struct td_lex lex = td_lex_make(text);
	const char *before;

	*out = (struct td_sip_via){ .text = text };
	td_lex_skip_lws(&lex);
	if (!take_sent_protocol(&lex, &out->transport))
		return -TD_EMALFORMED;
	before = lex.at;
	td_lex_skip_lws(&lex);
	if (lex.at == before)
		return -TD_EMALFORMED;
	if (!td_lex_host_port(&lex, &out->host, &out->host_is_ipv6, &out->port))
		return -TD_EMALFORMED;
	return parse_via_params(&lex, out);
}

// The end of the value that begins at `text`: the next comma outside quotes and angle brackets.
static size_t value_end(struct td_str text)
{
	bool bracketed = false;
	struct td_lex lex = td_lex_make(text);
	struct td_str quoted;

	while (!td_lex_done(&lex)) {
		char c = *lex.at;

		if (c == '"' && !bracketed) {
			if (!td_lex_quoted(&lex, &quoted))
				return text.len;
			continue;
		}
		if (c == ',' && !bracketed)
			break;
		if (c == '<')
			bracketed = true;
		else if (c == '>')
			bracketed = false;
		lex.at++;
	}
	return (size_t)(lex.at - text.at);
}

static struct td_str header_value(const struct td_sip_message *msg,
				  const struct td_sip_header *header)
{
	return td_str_make(msg->bytes.at + header->value_at, header->value_len);
}

bool td_sip_message_next(const struct td_sip_message *msg, enum td_sip_header_id id,
			 struct td_sip_walk *walk, struct td_str *value)
{
	struct td_str rest;
	size_t end;

	if (!walk->header && !walk->done)
		walk->header = msg->first[id];
	if (!walk->header)
		return false;
	rest = td_str_after(header_value(msg, &msg->headers[walk->header - 1]), walk->offset);
	end = value_end(rest);
	*value = td_str_trim(td_str_before(rest, end));
	walk->offset += (uint32_t)end + 1;
	if (end == rest.len) {
		walk->header = msg->headers[walk->header - 1].next;
		walk->offset = 0;
		walk->done = true; // a header of 0 now means the end, not the beginning
	}
	return true;
}

struct td_str td_sip_message_value(const struct td_sip_message *msg, enum td_sip_header_id id)
{
	if (!msg->first[id])
		return TD_STR_NONE;
	return header_value(msg, &msg->headers[msg->first[id] - 1]);
}

bool td_sip_message_has(const struct td_sip_message *msg, enum td_sip_header_id id)
{
	return msg->first[id] != 0;
}

bool td_sip_message_find(const struct td_sip_message *msg, struct td_str name, struct td_str *value)
{
	for (unsigned i = 0; i < msg->header_count; i++) {
		const struct td_sip_header *header = &msg->headers[i];

		if (td_str_equal_nocase(
			    td_str_make(msg->bytes.at + header->name_at, header->name_len), name)) {
			*value = header_value(msg, header);
			return true;
		}
	}
	*value = TD_STR_NONE;
	return false;
}

static uint32_t seconds_or(struct td_str text, uint32_t fallback)
{
	uint32_t seconds;
	int rc = td_str_to_u32(text, &seconds);

	return rc && rc != -TD_EFULL ? fallback : seconds;
}

uint32_t td_sip_contact_expires(const struct td_sip_message *msg,
				const struct td_sip_name_addr *contact, uint32_t fallback)
{
	struct td_str value;

	if (td_sip_param(contact->params, TD_STR("expires"), &value))
		return seconds_or(value, fallback);
	if (td_sip_message_has(msg, TD_SIP_HEADER_EXPIRES))
		return seconds_or(td_sip_message_value(msg, TD_SIP_HEADER_EXPIRES), fallback);
	return fallback;
}

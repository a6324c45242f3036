#include "sip/message.h"

#include "sip/lex.h"

#define CSEQ_MAX 0x7fffffffu // RFC 3261 section 8.1.1.5: less than 2^31

// Only the first fault counts, and parsing goes on after it: the answer needs the headers.
static void fault(struct td_sip_message *msg, uint16_t status, const char *text)
{
	if (msg->reject_text)
		return;
	msg->reject_status = status;
	msg->reject_text = text;
}

// One physical line at `at`, without its CRLF. Returns where the next begins, or 0 when no CRLF
// follows. A CR or LF outside a CRLF would let two parsers disagree about where a header ends.
static size_t take_line(struct td_sip_message *msg, size_t at, struct td_str *line)
{
	struct td_str rest = td_str_after(msg->bytes, at);
	size_t end = td_str_find(rest, '\n');

	if (end == rest.len) {
		*line = rest;
		return 0;
	}
	*line = td_str_before(rest, end ? end - 1 : 0);
	if (!end || rest.at[end - 1] != '\r') {
		fault(msg, 400, "line feed without carriage return");
		*line = td_str_before(rest, end);
	}
	if (td_str_find(*line, '\r') < line->len)
		fault(msg, 0, "carriage return without line feed"); // nothing safe to echo
	return at + end + 1;
}

static void parse_request_uri(struct td_sip_message *msg, struct td_str text)
{
	if (td_sip_uri_parse(text, &msg->request_uri)) {
		fault(msg, 400, "malformed Request-URI");
		msg->request_uri = (struct td_sip_uri){ .text = text };
	} else if (msg->request_uri.headers.len) {
		fault(msg, 400, "headers in the Request-URI"); // RFC 3261 section 19.1.1, table 1
	}
}

// Method SP Request-URI SP SIP-Version. False: this is not SIP at all.
static bool parse_request_line(struct td_sip_message *msg, struct td_str line)
{
	size_t method_end = td_str_find(line, ' ');
	struct td_str trimmed = td_str_trim(line), rest, version;
	size_t last;

	if (trimmed.len != line.len)
		fault(msg, 400, "white space around the request line");
	line = trimmed;
	for (last = line.len; last > 0 && line.at[last - 1] != ' ';)
		last--;
	version = td_str_after(line, last);
	if (last <= method_end + 1 || version.len < 5 ||
	    !td_str_equal_nocase(td_str_before(version, 4), TD_STR("SIP/")))
		return false;
	msg->is_request = true;
	msg->method_text = td_str_before(line, method_end);
	msg->method = td_sip_method_id(msg->method_text);
	if (!td_str_equal_nocase(version, TD_STR("SIP/2.0")))
		fault(msg, 505, "SIP version is not 2.0");
	if (!msg->method_text.len || !td_lex_all(msg->method_text, TD_LEX_TOKEN, false))
		fault(msg, 400, "malformed method");
	rest = td_str_after(td_str_before(line, last - 1), method_end + 1);
	parse_request_uri(msg, rest);
	return true;
}

// SIP-Version SP 3DIGIT SP Reason. False: drop it.
static bool parse_status_line(struct td_sip_message *msg, struct td_str line)
{
	uint32_t status;

	if (!td_str_equal_nocase(td_str_before(line, 8), TD_STR("SIP/2.0 ")) || line.len < 11 ||
	    td_str_to_u32(td_str_make(line.at + 8, 3), &status) || status < 100 || status > 699)
		return false;
	if (line.len > 11 && line.at[11] != ' ')
		return false;
	msg->status = (uint16_t)status;
	msg->reason = td_str_after(line, 12);
	return true;
}

static void chain_header(struct td_sip_message *msg, unsigned index, enum td_sip_header_id id)
{
	unsigned at = msg->first[id];

	if (id == TD_SIP_HEADER_OTHER)
		return;
	if (!at) {
		msg->first[id] = (uint8_t)(index + 1);
		return;
	}
	while (msg->headers[at - 1].next)
		at = msg->headers[at - 1].next;
	msg->headers[at - 1].next = (uint8_t)(index + 1);
}

// One logical line, folds included.
static void add_header(struct td_sip_message *msg, struct td_str line)
{
	size_t colon = td_str_find(line, ':');
	struct td_str name = td_str_trim(td_str_before(line, colon));
	struct td_str value = td_str_trim(td_str_after(line, colon + 1));
	struct td_sip_header *header;
	unsigned index = msg->header_count;

	if (colon == line.len || !name.len || name.at != line.at ||
	    !td_lex_all(name, TD_LEX_TOKEN, false)) {
		fault(msg, 400, "a header line without a proper name");
		return;
	}
	if (index >= TD_SIP_HEADER_MAX) {
		fault(msg, 400, "too many header lines");
		return;
	}
	header = &msg->headers[index];
	header->id = (uint8_t)td_sip_header_id(name);
	header->next = 0;
	header->name_at = (uint16_t)(name.at - msg->bytes.at);
	header->name_len = (uint16_t)name.len;
	header->value_at = (uint16_t)(value.at - msg->bytes.at);
	header->value_len = (uint16_t)value.len;
	msg->header_count++;
	chain_header(msg, index, header->id);
}

// Returns where the body begins.
static size_t parse_headers(struct td_sip_message *msg, size_t at)
{
	struct td_str line, more;
	size_t next;

	for (;;) {
		next = take_line(msg, at, &line);
		if (!line.len)
			break;
		// A line that begins with white space continues the one before.
		while (next && next < msg->bytes.len &&
		       (msg->bytes.at[next] == ' ' || msg->bytes.at[next] == '\t')) {
			next = take_line(msg, next, &more);
			line.len = (size_t)(more.at + more.len - line.at);
		}
		add_header(msg, line);
		if (!next)
			break;
		at = next;
	}
	if (!next) {
		fault(msg, 400, "the headers do not end");
		return msg->bytes.len;
	}
	return next;
}

static void check_single(struct td_sip_message *msg)
{
	static const uint8_t single[] = {
		TD_SIP_HEADER_FROM,           TD_SIP_HEADER_TO,           TD_SIP_HEADER_CALL_ID,
		TD_SIP_HEADER_CSEQ,           TD_SIP_HEADER_MAX_FORWARDS, TD_SIP_HEADER_EXPIRES,
		TD_SIP_HEADER_CONTENT_LENGTH, TD_SIP_HEADER_CONTENT_TYPE,
	};

	for (size_t i = 0; i < sizeof single; i++) {
		unsigned first = msg->first[single[i]];

		if (first && msg->headers[first - 1].next)
			fault(msg, 400, "a header that may be there once is there twice");
	}
}

static void parse_cseq(struct td_sip_message *msg)
{
	struct td_lex lex = td_lex_make(td_sip_message_value(msg, TD_SIP_HEADER_CSEQ));
	struct td_str digits = td_lex_run(&lex, TD_LEX_ALNUM);

	td_lex_skip_lws(&lex);
	msg->cseq_method_text = td_lex_rest(&lex);
	msg->cseq_method = td_sip_method_id(msg->cseq_method_text);
	if (td_str_to_u32(digits, &msg->cseq) || msg->cseq > CSEQ_MAX ||
	    !msg->cseq_method_text.len || msg->cseq_method_text.at == digits.at + digits.len ||
	    !td_lex_all(msg->cseq_method_text, TD_LEX_TOKEN, false)) {
		fault(msg, 400, "malformed CSeq");
		return;
	}
	if (!msg->is_request) {
		msg->method = msg->cseq_method;
		msg->method_text = msg->cseq_method_text;
	} else if (!td_str_equal(msg->method_text, msg->cseq_method_text)) {
		// RFC 4475 section 3.1.2.18: that we do not know the method says more.
		fault(msg, msg->method == TD_SIP_METHOD_OTHER ? 501 : 400,
		      "CSeq names another method");
	}
}

static void parse_parties(struct td_sip_message *msg)
{
	if (td_sip_name_addr_parse(td_sip_message_value(msg, TD_SIP_HEADER_FROM), &msg->from))
		fault(msg, 400, "malformed or missing From");
	if (td_sip_name_addr_parse(td_sip_message_value(msg, TD_SIP_HEADER_TO), &msg->to))
		fault(msg, 400, "malformed or missing To");
	msg->call_id = td_sip_message_value(msg, TD_SIP_HEADER_CALL_ID);
	for (size_t i = 0; i < msg->call_id.len; i++) {
		if (!td_lex_is(msg->call_id.at[i], TD_LEX_WORD) && msg->call_id.at[i] != '@')
			fault(msg, 400, "malformed Call-ID");
	}
	if (!msg->call_id.len)
		fault(msg, 400, "missing Call-ID");
}

static void parse_vias(struct td_sip_message *msg)
{
	struct td_sip_walk walk = { 0 };
	struct td_str value;

	while (td_sip_message_next(msg, TD_SIP_HEADER_VIA, &walk, &value)) {
		struct td_sip_via ignored;

		if (td_sip_via_parse(value, msg->via_count ? &ignored : &msg->via))
			fault(msg, 400, "malformed Via");
		msg->via_count++;
	}
	if (!msg->via_count)
		fault(msg, 400, "missing Via");
}

static void check_contacts(struct td_sip_message *msg)
{
	struct td_sip_walk walk = { 0 };
	struct td_sip_name_addr contact;
	struct td_str value;

	while (td_sip_message_next(msg, TD_SIP_HEADER_CONTACT, &walk, &value)) {
		if (td_str_equal(value, TD_STR("*")) && msg->method == TD_SIP_REGISTER)
			continue;
		if (td_sip_name_addr_parse(value, &contact))
			fault(msg, 400, "malformed Contact");
	}
}

static void parse_max_forwards(struct td_sip_message *msg)
{
	uint32_t value;

	msg->max_forwards = -1;
	if (!td_sip_message_has(msg, TD_SIP_HEADER_MAX_FORWARDS))
		return;
	if (td_str_to_u32(td_sip_message_value(msg, TD_SIP_HEADER_MAX_FORWARDS), &value) ||
	    value > 255)
		fault(msg, 400, "malformed Max-Forwards");
	else
		msg->max_forwards = (int16_t)value;
}

static void parse_body(struct td_sip_message *msg, size_t at)
{
	struct td_str type = td_sip_message_value(msg, TD_SIP_HEADER_CONTENT_TYPE);
	uint32_t length;

	msg->content_type = td_str_trim(td_str_before(type, td_str_find(type, ';')));
	msg->body = td_str_after(msg->bytes, at);
	msg->has_content_length = td_sip_message_has(msg, TD_SIP_HEADER_CONTENT_LENGTH);
	if (!msg->has_content_length)
		return;
	if (td_str_to_u32(td_sip_message_value(msg, TD_SIP_HEADER_CONTENT_LENGTH), &length))
		fault(msg, 400, "malformed Content-Length");
	else if (length > msg->body.len)
		fault(msg, 400, "the body is shorter than Content-Length");
	else
		msg->body = td_str_before(msg->body,
					  length); // RFC 3261 section 18.3: the rest is noise
}

static bool parse_start_line(struct td_sip_message *msg, struct td_str line)
{
	if (td_str_equal_nocase(td_str_before(line, 4), TD_STR("SIP/")))
		return parse_status_line(msg, line);
	return parse_request_line(msg, line);
}

int td_sip_message_parse(struct td_sip_message *msg, const char *bytes, size_t len)
{
	struct td_str line;
	size_t at = 0;

	// The header table itself is written before it is read, and clearing it would cost the most.
	memset(msg, 0, offsetof(struct td_sip_message, headers));
	if (len > TD_SIP_DATAGRAM_MAX) {
		fault(msg, 0, "too long for a datagram");
		return -TD_EMALFORMED;
	}
	msg->bytes = td_str_make(bytes, len);
	while (len - at >= 2 && bytes[at] == '\r' && bytes[at + 1] == '\n')
		at += 2; // RFC 3261 section 7.5
	at = take_line(msg, at, &line);
	if (!at || !parse_start_line(msg, line)) {
		msg->reject_text = NULL;
		fault(msg, 0, "the first line is not SIP");
		return -TD_EMALFORMED;
	}
	at = parse_headers(msg, at);
	check_single(msg);
	parse_vias(msg);
	parse_parties(msg);
	parse_cseq(msg);
	parse_max_forwards(msg);
	check_contacts(msg);
	parse_body(msg, at);
	if (!msg->is_request || msg->method == TD_SIP_ACK)
		msg->reject_status = 0; // neither is ever answered
	return msg->reject_text ? -TD_EMALFORMED : 0;
}

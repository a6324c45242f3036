// A bounded builder of SIP text in the caller's buffer.
//
// Invariant: used <= size. What does not fit sets `full` and from then on nothing is written, so a
// caller checks once, at the end. No allocation, pure.
#pragma once

#include "base/str.h"
#include "td_endpoint.h"

struct td_sip_writer {
	char *at;
	size_t used, size;
	bool full;
};

static inline struct td_sip_writer td_sip_writer_make(char *at, size_t size)
{
	return (struct td_sip_writer){ .at = at, .size = size };
}

static inline void td_sip_put(struct td_sip_writer *w, struct td_str text)
{
	if (w->full || text.len > w->size - w->used) {
		w->full = true;
		return;
	}
	if (text.len)
		memcpy(w->at + w->used, text.at, text.len);
	w->used += text.len;
}

// A string literal.
#define td_sip_puts(writer, literal) td_sip_put((writer), TD_STR(literal))

static inline struct td_str td_sip_writer_text(const struct td_sip_writer *w)
{
	return td_str_make(w->at, w->used);
}

void td_sip_put_number(struct td_sip_writer *w, uint64_t number);
// "Name: value" CRLF; nothing for an empty value.
void td_sip_put_header(struct td_sip_writer *w, struct td_str name, struct td_str value);
// "10.0.0.1" or "[fd77::1]", and ":port" where with_port.
void td_sip_put_address(struct td_sip_writer *w, const struct td_endpoint *address, bool with_port);
// Without brackets, as a Via's "received" has it (RFC 3261 section 25.1).
void td_sip_put_bare_address(struct td_sip_writer *w, const struct td_endpoint *address);
// Content-Type (when there is a body), Content-Length, the empty line and the body.
void td_sip_put_body(struct td_sip_writer *w, struct td_str content_type, struct td_str body);

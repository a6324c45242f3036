// SIP and SIPS URIs (RFC 3261 sections 19.1 and 25.1), and the shell of any other scheme.
//
//   sip:user:password@host:port;params?headers
//
// Every field is a span over the caller's text, still escaped: %41 is decoded only by
// td_sip_uri_unescape and by comparison. Bounded by the text, no allocation, pure, any thread.
#pragma once

#include "base/str.h"
#include "td_endpoint.h"

#define TD_SIP_URI_PARAM_MAX 32 // more is malformed

enum td_sip_scheme {
	TD_SIP_SCHEME_OTHER,
	TD_SIP_SCHEME_SIP,
	TD_SIP_SCHEME_SIPS,
	TD_SIP_SCHEME_TEL
};

struct td_sip_uri {
	struct td_str text; // all of it
	enum td_sip_scheme scheme;
	struct td_str scheme_text;
	struct td_str user; // of tel: the number
	struct td_str password;
	struct td_str host; // IPv6 references without their brackets
	bool host_is_ipv6;
	uint16_t port;         // 0: none given
	struct td_str params;  // after the first ';', without it
	struct td_str headers; // after '?', without it
};

// Parses exactly `text`. 0 or -TD_EMALFORMED. A scheme we do not speak parses as OTHER with only
// `text` and `scheme_text` set: whether that is an error is the caller's business (RFC 3261 8.2.2.1).
TD_MUST_CHECK int td_sip_uri_parse(struct td_str text, struct td_sip_uri *out);

// RFC 3261 section 19.1.4: escapes decoded, host and scheme without case, user with case, the
// parameters that must match do.
bool td_sip_uri_equal(const struct td_sip_uri *a, const struct td_sip_uri *b);

// Finds ";name" or ";name=value" in params (name without case). *value is empty for a bare name.
bool td_sip_uri_param(const struct td_sip_uri *uri, struct td_str name, struct td_str *value);

// Decodes %HH into out (NUL-terminated, for C strings to hold). -TD_EFULL when it does not fit,
// -TD_EMALFORMED for a broken escape or one that decodes to NUL.
TD_MUST_CHECK int td_sip_uri_unescape(struct td_str text, char *out, size_t out_bytes);

// The address a numeric host names, with the port (5060 when none). -TD_ENOT_FOUND for a name.
TD_MUST_CHECK int td_sip_uri_endpoint(const struct td_sip_uri *uri, struct td_endpoint *out);

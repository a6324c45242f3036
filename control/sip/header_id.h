// The header fields we know by name, and the methods.
//
// Identity is a full comparison of the name (without case), compact form included: a hash may lead
// to the candidate, never decide. What is not in this table is TD_SIP_HEADER_OTHER and keeps its name.
#pragma once

#include "base/str.h"

// X(symbol, "Name", compact letter or 0)
#define TD_SIP_HEADERS(X)                                                                          \
	X(ACCEPT, "Accept", 0)                                                                     \
	X(ALLOW, "Allow", 0)                                                                       \
	X(AUTHENTICATION_INFO, "Authentication-Info", 0)                                           \
	X(AUTHORIZATION, "Authorization", 0)                                                       \
	X(CALL_ID, "Call-ID", 'i')                                                                 \
	X(CONTACT, "Contact", 'm')                                                                 \
	X(CONTENT_DISPOSITION, "Content-Disposition", 0)                                           \
	X(CONTENT_ENCODING, "Content-Encoding", 'e')                                               \
	X(CONTENT_LENGTH, "Content-Length", 'l')                                                   \
	X(CONTENT_TYPE, "Content-Type", 'c')                                                       \
	X(CSEQ, "CSeq", 0)                                                                         \
	X(DATE, "Date", 0)                                                                         \
	X(EXPIRES, "Expires", 0)                                                                   \
	X(FROM, "From", 'f')                                                                       \
	X(MAX_FORWARDS, "Max-Forwards", 0)                                                         \
	X(MIN_EXPIRES, "Min-Expires", 0)                                                           \
	X(P_ASSERTED_IDENTITY, "P-Asserted-Identity", 0)                                           \
	X(PROXY_AUTHENTICATE, "Proxy-Authenticate", 0)                                             \
	X(PROXY_AUTHORIZATION, "Proxy-Authorization", 0)                                           \
	X(PROXY_REQUIRE, "Proxy-Require", 0)                                                       \
	X(REASON, "Reason", 0)                                                                     \
	X(RECORD_ROUTE, "Record-Route", 0)                                                         \
	X(REQUIRE, "Require", 0)                                                                   \
	X(RETRY_AFTER, "Retry-After", 0)                                                           \
	X(ROUTE, "Route", 0)                                                                       \
	X(SERVER, "Server", 0)                                                                     \
	X(SUPPORTED, "Supported", 'k')                                                             \
	X(TO, "To", 't')                                                                           \
	X(UNSUPPORTED, "Unsupported", 0)                                                           \
	X(USER_AGENT, "User-Agent", 0)                                                             \
	X(VIA, "Via", 'v')                                                                         \
	X(WARNING, "Warning", 0)                                                                   \
	X(WWW_AUTHENTICATE, "WWW-Authenticate", 0)

enum td_sip_header_id {
	TD_SIP_HEADER_OTHER,
#define TD_SIP_HEADER_MEMBER(symbol, name, compact) TD_SIP_HEADER_##symbol,
	TD_SIP_HEADERS(TD_SIP_HEADER_MEMBER)
#undef TD_SIP_HEADER_MEMBER
		TD_SIP_HEADER_ID_COUNT
};

// Methods of RFC 3261 and of the extensions we recognise. Recognised but not served is 405, not
// recognised is 501.
#define TD_SIP_METHODS(X)                                                                          \
	X(INVITE)                                                                                  \
	X(ACK)                                                                                     \
	X(BYE)                                                                                     \
	X(CANCEL)                                                                                  \
	X(OPTIONS)                                                                                 \
	X(REGISTER) X(INFO) X(MESSAGE) X(NOTIFY) X(PRACK) X(PUBLISH) X(REFER) X(SUBSCRIBE) X(UPDATE)

enum td_sip_method {
	TD_SIP_METHOD_OTHER,
#define TD_SIP_METHOD_MEMBER(symbol) TD_SIP_##symbol,
	TD_SIP_METHODS(TD_SIP_METHOD_MEMBER)
#undef TD_SIP_METHOD_MEMBER
		TD_SIP_METHOD_COUNT
};

enum td_sip_header_id td_sip_header_id(struct td_str name);
const char *td_sip_header_name(enum td_sip_header_id id);
// Methods compare with case (RFC 3261 section 7.1).
enum td_sip_method td_sip_method_id(struct td_str name);
const char *td_sip_method_name(enum td_sip_method method);
// The standard reason phrase; "Unknown" for a status without one.
const char *td_sip_status_reason(unsigned status);

#include "sip/header_id.h"

static const char *const header_names[TD_SIP_HEADER_ID_COUNT] = {
#define HEADER_NAME(symbol, name, compact) [TD_SIP_HEADER_##symbol] = name,
	TD_SIP_HEADERS(HEADER_NAME)
#undef HEADER_NAME
};

static const uint8_t header_lengths[TD_SIP_HEADER_ID_COUNT] = {
#define HEADER_LENGTH(symbol, name, compact) [TD_SIP_HEADER_##symbol] = sizeof(name) - 1,
	TD_SIP_HEADERS(HEADER_LENGTH)
#undef HEADER_LENGTH
};

static const char *const method_names[TD_SIP_METHOD_COUNT] = {
#define METHOD_NAME(symbol) [TD_SIP_##symbol] = #symbol,
	TD_SIP_METHODS(METHOD_NAME)
#undef METHOD_NAME
};

static enum td_sip_header_id compact_id(char c)
{
	switch (td_ascii_lower(c)) {
	case 'c': return TD_SIP_HEADER_CONTENT_TYPE;
	case 'e': return TD_SIP_HEADER_CONTENT_ENCODING;
	case 'f': return TD_SIP_HEADER_FROM;
	case 'i': return TD_SIP_HEADER_CALL_ID;
	case 'k': return TD_SIP_HEADER_SUPPORTED;
	case 'l': return TD_SIP_HEADER_CONTENT_LENGTH;
	case 'm': return TD_SIP_HEADER_CONTACT;
	case 't': return TD_SIP_HEADER_TO;
	case 'v': return TD_SIP_HEADER_VIA;
	default: return TD_SIP_HEADER_OTHER;
	}
}

// Length and first letter only skip impossible candidates; the full compare decides.
enum td_sip_header_id td_sip_header_id(struct td_str name)
{
	char first;

	if (name.len == 1)
		return compact_id(name.at[0]);
	if (!name.len)
		return TD_SIP_HEADER_OTHER;
	first = (char)(name.at[0] & ~0x20);
	for (unsigned id = 1; id < TD_SIP_HEADER_ID_COUNT; id++) {
		if (header_lengths[id] == name.len && header_names[id][0] == first &&
		    td_str_equal_nocase(name, td_str_make(header_names[id], name.len)))
			return id;
	}
	return TD_SIP_HEADER_OTHER;
}

const char *td_sip_header_name(enum td_sip_header_id id)
{
	return id > TD_SIP_HEADER_OTHER && id < TD_SIP_HEADER_ID_COUNT ? header_names[id] : "?";
}

enum td_sip_method td_sip_method_id(struct td_str name)
{
	for (unsigned id = 1; id < TD_SIP_METHOD_COUNT; id++) {
		if (td_str_equal(name, td_str_from(method_names[id])))
			return id;
	}
	return TD_SIP_METHOD_OTHER;
}

const char *td_sip_method_name(enum td_sip_method method)
{
	return method > TD_SIP_METHOD_OTHER && method < TD_SIP_METHOD_COUNT ? method_names[method]
									    : "?";
}

const char *td_sip_status_reason(unsigned status)
{
	static const struct {
		uint16_t status;
		const char *reason;
	} table[] = {
		{ 100, "Trying" },
		{ 180, "Ringing" },
		{ 181, "Call Is Being Forwarded" },
		{ 182, "Queued" },
		{ 183, "Session Progress" },
		{ 200, "OK" },
		{ 202, "Accepted" },
		{ 300, "Multiple Choices" },
		{ 301, "Moved Permanently" },
		{ 302, "Moved Temporarily" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" },
		{ 407, "Proxy Authentication Required" },
		{ 408, "Request Timeout" },
		{ 410, "Gone" },
		{ 413, "Request Entity Too Large" },
		{ 414, "Request-URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 416, "Unsupported URI Scheme" },
		{ 420, "Bad Extension" },
		{ 421, "Extension Required" },
		{ 423, "Interval Too Brief" },
		{ 480, "Temporarily Unavailable" },
		{ 481, "Call/Transaction Does Not Exist" },
		{ 482, "Loop Detected" },
		{ 483, "Too Many Hops" },
		{ 484, "Address Incomplete" },
		{ 486, "Busy Here" },
		{ 487, "Request Terminated" },
		{ 488, "Not Acceptable Here" },
		{ 491, "Request Pending" },
		{ 500, "Server Internal Error" },
		{ 501, "Not Implemented" },
		{ 503, "Service Unavailable" },
		{ 504, "Server Time-out" },
		{ 505, "Version Not Supported" },
		{ 513, "Message Too Large" },
		{ 600, "Busy Everywhere" },
		{ 603, "Decline" },
		{ 604, "Does Not Exist Anywhere" },
		{ 606, "Not Acceptable" },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		if (table[i].status == status)
			return table[i].reason;
	}
	return "Unknown";
}

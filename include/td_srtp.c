#include "td_srtp.h"

static const struct td_srtp_suite_shape shapes[TD_SRTP_SUITE_COUNT] = {
#define TD_SRTP_SHAPE(name, text, key, salt, tag, rtcp_tag, aead)                                  \
	[TD_SRTP_##name] = { text, key, salt, tag, rtcp_tag, aead },
	TD_SRTP_SUITES(TD_SRTP_SHAPE)
#undef TD_SRTP_SHAPE
};

const char *td_srtp_engine_name(unsigned kind)
{
	static const char *const names[TD_SRTP_ENGINE_COUNT] = { "auto", "ipsec-mb", "openssl" };

	return kind < TD_SRTP_ENGINE_COUNT ? names[kind] : "unknown";
}

const struct td_srtp_suite_shape *td_srtp_suite_shape(unsigned suite)
{
	return &shapes[suite < TD_SRTP_SUITE_COUNT ? suite : TD_SRTP_NONE];
}

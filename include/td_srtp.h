// The SRTP suites Tandem speaks, and what a master key is: the words both planes use for protected
// media (RFC 3711, 6188, 7714; the names are those of RFC 4568 section 6.2 and its registry).
//
// The numbers cross the shared memory, so members are only ever added, just before
// TD_SRTP_SUITE_COUNT. A struct td_srtp_master is a secret: it is copied, never logged, and erased
// by whoever owns the copy.
#pragma once

#include <stdint.h>

#define TD_SRTP_KEY_MAX  32
#define TD_SRTP_SALT_MAX 14
#define TD_SRTP_MKI_MAX  32 // as long as in the examples of RFC 4568, which would allow 128

// X(MEMBER, "name", master key bytes, master salt bytes, RTP tag bytes, RTCP tag bytes, is AEAD)
#define TD_SRTP_SUITES(X)                                                                          \
	X(NONE, "none", 0, 0, 0, 0, 0)                                                             \
	X(AES_CM_128_HMAC_SHA1_80, "AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10, 0)                   \
	X(AES_CM_128_HMAC_SHA1_32, "AES_CM_128_HMAC_SHA1_32", 16, 14, 4, 10, 0)                    \
	X(AES_256_CM_HMAC_SHA1_80, "AES_256_CM_HMAC_SHA1_80", 32, 14, 10, 10, 0)                   \
	X(AES_256_CM_HMAC_SHA1_32, "AES_256_CM_HMAC_SHA1_32", 32, 14, 4, 10, 0)                    \
	X(AEAD_AES_128_GCM, "AEAD_AES_128_GCM", 16, 12, 16, 16, 1)                                 \
	X(AEAD_AES_256_GCM, "AEAD_AES_256_GCM", 32, 12, 16, 16, 1)

enum td_srtp_suite {
#define TD_SRTP_MEMBER(name, text, key, salt, tag, rtcp_tag, aead) TD_SRTP_##name,
	TD_SRTP_SUITES(TD_SRTP_MEMBER)
#undef TD_SRTP_MEMBER
		TD_SRTP_SUITE_COUNT
};

struct td_srtp_suite_shape {
	const char *name;
	uint8_t key_bytes, salt_bytes, tag_bytes, rtcp_tag_bytes, aead;
};

// What one direction of one stream is protected with.
struct td_srtp_master {
	uint8_t suite; // enum td_srtp_suite
	uint8_t mki_bytes;
	uint8_t mki[TD_SRTP_MKI_MAX];
	uint8_t key[TD_SRTP_KEY_MAX];
	uint8_t salt[TD_SRTP_SALT_MAX];
};

// What does the arithmetic: bursts through Intel's ipsec-mb, or OpenSSL packet by packet, which is
// everywhere. AUTO: the first where it is built in and the processor has what it needs.
enum td_srtp_engine_kind {
	TD_SRTP_ENGINE_AUTO,
	TD_SRTP_ENGINE_IPSEC_MB,
	TD_SRTP_ENGINE_OPENSSL,
	TD_SRTP_ENGINE_COUNT
};

const char *td_srtp_engine_name(unsigned kind); // "ipsec-mb"; "unknown" for what is none

// Never NULL; that of TD_SRTP_NONE for a number that is no suite.
const struct td_srtp_suite_shape *td_srtp_suite_shape(unsigned suite);

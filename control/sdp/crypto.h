// Keys in a description: SDES, RFC 4568, one a=crypto attribute at a time.
//
//   a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:<base64 of key and salt>|2^31|1:4 WSH=128
//            tag suite                 key parameters |lifetime|MKI:bytes       session parameters
//
// What an offer holds beyond what we do is refused by name, attribute by attribute, so that the
// others of the offer still count (section 5.1.2). The key of an attribute is the one its writer
// *sends* with. Pure; borrows nothing after it returned; any thread. A struct td_sdp_crypto is a
// secret and so is the text it was read from or written to: neither goes into a log, and only the
// names of this file do.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "sdp/text.h"
#include "td_error.h"
#include "td_srtp.h"

#define TD_SDP_CRYPTO_TAG_MAX  999999999u // nine digits, section 9.2
#define TD_SDP_CRYPTO_SEED     (TD_SRTP_KEY_MAX + TD_SRTP_SALT_MAX)
#define TD_SDP_CRYPTO_LIFE_MAX (UINT64_C(1) << 48)

struct td_sdp_crypto {
	uint32_t tag;
	uint64_t lifetime_packets; // what its writer will send with it at most; 0: not said
	struct td_srtp_master master;
};

// Why an attribute is passed over.
enum td_sdp_crypto_refusal {
	TD_SDP_CRYPTO_TAKEN,
	TD_SDP_CRYPTO_MALFORMED,
	TD_SDP_CRYPTO_SUITE,      // a suite that we do not speak
	TD_SDP_CRYPTO_METHOD,     // a key method other than inline
	TD_SDP_CRYPTO_KEY_LENGTH, // not as many bytes as the suite takes
	TD_SDP_CRYPTO_MANY_KEYS,  // more than one key
	TD_SDP_CRYPTO_LIFETIME,   // none, or more than a key has
	TD_SDP_CRYPTO_MKI,        // longer than we look for, or a number that its bytes do not hold
	TD_SDP_CRYPTO_KDR,        // keys derived again and again
	TD_SDP_CRYPTO_UNENCRYPTED,     // UNENCRYPTED_SRTP, UNENCRYPTED_SRTCP
	TD_SDP_CRYPTO_UNAUTHENTICATED, // UNAUTHENTICATED_SRTP
	TD_SDP_CRYPTO_FEC,             // FEC_ORDER, FEC_KEY
	TD_SDP_CRYPTO_WINDOW,          // a WSH that is no window
	TD_SDP_CRYPTO_PARAMETER,       // a session parameter that nobody has heard of
	TD_SDP_CRYPTO_REFUSAL_COUNT
};

// Reads what follows "crypto:". TD_SDP_CRYPTO_TAKEN, and `out` is whole; or why not, and `out` is
// zeroed. Lifetime 2^n or decimal (section 6.1); base64 with or without its padding.
enum td_sdp_crypto_refusal td_sdp_crypto_parse(struct td_str value, struct td_sdp_crypto *out);

// A word for the log: "lifetime", "session parameter UNENCRYPTED_SRTP or UNENCRYPTED_SRTCP".
const char *td_sdp_crypto_refusal_name(enum td_sdp_crypto_refusal refusal);

// A key of our own, of random bytes that nothing else is made of.
void td_sdp_crypto_make(struct td_sdp_crypto *out, uint32_t tag, enum td_srtp_suite suite,
			const uint8_t seed[TD_SDP_CRYPTO_SEED]);

// Appends the whole line, "a=crypto:..." to CRLF. The lifetime is not said: it is the suite's.
void td_sdp_crypto_write(struct td_sdp_text *out, const struct td_sdp_crypto *crypto);

// Which of an offer's attributes an answer takes: the first, in the peer's order, whose suite is
// among ours; the answer has its tag and suite and a key of our own (section 5.1.2). -1: none.
int td_sdp_crypto_choose(const struct td_sdp_crypto *offered, unsigned count,
			 const enum td_srtp_suite *ours, unsigned our_count);

// Whether `answer` answers the attribute `offered` of ours: its tag, its suite, and not our own key
// sent back, with which both sides would use the same keystream. 0; -TD_ECODEC; -TD_EDENIED.
TD_MUST_CHECK int td_sdp_crypto_accept(const struct td_sdp_crypto *offered,
				       const struct td_sdp_crypto *answer);

// Digest authentication, both sides (RFC 3261 section 22, RFC 2617, RFC 7616, RFC 8760).
//
// Server side: a nonce is  time | HMAC-SHA-256(secret, time | realm | binding),  so a server needs no
// table to recognise its own; it is good for nonce_life_ms and for one binding (the source address).
// A small table of used nonces refuses a replayed nonce count; when it is full the oldest goes. An
// unknown user costs exactly the work of a known one: give `password = NULL` and it is verified
// against noise and refused. Comparison is constant time. Owned by the caller, control thread, no I/O.
#pragma once

#include "base/hash.h"
#include "base/str.h"
#include "sip/message.h"

#define TD_SIP_DIGEST_HEX_MAX  65   // SHA-256 in hexadecimal and the NUL
#define TD_SIP_CHALLENGE_MAX   1024 // both challenges as header lines
#define TD_SIP_CREDENTIALS_MAX 1536 // one Authorization header line
#define TD_SIP_DIGEST_SEEN_MAX 1024 // remembered nonces

enum td_sip_digest_algorithm { TD_SIP_DIGEST_MD5, TD_SIP_DIGEST_SHA256, TD_SIP_DIGEST_UNKNOWN };

// The fields of a challenge or of credentials, unquoted (escapes left as they are).
struct td_sip_digest_fields {
	bool is_digest; // the scheme is "Digest"
	enum td_sip_digest_algorithm algorithm;
	struct td_str username, realm, nonce, uri, response, cnonce, nc, opaque, qop;
	bool stale;
	bool has_algorithm;
};

TD_MUST_CHECK int td_sip_digest_fields_parse(struct td_str value, struct td_sip_digest_fields *out);

enum td_sip_digest_verdict {
	TD_SIP_DIGEST_OK,
	TD_SIP_DIGEST_NONE,  // no Digest credentials for our realm: challenge (401)
	TD_SIP_DIGEST_STALE, // our nonce, but too old or its count was used: challenge, stale=true
	TD_SIP_DIGEST_WRONG, // refuse: 403
	TD_SIP_DIGEST_MALFORMED // 400
};

struct td_sip_digest_seen {
	uint64_t nonce_hash;
	uint64_t used_ms;
	uint32_t count;
};

struct td_sip_digest_server {
	char realm[128];
	uint8_t secret[32];
	struct td_hash_key key;
	uint64_t nonce_life_ms;
	uint64_t nonce_counter;
	bool offer_md5, offer_sha256; // both after init; the owner may turn one of them off
	struct td_sip_digest_seen seen[TD_SIP_DIGEST_SEEN_MAX];
};

// -TD_EINVALID when the realm is too long or holds a quote, backslash or control character.
TD_MUST_CHECK int td_sip_digest_server_init(struct td_sip_digest_server *server, const char *realm,
					    const uint8_t seed[32], uint64_t nonce_life_ms);

// Writes "WWW-Authenticate: ..." lines for what is offered, SHA-256 before MD5 (RFC 8760 section
// 2.4), each ending CRLF,
// ready for td_sip_response.headers with status 401. Returns the text as a span over out.
struct td_str td_sip_digest_challenge(struct td_sip_digest_server *server, uint64_t now_ms,
				      const struct td_endpoint *binding, bool stale,
				      char out[TD_SIP_CHALLENGE_MAX]);

// The Authorization for our realm, parsed; the caller looks its user up and then verifies. False
// when there is none (then the verdict would be NONE).
bool td_sip_digest_credentials(const struct td_sip_digest_server *server,
			       const struct td_sip_message *msg, struct td_sip_digest_fields *out);

// Judges credentials found by the call above. `password` NULL: unknown user.
enum td_sip_digest_verdict td_sip_digest_verify(struct td_sip_digest_server *server,
						uint64_t now_ms, const struct td_sip_message *msg,
						const struct td_sip_digest_fields *credentials,
						const char *password,
						const struct td_endpoint *binding);

// RFC 2617 section 3.2.2 / RFC 7616 section 3.4.1 for qop absent or "auth"; hexadecimal in out.
TD_MUST_CHECK int td_sip_digest_response(enum td_sip_digest_algorithm algorithm, struct td_str user,
					 struct td_str realm, struct td_str password,
					 struct td_str method, struct td_str uri,
					 struct td_str nonce, struct td_str nc,
					 struct td_str cnonce, struct td_str qop,
					 char out[TD_SIP_DIGEST_HEX_MAX]);

// Client side: writes "Authorization: Digest ..." (or Proxy-Authorization for a 407) with CRLF,
// answering the strongest challenge in `response`. -TD_EUNSUPPORTED when it holds none we can do.
struct td_sip_account {
	const char *username, *password;
	const char *realm; // NULL: whatever the challenge says
};
TD_MUST_CHECK int td_sip_digest_answer(const struct td_sip_message *response,
				       const struct td_sip_account *account, struct td_str method,
				       struct td_str uri, uint64_t cnonce,
				       char out[TD_SIP_CREDENTIALS_MAX], size_t *out_len);

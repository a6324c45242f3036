#include "sip/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "sip/writer.h"

#define NONCE_MAC_BYTES 16
#define NONCE_HEX       ((16 + NONCE_MAC_BYTES) * 2) // time, counter, MAC

static void to_hex(const uint8_t *bytes, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * len] = 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = td_ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool from_hex(struct td_str text, uint8_t *out, size_t len)
{
	if (text.len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = hex_digit(text.at[2 * i]), low = hex_digit(text.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

// H(part:part:...) in hexadecimal.
static int hash_joined(enum td_sip_digest_algorithm algorithm, const struct td_str *parts,
		       size_t count, char out[TD_SIP_DIGEST_HEX_MAX])
{
	const EVP_MD *md = algorithm == TD_SIP_DIGEST_SHA256 ? EVP_sha256() : EVP_md5();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	bool ok = ctx && EVP_DigestInit_ex(ctx, md, NULL);

	for (size_t i = 0; ok && i < count; i++)
		ok = (!i || EVP_DigestUpdate(ctx, ":", 1)) &&
		     EVP_DigestUpdate(ctx, parts[i].at, parts[i].len);
	ok = ok && EVP_DigestFinal_ex(ctx, digest, &len);
	EVP_MD_CTX_free(ctx);
	if (!ok || len > 32)
		return -TD_EUNSUPPORTED; // a crypto policy that forbids MD5, for instance
	to_hex(digest, len, out);
	return 0;
}

int td_sip_digest_response(enum td_sip_digest_algorithm algorithm, struct td_str user,
			   struct td_str realm, struct td_str password, struct td_str method,
			   struct td_str uri, struct td_str nonce, struct td_str nc,
			   struct td_str cnonce, struct td_str qop, char out[TD_SIP_DIGEST_HEX_MAX])
{
	char ha1[TD_SIP_DIGEST_HEX_MAX], ha2[TD_SIP_DIGEST_HEX_MAX];
	struct td_str parts[6] = { user, realm, password };
	int rc;

	if (algorithm == TD_SIP_DIGEST_UNKNOWN ||
	    (qop.len && !td_str_equal_nocase(qop, TD_STR("auth"))))
		return -TD_EUNSUPPORTED;
	rc = hash_joined(algorithm, parts, 3, ha1);
	parts[0] = method;
	parts[1] = uri;
	if (!rc)
		rc = hash_joined(algorithm, parts, 2, ha2);
	if (rc)
		return rc;
	parts[0] = td_str_from(ha1);
	parts[1] = nonce;
	if (!qop.len) {
		parts[2] = td_str_from(ha2);
		rc = hash_joined(algorithm, parts, 3, out);
	} else {
		parts[2] = nc;
		parts[3] = cnonce;
		parts[4] = qop;
		parts[5] = td_str_from(ha2);
		rc = hash_joined(algorithm, parts, 6, out);
	}
	OPENSSL_cleanse(ha1, sizeof ha1);
	return rc;
}

static bool quotable(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == '"' || *text == '\\' || *text == 0x7f)
			return false;
	}
	return true;
}

int td_sip_digest_server_init(struct td_sip_digest_server *server, const char *realm,
			      const uint8_t seed[32], uint64_t nonce_life_ms)
{
	memset(server, 0, sizeof *server);
	if (!quotable(realm) ||
	    td_str_copy(td_str_from(realm), server->realm, sizeof server->realm))
		return -TD_EINVALID;
	memcpy(server->secret, seed, sizeof server->secret);
	server->key = td_hash_key_from(seed);
	server->nonce_life_ms = nonce_life_ms;
	server->offer_md5 = server->offer_sha256 = true;
	return 0;
}

// time and counter, big endian, and the MAC over them, the realm and the binding.
static void make_nonce(const struct td_sip_digest_server *server, uint64_t time_ms,
		       uint64_t counter, const struct td_endpoint *binding, char out[NONCE_HEX + 1])
{
	uint8_t input[16 + sizeof server->realm + 17], mac[EVP_MAX_MD_SIZE],
		raw[16 + NONCE_MAC_BYTES];
	size_t used = 16;
	unsigned len;

	for (int i = 0; i < 8; i++) {
		input[i] = (uint8_t)(time_ms >> (56 - 8 * i));
		input[8 + i] = (uint8_t)(counter >> (56 - 8 * i));
	}
	memcpy(raw, input, 16);
	memcpy(input + used, server->realm, sizeof server->realm);
	used += sizeof server->realm;
	// The address, not the port: a NAT may give the next packet another one.
	memcpy(input + used, binding->addr, 16);
	input[used + 16] = binding->family;
	HMAC(EVP_sha256(), server->secret, sizeof server->secret, input, used + 17, mac, &len);
	memcpy(raw + 16, mac, NONCE_MAC_BYTES);
	to_hex(raw, sizeof raw, out);
}

static void put_challenge(struct td_sip_writer *w, const struct td_sip_digest_server *server,
			  struct td_str nonce, struct td_str algorithm, bool stale)
{
	td_sip_puts(w, "WWW-Authenticate: Digest realm=\"");
	td_sip_put(w, td_str_from(server->realm));
	td_sip_puts(w, "\", nonce=\"");
	td_sip_put(w, nonce);
	td_sip_puts(w, "\", algorithm=");
	td_sip_put(w, algorithm);
	td_sip_puts(w, ", qop=\"auth\"");
	if (stale)
		td_sip_puts(w, ", stale=true");
	td_sip_puts(w, "\r\n");
}

struct td_str td_sip_digest_challenge(struct td_sip_digest_server *server, uint64_t now_ms,
				      const struct td_endpoint *binding, bool stale,
				      char out[TD_SIP_CHALLENGE_MAX])
{
	struct td_sip_writer w = td_sip_writer_make(out, TD_SIP_CHALLENGE_MAX);
	char nonce[NONCE_HEX + 1];

	make_nonce(server, now_ms, ++server->nonce_counter, binding, nonce);
	if (server->offer_sha256)
		put_challenge(&w, server, td_str_from(nonce), TD_STR("SHA-256"), stale);
	if (server->offer_md5)
		put_challenge(&w, server, td_str_from(nonce), TD_STR("MD5"), stale);
	return td_sip_writer_text(&w);
}

bool td_sip_digest_credentials(const struct td_sip_digest_server *server,
			       const struct td_sip_message *msg, struct td_sip_digest_fields *out)
{
	unsigned at = msg->first[TD_SIP_HEADER_AUTHORIZATION];

	while (at) {
		const struct td_sip_header *header = &msg->headers[at - 1];
		struct td_str value =
			td_str_make(msg->bytes.at + header->value_at, header->value_len);

		if (!td_sip_digest_fields_parse(value, out) && out->is_digest &&
		    td_str_equal(out->realm, td_str_from(server->realm)))
			return true;
		at = header->next;
	}
	*out = (struct td_sip_digest_fields){ 0 };
	return false;
}

// Is the nonce ours, for this address? *time_ms says when it was given.
static bool nonce_ours(const struct td_sip_digest_server *server, struct td_str nonce,
		       const struct td_endpoint *binding, uint64_t *time_ms)
{
	uint8_t raw[16 + NONCE_MAC_BYTES];
	char expected[NONCE_HEX + 1];
	uint64_t counter = 0;

	*time_ms = 0;
	if (!from_hex(nonce, raw, sizeof raw))
		return false;
	for (int i = 0; i < 8; i++) {
		*time_ms = *time_ms << 8 | raw[i];
		counter = counter << 8 | raw[8 + i];
	}
	make_nonce(server, *time_ms, counter, binding, expected);
	return CRYPTO_memcmp(expected, nonce.at, NONCE_HEX) == 0;
}

// Has this nonce been used with this count or a higher one? Remembers it when not.
static bool count_used(struct td_sip_digest_server *server, struct td_str nonce, uint32_t count,
		       uint64_t now_ms)
{
	uint64_t hash = td_hash64(&server->key, nonce.at, nonce.len) | 1; // 0 marks a free entry
	struct td_sip_digest_seen *oldest = &server->seen[0]; // a free entry was used at 0

	for (unsigned i = 0; i < TD_SIP_DIGEST_SEEN_MAX; i++) {
		struct td_sip_digest_seen *seen = &server->seen[i];

		if (seen->nonce_hash == hash) {
			if (count <= seen->count)
				return true;
			seen->count = count;
			seen->used_ms = now_ms;
			return false;
		}
		if (seen->used_ms < oldest->used_ms)
			oldest = seen;
	}
	*oldest = (struct td_sip_digest_seen){ hash, now_ms, count };
	return false;
}

static bool parse_count(struct td_str text, uint32_t *out)
{
	*out = 0;
	if (text.len != 8)
		return false;
	for (size_t i = 0; i < 8; i++) {
		int digit = hex_digit(text.at[i]);

		if (digit < 0)
			return false;
		*out = *out << 4 | (uint32_t)digit;
	}
	return *out != 0;
}

// The work below is the same whether the user exists or not.
static bool response_right(const struct td_sip_digest_server *server,
			   const struct td_sip_message *msg, const struct td_sip_digest_fields *c,
			   const char *password)
{
	struct td_str secret =
		password ? td_str_from(password) : td_str_make((const char *)server->secret, 16);
	char expected[TD_SIP_DIGEST_HEX_MAX];
	size_t len;
	bool same;

	if (td_sip_digest_response(c->algorithm, c->username, c->realm, secret, msg->method_text,
				   c->uri, c->nonce, c->nc, c->cnonce, c->qop, expected))
		return false;
	len = strlen(expected);
	same = c->response.len == len && CRYPTO_memcmp(expected, c->response.at, len) == 0;
	return same && password;
}

enum td_sip_digest_verdict td_sip_digest_verify(struct td_sip_digest_server *server,
						uint64_t now_ms, const struct td_sip_message *msg,
						const struct td_sip_digest_fields *c,
						const char *password,
						const struct td_endpoint *binding)
{
	uint64_t made_ms;
	uint32_t count;
	bool ours = nonce_ours(server, c->nonce, binding, &made_ms), right;

	if (!c->is_digest || (c->algorithm == TD_SIP_DIGEST_MD5 && !server->offer_md5) ||
	    (c->algorithm == TD_SIP_DIGEST_SHA256 && !server->offer_sha256))
		return TD_SIP_DIGEST_NONE;
	if (!c->username.len || !c->nonce.len || !c->uri.len || !c->response.len)
		return TD_SIP_DIGEST_MALFORMED;
	// We always offer qop, so that an answer without it cannot be counted: refused as RFC 8760
	// allows, since every phone of this century sends it.
	if (!td_str_equal_nocase(c->qop, TD_STR("auth")) || !c->cnonce.len ||
	    !parse_count(c->nc, &count))
		return TD_SIP_DIGEST_MALFORMED;
	right = response_right(server, msg, c, password);
	if (!ours)
		return TD_SIP_DIGEST_STALE; // an earlier life of ours, or another address: try again
	if (!right)
		return TD_SIP_DIGEST_WRONG;
	if (now_ms - made_ms > server->nonce_life_ms || made_ms > now_ms)
		return TD_SIP_DIGEST_STALE;
	return count_used(server, c->nonce, count, now_ms) ? TD_SIP_DIGEST_STALE : TD_SIP_DIGEST_OK;
}

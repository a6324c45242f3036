// Answering a challenge (RFC 3261 section 22.2, RFC 7616 section 3.4).
#include "sip/digest.h"
#include "sip/writer.h"

// The strongest Digest challenge for our realm that we can answer.
static bool pick_challenge(const struct td_sip_message *response, enum td_sip_header_id id,
			   const char *realm, struct td_sip_digest_fields *out)
{
	unsigned at = response->first[id];
	bool found = false;

	for (; at; at = response->headers[at - 1].next) {
		const struct td_sip_header *header = &response->headers[at - 1];
		struct td_sip_digest_fields one;

		if (td_sip_digest_fields_parse(
			    td_str_make(response->bytes.at + header->value_at, header->value_len),
			    &one) ||
		    !one.is_digest || one.algorithm == TD_SIP_DIGEST_UNKNOWN || !one.nonce.len)
			continue;
		if (realm && !td_str_equal(one.realm, td_str_from(realm)))
			continue;
		if (!found || one.algorithm == TD_SIP_DIGEST_SHA256) {
			*out = one;
			found = true;
		}
	}
	return found;
}

// qop is a list; empty when "auth" is not on it.
static bool offers_auth(struct td_str list)
{
	while (list.len) {
		size_t end = td_str_find(list, ',');

		if (td_str_equal_nocase(td_str_trim(td_str_before(list, end)), TD_STR("auth")))
			return true;
		list = td_str_after(list, end + 1);
	}
	return false;
}

static void put_quoted(struct td_sip_writer *w, struct td_str name, struct td_str value)
{
	td_sip_put(w, name);
	td_sip_puts(w, "=\"");
	td_sip_put(w, value);
	td_sip_puts(w, "\"");
}

static void put_credentials(struct td_sip_writer *w, const struct td_sip_digest_fields *challenge,
			    struct td_str username, struct td_str uri, struct td_str cnonce,
			    struct td_str response)
{
	put_quoted(w, TD_STR(" Digest username"), username);
	put_quoted(w, TD_STR(", realm"), challenge->realm);
	put_quoted(w, TD_STR(", nonce"), challenge->nonce);
	put_quoted(w, TD_STR(", uri"), uri);
	put_quoted(w, TD_STR(", response"), response);
	if (challenge->has_algorithm)
		td_sip_put(w, challenge->algorithm == TD_SIP_DIGEST_SHA256
				      ? TD_STR(", algorithm=SHA-256")
				      : TD_STR(", algorithm=MD5"));
	if (cnonce.len) {
		put_quoted(w, TD_STR(", cnonce"), cnonce);
		td_sip_puts(w, ", qop=auth, nc=00000001");
	}
	if (challenge->opaque.len)
		put_quoted(w, TD_STR(", opaque"), challenge->opaque);
	td_sip_puts(w, "\r\n");
}

int td_sip_digest_answer(const struct td_sip_message *message, const struct td_sip_account *account,
			 struct td_str method, struct td_str uri, uint64_t cnonce,
			 char out[TD_SIP_CREDENTIALS_MAX], size_t *out_len)
{
	bool proxy = message->status == 407;
	struct td_sip_writer w = td_sip_writer_make(out, TD_SIP_CREDENTIALS_MAX), c;
	char response[TD_SIP_DIGEST_HEX_MAX], cnonce_text[24];
	struct td_str qop = TD_STR_NONE, nc = TD_STR_NONE, cnonce_str = TD_STR_NONE;
	struct td_sip_digest_fields challenge;
	int rc;

	if (!pick_challenge(message,
			    proxy ? TD_SIP_HEADER_PROXY_AUTHENTICATE
				  : TD_SIP_HEADER_WWW_AUTHENTICATE,
			    account->realm, &challenge))
		return -TD_EUNSUPPORTED;
	if (challenge.qop.len) {
		if (!offers_auth(challenge.qop))
			return -TD_EUNSUPPORTED;
		c = td_sip_writer_make(cnonce_text, sizeof cnonce_text);
		td_sip_put_number(&c, cnonce);
		cnonce_str = td_sip_writer_text(&c);
		qop = TD_STR("auth");
		nc = TD_STR("00000001");
	}
	rc = td_sip_digest_response(challenge.algorithm, td_str_from(account->username),
				    challenge.realm, td_str_from(account->password), method, uri,
				    challenge.nonce, nc, cnonce_str, qop, response);
	if (rc)
		return rc;
	td_sip_put(&w, proxy ? TD_STR("Proxy-Authorization:") : TD_STR("Authorization:"));
	put_credentials(&w, &challenge, td_str_from(account->username), uri, cnonce_str,
			td_str_from(response));
	*out_len = w.used;
	return w.full ? -TD_EFULL : 0;
}

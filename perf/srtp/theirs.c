#include "theirs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <srtp2/srtp.h>

#define HEADER_BYTES 12

struct evp_key {
	EVP_CIPHER_CTX *cipher;
	EVP_MAC_CTX *mac; // of the CM suites
	uint8_t iv[16];
};

struct td_theirs {
	const struct td_srtp_suite_shape *shape;
	unsigned count;
	srtp_t *seals, *opens; // libsrtp2
	struct evp_key *keys;  // OpenSSL
};

static void require(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "srtp: %s failed\n", what);
	exit(2);
}

static struct td_theirs *create(const struct td_srtp_master *masters, unsigned count)
{
	struct td_theirs *theirs = calloc(1, sizeof *theirs);

	require(theirs != NULL, "memory");
	theirs->shape = td_srtp_suite_shape(masters->suite);
	theirs->count = count;
	return theirs;
}

static srtp_t session_of(const struct td_srtp_master *master)
{
	const struct td_srtp_suite_shape *shape = td_srtp_suite_shape(master->suite);
	uint8_t key[TD_SRTP_KEY_MAX + TD_SRTP_SALT_MAX];
	srtp_policy_t policy = { .ssrc = { .type = ssrc_any_inbound }, .key = key };
	srtp_t session;

	memcpy(key, master->key, shape->key_bytes);
	memcpy(key + shape->key_bytes, master->salt, shape->salt_bytes);
	if (shape->aead) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
	} else {
		srtp_crypto_policy_set_rtp_default(&policy.rtp);
		srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
	}
	require(srtp_create(&session, &policy) == srtp_err_status_ok, "srtp_create");
	return session;
}

struct td_theirs *td_theirs_libsrtp(const struct td_srtp_master *masters, unsigned count)
{
	static int initialised;
	struct td_theirs *theirs = create(masters, count);

	if (!initialised++)
		require(srtp_init() == srtp_err_status_ok, "srtp_init");
	theirs->seals = calloc(count, sizeof(srtp_t));
	theirs->opens = calloc(count, sizeof(srtp_t));
	require(theirs->seals && theirs->opens, "memory");
	for (unsigned i = 0; i < count; i++) {
		theirs->seals[i] = session_of(&masters[i]);
		theirs->opens[i] = session_of(&masters[i]);
	}
	return theirs;
}

struct td_theirs *td_theirs_openssl(const struct td_srtp_master *masters, unsigned count)
{
	struct td_theirs *theirs = create(masters, count);
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char digest[] = "SHA1";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", digest, 0),
				OSSL_PARAM_construct_end() };

	theirs->keys = calloc(count, sizeof *theirs->keys);
	require(theirs->keys && hmac, "memory");
	for (unsigned i = 0; i < count; i++) {
		struct evp_key *key = &theirs->keys[i];
		const EVP_CIPHER *cipher =
			theirs->shape->aead ? EVP_aes_128_gcm() : EVP_aes_128_ctr();

		key->cipher = EVP_CIPHER_CTX_new();
		require(key->cipher && EVP_EncryptInit_ex(key->cipher, cipher, NULL, masters[i].key,
							  key->iv) == 1,
			"EVP_EncryptInit_ex");
		if (theirs->shape->aead)
			continue;
		key->mac = EVP_MAC_CTX_new(hmac);
		require(key->mac && EVP_MAC_init(key->mac, masters[i].key, 20, params) == 1,
			"EVP_MAC_init");
	}
	EVP_MAC_free(hmac);
	return theirs;
}

void td_theirs_destroy(struct td_theirs *theirs)
{
	for (unsigned i = 0; theirs->seals && i < theirs->count; i++) {
		srtp_dealloc(theirs->seals[i]);
		srtp_dealloc(theirs->opens[i]);
	}
	for (unsigned i = 0; theirs->keys && i < theirs->count; i++) {
		EVP_CIPHER_CTX_free(theirs->keys[i].cipher);
		EVP_MAC_CTX_free(theirs->keys[i].mac);
	}
	free(theirs->seals);
	free(theirs->opens);
	free(theirs->keys);
	free(theirs);
}

// The IV's packet part: enough that every packet has its own.
static void next_iv(struct evp_key *key, const uint8_t *bytes)
{
	memcpy(key->iv + 6, bytes + 2, 2);
}

static void evp_mac(struct evp_key *key, const uint8_t *bytes, size_t len, uint8_t tag[20])
{
	size_t tag_len;

	require(EVP_MAC_init(key->mac, NULL, 0, NULL) == 1 &&
			EVP_MAC_update(key->mac, bytes, len) == 1 &&
			EVP_MAC_final(key->mac, tag, &tag_len, 20) == 1,
		"EVP_MAC");
}

static uint16_t evp_gcm(struct evp_key *key, uint8_t *bytes, uint16_t len, int seal)
{
	int text = len - HEADER_BYTES - (seal ? 0 : 16), done;
	uint8_t *tag = bytes + HEADER_BYTES + text;

	require(EVP_CipherInit_ex(key->cipher, NULL, NULL, NULL, key->iv, seal) == 1 &&
			EVP_CipherUpdate(key->cipher, NULL, &done, bytes, HEADER_BYTES) == 1 &&
			EVP_CipherUpdate(key->cipher, bytes + HEADER_BYTES, &done,
					 bytes + HEADER_BYTES, text) == 1,
		"EVP_CipherUpdate");
	if (!seal)
		EVP_CIPHER_CTX_ctrl(key->cipher, EVP_CTRL_AEAD_SET_TAG, 16, tag);
	require(EVP_CipherFinal_ex(key->cipher, bytes, &done) == 1, "EVP_CipherFinal_ex");
	if (seal)
		EVP_CIPHER_CTX_ctrl(key->cipher, EVP_CTRL_AEAD_GET_TAG, 16, tag);
	return (uint16_t)(seal ? len + 16 : len - 16);
}

static void evp_ctr(struct evp_key *key, uint8_t *bytes, int text)
{
	int done;

	require(EVP_EncryptInit_ex(key->cipher, NULL, NULL, NULL, key->iv) == 1 &&
			EVP_EncryptUpdate(key->cipher, bytes, &done, bytes, text) == 1,
		"EVP_EncryptUpdate");
}

static uint16_t evp_seal(struct td_theirs *theirs, struct evp_key *key, uint8_t *bytes,
			 uint16_t len)
{
	uint8_t tag[20];

	next_iv(key, bytes);
	if (theirs->shape->aead)
		return evp_gcm(key, bytes, len, 1);
	evp_ctr(key, bytes + HEADER_BYTES, len - HEADER_BYTES);
	memset(bytes + len, 0, 4); // the rollover counter
	evp_mac(key, bytes, len + 4u, tag);
	memcpy(bytes + len, tag, theirs->shape->tag_bytes);
	return (uint16_t)(len + theirs->shape->tag_bytes);
}

static uint16_t evp_open(struct td_theirs *theirs, struct evp_key *key, uint8_t *bytes,
			 uint16_t len)
{
	uint8_t tag[20], got[20];
	uint16_t plain = (uint16_t)(len - theirs->shape->tag_bytes);

	next_iv(key, bytes);
	if (theirs->shape->aead)
		return evp_gcm(key, bytes, len, 0);
	memcpy(got, bytes + plain, theirs->shape->tag_bytes);
	memset(bytes + plain, 0, 4);
	evp_mac(key, bytes, plain + 4u, tag);
	require(memcmp(got, tag, theirs->shape->tag_bytes) == 0, "a tag");
	evp_ctr(key, bytes + HEADER_BYTES, plain - HEADER_BYTES);
	return plain;
}

uint16_t td_theirs_seal(struct td_theirs *theirs, unsigned key, uint8_t *bytes, uint16_t len)
{
	int their_len = len;

	if (theirs->keys)
		return evp_seal(theirs, &theirs->keys[key], bytes, len);
	require(srtp_protect(theirs->seals[key], bytes, &their_len) == srtp_err_status_ok,
		"srtp_protect");
	return (uint16_t)their_len;
}

uint16_t td_theirs_open(struct td_theirs *theirs, unsigned key, uint8_t *bytes, uint16_t len)
{
	int their_len = len;

	if (theirs->keys)
		return evp_open(theirs, &theirs->keys[key], bytes, len);
	require(srtp_unprotect(theirs->opens[key], bytes, &their_len) == srtp_err_status_ok,
		"srtp_unprotect");
	return (uint16_t)their_len;
}

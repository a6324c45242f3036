#include "evp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#define HEADER_BYTES 12

struct evp_key {
	EVP_CIPHER_CTX *cipher;
	EVP_MAC_CTX *mac; // of the CM suites
	uint8_t iv[16];
};

struct td_evp {
	const struct td_srtp_suite_shape *shape;
	unsigned count;
	struct evp_key *keys;
};

static void require(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "srtp: %s failed\n", what);
	exit(2);
}

struct td_evp *td_evp_create(const struct td_srtp_master *masters, unsigned count)
{
	struct td_evp *evp = calloc(1, sizeof *evp);
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char digest[] = "SHA1";
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("digest", digest, 0),
				OSSL_PARAM_construct_end() };

	require(evp != NULL, "memory");
	evp->shape = td_srtp_suite_shape(masters->suite);
	evp->count = count;
	evp->keys = calloc(count, sizeof *evp->keys);
	require(evp->keys && hmac, "memory");
	for (unsigned i = 0; i < count; i++) {
		struct evp_key *key = &evp->keys[i];
		const EVP_CIPHER *cipher = evp->shape->aead ? EVP_aes_128_gcm() : EVP_aes_128_ctr();

		key->cipher = EVP_CIPHER_CTX_new();
		require(key->cipher && EVP_EncryptInit_ex(key->cipher, cipher, NULL, masters[i].key,
							  key->iv) == 1,
			"EVP_EncryptInit_ex");
		if (evp->shape->aead)
			continue;
		key->mac = EVP_MAC_CTX_new(hmac);
		require(key->mac && EVP_MAC_init(key->mac, masters[i].key, 20, params) == 1,
			"EVP_MAC_init");
	}
	EVP_MAC_free(hmac);
	return evp;
}

void td_evp_destroy(struct td_evp *evp)
{
	for (unsigned i = 0; i < evp->count; i++) {
		EVP_CIPHER_CTX_free(evp->keys[i].cipher);
		EVP_MAC_CTX_free(evp->keys[i].mac);
	}
	free(evp->keys);
	free(evp);
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

uint16_t td_evp_seal(struct td_evp *evp, unsigned at, uint8_t *bytes, uint16_t len)
{
	struct evp_key *key = &evp->keys[at];
	uint8_t tag[20];

	next_iv(key, bytes);
	if (evp->shape->aead)
		return evp_gcm(key, bytes, len, 1);
	evp_ctr(key, bytes + HEADER_BYTES, len - HEADER_BYTES);
	memset(bytes + len, 0, 4); // the rollover counter
	evp_mac(key, bytes, len + 4u, tag);
	memcpy(bytes + len, tag, evp->shape->tag_bytes);
	return (uint16_t)(len + evp->shape->tag_bytes);
}

uint16_t td_evp_open(struct td_evp *evp, unsigned at, uint8_t *bytes, uint16_t len)
{
	struct evp_key *key = &evp->keys[at];
	uint8_t tag[20], got[20];
	uint16_t plain = (uint16_t)(len - evp->shape->tag_bytes);

	next_iv(key, bytes);
	if (evp->shape->aead)
		return evp_gcm(key, bytes, len, 0);
	memcpy(got, bytes + plain, evp->shape->tag_bytes);
	memset(bytes + plain, 0, 4);
	evp_mac(key, bytes, plain + 4u, tag);
	require(memcmp(got, tag, evp->shape->tag_bytes) == 0, "a tag");
	evp_ctr(key, bytes + HEADER_BYTES, plain - HEADER_BYTES);
	return plain;
}

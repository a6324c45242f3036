// SRTP's arithmetic through OpenSSL, packet by packet: for processors that ipsec-mb does not know.
//
// Ciphers go through EVP, whose contexts are made once and given a key a packet. HMAC-SHA1 uses the
// hash's own functions because only they start from a given state: EVP's would hash the two pads of
// the key again for every packet and copy contexts, which allocates.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "rtp/srtp_engine.h"
#include "td_assert.h"

struct contexts {
	EVP_CIPHER_CTX *ctr[2], *gcm[2]; // of 16 and 32 bytes
};

static void start_from(SHA_CTX *sha, const uint32_t state[5])
{
	TD_ASSERT(SHA1_Init(sha) == 1);
	sha->h0 = state[0];
	sha->h1 = state[1];
	sha->h2 = state[2];
	sha->h3 = state[3];
	sha->h4 = state[4];
	sha->Nl = SHA_CBLOCK * 8; // bits so far: the pad
}

static void state_after(uint32_t state[5], const uint8_t block[SHA_CBLOCK])
{
	SHA_CTX sha;

	TD_ASSERT(SHA1_Init(&sha) == 1);
	SHA1_Transform(&sha, block);
	state[0] = sha.h0;
	state[1] = sha.h1;
	state[2] = sha.h2;
	state[3] = sha.h3;
	state[4] = sha.h4;
	explicit_bzero(&sha, sizeof sha);
}

static void expand(struct td_srtp_engine *engine, struct td_srtp_keys *keys,
		   const uint8_t *cipher_key, const uint8_t *auth_key)
{
	uint8_t block[SHA_CBLOCK];

	(void)engine;
	memcpy(keys->cipher, cipher_key, 16u * keys->key_blocks);
	if (keys->aead)
		return;
	memset(block, 0x36, sizeof block);
	for (int i = 0; i < 20; i++)
		block[i] ^= auth_key[i];
	state_after(keys->inner, block);
	for (size_t i = 0; i < sizeof block; i++)
		block[i] ^= 0x36 ^ 0x5c;
	state_after(keys->outer, block);
	explicit_bzero(block, sizeof block);
}

static void cm_tags(struct td_srtp_engine *engine, struct td_srtp_job *const *jobs, unsigned count)
{
	(void)engine;
	for (unsigned i = 0; i < count; i++) {
		uint8_t digest[SHA_DIGEST_LENGTH];
		SHA_CTX sha;

		start_from(&sha, jobs[i]->keys->inner);
		SHA1_Update(&sha, jobs[i]->bytes, jobs[i]->auth_len);
		SHA1_Final(digest, &sha);
		start_from(&sha, jobs[i]->keys->outer);
		SHA1_Update(&sha, digest, sizeof digest);
		SHA1_Final(jobs[i]->tag, &sha);
	}
}

static void cm_cipher(struct td_srtp_engine *engine, struct td_srtp_job *const *jobs,
		      unsigned count, unsigned key_bytes)
{
	struct contexts *contexts = engine->library;
	EVP_CIPHER_CTX *ctr = contexts->ctr[key_bytes == 32];

	for (unsigned i = 0; i < count; i++) {
		uint8_t *text = jobs[i]->bytes + jobs[i]->text_offset;
		int done;

		TD_ASSERT(EVP_EncryptInit_ex(ctr, NULL, NULL, jobs[i]->keys->cipher, jobs[i]->iv) ==
			  1);
		TD_ASSERT(EVP_EncryptUpdate(ctr, text, &done, text, jobs[i]->text_len) == 1);
	}
}

// Additional data and text; the tag is the caller's.
static EVP_CIPHER_CTX *gcm_turn(struct td_srtp_engine *engine, const struct td_srtp_job *job,
				int seal)
{
	struct contexts *contexts = engine->library;
	EVP_CIPHER_CTX *gcm = contexts->gcm[job->keys->key_blocks == 2];
	uint8_t room[TD_SRTP_PACKET_MAX + 4];
	uint8_t *text = job->bytes + job->text_offset;
	size_t aad_len;
	const uint8_t *aad = td_srtp_job_aad(job, room, &aad_len);
	int done;

	TD_ASSERT(EVP_CipherInit_ex(gcm, NULL, NULL, job->keys->cipher, job->iv, seal) == 1);
	TD_ASSERT(EVP_CipherUpdate(gcm, NULL, &done, aad, (int)aad_len) == 1);
	if (job->text_len > 0)
		TD_ASSERT(EVP_CipherUpdate(gcm, text, &done, text, job->text_len) == 1);
	return gcm;
}

static void gcm_seal(struct td_srtp_engine *engine, struct td_srtp_job *const *jobs, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		EVP_CIPHER_CTX *gcm = gcm_turn(engine, jobs[i], 1);
		uint8_t nothing[16];
		int done;

		TD_ASSERT(EVP_CipherFinal_ex(gcm, nothing, &done) == 1);
		TD_ASSERT(EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_GET_TAG, TD_SRTP_TAG_MAX,
					      jobs[i]->tag) == 1);
	}
}

static void gcm_open(struct td_srtp_engine *engine, struct td_srtp_job *const *jobs, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		EVP_CIPHER_CTX *gcm = gcm_turn(engine, jobs[i], 0);
		uint8_t nothing[16];
		int done;

		TD_ASSERT(EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_SET_TAG, TD_SRTP_TAG_MAX,
					      td_srtp_job_tag(jobs[i])) == 1);
		jobs[i]->failed = EVP_CipherFinal_ex(gcm, nothing, &done) != 1;
		if (jobs[i]->failed) // turned once more it is what it was
			gcm_turn(engine, jobs[i], 1);
	}
}

static void fini(struct td_srtp_engine *engine)
{
	struct contexts *contexts = engine->library;

	for (int i = 0; i < 2; i++) {
		EVP_CIPHER_CTX_free(contexts->ctr[i]);
		EVP_CIPHER_CTX_free(contexts->gcm[i]);
	}
	free(contexts);
	engine->library = NULL;
}

static const struct td_srtp_machine machine = {
	.kind = TD_SRTP_ENGINE_OPENSSL,
	.expand = expand,
	.cm_tags = cm_tags,
	.cm_cipher = cm_cipher,
	.gcm_seal = gcm_seal,
	.gcm_open = gcm_open,
	.fini = fini,
};

static EVP_CIPHER_CTX *context_of(const EVP_CIPHER *cipher)
{
	static const uint8_t zeros[32];
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

	// A first key and IV, so that whatever the cipher allocates is there before the first packet.
	if (context && EVP_EncryptInit_ex(context, cipher, NULL, zeros, zeros) == 1)
		return context;
	EVP_CIPHER_CTX_free(context);
	return NULL;
}

int td_srtp_openssl_init(struct td_srtp_engine *engine)
{
	struct contexts *contexts = calloc(1, sizeof *contexts);

	if (!contexts)
		return -TD_EMEMORY;
	engine->library = contexts;
	contexts->ctr[0] = context_of(EVP_aes_128_ctr());
	contexts->ctr[1] = context_of(EVP_aes_256_ctr());
	contexts->gcm[0] = context_of(EVP_aes_128_gcm());
	contexts->gcm[1] = context_of(EVP_aes_256_gcm());
	if (!contexts->ctr[0] || !contexts->ctr[1] || !contexts->gcm[0] || !contexts->gcm[1]) {
		fini(engine);
		return -TD_EMEMORY;
	}
	engine->machine = &machine;
	return 0;
}

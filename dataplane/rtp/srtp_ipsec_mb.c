// SRTP's arithmetic through ipsec-mb. Tags and counter mode go through its synchronous bursts, which
// finish every job they are given (the asynchronous ones keep some of a burst back until they are
// flushed); GCM through its direct calls, which are as fast as any burst of it.
#include <string.h>

#include <intel-ipsec-mb.h>

#include "rtp/srtp_engine.h"
#include "td_assert.h"

// `cipher` lies on a 64-byte boundary in struct td_srtp_keys, as ipsec-mb's own code assumes.
_Static_assert(sizeof(struct gcm_key_data) <= TD_SRTP_CIPHER_BYTES, "room for a GCM key");
_Static_assert(offsetof(struct td_srtp_keys, cipher) % 64 == 0, "GCM keys are aligned");
_Static_assert(TD_SRTP_BURST <= IMB_MAX_BURST_SIZE, "a vector is one burst");

#define HMAC_BLOCK_BYTES    64
#define HMAC_SHA1_KEY_BYTES 20

static const struct gcm_key_data *gcm_key(const struct td_srtp_job *job)
{
	return (const struct gcm_key_data *)(const void *)job->keys->cipher;
}

static void expand_hmac(IMB_MGR *mgr, struct td_srtp_keys *keys, const uint8_t *auth_key)
{
	uint8_t block[HMAC_BLOCK_BYTES];

	memset(block, 0x36, sizeof block);
	for (int i = 0; i < HMAC_SHA1_KEY_BYTES; i++)
		block[i] ^= auth_key[i];
	IMB_SHA1_ONE_BLOCK(mgr, block, keys->inner);
	for (size_t i = 0; i < sizeof block; i++)
		block[i] ^= 0x36 ^ 0x5c;
	IMB_SHA1_ONE_BLOCK(mgr, block, keys->outer);
	explicit_bzero(block, sizeof block);
}

static void expand(struct td_srtp_engine *engine, struct td_srtp_keys *keys,
		   const uint8_t *cipher_key, const uint8_t *auth_key)
{
	IMB_MGR *mgr = engine->library;
	struct gcm_key_data *gcm = (struct gcm_key_data *)(void *)keys->cipher;
	_Alignas(64) uint8_t unused[16 * 15]; // the decryption schedule: counter mode has no use

	if (keys->aead) {
		if (keys->key_blocks == 1)
			IMB_AES128_GCM_PRE(mgr, cipher_key, gcm);
		else
			IMB_AES256_GCM_PRE(mgr, cipher_key, gcm);
		return;
	}
	if (keys->key_blocks == 1)
		IMB_AES_KEYEXP_128(mgr, cipher_key, keys->cipher, unused);
	else
		IMB_AES_KEYEXP_256(mgr, cipher_key, keys->cipher, unused);
	explicit_bzero(unused, sizeof unused);
	expand_hmac(mgr, keys, auth_key);
}

static void cm_tags(struct td_srtp_engine *engine, struct td_srtp_job *const *jobs, unsigned count)
{
	IMB_MGR *mgr = engine->library;
	IMB_JOB burst[TD_SRTP_BURST];

	for (unsigned i = 0; i < count; i++) {
		burst[i].src = jobs[i]->bytes;
		burst[i].hash_start_src_offset_in_bytes = 0;
		burst[i].msg_len_to_hash_in_bytes = jobs[i]->auth_len;
		burst[i].auth_tag_output = jobs[i]->tag;
		burst[i].auth_tag_output_len_in_bytes = 20;
		burst[i].u.HMAC._hashed_auth_key_xor_ipad = (const uint8_t *)jobs[i]->keys->inner;
		burst[i].u.HMAC._hashed_auth_key_xor_opad = (const uint8_t *)jobs[i]->keys->outer;
	}
	TD_ASSERT(IMB_SUBMIT_HASH_BURST_NOCHECK(mgr, burst, count, IMB_AUTH_HMAC_SHA_1) == count);
}

static void cm_cipher(struct td_srtp_engine *engine, struct td_srtp_job *const *jobs,
		      unsigned count, unsigned key_bytes)
{
	IMB_MGR *mgr = engine->library;
	IMB_JOB burst[TD_SRTP_BURST];
	unsigned used = 0;

	for (unsigned i = 0; i < count; i++) {
		uint8_t *text = jobs[i]->bytes + jobs[i]->text_offset;

		if (jobs[i]->text_len == 0)
			continue;
		burst[used].src = text;
		burst[used].dst = text;
		burst[used].cipher_start_src_offset_in_bytes = 0;
		burst[used].msg_len_to_cipher_in_bytes = jobs[i]->text_len;
		burst[used].enc_keys = jobs[i]->keys->cipher;
		burst[used].dec_keys = jobs[i]->keys->cipher;
		burst[used].iv = jobs[i]->iv;
		burst[used].iv_len_in_bytes = 16;
		used++;
	}
	if (used > 0)
		TD_ASSERT(IMB_SUBMIT_CIPHER_BURST_NOCHECK(mgr, burst, used, IMB_CIPHER_CNTR,
							  IMB_DIR_ENCRYPT, key_bytes) == used);
}

static void gcm_turn(IMB_MGR *mgr, const struct td_srtp_job *job, bool seal,
		     uint8_t tag[TD_SRTP_TAG_MAX])
{
	struct gcm_context_data context;
	uint8_t room[TD_SRTP_PACKET_MAX + 4];
	uint8_t *text = job->bytes + job->text_offset;
	size_t aad_len;
	const uint8_t *aad = td_srtp_job_aad(job, room, &aad_len);
	aes_gcm_enc_dec_t turn;

	if (job->keys->key_blocks == 1)
		turn = seal ? mgr->gcm128_enc : mgr->gcm128_dec;
	else
		turn = seal ? mgr->gcm256_enc : mgr->gcm256_dec;
	turn(gcm_key(job), &context, text, text, job->text_len, job->iv, aad, aad_len, tag,
	     TD_SRTP_TAG_MAX);
}

static void gcm_seal(struct td_srtp_engine *engine, struct td_srtp_job *const *jobs, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		gcm_turn(engine->library, jobs[i], true, jobs[i]->tag);
}

static void gcm_open(struct td_srtp_engine *engine, struct td_srtp_job *const *jobs, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint8_t tag[TD_SRTP_TAG_MAX];

		gcm_turn(engine->library, jobs[i], false, tag);
		jobs[i]->failed = !td_srtp_same_tag(tag, td_srtp_job_tag(jobs[i]), sizeof tag);
		if (jobs[i]->failed) // turned once more it is what it was
			gcm_turn(engine->library, jobs[i], true, tag);
	}
}

static void fini(struct td_srtp_engine *engine)
{
	free_mb_mgr(engine->library);
	engine->library = NULL;
}

static const struct td_srtp_machine machine = {
	.kind = TD_SRTP_ENGINE_IPSEC_MB,
	.expand = expand,
	.cm_tags = cm_tags,
	.cm_cipher = cm_cipher,
	.gcm_seal = gcm_seal,
	.gcm_open = gcm_open,
	.fini = fini,
};

int td_srtp_ipsec_mb_init(struct td_srtp_engine *engine)
{
	IMB_MGR *mgr = alloc_mb_mgr(0);
	IMB_ARCH arch = IMB_ARCH_NONE;

	if (!mgr)
		return -TD_EMEMORY;
	init_mb_mgr_auto(mgr, &arch);
	// Without the instructions ipsec-mb emulates them, slowly and not in constant time.
	if (arch == IMB_ARCH_NONE || arch == IMB_ARCH_NOAESNI ||
	    !(mgr->features & IMB_FEATURE_AESNI)) {
		free_mb_mgr(mgr);
		return -TD_EUNSUPPORTED;
	}
	engine->library = mgr;
	engine->machine = &machine;
	return 0;
}

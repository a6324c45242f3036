#include <string.h>

#include "rtp/srtp_keys.h"
#include "td_assert.h"

enum label { LABEL_CIPHER, LABEL_AUTH, LABEL_SALT, LABEL_COUNT };

#define DERIVED_MAX 32
#define AUTH_BYTES  20

void td_srtp_derive(struct td_srtp_engine *engine, const struct td_srtp_master *master,
		    uint8_t label, uint8_t *out, size_t bytes)
{
	static const uint8_t no_auth[AUTH_BYTES];
	const struct td_srtp_suite_shape *shape = td_srtp_suite_shape(master->suite);
	struct td_srtp_keys keys = { .key_blocks = shape->key_bytes / 16u & 3u };
	uint8_t stream[DERIVED_MAX] = { 0 };
	struct td_srtp_job job = { .keys = &keys, .bytes = stream, .text_len = (uint16_t)bytes };
	struct td_srtp_job *jobs[] = { &job };

	TD_ASSERT(bytes <= sizeof stream && shape->key_bytes > 0);
	engine->machine->expand(engine, &keys, master->key, no_auth);
	// A salt of 12 bytes stands to the left of the 14 (RFC 7714 section 11).
	memcpy(job.iv, master->salt, shape->salt_bytes);
	job.iv[7] ^= label;
	engine->machine->cm_cipher(engine, jobs, 1, shape->key_bytes);
	memcpy(out, stream, bytes);
	explicit_bzero(stream, sizeof stream);
	explicit_bzero(&keys, sizeof keys);
}

void td_srtp_keys_make(struct td_srtp_engine *engine, const struct td_srtp_master *master,
		       enum td_srtp_protocol protocol, struct td_srtp_keys *keys)
{
	const struct td_srtp_suite_shape *shape = td_srtp_suite_shape(master->suite);
	uint8_t first = protocol == TD_SRTP_RTP ? 0 : LABEL_COUNT;
	uint8_t cipher[TD_SRTP_KEY_MAX], auth[AUTH_BYTES];

	memset(keys, 0, sizeof *keys);
	keys->key_blocks = shape->key_bytes / 16u & 3u;
	keys->aead = shape->aead != 0;
	keys->tag_bytes =
		(protocol == TD_SRTP_RTP ? shape->tag_bytes : shape->rtcp_tag_bytes) & 0x1fu;
	keys->mki_bytes = master->mki_bytes & 0x3fu;
	td_srtp_derive(engine, master, first + LABEL_CIPHER, cipher, shape->key_bytes);
	td_srtp_derive(engine, master, first + LABEL_AUTH, auth, sizeof auth);
	td_srtp_derive(engine, master, first + LABEL_SALT, keys->salt, shape->salt_bytes);
	engine->machine->expand(engine, keys, cipher, auth);
	explicit_bzero(cipher, sizeof cipher);
	explicit_bzero(auth, sizeof auth);
}

#include "protect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include <openssl/evp.h>

#define BASE64_MAX 64 // of the longest key and salt, 46 bytes

static _Noreturn void quit(const char *what, const char *why)
{
	fprintf(stderr, "rtpblast: %s: %s\n", what, why);
	exit(2);
}

enum td_srtp_suite td_protect_suite(const char *name, size_t length)
{
	for (unsigned suite = 0; suite < TD_SRTP_SUITE_COUNT; suite++) {
		const char *known = td_srtp_suite_shape(suite)->name;

		if (strlen(known) == length && strncasecmp(known, name, length) == 0)
			return (enum td_srtp_suite)suite;
	}
	quit(name,
	     "is no SRTP suite; AEAD_AES_128_GCM or AES_CM_128_HMAC_SHA1_80 are, for example");
}

struct td_srtp_master td_protect_new_key(enum td_srtp_suite suite)
{
	struct td_srtp_master master = { .suite = (uint8_t)suite };

	if (getrandom(master.key, sizeof master.key, 0) != (ssize_t)sizeof master.key ||
	    getrandom(master.salt, sizeof master.salt, 0) != (ssize_t)sizeof master.salt)
		quit("keys", "the system gives no random numbers");
	return master;
}

struct td_srtp_master td_protect_read_key(enum td_srtp_suite suite, const char *base64)
{
	const struct td_srtp_suite_shape *shape = td_srtp_suite_shape(suite);
	struct td_srtp_master master = { .suite = (uint8_t)suite };
	unsigned char bytes[BASE64_MAX];
	size_t length = strlen(base64);

	if (length > BASE64_MAX ||
	    EVP_DecodeBlock(bytes, (const unsigned char *)base64, (int)length) <
		    shape->key_bytes + shape->salt_bytes)
		quit(base64, "is no base64 of key and salt, padding included");
	memcpy(master.key, bytes, shape->key_bytes);
	memcpy(master.salt, bytes + shape->key_bytes, shape->salt_bytes);
	return master;
}

struct td_protect *td_protect_create(struct td_srtp_engine *engine,
				     const struct td_srtp_master *send,
				     const struct td_srtp_master *receive)
{
	size_t align = _Alignof(struct td_protect);
	struct td_protect *protect =
		aligned_alloc(align, (sizeof *protect + align - 1) / align * align);

	if (!protect)
		quit("keys", "no memory");
	td_srtp_init(&protect->send);
	td_srtp_init(&protect->receive);
	protect->send_key = *send;
	protect->receive_key = *receive;
	if (td_srtp_rekey_seal(engine, &protect->send, send) != 0 ||
	    td_srtp_rekey_open(engine, &protect->receive, receive) != 0)
		quit("keys", "this suite does not work here");
	return protect;
}

void td_protect_destroy(struct td_protect *protect)
{
	if (!protect)
		return;
	td_srtp_fini(&protect->send);
	td_srtp_fini(&protect->receive);
	free(protect);
}

uint32_t td_protect_trailer(const struct td_protect *protect)
{
	return protect ? td_srtp_suite_shape(protect->send_key.suite)->tag_bytes : 0;
}

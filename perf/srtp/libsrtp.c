#include "libsrtp.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <srtp2/srtp.h>

struct td_libsrtp {
	unsigned count;
	srtp_t *seals, *opens;
	srtp_err_status_t (*create)(srtp_t *session, const srtp_policy_t *policy);
	srtp_err_status_t (*dealloc)(srtp_t session);
	srtp_err_status_t (*protect)(srtp_t session, void *packet, int *len);
	srtp_err_status_t (*unprotect)(srtp_t session, void *packet, int *len);
	void (*gcm)(srtp_crypto_policy_t *policy);
	void (*counter_mode)(srtp_crypto_policy_t *policy);
};

static void require(int holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "srtp: %s failed\n", what);
	exit(2);
}

static void *function(void *library, const char *name)
{
	void *found = dlsym(library, name);

	require(found != NULL, name);
	return found;
}

// Its own names first: two libraries that call themselves by the same names stay apart. One that is open
// has been initialised, and refuses a second time.
static void load(struct td_libsrtp *libsrtp, const char *file)
{
	void *before = dlopen(file, RTLD_NOW | RTLD_NOLOAD);
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
	srtp_err_status_t (*init)(void);

	require(library != NULL, file);
	libsrtp->create = function(library, "srtp_create");
	libsrtp->dealloc = function(library, "srtp_dealloc");
	libsrtp->protect = function(library, "srtp_protect");
	libsrtp->unprotect = function(library, "srtp_unprotect");
	libsrtp->gcm = function(library, "srtp_crypto_policy_set_aes_gcm_128_16_auth");
	libsrtp->counter_mode = function(library, "srtp_crypto_policy_set_rtp_default");
	init = function(library, "srtp_init");
	require(before || init() == srtp_err_status_ok, "srtp_init");
}

static srtp_t session_of(struct td_libsrtp *libsrtp, const struct td_srtp_master *master)
{
	const struct td_srtp_suite_shape *shape = td_srtp_suite_shape(master->suite);
	uint8_t key[TD_SRTP_KEY_MAX + TD_SRTP_SALT_MAX];
	srtp_policy_t policy = { .ssrc = { .type = ssrc_any_inbound }, .key = key };
	srtp_t session;

	memcpy(key, master->key, shape->key_bytes);
	memcpy(key + shape->key_bytes, master->salt, shape->salt_bytes);
	if (shape->aead)
		libsrtp->gcm(&policy.rtp);
	else
		libsrtp->counter_mode(&policy.rtp);
	policy.rtcp = policy.rtp;
	require(libsrtp->create(&session, &policy) == srtp_err_status_ok, "srtp_create");
	return session;
}

struct td_libsrtp *td_libsrtp_create(const char *library, const struct td_srtp_master *masters,
				     unsigned count)
{
	struct td_libsrtp *libsrtp = calloc(1, sizeof *libsrtp);

	require(libsrtp != NULL, "memory");
	load(libsrtp, library);
	libsrtp->count = count;
	libsrtp->seals = calloc(count, sizeof(srtp_t));
	libsrtp->opens = calloc(count, sizeof(srtp_t));
	require(libsrtp->seals && libsrtp->opens, "memory");
	for (unsigned i = 0; i < count; i++) {
		libsrtp->seals[i] = session_of(libsrtp, &masters[i]);
		libsrtp->opens[i] = session_of(libsrtp, &masters[i]);
	}
	return libsrtp;
}

// The library stays open: NSS does not like to go.
void td_libsrtp_destroy(struct td_libsrtp *libsrtp)
{
	for (unsigned i = 0; i < libsrtp->count; i++) {
		libsrtp->dealloc(libsrtp->seals[i]);
		libsrtp->dealloc(libsrtp->opens[i]);
	}
	free(libsrtp->seals);
	free(libsrtp->opens);
	free(libsrtp);
}

uint16_t td_libsrtp_seal(struct td_libsrtp *libsrtp, unsigned key, uint8_t *bytes, uint16_t len)
{
	int new_len = len;

	require(libsrtp->protect(libsrtp->seals[key], bytes, &new_len) == srtp_err_status_ok,
		"srtp_protect");
	return (uint16_t)new_len;
}

uint16_t td_libsrtp_open(struct td_libsrtp *libsrtp, unsigned key, uint8_t *bytes, uint16_t len)
{
	int new_len = len;

	require(libsrtp->unprotect(libsrtp->opens[key], bytes, &new_len) == srtp_err_status_ok,
		"srtp_unprotect");
	return (uint16_t)new_len;
}

// libsrtp2 as a library file has it, one session a key. Several files may be open at once: Debian's,
// which does its arithmetic with NSS, beside one that was built on OpenSSL. Whatever fails ends the
// program with status 2.
#pragma once

#include <stdint.h>

#include "td_srtp.h"

struct td_libsrtp;

// `count` keys, as td_srtp's are made from `masters`. On NSS a session takes the better part of a
// millisecond.
struct td_libsrtp *td_libsrtp_create(const char *library, const struct td_srtp_master *masters,
				     unsigned count);
void td_libsrtp_destroy(struct td_libsrtp *libsrtp);

// One packet in place; its new length.
uint16_t td_libsrtp_seal(struct td_libsrtp *libsrtp, unsigned key, uint8_t *bytes, uint16_t len);
uint16_t td_libsrtp_open(struct td_libsrtp *libsrtp, unsigned key, uint8_t *bytes, uint16_t len);

// The same packets through others' code: libsrtp2 as the distribution builds it, one session a key;
// and OpenSSL's EVP calls alone, contexts of each key made before, without any of SRTP's
// bookkeeping. Whatever fails ends the program with status 2.
#pragma once

#include <stdint.h>

#include "td_srtp.h"

struct td_theirs;

// `count` keys, as td_srtp's are made from `masters`. With libsrtp2 a session takes the better part
// of a millisecond.
struct td_theirs *td_theirs_libsrtp(const struct td_srtp_master *masters, unsigned count);
struct td_theirs *td_theirs_openssl(const struct td_srtp_master *masters, unsigned count);
void td_theirs_destroy(struct td_theirs *theirs);

// One packet in place; its new length.
uint16_t td_theirs_seal(struct td_theirs *theirs, unsigned key, uint8_t *bytes, uint16_t len);
uint16_t td_theirs_open(struct td_theirs *theirs, unsigned key, uint8_t *bytes, uint16_t len);

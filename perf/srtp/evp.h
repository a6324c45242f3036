// OpenSSL's EVP calls alone, contexts of each key made before, without any of SRTP's bookkeeping.
// Whatever fails ends the program with status 2.
#pragma once

#include <stdint.h>

#include "td_srtp.h"

struct td_evp;

// `count` keys of `masters`, as they are: no SRTP key is derived.
struct td_evp *td_evp_create(const struct td_srtp_master *masters, unsigned count);
void td_evp_destroy(struct td_evp *evp);

// One packet in place; its new length.
uint16_t td_evp_seal(struct td_evp *evp, unsigned key, uint8_t *bytes, uint16_t len);
uint16_t td_evp_open(struct td_evp *evp, unsigned key, uint8_t *bytes, uint16_t len);

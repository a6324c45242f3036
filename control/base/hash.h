// Keyed hashing (SipHash-2-4) and the unguessable tokens made from it.
//
// Everything a stranger can choose (Call-ID, branch, tag, user name) is hashed with a secret key, so
// nobody can aim at one bucket. Reference: Aumasson and Bernstein, "SipHash: a fast short-input
// PRF". Pure; any thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define TD_HASH_KEY_BYTES 16

struct td_hash_key {
	uint64_t k0, k1;
};

// Enough to identify: two strings with the same 128 bits do not happen by accident, and cannot be
// found without the key.
struct td_hash128 {
	uint64_t a, b;
};

struct td_hash_key td_hash_key_from(const uint8_t seed[TD_HASH_KEY_BYTES]);
uint64_t td_hash64(const struct td_hash_key *key, const void *bytes, size_t len);
// SipHash-2-4-128.
struct td_hash128 td_hash128(const struct td_hash_key *key, const void *bytes, size_t len);

static inline int td_hash128_equal(struct td_hash128 x, struct td_hash128 y)
{
	return x.a == y.a && x.b == y.b;
}

// An endless stream of unguessable numbers: SipHash of a counter under a secret key. Deterministic
// for one seed, so a simulation replays exactly.
struct td_token_source {
	struct td_hash_key key;
	uint64_t counter;
};

void td_token_init(struct td_token_source *source, const uint8_t seed[TD_HASH_KEY_BYTES]);
uint64_t td_token_next(struct td_token_source *source);
// Uniform in 0 .. bound-1; bound must not be 0.
uint32_t td_token_below(struct td_token_source *source, uint32_t bound);
// Writes 16 lower-case hexadecimal digits and a NUL.
void td_token_text(struct td_token_source *source, char out[17]);

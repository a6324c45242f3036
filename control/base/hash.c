#include "base/hash.h"

#include <string.h>

#include "td_assert.h"

struct sip_state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static inline void sip_round(struct sip_state *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static inline uint64_t load_le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static inline void absorb(struct sip_state *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	sip_round(s);
	s->v0 ^= word;
}

static inline void absorb_all(struct sip_state *s, const uint8_t *p, size_t len)
{
	uint64_t last = (uint64_t)len << 56;
	size_t i = 0;

	for (; i + 8 <= len; i += 8)
		absorb(s, load_le64(p + i));
	for (unsigned shift = 0; i < len; i++, shift += 8)
		last |= (uint64_t)p[i] << shift;
	absorb(s, last);
}

static inline uint64_t squeeze(struct sip_state *s)
{
	for (int i = 0; i < 4; i++)
		sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline struct sip_state start(const struct td_hash_key *key)
{
	return (struct sip_state){
		.v0 = key->k0 ^ 0x736f6d6570736575u,
		.v1 = key->k1 ^ 0x646f72616e646f6du,
		.v2 = key->k0 ^ 0x6c7967656e657261u,
		.v3 = key->k1 ^ 0x7465646279746573u,
	};
}

struct td_hash_key td_hash_key_from(const uint8_t seed[TD_HASH_KEY_BYTES])
{
	return (struct td_hash_key){ load_le64(seed), load_le64(seed + 8) };
}

uint64_t td_hash64(const struct td_hash_key *key, const void *bytes, size_t len)
{
	struct sip_state s = start(key);

	absorb_all(&s, bytes, len);
	s.v2 ^= 0xff;
	return squeeze(&s);
}

struct td_hash128 td_hash128(const struct td_hash_key *key, const void *bytes, size_t len)
{
	struct sip_state s = start(key);
	struct td_hash128 out;

	s.v1 ^= 0xee;
	absorb_all(&s, bytes, len);
	s.v2 ^= 0xee;
	out.a = squeeze(&s);
	s.v1 ^= 0xdd;
	out.b = squeeze(&s);
	return out;
}

void td_token_init(struct td_token_source *source, const uint8_t seed[TD_HASH_KEY_BYTES])
{
	source->key = td_hash_key_from(seed);
	source->counter = 0;
}

uint64_t td_token_next(struct td_token_source *source)
{
	source->counter++;
	return td_hash64(&source->key, &source->counter, sizeof source->counter);
}

uint32_t td_token_below(struct td_token_source *source, uint32_t bound)
{
	TD_ASSERT(bound != 0);
	// The bias of a multiply-shift is below 2^-32 for a 32-bit bound.
	return (uint32_t)(((unsigned __int128)td_token_next(source) * bound) >> 64);
}

void td_token_text(struct td_token_source *source, char out[17])
{
	static const char digits[] = "0123456789abcdef";
	uint64_t v = td_token_next(source);

	for (int i = 0; i < 16; i++, v >>= 4)
		out[i] = digits[v & 15];
	out[16] = 0;
}

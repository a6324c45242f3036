// A set of small numbers as bits: a pass over 2,048 queues is 32 words.
//
// The words are the caller's, zeroed; bounds are the caller's too. Internal to the room.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TD_ACD_WORDS(bits) (((bits) + 63u) / 64u)

static inline void td_acd_bit_set(uint64_t *words, uint32_t bit)
{
	words[bit / 64] |= 1ull << (bit % 64);
}

static inline void td_acd_bit_clear(uint64_t *words, uint32_t bit)
{
	words[bit / 64] &= ~(1ull << (bit % 64));
}

static inline void td_acd_bit_put(uint64_t *words, uint32_t bit, bool on)
{
	if (on)
		td_acd_bit_set(words, bit);
	else
		td_acd_bit_clear(words, bit);
}

static inline bool td_acd_bit_get(const uint64_t *words, uint32_t bit)
{
	return words[bit / 64] >> (bit % 64) & 1;
}

// The Internet checksum, changed word by word (RFC 1624) or computed from scratch.
//
// One's complement sums do not care about byte order as long as both sides use the same, so all
// words here are taken as they lie in memory. `sum` is an unfolded accumulator: 64 bits hold more
// 32-bit additions than a frame has.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// A sum plus itself with its halves exchanged holds the sum of both halves, carry included, in its
// upper half.
static inline uint16_t td_checksum_fold(uint64_t sum)
{
	uint32_t word;

	sum += sum << 32 | sum >> 32;
	word = (uint32_t)(sum >> 32);
	word += word << 16 | word >> 16;
	return (uint16_t)(word >> 16);
}

// Eight words and the sums of words in one place or the other of each pair.
typedef uint64_t td_checksum_lanes __attribute__((vector_size(32)));

static inline uint64_t td_checksum_add_pair(uint64_t sum, const uint8_t *p)
{
	uint64_t pair;

	memcpy(&pair, p, sizeof pair);
	return sum + (uint32_t)pair + (pair >> 32);
}

// Adds `len` bytes, an odd last one padded with zero. Written out, since what a compiler makes of a
// plain loop spends longer on the end of a packet of 20 ms than on the rest of it.
static inline uint64_t td_checksum_add(uint64_t sum, const void *data, size_t len)
{
	const uint8_t *p = data;
	td_checksum_lanes sums = { 0 }, lanes;
	uint32_t word;
	uint16_t half;

	for (size_t left = len / 32; left > 0; left--, p += 32) {
		memcpy(&lanes, p, sizeof lanes);
		sums += (lanes & 0xffffffffu) + (lanes >> 32);
	}
	sum += sums[0] + sums[1] + sums[2] + sums[3];
	if (len & 16u) {
		sum = td_checksum_add_pair(td_checksum_add_pair(sum, p), p + 8);
		p += 16;
	}
	if (len & 8u) {
		sum = td_checksum_add_pair(sum, p);
		p += 8;
	}
	if (len & 4u) {
		memcpy(&word, p, sizeof word);
		sum += word;
		p += 4;
	}
	if (len & 2u) {
		memcpy(&half, p, sizeof half);
		sum += half;
		p += 2;
	}
	return len & 1u ? sum + *p : sum;
}

// A header of 20 bytes, of which the checksum is one word, in three pieces as they lie in memory: does
// it sum to 0xffff? Not 0, as an IPv4 header's first byte is not. 0xffff divides 2^64 - 1, so words of
// 64 bits can be summed as well, their carries put back; and it divides the sum when the sum times its
// inverse is no more than the greatest quotient there can be.
static inline bool td_checksum_is_right20(uint64_t first, uint64_t second, uint32_t third)
{
	uint64_t sum = first + second;

	sum += sum < first;
	sum += third;
	sum += sum < third;
	return sum * -0x0001000100010001ull <= 0x0001000100010001ull;
}

// RFC 1624 equation 3: the checksum after words summing to `removed` gave way to words summing to
// `added` (both unfolded sums of words as they lie in memory, of a frame at most).
static inline uint16_t td_checksum_adjust(uint16_t checksum, uint64_t removed, uint64_t added)
{
	// 0xffffffff counts as 0, so any multiple of it less `removed` is the complement of that.
	uint64_t sum = (0xffffffffull << 16) - removed;

	return (uint16_t)~td_checksum_fold(sum + (uint16_t)~checksum + added);
}

// What becomes of a sum when words summing to `removed` give way to words summing to `added`.
static inline uint16_t td_checksum_step(uint64_t removed, uint64_t added)
{
	return td_checksum_fold((0xffffffffull << 16) - removed + added);
}

// A UDP checksum after such a step, of more than 16 bits too; it is not 0 and does not become 0.
static inline uint16_t td_checksum_add_step(uint16_t checksum, uint64_t step)
{
	uint16_t stepped = (uint16_t)~td_checksum_fold(step + (uint16_t)~checksum);

	return stepped == 0 ? 0xffffu : stepped;
}

// The same for UDP: 0 on the wire means "no checksum", so a computed 0 is sent as 0xffff
// (RFC 768), and a 0 found stays 0.
static inline uint16_t td_checksum_adjust_udp(uint16_t checksum, uint64_t removed, uint64_t added)
{
	uint16_t adjusted;

	if (checksum == 0)
		return 0;
	adjusted = td_checksum_adjust(checksum, removed, added);
	return adjusted == 0 ? 0xffffu : adjusted;
}

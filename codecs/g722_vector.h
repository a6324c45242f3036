// The few vector operations G.722's lanes are made of, for AVX-512BW and for AVX2.
//
//   a *word* vector holds int16 [low band of streams 0..n-1 | high band of streams 0..n-1]
//   a *pair* vector holds int32, one a stream: two neighbouring int16 of its memory
//
// n is TD_VEC_STREAMS: 16 or 8. Only g722_lanes.c includes this, and only where TD_VEC_STREAMS is
// defined. Table look-ups take arrays of 16: eight words for the low half, eight for the high.
#pragma once

#if defined(__AVX512BW__) && defined(__AVX512VL__)
#define TD_VEC_STREAMS 16
#elif defined(__AVX2__)
#define TD_VEC_STREAMS 8
#endif

#ifdef TD_VEC_STREAMS

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#if TD_VEC_STREAMS == 16
#define VEC_OP(name) _mm512_##name
typedef __m512i vec;

static inline vec vec_load(const void *from)
{
	return _mm512_loadu_si512(from);
}

static inline void vec_store(void *to, vec v)
{
	_mm512_storeu_si512(to, v);
}

static inline vec vec_and(vec a, vec b)
{
	return _mm512_and_si512(a, b);
}

static inline vec vec_or(vec a, vec b)
{
	return _mm512_or_si512(a, b);
}

static inline vec vec_xor(vec a, vec b)
{
	return _mm512_xor_si512(a, b);
}

// [low half | high half] to [high half | low half].
static inline vec vec_swap(vec v)
{
	return _mm512_shuffle_i64x2(v, v, 0x4e);
}

static inline vec vec_halves(int16_t low, int16_t high)
{
	return _mm512_inserti64x4(_mm512_set1_epi16(low), _mm256_set1_epi16(high), 1);
}

static inline vec vec_halves_pairs(int32_t low, int32_t high)
{
	return _mm512_inserti64x4(_mm512_set1_epi32(low), _mm256_set1_epi32(high), 1);
}

// `count` + 1 in the words where a < b; both are not negative.
static inline vec vec_count_less(vec count, vec a, vec b)
{
	return _mm512_mask_add_epi16(count, _mm512_cmplt_epi16_mask(a, b), count,
				     _mm512_set1_epi16(1));
}

static inline vec vec_table(const int16_t words[16])
{
	return _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)words));
}

// What vec_lookup takes, of words 0 to 7.
static inline vec vec_index(vec words)
{
	return _mm512_add_epi16(words, vec_halves(0, 8));
}

static inline vec vec_lookup(vec table, vec index)
{
	return _mm512_permutexvar_epi16(index, table);
}

// Word vectors of the even and of the odd words of two pair vectors, a band each.
static inline vec vec_even_words(vec low, vec high)
{
	return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi32_epi16(low)),
				  _mm512_cvtepi32_epi16(high), 1);
}

static inline vec vec_odd_words(vec low, vec high)
{
	return vec_even_words(_mm512_srli_epi32(low, 16), _mm512_srli_epi32(high, 16));
}

// The pair vector of either half of two word vectors.
static inline vec vec_low_pairs(vec even, vec odd)
{
	__m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(even));
	__m512i high = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(odd));

	return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

static inline vec vec_high_pairs(vec even, vec odd)
{
	return vec_low_pairs(vec_swap(even), vec_swap(odd));
}

static inline vec vec_load_words(const int16_t *from)
{
	return _mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)from));
}

static inline vec vec_load_bytes(const uint8_t *from)
{
	return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)from));
}

static inline void vec_store_words(int16_t *to, vec pairs)
{
	_mm256_storeu_si256((__m256i *)to, _mm512_cvtepi32_epi16(pairs));
}

static inline void vec_store_bytes(uint8_t *to, vec pairs)
{
	_mm_storeu_si128((__m128i *)to, _mm512_cvtepi32_epi8(pairs));
}

// Part l of all four parts[g] becomes columns[4 * l].
static inline void vec_gather_parts(vec *columns, const vec parts[4])
{
	vec even01 = _mm512_shuffle_i32x4(parts[0], parts[1], 0x88);
	vec even23 = _mm512_shuffle_i32x4(parts[2], parts[3], 0x88);
	vec odd01 = _mm512_shuffle_i32x4(parts[0], parts[1], 0xdd);
	vec odd23 = _mm512_shuffle_i32x4(parts[2], parts[3], 0xdd);

	columns[0] = _mm512_shuffle_i32x4(even01, even23, 0x88);
	columns[4] = _mm512_shuffle_i32x4(odd01, odd23, 0x88);
	columns[8] = _mm512_shuffle_i32x4(even01, even23, 0xdd);
	columns[12] = _mm512_shuffle_i32x4(odd01, odd23, 0xdd);
}

#else
#define VEC_OP(name) _mm256_##name
typedef __m256i vec;

static inline vec vec_load(const void *from)
{
	return _mm256_loadu_si256(from);
}

static inline void vec_store(void *to, vec v)
{
	_mm256_storeu_si256(to, v);
}

static inline vec vec_and(vec a, vec b)
{
	return _mm256_and_si256(a, b);
}

static inline vec vec_or(vec a, vec b)
{
	return _mm256_or_si256(a, b);
}

static inline vec vec_xor(vec a, vec b)
{
	return _mm256_xor_si256(a, b);
}

static inline vec vec_swap(vec v)
{
	return _mm256_permute4x64_epi64(v, 0x4e);
}

static inline vec vec_halves(int16_t low, int16_t high)
{
	return _mm256_setr_m128i(_mm_set1_epi16(low), _mm_set1_epi16(high));
}

static inline vec vec_halves_pairs(int32_t low, int32_t high)
{
	return _mm256_setr_m128i(_mm_set1_epi32(low), _mm_set1_epi32(high));
}

static inline vec vec_count_less(vec count, vec a, vec b)
{
	return _mm256_sub_epi16(count, _mm256_cmpgt_epi16(b, a));
}

static inline vec vec_table(const int16_t words[16])
{
	return _mm256_loadu_si256((const __m256i *)words);
}

static inline vec vec_index(vec words)
{
	return _mm256_add_epi16(_mm256_mullo_epi16(words, _mm256_set1_epi16(0x0202)),
				_mm256_set1_epi16(0x0100));
}

static inline vec vec_lookup(vec table, vec index)
{
	return _mm256_shuffle_epi8(table, index);
}

static inline vec vec_even_words(vec low, vec high)
{
	const __m256i word = _mm256_set1_epi32(0xffff);
	__m256i packed =
		_mm256_packus_epi32(_mm256_and_si256(low, word), _mm256_and_si256(high, word));

	return _mm256_permute4x64_epi64(packed, 0xd8);
}

static inline vec vec_odd_words(vec low, vec high)
{
	return vec_even_words(_mm256_srli_epi32(low, 16), _mm256_srli_epi32(high, 16));
}

static inline vec vec_low_pairs(vec even, vec odd)
{
	return _mm256_permute2x128_si256(_mm256_unpacklo_epi16(even, odd),
					 _mm256_unpackhi_epi16(even, odd), 0x20);
}

static inline vec vec_high_pairs(vec even, vec odd)
{
	return _mm256_permute2x128_si256(_mm256_unpacklo_epi16(even, odd),
					 _mm256_unpackhi_epi16(even, odd), 0x31);
}

static inline vec vec_load_words(const int16_t *from)
{
	return _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)from));
}

static inline vec vec_load_bytes(const uint8_t *from)
{
	return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)from));
}

static inline void vec_store_words(int16_t *to, vec pairs)
{
	_mm_storeu_si128((__m128i *)to, _mm256_castsi256_si128(vec_even_words(pairs, pairs)));
}

static inline void vec_store_bytes(uint8_t *to, vec pairs)
{
	__m128i words = _mm256_castsi256_si128(vec_even_words(pairs, pairs));

	_mm_storel_epi64((__m128i *)to, _mm_packus_epi16(words, words));
}

static inline void vec_gather_parts(vec *columns, const vec parts[2])
{
	columns[0] = _mm256_permute2x128_si256(parts[0], parts[1], 0x20);
	columns[4] = _mm256_permute2x128_si256(parts[0], parts[1], 0x31);
}
#endif

#define vec_set1       VEC_OP(set1_epi16)
#define vec_set1_pairs VEC_OP(set1_epi32)
#define vec_add        VEC_OP(add_epi16)
#define vec_sub        VEC_OP(sub_epi16)
#define vec_adds       VEC_OP(adds_epi16)
#define vec_subs       VEC_OP(subs_epi16)
#define vec_mulhi      VEC_OP(mulhi_epi16)
#define vec_mullo      VEC_OP(mullo_epi16)
#define vec_min        VEC_OP(min_epi16)
#define vec_max        VEC_OP(max_epi16)
#define vec_sra        VEC_OP(srai_epi16)
#define vec_srl        VEC_OP(srli_epi16)
#define vec_sll        VEC_OP(slli_epi16)
#define vec_madd       VEC_OP(madd_epi16)
#define vec_add_pairs  VEC_OP(add_epi32)
#define vec_sub_pairs  VEC_OP(sub_epi32)
#define vec_srl_pairs  VEC_OP(srli_epi32)
#define vec_sra_pairs  VEC_OP(srai_epi32)
// These three keep to 128-bit parts; unpacking and packing again restores the order.
#define vec_unpack_lo VEC_OP(unpacklo_epi16)
#define vec_unpack_hi VEC_OP(unpackhi_epi16)
#define vec_packs     VEC_OP(packs_epi32)

// v with its sign turned where mask is -1 and kept where it is 0; -32768 becomes 32767.
static inline vec vec_negate(vec v, vec mask)
{
	return vec_subs(vec_xor(v, mask), mask);
}

// A pair vector to words of [first of the pair | second of the pair], and back.
static inline vec vec_split(vec pairs)
{
	return vec_even_words(pairs, vec_srl_pairs(pairs, 16));
}

static inline vec vec_join(vec words)
{
	return vec_low_pairs(words, vec_swap(words));
}

static inline vec vec_zero(void)
{
	return vec_set1(0);
}

// Pair vectors of streams to pair vectors of moments, or back: the 32-bit transpose.
static inline void vec_transpose(vec rows[TD_VEC_STREAMS])
{
	vec parts[4][TD_VEC_STREAMS / 4]; // [j][g], part l: column 4l + j of rows 4g to 4g + 3

	for (int g = 0; g < TD_VEC_STREAMS / 4; g++) {
		const vec *row = rows + 4 * (size_t)g;
		vec a = VEC_OP(unpacklo_epi32)(row[0], row[1]);
		vec b = VEC_OP(unpackhi_epi32)(row[0], row[1]);
		vec c = VEC_OP(unpacklo_epi32)(row[2], row[3]);
		vec d = VEC_OP(unpackhi_epi32)(row[2], row[3]);

		parts[0][g] = VEC_OP(unpacklo_epi64)(a, c);
		parts[1][g] = VEC_OP(unpackhi_epi64)(a, c);
		parts[2][g] = VEC_OP(unpacklo_epi64)(b, d);
		parts[3][g] = VEC_OP(unpackhi_epi64)(b, d);
	}
	for (int j = 0; j < 4; j++)
		vec_gather_parts(rows + j, parts[j]);
}

#endif

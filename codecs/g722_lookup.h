// The look-ups of G.722's lanes that need more than eight entries: the quantiser's scale by nb, and
// what a received code says. Both in registers: a table spread over permutes, never a gather.
//
// What is returned is negated and doubled where a multiplication follows: the lanes keep det as
// -2 det, which fits 16 bits up to det = 16384, and mulhi of it and a negated Q15 word is the Q15
// product. Only g722_lanes.c includes this.
#pragma once

#include "codecs/g722_tables.h"
#include "codecs/g722_vector.h"

#ifdef TD_VEC_STREAMS

// What a code says: words of [low band | high band].
struct decoded {
	vec out;   // difference for the output, negated
	vec d;     // difference for the predictor, negated
	vec adapt; // what it adds to nb
};

#if TD_VEC_STREAMS == 16
struct scale_tables {
	vec mantissa; // doubled, for the shift that would else be to the left
	vec octave;
};

static inline struct scale_tables scale_tables(void)
{
	return (struct scale_tables){
		.mantissa = vec_sll(vec_load(td_g722_tables.mantissa), 1),
		.octave = vec_halves(9, 11),
	};
}

// -2 det of nb (blocks SCALEL, SCALEH).
static inline vec scale_of(const struct scale_tables *tables, vec nb)
{
	vec mantissa = _mm512_permutexvar_epi16(vec_srl(nb, 6), tables->mantissa);
	vec quarter = _mm512_srlv_epi16(mantissa, vec_sub(tables->octave, vec_srl(nb, 11)));

	return vec_sub(vec_zero(), vec_sll(quarter, 3));
}

struct decode_tables {
	vec out_low, out_high, d, adapt; // 64 entries of the low band; 16 of either
};

static inline vec both_tables(const int16_t low[16], const int16_t high[16])
{
	return _mm512_inserti64x4(vec_table(low), _mm256_loadu_si256((const __m256i *)high), 1);
}

static inline struct decode_tables decode_tables(void)
{
	const struct td_g722_tables *t = &td_g722_tables;

	return (struct decode_tables){
		.out_low = vec_sub(vec_zero(), vec_load(t->decode6)),
		.out_high = vec_sub(vec_zero(), vec_load(t->decode6 + 32)),
		.d = vec_sub(vec_zero(), both_tables(t->decode4, t->decode_high)),
		.adapt = both_tables(t->adapt4, t->adapt_high),
	};
}

// `codes`: [0 to 63 | 0 to 3].
static inline struct decoded decode_codes(const struct decode_tables *tables, vec codes)
{
	const __mmask32 high = 0xffff0000;
	vec index = _mm512_mask_add_epi16(vec_srl(codes, 2), high, codes, vec_set1(16));
	struct decoded decoded = {
		.d = _mm512_permutexvar_epi16(index, tables->d),
		.adapt = _mm512_permutexvar_epi16(index, tables->adapt),
	};

	decoded.out = _mm512_permutex2var_epi16(tables->out_low, codes, tables->out_high);
	decoded.out = _mm512_mask_mov_epi16(decoded.out, high, decoded.d);
	return decoded;
}

#else
// Sixteen words as two tables for byte shuffles.
struct split_table {
	vec low_bytes, high_bytes;
};

static inline struct split_table split(const int16_t low[16], const int16_t high[16], int negate)
{
	vec byte = vec_set1(0xff), sign = vec_set1((int16_t)-negate);
	vec first = _mm256_setr_m128i(_mm_loadu_si128((const __m128i *)low),
				      _mm_loadu_si128((const __m128i *)high));
	vec second = _mm256_setr_m128i(_mm_loadu_si128((const __m128i *)(low + 8)),
				       _mm_loadu_si128((const __m128i *)(high + 8)));

	first = vec_negate(first, sign);
	second = vec_negate(second, sign);
	return (struct split_table){
		.low_bytes = _mm256_packus_epi16(vec_and(first, byte), vec_and(second, byte)),
		.high_bytes = _mm256_packus_epi16(vec_srl(first, 8), vec_srl(second, 8)),
	};
}

// The words whose index is in 0 to 15; 0 for an index up to 127 above that, or below 0.
static inline vec look_up_split(const struct split_table *table, vec index)
{
	// A byte index with its top bit set gives 0; 0x70 carries into it from 16 on.
	vec low = vec_add(vec_and(index, vec_set1(0xff)), vec_set1((int16_t)0x8070));
	vec high = vec_add(vec_sll(index, 8), vec_set1(0x7080));
	vec below = vec_sra(index, 15);

	low = vec_or(_mm256_shuffle_epi8(table->low_bytes, low),
		     _mm256_shuffle_epi8(table->high_bytes, high));
	return _mm256_andnot_si256(below, low);
}

struct scale_tables {
	struct split_table mantissa[2], power;
};

static inline struct scale_tables scale_tables(void)
{
	static const int16_t low[16] = { 0x10,  0x20,  0x40,  0x80,   0x100,
					 0x200, 0x400, 0x800, 0x1000, 0x2000 };
	static const int16_t high[16] = { 0x04,  0x08,  0x10,  0x20,  0x40,   0x80,
					  0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000 };
	const int16_t *mantissa = td_g722_tables.mantissa;

	return (struct scale_tables){
		.mantissa = { split(mantissa, mantissa, 0),
			      split(mantissa + 16, mantissa + 16, 0) },
		.power = split(low, high, 0),
	};
}

static inline vec scale_of(const struct scale_tables *tables, vec nb)
{
	vec index = vec_and(vec_srl(nb, 6), vec_set1(31));
	vec mantissa = vec_or(look_up_split(&tables->mantissa[0], index),
			      look_up_split(&tables->mantissa[1], vec_sub(index, vec_set1(16))));
	// There is no 16-bit shift by a variable: the high half of a product with a power of two.
	vec quarter = _mm256_mulhi_epu16(vec_sll(mantissa, 4),
					 look_up_split(&tables->power, vec_srl(nb, 11)));

	return vec_sub(vec_zero(), vec_sll(quarter, 3));
}

struct decode_tables {
	struct split_table out[4], d, adapt;
};

static inline struct decode_tables decode_tables(void)
{
	static const int16_t none[16];
	const struct td_g722_tables *t = &td_g722_tables;
	struct decode_tables tables = {
		.out = { split(t->decode6, t->decode_high, 1) },
		.d = split(t->decode4, t->decode_high, 1),
		.adapt = split(t->adapt4, t->adapt_high, 0),
	};

	for (int i = 1; i < 4; i++)
		tables.out[i] = split(t->decode6 + 16 * (size_t)i, none, 1);
	return tables;
}

static inline struct decoded decode_codes(const struct decode_tables *tables, vec codes)
{
	vec index = _mm256_blend_epi32(vec_srl(codes, 2), codes, 0xf0);
	struct decoded decoded = {
		.out = look_up_split(&tables->out[0], codes),
		.d = look_up_split(&tables->d, index),
		.adapt = look_up_split(&tables->adapt, index),
	};

	for (int i = 1; i < 4; i++)
		decoded.out = vec_or(decoded.out,
				     look_up_split(&tables->out[i],
						   vec_sub(codes, vec_set1((int16_t)(16 * i)))));
	return decoded;
}
#endif

#endif

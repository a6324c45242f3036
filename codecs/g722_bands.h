// The ADPCM half of G.722's lanes: both bands' quantisers and predictors of all streams of a group,
// a step at a time, and their states transposed in and out of the streams' own structs.
//
// A step is blocks 1 to 5 of G.722 section 3 for 2 x TD_VEC_STREAMS bands, in 16-bit arithmetic that
// is exact because it saturates and shifts where the recommendation does; where the two differ, a
// comment says why the result does not. Only g722_lanes.c includes this.
#pragma once

#include "codecs/g722.h"
#include "codecs/g722_lookup.h"
#include "codecs/g722_tables.h"
#include "codecs/g722_vector.h"

#ifdef TD_VEC_STREAMS

#define STREAMS TD_VEC_STREAMS
#define PAIRS   16 // of a band, and of the QMF's history with its tail
#define INLINE  static inline __attribute__((always_inline))

// Streams of one pass. Lanes beyond lane_count compute what lane 0 does and are not written back.
struct group {
	struct td_g722_core *cores[STREAMS];
	unsigned lane_count;
	uint16_t narrow;
};

// Both bands' predictors of all streams, words of [low | high]; names as in struct td_g722_band.
struct predictor {
	vec s, sz, r, p[2], a[2];
	vec nb, scale; // scale = -2 det
	vec b[TD_G722_ZEROS];
	vec d2[TD_G722_ZEROS];   // 2 d: at most 20456, so never saturated
	vec turn[TD_G722_ZEROS]; // 128 with the sign of d
	vec nb_max;
	struct scale_tables tables;
};

struct quantiser {
	vec coarse[TD_G722_COARSE], fine[TD_G722_FINE]; // levels times -8, to multiply -2 det
	vec magnitude;                                  // negated, as the scale is
	vec adapt, code, code_positive;
};

// The low and the high band's states as word vectors: words[i] is word i of struct td_g722_band.
static void load_words(const struct group *group, vec words[2 * PAIRS])
{
	for (int block = 0; block < PAIRS; block += STREAMS) {
		vec low[STREAMS], high[STREAMS];

		for (int i = 0; i < STREAMS; i++) {
			low[i] = vec_load((const int16_t *)&group->cores[i]->low + 2 * block);
			high[i] = vec_load((const int16_t *)&group->cores[i]->high + 2 * block);
		}
		vec_transpose(low);
		vec_transpose(high);
		for (int i = 0; i < STREAMS; i++) {
			words[2 * (block + i)] = vec_even_words(low[i], high[i]);
			words[2 * (block + i) + 1] = vec_odd_words(low[i], high[i]);
		}
	}
}

static void store_words(const struct group *group, const vec words[2 * PAIRS])
{
	for (int block = 0; block < PAIRS; block += STREAMS) {
		vec low[STREAMS], high[STREAMS];

		for (int i = 0; i < STREAMS; i++) {
			const vec *pair = words + 2 * (block + i);

			low[i] = vec_low_pairs(pair[0], pair[1]);
			high[i] = vec_high_pairs(pair[0], pair[1]);
		}
		vec_transpose(low);
		vec_transpose(high);
		for (unsigned i = 0; i < group->lane_count; i++) {
			vec_store((int16_t *)&group->cores[i]->low + 2 * block, low[i]);
			// At 8 kHz the high lanes ran on silence; the band stays as it was.
			if (!group->narrow)
				vec_store((int16_t *)&group->cores[i]->high + 2 * block, high[i]);
		}
	}
}

#define WORD(member) (offsetof(struct td_g722_band, member) / sizeof(int16_t))

static void load_predictor(const struct group *group, struct predictor *p)
{
	vec words[2 * PAIRS];

	load_words(group, words);
	p->s = words[WORD(s)];
	p->sz = words[WORD(sz)];
	p->r = words[WORD(r)];
	p->nb = words[WORD(nb)];
	p->scale = vec_sub(vec_zero(), vec_sll(words[WORD(det)], 1));
	for (int i = 0; i < 2; i++) {
		p->p[i] = words[WORD(p) + i];
		p->a[i] = words[WORD(a) + i];
	}
	for (int i = 0; i < TD_G722_ZEROS; i++) {
		vec d = words[WORD(d) + i];

		p->b[i] = words[WORD(b) + i];
		p->d2[i] = vec_add(d, d);
		p->turn[i] = vec_negate(vec_set1(128), vec_sra(d, 15));
	}
	p->nb_max = vec_halves(TD_G722_NB_MAX_LOW, TD_G722_NB_MAX_HIGH);
	p->tables = scale_tables();
}

static void store_predictor(const struct group *group, const struct predictor *p)
{
	vec words[2 * PAIRS];

	for (int i = 0; i < 2 * PAIRS; i++)
		words[i] = vec_zero();
	words[WORD(s)] = p->s;
	words[WORD(sz)] = p->sz;
	words[WORD(r)] = p->r;
	words[WORD(nb)] = p->nb;
	words[WORD(det)] = vec_srl(vec_sub(vec_zero(), p->scale), 1);
	for (int i = 0; i < 2; i++) {
		words[WORD(p) + i] = p->p[i];
		words[WORD(a) + i] = p->a[i];
	}
	for (int i = 0; i < TD_G722_ZEROS; i++) {
		words[WORD(b) + i] = p->b[i];
		words[WORD(d) + i] = vec_sra(p->d2[i], 1);
	}
	store_words(group, words);
}

// Blocks UPPOL2, UPPOL1, FILTEP: returns the poles' part of the next prediction.
//
// value * 32640 >> 15 is value + (value * -256 >> 16), and 32512 likewise with -512.
INLINE vec predict_poles(struct predictor *p, vec d)
{
	vec r = vec_adds(p->s, d), partial = vec_adds(p->sz, d);
	vec turned = vec_sra(vec_xor(partial, p->p[0]), 15);
	vec turned_before = vec_sra(vec_xor(partial, p->p[1]), 15);
	vec a0x2 = vec_adds(p->a[0], p->a[0]), r2 = vec_adds(r, r);
	vec f = vec_sra(vec_negate(vec_adds(a0x2, a0x2), vec_xor(turned, vec_set1(-1))), 7);
	vec a1 = vec_add(p->a[1], vec_mulhi(p->a[1], vec_set1(-512)));
	vec a0 = vec_add(p->a[0], vec_mulhi(p->a[0], vec_set1(-256)));
	vec bound, high, low;

	a1 = vec_add(a1, vec_add(vec_set1(128), vec_and(turned_before, vec_set1(-256))));
	a1 = vec_add(a1, f);
	a1 = vec_min(vec_max(a1, vec_set1(-12288)), vec_set1(12288));
	a0 = vec_add(a0, vec_add(vec_set1(192), vec_and(turned, vec_set1(-384))));
	bound = vec_sub(vec_set1(15360), a1);
	a0 = vec_min(vec_max(a0, vec_sub(vec_zero(), bound)), bound);
	// a1 may be doubled before the multiplication, a0 and r2 may not.
	high = vec_mulhi(r2, a0);
	low = vec_srl(vec_mullo(r2, a0), 15);
	high = vec_add(vec_add(high, high), low);
	low = vec_mulhi(vec_adds(p->r, p->r), vec_add(a1, a1));
	p->r = r;
	p->p[1] = p->p[0];
	p->p[0] = partial;
	p->a[0] = a0;
	p->a[1] = a1;
	return vec_adds(high, low);
}

// Blocks UPZERO, FILTEZ: returns the zeros' part of the next prediction.
//
// A product's Q15 is twice its upper half plus the top bit of its lower half. The upper halves are
// below 10228, so three fit a word; two such sums, their sum again and the bits are then added so
// that it saturates exactly where the true sum does.
INLINE vec predict_zeros(struct predictor *p, vec d)
{
	vec unit = vec_min(vec_max(d, vec_set1(-1)), vec_set1(1));
	vec sums[2] = { vec_zero(), vec_zero() }, bits = vec_zero(), sum;

	for (int i = TD_G722_ZEROS - 1; i >= 0; i--) {
		vec b = vec_add(p->b[i], vec_mulhi(p->b[i], vec_set1(-256)));
		vec d2 = i > 0 ? p->d2[i - 1] : vec_add(d, d);

		b = vec_add(b, vec_mullo(unit, p->turn[i]));
		sums[i / 3] = vec_add(sums[i / 3], vec_mulhi(b, d2));
		bits = vec_add(bits, vec_srl(vec_mullo(b, d2), 15));
		p->b[i] = b;
		p->d2[i] = d2;
		p->turn[i] = i > 0 ? p->turn[i - 1] : vec_negate(vec_set1(128), vec_sra(d, 15));
	}
	sum = vec_adds(sums[0], sums[1]);
	return vec_adds(sum, vec_adds(sum, bits));
}

// One step of both bands: takes the quantised difference and what it adds to nb.
INLINE void predict(struct predictor *p, vec d, vec adapt)
{
	vec sp = predict_poles(p, d);

	p->sz = predict_zeros(p, d);
	p->s = vec_adds(sp, p->sz);
	p->nb = vec_add(vec_add(p->nb, vec_mulhi(p->nb, vec_set1(-512))), adapt);
	p->nb = vec_min(vec_max(p->nb, vec_zero()), p->nb_max);
	p->scale = scale_of(&p->tables, p->nb);
}

static struct quantiser quantiser(void)
{
	const struct td_g722_tables *t = &td_g722_tables;
	struct quantiser q = {
		.magnitude = vec_sub(vec_zero(), vec_table(t->magnitude)),
		.adapt = vec_table(t->adapt),
		.code = vec_table(t->code),
		.code_positive = vec_table(t->code_positive),
	};

	for (int i = 0; i < TD_G722_COARSE; i++)
		q.coarse[i] = vec_halves((int16_t)(-8 * t->coarse[i][0]),
					 (int16_t)(-8 * t->coarse[i][1]));
	for (int i = 0; i < TD_G722_FINE; i++)
		q.fine[i] = vec_mullo(vec_table(t->fine[i]), vec_set1(-8));
	return q;
}

// Returns [low band's bits | high band's bits], each where they stand in the byte.
INLINE vec encode_step(struct predictor *p, const struct quantiser *q, vec x)
{
	vec e = vec_subs(x, p->s), sign = vec_sra(e, 15), magnitude = vec_xor(e, sign);
	vec cell = vec_zero(), index, code, positive;

	for (int i = 0; i < TD_G722_COARSE; i++)
		cell = vec_count_less(cell, magnitude, vec_mulhi(p->scale, q->coarse[i]));
	index = vec_index(cell);
	positive = vec_xor(sign, vec_set1(-1));
	code = vec_add(vec_lookup(q->code, index),
		       vec_and(vec_lookup(q->code_positive, index), positive));
	for (int i = 0; i < TD_G722_FINE; i++)
		code = vec_count_less(code, magnitude,
				      vec_mulhi(p->scale, vec_lookup(q->fine[i], index)));
	predict(p, vec_mulhi(p->scale, vec_negate(vec_lookup(q->magnitude, index), sign)),
		vec_lookup(q->adapt, index));
	return code;
}

// Returns the reconstructed bands, limited to 15 bits.
INLINE vec decode_step(struct predictor *p, struct decoded code)
{
	vec out = vec_adds(p->s, vec_mulhi(p->scale, code.out));

	predict(p, vec_mulhi(p->scale, code.d), code.adapt);
	return vec_min(vec_max(out, vec_set1(-16384)), vec_set1(16383));
}

#endif

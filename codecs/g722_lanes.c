#include "codecs/g722_lanes.h"

#include <string.h>

#include "codecs/g722_bands.h"
#include "codecs/g722_lookup.h"
#include "codecs/g722_tables.h"
#include "codecs/g722_vector.h"
#include "td_assert.h"

#ifdef TD_VEC_STREAMS

#define HISTORY   (TD_G722_HISTORY / 2) // pairs
#define TAP_PAIRS 6                     // of either polyphase half
#define LINE      (STREAMS + HISTORY)   // moments the QMF sees while it makes STREAMS

static int16_t *history_block(struct td_g722_core *core, int block)
{
	return (int16_t *)core + offsetof(struct td_g722_core, history) / sizeof(int16_t) +
	       2 * (ptrdiff_t)block;
}

// The QMF's line of each stream, oldest first: words of [first | second of the pair].
static void load_line(const struct group *group, vec line[LINE])
{
	for (int block = 0; block < PAIRS; block += STREAMS) {
		vec pairs[STREAMS];

		for (int i = 0; i < STREAMS; i++)
			pairs[i] = vec_load(history_block(group->cores[i], block));
		vec_transpose(pairs);
		for (int i = 0; i < STREAMS && block + i < HISTORY; i++)
			line[block + i] = vec_split(pairs[i]);
	}
}

static void store_line(const struct group *group, const vec line[LINE])
{
	for (int block = 0; block < PAIRS; block += STREAMS) {
		vec pairs[STREAMS];

		for (int i = 0; i < STREAMS; i++)
			pairs[i] = block + i < HISTORY ? vec_join(line[block + i]) : vec_zero();
		vec_transpose(pairs);
		for (unsigned i = 0; i < group->lane_count; i++)
			vec_store(history_block(group->cores[i], block), pairs[i]);
	}
	// It shares the last block.
	for (unsigned i = 0; i < group->lane_count; i++)
		group->cores[i]->narrow = group->narrow;
}

// One polyphase half in each half of the vector: taps of even place in the low half when `across`
// is 0, of odd place when it is 1; two successive taps of a half to a word pair.
static void load_taps(vec taps[TAP_PAIRS], int across)
{
	for (int i = 0; i < TAP_PAIRS; i++) {
		const int16_t *low = td_g722_tables.qmf + 4 * i + across;
		const int16_t *high = td_g722_tables.qmf + 4 * i + 1 - across;

		taps[i] = vec_halves_pairs((uint16_t)low[0] | low[2] * 65536,
					   (uint16_t)high[0] | high[2] * 65536);
	}
}

// 32-bit sums of both halves, in the order of vec_unpack_lo and _hi.
struct sums {
	vec lo, hi;
};

// Filters the twelve moments from line[i] on, for i below `count`.
INLINE void filter(const vec line[LINE], size_t count, const vec taps[TAP_PAIRS],
		   struct sums sums[STREAMS])
{
	vec lo[LINE], hi[LINE];

	for (size_t i = 0; i + 1 < count + HISTORY; i++) {
		lo[i] = vec_unpack_lo(line[i], line[i + 1]);
		hi[i] = vec_unpack_hi(line[i], line[i + 1]);
	}
	for (size_t i = 0; i < count; i++) {
		sums[i].lo = vec_madd(lo[i], taps[0]);
		sums[i].hi = vec_madd(hi[i], taps[0]);
		for (size_t k = 1; k < TAP_PAIRS; k++) {
			sums[i].lo = vec_add_pairs(sums[i].lo, vec_madd(lo[i + 2 * k], taps[k]));
			sums[i].hi = vec_add_pairs(sums[i].hi, vec_madd(hi[i + 2 * k], taps[k]));
		}
	}
}

// [odd sum | even sum] to [even + odd | even - odd], without the filters' gain.
INLINE vec bands_of(struct sums sums)
{
	const vec high = vec_halves(0, -1);
	vec lo = vec_xor(vec_swap(sums.lo), high), hi = vec_xor(vec_swap(sums.hi), high);

	lo = vec_sub_pairs(vec_add_pairs(sums.lo, lo), high);
	hi = vec_sub_pairs(vec_add_pairs(sums.hi, hi), high);
	// Two Q12 filters are summed, and the bands are of 15 bits.
	return vec_packs(vec_sra_pairs(lo, 14), vec_sra_pairs(hi, 14));
}

// The two bands of `count` moments, and the line moved on by as many.
static void analyse(const struct group *group, const int16_t *const pcm[], size_t at, size_t count,
		    vec line[LINE], const vec taps[TAP_PAIRS], vec bands[STREAMS])
{
	const size_t each = group->narrow ? 1 : 2;
	struct sums sums[STREAMS];
	vec rows[STREAMS];

	for (unsigned i = 0; i < STREAMS; i++) {
		const int16_t *from = pcm[i < group->lane_count ? i : 0] + each * at;
		int16_t part[2 * STREAMS] = { 0 };

		if (count < STREAMS)
			from = memcpy(part, from, each * count * sizeof *from);
		rows[i] = group->narrow ? vec_load_words(from) : vec_load(from);
	}
	vec_transpose(rows);
	if (group->narrow) {
		for (size_t i = 0; i < count; i++)
			bands[i] = vec_sra(vec_even_words(rows[i], vec_zero()), 1);
		return;
	}
	for (size_t i = 0; i < count; i++)
		line[HISTORY + i] = vec_split(rows[i]);
	filter(line, count, taps, sums);
	for (size_t i = 0; i < count; i++)
		bands[i] = bands_of(sums[i]);
	memmove(line, line + count, HISTORY * sizeof *line);
}

// Writes `count` bytes of each stream; codes[i] are words of [low | high] of moment i.
static void put_codes(const struct group *group, vec codes[STREAMS], uint8_t *const payload[],
		      size_t at, size_t count)
{
	const vec low = vec_set1_pairs(group->narrow ? 0x3f : 0xff);
	const vec high = vec_set1_pairs(group->narrow ? 0xc0 : 0);

	for (size_t i = 0; i < STREAMS; i++)
		codes[i] = i < count ? vec_join(codes[i]) : vec_zero();
	vec_transpose(codes);
	for (unsigned i = 0; i < group->lane_count; i++) {
		vec code = vec_or(codes[i], vec_srl_pairs(codes[i], 16));
		uint8_t part[STREAMS];

		code = vec_or(vec_and(code, low), high);
		vec_store_bytes(count < STREAMS ? part : payload[i] + at, code);
		if (count < STREAMS)
			memcpy(payload[i] + at, part, count);
	}
}

static void encode_group(const struct group *group, const int16_t *const pcm[],
			 uint8_t *const payload[], size_t bytes)
{
	const struct quantiser q = quantiser();
	struct predictor p;
	vec line[LINE], taps[TAP_PAIRS], bands[STREAMS], codes[STREAMS];

	load_predictor(group, &p);
	load_line(group, line);
	load_taps(taps, 0);
	for (size_t at = 0; at < bytes; at += STREAMS) {
		size_t count = bytes - at < STREAMS ? bytes - at : STREAMS;

		analyse(group, pcm, at, count, line, taps, bands);
		for (size_t i = 0; i < count; i++)
			codes[i] = encode_step(&p, &q, bands[i]);
		put_codes(group, codes, payload, at, count);
	}
	store_predictor(group, &p);
	store_line(group, line);
}

// The codes of `count` moments, words of [low | high].
static void get_codes(const struct group *group, const uint8_t *const payload[], size_t at,
		      size_t count, vec codes[STREAMS])
{
	for (unsigned i = 0; i < STREAMS; i++) {
		const uint8_t *from = payload[i < group->lane_count ? i : 0] + at;
		uint8_t part[STREAMS] = { 0 };

		if (count < STREAMS)
			from = memcpy(part, from, count);
		codes[i] = vec_load_bytes(from);
	}
	vec_transpose(codes);
	for (size_t i = 0; i < count; i++)
		codes[i] = vec_even_words(vec_and(codes[i], vec_set1_pairs(0x3f)),
					  vec_srl_pairs(codes[i], 6));
}

// The PCM of `count` moments, of their bands; moves the line on by as many.
static void synthesise(const struct group *group, const vec bands[STREAMS], size_t count,
		       vec line[LINE], const vec taps[TAP_PAIRS], vec rows[STREAMS])
{
	const vec low = vec_halves(-1, 0);
	struct sums sums[STREAMS];

	if (group->narrow) {
		for (size_t i = 0; i < STREAMS; i++)
			rows[i] = i < count ? vec_join(vec_add(bands[i], bands[i])) : vec_zero();
		vec_transpose(rows);
		return;
	}
	// [low - high | low + high]; neither leaves 16 bits.
	for (size_t i = 0; i < count; i++) {
		vec other = vec_sub(vec_xor(vec_swap(bands[i]), low), low);

		line[HISTORY + i] = vec_add(bands[i], other);
	}
	filter(line, count, taps, sums);
	for (size_t i = 0; i < STREAMS; i++)
		rows[i] = i < count ? vec_join(vec_packs(vec_sra_pairs(sums[i].lo, 11),
							 vec_sra_pairs(sums[i].hi, 11)))
				    : vec_zero();
	vec_transpose(rows);
	memmove(line, line + count, HISTORY * sizeof *line);
}

static void put_pcm(const struct group *group, const vec rows[STREAMS], int16_t *const pcm[],
		    size_t at, size_t count)
{
	const size_t each = group->narrow ? 1 : 2;

	for (unsigned i = 0; i < group->lane_count; i++) {
		int16_t part[2 * STREAMS], *to = count < STREAMS ? part : pcm[i] + each * at;

		if (group->narrow)
			vec_store_words(to, rows[i]);
		else
			vec_store(to, rows[i]);
		if (count < STREAMS)
			memcpy(pcm[i] + each * at, part, each * count * sizeof *to);
	}
}

static void decode_group(const struct group *group, const uint8_t *const payload[],
			 int16_t *const pcm[], size_t bytes)
{
	const struct decode_tables tables = decode_tables();
	struct predictor p;
	vec line[LINE], taps[TAP_PAIRS], codes[STREAMS], bands[STREAMS];

	load_predictor(group, &p);
	load_line(group, line);
	load_taps(taps, 1);
	for (size_t at = 0; at < bytes; at += STREAMS) {
		size_t count = bytes - at < STREAMS ? bytes - at : STREAMS;

		get_codes(group, payload, at, count, codes);
		for (size_t i = 0; i < count; i++)
			bands[i] = decode_step(&p, decode_codes(&tables, codes[i]));
		synthesise(group, bands, count, line, taps, codes);
		put_pcm(group, codes, pcm, at, count);
	}
	store_predictor(group, &p);
	store_line(group, line);
}

// Lane `i` of the group is this stream.
static void join(struct group *group, unsigned i, struct td_g722_core *core)
{
	TD_ASSERT(core->narrow == group->narrow);
	group->cores[i] = core;
}

size_t td_g722_encode_lanes(struct td_g722_encoder *const states[], const int16_t *const pcm[],
			    uint8_t *const payload[], unsigned lane_count, size_t samples)
{
	const uint16_t narrow = states[0]->core.narrow;
	const size_t bytes = narrow ? samples : samples / 2;

	TD_ASSERT(lane_count >= 1 && lane_count <= TD_G722_LANES && (narrow || samples % 2 == 0));
	for (unsigned first = 0; first < lane_count; first += STREAMS) {
		struct group group = { .narrow = narrow, .lane_count = lane_count - first };

		if (group.lane_count > STREAMS)
			group.lane_count = STREAMS;
		for (unsigned i = 0; i < STREAMS; i++)
			join(&group, i, &states[first + (i < group.lane_count ? i : 0)]->core);
		encode_group(&group, pcm + first, payload + first, bytes);
	}
	return bytes;
}

size_t td_g722_decode_lanes(struct td_g722_decoder *const states[], const uint8_t *const payload[],
			    int16_t *const pcm[], unsigned lane_count, size_t bytes)
{
	const uint16_t narrow = states[0]->core.narrow;

	TD_ASSERT(lane_count >= 1 && lane_count <= TD_G722_LANES);
	for (unsigned first = 0; first < lane_count; first += STREAMS) {
		struct group group = { .narrow = narrow, .lane_count = lane_count - first };

		if (group.lane_count > STREAMS)
			group.lane_count = STREAMS;
		for (unsigned i = 0; i < STREAMS; i++)
			join(&group, i, &states[first + (i < group.lane_count ? i : 0)]->core);
		decode_group(&group, payload + first, pcm + first, bytes);
	}
	return narrow ? bytes : 2 * bytes;
}

#else

size_t td_g722_encode_lanes(struct td_g722_encoder *const states[], const int16_t *const pcm[],
			    uint8_t *const payload[], unsigned lane_count, size_t samples)
{
	int bytes = 0;

	TD_ASSERT(lane_count >= 1 && lane_count <= TD_G722_LANES);
	for (unsigned i = 0; i < lane_count; i++) {
		bytes = td_g722_encode(states[i], pcm[i], samples, payload[i], samples);
		TD_ASSERT(bytes >= 0);
	}
	return (size_t)bytes;
}

size_t td_g722_decode_lanes(struct td_g722_decoder *const states[], const uint8_t *const payload[],
			    int16_t *const pcm[], unsigned lane_count, size_t bytes)
{
	int samples = 0;

	TD_ASSERT(lane_count >= 1 && lane_count <= TD_G722_LANES);
	for (unsigned i = 0; i < lane_count; i++) {
		samples = td_g722_decode(states[i], payload[i], bytes, pcm[i], 2 * bytes);
		TD_ASSERT(samples >= 0);
	}
	return (size_t)samples;
}

#endif

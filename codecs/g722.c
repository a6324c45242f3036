#include "codecs/g722.h"

#include <stdbool.h>
#include <string.h>

#include "codecs/g722_tables.h"
#include "codecs/rows.h"
#include "td_error.h"

#define HISTORY (TD_G722_HISTORY / 2) // pairs
#define BLOCK   80                    // moments filtered at once: 10 ms
#define INLINE  static inline __attribute__((always_inline))

_Static_assert(sizeof(struct td_g722_band) == 64, "the lanes load a band as 16 pairs");
_Static_assert(sizeof(struct td_g722_core) == 192, "the lanes load the QMF's history as 16 pairs");

static const struct td_g722_tables *const tables = &td_g722_tables;

static inline int32_t clamp(int32_t value, int32_t least, int32_t most)
{
	return value < least ? least : value > most ? most : value;
}

static inline int32_t saturate(int32_t value)
{
	return clamp(value, INT16_MIN, INT16_MAX);
}

// The product of a Q15 coefficient, rounded down.
static inline int32_t scale(int32_t value, int32_t coefficient)
{
	return (value * coefficient) >> 15;
}

// Eight words at once: a predictor's six zeros and two that stay 0. Passed by pointer, because by
// value they would have another calling convention on a processor without registers of this size.
typedef int32_t words __attribute__((vector_size(32)));

static inline int32_t sum(const words *v)
{
	words half = *v + __builtin_shufflevector(*v, *v, 4, 5, 6, 7, 0, 1, 2, 3);
	words quarter = half + __builtin_shufflevector(half, half, 2, 3, 0, 1, 6, 7, 4, 5);

	return quarter[0] + quarter[1];
}

// A band's state while a call works on it.
struct band {
	int32_t s, sz, r, p0, p1, a0, a1, nb, det;
	words b, d;
	int32_t nb_max;
	int octave; // of nb, where det is the mantissa
};

static void load_band(struct band *band, const struct td_g722_band *from, bool high)
{
	*band = (struct band){
		.s = from->s,
		.sz = from->sz,
		.r = from->r,
		.p0 = from->p[0],
		.p1 = from->p[1],
		.a0 = from->a[0],
		.a1 = from->a[1],
		.nb = from->nb,
		.det = from->det,
		.nb_max = high ? TD_G722_NB_MAX_HIGH : TD_G722_NB_MAX_LOW,
		.octave = high ? 10 : 8,
	};
	for (int i = 0; i < TD_G722_ZEROS; i++) {
		band->b[i] = from->b[i];
		band->d[i] = from->d[i];
	}
}

static void store_band(const struct band *band, struct td_g722_band *to)
{
	to->s = (int16_t)band->s;
	to->sz = (int16_t)band->sz;
	to->r = (int16_t)band->r;
	to->p[0] = (int16_t)band->p0;
	to->p[1] = (int16_t)band->p1;
	to->a[0] = (int16_t)band->a0;
	to->a[1] = (int16_t)band->a1;
	to->nb = (int16_t)band->nb;
	to->det = (int16_t)band->det;
	for (int i = 0; i < TD_G722_ZEROS; i++) {
		to->b[i] = (int16_t)band->b[i];
		to->d[i] = (int16_t)band->d[i];
	}
}

// Poles: G.722 blocks UPPOL2, UPPOL1 and FILTEP. Returns the poles' part of the next prediction.
INLINE int32_t predict_poles(struct band *band, int32_t d)
{
	int32_t r = saturate(band->s + d), p = saturate(band->sz + d);
	// 0 or -1: branches on signs of noise would be guessed wrong every other time.
	int32_t turned = (p ^ band->p0) >> 31, turned_before = (p ^ band->p1) >> 31;
	int32_t a0x4 = saturate(band->a0 * 4);
	int32_t a1 = saturate((a0x4 ^ ~turned) - ~turned) >> 7;
	int32_t a0 = 192 + (turned & -384) + scale(band->a0, 32640);
	int32_t sp;

	a1 += 128 + (turned_before & -256) + scale(band->a1, 32512);
	a1 = clamp(a1, -12288, 12288);
	a0 = clamp(a0, a1 - 15360, 15360 - a1);
	sp = scale(saturate(2 * r), a0) + scale(saturate(2 * band->r), a1);
	band->a0 = a0;
	band->a1 = a1;
	band->p1 = band->p0;
	band->p0 = p;
	band->r = r;
	return saturate(sp);
}

// Zeros: blocks UPZERO and FILTEZ. Returns the zeros' part of the next prediction. Twice a
// difference is at most 20456, so it is not saturated here; nor does b leave 16 bits.
INLINE int32_t predict_zeros(struct band *band, int32_t d)
{
	words turned = (band->d ^ d) >> 31, products;
	int32_t step = d == 0 ? 0 : 128;

	band->b = ((band->b * 32640) >> 15) + ((step ^ turned) - turned);
	band->d = __builtin_shufflevector(band->d, (words){ d }, 8, 0, 1, 2, 3, 4, 9, 9);
	products = (band->b * (2 * band->d)) >> 15;
	return saturate(sum(&products));
}

// One step of either band: takes the quantised difference and what it adds to nb (blocks LOGSCL,
// SCALEL and their like of the high band), leaves the next prediction and scale.
INLINE void predict(struct band *band, int32_t d, int32_t adapt)
{
	int32_t sp = predict_poles(band, d);
	int32_t nb = clamp(((band->nb * 127) >> 7) + adapt, 0, band->nb_max);
	int32_t mantissa = tables->mantissa[(nb >> 6) & 31];

	band->sz = predict_zeros(band, d);
	band->s = saturate(sp + band->sz);
	band->nb = nb;
	// One bit is kept below for the shift that would else be to the left at nb_max.
	band->det = (mantissa << 1 >> (band->octave + 1 - (nb >> 11))) << 2;
}

// The quantised difference of a cell with the sign of `e`.
INLINE int32_t difference(const struct band *band, int32_t cell, int32_t e)
{
	int32_t sign = e >> 31;

	return scale(band->det, (tables->magnitude[cell] ^ sign) - sign);
}

INLINE int encode_low(struct band *band, int32_t x)
{
	int32_t e = saturate(x - band->s), magnitude = e ^ (e >> 31);
	int32_t cell = 0, code;

	for (int i = 0; i < TD_G722_COARSE; i++)
		cell += magnitude < (tables->coarse[i][0] * band->det) >> 12;
	code = tables->code[cell] + (tables->code_positive[cell] & ~(e >> 31));
	for (int i = 0; i < TD_G722_FINE; i++)
		code += magnitude < (tables->fine[i][cell] * band->det) >> 12;
	predict(band, difference(band, cell, e), tables->adapt[cell]);
	return code;
}

// Returns the two bits where they stand in the byte.
INLINE int encode_high(struct band *band, int32_t x)
{
	int32_t e = saturate(x - band->s), magnitude = e ^ (e >> 31);
	int32_t cell = TD_G722_CELLS + (magnitude < (tables->coarse[0][1] * band->det) >> 12);
	int32_t code = tables->code[cell] + (tables->code_positive[cell] & ~(e >> 31));

	predict(band, difference(band, cell, e), tables->adapt[cell]);
	return code;
}

INLINE int32_t decode_low(struct band *band, int code)
{
	int32_t out = clamp(band->s + scale(band->det, tables->decode6[code]), -16384, 16383);

	predict(band, scale(band->det, tables->decode4[code >> 2]), tables->adapt4[code >> 2]);
	return out;
}

INLINE int32_t decode_high(struct band *band, int code)
{
	int32_t d = scale(band->det, tables->decode_high[code]);
	int32_t out = clamp(band->s + d, -16384, 16383);

	predict(band, d, tables->adapt_high[code]);
	return out;
}

static int init(struct td_g722_core *core, uint32_t sample_hz)
{
	if (sample_hz != 8000 && sample_hz != 16000)
		return -TD_EUNSUPPORTED;
	*core = (struct td_g722_core){ .low.det = 32, .high.det = 8, .narrow = sample_hz == 8000 };
	return 0;
}

int td_g722_encoder_init(void *state, uint32_t sample_hz, const struct td_codec_settings *settings)
{
	struct td_g722_encoder *encoder = state;

	(void)settings; // 64 kbit/s is the only rate of RFC 3551
	return init(&encoder->core, sample_hz);
}

int td_g722_decoder_init(void *state, uint32_t sample_hz)
{
	struct td_g722_decoder *decoder = state;

	return init(&decoder->core, sample_hz);
}

// The QMF's two polyphase lines, oldest first: the first and the second samples of the pairs.
struct lines {
	int16_t first[HISTORY + BLOCK], second[HISTORY + BLOCK];
};

static void load_lines(struct lines *lines, const struct td_g722_core *core)
{
	for (int i = 0; i < HISTORY; i++) {
		lines->first[i] = core->history[2 * i];
		lines->second[i] = core->history[2 * i + 1];
	}
}

static void store_lines(const struct lines *lines, struct td_g722_core *core)
{
	for (int i = 0; i < HISTORY; i++) {
		core->history[2 * i] = lines->first[i];
		core->history[2 * i + 1] = lines->second[i];
	}
}

// Makes the last moments of a block the history of the next.
static void move_on(struct lines *lines, size_t count)
{
	memmove(lines->first, lines->first + count, HISTORY * sizeof *lines->first);
	memmove(lines->second, lines->second + count, HISTORY * sizeof *lines->second);
}

// Twelve taps of one line, Q12: those of even place in the filter, or of odd.
static inline void filter(const int16_t *line, int odd, size_t count, int32_t sums[BLOCK])
{
	for (size_t i = 0; i < count; i++) {
		int32_t total = 0;

		for (int k = 0; k < HISTORY + 1; k++)
			total += line[i + (size_t)k] * tables->qmf[2 * k + odd];
		sums[i] = total;
	}
}

static void encode_wide(struct td_g722_core *core, const int16_t *pcm, size_t bytes,
			uint8_t *payload)
{
	struct band low, high;
	struct lines lines;
	int32_t sums[2][BLOCK];

	load_band(&low, &core->low, false);
	load_band(&high, &core->high, true);
	load_lines(&lines, core);
	for (size_t at = 0; at < bytes; at += BLOCK) {
		size_t count = bytes - at < BLOCK ? bytes - at : BLOCK;

		for (size_t i = 0; i < count; i++) {
			lines.first[HISTORY + i] = pcm[2 * (at + i)];
			lines.second[HISTORY + i] = pcm[2 * (at + i) + 1];
		}
		filter(lines.first, 0, count, sums[0]);
		filter(lines.second, 1, count, sums[1]);
		// Two Q12 filters are summed, and the bands are of 15 bits.
		for (size_t i = 0; i < count; i++) {
			int code = encode_low(&low, (sums[1][i] + sums[0][i]) >> 14);

			code |= encode_high(&high, (sums[1][i] - sums[0][i]) >> 14);
			payload[at + i] = (uint8_t)code;
		}
		move_on(&lines, count);
	}
	store_band(&low, &core->low);
	store_band(&high, &core->high);
	store_lines(&lines, core);
}

static void encode_narrow(struct td_g722_core *core, const int16_t *pcm, size_t bytes,
			  uint8_t *payload)
{
	struct band low;

	load_band(&low, &core->low, false);
	for (size_t i = 0; i < bytes; i++)
		payload[i] = (uint8_t)(0xc0 | encode_low(&low, pcm[i] >> 1));
	store_band(&low, &core->low);
}

int td_g722_encode(void *state, const int16_t *pcm, size_t samples, uint8_t *payload,
		   size_t payload_max)
{
	struct td_g722_core *core = &((struct td_g722_encoder *)state)->core;
	size_t bytes = core->narrow ? samples : samples / 2;

	if (!core->narrow && samples % 2)
		return -TD_EINVALID;
	if (bytes > payload_max)
		return -TD_EFULL;
	if (core->narrow)
		encode_narrow(core, pcm, bytes, payload);
	else
		encode_wide(core, pcm, bytes, payload);
	return (int)bytes;
}

static void decode_wide(struct td_g722_core *core, const uint8_t *payload, size_t bytes,
			int16_t *pcm)
{
	struct band low, high;
	struct lines lines;
	int32_t sums[2][BLOCK];

	load_band(&low, &core->low, false);
	load_band(&high, &core->high, true);
	load_lines(&lines, core);
	for (size_t at = 0; at < bytes; at += BLOCK) {
		size_t count = bytes - at < BLOCK ? bytes - at : BLOCK;

		for (size_t i = 0; i < count; i++) {
			int32_t bottom = decode_low(&low, payload[at + i] & 0x3f);
			int32_t top = decode_high(&high, payload[at + i] >> 6);

			lines.first[HISTORY + i] = (int16_t)(bottom - top);
			lines.second[HISTORY + i] = (int16_t)(bottom + top);
		}
		filter(lines.first, 1, count, sums[0]);
		filter(lines.second, 0, count, sums[1]);
		for (size_t i = 0; i < count; i++) {
			pcm[2 * (at + i)] = (int16_t)saturate(sums[0][i] >> 11);
			pcm[2 * (at + i) + 1] = (int16_t)saturate(sums[1][i] >> 11);
		}
		move_on(&lines, count);
	}
	store_band(&low, &core->low);
	store_band(&high, &core->high);
	store_lines(&lines, core);
}

static void decode_narrow(struct td_g722_core *core, const uint8_t *payload, size_t bytes,
			  int16_t *pcm)
{
	struct band low;

	load_band(&low, &core->low, false);
	for (size_t i = 0; i < bytes; i++)
		pcm[i] = (int16_t)(decode_low(&low, payload[i] & 0x3f) * 2);
	store_band(&low, &core->low);
}

int td_g722_decode(void *state, const uint8_t *payload, size_t bytes, int16_t *pcm,
		   size_t samples_max)
{
	struct td_g722_core *core = &((struct td_g722_decoder *)state)->core;

	if (bytes > (core->narrow ? samples_max : samples_max / 2))
		return -TD_EFULL;
	if (core->narrow)
		decode_narrow(core, payload, bytes, pcm);
	else
		decode_wide(core, payload, bytes, pcm);
	return (int)(core->narrow ? bytes : 2 * bytes);
}

int td_g722_duration(const uint8_t *payload, size_t bytes)
{
	(void)payload;
	return (int)bytes;
}

const struct td_codec td_g722_row = {
	.id = TD_CODEC_G722,
	.name = "G722",
	.clock_hz = 8000,
	.sample_hz = 16000,
	.static_payload_type = 9,
	.ptime_max_ms = 60,
	.rates = { 8000, 16000 },
	.encoder_bytes = sizeof(struct td_g722_encoder),
	.decoder_bytes = sizeof(struct td_g722_decoder),
	.encoder_init = td_g722_encoder_init,
	.decoder_init = td_g722_decoder_init,
	.encode = td_g722_encode,
	.decode = td_g722_decode,
	.duration = td_g722_duration,
};

#include "codecs/g722.h"

#include <stdbool.h>
#include <string.h>

#include "codecs/g722_tables.h"
#include "codecs/rows.h"
#include "td_error.h"

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

// Poles: G.722 blocks UPPOL2, UPPOL1 and FILTEP. Returns the poles' part of the next prediction.
static int32_t predict_poles(struct td_g722_band *band, int32_t r, int32_t p)
{
	bool turned = (p ^ band->p[0]) < 0, turned_before = (p ^ band->p[1]) < 0;
	int32_t a0x4 = saturate(band->a[0] * 4);
	int32_t a1 = saturate(turned ? a0x4 : -a0x4) >> 7;
	int32_t a0 = (turned ? -192 : 192) + scale(band->a[0], 32640);
	int32_t sp;

	a1 += (turned_before ? -128 : 128) + scale(band->a[1], 32512);
	a1 = clamp(a1, -12288, 12288);
	a0 = clamp(a0, a1 - 15360, 15360 - a1);
	sp = scale(saturate(2 * r), a0) + scale(saturate(2 * band->r), a1);
	band->a[0] = (int16_t)a0;
	band->a[1] = (int16_t)a1;
	band->p[1] = band->p[0];
	band->p[0] = (int16_t)p;
	band->r = (int16_t)r;
	return saturate(sp);
}

// Zeros: blocks UPZERO and FILTEZ. Returns the zeros' part of the next prediction.
static int32_t predict_zeros(struct td_g722_band *band, int32_t d)
{
	int32_t step = d == 0 ? 0 : 128, sz = 0;

	for (int i = TD_G722_ZEROS - 1; i >= 0; i--) {
		int32_t tap = i > 0 ? band->d[i - 1] : d;
		int32_t b = scale(band->b[i], 32640);

		b += (band->d[i] ^ d) < 0 ? -step : step;
		sz += scale(saturate(2 * tap), b);
		band->b[i] = (int16_t)b;
		band->d[i] = (int16_t)tap;
	}
	return saturate(sz);
}

// Block 4 of either band: takes the quantised difference, leaves the next prediction.
static void predict(struct td_g722_band *band, int32_t d)
{
	int32_t sp = predict_poles(band, saturate(band->s + d), saturate(band->sz + d));

	band->sz = (int16_t)predict_zeros(band, d);
	band->s = (int16_t)saturate(sp + band->sz);
}

// Block 3 of either band (LOGSCL, SCALEL): the quantiser's next scale. `octave` is where nb says 1.
static void adapt(struct td_g722_band *band, int32_t addend, int32_t nb_max, int octave)
{
	int32_t nb = clamp(((band->nb * 127) >> 7) + addend, 0, nb_max);
	int32_t mantissa = tables->mantissa[(nb >> 6) & 31];

	// One bit is kept below for the shift that would else be to the left at nb_max.
	band->nb = (int16_t)nb;
	band->det = (int16_t)((mantissa << 1 >> (octave + 1 - (nb >> 11))) << 2);
}

static int encode_low(struct td_g722_band *band, int32_t x)
{
	int32_t e = saturate(x - band->s), magnitude = e < 0 ? ~e : e;
	int32_t d, code, cell = 0;

	for (int i = 0; i < TD_G722_COARSE; i++)
		cell += magnitude < (tables->coarse[i][0] * band->det) >> 12;
	code = tables->code[cell] + (e < 0 ? 0 : tables->code_positive[cell]);
	for (int i = 0; i < TD_G722_FINE; i++)
		code += magnitude < (tables->fine[i][cell] * band->det) >> 12;
	d = scale(band->det, e < 0 ? -tables->magnitude[cell] : tables->magnitude[cell]);
	adapt(band, tables->adapt[cell], TD_G722_NB_MAX_LOW, 8);
	predict(band, d);
	return code;
}

// Returns the two bits where they stand in the byte.
static int encode_high(struct td_g722_band *band, int32_t x)
{
	int32_t e = saturate(x - band->s), magnitude = e < 0 ? ~e : e;
	int32_t cell = TD_G722_CELLS + (magnitude < (tables->coarse[0][1] * band->det) >> 12);
	int32_t code = tables->code[cell] + (e < 0 ? 0 : tables->code_positive[cell]);
	int32_t d = scale(band->det, e < 0 ? -tables->magnitude[cell] : tables->magnitude[cell]);

	adapt(band, tables->adapt[cell], TD_G722_NB_MAX_HIGH, 10);
	predict(band, d);
	return code;
}

static int32_t decode_low(struct td_g722_band *band, int code)
{
	int32_t out = clamp(band->s + scale(band->det, tables->decode6[code]), -16384, 16383);
	int32_t d = scale(band->det, tables->decode4[code >> 2]);

	adapt(band, tables->adapt4[code >> 2], TD_G722_NB_MAX_LOW, 8);
	predict(band, d);
	return out;
}

static int32_t decode_high(struct td_g722_band *band, int code)
{
	int32_t d = scale(band->det, tables->decode_high[code]);
	int32_t out = clamp(band->s + d, -16384, 16383);

	adapt(band, tables->adapt_high[code], TD_G722_NB_MAX_HIGH, 10);
	predict(band, d);
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

// Slides two samples in at the new end of the QMF's line of 24.
static inline void slide(int16_t line[TD_G722_HISTORY + 2], int32_t first, int32_t second)
{
	memmove(line, line + 2, TD_G722_HISTORY * sizeof *line);
	line[TD_G722_HISTORY] = (int16_t)first;
	line[TD_G722_HISTORY + 1] = (int16_t)second;
}

// The two polyphase halves of the QMF, Q12: taps of even place on samples of even place, or across.
static inline void filter(const int16_t line[TD_G722_HISTORY + 2], int across, int32_t sums[2])
{
	sums[0] = sums[1] = 0;
	for (int i = 0; i < TD_G722_HISTORY + 2; i += 2) {
		sums[0] += line[i] * tables->qmf[i + across];
		sums[1] += line[i + 1] * tables->qmf[i + 1 - across];
	}
}

int td_g722_encode(void *state, const int16_t *pcm, size_t samples, uint8_t *payload,
		   size_t payload_max)
{
	struct td_g722_core *core = &((struct td_g722_encoder *)state)->core;
	size_t bytes = core->narrow ? samples : samples / 2;
	int16_t line[TD_G722_HISTORY + 2] = { 0 };

	if (!core->narrow && samples % 2)
		return -TD_EINVALID;
	if (bytes > payload_max)
		return -TD_EFULL;
	for (size_t i = 0; core->narrow && i < bytes; i++)
		payload[i] = (uint8_t)(0xc0 | encode_low(&core->low, pcm[i] >> 1));
	if (core->narrow)
		return (int)bytes;
	memcpy(line + 2, core->history, sizeof core->history);
	for (size_t i = 0; i < bytes; i++) {
		int32_t sums[2];
		int code;

		slide(line, pcm[2 * i], pcm[2 * i + 1]);
		filter(line, 0, sums);
		// Two Q12 filters are summed, and the bands are of 15 bits.
		code = encode_low(&core->low, (sums[1] + sums[0]) >> 14);
		code |= encode_high(&core->high, (sums[1] - sums[0]) >> 14);
		payload[i] = (uint8_t)code;
	}
	memcpy(core->history, line + 2, sizeof core->history);
	return (int)bytes;
}

int td_g722_decode(void *state, const uint8_t *payload, size_t bytes, int16_t *pcm,
		   size_t samples_max)
{
	struct td_g722_core *core = &((struct td_g722_decoder *)state)->core;
	int16_t line[TD_G722_HISTORY + 2] = { 0 };

	if (bytes > (core->narrow ? samples_max : samples_max / 2))
		return -TD_EFULL;
	for (size_t i = 0; core->narrow && i < bytes; i++)
		pcm[i] = (int16_t)(decode_low(&core->low, payload[i] & 0x3f) * 2);
	if (core->narrow)
		return (int)bytes;
	memcpy(line + 2, core->history, sizeof core->history);
	for (size_t i = 0; i < bytes; i++) {
		int32_t low = decode_low(&core->low, payload[i] & 0x3f);
		int32_t high = decode_high(&core->high, payload[i] >> 6);
		int32_t sums[2];

		slide(line, low - high, low + high);
		filter(line, 1, sums);
		pcm[2 * i] = (int16_t)saturate(sums[0] >> 11);
		pcm[2 * i + 1] = (int16_t)saturate(sums[1] >> 11);
	}
	memcpy(core->history, line + 2, sizeof core->history);
	return (int)(2 * bytes);
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

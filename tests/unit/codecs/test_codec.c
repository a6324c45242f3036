// Every codec of the table, at every rate it codes: what all of them owe their callers.
#include <check.h>
#include <math.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "allocations.h"
#include "codecs/codec.h"
#include "signal.h"
#include "td_limits.h"

#define SECONDS     2
#define SAMPLES_MAX (SECONDS * 48000)
#define STATE_BYTES (64 * 1024)
#define FRAME_MAX   5760 // 120 ms at 48 kHz
#define FRAMES_MAX  (SECONDS * 100)

struct row {
	const struct td_codec *codec;
	uint32_t rate_hz;
	uint32_t frame; // samples in 20 ms, or in the longest packet if that is less
};

static struct row rows[TD_CODEC_COUNT * TD_CODEC_RATE_MAX];
static int row_count;

alignas(TD_CODEC_STATE_ALIGN) static uint8_t encoders[2][STATE_BYTES], decoders[2][STATE_BYTES];
static int16_t sound[SAMPLES_MAX], heard[SAMPLES_MAX + FRAME_MAX];
static uint8_t payloads[FRAMES_MAX][TD_RTP_PAYLOAD_MAX];
static int lengths[FRAMES_MAX];
static const struct td_codec_settings plain = { .complexity = 3 };
static uint32_t seed = 1;

static uint32_t random_bits(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8;
}

static void gather_rows(void)
{
	for (int id = 0; id < TD_CODEC_COUNT; id++) {
		const struct td_codec *codec = td_codec_get((enum td_codec_id)id);

		for (int r = 0; codec && codec->rates[r]; r++) {
			uint32_t ms = codec->ptime_max_ms < 20 ? codec->ptime_max_ms : 20;

			rows[row_count++] =
				(struct row){ codec, codec->rates[r], codec->rates[r] / 1000 * ms };
		}
	}
}

static void fini(const struct row *row)
{
	for (int which = 0; which < 2; which++) {
		if (row->codec->encoder_fini)
			row->codec->encoder_fini(encoders[which]);
		if (row->codec->decoder_fini)
			row->codec->decoder_fini(decoders[which]);
	}
}

// The states are zero before the first init, and fini leaves them so that it may come again.
static void init(const struct row *row, int which)
{
	if (row->codec->encoder_fini)
		row->codec->encoder_fini(encoders[which]);
	if (row->codec->decoder_fini)
		row->codec->decoder_fini(decoders[which]);
	if (row->codec->encoder_init)
		ck_assert_int_eq(row->codec->encoder_init(encoders[which], row->rate_hz, &plain),
				 0);
	if (row->codec->decoder_init)
		ck_assert_int_eq(row->codec->decoder_init(decoders[which], row->rate_hz), 0);
}

// Codes the whole sound into payloads; answers how many there are.
static int encode_all(const struct row *row)
{
	int count = (int)(SECONDS * row->rate_hz / row->frame);

	for (int n = 0; n < count; n++) {
		lengths[n] = row->codec->encode(encoders[0], sound + (size_t)n * row->frame,
						row->frame, payloads[n], TD_RTP_PAYLOAD_MAX);
		ck_assert_int_gt(lengths[n], 0);
		ck_assert_int_le(lengths[n], TD_RTP_PAYLOAD_MAX);
	}
	return count;
}

static int decode(const struct row *row, int which, int n, int16_t *pcm)
{
	return row->codec->decode(decoders[which], payloads[n], (size_t)lengths[n], pcm,
				  row->frame);
}

START_TEST(rows_are_sound)
{
	const struct row *row = &rows[_i];
	const struct td_codec *codec = row->codec;
	uint32_t longest = codec->clock_hz / 1000 * codec->ptime_max_ms;

	ck_assert_ptr_eq(td_codec_get(codec->id), codec);
	ck_assert_str_eq(codec->name, td_codec_encoding(codec->id));
	ck_assert_uint_eq(codec->clock_hz, td_codec_clock_hz(codec->id));
	ck_assert_uint_le(codec->encoder_bytes, td_codec_encoder_bytes_max());
	ck_assert_uint_le(codec->decoder_bytes, td_codec_decoder_bytes_max());
	ck_assert_uint_le(td_codec_encoder_bytes_max(), STATE_BYTES);
	ck_assert_uint_le(td_codec_decoder_bytes_max(), STATE_BYTES);
	ck_assert_int_eq(codec->encoder_init == NULL, codec->encoder_bytes == 0);
	ck_assert_int_eq(codec->decoder_init == NULL, codec->decoder_bytes == 0);
	ck_assert_uint_eq(codec->rates[TD_CODEC_RATE_MAX], 0);
	ck_assert(codec->frame_ms == 0 || codec->ptime_max_ms % codec->frame_ms == 0);
	ck_assert_uint_gt(longest, 0);
	if (codec->encoder_init) {
		ck_assert_int_eq(codec->encoder_init(encoders[0], 11025, &plain), -TD_EUNSUPPORTED);
		ck_assert_int_eq(codec->encoder_init(encoders[0], 0, &plain), -TD_EUNSUPPORTED);
	}
	if (codec->decoder_init)
		ck_assert_int_eq(codec->decoder_init(decoders[0], 11025), -TD_EUNSUPPORTED);
	fini(row);
}
END_TEST

// What is decoded lasts as long as `duration` says and sounds like what was coded.
START_TEST(what_is_coded_is_heard)
{
	const struct row *row = &rows[_i];
	// At 8 kbit/s a wave is not followed; it is the spectrum that is kept.
	double enough = row->codec->id == TD_CODEC_G729 ? 0.6 : 0.9, alike;
	int count;

	signal_voice(sound, SECONDS * row->rate_hz, row->rate_hz);
	init(row, 0);
	count = encode_all(row);
	for (int n = 0; n < count; n++) {
		ck_assert_int_eq(decode(row, 0, n, heard + (size_t)n * row->frame),
				 (int)row->frame);
		ck_assert_int_eq(row->codec->duration(payloads[n], (size_t)lengths[n]),
				 (int)(row->frame * row->codec->clock_hz / row->rate_hz));
	}
	alike = signal_correlation(sound + row->rate_hz, heard + row->rate_hz, row->rate_hz / 2,
				   row->rate_hz / 40);
	ck_assert_msg(alike > enough, "%s at %u Hz: correlation %.3f", row->codec->name,
		      row->rate_hz, alike);
	fini(row);
}
END_TEST

START_TEST(longest_packets_fit)
{
	const struct row *row = &rows[_i];
	uint32_t samples = row->rate_hz / 1000 * row->codec->ptime_max_ms;
	int bytes;

	signal_voice(sound, SECONDS * row->rate_hz, row->rate_hz);
	init(row, 0);
	bytes = row->codec->encode(encoders[0], sound, samples, payloads[0], TD_RTP_PAYLOAD_MAX);
	ck_assert_int_gt(bytes, 0);
	ck_assert_int_eq(
		row->codec->decode(decoders[0], payloads[0], (size_t)bytes, heard, samples),
		(int)samples);
	fini(row);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
	const struct row *row = &rows[_i];
	const struct td_codec *codec = row->codec;
	uint8_t again[TD_RTP_PAYLOAD_MAX];
	int16_t untouched;
	int bytes, full;

	signal_voice(sound, SECONDS * row->rate_hz, row->rate_hz);
	init(row, 0);
	bytes = codec->encode(encoders[0], sound, row->frame, payloads[0], TD_RTP_PAYLOAD_MAX);
	lengths[0] = bytes;
	memset(heard, 0x5c, sizeof heard);
	untouched = heard[0];
	ck_assert_int_eq(
		codec->decode(decoders[0], payloads[0], (size_t)bytes, heard, row->frame - 1),
		-TD_EFULL);
	ck_assert_int_eq(heard[0], untouched);
	ck_assert_int_eq(codec->decode(decoders[0], payloads[0], (size_t)bytes, heard, row->frame),
			 (int)row->frame);
	ck_assert_int_eq(heard[row->frame], untouched);
	ck_assert_int_eq(
		codec->decode(decoders[0], payloads[0], (size_t)bytes, heard, row->frame + 1),
		(int)row->frame);
	ck_assert_int_eq(heard[row->frame], untouched);

	// Opus codes into what room there is, and so refuses only where there is none.
	full = codec->id == TD_CODEC_OPUS ? 3 : bytes;
	for (int room = full - 1; room <= full + 1; room++) {
		int did;

		memset(again, 0x5c, sizeof again);
		did = codec->encode(encoders[0], sound, row->frame, again, (size_t)room);
		ck_assert_int_eq(did < 0 ? did : 0, room < full ? -TD_EFULL : 0);
		ck_assert_uint_eq(again[room < full ? 0 : room], 0x5c);
	}
	fini(row);
}
END_TEST

// Each truncation lies in memory of just its size, where ASan sees one byte too many being read.
START_TEST(every_truncation_is_answered)
{
	const struct row *row = &rows[_i];

	signal_voice(sound, SECONDS * row->rate_hz, row->rate_hz);
	init(row, 0);
	encode_all(row);
	for (int n = 20; n < 24; n++) {
		for (int cut = 0; cut < lengths[n]; cut++) {
			uint8_t *exact = malloc(cut ? (size_t)cut : 1);
			int samples, ticks;

			memcpy(exact, payloads[n], (size_t)cut);
			samples = row->codec->decode(decoders[0], exact, (size_t)cut, heard,
						     FRAME_MAX);
			ticks = row->codec->duration(exact, (size_t)cut);
			if (samples >= 0)
				ck_assert_int_eq(samples,
						 ticks * (int)(row->rate_hz / 1000) /
							 (int)(row->codec->clock_hz / 1000));
			else
				ck_assert_int_eq(samples, -TD_EMALFORMED);
			free(exact);
		}
		ck_assert_int_eq(decode(row, 0, n, heard), (int)row->frame);
	}
	fini(row);
}
END_TEST

START_TEST(garbage_harms_nobody)
{
	const struct row *row = &rows[_i];

	signal_voice(sound, SECONDS * row->rate_hz, row->rate_hz);
	init(row, 0);
	encode_all(row);
	for (int n = 0; n < 3000; n++) {
		uint8_t bytes[TD_RTP_PAYLOAD_MAX];
		uint32_t size = n % 3 ? (uint32_t)lengths[n % 50] : random_bits() % 400;
		size_t room = random_bits() % FRAME_MAX;
		int samples, ticks;

		for (uint32_t i = 0; i < size; i++)
			bytes[i] = (uint8_t)random_bits();
		if (n % 3 == 1) // bits of a good one are wrong
			memcpy(bytes, payloads[n % 50], size - size / 4);
		heard[room] = 0x5c5c;
		samples = row->codec->decode(decoders[0], bytes, size, heard, room);
		ck_assert_int_eq(heard[room], 0x5c5c);
		ck_assert(samples == -TD_EMALFORMED || samples == -TD_EFULL || samples >= 0);
		ck_assert_int_le(samples, (int)room);
		ticks = row->codec->duration(bytes, size);
		if (samples >= 0)
			ck_assert_int_eq(samples, ticks * (int)(row->rate_hz / 1000) /
							  (int)(row->codec->clock_hz / 1000));
		if (row->codec->recover) {
			samples = row->codec->recover(decoders[0], bytes, size, heard, row->frame);
			ck_assert_int_le(samples, (int)row->frame);
		}
		ck_assert_int_eq(decode(row, 0, n % 50, heard), (int)row->frame);
	}
	fini(row);
}
END_TEST

// Two streams at once are the same two streams one after the other.
START_TEST(states_do_not_meet)
{
	static int16_t other[SAMPLES_MAX], alone[2][FRAME_MAX], both[2][FRAME_MAX];
	static uint8_t alone_bytes[2][50][TD_RTP_PAYLOAD_MAX];
	const struct row *row = &rows[_i];
	const struct td_codec *codec = row->codec;
	const int16_t *sources[2] = { sound, other };

	signal_voice(sound, SECONDS * row->rate_hz, row->rate_hz);
	signal_sine(other, SECONDS * row->rate_hz, row->rate_hz, 440, 9000);
	for (int s = 0; s < 2; s++) {
		init(row, s);
		for (int n = 0; n < 50; n++) {
			int bytes =
				codec->encode(encoders[s], sources[s] + (size_t)n * row->frame,
					      row->frame, alone_bytes[s][n], TD_RTP_PAYLOAD_MAX);

			codec->decode(decoders[s], alone_bytes[s][n], (size_t)bytes, alone[s],
				      row->frame);
		}
	}
	init(row, 0);
	init(row, 1);
	for (int n = 0; n < 50; n++) {
		for (int s = 0; s < 2; s++) {
			uint8_t payload[TD_RTP_PAYLOAD_MAX];
			int bytes = codec->encode(encoders[s], sources[s] + (size_t)n * row->frame,
						  row->frame, payload, sizeof payload);

			ck_assert_mem_eq(payload, alone_bytes[s][n], (size_t)bytes);
			codec->decode(decoders[s], payload, (size_t)bytes, both[s], row->frame);
		}
	}
	ck_assert_mem_eq(both[0], alone[0], row->frame * sizeof(int16_t));
	ck_assert_mem_eq(both[1], alone[1], row->frame * sizeof(int16_t));
	fini(row);
}
END_TEST

START_TEST(nothing_is_allocated)
{
	const struct row *row = &rows[_i];
	const struct td_codec *codec = row->codec;
	unsigned before, after, by_init;
	int worst = 0;

	signal_voice(sound, SECONDS * row->rate_hz, row->rate_hz);
	before = allocations_count;
	if (codec->encoder_init)
		worst |= codec->encoder_init(encoders[0], row->rate_hz, &plain);
	if (codec->decoder_init)
		worst |= codec->decoder_init(decoders[0], row->rate_hz);
	by_init = allocations_count - before;
	before = allocations_count;
	for (int n = 0; n < 50; n++) {
		int bytes = codec->encode(encoders[0], sound + (size_t)n * row->frame, row->frame,
					  payloads[0], TD_RTP_PAYLOAD_MAX);
		int samples =
			codec->decode(decoders[0], payloads[0], (size_t)bytes, heard, row->frame);

		worst |= bytes | samples;
		if (codec->conceal)
			worst |= codec->conceal(decoders[0], heard, row->frame);
		if (codec->recover)
			worst |= codec->recover(decoders[0], payloads[0], (size_t)bytes, heard,
						row->frame);
	}
	after = allocations_count;
	ck_assert_int_ge(worst, 0);
	ck_assert_uint_eq(after - before, 0);
	ck_assert_int_eq(codec->encoder_fini == NULL, codec->decoder_fini == NULL);
	if (!codec->encoder_fini)
		ck_assert_uint_eq(by_init, 0);
	fini(row);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("codec");
	TCase *tcase = tcase_create("every");
	SRunner *runner;
	int failed;

	gather_rows();
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, rows_are_sound, 0, row_count);
	tcase_add_loop_test(tcase, what_is_coded_is_heard, 0, row_count);
	tcase_add_loop_test(tcase, longest_packets_fit, 0, row_count);
	tcase_add_loop_test(tcase, what_does_not_fit_is_refused, 0, row_count);
	tcase_add_loop_test(tcase, every_truncation_is_answered, 0, row_count);
	tcase_add_loop_test(tcase, garbage_harms_nobody, 0, row_count);
	tcase_add_loop_test(tcase, states_do_not_meet, 0, row_count);
	tcase_add_loop_test(tcase, nothing_is_allocated, 0, row_count);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// The playout, packet by packet: what comes in order is heard as it was said; what is late, double,
// lost, foreign or too much is counted by its name, and the sound goes on.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "rtp/playout.h"

#define FRAME     160u
#define FRAME_MS  20u
#define NO_PACKET 1000u

static struct td_playout playout;
static struct td_playout_stats stats;
static int16_t pcm[FRAME];
static uint64_t now_ms; // of the last pull
static uint16_t sequence_base = 65530;
static uint32_t timestamp_base = 0xfffff000u;

static void begin(uint32_t min_ms)
{
	struct td_playout_limits limits = { min_ms, TD_PLAYOUT_DELAY_MAX_MS };

	ck_assert_int_eq(
		td_playout_init(&playout, td_codec_get(TD_CODEC_PCMU), NULL, 8000, &limits), 0);
	now_ms = 1000;
	sequence_base = 65530;
	timestamp_base = 0xfffff000u;
}

// Every packet is a tone of its own level, so that one can be told from another.
static void code(uint8_t payload[FRAME], uint32_t k)
{
	for (uint32_t i = 0; i < FRAME; i++)
		payload[i] = (uint8_t)((i % 8u < 4u ? 0x80u : 0u) | (20u + k % 90u));
}

static enum td_playout_put put(uint32_t ssrc, uint32_t k, uint64_t arrival_ms)
{
	uint8_t payload[FRAME];

	code(payload, k);
	return td_playout_put(&playout, TD_PLAYOUT_AUDIO, ssrc, (uint16_t)(sequence_base + k),
			      timestamp_base + k * FRAME, false, payload, FRAME,
			      arrival_ms * 1000000u);
}

static enum td_playout_pull pull(void)
{
	struct td_playout_job job;
	enum td_playout_pull result;

	now_ms += FRAME_MS;
	result = td_playout_pull(&playout, now_ms * 1000000u, pcm, FRAME, &job);
	if (result == TD_PLAYOUT_DECODE)
		td_playout_decoded(&playout, pcm,
				   playout.codec->decode(NULL, job.payload, job.len, pcm, FRAME));
	td_playout_stats(&playout, &stats);
	return result;
}

// Which packet the end of the pull is (the beginning may be blended); NO_PACKET if none.
static uint32_t heard(void)
{
	int16_t expected[FRAME];
	uint8_t payload[FRAME];

	for (uint32_t k = 0; k < 90; k++) {
		code(payload, k);
		ck_assert_int_eq(playout.codec->decode(NULL, payload, FRAME, expected, FRAME),
				 FRAME);
		if (memcmp(pcm + FRAME * 3 / 4, expected + FRAME * 3 / 4, sizeof pcm / 4) == 0)
			return k;
	}
	return NO_PACKET;
}

static bool is_silent(void)
{
	for (uint32_t i = 0; i < FRAME; i++) {
		if (pcm[i] != 0)
			return false;
	}
	return true;
}

// Packets [from, to) come on time, each half a frame before its pull.
static void run(uint32_t ssrc, uint32_t from, uint32_t to)
{
	for (uint32_t k = from; k < to; k++) {
		ck_assert_int_eq(put(ssrc, k, now_ms + 10), TD_PLAYOUT_QUEUED);
		pull();
	}
}

START_TEST(in_order)
{
	begin(0);
	ck_assert_int_eq(pull(), TD_PLAYOUT_SILENT);
	ck_assert(is_silent());
	for (uint32_t k = 0; k < 500; k++) { // through both wraps
		ck_assert_int_eq(put(1, k, now_ms + 12), TD_PLAYOUT_QUEUED);
		ck_assert_int_eq(pull(), k == 0 ? TD_PLAYOUT_DONE : TD_PLAYOUT_DECODE);
		ck_assert_uint_eq(heard(), k % 90);
	}
	ck_assert_uint_eq(stats.packets, 500);
	ck_assert_uint_eq(stats.played_samples, 500 * FRAME);
	ck_assert_uint_eq(stats.concealed_samples, 0);
	ck_assert_uint_eq(stats.silence_samples, FRAME);
	ck_assert_uint_eq(stats.delay_us, 8000);
}
END_TEST

START_TEST(disorder)
{
	// Pulls of 60 ms of delay; each row is what arrives before a pull, and what is said of it.
	static const struct {
		uint32_t k[4];
		enum td_playout_put result[4];
		uint32_t heard;
	} rows[] = {
		{ { 10 }, { TD_PLAYOUT_QUEUED }, 7 },
		{ { 12, 11 }, { TD_PLAYOUT_QUEUED, TD_PLAYOUT_QUEUED }, 8 },
		{ { 12 }, { TD_PLAYOUT_DUPLICATE }, 9 },
		{ { 13, 9 }, { TD_PLAYOUT_QUEUED, TD_PLAYOUT_DUPLICATE }, 10 },
		{ { 15 }, { TD_PLAYOUT_QUEUED }, 11 },
		{ { 16 }, { TD_PLAYOUT_QUEUED }, 12 },
		{ { 17 }, { TD_PLAYOUT_QUEUED }, 13 },
		{ { 18 }, { TD_PLAYOUT_QUEUED }, NO_PACKET },
		{ { 14, 14, 19 }, { TD_PLAYOUT_LATE, TD_PLAYOUT_LATE, TD_PLAYOUT_QUEUED }, 15 },
		{ { 20, 2 }, { TD_PLAYOUT_QUEUED, TD_PLAYOUT_DUPLICATE }, 16 },
		{ { 21, 20 }, { TD_PLAYOUT_QUEUED, TD_PLAYOUT_DUPLICATE }, 17 },
	};

	begin(60);
	run(1, 0, 10);
	for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (uint32_t j = 0; j < 4 && rows[i].k[j] != 0; j++)
			ck_assert_msg(put(1, rows[i].k[j], now_ms + 10) == rows[i].result[j],
				      "row %u, packet %u", i, rows[i].k[j]);
		pull();
		ck_assert_msg(heard() == rows[i].heard, "row %u: %u", i, heard());
	}
	ck_assert_uint_eq(stats.late, 2);
	ck_assert_uint_eq(stats.duplicates, 4);
	ck_assert_uint_eq(stats.concealed_samples, FRAME);
}
END_TEST

// Whatever begins anew is heard within 40 ms of its first packet.
static void heard_again(uint32_t ssrc, uint32_t first, uint64_t restarts)
{
	uint64_t put_ms = now_ms + 10;

	for (uint32_t k = first;; k++) {
		ck_assert_int_eq(put(ssrc, k, now_ms + 10), TD_PLAYOUT_QUEUED);
		pull();
		if (heard() == first % 90)
			break;
		ck_assert_uint_lt(k, first + 3);
	}
	ck_assert_uint_le(now_ms - put_ms, 40);
	ck_assert_uint_eq(stats.restarts, restarts);
	run(ssrc, first + 3, first + 30);
	ck_assert(heard() != NO_PACKET && heard() > first % 90);
}

START_TEST(another_source)
{
	static const uint32_t silences[] = { 0, 3, 50, 500 };

	for (uint32_t i = 0; i < sizeof silences / sizeof silences[0]; i++) {
		begin(0);
		run(1, 0, 50);
		for (uint32_t j = 0; j < silences[i]; j++)
			pull();
		sequence_base = 4711;
		timestamp_base = 0x12345678;
		heard_again(2, 0, 1);
	}
}
END_TEST

START_TEST(timestamp_jumps)
{
	static const int32_t jumps[] = { 8000000, 80000, 12000, 4000,  1600,   800,    1,
					 -1,      -800,  -1600, -4000, -12000, -80000, INT32_MIN };

	for (uint32_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
		begin(0);
		run(1, 0, 20);
		timestamp_base += (uint32_t)jumps[i];
		ck_assert_int_eq(put(1, 20, now_ms + 10), TD_PLAYOUT_QUEUED);
		pull();
		if (heard() != 20) {
			ck_assert_int_eq(put(1, 21, now_ms + 10), TD_PLAYOUT_QUEUED);
			pull();
			// A step of less than a packet leaves a little of it over.
			ck_assert_msg(heard() == 20 || abs(jumps[i]) < 160, "%d", jumps[i]);
			run(1, 22, 60);
		} else {
			run(1, 21, 60);
		}
		ck_assert_msg(stats.concealed_samples <= 2 * FRAME, "%d: %lu", jumps[i],
			      (unsigned long)stats.concealed_samples);
		ck_assert_uint_ge(stats.played_samples, 57 * FRAME);
	}
}
END_TEST

START_TEST(sequence_reset)
{
	begin(0);
	run(1, 0, 50);
	sequence_base = (uint16_t)(sequence_base + 20000);
	heard_again(1, 50, 1);
	// Ahead by less than a dropout: so many are lost, and that is all.
	sequence_base = (uint16_t)(sequence_base + 200);
	ck_assert_int_eq(put(1, 80, now_ms + 10), TD_PLAYOUT_QUEUED);
	pull();
	run(1, 81, 84);
	ck_assert_uint_eq(heard(), 83);
	ck_assert_uint_eq(stats.restarts, 1);
}
END_TEST

START_TEST(pause_without_packets)
{
	// The timestamps say that nothing was said: nothing is missing.
	begin(0);
	run(1, 0, 50);
	for (uint32_t i = 0; i < 100; i++)
		pull();
	ck_assert_uint_le(stats.concealed_samples, 5 * FRAME);
	ck_assert(is_silent());
	timestamp_base += 100 * FRAME;
	run(1, 50, 53);
	ck_assert_uint_eq(heard(), 52);
	ck_assert_uint_eq(stats.late + stats.restarts, 0);
}
END_TEST

START_TEST(events)
{
	begin(0);
	run(1, 0, 50);
	// Sixteen packets of a digit, all of the time it began; then speech again.
	for (uint32_t k = 50; k < 66; k++) {
		ck_assert_int_eq(
			td_playout_put(&playout, TD_PLAYOUT_EVENT, 1, (uint16_t)(sequence_base + k),
				       timestamp_base + 50 * FRAME, k == 50,
				       (const uint8_t *)"\1\12\0\240", 4, (now_ms + 10) * 1000000u),
			TD_PLAYOUT_QUEUED);
		pull();
	}
	ck_assert(is_silent());
	ck_assert_uint_eq(stats.concealed_samples, 0);
	ck_assert_uint_eq(stats.silence_samples, 16 * FRAME);
	run(1, 66, 70);
	ck_assert_uint_eq(heard(), 69);
	ck_assert_uint_eq(stats.concealed_samples, 0);
	ck_assert_uint_eq(stats.restarts, 0);
}
END_TEST

START_TEST(comfort_noise)
{
	double power = 0;

	begin(0);
	run(1, 0, 50);
	ck_assert_int_eq(td_playout_put(&playout, TD_PLAYOUT_COMFORT_NOISE, 1,
					(uint16_t)(sequence_base + 50), timestamp_base + 50 * FRAME,
					false, (const uint8_t *)"\50", 1, (now_ms + 10) * 1000000u),
			 TD_PLAYOUT_QUEUED);
	for (uint32_t i = 0; i < 250; i++) {
		ck_assert_int_eq(pull(), TD_PLAYOUT_DONE);
		for (uint32_t j = 0; i >= 50 && j < FRAME; j++)
			power += (double)pcm[j] * pcm[j] / (200.0 * FRAME);
	}
	// -40 dBov is a square wave of 327.68, within a decibel.
	ck_assert(power > 327.68 * 327.68 * 0.79 && power < 327.68 * 327.68 * 1.26);
	ck_assert_uint_eq(stats.concealed_samples, 0);
	ck_assert_uint_eq(stats.silence_samples, 250 * FRAME);
	timestamp_base += 249 * FRAME;
	run(1, 51, 60);
	ck_assert_uint_eq(heard(), 59);
}
END_TEST

START_TEST(too_many_packets)
{
	uint8_t payload[40];

	begin(0);
	run(1, 0, 10);
	// Sixty-four places, here for packets of 5 ms.
	for (uint32_t k = 10; k < 110; k++) {
		memset(payload, (int)(0x80u + k % 100u), sizeof payload);
		ck_assert_int_eq(td_playout_put(&playout, TD_PLAYOUT_AUDIO, 1,
						(uint16_t)(sequence_base + k),
						timestamp_base + 10 * FRAME + (k - 10) * 40, false,
						payload, 40, (now_ms + 10) * 1000000u),
				 (k < 74 ? TD_PLAYOUT_QUEUED : TD_PLAYOUT_OVERFLOW));
	}
	pull();
	ck_assert_uint_eq(stats.overflows, 110 - 74);
	// The rest is heard to the newest.
	for (uint32_t i = 0; i < 64 && stats.concealed_samples < 2 * FRAME; i++)
		pull();
	ck_assert_uint_eq(stats.played_samples, 10 * FRAME + 64 * 40);
}
END_TEST

START_TEST(too_many_bytes)
{
	const struct td_codec *codec = td_codec_get(TD_CODEC_L16_16);
	int16_t sound[320], last = 0;
	uint8_t payload[640] = { 0 };
	struct td_playout_job job;
	uint32_t overflows = 0;

	ck_assert_int_eq(td_playout_init(&playout, codec, NULL, 16000, NULL), 0);
	for (uint32_t k = 0; k < 40; k++) {
		for (uint32_t i = 0; i < 320; i++) // as loud as its number
			payload[2 * i] = (uint8_t)(k + 1);
		overflows +=
			td_playout_put(&playout, TD_PLAYOUT_AUDIO, 1, (uint16_t)k, k * 320, false,
				       payload, sizeof payload, 1000000000) == TD_PLAYOUT_OVERFLOW;
	}
	td_playout_stats(&playout, &stats);
	ck_assert_uint_gt(overflows, 0);
	ck_assert_uint_eq(stats.overflows, overflows);
	ck_assert_uint_ge(40 - overflows, playout.jitter.ring_bytes / 640 - 1u);
	// What is left is heard in order, to the newest.
	for (uint64_t ms = 1010; last < 40 * 256; ms += 20) {
		ck_assert_uint_lt(ms, 2000);
		if (td_playout_pull(&playout, ms * 1000000u, sound, 320, &job) == TD_PLAYOUT_DECODE)
			td_playout_decoded(&playout, sound,
					   codec->decode(NULL, job.payload, job.len, sound, 320));
		if (ms == 1010)
			ck_assert_int_ge(sound[319], (int)(overflows + 1) * 256);
		for (uint32_t i = 0; i < 320; i++) {
			ck_assert_int_ge(sound[i], last);
			last = sound[i];
		}
	}
}
END_TEST

START_TEST(refused)
{
	uint8_t payload[500] = { 0 };

	begin(0);
	run(1, 0, 10);
	ck_assert_int_eq(td_playout_put(&playout, TD_PLAYOUT_AUDIO, 1, 4, 1600, false, payload, 0,
					now_ms * 1000000u),
			 TD_PLAYOUT_REFUSED);
	ck_assert_int_eq(td_playout_put(&playout, TD_PLAYOUT_AUDIO, 1, 4, 1600, false, payload, 481,
					now_ms * 1000000u),
			 TD_PLAYOUT_REFUSED);
	run(1, 10, 20);
	ck_assert_uint_eq(heard(), 19);
	ck_assert_uint_eq(stats.refused, 2);
	ck_assert_uint_eq(stats.concealed_samples, 0);
}
END_TEST

// G.711, but a payload that begins with 0xff is of no use.
static int decode_some(void *state, const uint8_t *payload, size_t bytes, int16_t *out,
		       size_t samples_max)
{
	if (payload[0] == 0xff)
		return -TD_EMALFORMED;
	return td_codec_get(TD_CODEC_PCMU)->decode(state, payload, bytes, out, samples_max);
}

START_TEST(undecodable)
{
	struct td_codec codec = *td_codec_get(TD_CODEC_PCMU);
	uint8_t bad[FRAME];

	codec.decode = decode_some;
	memset(bad, 0xff, sizeof bad);
	for (uint32_t min_ms = 0; min_ms <= 30; min_ms += 30) {
		begin(min_ms);
		playout.codec = &codec;
		run(1, 0, 10);
		ck_assert_int_eq(td_playout_put(&playout, TD_PLAYOUT_AUDIO, 1,
						(uint16_t)(sequence_base + 10),
						timestamp_base + 10 * FRAME, false, bad, FRAME,
						(now_ms + 10) * 1000000u),
				 TD_PLAYOUT_QUEUED);
		pull();
		run(1, 11, 20);
		ck_assert_uint_eq(stats.refused, 1);
		ck_assert_uint_eq(stats.concealed_samples, FRAME);
		ck_assert(heard() >= 17 && heard() != NO_PACKET);
		playout.codec = td_codec_get(TD_CODEC_PCMU);
	}
}
END_TEST

START_TEST(reset)
{
	begin(0);
	run(1, 0, 50);
	put(1, 50, now_ms + 5);
	td_playout_reset(&playout);
	for (uint32_t i = 0; i < 10; i++)
		pull();
	ck_assert(is_silent());
	ck_assert_uint_eq(stats.played_samples, 50 * FRAME);
	ck_assert_uint_eq(stats.packets, 51);
	sequence_base = 100;
	heard_again(5, 0, 0);
}
END_TEST

START_TEST(limits)
{
	const struct td_codec *codec = td_codec_get(TD_CODEC_PCMU);
	struct td_playout_limits crossed = { 100, 50 }, most = { 0, TD_PLAYOUT_DELAY_MAX_MS + 1 };

	ck_assert_int_eq(td_playout_init(&playout, codec, NULL, 16000, NULL), -TD_EUNSUPPORTED);
	ck_assert_int_eq(td_playout_init(&playout, codec, NULL, 8000, &crossed), -TD_EINVALID);
	ck_assert_int_eq(td_playout_init(&playout, codec, NULL, 8000, &most), -TD_EINVALID);
	begin(100);
	run(1, 0, 100);
	ck_assert_uint_ge(stats.delay_us, 100000);
	ck_assert_uint_le(stats.delay_us, 127500);
	ck_assert_uint_eq(stats.target_us, 100000);
	ck_assert_uint_le(sizeof playout, TD_PLAYOUT_BYTES_MAX);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("playout");
	TCase *tcase = tcase_create("playout");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, in_order);
	tcase_add_test(tcase, disorder);
	tcase_add_test(tcase, another_source);
	tcase_add_test(tcase, timestamp_jumps);
	tcase_add_test(tcase, sequence_reset);
	tcase_add_test(tcase, pause_without_packets);
	tcase_add_test(tcase, events);
	tcase_add_test(tcase, comfort_noise);
	tcase_add_test(tcase, too_many_packets);
	tcase_add_test(tcase, too_many_bytes);
	tcase_add_test(tcase, refused);
	tcase_add_test(tcase, undecodable);
	tcase_add_test(tcase, reset);
	tcase_add_test(tcase, limits);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// The playout with every codec of the build at every rate it has, by listening: RTP clocks that are
// not the sample rate, packets of 10 to 60 ms and their change, redundancy, pauses without packets.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "trace.h"

static struct trace trace;
static struct trace_random rng = { 88172645463325252ull };

static double little(void *context, uint32_t k)
{
	(void)context;
	(void)k;
	return 5 + 10 * trace_uniform(&rng);
}

static double one_in_ten_lost(void *context, uint32_t k)
{
	(void)context;
	(void)k;
	return trace_uniform(&rng) < 0.1 ? -1 : 5 + 10 * trace_uniform(&rng);
}

// How much of seconds [1, seconds - 1) is recognised.
static double recognised(uint32_t seconds)
{
	uint32_t count = 0;
	double sum = 0;

	for (uint32_t at = trace.rate_hz; at + trace.rate_hz < seconds * trace.rate_hz;
	     at += trace.rate_hz / 10 * 7, count++) {
		uint32_t ago;

		sum += trace_recognise(&trace, at, &ago);
	}
	return sum / count;
}

START_TEST(every_codec)
{
	const struct td_codec *codec = td_codec_get((enum td_codec_id)_i);

	if (codec == NULL)
		return;
	for (uint32_t r = 0; codec->rates[r] != 0; r++) {
		static const uint32_t ptimes[] = { 10, 20, 30, 40, 60 };

		for (uint32_t i = 0; i < 5; i++) {
			double alike;

			if (ptimes[i] > codec->ptime_max_ms ||
			    (codec->frame_ms != 0 && ptimes[i] % codec->frame_ms != 0) ||
			    (codec->id == TD_CODEC_OPUS && ptimes[i] == 30))
				continue;
			trace_speak(&trace, codec->id, codec->rates[r], 6, false, 0);
			trace_send_all(&trace, codec->rates[r] / 1000 * ptimes[i], little, NULL);
			trace_arrive(&trace);
			trace_play(&trace, NULL);
			alike = recognised(6);
			printf("%s at %u Hz, %u ms: %.3f, delay %.1f ms\n", codec->name,
			       codec->rates[r], ptimes[i], alike,
			       trace_mean(trace.delay_us, 100, 280) / 1e3);
			fflush(stdout);
			// Opus keeps what is heard, not the shape of the wave.
			ck_assert(alike > (codec->id == TD_CODEC_OPUS ? 0.75 : 0.9));
			for (uint32_t pull = 50; pull < 280; pull++)
				ck_assert_msg(trace.concealed[pull] == 0, "pull %u", pull);
			ck_assert_uint_eq(trace.stats.packets, trace.count);
			ck_assert_uint_eq(trace.stats.late + trace.stats.refused +
						  trace.stats.overflows + trace.stats.restarts,
					  0);
			ck_assert_uint_le(trace_max(trace.delay_us, 100, 280), 50000);
			trace_free(&trace);
		}
	}
}
END_TEST

START_TEST(packets_change)
{
	static const enum td_codec_id codecs[] = { TD_CODEC_PCMA, TD_CODEC_G722, TD_CODEC_L16_8,
						   TD_CODEC_OPUS };
	static const uint32_t ptimes[] = { 20, 10, 60, 40, 20, 60, 10 };
	const struct td_codec *codec = td_codec_get(codecs[_i]);
	uint32_t at = 0, rate, ticks, sequence = 0;

	if (codec == NULL)
		return;
	rate = codec->sample_hz;
	trace_speak(&trace, codec->id, rate, 21, false, 0);
	for (uint32_t i = 0; i < 7; i++) {
		uint32_t samples = rate / 1000 * ptimes[i];

		for (; at + samples <= (i + 1) * 3 * rate; at += samples) {
			ticks = (uint32_t)((uint64_t)at * codec->clock_hz / rate);
			trace_send(&trace, at, samples, 3, (uint16_t)sequence++, ticks,
				   5 + 2 * trace_uniform(&rng));
		}
	}
	trace_arrive(&trace);
	trace_play(&trace, NULL);
	ck_assert(recognised(21) > (codec->id == TD_CODEC_OPUS ? 0.75 : 0.9));
	ck_assert_uint_eq(trace.stats.packets, trace.count);
	ck_assert_uint_eq(trace.stats.late + trace.stats.refused + trace.stats.restarts, 0);
	// A longer packet is longer on its way, and that is all that is missing.
	for (uint32_t i = 0, sum = 0; i < 1040; i++) {
		sum += trace.concealed[i];
		ck_assert_uint_le(sum, rate / 1000 * 120);
	}
	trace_free(&trace);
}
END_TEST

START_TEST(redundancy)
{
	double with, without;
	uint64_t recovered;

	if (td_codec_get(TD_CODEC_OPUS) == NULL)
		return;
	trace_speak(&trace, TD_CODEC_OPUS, 16000, 20, false, TD_CODEC_FEC);
	trace_send_all(&trace, 320, one_in_ten_lost, NULL);
	trace_arrive(&trace);
	trace_play(&trace, NULL);
	with = recognised(20);
	recovered = trace.stats.recovered_samples;
	// Most of what was lost alone is in the packet after it.
	ck_assert_msg(recovered * 2 >= (1000 - trace.count) * 320, "%lu of %u",
		      (unsigned long)recovered, (1000 - trace.count) * 320);
	// Which costs a packet of delay, and only where there is redundancy.
	ck_assert_double_ge(trace_mean(trace.delay_us, 200, 950), 25000);
	ck_assert_uint_le(trace_max(trace.delay_us, 200, 950), 70000);
	ck_assert_uint_le(trace.stats.concealed_samples, (1000 - trace.count) * 320 / 2 + 16000);
	trace_free(&trace);

	trace_speak(&trace, TD_CODEC_OPUS, 16000, 20, false, 0);
	trace_send_all(&trace, 320, one_in_ten_lost, NULL);
	trace_arrive(&trace);
	trace_play(&trace, NULL);
	without = recognised(20);
	ck_assert_uint_eq(trace.stats.recovered_samples, 0);
	ck_assert_uint_le(trace_max(trace.delay_us, 500, 950), 48000);
	trace_free(&trace);
	printf("Opus, one in ten lost: recognised %.3f with redundancy, %.3f without\n", with,
	       without);
	ck_assert(with > without);
}
END_TEST

START_TEST(pauses_unsent)
{
	uint32_t sent, count = 0;
	double sum = 0;

	if (td_codec_get(TD_CODEC_OPUS) == NULL)
		return;
	trace_speak(&trace, TD_CODEC_OPUS, 16000, 10, false, TD_CODEC_DTX);
	// Two seconds of nothing in the middle.
	memset(trace.said + 4 * 16000, 0, 2 * 16000 * sizeof *trace.said);
	trace_send_all(&trace, 320, little, NULL);
	sent = trace.count;
	ck_assert_uint_lt(sent, 450);
	trace_arrive(&trace);
	trace_play(&trace, NULL);
	ck_assert_uint_eq(trace.stats.late + trace.stats.restarts + trace.stats.refused, 0);
	ck_assert_uint_eq(trace.stats.packets, sent);
	for (uint32_t at = 16000; at < 9 * 16000; at += 6400) {
		uint32_t ago;

		if (at >= 3 * 16000 + 8000 && at < 6 * 16000 + 8000)
			continue;
		sum += trace_recognise(&trace, at, &ago);
		count++;
	}
	ck_assert_msg(sum / count > 0.75, "%.3f", sum / count);
	trace_free(&trace);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("playout_codecs");
	TCase *tcase = tcase_create("playout_codecs");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, every_codec, 1, TD_CODEC_COUNT);
	tcase_add_loop_test(tcase, packets_change, 0, 4);
	tcase_add_test(tcase, redundancy);
	tcase_add_test(tcase, pauses_unsent);
	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// Placement of two parties' packets on one clock.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "pcm/timeline.h"

#define MS          1000000ull
#define START_NS    (1000 * MS)
#define FRAME_COUNT 160

static struct td_timeline timeline;
static int16_t out[TD_TIMELINE_FRAMES][TD_TIMELINE_SIDES];

static void place(unsigned side, uint32_t ssrc, uint32_t timestamp, uint64_t at_ms, int16_t value)
{
	int16_t pcm[FRAME_COUNT];

	for (int i = 0; i < FRAME_COUNT; i++)
		pcm[i] = value;
	td_timeline_place(&timeline, side,
			  &(struct td_timeline_packet){ .ssrc = ssrc,
							.timestamp = timestamp,
							.clock_hz = 8000,
							.arrival_ns = START_NS + at_ms * MS,
							.pcm = pcm,
							.count = FRAME_COUNT });
}

static void setup(void)
{
	td_timeline_init(&timeline, START_NS);
}

START_TEST(sides_line_up_by_arrival_then_by_rtp_time)
{
	place(0, 1, 5000, 100, 11);
	place(1, 2, 90000, 120, 22);
	// Late by jitter on the wire, but its RTP time says where it belongs.
	place(0, 1, 5160, 175, 12);
	ck_assert_uint_eq(td_timeline_rest(&timeline), 1120);
	td_timeline_take(&timeline, out, 1120);
	ck_assert_int_eq(out[799][0], 0);
	ck_assert_int_eq(out[800][0], 11);
	ck_assert_int_eq(out[959][0], 11);
	ck_assert_int_eq(out[960][0], 12);
	ck_assert_int_eq(out[959][1], 0);
	ck_assert_int_eq(out[960][1], 22);
}
END_TEST

START_TEST(a_lost_packet_is_silence_of_its_length)
{
	place(0, 1, 0, 0, 5);
	place(0, 1, 320, 40, 7);
	td_timeline_take(&timeline, out, 480);
	ck_assert_int_eq(out[159][0], 5);
	ck_assert_int_eq(out[160][0], 0);
	ck_assert_int_eq(out[319][0], 0);
	ck_assert_int_eq(out[320][0], 7);
	ck_assert_uint_eq(timeline.sides[0].samples, 320);
}
END_TEST

START_TEST(reordered_packets_are_put_right)
{
	place(0, 1, 0, 0, 1);
	place(0, 1, 320, 40, 3);
	place(0, 1, 160, 45, 2);
	td_timeline_take(&timeline, out, 480);
	for (int i = 0; i < 480; i++)
		ck_assert_int_eq(out[i][0], 1 + i / 160);
}
END_TEST

START_TEST(behind_what_is_written_is_late)
{
	place(0, 1, 0, 0, 1);
	td_timeline_take(&timeline, out, 400);
	place(0, 1, 160, 60, 2);
	ck_assert_uint_eq(timeline.sides[0].late, 1);
	ck_assert_uint_eq(timeline.sides[0].received, 2);
	ck_assert_uint_eq(timeline.sides[0].placed, 1);
	place(0, 1, 480, 70, 4);
	ck_assert_uint_eq(timeline.sides[0].late, 1);
}
END_TEST

START_TEST(timestamp_wrap_is_no_jump)
{
	place(0, 1, 0xffffff60u, 0, 1);
	place(0, 1, 0, 20, 2);
	place(0, 1, 160, 40, 3);
	td_timeline_take(&timeline, out, 480);
	for (int i = 0; i < 480; i++)
		ck_assert_int_eq(out[i][0], 1 + i / 160);
}
END_TEST

// A restarted sender, or a phone that jumps its clock, is placed by arrival again.
START_TEST(ssrc_change_and_jump_anchor_again)
{
	place(0, 1, 1000, 0, 1);
	place(0, 9, 777777, 20, 2);
	place(0, 9, 777777 + 100000, 40, 3);
	td_timeline_take(&timeline, out, 480);
	for (int i = 0; i < 480; i++)
		ck_assert_int_eq(out[i][0], 1 + i / 160);
}
END_TEST

START_TEST(window_bound)
{
	// The last place inside the window, then one sample beyond it.
	place(0, 1, 0, 0, 1);
	timeline.written = 0;
	place(0, 1, 0, (TD_TIMELINE_FRAMES - FRAME_COUNT) / 8, 1);
	ck_assert_uint_eq(timeline.sides[0].late, 0);
	place(0, 2, 0, (TD_TIMELINE_FRAMES - FRAME_COUNT) / 8 + 1, 1);
	ck_assert_uint_eq(timeline.sides[0].late, 1);
	ck_assert_uint_eq(td_timeline_ready(&timeline, START_NS - 5), 0);
	ck_assert_uint_eq(td_timeline_ready(&timeline, START_NS + 10 * MS), 80);
	ck_assert_uint_eq(td_timeline_ready(&timeline, START_NS + 99999 * MS), TD_TIMELINE_FRAMES);
}
END_TEST

// Widened, everything is where it was, twice as finely, and what comes goes on from there.
START_TEST(widened_nothing_moves)
{
	struct td_resampler *up;
	static int16_t loud[2 * FRAME_COUNT];

	ck_assert_int_eq(td_resampler_create(8000, 16000, &up), 0);
	place(0, 1, 1000, 0, 5000);
	place(0, 1, 1160, 20, 5000);
	place(1, 2, 70, 100, -7000);
	td_timeline_widen(&timeline, up);
	td_resampler_destroy(up);
	ck_assert_uint_eq(timeline.rate_hz, 16000);
	ck_assert_uint_eq(td_timeline_rest(&timeline), 2 * (800 + 160));
	ck_assert_uint_eq(timeline.sides[0].samples, 640);
	ck_assert_uint_eq(td_timeline_ready(&timeline, START_NS + 10 * MS), 160);
	for (int i = 0; i < 2 * FRAME_COUNT; i++)
		loud[i] = 9000;
	td_timeline_place(&timeline, 0,
			  &(struct td_timeline_packet){ .ssrc = 1,
							.timestamp = 1320,
							.clock_hz = 8000,
							.arrival_ns = START_NS + 43 * MS,
							.pcm = loud,
							.count = 2 * FRAME_COUNT });
	td_timeline_take(&timeline, out, 1920);
	ck_assert_int_eq(out[600][0], 5000);
	ck_assert_int_eq(out[640][0], 9000);
	ck_assert_int_eq(out[959][0], 9000);
	ck_assert_int_eq(out[960][0], 0);
	ck_assert_int_eq(out[1599][1], 0);
	ck_assert_int_eq(out[1800][1], -7000);
}
END_TEST

// An hour of a clock that is fast or slow, beside one that is right, both with jitter of 5 ms: nothing
// late, and every ten seconds both stand where they should, within a millisecond, without a hole.
START_TEST(drift_for_an_hour)
{
	static const int ppm[] = { 100, -100, 0 };
	int rate = ppm[_i];
	int64_t worst = 0;
	unsigned holes = 0;

	for (uint64_t n = 0; n < 180000; n++) {
		int16_t pcm[FRAME_COUNT];
		uint64_t true_us = 0, least_us = UINT64_MAX;

		for (unsigned side = 0; side < 2; side++) {
			int64_t slow = side == 0 ? 0 : (int64_t)(n * 20000) * rate / 1000000;
			struct td_timeline_packet packet = { .ssrc = side + 1,
							     .timestamp =
								     (uint32_t)(n * FRAME_COUNT),
							     .clock_hz = 8000,
							     .pcm = pcm,
							     .count = FRAME_COUNT };
			int64_t off;

			for (int i = 0; i < FRAME_COUNT; i++)
				pcm[i] = 7;
			true_us = n * 20000 - (uint64_t)slow;
			least_us = true_us < least_us ? true_us : least_us;
			packet.arrival_ns =
				START_NS + (true_us + (n * 7919 + side * 31) % 5000) * 1000;
			ck_assert_int_eq(td_timeline_place(&timeline, side, &packet), 0);
			off = timeline.sides[side].edge - FRAME_COUNT - (int64_t)(true_us / 125);
			if (n % 500 == 499)
				worst = llabs(off) > worst ? llabs(off) : worst;
		}
		if (n % 25 == 24) {
			unsigned ready =
				td_timeline_ready(&timeline, START_NS + (least_us - 100000) * 1000);

			td_timeline_take(&timeline, out, ready);
			for (unsigned i = 0; i < ready && n > 100; i++)
				holes += out[i][0] != 7 || out[i][1] != 7;
		}
	}
	for (unsigned side = 0; side < 2; side++) {
		ck_assert_uint_eq(timeline.sides[side].late, 0);
		ck_assert_uint_eq(timeline.sides[side].placed, 180000);
	}
	ck_assert_uint_eq(holes, 0);
	ck_assert_msg(worst <= 8, "%lld samples off", (long long)worst);
}
END_TEST

// What is skipped is not there, and both sides go on together.
START_TEST(a_skip_is_cut_out)
{
	place(0, 1, 0, 0, 1);
	place(1, 2, 0, 0, 2);
	td_timeline_skip(&timeline, 10000 * MS);
	place(0, 1, 80160, 10020, 3);
	place(1, 2, 80160, 10020, 4);
	ck_assert_uint_eq(td_timeline_rest(&timeline), 320);
	td_timeline_take(&timeline, out, 320);
	ck_assert_int_eq(out[159][0], 1);
	ck_assert_int_eq(out[160][0], 3);
	ck_assert_int_eq(out[160][1], 4);
}
END_TEST

START_TEST(gaps_are_told)
{
	int16_t pcm[FRAME_COUNT] = { 1 };
	struct td_timeline_packet packet = { .ssrc = 1,
					     .timestamp = 0,
					     .clock_hz = 8000,
					     .arrival_ns = START_NS + 500 * MS,
					     .pcm = pcm,
					     .count = FRAME_COUNT };

	ck_assert_int_eq(td_timeline_place(&timeline, 0, &packet), 0); // before the first is no gap
	packet.timestamp = 160;
	ck_assert_int_eq(td_timeline_place(&timeline, 0, &packet), 0);
	packet.timestamp = 640;
	ck_assert_int_eq(td_timeline_place(&timeline, 0, &packet), 320);
	packet.timestamp = 320;
	ck_assert_int_eq(td_timeline_place(&timeline, 0, &packet), 0);
	ck_assert_uint_eq(timeline.sides[0].samples, 640);
	td_timeline_take(&timeline, out, 4560);
	packet.timestamp = 480;
	ck_assert_int_eq(td_timeline_place(&timeline, 0, &packet), TD_TIMELINE_LATE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timeline");
	TCase *tcase = tcase_create("timeline");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, sides_line_up_by_arrival_then_by_rtp_time);
	tcase_add_test(tcase, a_lost_packet_is_silence_of_its_length);
	tcase_add_test(tcase, reordered_packets_are_put_right);
	tcase_add_test(tcase, behind_what_is_written_is_late);
	tcase_add_test(tcase, timestamp_wrap_is_no_jump);
	tcase_add_test(tcase, ssrc_change_and_jump_anchor_again);
	tcase_add_test(tcase, window_bound);
	tcase_add_test(tcase, widened_nothing_moves);
	tcase_add_loop_test(tcase, drift_for_an_hour, 0, 3);
	tcase_add_test(tcase, a_skip_is_cut_out);
	tcase_add_test(tcase, gaps_are_told);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

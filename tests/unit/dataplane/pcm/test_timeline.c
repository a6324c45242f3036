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

// An hour of a clock that is 200 ppm fast or slow: nothing late, and at its end the side stands where
// its packets arrive, give or take the jitter block's resolution.
START_TEST(drift_for_an_hour)
{
	static const int ppm[] = { 200, -200, 0 };
	int rate = ppm[_i];
	uint64_t arrival_us = 0, taken_us = 0;

	for (uint64_t n = 0; n < 180000; n++) {
		unsigned ready;
		int16_t pcm[FRAME_COUNT] = { 1 };

		arrival_us = n * 20000 - (uint64_t)((int64_t)(n * 20000) * rate / 1000000);
		arrival_us += (n * 7919) % 5000; // jitter up to 5 ms
		td_timeline_place(
			&timeline, 0,
			&(struct td_timeline_packet){ .ssrc = 1,
						      .timestamp = (uint32_t)(n * FRAME_COUNT),
						      .clock_hz = 8000,
						      .arrival_ns = START_NS + arrival_us * 1000,
						      .pcm = pcm,
						      .count = FRAME_COUNT });
		taken_us = arrival_us > 300000 ? arrival_us - 300000 : 0;
		ready = td_timeline_ready(&timeline, START_NS + taken_us * 1000);
		if (ready >= 4000)
			td_timeline_take(&timeline, out, ready);
	}
	ck_assert_uint_eq(timeline.sides[0].late, 0);
	ck_assert_uint_eq(timeline.sides[0].placed, 180000);
	ck_assert_int_lt(llabs((int64_t)timeline.end - FRAME_COUNT - (int64_t)(arrival_us / 125)),
			 8 * 8);
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
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

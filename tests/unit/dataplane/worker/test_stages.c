// Turns of real workers, every one of them timed: each stage has counted what went through it, those
// that nothing went through are 0, and what is done to packets is the same as untimed.
#include <check.h>

#include "base/stage_clock.h"
#include "rig.h"

static struct rig rig;
static struct frame frame;
static struct td_event_stream_created a, b;
static struct td_context_id context;

static void teardown(void)
{
	rig_close(&rig);
}

static void learn(const char *addr)
{
	frame_arp(&frame, 2, frame_peer_mac, addr, "10.77.0.2");
	rig_inject(&rig, &frame);
	rig_run(&rig, 1);
}

static void open_call(uint32_t workers)
{
	rig_open(&rig, workers);
	rig_run(&rig, 6001); // past the announcements
	// The second context is the second worker's, if there is one.
	context = rig_context(&rig);
	if (workers > 1)
		context = rig_context(&rig);
	a = rig_stream(&rig, context);
	b = rig_stream(&rig, context);
	rig_remote(&rig, a.stream, "10.77.0.10", 4000);
	rig_remote(&rig, b.stream, "10.77.0.20", 5000);
	learn("10.77.0.10");
	learn("10.77.0.20");
}

static void hear(struct td_stream_id from, struct td_stream_id to, int32_t gain_q12)
{
	struct td_command command = { .kind = TD_COMMAND_MATRIX_EDIT };

	command.u.matrix_edit.context = context;
	command.u.matrix_edit.cell_count = 1;
	command.u.matrix_edit.cells[0] = (struct td_cell){
		.from = { TD_MEMBER_STREAM, from.v },
		.to = { TD_MEMBER_STREAM, to.v },
		.gain_q12 = gain_q12,
	};
	ck_assert_int_eq(rig_command(&rig, &command).result, 0);
}

// From now on every turn is timed, and counted from 0.
static void begin(void)
{
	rig_run(&rig, 40);
	rig_flush(&rig);
	for (uint32_t i = 0; i < rig.workers->worker_count; i++) {
		struct td_worker_stats *stats = &rig.region.workers[i];

		td_stage_clock_set(td_media_stages(rig.workers->workers[i]->media), 1);
		memset(stats->stages, 0, sizeof stats->stages);
		stats->turns_timed = 0;
	}
}

// `count` packets of each, 20 ms apart.
static void talk(unsigned count, uint16_t first)
{
	for (unsigned i = 0; i < count; i++) {
		rig_rtp(&frame, "10.77.0.10", 4000, __builtin_bswap16(a.local.port_be),
			(uint16_t)(first + i));
		rig_inject(&rig, &frame);
		rig_rtp(&frame, "10.77.0.20", 5000, __builtin_bswap16(b.local.port_be),
			(uint16_t)(first + i));
		rig_inject(&rig, &frame);
		rig_run(&rig, 20);
	}
}

static uint64_t units(uint32_t worker, enum td_stage stage)
{
	const struct td_stage_stats *one = &rig.region.workers[worker].stages[stage];

	// What has been counted took time, and what has not, none.
	ck_assert_msg(one->units == 0 || one->ticks > 0, "%s", td_stage_name(stage));
	return one->units;
}

START_TEST(test_forwarded)
{
	static const enum td_stage never[] = { TD_STAGE_STEER,  TD_STAGE_OPEN,     TD_STAGE_JITTER,
					       TD_STAGE_DECODE, TD_STAGE_RESAMPLE, TD_STAGE_MIX,
					       TD_STAGE_ENCODE, TD_STAGE_SEND,     TD_STAGE_SEAL };
	const struct td_worker_stats *stats;

	open_call(1);
	stats = &rig.region.workers[0];
	hear(a.stream, b.stream, TD_GAIN_UNITY);
	hear(b.stream, a.stream, TD_GAIN_UNITY);
	talk(4, 100);
	begin();
	talk(100, 104);
	ck_assert_uint_eq(units(0, TD_STAGE_RX), 200);
	ck_assert_uint_eq(units(0, TD_STAGE_PARSE), 200);
	ck_assert_uint_eq(units(0, TD_STAGE_DEMUX), 200);
	ck_assert_uint_eq(units(0, TD_STAGE_FORWARD), 200);
	ck_assert_uint_ge(units(0, TD_STAGE_TX), 200); // and a report or two
	ck_assert_uint_ge(stats->turns_timed, 100);
	ck_assert_uint_eq(units(0, TD_STAGE_OTHER), stats->turns_timed);
	for (unsigned i = 0; i < sizeof never / sizeof never[0]; i++)
		ck_assert_uint_eq(units(0, never[i]), 0);
	ck_assert_uint_eq(stats->stages[TD_STAGE_STEER].ticks, 0);
	ck_assert_uint_eq(stats->stages[TD_STAGE_SEAL].ticks, 0);
	ck_assert_uint_ge(stats->forwarded, 206);
	rig_check_identity(&rig);
}
END_TEST

START_TEST(test_mixed)
{
	open_call(1);
	hear(a.stream, b.stream, TD_GAIN_UNITY / 2);
	hear(b.stream, a.stream, TD_GAIN_UNITY / 2);
	talk(20, 100);
	begin();
	talk(100, 120);
	ck_assert_uint_eq(units(0, TD_STAGE_FORWARD), 200);
	ck_assert_uint_eq(units(0, TD_STAGE_JITTER), 200);
	ck_assert_uint_eq(units(0, TD_STAGE_MIX), 200);
	ck_assert_uint_eq(units(0, TD_STAGE_ENCODE), 200);
	ck_assert_uint_eq(units(0, TD_STAGE_SEND), 200);
	// A buffer that is made shorter or longer has a frame more or less.
	ck_assert_uint_ge(units(0, TD_STAGE_DECODE), 195);
	ck_assert_uint_le(units(0, TD_STAGE_DECODE), 205);
	ck_assert_uint_eq(units(0, TD_STAGE_RESAMPLE), 0);
}
END_TEST

START_TEST(test_steered)
{
	open_call(2);
	hear(a.stream, b.stream, TD_GAIN_UNITY);
	hear(b.stream, a.stream, TD_GAIN_UNITY);
	talk(4, 100);
	begin();
	talk(50, 104);
	// One worker has the port's only queue, the other one the streams.
	ck_assert_uint_eq(units(0, TD_STAGE_STEER), 100);
	ck_assert_uint_eq(units(0, TD_STAGE_FORWARD), 0);
	ck_assert_uint_eq(units(1, TD_STAGE_STEER), 100);
	ck_assert_uint_eq(units(1, TD_STAGE_RX), 0);
	ck_assert_uint_eq(units(1, TD_STAGE_FORWARD), 100);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stages");
	TCase *tcase = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	frame_environment();
	srunner_set_fork_status(runner, CK_NOFORK);
	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, test_forwarded);
	tcase_add_test(tcase, test_mixed);
	tcase_add_test(tcase, test_steered);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

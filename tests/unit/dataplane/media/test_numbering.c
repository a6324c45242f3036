// Numbering: whoever feeds a stream, its listener hears one that never breaks.
#include "world.h"

#include <string.h>

static struct world world;
static struct td_context_id context;
static struct world_party a, b, c;

static void open_two(void)
{
	world_open_apart(&world, &world_default, &context, &a, &b);
}

static void teardown(void)
{
	world_close(&world);
}

// What the listener has received so far: it must look like one healthy RTP stream.
struct listener {
	struct world_party *party;
	bool started;
	uint16_t sequence;
	uint32_t timestamp, ssrc;
};

static void hear(struct listener *listener, uint32_t count)
{
	uint32_t heard = 0;

	for (uint32_t i = 0; i < world.out_count; i++) {
		const struct world_sent *sent = &world.out[i];

		if (sent->destination.port_be != __builtin_bswap16(listener->party->port) ||
		    sent->is_rtcp)
			continue;
		heard++;
		if (listener->started) {
			ck_assert_uint_eq(sent->rtp.ssrc, listener->ssrc);
			ck_assert_uint_eq(sent->rtp.sequence, (uint16_t)(listener->sequence + 1));
			ck_assert_uint_ge(sent->rtp.timestamp - listener->timestamp, 160);
			ck_assert_uint_le(sent->rtp.timestamp - listener->timestamp, 8000);
		}
		listener->started = true;
		listener->sequence = sent->rtp.sequence;
		listener->timestamp = sent->rtp.timestamp;
		listener->ssrc = sent->rtp.ssrc;
	}
	ck_assert_uint_eq(heard, count);
	world_clear(&world);
}

static void talk(struct world_party *party, unsigned packets)
{
	for (unsigned i = 0; i < packets; i++) {
		world.now_ns += 20 * WORLD_MS;
		world_say(&world, party);
	}
}

// A call as it goes: music, agent, hold with music, agent again, another phone takes over.
START_TEST(one_stream_whoever_feeds_it)
{
	struct listener caller = { .party = &a };
	struct td_player_id music;

	open_two();
	music = world_player(&world, context, 1, true);
	ck_assert_int_eq(world_player_gain(&world, context, music, a.id, TD_GAIN_UNITY), 0);
	world_ticks(&world, 200);
	hear(&caller, 10);
	talk(&b, 3); // nobody listens to the agent yet
	ck_assert_int_eq(world_player_gain(&world, context, music, a.id, 0), 0);
	ck_assert_int_eq(world_gain(&world, context, b.id, a.id, TD_GAIN_UNITY), 0);
	talk(&b, 10);
	hear(&caller, 10);
	// Hold: the agent keeps sending, the caller hears music.
	ck_assert_int_eq(world_gain(&world, context, b.id, a.id, 0), 0);
	ck_assert_int_eq(world_player_gain(&world, context, music, a.id, TD_GAIN_UNITY), 0);
	talk(&b, 25);
	world_ticks(&world, 100);
	hear(&caller, 5);
	// Silence for a second: RTP time goes on, the numbers do not jump.
	ck_assert_int_eq(world_player_gain(&world, context, music, a.id, 0), 0);
	talk(&b, 40);
	hear(&caller, 0);
	ck_assert_int_eq(world_gain(&world, context, b.id, a.id, TD_GAIN_UNITY), 0);
	talk(&b, 5);
	hear(&caller, 5);
	// The agent's phone restarts its numbers, then changes its SSRC: one packet lost each time.
	b.sequence = (uint16_t)(b.sequence + 20000);
	b.timestamp += 12345678;
	talk(&b, 5);
	hear(&caller, 4);
	b.ssrc = 0x77777777;
	b.sequence = 5;
	talk(&b, 5);
	hear(&caller, 4);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_RTP_SEQUENCE), 2);
}
END_TEST

START_TEST(time_goes_on_by_the_clock)
{
	struct world_sent before;

	open_two();
	world_connect(&world, context, &a, &b);
	talk(&b, 1);
	before = world.out[0];
	world_clear(&world);
	ck_assert_int_eq(world_gain(&world, context, b.id, a.id, 0), 0);
	ck_assert_int_eq(world_gain(&world, context, b.id, a.id, TD_GAIN_UNITY), 0);
	world.now_ns += 980 * WORLD_MS;
	talk(&b, 1);
	ck_assert_uint_eq(world.out[0].rtp.timestamp, before.rtp.timestamp + 8000);
	ck_assert_uint_eq(world.out[0].rtp.sequence, (uint16_t)(before.rtp.sequence + 1));
	ck_assert_uint_eq(world.out[0].rtp.marker, 1);
	world_clear(&world);
	talk(&b, 1);
	ck_assert_uint_eq(world.out[0].rtp.timestamp, before.rtp.timestamp + 8160);
	ck_assert_uint_eq(world.out[0].rtp.marker, 0);
}
END_TEST

START_TEST(edit_elsewhere_does_not_disturb_a_run)
{
	struct listener agent = { .party = &b };

	open_two();
	world_connect(&world, context, &a, &b);
	talk(&a, 3);
	hear(&agent, 3);
	world_party(&world, context, "10.77.0.30", 8000, 0xcccc, &c);
	ck_assert_int_eq(world_gain(&world, context, a.id, c.id, TD_GAIN_UNITY), 0);
	talk(&a, 3);
	for (uint32_t i = 0; i < world.out_count; i++)
		if (world.out[i].destination.port_be == __builtin_bswap16(6000))
			ck_assert_uint_eq(world.out[i].rtp.marker, 0);
	hear(&agent, 3);
}
END_TEST

START_TEST(loss_and_order_of_the_feeder_show)
{
	uint16_t first, base;

	open_two();
	world_connect(&world, context, &a, &b);
	talk(&a, 1);
	first = world.out[0].rtp.sequence;
	base = (uint16_t)(a.sequence - 1);
	world_clear(&world);
	a.sequence = (uint16_t)(base + 3);
	talk(&a, 1); // two missing
	a.sequence = (uint16_t)(base + 2);
	talk(&a, 1); // one of them comes late
	talk(&a, 1); // and one twice
	ck_assert_uint_eq(world.out_count, 2);
	ck_assert_uint_eq(world.out[0].rtp.sequence, (uint16_t)(first + 3));
	ck_assert_uint_eq(world.out[1].rtp.sequence, (uint16_t)(first + 2));
	ck_assert_uint_eq(world_drop(&world, TD_DROP_RTP_DUPLICATE), 1);
	ck_assert_uint_eq(world_stats(&world, a.id).rx_reordered, 1);
	ck_assert_uint_eq(world_stats(&world, a.id).rx_lost, 1);
	ck_assert_uint_eq(world_stats(&world, a.id).rx_duplicates, 1);
}
END_TEST

START_TEST(late_packet_from_before_the_run_is_not_a_second_number)
{
	open_two();
	talk(&a, 5);  // nobody listens
	a.sequence++; // this one is delayed
	world_connect(&world, context, &a, &b);
	talk(&a, 1);
	ck_assert_uint_eq(world.out_count, 1);
	a.sequence = (uint16_t)(a.sequence - 2);
	talk(&a, 1);
	ck_assert_uint_eq(world.out_count, 1);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_NO_LISTENER), 5 + 1);
}
END_TEST

START_TEST(event_without_a_type_at_the_sink_leaves_no_hole)
{
	struct listener agent = { .party = &b };
	struct td_command command = { .kind = TD_COMMAND_STREAM_TUNE };

	open_two();
	command.u.stream_tune.stream = b.id;
	command.u.stream_tune.flags = TD_TUNE_NO_DIGITS;
	world_do(&world, &command);
	world_connect(&world, context, &a, &b);
	talk(&a, 3);
	hear(&agent, 3);
	a.payload_type = 101;
	talk(&a, 4);
	hear(&agent, 0);
	a.payload_type = 0;
	talk(&a, 3);
	hear(&agent, 3);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SINK_NO_EVENT_PT), 4);
}
END_TEST

START_TEST(events_do_not_disturb_jitter_or_time)
{
	uint32_t event_timestamp;

	open_two();
	world_connect(&world, context, &a, &b);
	talk(&a, 20);
	world_clear(&world);
	ck_assert_uint_eq(world_stats(&world, a.id).rx_jitter_us, 0);
	event_timestamp = a.timestamp;
	a.payload_type = 101;
	for (unsigned i = 0; i < 10; i++) {
		a.timestamp = event_timestamp; // of the beginning, in each of them
		talk(&a, 1);
	}
	a.payload_type = 0;
	a.timestamp = event_timestamp + 10 * 160;
	talk(&a, 20);
	ck_assert_uint_eq(world_stats(&world, a.id).rx_jitter_us, 0);
	ck_assert_uint_eq(world.out[10].rtp.timestamp - world.out[0].rtp.timestamp, 10 * 160);
}
END_TEST

// A run begins with the first packet that its listener gets, not with one it does not take.
START_TEST(what_is_not_taken_begins_no_run)
{
	struct td_command command;
	uint16_t sequence;

	open_two();
	command = world_set_remote(&a, TD_CODEC_PCMU);
	command.u.stream_set_remote.cn_payload_type_rx = 13;
	world_do(&world, &command);
	world_connect(&world, context, &a, &b);
	talk(&b, 1);
	talk(&a, 3);
	sequence = world.out[world.out_count - 1].rtp.sequence;
	world_clear(&world);
	ck_assert_int_eq(world_gain(&world, context, a.id, b.id, 0), 0);
	ck_assert_int_eq(world_gain(&world, context, a.id, b.id, TD_GAIN_UNITY), 0);
	a.payload_type = 13;
	talk(&a, 2);
	ck_assert_uint_eq(world.out_count, 0);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SINK_NO_CN_PT), 2);
	a.payload_type = 0;
	talk(&a, 2);
	ck_assert_uint_eq(world.out_count, 2);
	ck_assert(world.out[0].rtp.marker);
	ck_assert(!world.out[1].rtp.marker);
	ck_assert_uint_eq(world.out[0].rtp.sequence, (uint16_t)(sequence + 1));
	ck_assert_uint_eq(world.out[1].rtp.sequence, (uint16_t)(sequence + 2));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("numbering");
	TCase *tcase = tcase_create("numbering");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, one_stream_whoever_feeds_it);
	tcase_add_test(tcase, time_goes_on_by_the_clock);
	tcase_add_test(tcase, what_is_not_taken_begins_no_run);
	tcase_add_test(tcase, edit_elsewhere_does_not_disturb_a_run);
	tcase_add_test(tcase, loss_and_order_of_the_feeder_show);
	tcase_add_test(tcase, late_packet_from_before_the_run_is_not_a_second_number);
	tcase_add_test(tcase, event_without_a_type_at_the_sink_leaves_no_hole);
	tcase_add_test(tcase, events_do_not_disturb_jitter_or_time);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

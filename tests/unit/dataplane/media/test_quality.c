// What is measured of a stream: levels and talk from its packets, double talk, one way, ratings second
// by second, and what is said about it in RTCP: VoIP metrics and a BYE.
#include "world.h"

#include <math.h>
#include <string.h>

#include "codecs/g711.h"
#include "rtp/rtcp.h"

static struct world world;
static struct td_context_id context;
static struct world_party a, b;

static void setup(void)
{
	world_open_two(&world, &world_default, &context, &a, &b);
}

static void teardown(void)
{
	world_close(&world);
}

static void sweep(uint32_t ms)
{
	td_role_enter_worker(0);
	for (uint32_t i = 0; i < ms; i++) {
		world.now_ns += WORLD_MS;
		td_media_sweep(td_engine_worker(world.engine, 0), world.now_ns, &world.tx[0]);
	}
	world_clear(&world);
}

// A sine of this many dBm0 (G.711: a full one is 3.17), or silence below -80.
static void say(struct world_party *party, double dbm0)
{
	double peak = 32124 * pow(10, (dbm0 - 3.17) / 20);
	int16_t pcm[160];
	uint8_t law[160];
	struct frame frame;

	for (unsigned i = 0; i < 160; i++)
		pcm[i] = dbm0 < -80 ? 0
				    : (int16_t)lround(peak * sin(2 * M_PI * 440 *
								 (party->timestamp + i) / 8000));
	td_g711_ulaw_encode(law, pcm, 160);
	world_frame(party, 160, &frame);
	memcpy(frame.bytes + frame.l4 + 8 + 12, law, 160);
	frame_checksums(&frame);
	world_send(&world, &frame);
	party->sequence++;
	party->timestamp += 160;
}

// Both speak for this long, packet by packet; silent below -80.
static void converse(double a_dbm0, double b_dbm0, uint32_t ms)
{
	for (uint32_t t = 0; t < ms; t += 20) {
		say(&a, a_dbm0);
		say(&b, b_dbm0);
		sweep(20);
	}
}

static struct td_quality quality_of(const struct world_party *party)
{
	return world_stats(&world, party->id).quality;
}

START_TEST(levels_and_who_talks)
{
	struct td_quality q;

	converse(-18, -90, 10000);
	q = quality_of(&a);
	ck_assert_uint_ge(q.measured_ms, 9600);
	ck_assert_uint_le(q.measured_ms, 10240);
	ck_assert_uint_eq(q.talk_ms, q.measured_ms);
	ck_assert_uint_eq(q.double_talk_ms, 0);
	ck_assert_int_ge(q.level_dbm0, -19); // 8 ms are not whole periods of 440 Hz
	ck_assert_int_le(q.level_dbm0, -17);
	ck_assert_int_eq(q.noise_dbm0, TD_LEVEL_UNKNOWN);
	q = quality_of(&b);
	ck_assert_uint_eq(q.talk_ms, 0);
	ck_assert_int_eq(q.level_dbm0, TD_LEVEL_UNKNOWN);
	ck_assert_int_le(q.noise_dbm0, -70);
	// The threshold is -40 dBm0.
	converse(-90, -44, 4000);
	ck_assert_uint_eq(quality_of(&b).talk_ms, 0);
	converse(-90, -36, 4000);
	ck_assert_uint_ge(quality_of(&b).talk_ms, 3200);
	ck_assert_uint_le(quality_of(&b).talk_ms, 4480);
}
END_TEST

START_TEST(double_talk_and_clipping)
{
	struct td_quality q;

	converse(-15, -15, 6400);
	q = quality_of(&a);
	ck_assert_uint_ge(q.double_talk_ms, 5120);
	ck_assert_uint_le(q.double_talk_ms, q.talk_ms);
	ck_assert_uint_ge(quality_of(&b).double_talk_ms, 5120);
	ck_assert_uint_eq(q.clipped_ms, 0);
	// One after the other: only where the looks overlap.
	converse(-15, -90, 6400);
	converse(-90, -15, 6400);
	ck_assert_uint_le(quality_of(&a).double_talk_ms - q.double_talk_ms, 640);
	// Over the top by 12 dB.
	for (unsigned i = 0; i < 320; i++) {
		struct frame frame;

		world_frame(&a, 160, &frame);
		memset(frame.bytes + frame.l4 + 8 + 12, i & 1 ? 0x00 : 0x80, 160);
		frame_checksums(&frame);
		world_send(&world, &frame);
		a.sequence++;
		a.timestamp += 160;
		sweep(20);
	}
	ck_assert_uint_ge(quality_of(&a).clipped_ms, 5760);
	ck_assert_int_ge(quality_of(&a).level_dbm0, -10);
}
END_TEST

// What was kept of a packet is noted before its stream can be gone, and its index another's.
START_TEST(looks_are_over_before_streams_change)
{
	const uint32_t index = td_handle_index(a.id.v), look_ms = 20 * TD_LEVEL_EVERY;
	struct td_command destroy = { .kind = TD_COMMAND_STREAM_DESTROY };
	uint32_t measured_ms;

	converse(-18, -18, 1000);
	while ((a.sequence + index) % TD_LEVEL_EVERY != 0)
		say(&a, -18);
	measured_ms = quality_of(&a).measured_ms;
	say(&a, -18); // its turn
	ck_assert_uint_eq(quality_of(&a).measured_ms, measured_ms);
	destroy.u.stream_destroy = b.id;
	world_do(&world, &destroy);
	ck_assert_uint_eq(quality_of(&a).measured_ms, measured_ms + look_ms);
	world_turn(&world);
	ck_assert_uint_eq(quality_of(&a).measured_ms, measured_ms + look_ms);
}
END_TEST

START_TEST(strangers_are_not_listened_to)
{
	struct world_party stranger = a;
	uint32_t talk_ms;

	converse(-90, -90, 2000);
	talk_ms = quality_of(&a).talk_ms;
	stranger.addr = "10.77.0.66";
	for (unsigned i = 0; i < 200; i++) {
		say(&stranger, -10);
		sweep(20);
	}
	ck_assert_uint_eq(quality_of(&a).talk_ms, talk_ms);
}
END_TEST

START_TEST(one_way_is_timed)
{
	converse(-18, -18, 3000);
	ck_assert_uint_eq(quality_of(&a).one_way_ms, 0);
	for (unsigned i = 0; i < 250; i++) { // 5 s: only b speaks
		say(&b, -18);
		sweep(20);
	}
	ck_assert_uint_ge(quality_of(&a).one_way_now_ms, 3900);
	ck_assert_uint_le(quality_of(&a).one_way_now_ms, 5100);
	ck_assert_uint_eq(quality_of(&b).one_way_now_ms, 0);
	converse(-18, -18, 3000);
	ck_assert_uint_eq(quality_of(&a).one_way_now_ms, 0);
	ck_assert_uint_ge(quality_of(&a).one_way_ms, 3900);
}
END_TEST

START_TEST(nobody_speaks_is_not_one_way)
{
	converse(-18, -18, 2000);
	sweep(10000);
	ck_assert_uint_eq(quality_of(&a).one_way_ms, 0);
}
END_TEST

// Every n-th packet of a is lost. No delay but the 60 ms that a receiver is taken to have.
static struct td_quality lose_one_in(unsigned n, uint32_t ms)
{
	for (uint32_t t = 0; t < ms; t += 20) {
		if (t / 20 % n == n - 1) {
			a.sequence++;
			a.timestamp += 160;
		} else {
			say(&a, -18);
		}
		say(&b, -18);
		sweep(20);
	}
	return quality_of(&a);
}

START_TEST(ratings_follow_the_losses)
{
	struct td_quality q;

	q = lose_one_in(1000000, 10000);
	ck_assert_uint_ge(q.mos_x100, 438); // 4.409 less 40 ms
	ck_assert_uint_le(q.mos_x100, 441);
	ck_assert_uint_eq(q.mos_min_x100, q.mos_x100);
	ck_assert_uint_ge(q.r_factor, 92);
	// One in 20: 5 % without concealment is 2.169.
	q = lose_one_in(20, 10000);
	ck_assert_uint_ge(q.mos_x100, 205);
	ck_assert_uint_le(q.mos_x100, 225);
	ck_assert_uint_eq(q.bursts, 0);    // 19 apart: each alone
	ck_assert_uint_eq(q.gap_lost, 24); // nobody knows of the last one yet
	// And again when it is over; the worst is remembered.
	q = lose_one_in(1000000, 10000);
	ck_assert_uint_ge(q.mos_x100, 438);
	ck_assert_uint_le(q.mos_min_x100, 225);
	ck_assert_uint_gt(q.mos_avg_x100, 300);
	ck_assert_uint_lt(q.mos_avg_x100, 430);
	ck_assert_uint_eq(q.rtt_max_us, 0);
}
END_TEST

// The last RTCP to this party whose report, metrics or BYE is about `about`.
static unsigned reports_to(const struct world_party *party, struct td_rtcp_summary *last)
{
	unsigned count = 0;

	td_tx_flush(&world.tx[0]);
	world_ticks(&world, 0);
	for (uint32_t i = 0; i < world.out_count; i++) {
		const struct world_sent *sent = &world.out[i];

		if (!sent->is_rtcp ||
		    sent->destination.port_be != __builtin_bswap16((uint16_t)(party->port + 1)))
			continue;
		ck_assert_int_eq(td_rtcp_parse(sent->udp_payload, sent->udp_payload_len,
					       party->ssrc, true, last),
				 0);
		count++;
	}
	return count;
}

START_TEST(metrics_are_reported_to_who_sends)
{
	struct td_rtcp_summary s = { 0 };

	lose_one_in(10, 4000);
	td_role_enter_worker(0);
	ck_assert(td_media_rtcp_send(td_engine_worker(world.engine, 0), td_handle_index(a.id.v),
				     world.now_ns, &world.tx[0]));
	ck_assert_uint_eq(reports_to(&a, &s), 1);
	ck_assert(s.has_report && s.has_voip);
	ck_assert_uint_eq(s.voip.ssrc, a.ssrc);
	ck_assert_uint_ge(s.voip.loss_rate, 24); // of 256: one in ten
	ck_assert_uint_le(s.voip.loss_rate, 26);
	ck_assert_uint_eq(s.voip.discard_rate, 0);
	ck_assert_uint_ge(s.voip.burst_density, 25); // all of it one burst: nine received between
	ck_assert_uint_le(s.voip.burst_density, 29);
	ck_assert_uint_eq(s.voip.gmin, 16);
	ck_assert_int_ge(s.voip.signal_dbm0, -19);
	ck_assert_int_le(s.voip.signal_dbm0, -17);
	ck_assert_uint_lt(s.voip.r_factor, 60);
	ck_assert_uint_le(s.voip.mos_cq_x10, s.voip.mos_lq_x10);
	ck_assert_uint_eq(s.voip.receiver_config, 0);
}
END_TEST

START_TEST(the_end_is_said)
{
	struct td_command destroy = { .kind = TD_COMMAND_STREAM_DESTROY };
	struct td_rtcp_summary s = { 0 };

	converse(-18, -18, 4000);
	destroy.u.stream_destroy = b.id;
	world_do(&world, &destroy);
	td_role_enter_worker(0);
	td_media_sweep(td_engine_worker(world.engine, 0), world.now_ns, &world.tx[0]);
	ck_assert_uint_eq(reports_to(&b, &s), 1);
	ck_assert(s.has_bye && s.has_report);
}
END_TEST

START_TEST(what_the_far_end_says_is_shown)
{
	const struct td_voip_metrics voip = { .ssrc = world_stats(&world, a.id).tx_ssrc,
					      .loss_rate = 13,
					      .mos_cq_x10 = 37 };
	const struct td_rtcp_compound compound = {
		.ssrc = 0xaaaa, .cname = "a", .voip = &voip, .bye = true
	};
	uint8_t bytes[TD_RTCP_BUILD_MAX];
	size_t len = td_rtcp_build(bytes, &compound);
	struct frame frame;

	converse(-18, -18, 400);
	frame_udp(&frame, a.addr, (uint16_t)(a.port + 1), "10.77.0.2",
		  (uint16_t)(__builtin_bswap16(a.local.port_be) + 1), (uint32_t)len);
	memcpy(frame.bytes + frame.l4 + 8, bytes, len);
	frame_checksums(&frame);
	world_send(&world, &frame);
	ck_assert_uint_eq(quality_of(&a).xr_received, 1);
	ck_assert_uint_eq(quality_of(&a).remote.loss_rate, 13);
	ck_assert_uint_eq(quality_of(&a).remote.mos_cq_x10, 37);
	ck_assert_uint_eq(quality_of(&a).remote_bye, 1);
	// Noted, and nothing else.
	say(&a, -18);
	ck_assert_uint_eq(world_stats(&world, a.id).rx_packets, 21);
}
END_TEST

static bool is_tagged(const struct rte_mbuf *mbuf)
{
	return memcmp(rte_pktmbuf_mtod(mbuf, const uint8_t *) + 12, "\x81\x00\x01\x23\x08\x00",
		      6) == 0;
}

// Of what was sent and caught already, and of what is still on the wire.
static unsigned count_tagged(unsigned *all)
{
	struct rte_mbuf *mbuf;
	unsigned tagged = 0;

	for (*all = 0; *all < world.out_count; (*all)++)
		tagged += is_tagged(world.out[*all].mbuf);
	td_tx_flush(&world.tx[0]);
	for (; rte_ring_dequeue(world.wire, (void **)&mbuf) == 0; (*all)++) {
		tagged += is_tagged(mbuf);
		rte_pktmbuf_free(mbuf);
	}
	return tagged;
}

// A neighbour that is met when the port has its tag already.
static void meet(const char *addr, uint8_t last)
{
	struct td_endpoint ep = frame_endpoint(addr, 0);
	uint8_t mac[6] = { 2, 0, 0, 0, 1, last };
	uint32_t index;

	td_role_enter_main();
	ck_assert_int_eq(td_neighbour_get(world.net.neighbours, 0, &ep, &index), 0);
	td_role_enter_worker(0);
	td_neighbour_learn(world.net.neighbours, 0, &ep, mac, true);
}

START_TEST(media_and_reports_go_out_tagged)
{
	struct td_link_source source = { .vlan = 0x123 };
	unsigned all;

	memcpy(source.mac, frame_our_mac, 6);
	td_neighbours_set_source(world.net.neighbours, 0, &source);
	meet("10.77.0.130", 130);
	meet("10.77.0.140", 140);
	world_party(&world, context, "10.77.0.130", 8000, 0xcccc, &a);
	world_party(&world, context, "10.77.0.140", 9000, 0xdddd, &b);
	world_connect(&world, context, &a, &b);
	for (unsigned i = 0; i < 10; i++) {
		say(&a, -18);
		say(&b, -18);
	}
	td_role_enter_worker(0);
	ck_assert(td_media_rtcp_send(td_engine_worker(world.engine, 0), td_handle_index(a.id.v),
				     world.now_ns, &world.tx[0]));
	ck_assert_uint_eq(count_tagged(&all), 21);
	ck_assert_uint_eq(all, 21);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quality");
	TCase *tcase = tcase_create("quality");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	frame_environment();
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, levels_and_who_talks);
	tcase_add_test(tcase, double_talk_and_clipping);
	tcase_add_test(tcase, looks_are_over_before_streams_change);
	tcase_add_test(tcase, strangers_are_not_listened_to);
	tcase_add_test(tcase, one_way_is_timed);
	tcase_add_test(tcase, nobody_speaks_is_not_one_way);
	tcase_add_test(tcase, ratings_follow_the_losses);
	tcase_add_test(tcase, metrics_are_reported_to_who_sends);
	tcase_add_test(tcase, the_end_is_said);
	tcase_add_test(tcase, what_the_far_end_says_is_shown);
	tcase_add_test(tcase, media_and_reports_go_out_tagged);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

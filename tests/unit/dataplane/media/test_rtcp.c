// RTCP through the stages: what is believed, what is said back, and when.
#include "world.h"

#include <string.h>

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

static void talk(struct world_party *party, unsigned packets)
{
	for (unsigned i = 0; i < packets; i++) {
		world.now_ns += 20 * WORLD_MS;
		world_say(&world, party);
	}
}

static void sweep(uint32_t ms)
{
	td_role_enter_worker(0);
	for (uint32_t i = 0; i < ms; i++) {
		world.now_ns += WORLD_MS;
		td_media_sweep(td_engine_worker(world.engine, 0), world.now_ns, &world.tx[0]);
	}
}

// The RTCP frames among what was sent, towards this party; parsed as the party would.
static unsigned reports_to(const struct world_party *party, uint32_t about,
			   struct td_rtcp_summary *last)
{
	unsigned count = 0;

	td_tx_flush(&world.tx[0]);
	world_ticks(&world, 0); // catches what was flushed
	for (uint32_t i = 0; i < world.out_count; i++) {
		const struct world_sent *sent = &world.out[i];

		if (!sent->is_rtcp ||
		    sent->destination.port_be != __builtin_bswap16((uint16_t)(party->port + 1)))
			continue;
		ck_assert_uint_eq(__builtin_bswap16(sent->source.port_be),
				  __builtin_bswap16(party->local.port_be) + 1);
		ck_assert_int_eq(
			td_rtcp_parse(sent->udp_payload, sent->udp_payload_len, about, false, last),
			0);
		count++;
	}
	return count;
}

static void rtcp_frame(const struct world_party *party, const char *addr, uint16_t port,
		       const struct td_rtcp_compound *compound, struct frame *frame)
{
	uint8_t bytes[TD_RTCP_BUILD_MAX];
	size_t len = td_rtcp_build(bytes, compound);

	frame_udp(frame, addr, port,
		  party->local.family == TD_FAMILY_IPV6 ? "fd77::2" : "10.77.0.2",
		  (uint16_t)(__builtin_bswap16(party->local.port_be) + 1), (uint32_t)len);
	memcpy(frame->bytes + frame->l4 + 8, bytes, len);
	frame_checksums(frame);
}

static const struct td_rtcp_sender sender = {
	.ntp = 0xe1000000ull << 32 | 0x12345678u, .rtp_timestamp = 1, .packets = 2, .octets = 3
};

START_TEST(sender_reports_say_what_was_sent)
{
	struct td_rtcp_summary summary = { 0 };
	uint64_t sent_ns;

	talk(&b, 50);
	sent_ns = world.now_ns;
	world_clear(&world);
	sweep(2100);
	ck_assert_uint_eq(reports_to(&a, 0, &summary), 1);
	ck_assert(summary.has_sender);
	ck_assert_uint_eq(summary.sender.packets, 50);
	ck_assert_uint_eq(summary.sender.octets, 50 * 160);
	// NTP and RTP time name the same instant.
	{
		struct td_media_worker *worker = td_engine_worker(world.engine, 0);
		const struct td_stream_tx *tx = td_media_tx(worker, td_handle_index(a.id.v));
		uint64_t at_ns = 0;
		uint32_t units;

		for (uint64_t ns = sent_ns; ns <= world.now_ns; ns += WORLD_MS)
			if (td_rtcp_ntp(ns + worker->realtime_offset_ns) == summary.sender.ntp)
				at_ns = ns;
		ck_assert(at_ns != 0);
		units = (uint32_t)((at_ns - sent_ns) / 125000);
		ck_assert_uint_eq(summary.sender.rtp_timestamp, tx->last_timestamp + units);
	}
	ck_assert_uint_eq(summary.ssrc, world_stats(&world, a.id).tx_ssrc);
	ck_assert_uint_eq(world_stats(&world, a.id).rtcp_tx, 1);
}
END_TEST

START_TEST(receiver_reports_say_what_came)
{
	struct td_rtcp_summary summary = { 0 };

	talk(&a, 90);
	a.sequence = (uint16_t)(a.sequence + 10);
	talk(&a, 1);
	world_clear(&world);
	sweep(2100);
	ck_assert_uint_eq(reports_to(&a, 0xaaaa, &summary), 1);
	ck_assert(!summary.has_sender); // it was sent nothing
	ck_assert(summary.has_report);
	ck_assert_int_eq(summary.report.lost, 10);
	ck_assert_uint_eq(summary.report.fraction_lost, 256 * 10 / 101);
	ck_assert_uint_eq(summary.report.highest & 0xffff, (uint16_t)(a.sequence - 1));
	ck_assert_uint_eq(summary.report.lsr, 0);
}
END_TEST

START_TEST(intervals_are_random_about_five_seconds)
{
	struct td_rtcp_summary summary;
	unsigned count;

	talk(&a, 1);
	talk(&b, 1);
	world_clear(&world);
	for (unsigned i = 0; i < 100; i++)
		sweep(1000);
	count = reports_to(&a, 0, &summary);
	ck_assert_uint_ge(count, 100 / 8);
	ck_assert_uint_le(count, 100 / 3);
}
END_TEST

START_TEST(quiet_where_nothing_valid_came_from)
{
	struct td_command command = world_set_remote(&a, TD_CODEC_PCMU);
	struct td_rtcp_summary summary;

	command.u.stream_set_remote.flags = TD_REMOTE_LEARN;
	world_do(&world, &command);
	sweep(20000);
	ck_assert_uint_eq(reports_to(&a, 0, &summary), 0);
	ck_assert_uint_ge(reports_to(&b, 0, &summary), 1);
	world_clear(&world);
	talk(&a, 1); // the exact sender
	sweep(20000);
	ck_assert_uint_ge(reports_to(&a, 0, &summary), 1);
}
END_TEST

START_TEST(round_trip_time)
{
	struct td_rtcp_summary summary = { 0 };
	struct td_rtcp_report report = { .fraction_lost = 25, .lost = 7, .jitter = 80 };
	struct td_rtcp_compound compound = { .ssrc = 0xaaaa, .cname = "a", .report = &report };
	struct td_stream_stats stats;
	struct frame frame;

	talk(&b, 5);
	world_clear(&world);
	sweep(2100);
	ck_assert_uint_eq(reports_to(&a, 0, &summary), 1);
	// The far end gets the SR 30 ms after it was sent, thinks for 500 ms, its RR takes 20 ms.
	{
		struct td_media_worker *worker = td_engine_worker(world.engine, 0);
		uint64_t ntp_now = td_rtcp_ntp(world.now_ns + worker->realtime_offset_ns);
		uint64_t since = (ntp_now - summary.sender.ntp) * 1000000000ull >> 32;

		world.now_ns += 550 * WORLD_MS - since;
	}
	report.ssrc = summary.ssrc;
	report.lsr = td_rtcp_ntp_middle(summary.sender.ntp);
	report.dlsr = 65536 / 2;
	rtcp_frame(&a, a.addr, 4001, &compound, &frame);
	ck_assert(world_send(&world, &frame));
	stats = world_stats(&world, a.id);
	ck_assert_uint_ge(stats.rtt_us, 49900);
	ck_assert_uint_le(stats.rtt_us, 50100);
	ck_assert_uint_eq(stats.remote_fraction_lost, 25);
	ck_assert_int_eq(stats.remote_lost, 7);
	ck_assert_uint_eq(stats.remote_jitter_us, 10000);
	ck_assert_uint_eq(stats.rtcp_rx, 1);
	ck_assert_uint_eq(world.region.workers[0].consumed, 1);
}
END_TEST

START_TEST(last_sender_report_is_reflected)
{
	struct td_rtcp_compound compound = { .ssrc = 0xaaaa, .cname = "a", .sender = &sender };
	struct td_rtcp_summary summary = { 0 };
	struct frame frame;
	uint64_t came_ns;

	talk(&a, 5);
	world_clear(&world);
	rtcp_frame(&a, a.addr, 4001, &compound, &frame);
	ck_assert(world_send(&world, &frame));
	came_ns = world.now_ns;
	sweep(2100);
	ck_assert_uint_eq(reports_to(&a, 0xaaaa, &summary), 1);
	ck_assert_uint_eq(summary.report.lsr, 0x00001234u);
	ck_assert_uint_gt(summary.report.dlsr, 0);
	ck_assert_uint_le(summary.report.dlsr, (world.now_ns - came_ns) / 1000 * 65536 / 1000000);
}
END_TEST

// Row 5: short and truncated RTCP, and a good compound from the wrong party.
START_TEST(refused_by_name)
{
	struct td_rtcp_compound compound = { .ssrc = 0xaaaa, .cname = "a", .sender = &sender };
	struct frame frame, cut;

	talk(&a, 5);
	rtcp_frame(&a, a.addr, 4001, &compound, &frame);
	for (uint32_t len = 0; len < frame.len - frame.l4 - 8; len++) {
		frame_udp(&cut, a.addr, 4001, "10.77.0.2",
			  (uint16_t)(__builtin_bswap16(a.local.port_be) + 1), len);
		memcpy(cut.bytes + cut.l4 + 8, frame.bytes + frame.l4 + 8, len);
		frame_checksums(&cut);
		ck_assert(world_send(&world, &cut));
		if (len == 28) // the SR alone, whole
			ck_assert_uint_eq(world.region.workers[0].consumed, 1);
	}
	ck_assert_uint_eq(world_drop(&world, TD_DROP_RTCP_SHORT), 4);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_RTCP_MALFORMED),
			  frame.len - frame.l4 - 8 - 4 - 1);
	rtcp_frame(&a, "10.77.0.30", 4001, &compound, &frame);
	ck_assert(world_send(&world, &frame));
	rtcp_frame(&a, a.addr, 4003, &compound, &frame);
	ck_assert(world_send(&world, &frame));
	ck_assert_uint_eq(world_drop(&world, TD_DROP_RTCP_SOURCE), 2);
	rtcp_frame(&a, a.addr, 4001, &compound, &frame);
	frame.bytes[frame.l4 + 6] ^= 0x10;
	ck_assert(world_send(&world, &frame));
	ck_assert_uint_eq(world_drop(&world, TD_DROP_UDP_CHECKSUM), 1);
	ck_assert_uint_eq(world_stats(&world, a.id).rtcp_rx, 1);
	ck_assert_uint_eq(world_stats(&world, a.id).rtcp_wrong_source, 2);
	ck_assert_uint_eq(world_stats(&world, a.id).rtcp_malformed, frame.len - frame.l4 - 8 - 1);
	world_clear(&world);
	talk(&a, 1);
	ck_assert_uint_eq(world.out_count, 1); // the lock is where it was
	ck_assert_uint_eq(world.out[0].rtp.marker, 0);
}
END_TEST

START_TEST(bye_tears_nothing_down)
{
	struct td_rtcp_compound compound = { .ssrc = 0xaaaa, .cname = "a", .bye = true };
	struct frame frame;

	talk(&a, 5);
	rtcp_frame(&a, a.addr, 4001, &compound, &frame);
	ck_assert(world_send(&world, &frame));
	world_clear(&world);
	talk(&a, 5);
	ck_assert_uint_eq(world.out_count, 5);
}
END_TEST

START_TEST(mux)
{
	struct td_command command = world_set_remote(&a, TD_CODEC_PCMU);
	struct td_rtcp_compound compound = { .ssrc = 0xaaaa, .cname = "a", .sender = &sender };
	struct frame frame;
	uint8_t bytes[TD_RTCP_BUILD_MAX];
	uint32_t len = (uint32_t)td_rtcp_build(bytes, &compound), reports = 0;

	command.u.stream_set_remote.flags = TD_REMOTE_RTCP_MUX;
	world_do(&world, &command);
	talk(&a, 5);
	for (unsigned evil = 0; evil < 2; evil++) {
		frame_udp(&frame, evil ? "10.77.0.30" : a.addr, 4000, "10.77.0.2",
			  __builtin_bswap16(a.local.port_be), len);
		memcpy(frame.bytes + frame.l4 + 8, bytes, len);
		frame_checksums(&frame);
		ck_assert(world_send(&world, &frame));
	}
	ck_assert_uint_eq(world_stats(&world, a.id).rtcp_rx, 1);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_RTCP_SOURCE), 1);
	talk(&a, 5);
	ck_assert_uint_eq(world_stats(&world, a.id).rx_packets, 10);
	world_clear(&world);
	sweep(10000);
	world_ticks(&world, 0);
	for (uint32_t i = 0; i < world.out_count; i++)
		if (world.out[i].is_rtcp &&
		    world.out[i].destination.port_be == __builtin_bswap16(4000)) {
			ck_assert_uint_eq(world.out[i].source.port_be, a.local.port_be);
			reports++;
		}
	ck_assert_uint_ge(reports, 1);
}
END_TEST

START_TEST(over_ipv6)
{
	struct world_party x, y;
	struct td_rtcp_compound compound = { .ssrc = 1, .cname = "x", .sender = &sender };
	struct td_rtcp_summary summary;
	struct frame frame;

	world_party(&world, context, "fd77::10", 4100, 1, &x);
	world_party(&world, context, "fd77::20", 6100, 2, &y);
	world_connect(&world, context, &x, &y);
	talk(&x, 3);
	world_clear(&world);
	rtcp_frame(&x, "fd77::10", 4101, &compound, &frame);
	ck_assert(world_send(&world, &frame));
	ck_assert_uint_eq(world_stats(&world, x.id).rtcp_rx, 1);
	sweep(3000);
	ck_assert_uint_ge(reports_to(&x, 1, &summary), 1);
	ck_assert(summary.has_report);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rtcp stages");
	TCase *tcase = tcase_create("rtcp");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, sender_reports_say_what_was_sent);
	tcase_add_test(tcase, receiver_reports_say_what_came);
	tcase_add_test(tcase, intervals_are_random_about_five_seconds);
	tcase_add_test(tcase, quiet_where_nothing_valid_came_from);
	tcase_add_test(tcase, round_trip_time);
	tcase_add_test(tcase, last_sender_report_is_reflected);
	tcase_add_test(tcase, refused_by_name);
	tcase_add_test(tcase, bye_tears_nothing_down);
	tcase_add_test(tcase, mux);
	tcase_add_test(tcase, over_ipv6);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

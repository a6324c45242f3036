// What comes in: every drop counter of the media stages, the strict lock, events, statistics.
#include "world.h"

#include <string.h>

static struct world world;
static struct td_context_id context;
static struct world_party a, b;

static void open_two(void)
{
	world_open_two(&world, &world_default, &context, &a, &b);
}

static void teardown(void)
{
	world_close(&world);
}

struct row {
	const char *what;
	uint32_t payload_len; // of the RTP packet that is changed
	int32_t udp_len;      // cut or stretch to this, -1: as it is
	uint8_t at, value;    // this byte of the UDP payload becomes that
	enum td_drop drop;
};

static const struct row rows[] = {
	{ "empty datagram", 160, 0, 0, 0x80, TD_DROP_RTP_SHORT },
	{ "one byte", 160, 1, 0, 0x80, TD_DROP_RTP_SHORT },
	{ "eleven bytes", 160, 11, 0, 0x80, TD_DROP_RTP_SHORT },
	{ "STUN", 160, -1, 0, 0x00, TD_DROP_NOT_RTP },
	{ "STUN, last", 160, -1, 0, 0x03, TD_DROP_NOT_RTP },
	{ "nothing known", 160, -1, 0, 0x04, TD_DROP_RTP_VERSION },
	{ "nothing known, last", 160, -1, 0, 0x0f, TD_DROP_RTP_VERSION },
	{ "ZRTP", 160, -1, 0, 0x10, TD_DROP_NOT_RTP },
	{ "DTLS", 160, -1, 0, 0x16, TD_DROP_NOT_RTP },
	{ "TURN channel", 160, -1, 0, 0x4f, TD_DROP_NOT_RTP },
	{ "version 1", 160, -1, 0, 0x50, TD_DROP_RTP_VERSION },
	{ "version 3", 160, -1, 0, 0xc0, TD_DROP_RTP_VERSION },
	{ "15 CSRCs in 20 bytes", 20, -1, 0, 0x8f, TD_DROP_RTP_HEADER },
	{ "extension cut", 2, -1, 0, 0x90, TD_DROP_RTP_HEADER },
	{ "padding of nothing", 0, -1, 0, 0xa0, TD_DROP_RTP_PADDING },
	{ "1441 bytes of payload", 1441, -1, 0, 0x80, TD_DROP_RTP_TOO_LONG },
	{ "another payload type", 160, -1, 1, 0x08, TD_DROP_RTP_PAYLOAD_TYPE },
	{ "RTCP on the RTP port without mux", 160, -1, 1, 200, TD_DROP_RTP_PAYLOAD_TYPE },
};

static void vary(const struct row *row, struct frame *frame)
{
	uint32_t udp_payload = TD_RTP_HEADER_BYTES + row->payload_len;

	if (row->udp_len >= 0)
		udp_payload = (uint32_t)row->udp_len;
	frame_udp(frame, a.addr, a.port, "10.77.0.2", __builtin_bswap16(a.local.port_be),
		  udp_payload);
	if (udp_payload >= TD_RTP_HEADER_BYTES)
		td_rtp_write(frame->bytes + frame->l4 + 8, 0, 0, a.sequence, a.timestamp, a.ssrc);
	if (udp_payload > row->at)
		frame->bytes[frame->l4 + 8 + row->at] = row->value;
	frame_checksums(frame);
}

START_TEST(named_drops)
{
	struct td_stream_stats stats;
	struct frame frame;

	open_two();
	for (unsigned warm = 0; warm < 2; warm++) { // before the first good packet, and after
		vary(&rows[_i], &frame);
		ck_assert(world_send(&world, &frame));
		ck_assert_msg(world_drop(&world, rows[_i].drop) == warm + 1, "%s", rows[_i].what);
		ck_assert_uint_eq(world.out_count, warm);
		if (warm == 0)
			world_say(&world, &a);
	}
	world_say(&world, &a);
	ck_assert_uint_eq(world.out_count, 2);
	stats = world_stats(&world, a.id);
	if (rows[_i].drop == TD_DROP_UDP_CHECKSUM)
		return; // it may be anybody's
	ck_assert_uint_eq(stats.rx_malformed + stats.rx_payload_type, 2);
	ck_assert_uint_eq(stats.rx_payload_type, rows[_i].drop == TD_DROP_RTP_PAYLOAD_TYPE ? 2 : 0);
}
END_TEST

START_TEST(payload_bound)
{
	static const uint32_t lens[] = { 0, 1, TD_RTP_PAYLOAD_MAX - 1, TD_RTP_PAYLOAD_MAX };
	struct frame frame;

	open_two();
	for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
		world_frame(&a, lens[i], &frame);
		ck_assert(world_send(&world, &frame));
		a.sequence++;
		ck_assert_uint_eq(world.out_count, i + 1);
	}
	ck_assert_uint_eq(world_stats(&world, a.id).rx_bytes, 1 + 1439 + 1440);
}
END_TEST

START_TEST(before_the_remote_is_set)
{
	struct world_party early = { .addr = "10.77.0.10", .port = 4444, .ssrc = 1 };

	open_two();
	early.id = world_stream(&world, context, &early.local);
	world_say(&world, &early);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SOURCE_UNSET), 1);
	ck_assert_uint_eq(world_stats(&world, early.id).rx_unexpected, 1);
}
END_TEST

START_TEST(remote_of_port_zero)
{
	struct td_command command;

	open_two();
	world_say(&world, &a);
	command = world_set_remote(&a, TD_CODEC_PCMU);
	command.u.stream_set_remote.remote.port_be = 0;
	world_do(&world, &command);
	world_say(&world, &a);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SOURCE_UNSET), 1);
	world_say(&world, &b); // towards nowhere
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SINK_NO_REMOTE), 1);
}
END_TEST

// Row 1 of the acceptance table, on the wire: a third party sprays, nothing gets through.
START_TEST(spray_in_strict_mode)
{
	struct world_party evil;

	open_two();
	evil = a;
	evil.addr = "10.77.0.30";
	world_say(&world, &a);
	world_clear(&world);
	for (unsigned i = 0; i < 1000; i++)
		world_say(&world, &evil);
	evil = a;
	evil.port++; // the right address, another port
	for (unsigned i = 0; i < 1000; i++)
		world_say(&world, &evil);
	ck_assert_uint_eq(world.out_count, 0);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SOURCE_MISMATCH), 2000);
	ck_assert(world_stats(&world, a.id).rx_wrong_source == 2000);
	world_say(&world, &a);
	ck_assert_uint_eq(world.out_count, 1);
	ck_assert_uint_eq(world.out[0].rtp.marker, 0); // undisturbed
	// What has been turned away a thousand times is let in when signalling says so.
	{
		struct td_command command = world_set_remote(&evil, TD_CODEC_PCMU);

		world_do(&world, &command);
	}
	world_clear(&world);
	world_say(&world, &a);
	ck_assert_uint_eq(world.out_count, 0);
	world_say(&world, &evil);
	ck_assert_uint_eq(world.out_count, 1);
	ck_assert(world_stats(&world, a.id).rx_wrong_source == 2001);
}
END_TEST

// An IPv6 address that has the same short key is told apart by the full compare.
START_TEST(spray_with_equal_ipv6_key)
{
	struct world_party x, y, evil;

	world_open(&world, &world_default);
	context = world_context(&world);
	world_party(&world, context, "fd77::10", 4000, 1, &x);
	world_party(&world, context, "fd77::20", 6000, 2, &y);
	world_connect(&world, context, &x, &y);
	evil = x;
	{
		struct td_endpoint good = frame_endpoint(x.addr, 0), bad;

		evil.addr = "fd77:0:0:1:0:1:0:10";
		bad = frame_endpoint(evil.addr, 0);
		ck_assert_uint_eq(td_packet_key(&good), td_packet_key(&bad));
	}
	world_say(&world, &x);
	world_clear(&world);
	world_say(&world, &evil);
	ck_assert_uint_eq(world.out_count, 0);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SOURCE_MISMATCH), 1);
}
END_TEST

static void talk(struct world_party *party, unsigned packets)
{
	for (unsigned i = 0; i < packets; i++) {
		world.now_ns += 20 * WORLD_MS;
		world_say(&world, party);
	}
}

START_TEST(nobody_listens)
{
	open_two();
	ck_assert_int_eq(world_gain(&world, context, a.id, b.id, 0), 0);
	world_say(&world, &a);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_NO_LISTENER), 1);
	ck_assert(world_stats(&world, a.id).rx_packets == 1); // counted all the same
}
END_TEST

START_TEST(next_hop_unresolved)
{
	struct td_command command;

	open_two();
	command = world_set_remote(&b, TD_CODEC_PCMU);
	command.u.stream_set_remote.remote = frame_endpoint("10.77.0.77", 6000);
	world_do(&world, &command);
	world_say(&world, &a);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_NEIGHBOUR_UNRESOLVED), 1);
	ck_assert_uint_eq(world.out_count, 0);
}
END_TEST

START_TEST(no_buffers_for_copies)
{
	struct rte_mbuf *held[8192];
	struct world_party c;
	struct frame frame;
	struct td_packet packet;
	unsigned count = 0;

	open_two();
	world_party(&world, context, "10.77.0.30", 8000, 0xcccc, &c);
	ck_assert_int_eq(world_gain(&world, context, a.id, c.id, TD_GAIN_UNITY), 0);
	world_frame(&a, 160, &frame);
	ck_assert_int_eq(frame_parse(&world.net, frame_mbuf(world.net.pool, &frame), &packet), 0);
	packet.stream = td_handle_index(a.id.v);
	while (count < 8192 && (held[count] = rte_pktmbuf_alloc(world.net.pool)) != NULL)
		count++;
	world.handed[0]++;
	td_role_enter_worker(0);
	td_media_rtp(td_engine_worker(world.engine, 0), &packet, 1, world.now_ns, &world.tx[0]);
	while (count > 0)
		rte_pktmbuf_free(held[--count]);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_POOL_EMPTY), 1);
	ck_assert_uint_eq(world.region.workers[0].forwarded, 1); // the last listener got it
}
END_TEST

START_TEST(active_is_said_once)
{
	struct td_event event;
	unsigned count = 0;

	open_two();
	for (unsigned i = 0; i < 10; i++)
		world_say(&world, &a);
	while (world_event(&world, TD_EVENT_STREAM_ACTIVE, &event)) {
		ck_assert_uint_eq(event.u.stream_active.stream.v, a.id.v);
		ck_assert(event.time_ns == world.now_ns);
		count++;
	}
	ck_assert_uint_eq(count, 1);
}
END_TEST

START_TEST(active_waits_for_room)
{
	struct td_command ping = { .kind = TD_COMMAND_MATRIX_EDIT };
	struct td_event event;
	unsigned active = 0;
	uint64_t last = 0;

	open_two();
	ping.u.matrix_edit.context = context;
	for (unsigned i = 0; i < TD_EVENT_SLOTS + 10; i++) {
		world_command_only(&world, &ping);
		world_turn(&world);
	}
	ck_assert(world.region.workers[0].events_lost > 0);
	world_say(&world, &a); // no room to say so
	while (world_event(&world, TD_EVENT_STREAM_ACTIVE, &event))
		active++;
	ck_assert_uint_eq(active, 0);
	world_say(&world, &a);
	for (uint32_t i = 0; i <= world.workers; i++) {
		while (td_ring_pop(&world.events[i], &event) == 0) {
			active += event.kind == TD_EVENT_STREAM_ACTIVE;
			last = event.sequence;
		}
	}
	ck_assert_uint_eq(active, 1);
	ck_assert_uint_gt(last, TD_EVENT_SLOTS); // the gap shows what was lost
}
END_TEST

START_TEST(statistics)
{
	struct td_stream_stats stats;

	open_two();
	talk(&a, 10);
	a.sequence = (uint16_t)(a.sequence + 2);
	talk(&a, 1);
	a.ssrc = 0x5555;
	a.sequence = 1000;
	talk(&a, 10);
	stats = world_stats(&world, a.id);
	ck_assert(stats.rx_packets == 20);
	ck_assert(stats.rx_bytes == 20 * 160);
	ck_assert(stats.rx_expected == 13 + 9);
	ck_assert(stats.rx_lost == 2);
	ck_assert(stats.rx_ssrc_changes == 1);
	ck_assert_uint_eq(stats.rx_ssrc, 0x5555);
	ck_assert(stats.last_rx_ns == world.now_ns);
	ck_assert(stats.first_rx_ns == world.now_ns - 20 * 20 * WORLD_MS);
	stats = world_stats(&world, b.id);
	ck_assert(stats.tx_packets == 20);
	ck_assert(stats.tx_bytes == 20 * 160);
	ck_assert_uint_eq(stats.tx_ssrc, world.out[0].rtp.ssrc);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("receive");
	TCase *tcase = tcase_create("receive");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, named_drops, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tcase, payload_bound);
	tcase_add_test(tcase, before_the_remote_is_set);
	tcase_add_test(tcase, remote_of_port_zero);
	tcase_add_test(tcase, spray_in_strict_mode);
	tcase_add_test(tcase, spray_with_equal_ipv6_key);
	tcase_add_test(tcase, nobody_listens);
	tcase_add_test(tcase, next_hop_unresolved);
	tcase_add_test(tcase, no_buffers_for_copies);
	tcase_add_test(tcase, active_is_said_once);
	tcase_add_test(tcase, active_waits_for_room);
	tcase_add_test(tcase, statistics);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

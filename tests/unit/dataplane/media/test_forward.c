// FORWARD on real packets: every byte, every checksum, every listener.
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

// The frame that should come out, written down independently of the code under test.
static void expect_frame(const struct frame *in, const struct world_sent *out, uint8_t mac_last,
			 const struct world_party *to, uint8_t payload_type, bool marker)
{
	struct frame want;
	uint32_t payload = in->len - in->l4 - 8 - TD_RTP_HEADER_BYTES;
	const uint8_t destination_mac[6] = { 2, 0, 0, 0, 1, mac_last };
	bool v6 = to->local.family == TD_FAMILY_IPV6;
	uint8_t *ip;

	frame_udp(&want, v6 ? "fd77::2" : "10.77.0.2", __builtin_bswap16(to->local.port_be),
		  to->addr, to->port, TD_RTP_HEADER_BYTES + payload);
	memcpy(want.bytes, destination_mac, 6);
	memcpy(want.bytes + 6, frame_our_mac, 6);
	ip = want.bytes + want.l3;
	if (v6) {
		ip[0] = 0x60 | (46 << 2) >> 4;
		ip[1] = (uint8_t)((46 << 2) << 4);
		ip[7] = 64;
	} else {
		ip[1] = 46 << 2;
		ip[6] = 0x40;
		ip[8] = 64;
	}
	memcpy(want.bytes + want.l4 + 8 + TD_RTP_HEADER_BYTES,
	       in->bytes + in->l4 + 8 + TD_RTP_HEADER_BYTES, payload);
	td_rtp_write(want.bytes + want.l4 + 8, payload_type, marker, out->rtp.sequence,
		     out->rtp.timestamp, out->rtp.ssrc);
	frame_checksums(&want);
	if (in->bytes[in->l4 + 6] == 0 && in->bytes[in->l4 + 7] == 0 && !v6) {
		want.bytes[want.l4 + 6] = 0; // no checksum came, none goes
		want.bytes[want.l4 + 7] = 0;
	}
	ck_assert_uint_eq(out->mbuf->data_len, want.len);
	ck_assert_mem_eq(rte_pktmbuf_mtod(out->mbuf, uint8_t *), want.bytes, want.len);
}

START_TEST(byte_exact)
{
	struct frame frame;

	open_two();
	world_connect(&world, context, &a, &b);
	for (unsigned i = 0; i < 300; i++) {
		uint32_t len = i % 2 ? 160 : i;

		world_frame(&a, len, &frame);
		ck_assert(world_send(&world, &frame));
		ck_assert_uint_eq(world.out_count, 1);
		expect_frame(&frame, &world.out[0], 20, &b, 0, i == 0);
		a.sequence++;
		a.timestamp += 160;
		world_clear(&world);
	}
	ck_assert_uint_eq(world.region.workers[0].forwarded, 300);
}
END_TEST

START_TEST(checksum_of_zero_stays_zero)
{
	struct frame frame;

	open_two();
	world_connect(&world, context, &a, &b);
	world_frame(&a, 160, &frame);
	frame.bytes[frame.l4 + 6] = 0;
	frame.bytes[frame.l4 + 7] = 0;
	ck_assert(world_send(&world, &frame));
	expect_frame(&frame, &world.out[0], 20, &b, 0, true);
}
END_TEST

START_TEST(wrong_checksum_stays_wrong)
{
	struct frame frame;
	uint32_t before, after;
	uint8_t *out;

	open_two();
	world_connect(&world, context, &a, &b);
	world_say(&world, &a);
	world_clear(&world);
	world_frame(&a, 160, &frame);
	before = (uint32_t)(frame.bytes[frame.l4 + 6] << 8 | frame.bytes[frame.l4 + 7]);
	// A payload byte is damaged on the way: what comes out must be as wrong as what came in.
	frame.bytes[frame.l4 + 8 + TD_RTP_HEADER_BYTES] ^= 0x01;
	ck_assert(before != 0);
	td_role_enter_worker(0);
	{
		struct rte_mbuf *mbuf = frame_mbuf(world.net.pool, &frame), *sent;
		struct td_packet packet;
		void *object;

		ck_assert_int_eq(frame_parse(&world.net, mbuf, &packet), 0);
		packet.stream = td_handle_index(a.id.v);
		world.handed[0]++;
		td_media_rtp(td_engine_worker(world.engine, 0), &packet, 1, world.now_ns,
			     &world.tx[0]);
		td_tx_flush(&world.tx[0]);
		ck_assert_int_eq(rte_ring_dequeue(world.wire, &object), 0);
		sent = object;
		ck_assert(!frame_checksums_right(sent));
		out = rte_pktmbuf_mtod(sent, uint8_t *);
		out[frame.l4 + 8 + TD_RTP_HEADER_BYTES] ^= 0x01; // undone, it is right again
		ck_assert(frame_checksums_right(sent));
		after = (uint32_t)(out[frame.l4 + 6] << 8 | out[frame.l4 + 7]);
		ck_assert(after != 0);
		rte_pktmbuf_free(sent);
	}
}
END_TEST

static void check_pair(const char *from, const char *to, uint8_t mac_last, bool no_checksum)
{
	struct world_party x, y;
	struct frame frame;

	world_open(&world, &world_default);
	context = world_context(&world);
	world_party(&world, context, from, 4000, 1, &x);
	world_party(&world, context, to, 6000, 2, &y);
	world_connect(&world, context, &x, &y);
	for (unsigned i = 0; i < 50; i++) {
		world_frame(&x, 40 + i, &frame);
		if (no_checksum)
			memset(frame.bytes + frame.l4 + 6, 0, 2);
		ck_assert(world_send(&world, &frame));
		ck_assert_uint_eq(world.out_count, 1);
		expect_frame(&frame, &world.out[0], mac_last, &y, 0, i == 0);
		x.sequence++;
		x.timestamp += 160;
		world_clear(&world);
	}
}

START_TEST(between_address_families)
{
	static const struct {
		const char *from, *to;
		uint8_t mac_last;
		bool no_checksum;
	} rows[] = {
		{ "fd77::10", "fd77::20", 120, false },
		{ "10.77.0.10", "fd77::20", 120, false },
		{ "fd77::10", "10.77.0.20", 20, false },
		{ "10.77.0.10", "fd77::20", 120, true }, // IPv6 has no datagrams without
	};

	check_pair(rows[_i].from, rows[_i].to, rows[_i].mac_last, rows[_i].no_checksum);
}
END_TEST

START_TEST(off_link_goes_to_the_gateway)
{
	struct world_party x, y;
	struct frame frame;

	world_open(&world, &world_default);
	context = world_context(&world);
	world_party(&world, context, "192.0.2.1", 4000, 1, &x);
	world_party(&world, context, "198.51.100.1", 6000, 2, &y);
	world_connect(&world, context, &x, &y);
	world_frame(&x, 160, &frame);
	ck_assert(world_send(&world, &frame));
	expect_frame(&frame, &world.out[0], 1, &y, 0, true);
}
END_TEST

START_TEST(header_extension_and_csrc_go_through)
{
	struct frame frame;
	uint8_t *rtp;

	open_two();
	world_connect(&world, context, &a, &b);
	world_frame(&a, 180, &frame);
	rtp = frame.bytes + frame.l4 + 8;
	rtp[0] = 0x91; // one CSRC, an extension of one word
	memset(rtp + 12, 0, 12);
	rtp[19] = 1;
	frame_checksums(&frame);
	ck_assert(world_send(&world, &frame));
	ck_assert_uint_eq(world.out_count, 1);
	ck_assert_uint_eq(world.out[0].udp_payload[0], 0x91);
	ck_assert_mem_eq(world.out[0].udp_payload + 12, rtp + 12, 180);
	ck_assert_uint_eq(world.out[0].rtp.payload_len, 180 - 12);
}
END_TEST

static void talk(struct world_party *party, unsigned packets)
{
	for (unsigned i = 0; i < packets; i++) {
		world.now_ns += 20 * WORLD_MS;
		world_say(&world, party);
	}
}

START_TEST(payload_types_are_mapped)
{
	struct td_command command;
	struct frame frame;

	open_two();
	a.payload_type = 8;
	command = world_set_remote(&a, TD_CODEC_PCMA);
	command.u.stream_set_remote.event_payload_type_rx = 96;
	command.u.stream_set_remote.event_payload_type = 97;
	world_do(&world, &command);
	b.payload_type = 110;
	command = world_set_remote(&b, TD_CODEC_PCMA);
	command.u.stream_set_remote.event_payload_type_rx = 111;
	command.u.stream_set_remote.event_payload_type = 112;
	world_do(&world, &command);
	world_connect(&world, context, &a, &b);
	talk(&a, 1);
	ck_assert_uint_eq(world.out[0].rtp.payload_type, 110);
	world_clear(&world);
	a.payload_type = 96;
	world_frame(&a, 4, &frame);
	frame.bytes[frame.l4 + 9] |= 0x80; // marker: the event begins
	frame_checksums(&frame);
	ck_assert(world_send(&world, &frame));
	expect_frame(&frame, &world.out[0], 20, &b, 112, true);
	world_clear(&world);
	talk(&b, 1);
	ck_assert_uint_eq(world.out[0].rtp.payload_type, 8);
	world_clear(&world);
	b.payload_type = 111;
	talk(&b, 1);
	ck_assert_uint_eq(world.out[0].rtp.payload_type, 97);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_RTP_PAYLOAD_TYPE), 0);
	b.payload_type = 112;
	talk(&b, 1);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_RTP_PAYLOAD_TYPE), 1);
}
END_TEST

START_TEST(fan_out)
{
	open_two();
	world_party(&world, context, "10.77.0.30", 8000, 0xcccc, &c);
	ck_assert_int_eq(world_gain(&world, context, a.id, b.id, TD_GAIN_UNITY), 0);
	ck_assert_int_eq(world_gain(&world, context, a.id, c.id, TD_GAIN_UNITY), 0);
	ck_assert_int_eq(world_gain(&world, context, a.id, a.id, TD_GAIN_UNITY), 0); // echo
	talk(&a, 1);
	ck_assert_uint_eq(world.out_count, 3);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_mem_eq(world.out[i].udp_payload + 12, world.out[0].udp_payload + 12, 160);
	ck_assert_uint_ne(world.out[0].destination.port_be, world.out[1].destination.port_be);
	ck_assert_uint_eq(world.region.workers[0].forwarded, 1);
	ck_assert_uint_eq(world.region.workers[0].originated, 2);
	world_clear(&world);
	// One of them gone again: the others are not disturbed.
	ck_assert_int_eq(world_gain(&world, context, a.id, c.id, 0), 0);
	talk(&a, 1);
	ck_assert_uint_eq(world.out_count, 2);
	ck_assert_uint_eq(world.out[0].rtp.marker, 0);
}
END_TEST

START_TEST(fan_out_with_nobody_able_to_take_it)
{
	struct td_command command;

	open_two();
	world_party(&world, context, "10.77.0.30", 8000, 0xcccc, &c);
	ck_assert_int_eq(world_gain(&world, context, a.id, b.id, TD_GAIN_UNITY), 0);
	ck_assert_int_eq(world_gain(&world, context, a.id, c.id, TD_GAIN_UNITY), 0);
	command = world_set_remote(&c, TD_CODEC_PCMU);
	command.u.stream_set_remote.remote.port_be = 0;
	world_do(&world, &command);
	talk(&a, 1);
	ck_assert_uint_eq(world.out_count, 1); // b has it
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SINK_NO_REMOTE), 0);
	command = world_set_remote(&b, TD_CODEC_PCMU);
	command.u.stream_set_remote.remote.port_be = 0;
	world_do(&world, &command);
	talk(&a, 1);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SINK_NO_REMOTE), 1);
}
END_TEST

START_TEST(vectors_longer_than_the_stage)
{
	struct td_packet packets[3 * TD_MEDIA_VECTOR - 5];
	const uint32_t count = sizeof packets / sizeof packets[0];

	open_two();
	world_connect(&world, context, &a, &b);
	talk(&a, 1);
	for (uint32_t i = 0; i < count; i++) {
		struct frame frame;

		world_frame(&a, 160, &frame);
		ck_assert_int_eq(
			frame_parse(&world.net, frame_mbuf(world.net.pool, &frame), &packets[i]),
			0);
		packets[i].stream = td_handle_index(a.id.v);
		a.sequence++;
		a.timestamp += 160;
	}
	world.handed[0] += count;
	td_role_enter_worker(0);
	td_media_rtp(td_engine_worker(world.engine, 0), packets, count, world.now_ns, &world.tx[0]);
	ck_assert_uint_eq(world.region.workers[0].forwarded, count + 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("forward");
	TCase *tcase = tcase_create("forward");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, byte_exact);
	tcase_add_test(tcase, checksum_of_zero_stays_zero);
	tcase_add_test(tcase, wrong_checksum_stays_wrong);
	tcase_add_loop_test(tcase, between_address_families, 0, 4);
	tcase_add_test(tcase, off_link_goes_to_the_gateway);
	tcase_add_test(tcase, header_extension_and_csrc_go_through);
	tcase_add_test(tcase, payload_types_are_mapped);
	tcase_add_test(tcase, fan_out);
	tcase_add_test(tcase, fan_out_with_nobody_able_to_take_it);
	tcase_add_test(tcase, vectors_longer_than_the_stage);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

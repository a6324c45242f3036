// Turns of real workers with the real engine: what comes in is sent, answered, handed to its owner or
// counted, with one worker and with two on a port that has one queue, and no mbuf is ever missing.
#include <check.h>

#include "rig.h"

static struct rig rig;
static struct frame frame;

static void teardown(void)
{
	rig_close(&rig);
}

static void quiet_start(uint32_t workers)
{
	rig_open(&rig, workers);
	// Past the announcements.
	rig_run(&rig, 6001);
	rig_flush(&rig);
}

static void setup1(void)
{
	quiet_start(1);
}

static void setup2(void)
{
	quiet_start(2);
}

static void know(const char *addr)
{
	frame_arp(&frame, 2, frame_peer_mac, addr, "10.77.0.2");
	rig_inject(&rig, &frame);
	rig_run(&rig, 1);
	rig_flush(&rig);
}

START_TEST(test_announcements)
{
	unsigned arp = 0, nd = 0;
	struct rte_mbuf *mbuf;

	rig_open(&rig, 1);
	rig_run(&rig, 6001);
	while ((mbuf = rig_take(&rig))) {
		const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);

		arp += bytes[12] == 0x08 && bytes[13] == 0x06;
		nd += bytes[12] == 0x86 && bytes[54] == 136;
		rte_pktmbuf_free(mbuf);
	}
	ck_assert_uint_eq(arp, TD_ANNOUNCE_COUNT);
	ck_assert_uint_eq(nd, TD_ANNOUNCE_COUNT);
	ck_assert_uint_eq(rig.region.workers[0].ticks, 6001);
	rig_close(&rig);
}
END_TEST

START_TEST(test_mixed_bag)
{
	struct td_worker_stats before = rig.region.workers[0];
	const struct td_worker_stats *after = &rig.region.workers[0];

	for (int i = 0; i < 100; i++) {
		frame_arp(&frame, 1, frame_peer_mac, "10.77.0.10", "10.77.0.2");
		rig_inject(&rig, &frame);
		frame_arp(&frame, 1, frame_peer_mac, "10.77.0.10", "10.77.0.9");
		rig_inject(&rig, &frame);
		frame_icmp(&frame, "10.77.0.10", "10.77.0.2", 8, "\0\1\0\1ping", 8);
		rig_inject(&rig, &frame);
		rig_rtp(&frame, "10.77.0.10", 4000, 20000, 1);
		rig_inject(&rig, &frame);
		frame.bytes[frame.l3 + 10] ^= 1;
		rig_inject(&rig, &frame);
	}
	rig_run(&rig, 20);
	ck_assert_uint_eq(after->rx_packets - before.rx_packets, 500);
	ck_assert_uint_eq(after->consumed - before.consumed, 200);
	ck_assert_uint_eq(after->originated - before.originated, 200);
	ck_assert_uint_eq(after->tx_packets - before.tx_packets, 200);
	ck_assert_uint_eq(rig_drops(&rig, TD_DROP_ARP_NOT_OURS), 100);
	ck_assert_uint_eq(rig_drops(&rig, TD_DROP_PORT_CLOSED), 100);
	ck_assert_uint_eq(rig_drops(&rig, TD_DROP_IPV4_CHECKSUM), 100);
	ck_assert_uint_eq(rig_flush(&rig), 200);
	rig_check_identity(&rig);
}
END_TEST

struct call {
	struct td_context_id context;
	struct td_event_stream_created a, b;
	uint16_t port_a, port_b;
};

static struct call connect_call(const char *addr_a, const char *addr_b)
{
	struct call call;

	call.context = rig_context(&rig);
	call.a = rig_stream(&rig, call.context);
	call.b = rig_stream(&rig, call.context);
	rig_remote(&rig, call.a.stream, addr_a, 4000);
	rig_remote(&rig, call.b.stream, addr_b, 5000);
	rig_hear(&rig, call.context, call.a.stream, call.b.stream);
	rig_hear(&rig, call.context, call.b.stream, call.a.stream);
	call.port_a = __builtin_bswap16(call.a.local.port_be);
	call.port_b = __builtin_bswap16(call.b.local.port_be);
	return call;
}

// Sends `count` packets of A and returns how many came out toward B's address, all right.
static unsigned relay(const struct call *call, unsigned count, uint16_t first)
{
	struct rte_mbuf *mbuf;
	unsigned right = 0;

	for (unsigned i = 0; i < count; i++) {
		rig_rtp(&frame, "10.77.0.10", 4000, call->port_a, (uint16_t)(first + i));
		rig_inject(&rig, &frame);
		if (i % 16 == 15)
			rig_run(&rig, 1);
	}
	rig_run(&rig, 8);
	while ((mbuf = rig_take(&rig))) {
		const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);

		if (bytes[12] == 0x08 && bytes[13] == 0 &&
		    memcmp(bytes + 30, "\x0a\x4d\0\x14", 4) == 0 && bytes[42] == 0x80 &&
		    frame_checksums_right(mbuf) && memcmp(bytes, frame_peer_mac, 6) == 0)
			right++;
		rte_pktmbuf_free(mbuf);
	}
	return right;
}

START_TEST(test_forward)
{
	struct call call = connect_call("10.77.0.10", "10.77.0.20");

	know("10.77.0.20");
	know("10.77.0.10");
	// RFC 3550 A.1: a new source is on probation for its first packet.
	ck_assert_uint_ge(relay(&call, 64, 100), 62);
	ck_assert_uint_eq(relay(&call, 256, 164), 256);
	rig_check_identity(&rig);
}
END_TEST

// `bursts` full ones of a flood towards a port where nobody listens, with `each` packets of the call in
// every one.
static void inject_flood(const struct call *call, unsigned bursts, unsigned each,
			 uint16_t *sequence)
{
	for (unsigned i = 0; i < bursts * TD_WORKER_BURST; i++) {
		if (i % TD_WORKER_BURST < each)
			rig_rtp(&frame, "10.77.0.10", 4000, call->port_a, (*sequence)++);
		else
			rig_rtp(&frame, "10.77.0.66", 4000, 21022, (uint16_t)i);
		rig_inject(&rig, &frame);
	}
}

// How many packets one turn receives of what has come; `forwarded` of them go on.
static uint64_t received_by_a_turn(uint64_t forwarded)
{
	const struct td_worker_stats *stats = &rig.region.workers[0];
	struct td_worker_stats before = *stats;

	rig_turn(&rig);
	ck_assert_uint_eq(stats->forwarded - before.forwarded, forwarded);
	return stats->rx_packets - before.rx_packets;
}

// What little a flood leaves of a burst is worked on with that of the next ones, in the same turn: of so
// many that one turn's work stays bounded, and of none that are not there.
START_TEST(test_gathers_in_a_flood)
{
	struct call call = connect_call("10.77.0.10", "10.77.0.20");
	uint16_t sequence = 164, expected = 0;
	struct rte_mbuf *mbuf;
	unsigned count = 0;

	know("10.77.0.20");
	know("10.77.0.10");
	relay(&call, 64, 100);
	inject_flood(&call, 9, 5, &sequence);
	ck_assert_uint_eq(received_by_a_turn(20), 4 * TD_WORKER_BURST);
	ck_assert_uint_eq(received_by_a_turn(20), 4 * TD_WORKER_BURST);
	ck_assert_uint_eq(received_by_a_turn(5), TD_WORKER_BURST);
	inject_flood(&call, 3, 30, &sequence);
	ck_assert_uint_eq(received_by_a_turn(60), 2 * TD_WORKER_BURST);
	ck_assert_uint_eq(received_by_a_turn(30), TD_WORKER_BURST);
	inject_flood(&call, 2, TD_WORKER_BURST, &sequence);
	ck_assert_uint_eq(received_by_a_turn(TD_WORKER_BURST), TD_WORKER_BURST);
	ck_assert_uint_eq(received_by_a_turn(TD_WORKER_BURST), TD_WORKER_BURST);
	rig_run(&rig, 3);
	while ((mbuf = rig_take(&rig))) {
		const uint8_t *rtp = rte_pktmbuf_mtod(mbuf, const uint8_t *) + 42;

		if (mbuf->data_len > 42 + 12 && rtp[1] == 0) {
			uint16_t out = (uint16_t)(rtp[2] << 8 | rtp[3]);

			ck_assert(count++ == 0 || out == expected);
			expected = (uint16_t)(out + 1u);
		}
		rte_pktmbuf_free(mbuf);
	}
	ck_assert_uint_eq(count, 45 + 90 + 2 * TD_WORKER_BURST);
	ck_assert_uint_eq(rig_drops(&rig, TD_DROP_PORT_CLOSED), 9 * 59 + 3 * 34);
	rig_check_identity(&rig);
}
END_TEST

// Two contexts on two workers, one queue: the one that polls forwards its own, hands over the rest.
START_TEST(test_steer)
{
	struct call first = connect_call("10.77.0.10", "10.77.0.20");
	struct call second = connect_call("10.77.0.10", "10.77.0.20");
	const struct td_worker_stats *polls = &rig.region.workers[0];
	const struct td_worker_stats *other = &rig.region.workers[1];

	ck_assert_uint_eq(rig.workers->workers[1]->poll_count, 0);
	ck_assert_ptr_nonnull(rig.workers->workers[1]->tx.ports[0].handover);
	know("10.77.0.20");
	know("10.77.0.10");
	relay(&first, 16, 100);
	relay(&second, 16, 100);
	ck_assert_uint_eq(relay(&first, 160, 116), 160);
	ck_assert_uint_eq(relay(&second, 160, 116), 160);
	ck_assert_uint_eq(polls->steered_out, 176);
	ck_assert_uint_eq(other->steered_in, 176);
	ck_assert_uint_ge(other->forwarded, 174);
	ck_assert_uint_ge(polls->forwarded, 174);
	ck_assert_uint_eq(other->tx_packets, 0); // it has no queue: the owner of the queue sends
	rig_check_identity(&rig);
}
END_TEST

// A worker that does not turn: its ring fills, the rest is counted, nothing is lost track of; what
// waited for a stream that has gone meanwhile is dropped as a closed port.
START_TEST(test_steer_full_and_stale)
{
	struct call calls[2] = { connect_call("10.77.0.10", "10.77.0.20"),
				 connect_call("10.77.0.10", "10.77.0.20") };
	struct call *on_second = NULL;
	unsigned sent = 0;

	for (int i = 0; i < 2; i++) {
		uint32_t entry = td_demux_lookup(rig.demux, 0, calls[i].port_a);

		if (td_demux_worker(entry) == 1)
			on_second = &calls[i];
	}
	ck_assert_ptr_nonnull(on_second);
	rig_rtp(&frame, "10.77.0.10", 4000, on_second->port_a, 1);
	td_role_enter_worker(0);
	for (; sent < TD_STEER_RING + 500; sent++) {
		rig_inject(&rig, &frame);
		if (sent % 32 == 31)
			td_worker_turn(rig.workers->workers[0], rig.now_ns);
	}
	for (int i = 0; i < 4; i++)
		td_worker_turn(rig.workers->workers[0], rig.now_ns);
	ck_assert_uint_eq(rig_drops(&rig, TD_DROP_STEER_FULL), sent - (TD_STEER_RING - 1));
	td_demux_unpublish(rig.demux, 0, on_second->port_a);
	rig_run(&rig, 200);
	ck_assert_uint_eq(rig_drops(&rig, TD_DROP_PORT_CLOSED), TD_STEER_RING - 1);
	rig_check_identity(&rig);
}
END_TEST

// Nobody takes what we send: the port's ring fills and every refused packet is counted.
START_TEST(test_tx_full)
{
	frame_icmp(&frame, "10.77.0.10", "10.77.0.2", 8, "\0\1\0\1ping", 8);
	for (unsigned i = 0; i < 3200; i++) {
		rig_inject(&rig, &frame);
		if (i % 32 == 31)
			rig_turn(&rig);
	}
	ck_assert_uint_eq(rig_drops(&rig, TD_DROP_TX_FULL), 3200 - RIG_SENT_MAX);
	ck_assert_uint_eq(rig_flush(&rig), RIG_SENT_MAX);
	rig_check_identity(&rig);
}
END_TEST

// The owner of the only queue does not turn: what the other worker hands over fills the ring between
// them, and the rest is counted by the one that could not hand it over.
START_TEST(test_handover_full)
{
	struct td_worker *other = rig.workers->workers[1];
	unsigned capacity = rte_ring_get_capacity(other->tx.ports[0].handover);

	frame_icmp(&frame, "10.77.0.2", "10.77.0.10", 0, "\0\1\0\1pong", 8);
	td_role_enter_worker(1);
	for (unsigned i = 0; i < capacity + 300; i++)
		td_tx_push(&other->tx, 0, frame_mbuf(rig.world.pool, &frame));
	td_worker_turn(other, rig.now_ns);
	ck_assert_uint_eq(rig.region.workers[1].drops[TD_DROP_TX_FULL], 300);
	ck_assert_uint_eq(rig.region.workers[1].tx_packets, 0);
	rig_run(&rig, 100);
	ck_assert_uint_eq(rig_flush(&rig), RIG_SENT_MAX);
	ck_assert_uint_eq(rig_drops(&rig, TD_DROP_TX_FULL), 300 + capacity - RIG_SENT_MAX);
}
END_TEST

START_TEST(test_next_hop_is_asked_for)
{
	struct td_context_id context = rig_context(&rig);
	struct td_event_stream_created stream = rig_stream(&rig, context);
	struct rte_mbuf *mbuf;
	unsigned asked = 0;

	rig_remote(&rig, stream.stream, "192.0.2.9", 4000);
	rig_run(&rig, 3);
	while ((mbuf = rig_take(&rig))) {
		const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);

		// Off link: the gateway is asked for.
		asked += bytes[13] == 0x06 && memcmp(bytes + 38, "\x0a\x4d\0\1", 4) == 0;
		rte_pktmbuf_free(mbuf);
	}
	ck_assert_uint_eq(asked, 1);
}
END_TEST

START_TEST(test_time_is_accounted)
{
	const struct td_worker_stats *stats = &rig.region.workers[0];
	struct td_worker_stats before = *stats;

	rig_run(&rig, 10);
	ck_assert_uint_eq(stats->turns - before.turns, 10);
	ck_assert_uint_eq(stats->heartbeat_ns, rig.now_ns);
	ck_assert_uint_eq(stats->busy_ns + stats->idle_ns - before.busy_ns - before.idle_ns,
			  10000000);
	rig.now_ns += 5000000;
	rig_turn(&rig);
	ck_assert_uint_eq(stats->tick_late_max_us, 4000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("worker");
	TCase *alone = tcase_create("alone"), *one = tcase_create("one"),
	      *two = tcase_create("two");
	SRunner *runner = srunner_create(suite);
	int failed;

	frame_environment();
	srunner_set_fork_status(runner, CK_NOFORK);
	tcase_add_test(alone, test_announcements);
	tcase_add_checked_fixture(one, setup1, teardown);
	tcase_add_test(one, test_mixed_bag);
	tcase_add_test(one, test_forward);
	tcase_add_test(one, test_gathers_in_a_flood);
	tcase_add_test(one, test_tx_full);
	tcase_add_test(one, test_next_hop_is_asked_for);
	tcase_add_test(one, test_time_is_accounted);
	tcase_add_checked_fixture(two, setup2, teardown);
	tcase_add_test(two, test_mixed_bag);
	tcase_add_test(two, test_forward);
	tcase_add_test(two, test_steer);
	tcase_add_test(two, test_steer_full_and_stale);
	tcase_add_test(two, test_handover_full);
	suite_add_tcase(suite, alone);
	suite_add_tcase(suite, one);
	suite_add_tcase(suite, two);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

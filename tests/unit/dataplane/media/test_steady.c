// The short way goes by what the long one has found out. Whatever that was about changes under it: the
// next frame is the new listener's, from the new speaker, with checksums that are right.
#include "world.h"

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

// Some packets of `from`, all of them sent on to where `to` is now.
static void talk(struct world_party *from, const struct world_party *to)
{
	for (unsigned i = 0; i < 5; i++) {
		world.now_ns += 20 * WORLD_MS;
		world_say(&world, from);
		ck_assert_uint_eq(world.out_count, 1);
		ck_assert(frame_checksums_right(world.out[0].mbuf));
		ck_assert_uint_eq(world.out[0].destination.port_be, __builtin_bswap16(to->port));
		ck_assert_uint_eq(world.out[0].source.port_be, to->local.port_be);
		world_clear(&world);
	}
}

static void move(struct world_party *party, uint16_t port)
{
	struct td_command command;

	party->port = port;
	command = world_set_remote(party, TD_CODEC_PCMU);
	world_do(&world, &command);
}

START_TEST(listener_moves)
{
	talk(&a, &b);
	move(&b, 6543);
	talk(&a, &b);
	move(&b, 7);
	talk(&a, &b);
}
END_TEST

START_TEST(speaker_moves)
{
	talk(&a, &b);
	move(&a, 4321);
	talk(&a, &b);
	a.ssrc = 0xfedc1234;
	move(&a, 9);
	world_say(&world, &a); // another SSRC is not believed before its second packet
	ck_assert_uint_eq(world.out_count, 0);
	talk(&a, &b);
}
END_TEST

static _Atomic uint64_t *hop_of(const struct world_party *party)
{
	struct td_endpoint to = frame_endpoint(party->addr, party->port);
	uint32_t index;

	td_role_enter_main();
	ck_assert_int_eq(td_neighbour_get(world.net.neighbours, 0, &to, &index), 0);
	td_neighbour_put(world.net.neighbours, index);
	return &world.net.neighbours->hot[index].word;
}

// The first packet from the new place is accepted, and is not sent: what it would have settled is open.
START_TEST(speaker_moves_while_the_listener_is_out_of_reach)
{
	_Atomic uint64_t *hop = hop_of(&b);
	uint64_t word = atomic_load(hop);

	talk(&a, &b);
	move(&a, 4321);
	atomic_store(hop, 0);
	for (unsigned i = 0; i < 3; i++)
		world_say(&world, &a);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_NEIGHBOUR_UNRESOLVED), 3);
	ck_assert_uint_eq(world.out_count, 0);
	atomic_store(hop, word);
	talk(&a, &b);
}
END_TEST

START_TEST(next_hop_has_another_mac)
{
	_Atomic uint64_t *hop = hop_of(&b);

	talk(&a, &b);
	atomic_fetch_xor(hop, 0x010000000000u);
	world_say(&world, &a);
	ck_assert_uint_eq(rte_pktmbuf_mtod(world.out[0].mbuf, uint8_t *)[5], 20 ^ 1);
	ck_assert(frame_checksums_right(world.out[0].mbuf));
}
END_TEST

// Frames that are not plain go the long way in between; the short one goes on behind them.
START_TEST(between_others)
{
	struct frame frame;

	talk(&a, &b);
	for (unsigned i = 0; i < 8; i++) {
		world_frame(&a, 160, &frame);
		if (i % 2 != 0)
			frame_tag(&frame, 0xe000); // priority only
		if (i % 4 == 0)
			memset(frame.bytes + frame.l4 + 6, 0, 2); // no checksum
		ck_assert(world_send(&world, &frame));
		ck_assert_uint_eq(world.out_count, 1);
		ck_assert_uint_eq(world.out[0].mbuf->data_len, 14 + 20 + 8 + 172);
		ck_assert_int_eq(frame_checksums_right(world.out[0].mbuf), i % 4 != 0);
		a.sequence++;
		a.timestamp += 160;
		world_clear(&world);
	}
	talk(&a, &b);
}
END_TEST

// As a network card marks what it has checked: nothing of it goes out.
START_TEST(marks_of_the_card)
{
	struct td_packet packet;
	struct frame frame;
	struct rte_mbuf *mbuf;
	void *sent;

	talk(&a, &b);
	world_frame(&a, 160, &frame);
	mbuf = frame_mbuf(world.net.pool, &frame);
	mbuf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	ck_assert_int_eq(frame_parse(&world.net, mbuf, &packet), 0);
	ck_assert_uint_eq(packet.flags, TD_PACKET_PLAIN | TD_PACKET_CHECKSUM_VERIFIED);
	packet.stream = td_handle_index(a.id.v);
	world.handed[0]++;
	td_role_enter_worker(0);
	td_media_rtp(td_engine_worker(world.engine, 0), &packet, 1, world.now_ns, &world.tx[0]);
	td_tx_flush(&world.tx[0]);
	ck_assert_int_eq(rte_ring_dequeue(world.wire, &sent), 0);
	ck_assert_ptr_eq(sent, mbuf);
	ck_assert_uint_eq(mbuf->ol_flags, 0);
	ck_assert(frame_checksums_right(mbuf));
	rte_pktmbuf_free(mbuf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("media steady");
	TCase *tcase = tcase_create("steady");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, listener_moves);
	tcase_add_test(tcase, speaker_moves);
	tcase_add_test(tcase, speaker_moves_while_the_listener_is_out_of_reach);
	tcase_add_test(tcase, next_hop_has_another_mac);
	tcase_add_test(tcase, between_others);
	tcase_add_test(tcase, marks_of_the_card);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

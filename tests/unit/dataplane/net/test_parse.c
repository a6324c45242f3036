// The parser: every malformed frame under its own drop counter, truncation at every byte.
#include <check.h>
#include <rte_ip.h>

#include "fixture.h"
#include "net/udp.h"

static uint8_t *l4(void)
{
	return frame.bytes + frame.l4;
}

// Each row spoils a good frame in one way; `fix` puts the checksums right again afterwards.
static void spoil_mac(void)
{
	frame.bytes[5] ^= 1;
}
static void spoil_mac_source(void)
{
	frame.bytes[6] |= 1;
}
static void spoil_mac_broadcast(void)
{
	memset(frame.bytes, 0xff, 6);
}
static void spoil_mac_multicast(void)
{
	frame.bytes[0] |= 1;
}
static void spoil_ethertype(void)
{
	frame.bytes[12] = 0x88;
}
static void spoil_llc(void)
{
	frame.bytes[12] = 0;
}
static void spoil_vlan(void)
{
	frame_tag(&frame, 7);
}
static void spoil_version(void)
{
	fixture_l3()[0] = 0x55;
}
static void spoil_ihl(void)
{
	fixture_l3()[0] = 0x44;
}
static void spoil_total_short(void)
{
	fixture_l3()[2] = 0;
	fixture_l3()[3] = 19;
}
static void spoil_total_long(void)
{
	fixture_l3()[3]++;
}
static void spoil_checksum(void)
{
	fixture_l3()[10] ^= 1;
}
static void spoil_more_fragments(void)
{
	fixture_l3()[6] |= 0x20;
}
static void spoil_offset(void)
{
	fixture_l3()[7] = 1;
}
static void spoil_destination(void)
{
	fixture_l3()[19] = 3;
}
static void spoil_source_zero(void)
{
	fixture_l3()[12] = 0;
}
static void spoil_source_loopback(void)
{
	fixture_l3()[12] = 127;
}
static void spoil_source_multicast(void)
{
	fixture_l3()[12] = 224;
}
static void spoil_source_broadcast(void)
{
	memset(fixture_l3() + 12, 255, 4);
}
static void spoil_source_own(void)
{
	fixture_l3()[15] = 2;
}
static void spoil_protocol(void)
{
	fixture_l3()[9] = 6;
}
static void spoil_udp_short(void)
{
	l4()[4] = 0;
	l4()[5] = 7;
}
static void spoil_udp_long(void)
{
	l4()[5]++;
}
static void spoil_version6(void)
{
	fixture_l3()[0] = 0x40;
}
static void spoil_length6(void)
{
	fixture_l3()[5]++;
}
static void spoil_destination6(void)
{
	fixture_l3()[39] = 3;
}
static void spoil_source6_multicast(void)
{
	fixture_l3()[8] = 0xff;
}
static void spoil_source6_own(void)
{
	memcpy(fixture_l3() + 8, fixture_l3() + 24, 16);
}
static void spoil_source6_zero(void)
{
	memset(fixture_l3() + 8, 0, 16);
}
static void spoil_source6_loopback(void)
{
	memset(fixture_l3() + 8, 0, 15);
	fixture_l3()[23] = 1;
}
static void spoil_source6_mapped(void)
{
	memset(fixture_l3() + 8, 0, 10);
	memset(fixture_l3() + 18, 255, 2);
}
static void spoil_protocol6(void)
{
	fixture_l3()[6] = 6;
}
static void spoil_no_next6(void)
{
	fixture_l3()[6] = 59;
}
static void spoil_fragment6(void)
{
	fixture_l3()[6] = 44;
}
static void spoil_udp_zero6(void)
{
	l4()[6] = l4()[7] = 0;
}
static void spoil_group6(void)
{
	memcpy(fixture_l3() + 24, "\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
}
static void spoil_other_group6(void)
{
	memcpy(fixture_l3() + 24, "\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\2", 16);
}

static const struct {
	const char *what;
	void (*good)(void);
	void (*spoil)(void);
	int fix;
	enum td_drop drop;
} bad_rows[] = {
	{ "foreign MAC", fixture_good4, spoil_mac, 0, TD_DROP_MAC_NOT_OURS },
	{ "source MAC is a group", fixture_good4, spoil_mac_source, 0, TD_DROP_MAC_SOURCE },
	{ "unicast in a broadcast", fixture_good4, spoil_mac_broadcast, 0, TD_DROP_MAC_NOT_OURS },
	{ "unicast in a multicast", fixture_good4, spoil_mac_multicast, 0, TD_DROP_MAC_NOT_OURS },
	{ "IPv6 unicast in a multicast", fixture_good6, spoil_mac_multicast, 0,
	  TD_DROP_MAC_NOT_OURS },
	{ "ethertype", fixture_good4, spoil_ethertype, 0, TD_DROP_ETHERTYPE },
	{ "LLC, as a bridge's STP", fixture_good4, spoil_llc, 0, TD_DROP_ETHERTYPE },
	{ "tagged", fixture_good4, spoil_vlan, 0, TD_DROP_VLAN_UNKNOWN },
	{ "version", fixture_good4, spoil_version, 0, TD_DROP_IPV4_HEADER },
	{ "header length", fixture_good4, spoil_ihl, 0, TD_DROP_IPV4_HEADER },
	{ "total length below the header", fixture_good4, spoil_total_short, 0,
	  TD_DROP_IPV4_LENGTH },
	{ "total length beyond the frame", fixture_good4, spoil_total_long, 0,
	  TD_DROP_IPV4_LENGTH },
	{ "header checksum", fixture_good4, spoil_checksum, 0, TD_DROP_IPV4_CHECKSUM },
	{ "first fragment", fixture_good4, spoil_more_fragments, 1, TD_DROP_IP_FRAGMENT },
	{ "later fragment", fixture_good4, spoil_offset, 1, TD_DROP_IP_FRAGMENT },
	{ "destination", fixture_good4, spoil_destination, 1, TD_DROP_IP_NOT_OURS },
	{ "source 0/8", fixture_good4, spoil_source_zero, 1, TD_DROP_IP_SOURCE },
	{ "source loopback", fixture_good4, spoil_source_loopback, 1, TD_DROP_IP_SOURCE },
	{ "source multicast", fixture_good4, spoil_source_multicast, 1, TD_DROP_IP_SOURCE },
	{ "source broadcast", fixture_good4, spoil_source_broadcast, 1, TD_DROP_IP_SOURCE },
	{ "source ourselves", fixture_good4, spoil_source_own, 1, TD_DROP_IP_SOURCE },
	{ "TCP", fixture_good4, spoil_protocol, 1, TD_DROP_IP_PROTOCOL },
	{ "UDP length below 8", fixture_good4, spoil_udp_short, 0, TD_DROP_UDP_LENGTH },
	{ "UDP length beyond the datagram", fixture_good4, spoil_udp_long, 0, TD_DROP_UDP_LENGTH },
	{ "IPv6 version", fixture_good6, spoil_version6, 0, TD_DROP_IPV6_HEADER },
	{ "IPv6 length", fixture_good6, spoil_length6, 0, TD_DROP_IPV6_HEADER },
	{ "IPv6 destination", fixture_good6, spoil_destination6, 0, TD_DROP_IP_NOT_OURS },
	{ "IPv6 source group", fixture_good6, spoil_source6_multicast, 0, TD_DROP_IP_SOURCE },
	{ "IPv6 source ourselves", fixture_good6, spoil_source6_own, 0, TD_DROP_IP_SOURCE },
	{ "IPv6 source unspecified", fixture_good6, spoil_source6_zero, 0, TD_DROP_IP_SOURCE },
	{ "IPv6 source loopback", fixture_good6, spoil_source6_loopback, 0, TD_DROP_IP_SOURCE },
	{ "IPv6 source IPv4-mapped", fixture_good6, spoil_source6_mapped, 0, TD_DROP_IP_SOURCE },
	{ "IPv6 TCP", fixture_good6, spoil_protocol6, 0, TD_DROP_IP_PROTOCOL },
	{ "IPv6 no next header", fixture_good6, spoil_no_next6, 0, TD_DROP_IP_PROTOCOL },
	{ "IPv6 fragment", fixture_good6, spoil_fragment6, 0, TD_DROP_IP_FRAGMENT },
	{ "IPv6 UDP without checksum", fixture_good6, spoil_udp_zero6, 0, TD_DROP_UDP_CHECKSUM },
	{ "UDP to a group", fixture_good6, spoil_group6, 0, TD_DROP_IP_NOT_OURS },
	{ "to a group that is not ours", fixture_good6, spoil_other_group6, 0,
	  TD_DROP_IP_NOT_OURS },
};

START_TEST(test_bad)
{
	struct td_packet packet;
	int result;

	bad_rows[_i].good();
	ck_assert_int_eq(fixture_parse(&packet), 0);
	bad_rows[_i].spoil();
	if (bad_rows[_i].fix)
		frame_checksums(&frame);
	result = fixture_parse(&packet);
	ck_assert_msg(result == 1 + (int)bad_rows[_i].drop, "%s: %s", bad_rows[_i].what,
		      result ? td_drop_name((enum td_drop)(result - 1)) : "accepted");
}
END_TEST

START_TEST(test_vlan_port)
{
	struct td_packet packet;
	struct rte_mbuf *mbuf;

	world.ports[0].vlan = 7;
	fixture_good4();
	ck_assert_int_eq(fixture_parse(&packet), 1 + TD_DROP_VLAN_UNKNOWN);
	frame_tag(&frame, 8);
	ck_assert_int_eq(fixture_parse(&packet), 1 + TD_DROP_VLAN_UNKNOWN);
	fixture_good4();
	frame_tag(&frame, 0xa007);
	ck_assert_int_eq(fixture_parse(&packet), 0);
	ck_assert_uint_eq(packet.l2_len, 18);
	fixture_good4(); // a driver that strips the tag
	mbuf = frame_mbuf(world.pool, &frame);
	mbuf->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	mbuf->vlan_tci = 7;
	ck_assert_int_eq(frame_parse(&world, mbuf, &packet), 0);
	ck_assert_uint_eq(packet.l2_len, 14);
	rte_pktmbuf_free(mbuf);
}
END_TEST

// Cut at every byte, the frame never parses: every length is held against the bytes there are.
START_TEST(test_truncation)
{
	uint32_t whole;

	if (_i == 0)
		fixture_good4();
	else if (_i == 1)
		fixture_good6();
	else
		frame_nd(&frame, "fd77::10", "ff02::1:ff00:2", 135, 0, "fd77::2", 1,
			 frame_peer_mac);
	whole = frame.len;
	for (frame.len = 0; frame.len < whole; frame.len++) {
		struct td_packet packet;

		ck_assert_msg(fixture_parse(&packet) != 0, "accepted at %u of %u", frame.len,
			      whole);
	}
}
END_TEST

START_TEST(test_multisegment)
{
	struct td_packet packet;
	struct rte_mbuf *mbuf, *tail;

	fixture_good4();
	mbuf = frame_mbuf(world.pool, &frame);
	tail = frame_mbuf(world.pool, &frame);
	ck_assert_int_eq(rte_pktmbuf_chain(mbuf, tail), 0);
	ck_assert_int_eq(frame_parse(&world, mbuf, &packet), 1 + TD_DROP_FRAME_MULTISEGMENT);
	rte_pktmbuf_free(mbuf);
}
END_TEST

START_TEST(test_wrong_port_for_address)
{
	struct td_packet packet;
	struct rte_mbuf *mbuf;

	memcpy(world.ports[1].mac, frame_our_mac, 6);
	fixture_good4();
	mbuf = frame_mbuf(world.pool, &frame);
	ck_assert_int_eq(td_parse_frame(&world.parse, 1, mbuf, &packet), 1 + TD_DROP_IP_NOT_OURS);
	rte_pktmbuf_free(mbuf);
}
END_TEST

START_TEST(test_nic_checksum_flags)
{
	struct td_packet packet;
	struct rte_mbuf *mbuf;

	fixture_good4();
	mbuf = frame_mbuf(world.pool, &frame);
	mbuf->ol_flags = RTE_MBUF_F_RX_L4_CKSUM_BAD;
	ck_assert_int_eq(frame_parse(&world, mbuf, &packet), 1 + TD_DROP_UDP_CHECKSUM);
	mbuf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_BAD;
	ck_assert_int_eq(frame_parse(&world, mbuf, &packet), 1 + TD_DROP_IPV4_CHECKSUM);
	mbuf->ol_flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	rte_pktmbuf_mtod(mbuf, uint8_t *)[14 + 10] ^= 1;
	ck_assert_int_eq(frame_parse(&world, mbuf, &packet), 0);
	ck_assert(packet.flags & TD_PACKET_CHECKSUM_VERIFIED);
	rte_pktmbuf_free(mbuf);
}
END_TEST

START_TEST(test_udp_checksum)
{
	struct td_packet packet;
	struct rte_mbuf *mbuf;

	for (int v6 = 0; v6 < 2; v6++) {
		if (v6)
			fixture_good6();
		else
			fixture_good4();
		l4()[8] ^= 0x10;
		mbuf = frame_mbuf(world.pool, &frame);
		ck_assert_int_eq(frame_parse(&world, mbuf, &packet), 0);
		ck_assert(!td_udp_checksum_ok(&packet));
		rte_pktmbuf_free(mbuf);
	}
	fixture_good4();
	l4()[6] = l4()[7] = 0;
	mbuf = frame_mbuf(world.pool, &frame);
	ck_assert_int_eq(frame_parse(&world, mbuf, &packet), 0);
	ck_assert(td_udp_checksum_ok(&packet));
	rte_pktmbuf_free(mbuf);
}
END_TEST

// A vector of good, bad and other: each where it belongs, each bad one freed and counted once.
START_TEST(test_burst)
{
	struct td_packet udp[TD_PARSE_VECTOR], other[TD_PARSE_VECTOR];
	struct rte_mbuf *mbufs[TD_PARSE_VECTOR];
	uint32_t udp_count, other_count = 99;
	uint64_t drops = 0;

	for (uint32_t i = 0; i < TD_PARSE_VECTOR; i++) {
		if (i % 4 == 3)
			frame_arp(&frame, 1, frame_peer_mac, "10.77.0.10", "10.77.0.2");
		else
			fixture_good4();
		if (i % 4 == 1)
			spoil_checksum();
		mbufs[i] = frame_mbuf(world.pool, &frame);
	}
	udp_count = td_parse_burst(&world.parse, 0, mbufs, TD_PARSE_VECTOR, udp, other,
				   &other_count, &world.stats);
	ck_assert_uint_eq(udp_count, TD_PARSE_VECTOR / 2);
	ck_assert_uint_eq(other_count, TD_PARSE_VECTOR / 4);
	ck_assert_uint_eq(world.stats.drops[TD_DROP_IPV4_CHECKSUM], TD_PARSE_VECTOR / 4);
	for (int i = 0; i < TD_DROP_COUNT; i++)
		drops += world.stats.drops[i];
	ck_assert_uint_eq(drops, TD_PARSE_VECTOR / 4);
	for (uint32_t i = 0; i < udp_count; i++)
		rte_pktmbuf_free(udp[i].mbuf);
	for (uint32_t i = 0; i < other_count; i++) {
		ck_assert_uint_eq(other[i].kind, TD_PACKET_ARP);
		rte_pktmbuf_free(other[i].mbuf);
	}
}
END_TEST

#define JUMBO_BYTES 9000u

// What a link with a larger MTU than ours brings: as much of the frame as each mbuf has room for.
static struct rte_mbuf *jumbo_mbuf(void)
{
	struct rte_mbuf *mbuf, *tail;
	struct rte_ipv4_hdr *ip;
	uint16_t udp_len_be;

	frame_udp(&frame, "10.77.0.10", 5000, "10.77.0.2", 6000, 1400);
	ip = (struct rte_ipv4_hdr *)(void *)fixture_l3();
	ip->total_length = __builtin_bswap16((uint16_t)(JUMBO_BYTES - frame.l3));
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp_len_be = __builtin_bswap16((uint16_t)(JUMBO_BYTES - frame.l4));
	memcpy(l4() + 4, &udp_len_be, sizeof udp_len_be);
	memset(l4() + 6, 0, 2); // none
	mbuf = frame_mbuf(world.pool, &frame);
	while (mbuf->pkt_len < JUMBO_BYTES) {
		uint32_t left = JUMBO_BYTES - mbuf->pkt_len;

		tail = rte_pktmbuf_alloc(world.pool);
		ck_assert_ptr_nonnull(tail);
		left = left < rte_pktmbuf_tailroom(tail) ? left : rte_pktmbuf_tailroom(tail);
		memset(rte_pktmbuf_append(tail, (uint16_t)left), 0x80, left);
		ck_assert_int_eq(rte_pktmbuf_chain(mbuf, tail), 0);
	}
	ck_assert_uint_ge(mbuf->nb_segs, 4);
	return mbuf;
}

// Among good frames, and as many as there may be: each is counted by name, once, as long as it was,
// and all of its segments are given back; in front of and behind them nothing is missing.
START_TEST(test_jumbo)
{
	struct td_packet udp[TD_PARSE_VECTOR], other[TD_PARSE_VECTOR];
	struct rte_mbuf *mbufs[TD_PARSE_VECTOR];
	uint32_t every = _i == 0 ? 1 : 3, jumbos = 0, udp_count, other_count;
	uint64_t drops = 0, bytes = 0;

	for (uint32_t i = 0; i < TD_PARSE_VECTOR; i++) {
		if (i % every == 0) {
			mbufs[i] = jumbo_mbuf();
			jumbos++;
		} else {
			fixture_good4();
			mbufs[i] = frame_mbuf(world.pool, &frame);
		}
		bytes += mbufs[i]->pkt_len;
	}
	udp_count = td_parse_burst(&world.parse, 0, mbufs, TD_PARSE_VECTOR, udp, other,
				   &other_count, &world.stats);
	ck_assert_uint_eq(udp_count, TD_PARSE_VECTOR - jumbos);
	ck_assert_uint_eq(other_count, 0);
	ck_assert_uint_eq(world.stats.rx_packets, TD_PARSE_VECTOR);
	ck_assert_uint_eq(world.stats.rx_bytes, bytes);
	ck_assert_uint_eq(world.stats.drops[TD_DROP_FRAME_MULTISEGMENT], jumbos);
	for (int i = 0; i < TD_DROP_COUNT; i++)
		drops += world.stats.drops[i];
	ck_assert_uint_eq(drops, jumbos);
	for (uint32_t i = 0; i < udp_count; i++)
		rte_pktmbuf_free(udp[i].mbuf);
	ck_assert_uint_eq(rte_mempool_avail_count(world.pool), world.pool_count);
}
END_TEST

// A driver that gives us the beginning alone (a ring of smaller slots): its length betrays it, however
// much of it there is.
START_TEST(test_jumbo_cut)
{
	struct td_packet packet;
	struct rte_mbuf *mbuf = jumbo_mbuf();

	rte_pktmbuf_free(mbuf->next);
	mbuf->next = NULL;
	mbuf->nb_segs = 1;
	for (mbuf->pkt_len = mbuf->data_len; mbuf->data_len >= frame.l4; mbuf->data_len--) {
		mbuf->pkt_len = mbuf->data_len;
		ck_assert_int_eq(frame_parse(&world, mbuf, &packet), 1 + TD_DROP_IPV4_LENGTH);
	}
	rte_pktmbuf_free(mbuf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("parse");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	frame_environment();
	srunner_set_fork_status(runner, CK_NOFORK);
	tcase_add_checked_fixture(tests, fixture_setup, fixture_teardown);
	tcase_add_loop_test(tests, test_bad, 0, sizeof bad_rows / sizeof bad_rows[0]);
	tcase_add_test(tests, test_vlan_port);
	tcase_add_loop_test(tests, test_truncation, 0, 3);
	tcase_add_test(tests, test_multisegment);
	tcase_add_test(tests, test_wrong_port_for_address);
	tcase_add_test(tests, test_nic_checksum_flags);
	tcase_add_test(tests, test_udp_checksum);
	tcase_add_test(tests, test_burst);
	tcase_add_loop_test(tests, test_jumbo, 0, 2);
	tcase_add_test(tests, test_jumbo_cut);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

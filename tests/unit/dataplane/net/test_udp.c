// Datagrams of our own parse as what was meant, with right checksums; word-by-word checksum changes
// agree with computing them anew.
#include <check.h>

#include <rte_ip.h>

#include "fixture.h"
#include "net/checksum.h"
#include "net/udp.h"

static struct td_udp_flow flow_of(int v6)
{
	struct td_udp_flow flow = {
		.source = frame_endpoint(v6 ? "fd77::2" : "10.77.0.2", 20000),
		.destination = frame_endpoint(v6 ? "fd77::10" : "10.77.0.10", 4000),
		.dscp = 46,
	};

	ck_assert_int_eq(
		td_neighbour_get(world.neighbours, (uint32_t)v6, &flow.destination, &flow.next_hop),
		0);
	return flow;
}

START_TEST(test_encapsulate)
{
	int v6 = _i & 1;
	uint16_t len = (uint16_t)(_i < 4 ? 172 : _i);
	struct td_udp_flow flow = flow_of(v6);
	struct rte_mbuf *mbuf = frame_empty_mbuf();
	const uint8_t *ip;

	memset(rte_pktmbuf_mtod(mbuf, void *), 0xa5, len);
	mbuf->data_len = len;
	mbuf->pkt_len = len;
	ck_assert_int_eq(td_udp_encapsulate(world.neighbours, &flow, mbuf), -TD_ENOT_FOUND);
	ck_assert_uint_eq(mbuf->data_len, len);
	td_neighbour_learn(world.neighbours, 0, &flow.destination, frame_peer_mac,
			   TD_LEARN_SOLICITED);
	ck_assert_int_eq(td_udp_encapsulate(world.neighbours, &flow, mbuf), 0);
	ck_assert_uint_eq(mbuf->data_len, len + 14 + (v6 ? 40 : 20) + 8);
	ck_assert(frame_checksums_right(mbuf));
	ip = rte_pktmbuf_mtod(mbuf, const uint8_t *) + 14;
	ck_assert_uint_eq(v6 ? (ip[0] & 0xf) << 4 | ip[1] >> 4 : ip[1], 46 << 2);
	ck_assert_uint_eq(ip[v6 ? 7 : 8], 64);
	ck_assert_mem_eq(ip + (v6 ? 24 : 16), flow.destination.addr, v6 ? 16 : 4);
	ck_assert_mem_eq(ip + (v6 ? 40 : 20), "\x4e\x20\x0f\xa0", 4);
	rte_pktmbuf_free(mbuf);
}
END_TEST

// RFC 768: a checksum that computes to zero is sent as all ones.
START_TEST(test_zero_checksum)
{
	int found = 0;

	for (uint32_t word = 0; word < 65536 && !found; word++) {
		struct td_udp_flow flow = flow_of(0);
		struct rte_mbuf *mbuf = frame_empty_mbuf();
		uint16_t checksum, payload = (uint16_t)word;

		memcpy(rte_pktmbuf_mtod(mbuf, void *), &payload, sizeof payload);
		mbuf->data_len = sizeof payload;
		mbuf->pkt_len = sizeof payload;
		td_neighbour_learn(world.neighbours, 0, &flow.destination, frame_peer_mac, 1);
		ck_assert_int_eq(td_udp_encapsulate(world.neighbours, &flow, mbuf), 0);
		memcpy(&checksum, rte_pktmbuf_mtod(mbuf, uint8_t *) + 14 + 20 + 6, 2);
		ck_assert_uint_ne(checksum, 0);
		found = checksum == 0xffff;
		if (found)
			ck_assert(frame_checksums_right(mbuf));
		rte_pktmbuf_free(mbuf);
		td_neighbour_put(world.neighbours, flow.next_hop);
	}
	ck_assert(found);
}
END_TEST

// xorshift: the same bytes every time.
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

START_TEST(test_adjust_agrees_with_anew)
{
	uint32_t random = 7;
	uint8_t bytes[64];

	for (int round = 0; round < 100000; round++) {
		uint16_t before, after;
		uint32_t removed, added;
		uint32_t at = 4u * (next_random(&random) % 16);

		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)(round % 3                  ? next_random(&random)
					     : next_random(&random) % 2 ? 255u
									: 0u);
		before = (uint16_t)~td_checksum_fold(td_checksum_add(0, bytes, sizeof bytes));
		ck_assert_uint_eq(before, (uint16_t)~rte_raw_cksum(bytes, sizeof bytes));
		memcpy(&removed, bytes + at, 4);
		added = round % 5 ? next_random(&random) : 0xffffffffu;
		memcpy(bytes + at, &added, 4);
		after = td_checksum_adjust(before, removed, added);
		// Both zeros of one's complement are right for a receiver: the sum must verify.
		ck_assert_uint_eq(
			td_checksum_fold(td_checksum_add(after, bytes, sizeof bytes)) % 0xffff, 0);
	}
}
END_TEST

START_TEST(test_adjust_udp_keeps_absence)
{
	ck_assert_uint_eq(td_checksum_adjust_udp(0, 1, 2), 0);
	for (uint32_t added = 0; added < 65536; added++)
		ck_assert_uint_ne(td_checksum_adjust_udp(0x1234, 0x1111, added), 0);
}
END_TEST

START_TEST(test_add_odd_lengths)
{
	static const uint8_t bytes[9] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

	for (size_t len = 0; len <= sizeof bytes; len++)
		ck_assert_uint_eq(td_checksum_fold(td_checksum_add(0, bytes, len)),
				  rte_raw_cksum(bytes, len));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("udp");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	frame_environment();
	srunner_set_fork_status(runner, CK_NOFORK);
	tcase_add_checked_fixture(tests, fixture_setup, fixture_teardown);
	tcase_add_loop_test(tests, test_encapsulate, 0, 12);
	tcase_add_test(tests, test_zero_checksum);
	tcase_add_test(tests, test_adjust_agrees_with_anew);
	tcase_add_test(tests, test_adjust_udp_keeps_absence);
	tcase_add_test(tests, test_add_odd_lengths);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

// ARP: answered, learned from, asked, announced; malformed and foreign ones counted.
#include <check.h>

#include "fixture.h"
#include "net/arp.h"

static const uint8_t zero_mac[6], group_mac[6] = { 1, 0, 0, 0, 0, 1 };

START_TEST(test_request_is_answered)
{
	enum td_answer answer;
	enum td_drop drop;
	struct rte_mbuf *mbuf;
	const uint8_t *bytes;

	ck_assert(!fixture_resolves(0, "10.77.0.10"));
	frame_arp(&frame, 1, frame_peer_mac, "10.77.0.10", "10.77.0.2");
	if (_i)
		frame_tag(&frame, 0);
	mbuf = fixture_receive(&answer, &drop);
	ck_assert_int_eq(answer, TD_ANSWER_SEND);
	bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	ck_assert_uint_eq(mbuf->data_len, (_i ? 18 : 14) + 28);
	ck_assert_mem_eq(bytes, frame_peer_mac, 6);
	ck_assert_mem_eq(bytes + 6, frame_our_mac, 6);
	bytes += _i ? 18 : 14;
	ck_assert_mem_eq(bytes, "\0\1\x08\0\6\4\0\2", 8);
	ck_assert_mem_eq(bytes + 8, frame_our_mac, 6);
	ck_assert_mem_eq(bytes + 14, "\x0a\x4d\0\2", 4);
	ck_assert_mem_eq(bytes + 18, frame_peer_mac, 6);
	ck_assert_mem_eq(bytes + 24, "\x0a\x4d\0\x0a", 4);
	ck_assert(fixture_resolves(0, "10.77.0.10")); // RFC 826: the request told us too
	rte_pktmbuf_free(mbuf);
}
END_TEST

static const struct {
	const char *what;
	uint16_t opcode;
	const uint8_t *mac;
	const char *sender, *target;
	uint32_t spoil_at; // offset into the ARP packet, 0 for none
	enum td_answer answer;
	enum td_drop drop;
} rows[] = {
	{ "probe (RFC 5227)", 1, frame_peer_mac, "0.0.0.0", "10.77.0.2", 0, TD_ANSWER_SEND, 0 },
	{ "reply to us", 2, frame_peer_mac, "10.77.0.10", "10.77.0.2", 0, TD_ANSWER_CONSUME, 0 },
	{ "announcement", 1, frame_peer_mac, "10.77.0.10", "10.77.0.10", 0, TD_ANSWER_CONSUME, 0 },
	{ "for somebody else", 1, frame_peer_mac, "10.77.0.10", "10.77.0.3", 0, TD_ANSWER_DROP,
	  TD_DROP_ARP_NOT_OURS },
	{ "from our address", 1, frame_peer_mac, "10.77.0.2", "10.77.0.2", 0, TD_ANSWER_DROP,
	  TD_DROP_IP_SOURCE },
	{ "opcode", 3, frame_peer_mac, "10.77.0.10", "10.77.0.2", 0, TD_ANSWER_DROP,
	  TD_DROP_ARP_MALFORMED },
	{ "opcode high byte", 0x101, frame_peer_mac, "10.77.0.10", "10.77.0.2", 0, TD_ANSWER_DROP,
	  TD_DROP_ARP_MALFORMED },
	{ "sender MAC zero", 1, zero_mac, "10.77.0.10", "10.77.0.2", 0, TD_ANSWER_DROP,
	  TD_DROP_ARP_MALFORMED },
	{ "sender MAC group", 1, group_mac, "10.77.0.10", "10.77.0.2", 0, TD_ANSWER_DROP,
	  TD_DROP_ARP_MALFORMED },
	{ "hardware", 1, frame_peer_mac, "10.77.0.10", "10.77.0.2", 1, TD_ANSWER_DROP,
	  TD_DROP_ARP_MALFORMED },
	{ "protocol", 1, frame_peer_mac, "10.77.0.10", "10.77.0.2", 2, TD_ANSWER_DROP,
	  TD_DROP_ARP_MALFORMED },
	{ "lengths", 1, frame_peer_mac, "10.77.0.10", "10.77.0.2", 5, TD_ANSWER_DROP,
	  TD_DROP_ARP_MALFORMED },
};

START_TEST(test_rows)
{
	enum td_answer answer;
	enum td_drop drop;

	frame_arp(&frame, rows[_i].opcode, rows[_i].mac, rows[_i].sender, rows[_i].target);
	if (rows[_i].spoil_at)
		frame.bytes[frame.l3 + rows[_i].spoil_at] ^= 0x40;
	rte_pktmbuf_free(fixture_receive(&answer, &drop));
	ck_assert_msg(answer == rows[_i].answer, "%s: %d", rows[_i].what, answer);
	if (answer == TD_ANSWER_DROP)
		ck_assert_msg(drop == rows[_i].drop, "%s: %s", rows[_i].what, td_drop_name(drop));
}
END_TEST

START_TEST(test_truncated)
{
	enum td_answer answer;
	enum td_drop drop;

	frame_arp(&frame, 1, frame_peer_mac, "10.77.0.10", "10.77.0.2");
	for (frame.len = frame.l3; frame.len < frame.l3 + TD_ARP_BYTES; frame.len++) {
		rte_pktmbuf_free(fixture_receive(&answer, &drop));
		ck_assert_int_eq(answer, TD_ANSWER_DROP);
		ck_assert_int_eq(drop, TD_DROP_ARP_MALFORMED);
	}
	rte_pktmbuf_free(fixture_receive(&answer, &drop));
	ck_assert_int_eq(answer, TD_ANSWER_SEND);
}
END_TEST

// What we ask, a host like us answers; what it answers resolves our next hop.
START_TEST(test_question_and_reply)
{
	struct td_endpoint peer = frame_endpoint("10.77.0.10", 0);
	struct td_neighbour_question question;
	struct rte_mbuf *mbuf = frame_empty_mbuf();
	enum td_answer answer;
	enum td_drop drop;
	const uint8_t *bytes;
	uint32_t index;

	ck_assert_int_eq(td_neighbour_get(world.neighbours, 0, &peer, &index), 0);
	ck_assert_uint_eq(td_neighbours_due(world.neighbours, 1, &question, 1), 1);
	td_arp_request(&world.answer, &question, mbuf);
	bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	ck_assert_uint_eq(mbuf->data_len, 42);
	ck_assert_mem_eq(bytes, "\xff\xff\xff\xff\xff\xff", 6);
	ck_assert_mem_eq(bytes + 14, "\0\1\x08\0\6\4\0\1", 8);
	ck_assert_mem_eq(bytes + 28, "\x0a\x4d\0\2", 4);
	ck_assert_mem_eq(bytes + 32, zero_mac, 6);
	ck_assert_mem_eq(bytes + 38, "\x0a\x4d\0\x0a", 4);
	rte_pktmbuf_free(mbuf);
	frame_arp(&frame, 2, frame_peer_mac, "10.77.0.10", "10.77.0.2");
	rte_pktmbuf_free(fixture_receive(&answer, &drop));
	ck_assert(fixture_resolves(0, "10.77.0.10"));
}
END_TEST

START_TEST(test_announce)
{
	struct rte_mbuf *mbuf = frame_empty_mbuf();
	const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);

	world.ports[0].vlan = 5;
	td_arp_announce(&world.answer, &world.locals.entries[0], mbuf);
	ck_assert_uint_eq(mbuf->pkt_len, 46);
	ck_assert_mem_eq(bytes + 12, "\x81\0\0\5\x08\6", 6);
	ck_assert_mem_eq(bytes + 18 + 14, "\x0a\x4d\0\2", 4);
	ck_assert_mem_eq(bytes + 18 + 24, "\x0a\x4d\0\2", 4);
	rte_pktmbuf_free(mbuf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("arp");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	frame_environment();
	srunner_set_fork_status(runner, CK_NOFORK);
	tcase_add_checked_fixture(tests, fixture_setup, fixture_teardown);
	tcase_add_loop_test(tests, test_request_is_answered, 0, 2);
	tcase_add_loop_test(tests, test_rows, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tests, test_truncated);
	tcase_add_test(tests, test_question_and_reply);
	tcase_add_test(tests, test_announce);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

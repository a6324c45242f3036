// Neighbour discovery: RFC 4861 section 7 by table; answers have right checksums by DPDK's code.
#include <check.h>

#include "fixture.h"
#include "net/nd.h"

static const struct {
	const char *source, *destination;
	uint8_t option;
	const uint8_t *to_mac;
	const char *to;
	uint8_t flags;
} solicit_rows[] = {
	{ "fd77::10", "ff02::1:ff00:2", 1, frame_peer_mac, "fd77::10", 0x60 },
	{ "fd77::10", "fd77::2", 0, frame_peer_mac, "fd77::10", 0x60 },
	{ "fe80::10", "ff02::1:ff00:2", 1, frame_peer_mac, "fe80::10", 0x60 },
	{ "::", "ff02::1:ff00:2", 0, (const uint8_t *)"\x33\x33\0\0\0\1", "ff02::1", 0x20 },
};

START_TEST(test_solicit_is_answered)
{
	struct td_endpoint to = frame_endpoint(solicit_rows[_i].to, 0);
	struct td_endpoint own = frame_endpoint("fd77::2", 0);
	enum td_answer answer;
	enum td_drop drop;
	struct rte_mbuf *mbuf;
	const uint8_t *bytes;

	frame_nd(&frame, solicit_rows[_i].source, solicit_rows[_i].destination, 135, 0, "fd77::2",
		 solicit_rows[_i].option, frame_peer_mac);
	mbuf = fixture_receive(&answer, &drop);
	ck_assert_int_eq(answer, TD_ANSWER_SEND);
	bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	ck_assert_uint_eq(mbuf->data_len, 14 + 40 + 32);
	ck_assert_mem_eq(bytes, solicit_rows[_i].to_mac, 6);
	ck_assert_mem_eq(bytes + 6, frame_our_mac, 6);
	ck_assert_uint_eq(bytes[14 + 7], 255);
	ck_assert_mem_eq(bytes + 14 + 8, own.addr, 16);
	ck_assert_mem_eq(bytes + 14 + 24, to.addr, 16);
	ck_assert_uint_eq(bytes[54], 136);
	ck_assert_uint_eq(bytes[54 + 4], solicit_rows[_i].flags);
	ck_assert_mem_eq(bytes + 54 + 8, own.addr, 16);
	ck_assert_mem_eq(bytes + 54 + 24, "\2\1", 2);
	ck_assert_mem_eq(bytes + 54 + 26, frame_our_mac, 6);
	ck_assert(frame_checksums_right(mbuf));
	rte_pktmbuf_free(mbuf);
}
END_TEST

static void hop_limit(void)
{
	frame.bytes[frame.l3 + 7] = 254;
}
static void code(void)
{
	frame.bytes[frame.l4 + 1] = 1;
}
static void target_group(void)
{
	frame.bytes[frame.l4 + 8] = 0xff;
}
static void other_target(void)
{
	frame.bytes[frame.l4 + 23] = 9;
}
static void option_zero(void)
{
	frame.bytes[frame.l4 + 25] = 0;
}
static void option_long(void)
{
	frame.bytes[frame.l4 + 25] = 2;
}
static void option_group(void)
{
	frame.bytes[frame.l4 + 26] |= 1;
}
static void from_nowhere(void)
{
	memset(frame.bytes + frame.l3 + 8, 0, 16);
}
static void checksum(void)
{
	frame.bytes[frame.l4 + 3] ^= 1;
}
static void to_group_solicited(void)
{
	memcpy(frame.bytes + frame.l3 + 24, "\xff\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
}
static void about_us(void)
{
	frame.bytes[frame.l4 + 23] = 2;
}

static const struct {
	const char *what;
	uint8_t type;
	void (*spoil)(void);
	int fix;
	enum td_drop drop;
} bad_rows[] = {
	{ "hop limit", 135, hop_limit, 1, TD_DROP_ICMP_MALFORMED },
	{ "code", 135, code, 1, TD_DROP_ICMP_MALFORMED },
	{ "target a group", 135, target_group, 1, TD_DROP_ICMP_MALFORMED },
	{ "not our target", 135, other_target, 1, TD_DROP_ICMP_IGNORED },
	{ "option of length zero", 135, option_zero, 1, TD_DROP_ICMP_MALFORMED },
	{ "option runs over", 135, option_long, 1, TD_DROP_ICMP_MALFORMED },
	{ "link address a group", 135, option_group, 1, TD_DROP_ICMP_MALFORMED },
	{ "probe with a link address", 135, from_nowhere, 1, TD_DROP_ICMP_MALFORMED },
	{ "checksum", 135, checksum, 0, TD_DROP_ICMP_MALFORMED },
	{ "advertisement: hop limit", 136, hop_limit, 1, TD_DROP_ICMP_MALFORMED },
	{ "advertisement: code", 136, code, 1, TD_DROP_ICMP_MALFORMED },
	{ "advertisement: target a group", 136, target_group, 1, TD_DROP_ICMP_MALFORMED },
	{ "advertisement: option zero", 136, option_zero, 1, TD_DROP_ICMP_MALFORMED },
	{ "solicited, yet to a group", 136, to_group_solicited, 1, TD_DROP_ICMP_MALFORMED },
	{ "somebody has our address", 136, about_us, 1, TD_DROP_IP_SOURCE },
};

START_TEST(test_bad)
{
	bool solicit = bad_rows[_i].type == 135;
	enum td_answer answer;
	enum td_drop drop;

	frame_nd(&frame, "fd77::10", solicit ? "ff02::1:ff00:2" : "fd77::2", bad_rows[_i].type,
		 solicit ? 0 : 0x60, solicit ? "fd77::2" : "fd77::10", solicit ? 1 : 2,
		 frame_peer_mac);
	bad_rows[_i].spoil();
	if (bad_rows[_i].fix)
		frame_checksums(&frame);
	rte_pktmbuf_free(fixture_receive(&answer, &drop));
	ck_assert_msg(answer == TD_ANSWER_DROP, "%s: %d", bad_rows[_i].what, answer);
	ck_assert_msg(drop == bad_rows[_i].drop, "%s: %s", bad_rows[_i].what, td_drop_name(drop));
}
END_TEST

START_TEST(test_advertisement_resolves)
{
	enum td_answer answer;
	enum td_drop drop;

	ck_assert(!fixture_resolves(1, "fd77::10"));
	frame_nd(&frame, "fd77::10", "fd77::2", 136, 0x60, "fd77::10", _i ? 2 : 0, frame_peer_mac);
	rte_pktmbuf_free(fixture_receive(&answer, &drop));
	ck_assert_int_eq(answer, TD_ANSWER_CONSUME);
	ck_assert(fixture_resolves(1, "fd77::10"));
}
END_TEST

START_TEST(test_question)
{
	struct td_endpoint peer = frame_endpoint("fd77::aa:bbcc", 0);
	struct td_neighbour_question question;
	struct rte_mbuf *mbuf = frame_empty_mbuf();
	const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	uint32_t index;

	ck_assert_int_eq(td_neighbour_get(world.neighbours, 1, &peer, &index), 0);
	ck_assert_uint_eq(td_neighbours_due(world.neighbours, 1, &question, 1), 1);
	td_nd_solicit(&world.answer, &question, mbuf);
	ck_assert_mem_eq(bytes, "\x33\x33\xff\xaa\xbb\xcc", 6);
	ck_assert_mem_eq(bytes + 14 + 24, "\xff\x02\0\0\0\0\0\0\0\0\0\1\xff\xaa\xbb\xcc", 16);
	ck_assert_uint_eq(bytes[54], 135);
	ck_assert_mem_eq(bytes + 54 + 24, "\1\1", 2);
	ck_assert(frame_checksums_right(mbuf));
	rte_pktmbuf_free(mbuf);
}
END_TEST

START_TEST(test_announce)
{
	struct rte_mbuf *mbuf = frame_empty_mbuf();
	const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);

	td_nd_announce(&world.answer, &world.locals.entries[1], mbuf);
	ck_assert_mem_eq(bytes, "\x33\x33\0\0\0\1", 6);
	ck_assert_uint_eq(bytes[54], 136);
	ck_assert_uint_eq(bytes[54 + 4], 0x20);
	ck_assert(frame_checksums_right(mbuf));
	rte_pktmbuf_free(mbuf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nd");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	frame_environment();
	srunner_set_fork_status(runner, CK_NOFORK);
	tcase_add_checked_fixture(tests, fixture_setup, fixture_teardown);
	tcase_add_loop_test(tests, test_solicit_is_answered, 0,
			    sizeof solicit_rows / sizeof solicit_rows[0]);
	tcase_add_loop_test(tests, test_bad, 0, sizeof bad_rows / sizeof bad_rows[0]);
	tcase_add_loop_test(tests, test_advertisement_resolves, 0, 2);
	tcase_add_test(tests, test_question);
	tcase_add_test(tests, test_announce);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

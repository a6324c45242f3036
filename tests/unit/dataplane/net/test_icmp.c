// Echo over IPv4 and IPv6: the reply is a right one, everything else is counted and ignored.
#include <check.h>

#include "fixture.h"
#include "net/icmp.h"

static const char body[] = "\x12\x34\0\1"
			   "abcdefghijklm"; // identifier, sequence, odd data

static void request(int v6)
{
	if (v6)
		frame_icmp(&frame, "fd77::10", "fd77::2", 128, body, sizeof body - 1);
	else
		frame_icmp(&frame, "10.77.0.10", "10.77.0.2", 8, body, sizeof body - 1);
}

START_TEST(test_echo)
{
	uint32_t at = _i ? 8 : 12, bytes_of = _i ? 16 : 4;
	enum td_answer answer;
	enum td_drop drop;
	struct rte_mbuf *mbuf;
	const uint8_t *bytes;

	request(_i);
	mbuf = fixture_receive(&answer, &drop);
	ck_assert_int_eq(answer, TD_ANSWER_SEND);
	bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	ck_assert_uint_eq(mbuf->data_len, frame.len);
	ck_assert_mem_eq(bytes, frame_peer_mac, 6);
	ck_assert_mem_eq(bytes + 6, frame_our_mac, 6);
	ck_assert_mem_eq(bytes + 14 + at, frame.bytes + 14 + at + bytes_of, bytes_of);
	ck_assert_mem_eq(bytes + 14 + at + bytes_of, frame.bytes + 14 + at, bytes_of);
	ck_assert_uint_eq(bytes[frame.l4], _i ? 129 : 0);
	ck_assert_mem_eq(bytes + frame.l4 + 4, body, sizeof body - 1);
	ck_assert(frame_checksums_right(mbuf));
	rte_pktmbuf_free(mbuf);
}
END_TEST

// ping6 to all nodes: the reply comes from our own address and its checksum says so.
START_TEST(test_echo_to_group)
{
	struct td_endpoint own = frame_endpoint("fd77::2", 0);
	enum td_answer answer;
	enum td_drop drop;
	struct rte_mbuf *mbuf;

	frame_icmp(&frame, "fd77::10", "ff02::1", 128, body, sizeof body - 1);
	memcpy(frame.bytes, "\x33\x33\0\0\0\1", 6);
	mbuf = fixture_receive(&answer, &drop);
	ck_assert_int_eq(answer, TD_ANSWER_SEND);
	ck_assert_mem_eq(rte_pktmbuf_mtod(mbuf, uint8_t *) + 14 + 8, own.addr, 16);
	ck_assert(frame_checksums_right(mbuf));
	rte_pktmbuf_free(mbuf);
}
END_TEST

static const struct {
	int v6;
	uint8_t type, code;
	int spoil;
	enum td_drop drop;
} bad_rows[] = {
	{ 0, 0, 0, 0, TD_DROP_ICMP_IGNORED }, // a reply nobody asked for
	{ 0, 3, 3, 0, TD_DROP_ICMP_IGNORED }, // port unreachable: anybody can forge it
	{ 0, 5, 0, 0, TD_DROP_ICMP_IGNORED }, // redirect
	{ 0, 8, 1, 0, TD_DROP_ICMP_IGNORED },   { 0, 8, 0, 1, TD_DROP_ICMP_MALFORMED },
	{ 1, 129, 0, 0, TD_DROP_ICMP_IGNORED }, { 1, 1, 4, 0, TD_DROP_ICMP_IGNORED },
	{ 1, 134, 0, 0, TD_DROP_ICMP_IGNORED }, // router advertisement
	{ 1, 128, 1, 0, TD_DROP_ICMP_IGNORED }, { 1, 128, 0, 1, TD_DROP_ICMP_MALFORMED },
};

START_TEST(test_bad)
{
	enum td_answer answer;
	enum td_drop drop;

	request(bad_rows[_i].v6);
	frame.bytes[frame.l4] = bad_rows[_i].type;
	frame.bytes[frame.l4 + 1] = bad_rows[_i].code;
	frame_checksums(&frame);
	if (bad_rows[_i].spoil)
		frame.bytes[frame.len - 1] ^= 1;
	rte_pktmbuf_free(fixture_receive(&answer, &drop));
	ck_assert_int_eq(answer, TD_ANSWER_DROP);
	ck_assert_int_eq(drop, bad_rows[_i].drop);
}
END_TEST

START_TEST(test_too_short)
{
	enum td_answer answer;
	enum td_drop drop;

	for (uint32_t len = 0; len < 4; len++) {
		if (_i)
			frame_icmp(&frame, "fd77::10", "fd77::2", 128, body, len);
		else
			frame_icmp(&frame, "10.77.0.10", "10.77.0.2", 8, body, len);
		rte_pktmbuf_free(fixture_receive(&answer, &drop));
		ck_assert_int_eq(answer, TD_ANSWER_DROP);
		ck_assert_int_eq(drop, TD_DROP_ICMP_MALFORMED);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("icmp");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	frame_environment();
	srunner_set_fork_status(runner, CK_NOFORK);
	tcase_add_checked_fixture(tests, fixture_setup, fixture_teardown);
	tcase_add_loop_test(tests, test_echo, 0, 2);
	tcase_add_test(tests, test_echo_to_group);
	tcase_add_loop_test(tests, test_bad, 0, sizeof bad_rows / sizeof bad_rows[0]);
	tcase_add_loop_test(tests, test_too_short, 0, 2);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

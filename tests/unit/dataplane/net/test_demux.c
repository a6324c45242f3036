// The port table and its allocator: pairs, quarantine, exhaustion, publication.
#include <check.h>
#include <stdlib.h>

#include "net/demux.h"

#define SECOND 1000000000ull

static struct td_demux *demux;

static const struct {
	uint32_t locals;
	uint16_t first, last;
	int result;
} create_rows[] = {
	{ 1, 20000, 20001, 0 },
	{ 1, 20000, 20000, -TD_EINVALID },
	{ 1, 20001, 20002, -TD_EINVALID },
	{ 1, 20001, 20003, -TD_EINVALID },
	{ 1, 20002, 20001, -TD_EINVALID },
	{ 1, 0, 1, -TD_EINVALID },
	{ 1, 65534, 65535, 0 },
	{ 0, 20000, 20001, -TD_EINVALID },
	{ TD_LOCAL_ADDR_MAX, 20000, 20001, 0 },
	{ TD_LOCAL_ADDR_MAX + 1, 20000, 20001, -TD_EINVALID },
};

START_TEST(test_create)
{
	int result = td_demux_create(create_rows[_i].locals, create_rows[_i].first,
				     create_rows[_i].last, 1, &demux);

	ck_assert_int_eq(result, create_rows[_i].result);
	if (result == 0)
		td_demux_destroy(demux);
}
END_TEST

START_TEST(test_every_pair_once)
{
	uint8_t seen[10] = { 0 };
	uint16_t port;

	ck_assert_int_eq(td_demux_create(2, 30000, 30019, 7, &demux), 0);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(td_demux_port_take(demux, 0, SECOND, &port), 0);
		ck_assert_uint_eq(port % 2, 0);
		ck_assert(port >= 30000 && port <= 30018);
		ck_assert_uint_eq(seen[(port - 30000) / 2]++, 0);
	}
	ck_assert_int_eq(td_demux_port_take(demux, 0, SECOND, &port), -TD_ENO_PORT);
	ck_assert_uint_eq(td_demux_port_free_count(demux, 0), 0);
	ck_assert_uint_eq(td_demux_port_free_count(demux, 1), 10);
	td_demux_destroy(demux);
}
END_TEST

START_TEST(test_quarantine)
{
	uint16_t first, second, again;

	ck_assert_int_eq(td_demux_create(1, 30000, 30003, 7, &demux), 0);
	ck_assert_int_eq(td_demux_port_take(demux, 0, SECOND, &first), 0);
	ck_assert_int_eq(td_demux_port_take(demux, 0, SECOND, &second), 0);
	td_demux_port_give(demux, 0, first, 2 * SECOND);
	td_demux_port_give(demux, 0, second, 3 * SECOND);
	ck_assert_int_eq(
		td_demux_port_take(demux, 0, 2 * SECOND + TD_PORT_QUARANTINE_NS - 1, &again),
		-TD_ENO_PORT);
	ck_assert_int_eq(td_demux_port_take(demux, 0, 2 * SECOND + TD_PORT_QUARANTINE_NS, &again),
			 0);
	ck_assert_uint_eq(again, first);
	ck_assert_int_eq(td_demux_port_take(demux, 0, 2 * SECOND + TD_PORT_QUARANTINE_NS, &again),
			 -TD_ENO_PORT);
	ck_assert_int_eq(td_demux_port_take(demux, 0, 3 * SECOND + TD_PORT_QUARANTINE_NS, &again),
			 0);
	ck_assert_uint_eq(again, second);
	td_demux_destroy(demux);
}
END_TEST

// Two seeds, two orders: an outsider cannot tell the next port from the last.
START_TEST(test_order_depends_on_seed)
{
	uint16_t a[64], b[64];
	int differ = 0;

	ck_assert_int_eq(td_demux_create(1, 30000, 30127, 1, &demux), 0);
	for (int i = 0; i < 64; i++)
		ck_assert_int_eq(td_demux_port_take(demux, 0, SECOND, &a[i]), 0);
	td_demux_destroy(demux);
	ck_assert_int_eq(td_demux_create(1, 30000, 30127, 2, &demux), 0);
	for (int i = 0; i < 64; i++)
		ck_assert_int_eq(td_demux_port_take(demux, 0, SECOND, &b[i]), 0);
	td_demux_destroy(demux);
	for (int i = 0; i < 64; i++)
		differ += a[i] != b[i];
	ck_assert_int_gt(differ, 32);
}
END_TEST

START_TEST(test_publish)
{
	uint32_t rtp, rtcp;

	ck_assert_int_eq(td_demux_create(2, 30000, 30003, 7, &demux), 0);
	for (uint32_t port = 0; port < 65536; port++)
		ck_assert_uint_eq(td_demux_lookup(demux, 1, (uint16_t)port), 0);
	td_demux_publish(demux, 1, 30002, TD_WORKER_MAX - 1, TD_STREAM_MAX - 1);
	rtp = td_demux_lookup(demux, 1, 30002);
	rtcp = td_demux_lookup(demux, 1, 30003);
	ck_assert(rtp & TD_DEMUX_OPEN && !(rtp & TD_DEMUX_RTCP));
	ck_assert(rtcp & TD_DEMUX_OPEN && rtcp & TD_DEMUX_RTCP);
	ck_assert_uint_eq(td_demux_worker(rtp), TD_WORKER_MAX - 1);
	ck_assert_uint_eq(td_demux_stream(rtp), TD_STREAM_MAX - 1);
	ck_assert_uint_eq(td_demux_stream(rtcp), TD_STREAM_MAX - 1);
	ck_assert_uint_eq(td_demux_lookup(demux, 0, 30002), 0);
	td_demux_unpublish(demux, 1, 30002);
	ck_assert_uint_eq(td_demux_lookup(demux, 1, 30002), 0);
	ck_assert_uint_eq(td_demux_lookup(demux, 1, 30003), 0);
	td_demux_destroy(demux);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("demux");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, test_create, 0, sizeof create_rows / sizeof create_rows[0]);
	tcase_add_test(tests, test_every_pair_once);
	tcase_add_test(tests, test_quarantine);
	tcase_add_test(tests, test_order_depends_on_seed);
	tcase_add_test(tests, test_publish);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

// Next hops: resolution, refresh, loss, gateways, VLAN, reuse of the unreferenced when full.
#include <check.h>

#include "fixture.h"

#define SECOND 1000000000ull

static struct td_neighbour_question questions[8];

static int get(uint32_t local, const char *addr, uint32_t *index)
{
	struct td_endpoint dst = frame_endpoint(addr, 5004);

	return td_neighbour_get(world.neighbours, local, &dst, index);
}

static void learn(const char *addr, const uint8_t mac[6], uint32_t flags)
{
	struct td_endpoint ep = frame_endpoint(addr, 0);

	td_neighbour_learn(world.neighbours, 0, &ep, mac, flags);
}

static uint32_t due(uint64_t now_ns)
{
	return td_neighbours_due(world.neighbours, now_ns, questions, 8);
}

static uint32_t write_l2(uint32_t index, uint8_t l2[18])
{
	uint8_t room[18 + 40];
	uint32_t len = td_neighbour_write_l2(world.neighbours, index, room + 18);

	memcpy(l2, room + 18 - len, len);
	return len;
}

static const struct {
	uint32_t local;
	const char *destination;
	int result;
	const char *asked; // who is asked for
} get_rows[] = {
	{ 0, "10.77.0.10", 0, "10.77.0.10" },
	{ 0, "10.77.0.1", 0, "10.77.0.1" },
	{ 0, "192.0.2.1", 0, "10.77.0.1" },
	{ 0, "10.77.0.2", -TD_EINVALID, NULL },
	{ 0, "0.0.0.0", -TD_EINVALID, NULL },
	{ 0, "224.0.0.1", -TD_EINVALID, NULL },
	{ 0, "255.255.255.255", -TD_EINVALID, NULL },
	{ 0, "fd77::1", -TD_EINVALID, NULL },
	{ 1, "fd77::1", 0, "fd77::1" },
	{ 1, "fe80::1", 0, "fe80::1" },
	{ 1, "2001:db8::1", -TD_EINVALID, NULL },
	{ 1, "::", -TD_EINVALID, NULL },
	{ 1, "ff02::1", -TD_EINVALID, NULL },
	{ 1, "10.77.0.1", -TD_EINVALID, NULL },
};

START_TEST(test_get)
{
	uint32_t index;
	struct td_endpoint asked;

	ck_assert_int_eq(get(get_rows[_i].local, get_rows[_i].destination, &index),
			 get_rows[_i].result);
	if (get_rows[_i].result != 0)
		return;
	ck_assert_uint_eq(due(SECOND), 1);
	asked = frame_endpoint(get_rows[_i].asked, 0);
	ck_assert(td_endpoint_equal(&questions[0].target, &asked));
	ck_assert(!questions[0].unicast);
	ck_assert_uint_eq(questions[0].local, get_rows[_i].local);
}
END_TEST

START_TEST(test_resolve)
{
	uint8_t l2[18];
	uint32_t index, same;

	ck_assert_int_eq(get(0, "10.77.0.10", &index), 0);
	ck_assert_uint_eq(write_l2(index, l2), 0);
	ck_assert_uint_eq(due(SECOND), 1);
	ck_assert_uint_eq(due(SECOND), 0);
	ck_assert_uint_eq(due(SECOND + TD_NEIGHBOUR_RETRY_NS), 1);
	learn("10.77.0.10", frame_peer_mac, TD_LEARN_SOLICITED | TD_LEARN_OVERRIDE);
	ck_assert_uint_eq(write_l2(index, l2), 14);
	ck_assert_mem_eq(l2, frame_peer_mac, 6);
	ck_assert_mem_eq(l2 + 6, frame_our_mac, 6);
	ck_assert_uint_eq(l2[12] << 8 | l2[13], 0x0800);
	ck_assert_int_eq(get(0, "10.77.0.10", &same), 0);
	ck_assert_uint_eq(same, index);
	ck_assert_uint_eq(td_neighbour_port(world.neighbours, index), 0);
}
END_TEST

// Confirmed, it rests; then it is asked for by unicast and stays usable; unanswered, it is lost
// and asked for by broadcast; an answer brings it back.
START_TEST(test_refresh_and_loss)
{
	uint64_t now = SECOND;
	uint8_t l2[18];
	uint32_t index;

	ck_assert_int_eq(get(0, "10.77.0.10", &index), 0);
	ck_assert_uint_eq(due(now), 1);
	learn("10.77.0.10", frame_peer_mac, TD_LEARN_SOLICITED | TD_LEARN_OVERRIDE);
	ck_assert_uint_eq(due(now), 0);
	ck_assert_uint_eq(due(now + TD_NEIGHBOUR_REFRESH_NS - 1), 0);
	now += TD_NEIGHBOUR_REFRESH_NS;
	for (int i = 0; i < TD_NEIGHBOUR_TRIES; i++) {
		ck_assert_uint_eq(due(now), 1);
		ck_assert(questions[0].unicast);
		ck_assert_mem_eq(questions[0].mac, frame_peer_mac, 6);
		ck_assert_uint_eq(write_l2(index, l2), 14);
		now += TD_NEIGHBOUR_RETRY_NS;
	}
	ck_assert_uint_eq(due(now), 1);
	ck_assert(!questions[0].unicast);
	ck_assert_uint_eq(write_l2(index, l2), 0);
	learn("10.77.0.10", frame_peer_mac, TD_LEARN_SOLICITED | TD_LEARN_OVERRIDE);
	ck_assert_uint_eq(write_l2(index, l2), 14);
	ck_assert_uint_eq(due(now + TD_NEIGHBOUR_RETRY_NS), 0);
}
END_TEST

START_TEST(test_learn_rules)
{
	static const uint8_t other[6] = { 2, 9, 9, 9, 9, 9 };
	uint8_t l2[18];
	uint32_t index;

	learn("10.77.0.10", frame_peer_mac, TD_LEARN_OVERRIDE);
	ck_assert_int_eq(get(0, "10.77.0.10", &index), 0);
	ck_assert_uint_eq(write_l2(index, l2), 0); // what nobody needs is not learned
	learn("10.77.0.10", frame_peer_mac, 0);
	ck_assert_uint_eq(write_l2(index, l2), 14);
	learn("10.77.0.10", other, TD_LEARN_SOLICITED);
	ck_assert_uint_eq(write_l2(index, l2), 14);
	ck_assert_mem_eq(l2, frame_peer_mac, 6); // no override flag: not replaced
	learn("10.77.0.10", other, TD_LEARN_OVERRIDE);
	ck_assert_uint_eq(write_l2(index, l2), 14);
	ck_assert_mem_eq(l2, other, 6);
}
END_TEST

START_TEST(test_vlan)
{
	struct td_link_source source = { .vlan = 0x123 };
	uint8_t l2[18];
	uint32_t index;

	memcpy(source.mac, frame_our_mac, 6);
	td_neighbours_set_source(world.neighbours, 0, &source);
	ck_assert_int_eq(get(1, "fd77::1", &index), 0);
	learn("fd77::1", frame_peer_mac, TD_LEARN_SOLICITED);
	ck_assert_uint_eq(write_l2(index, l2), 18);
	ck_assert_mem_eq(l2 + 12, "\x81\x00\x01\x23\x86\xdd", 6);
}
END_TEST

START_TEST(test_unreferenced_is_not_asked_for)
{
	uint32_t index;

	ck_assert_int_eq(get(0, "10.77.0.10", &index), 0);
	td_neighbour_put(world.neighbours, index);
	ck_assert_uint_eq(due(SECOND), 0);
	ck_assert_int_eq(get(0, "10.77.0.10", &index), 0);
	ck_assert_uint_eq(due(SECOND), 1);
}
END_TEST

static struct td_endpoint numbered(uint32_t i)
{
	struct td_endpoint ep = frame_endpoint("fd77::1:0:0", 0);

	ep.addr[14] = (uint8_t)(i >> 8);
	ep.addr[15] = (uint8_t)i;
	return ep;
}

START_TEST(test_full_and_reclaim)
{
	uint32_t index, indexes[TD_NEIGHBOUR_MAX];
	struct td_endpoint ep;
	uint8_t l2[18];

	for (uint32_t i = 0; i < TD_NEIGHBOUR_MAX; i++) {
		ep = numbered(i);
		ck_assert_int_eq(td_neighbour_get(world.neighbours, 1, &ep, &indexes[i]), 0);
	}
	ep = numbered(TD_NEIGHBOUR_MAX);
	ck_assert_int_eq(td_neighbour_get(world.neighbours, 1, &ep, &index), -TD_EFULL);
	ep = numbered(77);
	td_neighbour_learn(world.neighbours, 0, &ep, frame_peer_mac, TD_LEARN_SOLICITED);
	td_neighbour_put(world.neighbours, indexes[77]);
	td_neighbour_put(world.neighbours, indexes[78]);
	ep = numbered(TD_NEIGHBOUR_MAX);
	ck_assert_int_eq(td_neighbour_get(world.neighbours, 1, &ep, &index), 0);
	ck_assert(index == indexes[77] || index == indexes[78]);
	ck_assert_uint_eq(write_l2(index, l2), 0); // nothing of its former life
	ep = numbered(79);
	ck_assert_int_eq(td_neighbour_get(world.neighbours, 1, &ep, &index), 0);
	ck_assert_uint_eq(index, indexes[79]); // its bucket's chain is whole
}
END_TEST

// However many there are, each is asked for within the rounds that a scan of all takes.
START_TEST(test_scan_reaches_all)
{
	uint32_t index, asked = 0;
	struct td_endpoint ep;

	for (uint32_t i = 0; i < 1000; i++) {
		ep = numbered(i);
		ck_assert_int_eq(td_neighbour_get(world.neighbours, 1, &ep, &index), 0);
	}
	for (int call = 0; call < 1000; call++)
		asked += due(SECOND);
	ck_assert_uint_eq(asked, 1000);
}
END_TEST

// On a port of the host's nobody here asks or resolves: a destination is its own next hop, and main
// writes what the kernel says.
START_TEST(test_left_to_host)
{
	static const uint64_t later = SECOND + TD_NEIGHBOUR_HOST_NS;
	uint32_t near, far, gone, out[4];
	uint8_t l2[18];

	td_neighbours_leave_to_host(world.neighbours, 0);
	ck_assert_int_eq(get(0, "10.77.0.10", &near), 0);
	ck_assert_int_eq(get(0, "192.0.2.1", &far), 0);
	ck_assert_int_eq(get(0, "192.0.2.2", &gone), 0);
	ck_assert_int_eq(get(0, "224.0.0.1", out), -TD_EINVALID);
	ck_assert_int_eq(get(0, "10.77.0.2", out), -TD_EINVALID);
	td_neighbour_put(world.neighbours, gone);
	ck_assert_uint_eq(due(SECOND), 0);
	ck_assert_uint_eq(td_neighbours_host_due(world.neighbours, SECOND, out, 1), 1);
	ck_assert_uint_eq(out[0], near);
	ck_assert_uint_eq(td_neighbours_host_due(world.neighbours, SECOND, out, 4), 1);
	ck_assert_uint_eq(out[0], far);
	ck_assert(td_endpoint_same_addr(
		td_neighbour_destination(world.neighbours, far),
		&(struct td_endpoint){ .family = TD_FAMILY_IPV4, .addr = { 192, 0, 2, 1 } }));
	ck_assert_uint_eq(td_neighbour_local(world.neighbours, far), 0);
	ck_assert_uint_eq(write_l2(far, l2), 0);
	td_neighbour_set(world.neighbours, far, frame_peer_mac);
	ck_assert_uint_eq(write_l2(far, l2), 14);
	ck_assert_mem_eq(l2, frame_peer_mac, 6);
	// Without a MAC again in a second; with one when the kernel should hear that it is in use.
	ck_assert_uint_eq(td_neighbours_host_due(world.neighbours, 2 * SECOND, out, 4), 2);
	ck_assert_uint_eq(td_neighbours_host_due(world.neighbours, 3 * SECOND, out, 4), 1);
	ck_assert_uint_eq(out[0], near);
	ck_assert_uint_eq(td_neighbours_host_due(world.neighbours, later + SECOND, out, 4), 2);
	ck_assert_uint_eq(td_neighbours_host_due(world.neighbours, later + SECOND, out, 4), 0);
	td_neighbours_host_changed(world.neighbours);
	ck_assert_uint_eq(td_neighbours_host_due(world.neighbours, later + SECOND, out, 4), 2);
	td_neighbour_set(world.neighbours, far, NULL);
	ck_assert_uint_eq(write_l2(far, l2), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("neighbour");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	frame_environment();
	srunner_set_fork_status(runner, CK_NOFORK);
	tcase_add_checked_fixture(tests, fixture_setup, fixture_teardown);
	tcase_add_loop_test(tests, test_get, 0, sizeof get_rows / sizeof get_rows[0]);
	tcase_add_test(tests, test_resolve);
	tcase_add_test(tests, test_refresh_and_loss);
	tcase_add_test(tests, test_learn_rules);
	tcase_add_test(tests, test_vlan);
	tcase_add_test(tests, test_unreferenced_is_not_asked_for);
	tcase_add_test(tests, test_full_and_reclaim);
	tcase_add_test(tests, test_scan_reaches_all);
	tcase_add_test(tests, test_left_to_host);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

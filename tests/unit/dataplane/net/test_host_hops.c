// Next hops by the kernel's own routes and neighbours, on a veth pair in a network namespace of the
// test's own: what the kernel knows is what a packet gets, and what it learns arrives.
#include <check.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/host_hops.h"
#include "td_role.h"

#define SECOND 1000000000ull

static struct td_locals locals;
static struct td_neighbours *table;
static struct td_host_hops hops;
static uint64_t now_ns;

static void sh(const char *command)
{
	// A test's own fixed text, in its own namespace.
	ck_assert_msg(system(command) == 0, "%s", command); // NOLINT(cert-env33-c)
}

static struct td_endpoint endpoint(const char *addr)
{
	struct td_endpoint ep;

	ck_assert_int_eq(td_endpoint_parse_addr(addr, &ep), 0);
	return ep;
}

static void add_local(const char *addr, uint8_t prefix_bits)
{
	struct td_local local = { .addr = endpoint(addr), .prefix_bits = prefix_bits };

	ck_assert_int_eq(td_locals_add(&locals, &local), 0);
}

static void setup(void)
{
	unsigned interfaces[TD_PORT_MAX] = { 0 };

	sh("ip link add v0 type veth peer name v1 && ip link add w0 type veth peer name w1");
	sh("sysctl -qw net.ipv6.conf.v0.accept_dad=0 net.ipv4.neigh.v0.retrans_time_ms=20");
	sh("ip addr add 192.0.2.5/24 dev v0 && ip -6 addr add 2001:db8::5/64 dev v0 nodad");
	sh("ip addr add 203.0.113.5/24 dev w0");
	sh("ip link set v0 up; ip link set v1 up; ip link set w0 up; ip link set w1 up");
	locals = (struct td_locals){ 0 };
	add_local("192.0.2.5", 24);
	add_local("2001:db8::5", 64);
	ck_assert_int_eq(td_neighbours_create(&locals, &table), 0);
	td_neighbours_leave_to_host(table, 0);
	interfaces[0] = if_nametoindex("v0");
	ck_assert_int_eq(td_host_hops_open(&hops, table, interfaces), 0);
	now_ns = SECOND;
}

static void teardown(void)
{
	td_host_hops_close(&hops);
	td_neighbours_destroy(table);
	sh("ip link del v0; ip link del w0");
}

static uint32_t get(uint32_t local, const char *peer)
{
	struct td_endpoint ep = endpoint(peer);
	uint32_t index;

	ck_assert_int_eq(td_neighbour_get(table, local, &ep, &index), 0);
	td_host_hops_turn(&hops, now_ns);
	return index;
}

// The kernel's news of what a command has done, and the turns that follow.
static void follow(const char *command)
{
	struct pollfd news = { .fd = td_host_hops_fd(&hops), .events = POLLIN };

	sh(command);
	ck_assert_int_eq(poll(&news, 1, 2000), 1);
	while (poll(&news, 1, 50) == 1)
		td_host_hops_on_news(&hops);
	now_ns += 2 * SECOND;
	td_host_hops_turn(&hops, now_ns);
}

// The last byte of the MAC a packet would go to; -1 when there is none.
static int mac_of(uint32_t index)
{
	uint8_t room[32];

	if (td_neighbour_write_l2(table, index, room + 18) == 0)
		return -1;
	ck_assert_uint_eq(room[4], 0x02);
	return room[18 - 14 + 5];
}

#define NEIGH4(mac) "ip neigh replace 192.0.2.77 lladdr 02:00:00:00:00:" mac " dev v0"

START_TEST(test_what_the_kernel_knows_already)
{
	sh(NEIGH4("4d"));
	sh("ip -6 neigh replace 2001:db8::77 lladdr 02:00:00:00:00:6d dev v0");
	ck_assert_int_eq(mac_of(get(0, "192.0.2.77")), 0x4d);
	ck_assert_int_eq(mac_of(get(1, "2001:db8::77")), 0x6d);
	// What was set by hand stays as it was set.
	sh("ip neigh show 192.0.2.77 dev v0 | grep -q PERMANENT");
}
END_TEST

START_TEST(test_what_it_learns_and_forgets)
{
	uint32_t index = get(0, "192.0.2.77");

	ck_assert_int_eq(mac_of(index), -1);
	follow(NEIGH4("01"));
	ck_assert_int_eq(mac_of(index), 1);
	follow(NEIGH4("02"));
	ck_assert_int_eq(mac_of(index), 2);
	// Forgotten is not gone: media goes on, and the kernel is asked to look again.
	follow("ip neigh del 192.0.2.77 dev v0");
	ck_assert_int_eq(mac_of(index), 2);
	sh("ip neigh show 192.0.2.77 dev v0 | grep -qE 'INCOMPLETE|FAILED'");
}
END_TEST

// Nobody answers: the kernel asks three times, and whoever had the MAC is unreachable then.
START_TEST(test_who_does_not_answer)
{
	uint32_t index = get(0, "192.0.2.88");
	struct pollfd news = { .fd = td_host_hops_fd(&hops), .events = POLLIN };

	ck_assert_int_eq(mac_of(index), -1);
	sh("ip neigh show 192.0.2.88 dev v0 | grep -qE 'INCOMPLETE|FAILED'");
	follow("ip neigh replace 192.0.2.88 lladdr 02:00:00:00:00:09 nud reachable dev v0");
	ck_assert_int_eq(mac_of(index), 9);
	sh("ip neigh change 192.0.2.88 lladdr 02:00:00:00:00:09 nud probe dev v0");
	// What has failed once is asked for once more.
	for (int i = 0; i < 100 && mac_of(index) != -1 && poll(&news, 1, 5000) == 1; i++) {
		td_host_hops_on_news(&hops);
		td_host_hops_turn(&hops, now_ns);
	}
	ck_assert_int_eq(mac_of(index), -1);
}
END_TEST

START_TEST(test_routes)
{
	uint32_t far;

	sh(NEIGH4("0a"));
	sh("ip neigh replace 192.0.2.78 lladdr 02:00:00:00:00:0b dev v0");
	sh("ip route add 198.51.100.0/24 via 192.0.2.77");
	far = get(0, "198.51.100.9");
	ck_assert_int_eq(mac_of(far), 0x0a);
	follow("ip route replace 198.51.100.0/24 via 192.0.2.78");
	ck_assert_int_eq(mac_of(far), 0x0b);
	// The gateway's own MAC moves.
	follow("ip neigh replace 192.0.2.78 lladdr 02:00:00:00:00:0c dev v0");
	ck_assert_int_eq(mac_of(far), 0x0c);
	// Off by another interface: not from here any more.
	follow("ip route replace 198.51.100.0/24 via 203.0.113.1 dev w0");
	ck_assert_int_eq(mac_of(far), -1);
	follow("ip route replace 198.51.100.0/24 via 192.0.2.77");
	ck_assert_int_eq(mac_of(far), 0x0a);
	follow("ip route del 198.51.100.0/24");
	ck_assert_int_eq(mac_of(far), -1);
	// IPv4 behind an IPv6 gateway.
	sh("ip -6 neigh replace 2001:db8::77 lladdr 02:00:00:00:00:6e dev v0");
	follow("ip route add 198.51.100.0/24 via inet6 2001:db8::77 dev v0");
	ck_assert_int_eq(mac_of(far), 0x6e);
}
END_TEST

// Nothing leads to ourselves over the wire, nor to nowhere; link-local is on the link.
START_TEST(test_special_destinations)
{
	ck_assert_int_eq(mac_of(get(0, "203.0.113.5")), -1);
	ck_assert_int_eq(mac_of(get(0, "192.0.2.255")), -1);
	ck_assert_int_eq(mac_of(get(0, "100.64.0.1")), -1);
	sh("ip -6 neigh replace fe80::77 lladdr 02:00:00:00:00:6f dev v0");
	ck_assert_int_eq(mac_of(get(1, "fe80::77")), 0x6f);
}
END_TEST

// An index that names somebody else by now has nothing of whom it named before.
START_TEST(test_index_used_again)
{
	static uint32_t indexes[TD_NEIGHBOUR_MAX];
	char peer[32];
	uint32_t again;

	sh(NEIGH4("11"));
	indexes[0] = get(0, "192.0.2.77");
	ck_assert_int_eq(mac_of(indexes[0]), 0x11);
	for (unsigned i = 1; i < TD_NEIGHBOUR_MAX; i++) {
		struct td_endpoint ep;

		snprintf(peer, sizeof peer, "10.0.%u.%u", i / 250, i % 250 + 1);
		ep = endpoint(peer);
		ck_assert_int_eq(td_neighbour_get(table, 0, &ep, &indexes[i]), 0);
	}
	td_neighbour_put(table, indexes[0]);
	// No turn in between: the news about .77 come while its index is .99's.
	{
		struct td_endpoint ep = endpoint("192.0.2.99");

		ck_assert_int_eq(td_neighbour_get(table, 0, &ep, &again), 0);
	}
	ck_assert_uint_eq(again, indexes[0]);
	sh(NEIGH4("12"));
	td_host_hops_on_news(&hops);
	ck_assert_int_eq(mac_of(again), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("host_hops");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	if (unshare(CLONE_NEWNET) != 0) {
		printf("skipped: no network namespace (%m)\n");
		return 77;
	}
	td_role_enter_main();
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_what_the_kernel_knows_already);
	tcase_add_test(tests, test_what_it_learns_and_forgets);
	tcase_add_test(tests, test_who_does_not_answer);
	tcase_add_test(tests, test_routes);
	tcase_add_test(tests, test_special_destinations);
	tcase_add_test(tests, test_index_used_again);
	tcase_set_timeout(tests, 30);
	suite_add_tcase(suite, tests);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

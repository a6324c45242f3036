// The UDP socket on loopback, against plain sockets as the other side.
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport/udp.h"

static uv_loop_t loop;
static uv_timer_t guard;
static struct td_udp *udp;
static struct {
	uint32_t count;
	size_t len;
	uint8_t bytes[TD_UDP_DATAGRAM_MAX];
	struct td_endpoint from;
	bool echo, close;
} received;

static struct td_endpoint endpoint(const char *text, uint16_t port)
{
	struct td_endpoint ep;

	ck_assert_int_eq(td_endpoint_parse_addr(text, &ep), 0);
	ep.port_be = htons(port);
	return ep;
}

static void on_datagram(void *user, const struct td_endpoint *from, const uint8_t *bytes,
			size_t len)
{
	ck_assert_ptr_eq(user, &received);
	received.count++;
	received.len = len;
	received.from = *from;
	memcpy(received.bytes, bytes, len);
	if (received.echo)
		ck_assert_int_eq(td_udp_send(udp, from, bytes, len), 0);
	if (received.close)
		td_udp_close(udp);
}

static void on_guard(uv_timer_t *timer)
{
	(void)timer;
	ck_abort_msg("nothing happened for ten seconds");
}

static void until(const uint32_t *counter, uint32_t wanted)
{
	uv_timer_start(&guard, on_guard, 10000, 0);
	while (*counter < wanted)
		uv_run(&loop, UV_RUN_ONCE);
	uv_timer_stop(&guard);
}

static void open_at(const char *address)
{
	struct td_endpoint listen = endpoint(address, 0);
	char reason[TD_UDP_REASON_MAX];

	td_role_enter_control();
	memset(&received, 0, sizeof received);
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	uv_timer_init(&loop, &guard);
	ck_assert_msg(td_udp_open(&loop, &listen, on_datagram, &received, &udp, reason) == 0, "%s",
		      reason);
	ck_assert_uint_ne(td_udp_local(udp).port_be, 0);
}

static void finish(bool close_udp)
{
	if (close_udp)
		td_udp_close(udp);
	uv_close((uv_handle_t *)&guard, NULL);
	ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
}

// A plain socket connected to the one under test, at `address` of its family.
static int peer_to(const char *address, int family)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = td_udp_local(udp).port_be };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = td_udp_local(udp).port_be };
	bool six = family == AF_INET6;
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(
		inet_pton(family, address, six ? (void *)&in6.sin6_addr : (void *)&in.sin_addr), 1);
	ck_assert_int_eq(six ? connect(fd, (struct sockaddr *)&in6, sizeof in6)
			     : connect(fd, (struct sockaddr *)&in, sizeof in),
			 0);
	return fd;
}

static const struct {
	const char *listen, *target;
	int family;
	enum td_family shown;
} families[] = {
	{ "127.0.0.1", "127.0.0.1", AF_INET, TD_FAMILY_IPV4 },
	{ "0.0.0.0", "127.0.0.1", AF_INET, TD_FAMILY_IPV4 },
	{ "::1", "::1", AF_INET6, TD_FAMILY_IPV6 },
	{ "::", "::1", AF_INET6, TD_FAMILY_IPV6 },
	{ "::", "127.0.0.1", AF_INET, TD_FAMILY_IPV4 }, // dual stack, shown as IPv4
};

START_TEST(echo_over_every_family)
{
	char back[16];
	int peer;

	open_at(families[_i].listen);
	received.echo = true;
	peer = peer_to(families[_i].target, families[_i].family);
	ck_assert_int_eq(send(peer, "hello", 5, 0), 5);
	until(&received.count, 1);
	ck_assert_uint_eq(received.len, 5);
	ck_assert_mem_eq(received.bytes, "hello", 5);
	ck_assert_int_eq(received.from.family, families[_i].shown);
	// What was queued in the callback leaves in the same turn.
	ck_assert_int_eq(recv(peer, back, sizeof back, MSG_DONTWAIT), 5);
	ck_assert_mem_eq(back, "hello", 5);
	close(peer);
	finish(true);
}
END_TEST

START_TEST(sizes_from_nothing_to_the_most)
{
	static const size_t sizes[] = {
		0, 1, 1500, 9000, TD_UDP_DATAGRAM_MAX - 1, TD_UDP_DATAGRAM_MAX
	};
	static uint8_t bytes[TD_UDP_DATAGRAM_MAX];
	int peer;

	open_at("127.0.0.1");
	peer = peer_to("127.0.0.1", AF_INET);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7);
	for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		ck_assert_int_eq(send(peer, bytes, sizes[i], 0), (ssize_t)sizes[i]);
		until(&received.count, i + 1);
		ck_assert_uint_eq(received.len, sizes[i]);
		ck_assert_mem_eq(received.bytes, bytes, sizes[i]);
	}
	close(peer);
	finish(true);
}
END_TEST

// More than one batch and more than one wake can take, in order.
START_TEST(a_burst_arrives_whole)
{
	struct td_udp_stats stats;
	int peer;

	open_at("127.0.0.1");
	peer = peer_to("127.0.0.1", AF_INET);
	for (uint32_t i = 0; i < 1000; i++)
		ck_assert_int_eq(send(peer, &i, sizeof i, 0), sizeof i);
	until(&received.count, 1000);
	td_udp_get_stats(udp, &stats);
	ck_assert_uint_eq(stats.rx_datagrams, 1000);
	ck_assert_uint_eq(stats.rx_bytes, 4000);
	ck_assert_uint_lt(stats.rx_batches, 100);
	close(peer);
	finish(true);
}
END_TEST

// What the kernel drops while nobody reads is counted, to the last one.
START_TEST(overflow_is_counted)
{
	const uint32_t sent = 60000;
	struct td_udp_stats stats;
	int peer;

	open_at("127.0.0.1");
	peer = peer_to("127.0.0.1", AF_INET);
	for (uint32_t i = 0; i < sent; i++)
		ck_assert_int_eq(send(peer, &i, sizeof i, 0), sizeof i);
	// The buffer is full for good: it must be emptied before one more can bring the news.
	for (int i = 0; i < 1000; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	ck_assert_uint_lt(received.count, sent);
	ck_assert_int_eq(send(peer, "x", 1, 0), 1);
	until(&received.count, received.count + 1);
	td_udp_get_stats(udp, &stats);
	ck_assert_uint_gt(stats.rx_overflows, 0);
	ck_assert_uint_eq(stats.rx_datagrams + stats.rx_overflows, sent + 1);
	close(peer);
	finish(true);
}
END_TEST

// A full queue says so; the turn's end empties it, in few system calls.
START_TEST(the_queue_fills_and_empties)
{
	struct td_endpoint to;
	struct td_udp_stats stats;
	uint32_t got = 0, value;
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof in;
	int peer = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), bytes = 4 << 20;

	open_at("127.0.0.1");
	inet_pton(AF_INET, "127.0.0.1", &in.sin_addr);
	ck_assert_int_eq(bind(peer, (struct sockaddr *)&in, sizeof in), 0);
	ck_assert_int_eq(getsockname(peer, (struct sockaddr *)&in, &len), 0);
	setsockopt(peer, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
	to = endpoint("127.0.0.1", ntohs(in.sin_port));
	for (uint32_t i = 0; i < TD_UDP_QUEUE_MAX; i++)
		ck_assert_int_eq(td_udp_send(udp, &to, &i, sizeof i), 0);
	ck_assert_int_eq(td_udp_send(udp, &to, &got, sizeof got), -TD_EFULL);
	td_udp_get_stats(udp, &stats);
	ck_assert_uint_eq(stats.tx_full, 1);
	ck_assert_uint_eq(stats.queued_now, TD_UDP_QUEUE_MAX);
	ck_assert_uint_eq(stats.queued_peak, TD_UDP_QUEUE_MAX);
	uv_run(&loop, UV_RUN_NOWAIT);
	while (recv(peer, &value, sizeof value, MSG_DONTWAIT) == sizeof value)
		ck_assert_uint_eq(value, got++);
	td_udp_get_stats(udp, &stats);
	ck_assert_uint_eq(stats.tx_datagrams, TD_UDP_QUEUE_MAX);
	ck_assert_uint_eq(stats.tx_batches, TD_UDP_QUEUE_MAX / TD_UDP_BATCH);
	ck_assert_uint_eq(stats.queued_now, 0);
	ck_assert_uint_gt(got, 0);
	close(peer);
	finish(true);
}
END_TEST

START_TEST(what_cannot_be_sent_is_refused_or_counted)
{
	static uint8_t bytes[TD_UDP_SEND_MAX + 1];
	struct td_endpoint good = endpoint("127.0.0.1", 9), six = endpoint("::1", 9);
	struct td_endpoint no_port = endpoint("127.0.0.1", 0), none = { 0 };
	struct td_endpoint broadcast = endpoint("255.255.255.255", 9);
	struct td_udp_stats stats;

	open_at("127.0.0.1");
	ck_assert_int_eq(td_udp_send(udp, &six, "x", 1), -TD_EINVALID);
	ck_assert_int_eq(td_udp_send(udp, &no_port, "x", 1), -TD_EINVALID);
	ck_assert_int_eq(td_udp_send(udp, &none, "x", 1), -TD_EINVALID);
	ck_assert_int_eq(td_udp_send(udp, &good, bytes, sizeof bytes), -TD_EINVALID);
	// The kernel refuses a broadcast; the datagrams around it go out all the same.
	ck_assert_int_eq(td_udp_send(udp, &good, "x", 1), 0);
	ck_assert_int_eq(td_udp_send(udp, &broadcast, "x", 1), 0);
	ck_assert_int_eq(td_udp_send(udp, &good, "x", 1), 0);
	td_udp_flush(udp);
	td_udp_get_stats(udp, &stats);
	ck_assert_uint_eq(stats.tx_too_long, 1);
	ck_assert_uint_eq(stats.tx_errors, 1);
	ck_assert_uint_eq(stats.tx_datagrams, 2);
	ck_assert_uint_eq(stats.queued_now, 0);
	finish(true);
}
END_TEST

START_TEST(closed_from_within_its_callback)
{
	int peer;

	open_at("127.0.0.1");
	received.close = true;
	peer = peer_to("127.0.0.1", AF_INET);
	for (int i = 0; i < 40; i++)
		ck_assert_int_eq(send(peer, "x", 1, 0), 1);
	until(&received.count, 1);
	close(peer);
	finish(false);
	ck_assert_uint_eq(received.count, 1);
}
END_TEST

START_TEST(what_is_queued_leaves_before_the_close)
{
	struct td_endpoint to;
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof in;
	int peer = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char back[4];

	open_at("127.0.0.1");
	inet_pton(AF_INET, "127.0.0.1", &in.sin_addr);
	ck_assert_int_eq(bind(peer, (struct sockaddr *)&in, sizeof in), 0);
	ck_assert_int_eq(getsockname(peer, (struct sockaddr *)&in, &len), 0);
	to = endpoint("127.0.0.1", ntohs(in.sin_port));
	ck_assert_int_eq(td_udp_send(udp, &to, "bye", 3), 0);
	finish(true);
	ck_assert_int_eq(recv(peer, back, sizeof back, MSG_DONTWAIT), 3);
	close(peer);
}
END_TEST

START_TEST(an_address_in_use_is_named_with_the_remedy)
{
	struct td_endpoint same;
	char reason[TD_UDP_REASON_MAX], text[TD_ENDPOINT_TEXT_MAX];
	struct td_udp *second;

	open_at("127.0.0.1");
	same = td_udp_local(udp);
	ck_assert_int_eq(td_udp_open(&loop, &same, on_datagram, &received, &second, reason),
			 -TD_EBUSY);
	td_endpoint_text(&same, text);
	ck_assert_ptr_nonnull(strstr(reason, text));
	ck_assert_ptr_nonnull(strstr(reason, "sip.listen"));
	ck_assert_ptr_nonnull(strstr(reason, "ss -ulpn"));
	finish(true);
}
END_TEST

START_TEST(an_address_that_is_not_ours_is_named_with_the_remedy)
{
	struct td_endpoint foreign = endpoint("192.0.2.1", 5060), none = { 0 };
	char reason[TD_UDP_REASON_MAX];

	open_at("127.0.0.1");
	ck_assert_int_eq(td_udp_open(&loop, &foreign, on_datagram, &received, &udp, reason),
			 -TD_ENOT_FOUND);
	ck_assert_ptr_nonnull(strstr(reason, "192.0.2.1:5060"));
	ck_assert_ptr_nonnull(strstr(reason, "sip.listen"));
	ck_assert_int_eq(td_udp_open(&loop, &none, on_datagram, &received, &udp, reason),
			 -TD_EINVALID);
	finish(true);
}
END_TEST

START_TEST(route_names_the_facing_address)
{
	struct td_endpoint to = endpoint("127.0.0.1", 5060), from, expected;

	expected = endpoint("127.0.0.1", 0);
	ck_assert_int_eq(td_udp_socket_route(&to, &from), 0);
	ck_assert(td_endpoint_equal(&from, &expected));
	to.family = TD_FAMILY_NONE;
	ck_assert_int_eq(td_udp_socket_route(&to, &from), -TD_EINVALID);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("udp");
	TCase *tcase = tcase_create("udp");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, echo_over_every_family, 0, sizeof families / sizeof families[0]);
	tcase_add_test(tcase, sizes_from_nothing_to_the_most);
	tcase_add_test(tcase, a_burst_arrives_whole);
	tcase_add_test(tcase, overflow_is_counted);
	tcase_add_test(tcase, the_queue_fills_and_empties);
	tcase_add_test(tcase, what_cannot_be_sent_is_refused_or_counted);
	tcase_add_test(tcase, closed_from_within_its_callback);
	tcase_add_test(tcase, what_is_queued_leaves_before_the_close);
	tcase_add_test(tcase, an_address_in_use_is_named_with_the_remedy);
	tcase_add_test(tcase, an_address_that_is_not_ours_is_named_with_the_remedy);
	tcase_add_test(tcase, route_names_the_facing_address);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

// Endpoints to socket addresses and back, and the send queue: the pure part of the transport.
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "transport/address.h"
#include "transport/udp_queue.h"

static struct td_endpoint endpoint(const char *text, uint16_t port)
{
	struct td_endpoint ep;

	ck_assert_int_eq(td_endpoint_parse_addr(text, &ep), 0);
	ep.port_be = htons(port);
	return ep;
}

static const struct {
	const char *addr;
	int socket_family;
	int result;
	const char *back; // what it reads as when it comes back; NULL: the same
} rows[] = {
	{ "10.77.0.10", AF_INET, 0, NULL },
	{ "255.255.255.255", AF_INET, 0, NULL },
	{ "fd77::1", AF_INET6, 0, NULL },
	{ "::", AF_INET6, 0, NULL },
	{ "10.77.0.10", AF_INET6, 0, NULL }, // mapped on the way, IPv4 again at the end
	{ "::ffff:10.77.0.10", AF_INET6, 0, "10.77.0.10" },
	{ "fd77::1", AF_INET, -TD_EINVALID, NULL },
};

START_TEST(there_and_back)
{
	struct td_endpoint ep = endpoint(rows[_i].addr, 5060), back;
	struct sockaddr_storage address;
	socklen_t len;

	ck_assert_int_eq(td_address_to_sockaddr(&ep, rows[_i].socket_family, &address, &len),
			 rows[_i].result);
	if (rows[_i].result != 0)
		return;
	ck_assert_int_eq(address.ss_family, rows[_i].socket_family);
	ck_assert_uint_eq(len, rows[_i].socket_family == AF_INET ? sizeof(struct sockaddr_in)
								 : sizeof(struct sockaddr_in6));
	memset(&back, 0xa5, sizeof back);
	ck_assert_int_eq(td_address_from_sockaddr(&address, &back), 0);
	if (rows[_i].back)
		ep = endpoint(rows[_i].back, 5060);
	ck_assert_mem_eq(&ep, &back, sizeof ep);
}
END_TEST

START_TEST(families_that_are_none)
{
	struct td_endpoint none = { 0 }, out;
	struct sockaddr_storage address = { .ss_family = AF_UNIX };
	socklen_t len;

	ck_assert_int_eq(td_address_to_sockaddr(&none, AF_INET, &address, &len), -TD_EINVALID);
	ck_assert_int_eq(td_address_to_sockaddr(&none, AF_INET6, &address, &len), -TD_EINVALID);
	address.ss_family = AF_UNIX;
	ck_assert_int_eq(td_address_from_sockaddr(&address, &out), -TD_EMALFORMED);
}
END_TEST

static struct td_udp_queue queue;

static void setup(void)
{
	ck_assert_int_eq(td_udp_queue_init(&queue), 0);
}

static void teardown(void)
{
	td_udp_queue_fini(&queue);
}

static int push(uint32_t value)
{
	struct td_endpoint to = endpoint("10.0.0.1", (uint16_t)value);

	return td_udp_queue_push(&queue, &to, &value, sizeof value);
}

static uint32_t at(uint32_t i)
{
	struct td_udp_queued *queued = td_udp_queue_at(&queue, i);
	uint32_t value;

	ck_assert_uint_eq(queued->len, sizeof value);
	memcpy(&value, queued->bytes, sizeof value);
	ck_assert_uint_eq(ntohs(queued->to.port_be), value & 0xffff);
	return value;
}

// Pushes and drops uneven numbers so that the positions wrap many times.
START_TEST(first_in_first_out_around_the_end)
{
	uint32_t next_in = 0, next_out = 0;

	for (uint32_t round = 0; round < 50; round++) {
		uint32_t in = 97 + round, out;

		for (uint32_t i = 0; i < in && queue.count < TD_UDP_QUEUE_MAX; i++)
			ck_assert_int_eq(push(next_in++), 0);
		out = queue.count * 2 / 3;
		for (uint32_t i = 0; i < queue.count; i++)
			ck_assert_uint_eq(at(i), next_out + i);
		td_udp_queue_drop(&queue, out);
		next_out += out;
	}
	td_udp_queue_drop(&queue, queue.count);
	ck_assert_uint_eq(queue.count, 0);
}
END_TEST

START_TEST(queue_is_full_at_its_bound)
{
	for (uint32_t i = 0; i < TD_UDP_QUEUE_MAX; i++)
		ck_assert_int_eq(push(i), 0);
	ck_assert_int_eq(push(0), -TD_EFULL);
	td_udp_queue_drop(&queue, 1);
	ck_assert_int_eq(push(77), 0);
	ck_assert_int_eq(push(78), -TD_EFULL);
	ck_assert_uint_eq(at(0), 1);
	ck_assert_uint_eq(at(TD_UDP_QUEUE_MAX - 1), 77);
}
END_TEST

START_TEST(datagrams_up_to_their_bound)
{
	static uint8_t bytes[TD_UDP_SEND_MAX + 1];
	struct td_endpoint to = endpoint("10.0.0.1", 1);

	ck_assert_int_eq(td_udp_queue_push(&queue, &to, bytes, 0), 0);
	ck_assert_int_eq(td_udp_queue_push(&queue, &to, bytes, TD_UDP_SEND_MAX), 0);
	ck_assert_int_eq(td_udp_queue_push(&queue, &to, bytes, TD_UDP_SEND_MAX + 1), -TD_EINVALID);
	ck_assert_uint_eq(queue.count, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("transport parts");
	TCase *address = tcase_create("address"), *line = tcase_create("queue");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(address, there_and_back, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(address, families_that_are_none);
	tcase_add_checked_fixture(line, setup, teardown);
	tcase_add_test(line, first_in_first_out_around_the_end);
	tcase_add_test(line, queue_is_full_at_its_bound);
	tcase_add_test(line, datagrams_up_to_their_bound);
	suite_add_tcase(suite, address);
	suite_add_tcase(suite, line);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

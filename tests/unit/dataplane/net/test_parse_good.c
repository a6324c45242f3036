// What a good frame looks like once parsed: plain, tagged, with a trailer, with IPv4 options and with
// IPv6 extension headers, those we may skip and those we may not.
#include <check.h>

#include "fixture.h"
#include "net/udp.h"

static void check_good(const struct td_packet *packet, const char *source, uint8_t local)
{
	struct td_endpoint from, want = frame_endpoint(source, 4000);

	ck_assert_uint_eq(packet->kind, TD_PACKET_UDP);
	ck_assert_uint_eq(packet->payload_len, 172);
	ck_assert_uint_eq(packet->local_port_be, __builtin_bswap16(20000));
	ck_assert_uint_eq(packet->local, local);
	ck_assert_uint_eq(packet->source_key, td_packet_key(&want));
	td_packet_source(packet, &from);
	ck_assert(td_endpoint_equal(&from, &want));
	ck_assert_ptr_eq(td_packet_udp(packet) + 8, packet->payload);
	ck_assert(td_udp_checksum_ok(packet));
}

START_TEST(test_good)
{
	struct td_packet packet;
	struct rte_mbuf *mbuf;

	if (_i & 1)
		fixture_good6();
	else
		fixture_good4();
	if (_i & 2)
		frame_tag(&frame, 0xe000); // priority only: no VLAN
	frame.len += 11;                   // an Ethernet trailer
	mbuf = frame_mbuf(world.pool, &frame);
	ck_assert_int_eq(frame_parse(&world, mbuf, &packet), 0);
	check_good(&packet, _i & 1 ? "fd77::10" : "10.77.0.10", _i & 1);
	ck_assert_uint_eq(mbuf->data_len, frame.len - 11);
	ck_assert_uint_eq(mbuf->pkt_len, frame.len - 11);
	rte_pktmbuf_free(mbuf);
}
END_TEST

START_TEST(test_ipv4_options)
{
	struct td_packet packet;

	fixture_good4();
	memmove(fixture_l3() + 24, fixture_l3() + 20, frame.len - frame.l4);
	memcpy(fixture_l3() + 20, "\x01\x01\x01\x00", 4);
	frame.len += 4;
	frame.l4 += 4;
	fixture_l3()[0] = 0x46;
	fixture_l3()[3] = (uint8_t)(frame.len - frame.l3);
	frame_checksums(&frame);
	ck_assert_int_eq(fixture_parse(&packet), 0);
	ck_assert_uint_eq(packet.l3_len, 24);
	ck_assert_uint_eq(packet.payload_len, 172);
}
END_TEST

// Puts one extension header of 8 * units bytes in front of what follows the IPv6 header.
static void extend(uint8_t kind, const char *content, uint8_t units)
{
	uint8_t was = fixture_l3()[6];
	uint32_t bytes = units * 8u;

	memmove(fixture_l3() + 40 + bytes, fixture_l3() + 40, frame.len - frame.l3 - 40);
	memset(fixture_l3() + 40, 0, bytes);
	fixture_l3()[6] = kind;
	fixture_l3()[40] = was;
	fixture_l3()[41] = (uint8_t)(units - 1);
	memcpy(fixture_l3() + 42, content, 6);
	fixture_l3()[5] = (uint8_t)(fixture_l3()[5] + bytes);
	frame.len += bytes;
}

static const struct {
	const char *what;
	uint8_t kind;
	const char *content; // six bytes
	int result;
} extension_rows[] = {
	{ "padding", 60, "\x01\x04\0\0\0\0", 0 },
	{ "Pad1 only", 60, "\0\0\0\0\0\0", 0 },
	{ "hop-by-hop router alert", 0, "\x05\x02\0\0\0\0", 0 },
	{ "unknown, skip", 60, "\x1e\x04\0\0\0\0", 0 },
	{ "unknown, discard", 60, "\x5e\x04\0\0\0\0", 1 + TD_DROP_IPV6_EXTENSION },
	{ "unknown, discard and tell", 60, "\xde\x04\0\0\0\0", 1 + TD_DROP_IPV6_EXTENSION },
	{ "option runs over", 60, "\x01\x05\0\0\0\0", 1 + TD_DROP_IPV6_EXTENSION },
	{ "option without length", 60, "\0\0\0\0\0\x01", 1 + TD_DROP_IPV6_EXTENSION },
	{ "routing, done", 43, "\0\0\0\0\0\0", 0 },
	{ "routing, not done", 43, "\0\x01\0\0\0\0", 1 + TD_DROP_IPV6_EXTENSION },
	{ "fragment", 44, "\0\0\0\0\0\0", 1 + TD_DROP_IP_FRAGMENT },
};

START_TEST(test_extensions)
{
	struct td_packet packet;
	struct rte_mbuf *mbuf;
	int result;

	fixture_good6();
	extend(extension_rows[_i].kind, extension_rows[_i].content, 1);
	result = fixture_parse(&packet);
	ck_assert_msg(result == extension_rows[_i].result, "%s: %d", extension_rows[_i].what,
		      result);
	if (result != 0)
		return;
	mbuf = frame_mbuf(world.pool, &frame);
	ck_assert_int_eq(frame_parse(&world, mbuf, &packet), 0);
	ck_assert_uint_eq(packet.l3_len, 48);
	check_good(&packet, "fd77::10", 1);
	rte_pktmbuf_free(mbuf);
}
END_TEST

START_TEST(test_extension_chain)
{
	struct td_packet packet;

	fixture_good6();
	for (int i = 0; i < TD_EXTENSION_MAX; i++)
		extend(60, "\x01\x04\0\0\0\0", 1);
	ck_assert_int_eq(fixture_parse(&packet), 0);
	extend(60, "\x01\x04\0\0\0\0", 1);
	ck_assert_int_eq(fixture_parse(&packet), 1 + TD_DROP_IPV6_EXTENSION);
	fixture_good6();
	extend(0, "\x01\x04\0\0\0\0", 1); // hop-by-hop behind another extension
	extend(60, "\x01\x04\0\0\0\0", 1);
	ck_assert_int_eq(fixture_parse(&packet), 1 + TD_DROP_IPV6_EXTENSION);
	fixture_good6();
	extend(60, "\x01\x04\0\0\0\0", 1);
	fixture_l3()[41] = 30; // longer than the packet
	ck_assert_int_eq(fixture_parse(&packet), 1 + TD_DROP_IPV6_EXTENSION);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("parse_good");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	frame_environment();
	srunner_set_fork_status(runner, CK_NOFORK);
	tcase_add_checked_fixture(tests, fixture_setup, fixture_teardown);
	tcase_add_loop_test(tests, test_good, 0, 4);
	tcase_add_test(tests, test_ipv4_options);
	tcase_add_loop_test(tests, test_extensions, 0,
			    sizeof extension_rows / sizeof extension_rows[0]);
	tcase_add_test(tests, test_extension_chain);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

// The dataplane's own addresses: found by address, bounded, on-link or not.
#include <check.h>
#include <stdio.h>

#include "net/local.h"

static struct td_endpoint endpoint(const char *addr)
{
	struct td_endpoint ep;

	ck_assert_int_eq(td_endpoint_parse_addr(addr, &ep), 0);
	return ep;
}

static struct td_local local_of(const char *addr, uint8_t prefix_bits, const char *gateway)
{
	struct td_local local = { .addr = endpoint(addr), .prefix_bits = prefix_bits };

	if (gateway)
		local.gateway = endpoint(gateway);
	return local;
}

static const struct {
	const char *addr;
	uint8_t prefix_bits;
	const char *gateway;
	int result;
} add_rows[] = {
	{ "10.77.0.2", 24, NULL, 0 },
	{ "10.77.0.2", 24, "10.77.0.1", 0 },
	{ "10.77.0.2", 32, NULL, 0 },
	{ "10.77.0.2", 33, NULL, -TD_EINVALID },
	{ "10.77.0.2", 24, "10.77.1.1", -TD_EINVALID },
	{ "10.77.0.2", 24, "10.77.0.2", -TD_EINVALID },
	{ "10.77.0.2", 24, "fd77::1", -TD_EINVALID },
	{ "0.0.0.0", 8, NULL, -TD_EINVALID },
	{ "127.0.0.1", 8, NULL, -TD_EINVALID },
	{ "224.0.0.1", 8, NULL, -TD_EINVALID },
	{ "255.255.255.255", 8, NULL, -TD_EINVALID },
	{ "fd77::2", 64, NULL, 0 },
	{ "fd77::2", 64, "fd77::1", 0 },
	{ "fd77::2", 64, "fe80::1", 0 },
	{ "fd77::2", 128, NULL, 0 },
	{ "fd77::2", 129, NULL, -TD_EINVALID },
	{ "::", 64, NULL, -TD_EINVALID },
	{ "::1", 64, NULL, -TD_EINVALID },
	{ "ff02::1", 64, NULL, -TD_EINVALID },
};

START_TEST(test_add)
{
	struct td_locals locals = { 0 };
	struct td_local local =
		local_of(add_rows[_i].addr, add_rows[_i].prefix_bits, add_rows[_i].gateway);

	ck_assert_int_eq(td_locals_add(&locals, &local), add_rows[_i].result);
	if (add_rows[_i].result != 0)
		ck_assert_uint_eq(locals.count, 0);
	else
		ck_assert_int_eq(td_locals_add(&locals, &local), -TD_EEXISTS);
}
END_TEST

START_TEST(test_find_all_until_full)
{
	struct td_locals locals = { 0 };
	struct td_local local;

	for (uint32_t i = 0; i < TD_LOCAL_ADDR_MAX; i++) {
		char text[32];

		snprintf(text, sizeof text, i % 2 ? "fd77::%x" : "10.77.%u.2", i + 2);
		local = local_of(text, 24, NULL);
		ck_assert_int_eq(td_locals_add(&locals, &local), 0);
	}
	local = local_of("10.78.0.2", 24, NULL);
	ck_assert_int_eq(td_locals_add(&locals, &local), -TD_EFULL);
	for (uint8_t i = 0; i < TD_LOCAL_ADDR_MAX; i++) {
		const struct td_endpoint *addr = &locals.entries[i].addr;
		uint32_t addr4;

		memcpy(&addr4, addr->addr, 4);
		if (addr->family == TD_FAMILY_IPV6)
			ck_assert_uint_eq(td_locals_find6(&locals, addr->addr), i);
		else
			ck_assert_uint_eq(td_locals_find4(&locals, addr4), i);
	}
	ck_assert_uint_eq(td_locals_find4(&locals, 0x02004e0a), TD_LOCAL_NONE);
	ck_assert_uint_eq(td_locals_find6(&locals, local.addr.addr), TD_LOCAL_NONE);
	ck_assert_uint_eq(td_locals_first(&locals, TD_FAMILY_IPV4), 0);
	ck_assert_uint_eq(td_locals_first(&locals, TD_FAMILY_IPV6), 1);
}
END_TEST

START_TEST(test_first_without_family)
{
	struct td_locals locals = { 0 };

	ck_assert_uint_eq(td_locals_first(&locals, TD_FAMILY_IPV4), TD_LOCAL_NONE);
}
END_TEST

static const struct {
	const char *own;
	uint8_t prefix_bits;
	const char *peer;
	bool on_link;
} link_rows[] = {
	{ "10.77.0.2", 24, "10.77.0.255", true },  { "10.77.0.2", 24, "10.77.1.0", false },
	{ "10.77.0.2", 23, "10.77.1.0", true },    { "10.77.0.2", 25, "10.77.0.127", true },
	{ "10.77.0.2", 25, "10.77.0.128", false }, { "10.77.0.2", 0, "192.0.2.1", true },
	{ "10.77.0.2", 32, "10.77.0.3", false },   { "fd77::2", 64, "fd77::ffff", true },
	{ "fd77::2", 64, "fd77:0:0:1::2", false }, { "fd77::2", 64, "fe80::1", true },
	{ "fd77::2", 64, "10.77.0.1", false },     { "10.77.0.2", 0, "fe80::1", false },
};

START_TEST(test_on_link)
{
	struct td_local local = local_of(link_rows[_i].own, link_rows[_i].prefix_bits, NULL);
	struct td_endpoint peer = endpoint(link_rows[_i].peer);

	ck_assert_int_eq(td_local_on_link(&local, &peer), link_rows[_i].on_link);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("local");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, test_add, 0, sizeof add_rows / sizeof add_rows[0]);
	tcase_add_test(tests, test_find_all_until_full);
	tcase_add_test(tests, test_first_without_family);
	tcase_add_loop_test(tests, test_on_link, 0, sizeof link_rows / sizeof link_rows[0]);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
